r"""What a channel of plain lines needs only once: everything but the platform's own protocol.

    class Irc(TextChannel):
        async def connected(self) -> None: ...             # log in, `self.up()`, and hear(...) until the connection ends
        async def put(self, line: str, to: Address) -> None: ...    # send one line; return once the server took it

Owns: connecting again, hearing (what was read is committed, however long the store is away), commands and buttons by their numbers, mentions,
the look of a reply in lines of so many bytes, one line at a time with what went out remembered, the pace. Leaves to a subclass how it logs in,
what it reads and how a line leaves. A message is read once on such a platform: what is said while the bot is away is not told to it.
"""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.channels.backoff import SETTLED_S, SLACK_S, Backoff
from bot.channels.channel import Limits
from bot.channels.incoming import clean_text, pressed_number, typed_order
from bot.channels.pace import Pace
from bot.channels.plain_text import plain
from bot.channels.rich_split import size_bytes, split
from bot.channels.rich_text import Rich
from bot.errors import ChannelError, GoneError, RetryLaterError, StoreError
from bot.locale import Text, phrases
from bot.logs import Logger
from bot.message import Address, Attachment, Message, Press, Reply
from bot.recent import Recent

if TYPE_CHECKING:
    from bot.channels.channel import Intake
    from bot.channels.spec import ChannelKit
    from bot.passage import Scope
    from bot.skill import CommandSpec

_ = phrases(__file__)
log = Logger(__name__)

