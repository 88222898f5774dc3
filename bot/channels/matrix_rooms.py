"""The rooms that the bot is in: who is there, which are direct chats, and what is to be known of each before something is said in it.

Owns what the homeserver told of their state, and the address of a place. A direct chat is a room of exactly two: whoever else is in it,
or is invited, reads along. It goes by its person, whichever room it is held in; the room is in the address's thread.

    at = await rooms.address("!abc:example.org")       # Address("matrix", "@paring:example.org", "@ann:example.org", "!abc:example.org")
    room, thread = await rooms.place(at)               # the same room, and the thread in it

Source: https://spec.matrix.org/v1.11/client-server-api/#direct-messaging
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakValueDictionary

from bot.channels.incoming import clean_text
from bot.channels.matrix_account import Me
from bot.channels.matrix_wire import RefusedError, Wire, path, unreached
from bot.message import Address

CHANNEL: Final = "matrix"
LONGEST_ID: Final = 255
LONGEST_NAME: Final = 80
MOST_NAMES: Final = 5_000
"""People of one room whose names are remembered: those who spoke."""
IN_DIRECT: Final = 2
_CLOSED: Final = frozenset({"", "invite", "knock", "private"})
"""Join rules by which nobody comes whom somebody there did not let in."""
Json = Mapping[str, object]


@dataclass(slots=True)
class Room:
    """What is known of one room."""

    id: str
    names: dict[str, str] = field(default_factory=dict)
    counted: int | None = None
    """How many are in it or invited, as the homeserver counts; None where it did not say."""
    people: frozenset[str] | None = None
    """Who is in it or invited; None until they are asked for, and after each change."""
    changes: int = 0
    """How often somebody may have come or gone: what was asked before one of them is not believed."""
    alone_with: str = ""
    """The other person, where it was a direct chat when last looked at."""
    encrypted: bool = False
    moved_to: str = ""
    moved_from: str = ""
    federates: bool = True
    join_rule: str = ""

    def changed(self) -> None:
        """Know that somebody may have come or gone."""
        self.people = None
        self.changes += 1


class Rooms:
    """The rooms of one account."""

    def __init__(self, me: Me, wire: Wire) -> None:
        """Know none yet; ask over `wire`."""
        self.me = me
        self._wire = wire
        self._known: dict[str, Room] = {}
        self._direct: dict[str, list[str]] = {}
        self._joined: dict[str, None] = {}
        self._beginning: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._listing = asyncio.Lock()

    def of(self, room: str) -> Room:
        """Return what is known of the room."""
        return self._known.setdefault(room, Room(room))

    def is_in(self, room: str) -> bool:
        """Say whether the bot is in the room, as far as it was told."""
        return room in self._joined

    @property
    def joined(self) -> tuple[str, ...]:
        """The rooms that the bot is in."""
        return tuple(self._joined)

    def told(self, sync: Json) -> None:
        """Take in a sync's state: of rooms joined and left, and which are direct."""
        rooms = dict_of(sync, "rooms")
        for room, told in dicts_in(rooms, "join"):
            self._joined[room] = None
            self.count(room, dict_of(told, "summary"))
            if dict_of(told, "timeline").get("limited") is True:  # who came within the gap is told only when they speak
                self.of(room).changed()
            for event in (*events_of(told, "state"), *events_of(told, "timeline")):
                self.note(room, event)
        for room, _told in dicts_in(rooms, "leave"):
            self._joined.pop(room, None)
            self._known.pop(room, None)
        for event in events_of(sync, "account_data"):
            if event.get("type") == "m.direct":
                content = dict_of(event, "content")
                self._direct = {user: list(strings_of(content, user)) for user in content if isinstance(user, str)}

    def count(self, room: str, summary: Json) -> None:
        """Take in a room's summary; what it leaves out has not changed."""
        known = self.of(room)
        joined, invited = summary.get("m.joined_member_count"), summary.get("m.invited_member_count")
        if isinstance(joined, int):
            counted = joined + (invited if isinstance(invited, int) else 0)
            if counted != known.counted:
                known.changed()
            known.counted = counted

    def note(self, room: str, event: Json) -> None:
        """Take in one event of a room's state; anything else is passed over."""
        key, content, known = event.get("state_key"), dict_of(event, "content"), self.of(room)
        if not isinstance(key, str):
            return
        match event.get("type"):
            case "m.room.member":
                known.changed()
                _call(known, key, content)
            case "m.room.encryption" if not key:
                known.encrypted = True  # once and for all: who takes it back is not believed
            case "m.room.tombstone" if not key:
                known.moved_to = text_of(content, "replacement_room")
            case "m.room.create" if not key:
                known.moved_from = text_of(dict_of(content, "predecessor"), "room_id")
                known.federates = content.get("m.federate") is not False
            case "m.room.join_rules" if not key:
                known.join_rule = text_of(content, "join_rule")

    def name(self, room: str, user: str) -> str:
        """Return how people call `user` in the room."""
        return self.of(room).names.get(user) or user[1:].partition(":")[0]

    async def people(self, room: str) -> frozenset[str]:
        """Return who is in the room or invited to it. Raises as `Wire.call`."""
        known = self.of(room)
        while known.people is None:
            changes = known.changes
            told = await self._wire.call("GET", path("v3", "rooms", room, "members"), query={"not_membership": "leave"})
            here = set()
            for event in listed(told, "chunk"):
                content, person = dict_of(event, "content"), text_of(event, "state_key")
                if text_of(content, "membership") in {"join", "invite"}:
                    here.add(person)
                    _call(known, person, content)
            if changes == known.changes:  # else somebody came or left meanwhile: it is asked anew
                known.people = frozenset(here)
                known.counted = len(here)
        return known.people

    async def other(self, room: str) -> str:
        """Return the one other person of a direct chat, "" where the room is none. Raises as `Wire.call`.

        A room into which anybody may come is none: who comes later reads what was said before.
        """
        known = self.of(room)
        if (known.counted is not None and known.counted != IN_DIRECT) or known.join_rule not in _CLOSED:
            return ""
        others = await self.people(room) - {self.me.user}
        known.alone_with = next(iter(others), "") if len(others) == 1 else ""
        return known.alone_with

    async def address(self, room: str, thread: str = "", *, by: str = "") -> Address:
        """Return where `by` says something: in their direct chat only where it is theirs, for others may have left it. Raises as `Wire.call`."""
        other = await self.other(room)
        return self.direct(other, room, thread) if other and by in {"", other} else self.group(room, thread)

    def group(self, room: str, thread: str = "") -> Address:
        """Return the room as a group."""
        return Address(CHANNEL, self.me.account, room, thread, "group")

    def direct(self, person: str, room: str, thread: str = "") -> Address:
        """Return the room as the direct chat of a person."""
        return Address(CHANNEL, self.me.account, person, f"{room} {thread}".rstrip())

    async def place(self, at: Address) -> tuple[str, str]:
        """Return the room and the thread of an address; a direct chat that is held nowhere yet is begun. Raises as `Wire.call`.

        What is for one person alone goes no more into a room to which others have come or may come, but into one of their own.
        """
        if at.kind == "group":
            return at.chat, at.thread
        room, _space, thread = at.thread.partition(" ")
        if room and not await self.people(room) - {self.me.user, at.chat} and self.of(room).join_rule in _CLOSED:
            return room, thread
        async with self._beginning.setdefault(at.chat, asyncio.Lock()):
            return await self._with(at.chat), ""

    def held_in(self, at: Address) -> str:
        """Return the room of an address as far as it is known without asking, "" where that is none yet."""
        if at.kind == "group":
            return at.chat
        room = at.thread.partition(" ")[0]
        return room or next((one for one in self._direct.get(at.chat, ()) if one in self._joined), "")

    async def _with(self, person: str) -> str:
        """Return the room in which only `person` and the bot are, made where there is none."""
        for room in [*self._direct.get(person, []), *reversed(self._joined)]:
            if room in self._joined and await self.other(room) == person:
                return room
        told = await self._wire.call(
            "POST",
            "/v3/createRoom",
            said={"is_direct": True, "invite": [person], "preset": "trusted_private_chat"},
            wait_for="create",
        )
        room = text_of(told, "room_id")
        if not room:
            raise unreached()
        self._joined[room] = None
        await self.is_direct(room, person)
        return room

    async def is_direct(self, room: str, person: str) -> None:
        """Tell the homeserver that the room is a direct chat, so that every client shows it as one."""
        async with self._listing:  # the list is one for all people
            rooms = self._direct.get(person, [])
            if room in rooms:
                return
            listed_anew = {**self._direct, person: [room, *rooms]}
            with suppress(RefusedError):
                await self._wire.call("PUT", path("v3", "user", self.me.user, "account_data", "m.direct"), said=listed_anew)
            self._direct[person] = [room, *rooms]


