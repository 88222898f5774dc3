"""This login's device: its ratchets and what is remembered beside them, opened in one folder and turned on one thread.

Owns the thread and the folder. Leaves the ratchets to `matrix_crypto_machine`, what is remembered to `matrix_crypto_kept`.

    device = Device(home / "matrix", trust="anyone")
    await device.open("@paring:example.org", "DEVICE")
    request = await device.turn(device.machine.ask_for, room, event)
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bot.channels.matrix_crypto_kept import Kept
from bot.errors import ChannelError
from bot.locale import Text, phrases

if TYPE_CHECKING:
    from bot.channels.matrix_crypto_machine import Machine, Trust

_ = phrases(__file__)
T = TypeVar("T")


class Device:
    """One device at a time. Everything of `machine` and `kept` is called through `turn`."""

    kept: Kept

    def __init__(self, folder: Path, *, trust: Trust) -> None:
        """Keep everything in `folder`, for its owner alone."""
        self._folder, self._trust = folder, trust
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="matrix-crypto")
        self._machine: Machine | None = None
        self.refusal: Text | None = None
        """Why nothing can be sent with it; None where it can."""

    @property
    def is_open(self) -> bool:
        """Say whether there is a device."""
        return self._machine is not None

    @property
    def machine(self) -> Machine:
        """Its ratchets. Raises ChannelError where there are none."""
        if self._machine is None:
            raise ChannelError(self.refusal or _("This room is encrypted, and the bot has no encryption here. Nothing was sent."))
        return self._machine

    async def open(self, user: str, name: str) -> None:
        """Open what is kept of the device, or begin it, and let go of any other one."""
        if self._machine is None or (self._machine.user, self._machine.device) != (user, name):
            await self.turn(self._open, user, name)

    async def close(self) -> None:
        """Let go of the files."""
        if self._machine is not None:
            await self.turn(self._shut)
        self._thread.shutdown(wait=False)

    async def turn(self, made: Callable[..., T], *given: Any) -> T:
        """Return what `made` returns on the device's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: made(*given))

    def _open(self, user: str, name: str) -> None:
        from bot.channels.matrix_crypto_machine import Machine  # noqa: PLC0415 - 0.3 s, where encryption is on

        if self._machine is not None:
            self._shut()
        folder = self._folder / f"device-{hashlib.sha256(f'{user}|{name}'.encode()).hexdigest()[:16]}"
        for old in self._folder.glob("device-*"):
            if old != folder:  # of a device that is gone: its ratchets are of no use to anybody
                shutil.rmtree(old, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.kept = Kept(folder)
        self._machine = Machine(folder, user, name, self.kept, trust=self._trust)

    def _shut(self) -> None:
        self.machine.close()
        self.kept.close()
