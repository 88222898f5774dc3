"""Which rooms of one account are encrypted, and who is in them now.

    rooms = EncryptedRooms(lambda: wire, keep=...)
    if await rooms.is_encrypted(room):
        await rooms.members(room)         # for whom it is to be hidden

Owns that a room which was encrypted once stays so. Leaves the keys to `matrix_crypto_keys`.

Source: https://spec.matrix.org/v1.11/client-server-api/#mroomencryption
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from bot.channels.matrix_wire import RefusedError, path

if TYPE_CHECKING:
    from bot.channels.matrix_wire import Wire


class EncryptedRooms:
    """What was told of each room, until it changes."""

    def __init__(self, wire: Callable[[], Wire], *, keep: Callable[[str], Awaitable[None]]) -> None:
        """Ask over what `wire` gives, which is another after each login; `keep` has on disk that a room is encrypted."""
        self._wire = wire
        self._keep = keep
        self._encrypted: set[str] = set()
        self._clear: set[str] = set()
        self._people: dict[str, list[str]] = {}

    def were(self, rooms: Iterable[str]) -> None:
        """Know which rooms were encrypted in a former life."""
        self._encrypted = set(rooms)

    async def is_encrypted(self, room: str) -> bool:
        """Say whether a room is encrypted; one that was is never taken for another, whatever the homeserver says. Raises as `Wire.call`."""
        if room in self._encrypted or room in self._clear:
            return room in self._encrypted
        try:
            told = await self._wire().call("GET", path("v3", "rooms", room, "state", "m.room.encryption", ""))
        except RefusedError as error:
            if error.status != 404:  # noqa: PLR2004 - HTTP's own word
                raise
            self._clear.add(room)
            return False
        if isinstance(told.get("algorithm"), str):
            await self.encrypted_now(room)
        return room in self._encrypted

    async def encrypted_now(self, room: str) -> None:
        """Know that a room is encrypted, on disk when it returns."""
        self._clear.discard(room)
        if room not in self._encrypted:
            await self._keep(room)
            self._encrypted.add(room)

    async def members(self, room: str) -> list[str]:
        """Return who is in a room. Raises as `Wire.call`."""
        if room not in self._people:
            told = await self._wire().call("GET", path("v3", "rooms", room, "joined_members"))
            joined = told.get("joined")
            self._people[room] = sorted(joined) if isinstance(joined, dict) else []
        return self._people[room]

    def changed(self, room: str) -> None:
        """Know that somebody came or went."""
        self._people.pop(room, None)
