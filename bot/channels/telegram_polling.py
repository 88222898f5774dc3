"""Long polling: updates are asked for, handed on, and confirmed only when they are kept.

Owns the offset, waiting after what went wrong, waiting for the rest of an album or a cut text, and a webhook that stands in the
way. Leaves to its `take` what updates say, and to `telegram_gather` which belong together. An update is confirmed by the next
getUpdates, whose offset lies past it; so the offset is moved only after `take` returned.

    await Poller(api, take).run()

Source: https://core.telegram.org/bots/api#getupdates
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from telegram.error import TelegramError

from bot import lazy
from bot.channels.backoff import SLACK_S, Backoff
from bot.channels.telegram_errors import is_wrong_token
from bot.channels.telegram_gather import Update, bundles
from bot.channels.telegram_incoming import ALLOWED_UPDATES
from bot.channels.telegram_request import ANSWER_S, READ_S, RefusedError, TooLongError
from bot.errors import StoreError

Take = Callable[[Sequence[Update]], Awaitable[None]]
"""Keeps updates that are one thing said; raises StoreError where they must come again."""

POLL_S = 30
_CONFLICT = 409
_HASTE_S = 0.02
"""An answer without anything new that comes sooner is not a long poll's: the next one is not asked for at once."""
TAKEN_WITHIN_S = 120.0
"""A commit waits for a busy disk or database; beyond that the loop is stuck."""
SETTLE_S = 0.4
"""How long one waits for the rest of an album or of a cut text, each time that more of it came."""
MOST_SETTLES = 5
MOST_UPDATES = 2**53
"""Numbers are smaller, whoever counts them: JSON carries no larger one. Telegram's have 32 bits and begin somewhere past 0; a server
of one's own may count from 0, or in milliseconds."""
FAR = 1_000_000
"""A number so far past the others is believed once it comes twice: an offset past one that is made up would confirm what has yet to
come. Telegram itself jumps only where nothing came for a week. Source: https://core.telegram.org/bots/api#update (update_id)"""
AT_ONCE = 100
"""Updates in one answer, as Telegram has it; fewer are asked for where these are too long to be read."""
_FIRST_NUMBER = lazy.compile(rb'"update_id"\s*:\s*(\d{1,16})\b')
_log = logging.getLogger(__name__)


class Api(Protocol):
    """A call whose answer is taken as JSON has it."""

    async def call(self, method: str, *, read_s: float = ..., **parameters: str | int | list[str]) -> object:
        """Return the `result`. Raises TelegramError."""
        ...


