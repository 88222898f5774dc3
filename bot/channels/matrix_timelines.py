"""The timelines of Matrix's rooms, whole: what a sync leaves out of one is fetched back, and what was said before the bot came is cut off.

    events = await Timelines(wire, rooms).of(room, told, since, patient=True)     # oldest first

Source: https://spec.matrix.org/v1.11/client-server-api/#syncing
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.channels.matrix_rooms import Json, Rooms, dict_of, listed, text_of
from bot.channels.matrix_wire import Wire, asked, path
from bot.logs import Logger

log = Logger(__name__)

PAGE: Final = 200
MOST_FETCHED: Final = 10_000
"""Events of one room that are fetched back after a long absence; what is older is passed over, and the log says so."""
BEFORE_JOINING: Final = 200
"""Events of a room that the bot has just come to, among which its invitation is looked for: who invites it may have asked already."""
NO_EVENTS: Final[Sequence[Json]] = ()


class Timelines:
    """The timelines of one account's rooms."""

    def __init__(self, wire: Wire, rooms: Rooms) -> None:
        """Ask over `wire`."""
        self._wire = wire
        self._rooms = rooms

    async def of(self, room: str, told: Json, since: str, *, patient: bool) -> Sequence[Json]:
        """Return the room's events since `since`, oldest first, with those that the homeserver left out. Raises as `asked`."""
        timeline = dict_of(told, "timeline")
        events = listed(timeline, "events")
        before = text_of(timeline, "prev_batch")
        if any(self.comes(event) for event in events):
            earlier = (
                await asked(lambda: self._back(room, before, "", BEFORE_JOINING), NO_EVENTS, patient=patient) if before else []
            )
            return self._since_invited([*earlier, *events])
        if timeline.get("limited") is True and before:
            earlier = await asked(lambda: self._back(room, before, since, MOST_FETCHED), NO_EVENTS, patient=patient)
            if len(earlier) >= MOST_FETCHED:
                log.warning("more was said in a room than is fetched back; what is older is passed over", events=len(earlier))
            return [*earlier, *events]
        return events

    def comes(self, event: Json) -> bool:
        """Say whether it is the bot's own coming to a room."""
        before = dict_of(dict_of(event, "unsigned"), "prev_content")
        return self._is_mine(event, "join") and text_of(before, "membership") != "join"

    def _is_mine(self, event: Json, membership: str) -> bool:
        mine = event.get("type") == "m.room.member" and event.get("state_key") == self._rooms.me.user
        return mine and text_of(dict_of(event, "content"), "membership") == membership

    def _since_invited(self, events: Sequence[Json]) -> Sequence[Json]:
        """Return what was said since the bot was invited last, or else since it came."""
        came = max((place for place, event in enumerate(events) if self.comes(event)), default=0)
        invited = [place for place, event in enumerate(events[:came]) if self._is_mine(event, "invite")]
        return events[invited[-1] if invited else came :]

    async def _back(self, room: str, before: str, since: str, most: int) -> Sequence[Json]:
        """Return the room's events between `since` ("": its beginning) and `before`, at most so many, oldest first."""
        found: list[Json] = []
        while len(found) < most:
            query = {"dir": "b", "from": before, "limit": str(min(PAGE, most))} | ({"to": since} if since else {})
            told = await self._wire.call("GET", path("v3", "rooms", room, "messages"), query=query)
            page, end = listed(told, "chunk"), text_of(told, "end")
            found += page
            if not page or not end or end in {before, since}:
                break
            before = end
        return found[:most][::-1]
