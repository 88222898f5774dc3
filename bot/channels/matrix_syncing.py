"""What a Matrix homeserver says came: asked until it says it, ever later.

Owns how much of it is asked for, and what follows where the homeserver does not know any more how far the bot has read: the rooms' state
is taken, what was said is not. Leaves what is done with it to `matrix_taking`.

    syncing = Syncing(wire, backoff)
    state = await syncing.state()
    sync = await syncing.since(text_of(state, "next_batch"))

Source: https://spec.matrix.org/v1.11/client-server-api/#syncing
"""

from __future__ import annotations

import json
from typing import Final

from bot.channels.backoff import SLACK_S, Backoff
from bot.channels.incoming import clean_text
from bot.channels.matrix_rooms import Json, dict_of, dicts_in, events_of, text_of
from bot.channels.matrix_wire import RefusedError, UnknownTokenError, Wire, unreached
from bot.errors import ChannelError, RetryLaterError
from bot.logs import Logger

log = Logger(__name__)

SYNC_MS: Final = 30_000
SYNC_S: Final = 90.0
"""A homeserver that has much to tell may take longer than it was asked to wait."""
STATE_S: Final = 600.0


def _filter(events: int) -> str:
    """Return what is asked for: of each room its state, members as they speak, and so many events."""
    lazy, nothing = {"lazy_load_members": True}, {"not_types": ["*"]}
    room = {"timeline": {"limit": events, **lazy}, "state": lazy, "ephemeral": nothing, "account_data": nothing}
    return json.dumps({"presence": nothing, "account_data": {"types": ["m.direct"]}, "room": room})


_STATE: Final = _filter(1)
_SINCE: Final = _filter(50)


class Syncing:
    """Asks over one login's line."""

    def __init__(self, wire: Wire, backoff: Backoff) -> None:
        """Ask over `wire`, and after a failure when `backoff` says so."""
        self._wire = wire
        self._backoff = backoff

    async def state(self) -> Json:
        """Return the state of all rooms, and the position that it is told up to. Raises UnknownTokenError."""
        self._backoff.pulse.due(STATE_S + SLACK_S)
        return await self._asked({"filter": _STATE, "timeout": "0"}, STATE_S)

    async def since(self, position: str) -> Json:
        """Return what came since `position`, once anything did, or after half a minute. Raises UnknownTokenError."""
        self._backoff.pulse.due(SYNC_S + SLACK_S)
        return await self._asked({"filter": _SINCE, "timeout": str(SYNC_MS), "since": position}, SYNC_S)

    async def _asked(self, query: dict[str, str], within_s: float) -> Json:
        """Return what the homeserver tells, once it does. Raises UnknownTokenError."""
        said = ""
        while True:
            try:
                sync = await self._wire.call("GET", "/v3/sync", query=query, within_s=within_s, wait_for="sync")
                position = text_of(sync, "next_batch")
                if not position or clean_text(position) != position:  # no database takes it
                    raise unreached()
            except UnknownTokenError:
                raise
            except RefusedError as error:
                if "since" in query and error.code in {"M_UNKNOWN", "M_INVALID_PARAM", "M_UNKNOWN_POS"}:
                    log.error("the homeserver does not know how far the bot has read; it goes on from now", why=str(error))
                    return _unsaid(await self._asked({"filter": _STATE, "timeout": "0"}, STATE_S))
                failed: ChannelError = error
            except ChannelError as error:
                failed = error
            else:
                self._backoff.succeeded()
                self._backoff.pulse.reached()
                return sync
            if str(failed) != said:
                log.warning("the Matrix homeserver does not say what came; it is asked again, ever later", why=str(failed))
            said = str(failed)
            self._backoff.pulse.lost()
            await self._backoff.wait(failed.retry_after_s if isinstance(failed, RetryLaterError) else 0.0)


def _unsaid(told: Json) -> Json:
    """Return a sync's answer without what was said in the rooms; what changed the state of one is kept as its state."""
    rooms = dict_of(told, "rooms")
    joined = {
        room: {**one, "state": {"events": [*events_of(one, "state"), *_changes(one)]}, "timeline": {}}
        for room, one in dicts_in(rooms, "join")
    }
    return {**told, "rooms": {**rooms, "join": joined}}


def _changes(joined: Json) -> list[Json]:
    return [event for event in events_of(joined, "timeline") if "state_key" in event]