class Poller:
    """Asks for updates until it is cancelled."""

    def __init__(
        self,
        api: Api,
        take: Take,
        *,
        poll_s: int = POLL_S,
        read_s: float = READ_S,
        backoff: Backoff | None = None,
        kept_out: Callable[[Update], None] = lambda _update: None,
    ) -> None:
        """Take whom to ask, to whom to hand updates, how long an empty poll may last, and how much longer its answer may take.

        `kept_out` is told of what waits behind an update that could not be kept.
        """
        self._api = api
        self._take = take
        self._poll_s = poll_s
        self._read_s = poll_s + read_s
        self._backoff = backoff or Backoff()
        self._kept_out = kept_out
        self._offset: int | None = None
        self._far: set[int] = set()
        self._most = AT_ONCE
        self._troubled = False

    async def run(self) -> None:
        """Poll until the token is valid no more, or cancelled; all else is waited out."""
        while True:
            try:
                await self._poll()
            except RefusedError as error:
                if is_wrong_token(error):
                    return
                await self._refused(error)
            except TelegramError as error:
                self._tell("Telegram cannot be reached (%s); trying again until it can be.", error.message)
                await self._backoff.wait()
            except StoreError as error:
                self._tell("An update could not be kept (%s); it is asked for again.", error)
                await self._backoff.wait()
            else:
                self._well()

    async def _poll(self) -> None:
        clock = asyncio.get_running_loop().time
        asked = clock()
        updates = await self._ask(self._poll_s)
        news = any(self._offset is None or number >= self._offset for number in updates)
        if not news and clock() - asked < _HASTE_S:
            await asyncio.sleep(_HASTE_S)
        await self._hand_on(updates)

    async def _ask(self, poll_s: int) -> dict[int, Update]:
        """Return the updates that wait, by number, in their order."""
        parameters = {} if self._offset is None else {"offset": self._offset}
        parameters |= {} if self._most == AT_ONCE else {"limit": self._most}
        self._backoff.pulse.due(self._read_s + ANSWER_S + SLACK_S)
        try:
            told = await self._api.call(
                "getUpdates", read_s=self._read_s, timeout=poll_s, allowed_updates=list(ALLOWED_UPDATES), **parameters
            )
        except TooLongError as error:
            self._shorten(error)
            return {}
        self._most = AT_ONCE
        self._backoff.pulse.reached()
        if not isinstance(told, list):
            _log.warning("getUpdates answered with no list; it is asked again.")
            return {}
        updates: dict[int, Update] = {}
        for update in told:
            number = update.get("update_id") if isinstance(update, dict) else None
            if isinstance(number, int) and not isinstance(number, bool) and 0 <= number < MOST_UPDATES:
                updates[number] = max(updates.get(number, {}), update, key=len)  # told twice: where it says more
            else:
                _log.warning("An update without a number was left out.")
        return self._believed(dict(sorted(updates.items())))

    def _believed(self, updates: dict[int, Update]) -> dict[int, Update]:
        """Return the updates without those of a number far past the others that was not there at the last look."""
        begin = min(updates, default=0) if self._offset is None else self._offset
        far = {number for number in updates if number >= begin + FAR}
        new, self._far = far - self._far, far
        return {number: update for number, update in updates.items() if number not in new}

    def _shorten(self, error: TooLongError) -> None:
        """Ask for fewer; leave out a single update that is too long to be read, where it says its number. Raises TooLongError."""
        if self._most > 1:
            self._most //= 10
            return
        found = _FIRST_NUMBER.search(error.head)
        if found is None or not (self._offset or 0) <= int(found[1]) < MOST_UPDATES:
            raise error
        _log.warning("Update %s is too long to be read and is left out.", int(found[1]))
        self._offset = int(found[1]) + 1

    async def _hand_on(self, updates: dict[int, Update]) -> None:
        """Have the updates taken; before an album or a cut text is, the rest of it is waited for. Other chats do not wait."""
        left, settles = dict(updates), MOST_SETTLES
        while left:
            found = bundles(list(left.values()))
            held = {bundle.chat for bundle in found if bundle.open} if settles else set()
            for bundle in found:
                if bundle.chat is None or bundle.chat not in held:
                    self._backoff.pulse.due(TAKEN_WITHIN_S)
                    await self._taken(bundle.updates, behind=left)
                    left = {number: update for number, update in left.items() if update not in bundle.updates}
                    self._offset = min(left) if left else max(updates) + 1
            if left:
                await self._backoff.pause(SETTLE_S)
                more = {number: update for number, update in (await self._ask(0)).items() if number not in updates}
                settles = settles - 1 if _joins(more, left) else 0
                updates |= more
                left |= more

    async def _taken(self, updates: Sequence[Update], *, behind: Mapping[int, Update]) -> None:
        try:
            await self._take(updates)
        except StoreError:
            for update in behind.values():
                if update not in updates:
                    self._kept_out(update)
            raise

    async def _refused(self, error: RefusedError) -> None:
        if error.code == _CONFLICT and error.says("webhook"):
            self._tell(
                "A webhook is set for this bot (%s); it is deleted, because long polling is configured.", error.description
            )
            await self._delete_webhook()
        elif error.code == _CONFLICT:
            self._tell(
                "Another program polls with this bot's token (%s). Stop it, or give this bot a token of its own.",
                error.description,
            )
        else:
            self._tell("Telegram refused the poll (%s); trying again.", error.description)
        await self._backoff.wait(error.retry_after_s)

    async def _delete_webhook(self) -> None:
        try:
            await self._api.call("deleteWebhook")
        except TelegramError as error:
            _log.warning("The webhook could not be deleted (%s).", error.message)

    def _tell(self, sentence: str, reason: object) -> None:
        """Log the first failure of a row as a warning, those after it for who looks closely."""
        _log.log(logging.DEBUG if self._troubled else logging.WARNING, sentence, reason)
        self._troubled = True

    def _well(self) -> None:
        if self._backoff.succeeded():
            _log.warning("Telegram is reached again.")
        self._troubled = False


def _joins(more: Mapping[int, Update], left: Mapping[int, Update]) -> bool:
    """Say whether `more` holds further parts of what is `left`."""
    early, late = list(left.values()), list(more.values())
    return any(bundle.updates[0] in early and bundle.updates[-1] in late for bundle in bundles([*early, *late]))