MOST_HEARD: Final = 1000
"""Messages that were read and are not committed yet; then no more are read."""
STORE_WAIT_S: Final = 1.0
FINISH_S: Final = 2.0
NO_LINE_RETRY_S: Final = 2.0
QUIET_S: Final = 120.0
"""How long a connection may be silent, if a subclass says `self.alive()` at least so often; then it is taken for dead."""
FULL_BYTES, CUT_S = 300, 0.3
"""From which size on a line may be one that a client cut, and how soon the next one follows then."""
MOST_BYTES: Final = 64 << 10
"""Of one message that is put together from such lines; what is over begins another."""
FIRST_ABSENT_S, LONGEST_ABSENT_S, KEPT_ABSENT_S = 2.0, 60.0, 24 * 3600.0
MOST_ABSENT: Final = 1000
_Out = Callable[[Sequence[str]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Heard:
    """A line that a person wrote."""

    address: Address
    sender: str
    text: str
    name: str = ""
    addressed: bool = True


class TextChannel(ABC):
    """Keeps `bot.channels.channel.Channel`, and sends part by part."""

    groups = True

    def __init__(
        self, kit: ChannelKit, *, account: str, line_bytes: int, pace: Pace | None = None, backoff: Backoff | None = None
    ) -> None:
        """Take the account's name (no slash in it) and how many bytes one line may have at the least."""
        self.name, self.account = kit.name, account
        self.post = f"{kit.name} {account}"
        self.limits = Limits(line_bytes, download_bytes=1, upload_bytes=1, edits=False, repeatable_sends=False)
        self._pace = pace or Pace(burst=1, every_s=0)
        self._backoff = backoff or Backoff()
        self.pulse = self._backoff.pulse
        self._up_at = 0.0
        self.begun = asyncio.Event()
        """Set while the bot is logged in."""
        self._heard: asyncio.Queue[Heard] = asyncio.Queue(MOST_HEARD)
        self._taking: asyncio.Task[None] | None = None
        self._intake: Intake | None = None
        self._orders: re.Pattern[str] | None = None
        self._absent: Recent[str, tuple[float, float]] = Recent(most=MOST_ABSENT)
        """Since when people are known to be away, and how long is waited next."""

    @abstractmethod
    async def connected(self) -> None:
        """Connect, log in, call `up()`, and `await hear(...)` what is said until the connection ends.

        Raises:
            OSError, EOFError, RetryLaterError: it ended, or never began; it is tried again, ever later.
            ChannelError: it can never be: a password that is wrong.
        """

    @abstractmethod
    async def put(self, line: str, to: Address) -> None:
        """Send a line; return once the server has it. Raises as `Channel.send`."""

    def room_bytes(self, to: Address) -> int:
        """Return how many bytes of text one line to this chat may have; always as many, for a reply goes on where it was cut before."""
        del to
        return self.limits.text_units

    async def is_in(self, person: str, group: str) -> bool | None:
        """Say whether `person` is in the group now, None where nobody knows: its passages are found in it alone. Raises ChannelError."""
        del person, group
        return None

    # ------------------------------------------------------------------ in

    async def run(self, intake: Intake) -> None:
        """Be connected until cancelled."""
        self._intake = intake
        self._taking = asyncio.create_task(self._take(intake), name=f"{self.name} takes")
        said = ""
        try:
            while True:
                try:
                    await self.connected()
                    why = "the connection ended"
                except (OSError, EOFError, TimeoutError, RetryLaterError) as error:
                    why = str(error) or type(error).__name__
                if self.begun.is_set() and time.monotonic() - self._up_at >= SETTLED_S:
                    self._backoff.succeeded()
                    said = ""
                self.begun.clear()
                self.pulse.lost()
                if why != said:
                    log.warning("not connected; it is tried again, ever later", channel=self.name, why=why)
                said = why
                await self._backoff.wait()
        finally:
            self.begun.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._heard.join(), FINISH_S)
            self._taking.cancel()

    def up(self) -> None:
        """Know that the bot is logged in."""
        self._up_at = time.monotonic()
        self.begun.set()
        self.alive()

    def alive(self) -> None:
        """Know that something came from the server."""
        self.pulse.reached()
        self.pulse.due(QUIET_S + SLACK_S)

    def not_in(self, group: str, why: str = "") -> None:
        """Log that the bot is not let into a group that the settings name."""
        log.warning("the bot is not let in", channel=self.name, group=group, why=why)

    def members_changed(self, group: str) -> None:
        """Know that somebody came to the group or left it: who may read what is asked anew."""
        if self._intake is not None:
            self._intake.members_changed(Address(self.name, self.account, group, kind="group"))

    async def hear(self, heard: Heard) -> None:
        """Have what was said committed; returns at once while less than MOST_HEARD wait for it."""
        if self._taking is not None and self._taking.done():
            self._taking.result()
        for name in (heard.sender, heard.address.chat):
            self._absent.pop(name, None)
        await self._heard.put(heard)

    async def _take(self, intake: Intake) -> None:
        following: Heard | None = None
        while True:
            heard, following = await self._whole(following or await self._heard.get())
            note = await self._committed(heard, intake)
            if note:
                with suppress(ChannelError):  # a note is for the moment alone
                    for line in self._lines(self._typed(note), heard.address):
                        await self._pace.turn()
                        await self.put(line, heard.address)
            self._heard.task_done()

    async def _whole(self, heard: Heard) -> tuple[Heard, Heard | None]:
        """Return what was said with the lines into which a client cut it, which follow at once on a full one; and what came after it."""
        last = heard
        while size_bytes(last.text) >= FULL_BYTES and size_bytes(heard.text) < MOST_BYTES:
            try:
                last = await asyncio.wait_for(self._heard.get(), CUT_S)
            except TimeoutError:
                break
            called_anew = last.addressed and last.address.kind == "group"
            if called_anew or (last.sender, last.address) != (heard.sender, heard.address):
                return heard, last
            heard = replace(heard, text=f"{heard.text} {last.text}")
            self._heard.task_done()
        return heard, None

    async def _committed(self, heard: Heard, intake: Intake) -> str:
        """Commit what was heard, however long the store is away: the platform tells nothing twice. Return what is said to it."""
        while True:
            try:
                return (await intake.accept(await self._item(heard, intake))).note
            except StoreError as error:
                log.error("the store failed; what was said is committed once it is back", channel=self.name, why=str(error))
                await asyncio.sleep(STORE_WAIT_S)

    async def _item(self, heard: Heard, intake: Intake) -> Message | Press:
        text = clean_text(heard.text).strip()
        language = await intake.language(heard.address, text, "")
        number, now, here = pressed_number(text) if heard.addressed else 0, datetime.now(UTC), uuid.uuid4().hex
        offered = await intake.offered(heard.address, heard.sender) if number else ()
        if 0 < number <= len(offered):
            return Press(heard.address, heard.sender, here, offered[number - 1].token, language, now)
        return Message(
            heard.address, heard.sender, f"{heard.name}/{here}", text, language, now, sender_name=heard.name,
            command=typed_order(text) if heard.addressed else None, addressed=heard.addressed,
        )  # fmt: skip

    # ------------------------------------------------------------------ out

    async def send(self, reply: Reply, to: Address, *, key: str) -> str:
        """Send `reply`; see the contract."""
        return await self.send_parts(reply, to, key=key, edits="", sent=(), went_out=_untold)

    async def edit(self, sent: str, reply: Reply, to: Address) -> str:
        """Send `reply`: what was said on such a platform cannot be changed."""
        await self.send(reply, to, key=sent)
        return sent

    async def send_parts(
        self, reply: Reply, to: Address, *, key: str, edits: str, sent: Sequence[str], went_out: _Out, in_doubt: bool = False
    ) -> str:  # fmt: skip
        """Send the lines after those in `sent`, one at a time; see `bot.delivery.PartByPart`."""
        del edits, in_doubt
        asker = f"{reply.reply_to.partition('/')[0]}: " if to.kind == "group" and "/" in reply.reply_to else ""
        parts = list(sent)
        for line in self._lines(f"{asker}{plain(replace(reply, text=self._typed(reply.text)))}", to)[len(parts) :]:
            if parts:
                await went_out(parts)
            await self._pace.turn()
            if not self.begun.is_set():
                sentence = _("{channel} cannot be reached. Nothing was sent; it is tried again by itself.", channel=self.name)
                raise RetryLaterError(sentence, retry_after_s=NO_LINE_RETRY_S)
            await self.put(line, to)
            self._absent.pop(to.chat, None)
            parts.append(f"{key}.{len(parts) + 1}")
        return parts[0] if parts else f"{key}.0"

    def _typed(self, text: str) -> str:
        """Return what the bot itself says with its orders as they are typed there."""
        return self._orders.sub("!", text) if self._orders is not None else text

    def _lines(self, text: str, to: Address) -> list[str]:
        """Return the lines as they leave, none of them empty, none over the limit, no letter cut."""
        room = self.room_bytes(to)
        lines = [Rich(line.rstrip()) for line in clean_text(text).split("\n")]
        return [
            part.text.rstrip()
            for line in lines
            if not line.blank
            for part in split(line, room, measure=size_bytes)
            if not part.blank
        ]

    def absent(self, to: Address, why: str) -> ChannelError:
        """Return what to raise where the person is not there just now: what waits for them is kept for a day, and tried ever later."""
        since, wait_s = self._absent.pop(to.chat, (time.monotonic(), FIRST_ABSENT_S))
        if time.monotonic() - since > KEPT_ABSENT_S:
            return gone(why)
        self._absent[to.chat] = since, min(2 * wait_s, LONGEST_ABSENT_S)
        return RetryLaterError(_unsaid(why), retry_after_s=wait_s)

    # ------------------------------------------------------------------ what such a platform does not have

    async def typing(self, to: Address) -> None:
        """Show nothing."""
        del to

    async def member(self, person: str, scope: Scope) -> bool | None:
        """Ask who is in the group; see the contract."""
        if scope.kind != "group" or not person:
            return False
        try:
            return await self.is_in(person, scope.chat)
        except ChannelError:
            return None

    async def workspace(self, chat: str) -> Scope | None:
        """Name none."""
        del chat
        return None

    async def fetch(self, attachment: Attachment, into: Path) -> None:
        """Raise ChannelError: no files come here."""
        del into
        raise ChannelError(_("{name} cannot be had: no files are sent in {channel}.", name=attachment.name, channel=self.name))

    async def publish_commands(self, commands: Sequence[CommandSpec], admin_commands: Sequence[CommandSpec]) -> None:
        """Know what is an order: an answer that tells of `/help` tells of `!help` here. There is no menu."""
        specs = [*commands, *admin_commands]
        names = {name for spec in specs for name in (spec.name, *spec.aliases)}
        self._orders = re.compile(rf"(?<![\w/.])/(?=(?:{'|'.join(map(re.escape, sorted(names)))})(?![\w/.-]))") if names else None


def called(text: str, name: str) -> str | None:
    """Return what is said to `name` in a group ("paring: hello", "@paring, hello", "hello @paring", "" for "paring:" alone), else None."""
    begins = re.match(rf"\s*@?{re.escape(name)}(?:\s*[:,]\s*|\s+(?=\S))", text, re.IGNORECASE)
    if begins:
        return text[begins.end() :]
    within = re.search(rf"(?<![\w@])@{re.escape(name)}(?![\w-])", text, re.IGNORECASE)
    return " ".join(f"{text[: within.start()]} {text[within.end() :]}".split()) if within else None


def gone(why: str) -> GoneError:
    """Return the error for a chat into which nothing can be said any more, in the platform's words."""
    return GoneError(_("Nothing can be said there any more: {reason}", reason=why))


def _unsaid(why: str) -> Text:
    return _("Nothing can be said there now: {reason}. It is tried again by itself.", reason=why)


async def _untold(_parts: Sequence[str]) -> None:
    """Remember nothing."""
