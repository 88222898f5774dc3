"""What was said in a Matrix room before the bot came, and who has power in one.

Owns which rooms have a past for all: not encrypted ones, nor those that keep their past from who comes later. Leaves what is said to
`matrix_incoming`, pace and consent to `bot.pasts`.

    past = await page(wire, rooms, "!r:example.org", before)
    await power(wire, me, "!admins:example.org", "@ann:example.org")     # "power 100 in the admins' room", "" for too little

An edit stands with what it replaces (the homeserver bundles it); what was redacted is empty, and left out.

Sources: https://spec.matrix.org/latest/client-server-api/#get_matrixclientv3roomsroomidmessages,
https://spec.matrix.org/latest/client-server-api/#mroompower_levels
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from bot.channels.channel import Past
from bot.channels.matrix_account import Me
from bot.channels.matrix_incoming import of_message, relation, sent_at
from bot.channels.matrix_rooms import Json, Rooms, dict_of, listed, strings_of, text_of
from bot.channels.matrix_wire import RefusedError, Wire, path
from bot.errors import ChannelError, GoneError
from bot.locale import phrases
from bot.message import Message

_ = phrases(__file__)

PAUSE_S: Final = 1.0
A_PAGE: Final = "100"
MODERATOR: Final = 50
"""Who may redact others' messages and put people out, where a room does not say otherwise."""
CREATORS_SINCE: Final = 12
ROLE_WITHIN_S: Final = 3.0
_FILTER: Final = json.dumps({"types": ["m.room.message"], "lazy_load_members": True})
_FOR_ALL: Final = frozenset({"shared", "world_readable"})


async def page(wire: Wire, rooms: Rooms, room: str, before: str) -> Past:
    """Return the next page; see `HasHistory.history`."""
    if not rooms.is_in(room):
        raise GoneError(_("I am not in this room."))
    if rooms.of(room).encrypted:
        raise ChannelError(_("This room is encrypted: what was said before I came was encrypted for others."))
    if not before and await _visibility(wire, room) not in _FOR_ALL:
        raise ChannelError(_("This room keeps what was said from people who come later, so I read it to nobody."))
    query = {"dir": "b", "limit": A_PAGE, "filter": _FILTER, **({"from": before} if before else {})}
    told = await wire.call("GET", path("v3", "rooms", room, "messages"), query=query)
    end = text_of(told, "end")
    messages = [message for event in listed(told, "chunk") if (message := _said(event, rooms, room)) is not None]
    return Past(messages, end if end != before else "")


async def power(wire: Wire, me: Me, room: str, person: str) -> str:
    """Return what power somebody has in `room`, where that is a moderator's or more and they are in it now; "" else. Never raises."""
    if person.partition(":")[2] != me.server:
        return ""  # another homeserver says who they are
    try:
        async with asyncio.timeout(ROLE_WITHIN_S):
            inside = await wire.call("GET", path("v3", "rooms", room, "state", "m.room.member", person))
            levels = await wire.call("GET", path("v3", "rooms", room, "state", "m.room.power_levels", ""))
            begun = await wire.call("GET", path("v3", "rooms", room, "state", "m.room.create", ""), query={"format": "event"})
    except (ChannelError, TimeoutError):
        return ""
    if inside.get("membership") == "join" and person in _creators(begun):
        return "creator of the admins' room"
    level = dict_of(levels, "users").get(person)
    if inside.get("membership") != "join" or isinstance(level, bool) or not isinstance(level, int) or level < MODERATOR:
        return ""
    return f"power {level} in the admins' room"


def _creators(begun: Json) -> Collection[str]:
    """Return who made the room, where its version gives them all power, in the levels or not.

    Source: https://spec.matrix.org/latest/rooms/v12/
    """
    content = dict_of(begun, "content")
    version = text_of(content, "room_version")
    if not version.isdecimal() or int(version) < CREATORS_SINCE:
        return ()
    return {text_of(begun, "sender"), *strings_of(content, "additional_creators")}


async def _visibility(wire: Wire, room: str) -> str:
    try:
        told = await wire.call("GET", path("v3", "rooms", room, "state", "m.room.history_visibility", ""))
    except RefusedError:  # a room that never said: the specification's own default
        return "shared"
    return text_of(told, "history_visibility")


def _said(event: Json, rooms: Rooms, room: str) -> Message | None:
    content = dict_of(event, "content")
    about = relation(content)
    if about.replaces:
        return None  # it stands with what it replaces
    newer = dict_of(dict_of(dict_of(event, "unsigned"), "m.relations"), "m.replace")
    newest = dict_of(dict_of(newer, "content"), "m.new_content") if newer.get("sender") == event.get("sender") else {}
    whole = {**event, "content": newest or content}
    message = of_message(whole, rooms.me, rooms.group(room, about.thread))
    if message is None:
        return None
    version = int(sent_at(newer).timestamp()) if newest else 0
    return replace(message, version=version, sender_name=rooms.name(room, message.sender))
