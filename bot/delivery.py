"""The way out: outbox -> channel, in order within a chat, waiting where a platform asks to.

Owns: what is done about a send that fails, and about one whose fate is unknown. Leaves to the channel how it is sent, to
`bot.feed` what comes when.

    delivery = Delivery(outbox, {"telegram": channel})
    delivery.hand(parcels)     # once they are committed
    await delivery.run()       # until cancelled
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from bot.channels.again import sent_again
from bot.channels.channel import AmbiguousSendError, Channel, ChannelError, GoneError, LinksMessages, RetryLaterError
from bot.errors import StoreError
from bot.feed import Ended, Feed, Turn
from bot.locale import phrases
from bot.logs import Logger
from bot.store.dead import IN_DOUBT
from bot.store.outbox import Outbox, Parcel

if TYPE_CHECKING:
    from bot.message import Address, Reply

_ = phrases(__file__)
log = Logger(__name__)

MOST_ATTEMPTS = 8
CHATS_AT_ONCE = 32
LONGEST_WAIT_S = 300.0
LOOKED_FOR_AFTER_S = 1.0
"""A send whose answer was lost may be carried out a moment later: where it can be looked for, that is not done at once."""
SEND_WITHIN_S = 900.0
"""Longer than any channel's own limits (Telegram's: 600 s for a file): what goes on beyond is stuck."""

Write = Callable[[], Awaitable[None]]


@runtime_checkable
class PartByPart(Protocol):
    """A channel that splits long replies and can go on in the middle of one."""

    async def send_parts(
        self,
        reply: Reply,
        to: Address,
        *,
        key: str,
        edits: str,
        sent: Sequence[str],
        went_out: Callable[[Sequence[str]], Awaitable[None]],
        in_doubt: bool = False,
    ) -> str:
        """Send (into the message `edits`, where it is not "") what comes after the parts `sent`; return the id of the first part.

        `went_out` is awaited with the ids of all parts that went out, each time before a further one leaves. `in_doubt`: the next part may
        have been shown by an earlier try. Raises as `Channel.send`.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a try: what is to be written of it, and when it is to be tried again (None: never)."""

    write: Write
    wait_s: float | None = None


class Delivery:
    """Sends what the outbox holds for `channels`."""

    def __init__(self, outbox: Outbox, channels: Mapping[str, Channel], *, ended: Ended = list,
        heard: Callable[[str, BaseException | None], None] = lambda _channel, _error: None,
    ) -> None:  # fmt: skip
        """Deliver to `channels`, by name; `ended(names)` are those leases whose bots live no more.

        `heard` is told of each try to send: the channel's name, and the error where it failed.
        """
        self._outbox = outbox
        self._channels = channels
        self._ended = ended
        self._heard = heard
        self._feed = Feed[Parcel](outbox, self.take, at_once=CHATS_AT_ONCE, weigh=lambda parcel: len(parcel.reply.text))
        self._unwritten: dict[int, _Outcome] = {}
        self._waited: set[int] = set()

    def hand(self, parcels: Sequence[Parcel]) -> None:
        """Send what was just committed."""
        for parcel in parcels:
            to = parcel.to
            self._feed.hand(parcel.id, (to.channel, to.account, to.chat), parcel)

    def is_through(self, to: Address) -> bool:
        """Say whether the chat has all that was answered there before."""
        return (to.channel, to.account, to.chat) not in self._feed

    def waiting(self, to: Address) -> tuple[int, int]:
        """Return how many replies wait to be sent to the chat, and to all."""
        return self._feed.waiting((to.channel, to.account, to.chat))

    async def run(self) -> None:
        """Deliver until cancelled."""
        await self._feed.run(places(self._channels), ended=self._ended)

    async def take_up(self) -> None:
        """Send what bots left behind that live no more, before what comes from now on. Raises StoreError."""
        await self._feed.take_up()

    async def finish(self, *, within_s: float) -> bool:
        """Send what is ready; return False where some of it took longer than `within_s`."""
        return await self._feed.drain(within_s=within_s)

    async def take(self, turn: Turn[Parcel]) -> float | None:
        """Try to send one reply; return in how many seconds it is to be tried again, None where it is sent or dead.

        What came of a try is written before anything else is tried: a store that fails repeats no send.

        Raises:
            StoreError: it could not be written; call again.
        """
        outcome = self._unwritten.get(turn.id)
        if outcome is None:
            try:
                turn.item = await self._read(turn)
            except LookupError:
                self._waited.discard(turn.id)
                return None  # forgotten meanwhile
            except ValueError as error:
                log.error("a reply cannot be read and is set aside", outbox=turn.id, why=type(error).__name__)
                await self._outbox.dead(turn.id, "it cannot be read")
                return None
            outcome = self._unwritten[turn.id] = await self._tried(turn, turn.item)
        await outcome.write()
        del self._unwritten[turn.id]
        (self._waited.discard if outcome.wait_s is None else self._waited.add)(turn.id)
        return outcome.wait_s

    async def _read(self, turn: Turn[Parcel]) -> Parcel:
        """Return what is to be sent: what was handed over, but after a wait as it is by now, for it may have been forgotten meanwhile."""
        if turn.item is None or turn.id not in self._waited:
            return turn.item or await self._outbox.one(turn.id)
        return replace(turn.item, reply=(await self._outbox.one(turn.id)).reply)

    async def _tried(self, turn: Turn[Parcel], parcel: Parcel) -> _Outcome:
        """Try once. Being told to wait counts as no attempt: a platform that is away for long loses no reply."""
        early_s = _early_s(parcel)
        if early_s > 0:
            turn.item = replace(parcel, not_before=None)
            return _Outcome(_nothing, early_s)
        try:
            platform_id = await self._counted(turn, parcel)
        except RetryLaterError as error:
            wait_s = min(error.retry_after_s, LONGEST_WAIT_S)
            at = datetime.now(UTC) + timedelta(seconds=wait_s)
            doubtful = (turn.item or parcel).state == "ambiguous"
            return _Outcome(partial(self._outbox.later, parcel.id, at, str(error), doubtful=doubtful), wait_s)
        except AmbiguousSendError as error:
            turn.item = replace(turn.item or parcel, state="ambiguous")
            turn.tries += 1
            if turn.tries < MOST_ATTEMPTS:
                wait_s = min(4.0**turn.tries / 20, LONGEST_WAIT_S)  # ten minutes in all: a platform may be ill for that long
                if self._channels[parcel.to.channel].limits.finds_sent:
                    wait_s = max(wait_s, LOOKED_FOR_AFTER_S)
                return _Outcome(partial(self._outbox.ambiguous, parcel.id, str(error)), wait_s)
            return self._given_up(parcel, IN_DOUBT)
        except GoneError as error:
            return _Outcome(partial(self._unreachable, parcel, str(error)))
        except ChannelError as error:
            return self._given_up(parcel, str(error))
        return _Outcome(partial(self._outbox.sent, parcel.id, platform_id))

    async def _counted(self, turn: Turn[Parcel], parcel: Parcel) -> str:
        """Send, and tell who counts. Raises as `_send`."""
        try:
            platform_id = await self._send(turn, parcel)
        except ChannelError as error:
            self._heard(parcel.to.channel, error)
            raise
        self._heard(parcel.to.channel, None)
        return platform_id

    def _opening(self, reply: Reply) -> Reply:
        """Return the reply with sources that open what was said, where its platform has an address for it."""
        return replace(reply, sources=tuple(replace(one, link=self._address(one.link)) for one in reply.sources))

    def _address(self, link: str) -> str:
        scheme, _colon, path = link.partition(":")
        said_on = self._channels.get(path.partition("/")[0]) if scheme == "message" else None
        return (said_on.address_of(link) or link) if isinstance(said_on, LinksMessages) else link

    async def _unreachable(self, parcel: Parcel, why: str) -> None:
        """Give up a reply whose chat is closed to the bot; who asked for it in a group is told there."""
        said = _("I cannot write to you privately. Open a chat with me, press Start, and press the button once more.")
        if told := await self._outbox.unreachable(parcel.id, why, said=said.to):
            self.hand([told])

    def _given_up(self, parcel: Parcel, why: str) -> _Outcome:
        log.error("a reply could not be sent", outbox=parcel.id, channel=parcel.to.channel, why=why)
        return _Outcome(partial(self._outbox.dead, parcel.id, why))

    async def _send(self, turn: Turn[Parcel], parcel: Parcel) -> str:
        """Send; raise ChannelError where the channel broke: its mistake must not stop the other replies. Raises StoreError."""
        channel = self._channels[parcel.to.channel]
        repeatable, edited = channel.limits.repeatable_sends, bool(parcel.edits and not parcel.parts)
        if not repeatable and not edited:
            await self._outbox.sending(parcel.id)  # an edit that is repeated does no harm
        in_doubt = parcel.state == "ambiguous" and not repeatable
        try:
            reply = self._opening(parcel.reply)
            if in_doubt and not edited and not channel.limits.finds_sent:
                reply = sent_again(reply)
            async with asyncio.timeout(SEND_WITHIN_S):
                if isinstance(channel, PartByPart):
                    went_out = partial(self._went_out, turn)
                    return await channel.send_parts(
                        reply, parcel.to, key=str(parcel.id), edits=parcel.edits, sent=parcel.parts, went_out=went_out,
                        in_doubt=in_doubt,
                    )  # fmt: skip
                if parcel.edits:
                    return await channel.edit(parcel.edits, reply, parcel.to)
                return await channel.send(reply, parcel.to, key=str(parcel.id))
        except TimeoutError as error:
            log.error("a send did not end and was given up", outbox=parcel.id, channel=parcel.to.channel, after_s=SEND_WITHIN_S)
            raise AmbiguousSendError("the send did not end") from error
        except (ChannelError, StoreError):
            raise
        except Exception as error:
            log.exception("a channel broke on a reply", outbox=parcel.id, channel=parcel.to.channel)
            raise ChannelError("the channel broke") from error

    async def _went_out(self, turn: Turn[Parcel], parts: Sequence[str]) -> None:
        """Remember which parts went out: a next try goes on from there, also after a crash."""
        if turn.item is not None:
            turn.item = replace(turn.item, parts=tuple(parts))
        await self._outbox.went_out(turn.id, parts)


def places(channels: Mapping[str, Channel]) -> dict[str, str]:
    """Return the channels with the one chat that is served of each; a channel that serves one alone names it `only_chat`."""
    return {name: str(getattr(channel, "only_chat", "")) for name, channel in channels.items()}


def _early_s(parcel: Parcel) -> float:
    """Return how long a former life was told to wait; a clock that was put back makes it no longer than any wait."""
    return 0.0 if parcel.not_before is None else min((parcel.not_before - datetime.now(UTC)).total_seconds(), LONGEST_WAIT_S)


async def _nothing() -> None:
    """Write nothing: nothing was tried."""
