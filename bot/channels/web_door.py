"""Who may come in: the password, sessions, and the pause after too many wrong tries.

Owns the password's hash (made at the start; the password itself is not kept) and the cookie's signature. Leaves to
`bot.channels.web_guard` which requests are asked for one.

    door = Door("correct horse")
    admission = await door.enter("correct horse", address="10.0.0.7")
    door.admits(admission.cookie)      # True
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.locale import Text, phrases

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_ = phrases(__file__)

COOKIE = "paring-session"
COOKIE_LIFE_S = 30 * 24 * 3600
TRIES = 5
FIRST_PAUSE_S = 30.0
LONGEST_PAUSE_S = 900.0
ADDRESSES_REMEMBERED = 10_000
LONGEST_PASSWORD = 1024
NETWORK_BITS = 64
IPV4 = 4

LABELS: dict[str, Text] = {
    "password": _("Password"),
    "enter": _("Sign in"),
    "whose": _("It is the one that was set as PARING_WEB__PASSWORD where Paring runs."),
}


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of a try: a cookie, or the sentence that says why there is none."""

    cookie: str = ""
    trouble: Text | None = None


@dataclass(slots=True)
class _Tries:
    wrong: int = 0
    shut_until: float = 0.0


class Door:
    """One password for one page. Without a password it stands open."""

    def __init__(
        self,
        password: str = "",
        *,
        key: bytes = b"",
        now: Callable[[], float] = time.time,
        hasher: PasswordHasher | None = None,
    ) -> None:
        """Hash `password` (about 0.1 s and 64 MiB by argon2's own defaults: not on the event loop); sign cookies with `key`.

        Sessions end with the process unless the same `key` is given again ("" takes a fresh one), and with the password:
        it is changed when it may be known.
        """
        self._hash = ""
        if password:
            import argon2  # noqa: PLC0415 - an open door needs none

            self._hasher = hasher or argon2.PasswordHasher()
            self._hash = self._hasher.hash(password)
        self._key = hmac.digest(key or secrets.token_bytes(32), password.encode("utf-8", "replace"), "sha256")
        self._now = now
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._one_at_a_time = asyncio.Semaphore(1)

    @property
    def locked(self) -> bool:
        """True where a password is asked for."""
        return bool(self._hash)

    async def enter(self, password: str, *, address: str) -> Admission:
        """Try `password` from `address`: after five wrong ones each further try waits, 30 s at first, 15 min at most.

        One password is hashed at a time, so that guessing from many addresses is no faster than from one.
        """
        async with self._one_at_a_time:
            tries = self._tries_of(address)
            wait_s = tries.shut_until - self._now()
            if wait_s > 0:
                return Admission(
                    trouble=_("Too many wrong passwords. Please try again in {seconds} s.", seconds=round(wait_s + 0.5))
                )
            if len(password) <= LONGEST_PASSWORD and await asyncio.to_thread(self._matches, password):
                self._tries.pop(_place(address), None)
                return Admission(cookie=self._sign(f"{self._now() + COOKIE_LIFE_S:.0f}"))
            tries.wrong += 1
            if tries.wrong >= TRIES:
                tries.shut_until = self._now() + min(FIRST_PAUSE_S * 2 ** (tries.wrong - TRIES), LONGEST_PAUSE_S)
            return Admission(trouble=_("That password is not right. Please try again."))

    def admits(self, cookie: str) -> bool:
        """Say whether `cookie` is one of ours that has not run out; True for anything where there is no password."""
        if not self.locked:
            return True
        until, _dot, _signature = cookie.partition(".")
        if not until.isascii() or not until.isdigit():
            return False
        return hmac.compare_digest(self._sign(until).encode(), cookie.encode("utf-8", "replace")) and int(until) > self._now()

    def _matches(self, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - as above

        try:
            return self._hasher.verify(self._hash, password)
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False

    def _sign(self, until: str) -> str:
        digest = hmac.new(self._key, until.encode(), hashlib.sha256).digest()
        return f"{until}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"

    def _tries_of(self, address: str) -> _Tries:
        place = _place(address)
        tries = self._tries.setdefault(place, _Tries())
        self._tries.move_to_end(place)
        while len(self._tries) > ADDRESSES_REMEMBERED:
            self._tries.popitem(last=False)
        return tries


def _place(address: str) -> str:
    """Return the network of an IPv6 address, else the address: one machine has 2^64 of the former to guess from.

    Source: RFC 4291, section 2.5.1: interface identifiers are 64 bits long.
    """
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    mapped = known.ipv4_mapped if isinstance(known, ipaddress.IPv6Address) else None
    if mapped or known.version == IPV4:
        return str(mapped or known)
    return str(ipaddress.ip_network((known, NETWORK_BITS), strict=False))
