"""Where encryption stands in the Matrix channel: what it is given, and what it gives back.

Owns the contract, and `Unsealed`: a bot without encryption, which never writes into an encrypted room what others there would have
sealed. Leaves the ciphers to `matrix_crypto`.

    await seal.begin(me, wire, rooms, ways)    # after each login, before anything is sent or read
    await seal.told(sync)                  # each sync's answer, before its events are read: to-device messages, device lists, members
    event = await seal.opened(room, event) # an m.room.encrypted event as it was said, None while its key is not here
    kind, content = await seal.sealed(room, "m.room.message", content)    # what is sent instead, where the room is encrypted
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bot.errors import ChannelError
from bot.locale import Language, phrases

if TYPE_CHECKING:
    from bot.channels.matrix_account import Me
    from bot.channels.matrix_rooms import Rooms
    from bot.channels.matrix_wire import Wire

_ = phrases(__file__)

Content = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Ways:
    """What encryption needs of the channel."""

    late: Callable[[str, Content], Awaitable[None]]
    """Take in a message whose key has come after the sync that brought it; returns once it is committed."""
    language: Callable[[str], Awaitable[Language]]
    """Return what a room is spoken to in."""
    may_talk: Callable[[str], bool]
    """Say whether a person is one whose invitations the bot follows."""


class Seal(Protocol):
    """What the channel asks of encryption. Raises ChannelError, RetryLaterError as a send does."""

    async def begin(self, me: Me, wire: Wire, rooms: Rooms, ways: Ways) -> None:
        """Be ready for this login. Raises UnknownTokenError; what else goes wrong is tried again by itself."""
        ...

    async def told(self, sync: Content) -> None:
        """Take in what a sync says to devices and of members, before its events are read. Never raises for what a stranger sent."""
        ...

    async def opened(self, room: str, event: Content, *, only_look: bool = False) -> Content | None:
        """Return an m.room.encrypted event as it was said (type, content, and sender, event_id, origin_server_ts of the outer one).

        None where it cannot be opened (yet). Whoever implements it keeps such an event, tells that it could not be read, and has
        it taken in by `Ways.late` when its key has come; with `only_look`, as for a message that is quoted, nothing of that is done.
        """
        ...

    async def sealed(self, room: str, kind: str, content: Content) -> tuple[str, Content]:
        """Return the type and content to send in the place of these; the same ones in a room that is not encrypted.

        `m.relates_to` stays outside of the ciphertext: the homeserver has to see it. Reactions are not sealed.
        """
        ...

    async def sealed_file(self, room: str, data: bytes) -> tuple[bytes, Content | None]:
        """Return the bytes to upload, and the `file` of the event without its `url`; None in a room that is not encrypted."""
        ...

    async def opened_file(self, sealed: Path, file: Content) -> None:
        """Replace the bytes of a downloaded file by what they hold, as the event's `file` says. Raises ChannelError where they are others."""
        ...


class Unsealed:
    """Keeps `Seal` without any cipher."""

    def __init__(self) -> None:
        """Know no room yet."""
        self._rooms: Rooms | None = None

    async def begin(self, me: Me, wire: Wire, rooms: Rooms, ways: Ways) -> None:
        """Remember which rooms are encrypted."""
        del me, wire, ways
        self._rooms = rooms

    async def told(self, sync: Content) -> None:
        """Take in nothing."""

    async def opened(self, room: str, event: Content, *, only_look: bool = False) -> Content | None:
        """Open nothing."""
        del room, event, only_look
        return None

    async def sealed(self, room: str, kind: str, content: Content) -> tuple[str, Content]:
        """Return what is given; refuse in an encrypted room, where nobody expects a word in the clear."""
        if self._rooms is not None and self._rooms.of(room).encrypted and kind != "m.reaction":
            raise ChannelError(_("This room is encrypted, and the bot has no encryption here. Nothing was sent."))
        return kind, content

    async def sealed_file(self, room: str, data: bytes) -> tuple[bytes, Content | None]:
        """Return what is given."""
        del room
        return data, None

    async def opened_file(self, sealed: Path, file: Content) -> None:
        """Refuse: it was sealed."""
        del sealed, file
        raise ChannelError(_("This file is encrypted, and the bot has no encryption here. Nothing was kept."))
