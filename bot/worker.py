"""The loop: inbox -> dispatch -> outbox. Every message ends in a reply or a told error, whatever a skill does.

Owns: what is told when a skill fails or is stopped, and that an answer is written once it is there. Leaves to `bot.dispatch` who
answers, to `bot.attempts` that it is tried again, to `bot.fetching` the files, to `bot.company` typing and the status message, to
`bot.feed` what comes when, to `bot.delivery` how it gets out.

    worker = Worker(inbox, dispatcher, blobs, channels, limits=limits, replied=delivery.hand)
    worker.hand(waiting)      # once it is committed
    await worker.run()        # until cancelled
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.attempts import Attempts, BrokenError, fault
from bot.channels.channel import Channel
from bot.company import Company
from bot.config import MEBIBYTE
from bot.delivery import places
from bot.errors import ParingError, StoreError
from bot.feed import Ended, Feed, Turn
from bot.fetching import Files
from bot.locale import Text, phrases
from bot.logs import Logger
from bot.meanwhile import telling
from bot.message import Address, Message, Reply
from bot.models.shadow import asked_by
from bot.refusing import is_refusal, noting
from bot.roles import person_of
from bot.store.inbox import TAKEN_BACK, Inbox, Waiting
from bot.store.refused import RefusedFiles
from bot.suspects import MOST_ATTEMPTS, Suspects
from bot.turns import Turns

if TYPE_CHECKING:
    from bot.config import LimitSettings
    from bot.dispatch import Dispatcher
    from bot.quota import Quotas
    from bot.route import Route
    from bot.store.blobs import BlobStore
    from bot.store.moving import Moves
    from bot.store.outbox import Parcel

_ = phrases(__file__)
log = Logger(__name__)

CHATS_AT_ONCE = 64
"""More than are worked on side by side: whoever asks for little does not wait behind many who ask for much."""
OF_ONE = 4
"""As many of one person's messages, in all their chats: nobody takes all the places."""
BESIDE = "\0admin"
"""What an admin orders may take minutes: in its chat it goes beside what others say there, not before it."""
REST_WITHIN_S = 0.8
"""How long one waits for the rest of what comes bit by bit, each time that more of it came."""
WITHDRAWN_WITHIN_S = 5.0
"""How long the work on what was taken back may take to end."""
_CHANGED = _("What I found was changed or deleted while I answered, again and again. Please ask once more.")
_STOPPED = _("Stopped, as you asked. Your message is kept; send it again whenever you like.")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is answered to a message, how it was routed, the status message that becomes the answer, and what went wrong."""

    message: Message
    replies: Sequence[Reply]
    route: Route | None = None
    placeholder: str = ""
    error: str = ""
    reference: str = ""
    refused: RefusedFiles | None = None
    """The files of which it says that they cannot be read, or are too large: they are kept no longer."""


class Worker:
    """Answers what the inbox holds for `channels`."""

    def __init__(  # noqa: PLR0913 - everything that is answered passes here
        self,
        inbox: Inbox,
        dispatcher: Dispatcher,
        blobs: BlobStore,
        channels: Mapping[str, Channel],
        *,
        limits: LimitSettings,
        replied: Callable[[Sequence[Parcel]], None],
        ended: Ended = list,
        is_through: Callable[[Address], bool] = lambda _to: True,
        moves: Moves | None = None,
        quotas: Quotas | None = None,
        take_up_sending: Callable[[], Awaitable[None]] | None = None,
        unnamed: Callable[[Collection[str]], Awaitable[None]] = lambda _blobs: _nothing(),
    ) -> None:
        """Work for `channels`, by name; give `replied` what is in the outbox; `ended(names)` are those leases whose bots live no more.

        `is_through(chat)` says whether the chat has what it was answered before; `moves` tells of chats that get another number while
        they are worked for, `quotas` what is too much of one person. `take_up_sending` queues the answers that bots left behind which live no
        more: they go before those to what waited behind them. `unnamed(blobs)` deletes those of some files that nothing names any more.
        """
        self._unnamed = unnamed
        self._inbox = inbox
        self._dispatcher = dispatcher
        self._attempts = Attempts(dispatcher, minutes=limits.answer_minutes)
        self._files = Files(blobs, channels, most_bytes=limits.file_mb * MEBIBYTE)
        self._channels = channels
        self._replied = replied
        self._ended = ended
        self._is_through = is_through
        self._moves = moves
        self._quotas = quotas
        self._feed = Feed[Waiting](inbox, self._take, at_once=CHATS_AT_ONCE, of_one=OF_ONE, weigh=_weight, first=take_up_sending)
        self._turns = Turns(inbox, channels, self._feed.queued, is_through=is_through)
        self._suspects = Suspects()
        self._begun: set[int] = set()
        self._unwritten: dict[int, _Outcome] = {}
        self._answering: dict[int, asyncio.Task[object]] = {}
        self._stopped: set[int] = set()
        self._withdrawn: dict[int, asyncio.Event] = {}
        """What was taken back while it was worked on; set once that is over."""

    def hand(self, waiting: Waiting) -> None:
        """Answer what was just committed."""
        at = waiting.message.address
        beside = BESIDE if self._dispatcher.takes_long(waiting.message) else ""
        self._feed.hand(
            waiting.id, (at.channel, at.account, at.chat + beside), waiting, who="" if beside else person_of(waiting.message)
        )

    def stop(self, number: int) -> bool:
        """End the work on a message, which is then told so; return False where it is not being worked on."""
        task = self._answering.get(number)
        if task is None:
            return False
        self._stopped.add(number)
        task.cancel()
        return True

    async def withdraw(self, number: int) -> None:
        """End the work on a message that its writer took back, and say nothing to it; return once that is over, or takes long."""
        if number not in self._answering:
            return
        over = self._withdrawn.setdefault(number, asyncio.Event())
        self.stop(number)
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), WITHDRAWN_WITHIN_S)

    def waiting(self, at: Address) -> tuple[int, int]:
        """Return how many messages wait in a chat, what is worked on among them, and how many in all."""
        return self._feed.waiting((at.channel, at.account, at.chat))

    async def run(self) -> None:
        """Work until cancelled; what is being worked on then waits as if it had not been begun."""
        self._suspects.begin()
        telling = asyncio.create_task(self._turns.run(), name="who waits")
        try:
            await self._feed.run(places(self._channels), ended=self._ended)
        finally:
            telling.cancel()
            try:
                await self._inbox.put_back(self._begun)
            except StoreError as error:
                log.warning("what was being worked on counts as begun", why=str(error))
            self._begun.clear()

    async def take_up(self) -> None:
        """Answer what bots left behind that live no more, before what comes from now on. Raises StoreError."""
        await self._feed.take_up()

    async def idle(self) -> None:
        """Return once everything that was handed over has been answered."""
        await self._feed.idle()

    async def finish(self, *, within_s: float) -> bool:
        """End what is being answered now; what waits is answered at the next start. False where some of it took longer."""
        return await self._feed.finish(within_s=within_s)

    async def _take(self, turn: Turn[Waiting]) -> float | None:
        """Answer one row; return in how many seconds it is to be called again. Raises StoreError: it is to be called again, too."""
        wait_s = await self._taken(turn)
        if wait_s is None:
            self._suspects.over(turn.id)
        return wait_s

    async def _taken(self, turn: Turn[Waiting]) -> float | None:
        turn.item = await self._read(turn)
        if turn.item is None:
            return None
        if wait_s := self._suspects.wait_s(turn.id, turn.item.attempts):
            return wait_s
        if turn.item.message.part_of and turn.item.id not in self._unwritten:
            parts = await self._inbox.parts(turn.item.message)
            if parts > turn.tries:
                turn.tries = parts
                return REST_WITHIN_S
            turn.item = await self._inbox.gather(turn.item.id)
            if turn.item is None:
                return None  # another part took it along
        await self.handle(turn.item)
        if self._moves is not None and self._has_moved(turn.item):  # while it was answered
            try:
                await self._moves.again(turn.item.message.address)
            except StoreError as error:
                log.error("what was written of a chat as it moved stays under its old number", inbox=turn.id, why=str(error))
        return None

    async def _read(self, turn: Turn[Waiting]) -> Waiting | None:
        """Return the row, None where it was forgotten meanwhile, or cannot be read and was set aside."""
        told = await self._turns.come(turn.id)
        if turn.item is not None and (told or self._has_moved(turn.item) or turn.item.message.version):
            turn.item = None  # the database holds it under the new number by now, or the status to be edited
        try:
            return turn.item or await self._inbox.one(turn.id)
        except LookupError:
            return None
        except ValueError as error:
            reference = secrets.token_hex(3)
            log.error("a message cannot be read and is set aside", reference=reference, inbox=turn.id, why=type(error).__name__)
            await self._inbox.set_aside(turn.id, "it cannot be read", reference=reference)
            return None

    def _has_moved(self, waiting: Waiting) -> bool:
        return self._moves is not None and self._moves.has_moved(waiting.message.address)

    async def handle(self, waiting: Waiting) -> None:
        """Answer one message; its replies are in the outbox when this returns.

        Raises:
            StoreError: the store failed. Called again, an answer that is there already is only written.
        """
        for left in reversed(range(MOST_ATTEMPTS)):
            outcome = self._unwritten.get(waiting.id)
            if outcome is None:
                outcome = self._unwritten[waiting.id] = await self._outcome(waiting)
            if await self._written(waiting, outcome):
                break
            waiting = replace(waiting, placeholder=outcome.placeholder)
            del self._unwritten[waiting.id]
            if not left:
                said = replace(_said(waiting, _CHANGED.to(waiting.message.language)), placeholder=waiting.placeholder)
                await self._write(waiting, said)
                break
        self._unwritten.pop(waiting.id, None)
        self._begun.discard(waiting.id)

    async def _written(self, waiting: Waiting, outcome: _Outcome) -> bool:
        """Write the answer, or that something broke; return False where it is to be made anew."""
        try:
            return await self._write(waiting, outcome)
        except StoreError:
            raise
        except Exception as error:  # what a skill put into its reply cannot be kept
            aside = _set_aside(waiting, f"its answer cannot be kept: {type(error).__name__}")
            log.exception("an answer could not be written", reference=aside.reference, inbox=waiting.id)
            outcome = self._unwritten[waiting.id] = replace(aside, placeholder=outcome.placeholder)
            return await self._write(waiting, outcome)

    async def _write(self, waiting: Waiting, outcome: _Outcome) -> bool:
        """Write the answer; return False where what it quotes has been edited or forgotten meanwhile, and nothing was written."""
        parcels = await self._inbox.finish(
            waiting.id, outcome.message, outcome.replies, route=outcome.route, edits=outcome.placeholder, error=outcome.error,
            reference=outcome.reference, refused=outcome.refused, then=self._replied,
        )  # fmt: skip
        if outcome.refused is not None and outcome.refused.gone:
            await self._let_go(outcome.refused.gone)
        return parcels is not None

    async def _let_go(self, refused: Collection[str]) -> None:
        """Delete the bytes of files that were refused; where the bot ends before, they go with what nothing names."""
        try:
            await self._unnamed(refused)
        except (OSError, StoreError) as error:
            log.warning("a file that was refused is not deleted yet; it goes with what nothing names", why=str(error))

    async def _outcome(self, waiting: Waiting) -> _Outcome:
        if waiting.attempts >= MOST_ATTEMPTS:
            aside = _set_aside(waiting, "it stopped the bot each time")
            log.error("a message is set aside", reference=aside.reference, inbox=waiting.id, why=aside.error)
            return replace(aside, placeholder=waiting.placeholder)
        if (too_much := await self._begin(waiting)) is not None:
            return too_much
        asked = waiting.message.addressed  # what was only overheard is worked on in silence
        channel = self._channels.get(waiting.message.address.channel) if asked else None
        company = Company(channel, self._inbox, waiting, is_through=self._is_through)
        company.begin()
        try:
            with telling(company.meanwhile), noting() as refused:
                outcome = await self._answered(waiting, company.tell)
                outcome = replace(outcome, refused=RefusedFiles(frozenset(refused))) if refused else outcome
        except ParingError as error:
            said = _said(waiting, error.text.markdown(waiting.message.language))
            outcome = replace(said, refused=RefusedFiles() if is_refusal(error) else None)
        except Exception as error:  # the loop must outlive any skill
            outcome = _set_aside(waiting, fault(error.__cause__ if isinstance(error, BrokenError) else error))
            log.exception("a message could not be answered and is set aside", reference=outcome.reference, inbox=waiting.id)
        finally:
            await company.end()
            if over := self._withdrawn.pop(waiting.id, None):
                over.set()
        if over:
            outcome = (
                _said(waiting, TAKEN_BACK.to(waiting.message.language)) if company.placeholder else _Outcome(waiting.message, [])
            )
        return replace(outcome, placeholder=company.placeholder)

    async def _begin(self, waiting: Waiting) -> _Outcome | None:
        """Write that it is being worked on, once in the life of the bot however often it is made anew.

        Return what is told instead where the person or the group asks for too much, which may be nothing.
        """
        if waiting.id in self._begun:
            return None
        self._begun.add(waiting.id)
        try:
            said = await self._counted(waiting)
        except LookupError:  # forgotten while it waited
            said = ""
        except StoreError:
            self._begun.discard(waiting.id)
            raise
        if said is None:
            return None
        self._begun.discard(waiting.id)
        return _said(waiting, said) if said else _Outcome(waiting.message, [])

    async def _counted(self, waiting: Waiting) -> str | None:
        """Count it and write that it is begun, in one transaction; return what its person is told where it is too much, "" for nothing."""
        if self._quotas is None or waiting.counted:
            await self._inbox.start(waiting.id)
            return None
        free = self._dispatcher.is_of_the_house(waiting.message)
        return await self._quotas.refused(waiting.message, free=free, begins=self._inbox.starting(waiting.id))

    async def _answered(self, waiting: Waiting, tell: Callable[[Text], Awaitable[None]]) -> _Outcome:
        """Return the skill's answer, or that it was stopped by the one who asked."""
        task = asyncio.current_task()
        if task is not None:
            self._answering[waiting.id] = task
        try:
            message = waiting.message
            if message.addressed and self._dispatcher.wants_files(message):  # files not sent to the bot are none of its business
                message = await self._fetched(waiting.id, message)
            with asked_by(message):
                answer = await self._attempts.answer(message, tell, number=waiting.id)
        except asyncio.CancelledError:
            if waiting.id not in self._stopped:
                raise
            if task is not None:
                task.uncancel()
            if waiting.id in self._withdrawn:
                return _Outcome(waiting.message, [])
            return _said(waiting, _STOPPED.to(waiting.message.language))
        finally:
            self._answering.pop(waiting.id, None)
            self._stopped.discard(waiting.id)
        replies = [replace(reply, reply_to=reply.reply_to or message.id) for reply in answer.replies]
        return _Outcome(message, replies, answer.route)

    async def _fetched(self, number: int, message: Message) -> Message:
        """Return `message` with its files in the blob store, kept so in the inbox."""
        fetched = await self._files.of(message)
        if fetched != message:
            await self._inbox.rewrite(number, fetched)
        return fetched


async def _nothing() -> None:
    """Delete nothing."""


def _said(waiting: Waiting, sentence: str) -> _Outcome:
    """Return the sentence as the answer; nobody is told anything of what was only overheard."""
    message = waiting.message
    if not message.addressed:
        return _Outcome(message, [], error=sentence)
    return _Outcome(message, [Reply(sentence, message.language, reply_to=message.id)])


def _set_aside(waiting: Waiting, why: str) -> _Outcome:
    """Return what is told of a message that is kept for an admin to see, under a reference of its own."""
    reference = secrets.token_hex(3)
    said = _("I could not work on this (ref {reference}); it is kept. Please tell the admin.", reference=reference)
    return replace(_said(waiting, said.to(waiting.message.language)), error=why, reference=reference)


def _weight(waiting: Waiting) -> int:
    quoted = waiting.message.reply_to
    return len(waiting.message.text) + (len(quoted.text) if quoted else 0)