def _call(known: Room, person: str, content: Json) -> None:
    """Know how people call somebody in a room."""
    name = content.get("displayname")
    if isinstance(name, str) and len(known.names) < MOST_NAMES:
        known.names[person] = clean_text(name)[:LONGEST_NAME]


def is_id(value: object, sign: str) -> bool:
    """Say whether `value` may be an id of the kind that begins with `sign`."""
    return (
        isinstance(value, str)
        and value.startswith(sign)
        and len(value) <= LONGEST_ID
        and value.isprintable()
        and " " not in value
    )


def dict_of(value: Json, name: str) -> Json:
    """Return the JSON object under `name`, {} where there is none."""
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def text_of(value: Json, name: str) -> str:
    """Return the text under `name`, "" where there is none."""
    part = value.get(name)
    return part if isinstance(part, str) else ""


def listed(value: Json, name: str) -> list[Json]:
    """Return the JSON objects in the list under `name`."""
    part = value.get(name)
    return [one for one in part if isinstance(one, dict)] if isinstance(part, list) else []


def strings_of(value: Json, name: str) -> Iterable[str]:
    """Return the texts in the list under `name`."""
    part = value.get(name)
    return [one for one in part if isinstance(one, str)] if isinstance(part, list) else []


def dicts_in(value: Json, name: str) -> Iterator[tuple[str, Json]]:
    """Yield what stands under `name` by id: rooms."""
    for key, part in dict_of(value, name).items():
        if isinstance(part, dict):
            yield key, part


def events_of(value: Json, name: str) -> list[Json]:
    """Return the events of a section."""
    return listed(dict_of(value, name), "events")
