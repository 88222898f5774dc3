"""Tells systemd that the bot is up, that it lives, and that it is leaving: the protocol of `Type=notify`, over the socket it names.

    notifier = Notifier.of(os.environ)      # without NOTIFY_SOCKET everything below does nothing
    notifier.say("READY=1", "STATUS=serving")
    notifier.every_s                        # how often WATCHDOG=1 is due: half of WatchdogSec, None where nobody watches

Source: sd_notify(3), sd_watchdog_enabled(3)
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final, Self

MICROSECONDS: Final = 1e6
ABSTRACT: Final = "@"


class Notifier:
    """One process's line to who started it."""

    def __init__(self, address: str = "", *, every_s: float | None = None) -> None:
        """Send to the socket `address`, nowhere for ""."""
        self._address = f"\0{address[1:]}" if address.startswith(ABSTRACT) else address
        self.every_s = every_s

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Return what the environment asks for. A watchdog that is meant for another process is none."""
        micros, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
        mine = micros.isdecimal() and int(micros) > 0 and process in ("", str(os.getpid()))
        return cls(environment.get("NOTIFY_SOCKET", ""), every_s=int(micros) / MICROSECONDS / 2 if mine else None)

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return bool(self._address)

    def say(self, *lines: str) -> None:
        """Send `lines`; a socket that is not there is no reason to stop serving."""
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.setblocking(False)  # noqa: FBT003 - the standard library's own signature
            line.sendto("\n".join(lines).encode(), self._address)
