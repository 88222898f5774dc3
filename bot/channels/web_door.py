"""Who may come in: the password, sessions, and the pause after too many wrong tries.

Owns the password's hash (made at the start; the password itself is not kept) and the cookie's signature. Leaves to
`bot.channels.web_guard` which requests are asked for one, to `bot.store.sessions` which are open.

    door = Door("correct horse")
    admission = await door.enter("correct horse", address="10.0.0.7")
    await door.admits(admission.cookie)      # True
    await door.leave(admission.cookie)       # and no more, also for sockets that are open
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from bot.locale import Text, phrases
from bot.recent import Recent

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
LONGEST_COOKIE = 200
MOST_WAITING = 8
"""Tries that wait for their turn; one more is told to come again: one takes a tenth of a second."""
REST, LONGEST_REST_S = 3.0, 1.0
"""How many times as long as a wrong password took, and how long at most, none is looked at after it."""
TOKEN_BYTES = 16
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
    wait_s: int = 0
    """How long no try from there is looked at."""


class Sessions(Protocol):
    """Which sessions are open. Implemented by `bot.store.sessions.Sessions`."""

    async def begin(self, token: str, until: datetime) -> None:
        """Open a session."""
        ...

    async def holds(self, token: str) -> bool:
        """Say whether the session is open now."""
        ...

    async def end(self, token: str) -> None:
        """Close a session."""
        ...


class MemorySessions:
    """Sessions that end with the process."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: set[str] = set()

    async def begin(self, token: str, until: datetime) -> None:
        """Open a session."""
        del until
        self._open.add(token)

    async def holds(self, token: str) -> bool:
        """Say whether the session is open now."""
        return token in self._open

    async def end(self, token: str) -> None:
        """Close a session."""
        self._open.discard(token)


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
        sessions: Sessions | None = None,
        rest: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Hash `password` (about 0.1 s and 64 MiB by argon2's own defaults, on one core: not on the event loop); sign cookies with `key`.

        Sessions end with the process unless the same `key` and `sessions` are given again ("" takes a fresh one), and with the
        password: it is changed when it may be known.
        """
        self._hash = ""
        if password:
            import argon2  # noqa: PLC0415 - an open door needs none

            self._hasher = hasher or argon2.PasswordHasher(parallelism=1)
            self._hash = self._hasher.hash(password)
        self._key = hmac.digest(key or secrets.token_bytes(32), password.encode("utf-8", "replace"), "sha256")
        self._now = now
        self._tries: Recent[str, _Tries] = Recent(most=ADDRESSES_REMEMBERED)
        self._one_at_a_time = asyncio.Semaphore(1)
        self._waiting = 0
        self._rest = rest
        self._sessions = sessions or MemorySessions()
        self._staying: dict[str, set[asyncio.Event]] = {}

    @property
    def locked(self) -> bool:
        """True where a password is asked for."""
        return bool(self._hash)

    async def enter(self, password: str, *, address: str) -> Admission:
        """Try `password` from `address`: after five wrong ones each further try waits, 30 s at first, 15 min at most.

        One password is hashed at a time, on one core, and after a wrong one none for a while: guessing from many addresses, or many
        times at once, is no faster than from one, and takes a quarter of a core at most from those who are being answered.
        """
        if shut := self._shut(address):
            return shut
        if self._waiting >= MOST_WAITING:
            return Admission(trouble=_("Too many people sign in just now. Please try again in a moment."), wait_s=1)
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                begun = time.monotonic()
                admission = self._shut(address) or await self._tried(password, address)
                if not admission.cookie and not admission.wait_s:
                    await self._rest(min(REST * (time.monotonic() - begun), LONGEST_REST_S))
                return admission
        finally:
            self._waiting -= 1

    def knows(self, cookie: str) -> bool:
        """Say whether we signed `cookie`, and it has not run out; its session may be over all the same."""
        return bool(self._token(cookie))

    async def admits(self, cookie: str) -> bool:
        """Say whether `cookie` is of a session that is open; True for anything where there is no password. Raises StoreError."""
        if not self.locked:
            return True
        token = self._token(cookie)
        return bool(token) and await self._sessions.holds(token)

    async def leave(self, cookie: str) -> None:
        """End the session of `cookie`, and what stays open in it. Raises StoreError."""
        if token := self._token(cookie):
            await self._sessions.end(token)
            for event in self._staying.get(token, ()):
                event.set()

    @contextmanager
    def staying(self, cookie: str) -> Iterator[asyncio.Event]:
        """Give an event that is set when the session of `cookie` ends; for what is open longer than a request."""
        token, ended = self._token(cookie), asyncio.Event()
        self._staying.setdefault(token, set()).add(ended)
        try:
            yield ended
        finally:
            self._staying[token].discard(ended)
            if not self._staying[token]:
                del self._staying[token]

    def _shut(self, address: str) -> Admission | None:
        tries = self._tries.get(_place(address))
        wait_s = tries.shut_until - self._now() if tries else 0.0
        if wait_s <= 0:
            return None
        seconds = round(wait_s + 0.5)
        return Admission(trouble=_("Too many wrong passwords. Please try again in {seconds} s.", seconds=seconds), wait_s=seconds)

    async def _tried(self, password: str, address: str) -> Admission:
        tries = self._tries_of(address)
        if len(password) <= LONGEST_PASSWORD and await asyncio.to_thread(self._matches, password):
            self._tries.pop(_place(address), None)
            until, token = int(self._now() + COOKIE_LIFE_S), secrets.token_urlsafe(TOKEN_BYTES)
            await self._sessions.begin(token, datetime.fromtimestamp(until, UTC))
            return Admission(cookie=self._sign(f"{until}.{token}"))
        tries.wrong += 1
        if tries.wrong >= TRIES:
            doubled = min(tries.wrong - TRIES, 10)
            tries.shut_until = self._now() + min(FIRST_PAUSE_S * 2**doubled, LONGEST_PAUSE_S)
        return Admission(trouble=_("That password is not right. Please try again."))

    def _token(self, cookie: str) -> str:
        """Return the token in a cookie that we signed and that has not run out, "" for any other."""
        signed, _dot, _signature = cookie.rpartition(".")
        until, _dot, token = signed.partition(".")
        if len(cookie) > LONGEST_COOKIE or not (until.isascii() and until.isdigit() and token):
            return ""
        ours = hmac.compare_digest(self._sign(signed).encode("utf-8", "replace"), cookie.encode("utf-8", "replace"))
        return token if ours and int(until) > self._now() else ""

    def _matches(self, password: str) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - as above

        try:
            return self._hasher.verify(self._hash, password)
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False

    def seal(self, what: str) -> str:
        """Return a word that only this bot can have given for `what`, also after it was started again; no cookie can be made of it."""
        return self._sign(f"seal.{what}").rpartition(".")[2]

    def sealed(self, what: str, seal: str) -> bool:
        """Say whether `seal` is that word."""
        return hmac.compare_digest(self.seal(what).encode(), seal.encode("utf-8", "replace"))

    def _sign(self, what: str) -> str:
        digest = hmac.new(self._key, what.encode("utf-8", "replace"), hashlib.sha256).digest()
        return f"{what}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"

    def _tries_of(self, address: str) -> _Tries:
        place = _place(address)
        tries = self._tries[place] = self._tries.get(place) or _Tries()
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
