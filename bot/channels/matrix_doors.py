"""How the bot comes into rooms: invitations that it follows or declines, what it says there, rooms that are replaced by a newer one.

Owns who may invite. Leaves to `bot.front_door` who may talk, and what is said of that.

    doors = Doors(intake, wire, rooms, signs, settings)
    doors.told(sync)

Sources: https://spec.matrix.org/v1.11/client-server-api/#room-membership, https://spec.matrix.org/v1.11/client-server-api/#room-upgrades
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import suppress
from fnmatch import fnmatchcase
from typing import Final

from bot.channels.channel import Intake
from bot.channels.matrix_rooms import Json, Rooms, dict_of, dicts_in, events_of, is_id, listed, text_of
from bot.channels.matrix_signs import Signs
from bot.channels.matrix_wire import RefusedError, Wire, path
from bot.config import MatrixSettings
from bot.errors import ChannelError, RetryLaterError, StoreError
from bot.locale import phrases
from bot.logs import Logger

_ = phrases(__file__)
log = Logger(__name__)

TRIES: Final = 6
FIRST_WAIT_S: Final = 1.0
JOIN_S: Final = 90.0
"""A homeserver that joins a room elsewhere may take that long."""
MOST_AT_ONCE: Final = 4
MOST_INVITED: Final = 128
"""Invitations that are answered at a time: a flood of them leaves room for the signs beside the answers."""


class Doors:
    """The doors of one account."""

    def __init__(self, intake: Intake, wire: Wire, rooms: Rooms, signs: Signs, settings: MatrixSettings) -> None:
        """Follow the invitations of those whom the settings name."""
        self._intake = intake
        self._wire = wire
        self._rooms = rooms
        self._signs = signs
        self._settings = settings
        self._at_it: set[str] = set()
        self._at_once = asyncio.Semaphore(MOST_AT_ONCE)
        self._by: dict[str, str] = {}
        self.admins: Collection[str] = ()

    def may_invite(self, person: str) -> bool:
        """Say whether an invitation by `person` is followed."""
        settings = self._settings
        if person in self.admins or person in settings.allowed_users:
            return True
        whose = settings.invite_from or (f"*:{_literal(self._rooms.me.server)}",)
        return any(fnmatchcase(person, one) for one in whose)

    def told(self, sync: Json, *, beside: bool = True) -> None:
        """Take in a sync's invitations, and the rooms that were replaced; nothing waits for what follows from them."""
        rooms = dict_of(sync, "rooms")
        for room, invited in dicts_in(rooms, "invite"):
            by = self._inviter(events_of(invited, "invite_state"))
            if is_id(room, "!") and is_id(by, "@") and room not in self._at_it:
                self._invited(room, by)
        for room, joined in dicts_in(rooms, "join"):
            for event in (*events_of(joined, "state"), *listed(dict_of(joined, "timeline"), "events")):
                if event.get("type") == "m.room.tombstone" and event.get("state_key") == "" and beside:
                    self._signs.beside(lambda room=room, event=event: self._replaced(room, event))  # type: ignore[misc]

    async def came(self, room: str) -> None:
        """Say hello in a room that has just become a group of the bot's, or take over what was kept of the one that it replaces."""
        former = self._rooms.of(room).moved_from
        if former and self._rooms.of(former).moved_to == room:
            await self._moved(former, room)
            return
        if other := await self._rooms.other(room):
            await self._rooms.is_direct(room, other)
            return
        group = self._rooms.group(room)
        language = await self._intake.language(group, "", "")
        greeting = _(
            "Hello! I am Paring. Here I answer who mentions me or replies to me; `!help` shows what I can do. "
            "I read nothing else, unless somebody writes `!index on`."
        )
        known = self._rooms.of(room)
        by, known.alone_with = self._by.pop(room, "") or known.alone_with, ""
        said = await self._intake.joined(group, by, language)
        self._signs.say((said or greeting.to(language)).replace("`", ""), group)

    def _invited(self, room: str, by: str) -> None:
        if len(self._at_it) >= MOST_INVITED or not self._signs.beside(lambda: self._answered(room, by)):
            log.warning("an invitation was left: too many came at once", by=by)
            return
        self._at_it.add(room)
        if self.may_invite(by):
            self._by[room] = by

    def _inviter(self, events: list[Json]) -> str:
        me = self._rooms.me.user
        for event in events:
            if event.get("type") == "m.room.member" and event.get("state_key") == me:
                return text_of(event, "sender") if text_of(dict_of(event, "content"), "membership") == "invite" else ""
        return ""

    async def _answered(self, room: str, by: str) -> None:
        try:
            if not self.may_invite(by):
                log.info("an invitation was declined: who sent it may not invite the bot", by=by)
                await self._persistently("leave", room)
                return
            await self._persistently("join", room)
        except RefusedError as error:
            log.warning("an invitation could not be followed", room=room, why=str(error))
            self._by.pop(room, None)
            with suppress(ChannelError):
                await self._wire.call("POST", path("v3", "rooms", room, "leave"), said={})
        finally:
            self._at_it.discard(room)

    async def _persistently(self, what: str, room: str, *, via: str = "") -> None:
        """Join or leave, also where the homeserver is slow or asks to wait. Raises ChannelError."""
        wait_s = FIRST_WAIT_S
        async with self._at_once:
            for left in reversed(range(TRIES)):
                try:
                    where = path("v3", "join", room) if via else path("v3", "rooms", room, what)
                    query = {"server_name": via} if via else None
                    await self._wire.call("POST", where, said={}, query=query, within_s=JOIN_S, wait_for="join")
                except RetryLaterError as error:
                    if not left:
                        raise
                    await asyncio.sleep(max(error.retry_after_s, wait_s))
                    wait_s *= 2
                else:
                    return

    async def _replaced(self, room: str, event: Json) -> None:
        """Go where the room went."""
        new = text_of(dict_of(event, "content"), "replacement_room")
        if not is_id(new, "!") or new == room:
            return
        if self._rooms.is_in(new):
            await self._moved(room, new)
            return
        with suppress(RefusedError):  # it lets in nobody yet: an invitation may come
            await self._persistently("join", new, via=text_of(event, "sender").partition(":")[2])

    async def _moved(self, old: str, new: str) -> None:
        """Take along what was kept of the old room, where the new one says itself that it follows it."""
        if self._rooms.of(new).moved_from != old:
            log.warning("a room names another that does not follow it; nothing is taken along", room=old)
            return
        try:
            await self._intake.moved(self._rooms.group(old), self._rooms.group(new))
        except StoreError as error:
            log.warning("what was kept of a room could not be taken along to the one that follows it", why=str(error))


def _literal(server: str) -> str:
    """Return a server's name as a pattern of itself alone."""
    return server.replace("[", "[[]")
