"""Sending to Telegram: one part after the other, with a way out where a part is refused, and nothing twice.

Owns what was already sent under a key, and the second tries: without entities, without a lost topic, as a file instead of a
photo. Leaves waiting to the outbox, looks to `telegram_outgoing`, and groups that got another number to `telegram_moving`.

A reply of several parts whose third is told to wait is taken up at its third when it is sent again with the same key, even
where a note was added at its end. This is kept in memory for the last KEPT keys, and told to the outbox part by part, so that
after a crash in the middle only the part is in doubt that was on its way: Telegram knows no key of ours.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from telegram import Bot, LinkPreviewOptions, Message, ReplyParameters
from telegram.error import TelegramError

from bot.channels.again import sent_again
from bot.channels.telegram_errors import flooded, repeatable, translated
from bot.channels.telegram_moving import Moves
from bot.channels.telegram_outgoing import Part, PhotoPart, TextPart, entities, keyboard, plain, render
from bot.channels.telegram_request import RefusedError
from bot.channels.telegram_typing import Typing
from bot.channels.waits import Waits
from bot.errors import ChannelError, GoneError, RetryLaterError
from bot.locale import phrases
from bot.message import Address, Reply
from bot.recent import Recent
from bot.skill import Blobs

_ = phrases(__file__)

KEPT = 4096
"""Keys whose progress is remembered."""
MAX_TRIES = 6
"""More than there are ways out."""
LONG_TEXT = 8_000
"""Code points from which rendering leaves the event loop."""
PHOTO_BYTES = 10_000_000
"""What a photo may have; a larger picture goes as a file. Source: https://core.telegram.org/bots/api#sendphoto"""
_BAD_REQUEST = 400
_NOT_FOUND = 404
_NOT_EDITABLE = ("message to edit not found", "message can't be edited", "message id invalid", "no text in the message to edit")
_NO_OTHER_FORM = ("empty", "too long", "not enough rights", "chat write forbidden", "restricted")
"""What is refused for what it says or where it goes: no other look of it helps."""
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
WentOut = Callable[[Sequence[str]], Awaitable[None]]
"""Told the messages of the parts that went out, each time before a further one leaves."""
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Progress:
    """What of one reply is sent: the ids of its parts' messages, in order. `content` tells replies under one key apart."""

    content: int
    sent: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a part is tried."""

    chat: int | str
    thread: int | None
    reply_to: int | None = None
    plain: bool = False
    bare: bool = False
    """Without what a server may not know: the preview's options, the message that is quoted."""
    mute: bool = False
    """Without buttons."""
    as_file: bool = False


class Sending:
    """Sends and edits replies over one bot."""

    def __init__(self, bot: Bot, blobs: Blobs, moves: Moves, waits: Waits) -> None:
        """Take the bot that sends, the store that holds pictures, groups that have another number, and chats that ask to wait."""
        self._bot = bot
        self._blobs = blobs
        self._waits = waits
        self._typing = Typing(bot, waits)
        self._progress: Recent[str, _Progress] = Recent(most=KEPT)
        self._shown: Recent[tuple[str, str], tuple[str, ...]] = Recent(most=KEPT)
        self.said: Recent[str, int] = Recent(most=KEPT)
        """How often something was sent to a chat or changed there, since the bot runs."""
        self.moves = moves

    def type(self, to: Address, *, hurry: bool = False) -> None:
        """Show "typing" there; returns at once. `hurry`: a message has only come in."""
        (self._typing.hurry if hurry else self._typing.show)(*self.way(to))

    async def finish(self, *, within_s: float) -> None:
        """Wait for what nobody waits for."""
        await self._typing.finish(within_s=within_s)

    async def send(
        self, reply: Reply, to: Address, key: str, *, sent: Sequence[str] = (), went_out: WentOut | None = None
    ) -> str:
        """Send what is not yet sent of `reply` under `key`; return the id of its first message. Raises as `Channel.send`.

        `sent` are the messages of the parts that went out in an earlier life; `went_out` is told of each but the last.
        """
        parts = await _rendered(reply)
        progress = self._taken_up(key, 0, sent)
        quoted = reply.reply_to if to.kind == "group" and self.moves.reaches(to.chat, reply.reply_to) else ""
        await self._send_rest(parts, progress, to, _whole(quoted), went_out)
        self._remember(to, progress.sent)
        return progress.sent[0]

    async def edit(
        self,
        message: str,
        reply: Reply,
        to: Address,
        *,
        sent: Sequence[str] = (),
        went_out: WentOut | None = None,
        in_doubt: bool = False,
    ) -> str:
        """Make `message` show the first part of `reply` and send the rest; return the id of the first message.

        A message that can be edited no more is left as it is and the reply sent anew. `sent` and `went_out` as in `send`.
        """
        parts = await _rendered(reply)
        key = f"edit {to.chat} {message}"
        progress = self._taken_up(key, hash(reply), sent)
        if not progress.sent:
            first = parts[0]
            if isinstance(first, TextPart) and await self._edit_text(message, first, to):
                progress.sent.append(message)
                if went_out is not None and len(parts) > 1:
                    await went_out(progress.sent)
            else:  # sent anew, which does harm when it is repeated
                if in_doubt:
                    parts = await _rendered(sent_again(reply))
                if went_out is not None:
                    await went_out(progress.sent)
        await self._send_rest(parts, progress, to, None, went_out)
        for old in self._shown.get((to.chat, message), ())[1:]:
            if old not in progress.sent and self.moves.reaches(to.chat, old):
                await self._delete(old, to)
        self._remember(to, progress.sent)
        if isinstance(parts[0], PhotoPart) and self.moves.reaches(to.chat, message):
            await self._delete(message, to)
        if len(parts) == 1:
            self._progress.pop(key, None)  # a status may come to say again what it once said
        return progress.sent[0]

    def _remember(self, to: Address, sent: Sequence[str]) -> None:
        """Remember of which messages an answer is made, for an edit of it: its further parts are then taken away."""
        self._shown[to.chat, sent[0]] = tuple(sent)
        self.said[to.chat] = self.said.get(to.chat, 0) + 1

    def wrote(self, chat: str, message: str) -> bool:
        """Say whether an answer of the bot's begins with the message; of what was sent before it was started, nothing is known."""
        return (chat, message) in self._shown

    def way(self, to: Address) -> tuple[int | str, int | None]:
        """Return the chat to write to, where it moved the new one, and the topic in it."""
        chat = self.moves.chat(to.chat)
        return _whole(chat) or chat, _whole(to.thread) if chat == to.chat else None

    def _taken_up(self, key: str, content: int, sent: Sequence[str]) -> _Progress:
        progress = self._progress.get(key)
        if progress is None or progress.content != content:
            progress = _Progress(content, list(sent))
        self._progress[key] = progress
        return progress

    async def _send_rest(
        self, parts: list[Part], progress: _Progress, to: Address, reply_to: int | None, went_out: WentOut | None
    ) -> None:
        for place in range(len(progress.sent), len(parts)):
            chat, thread = self.way(to)
            way = _Way(chat, thread, reply_to if place == 0 else None)
            progress.sent.append(await self._deliver(parts[place], way))
            self.moves.sent(to.chat, progress.sent[-1])
            if went_out is not None and place < len(parts) - 1:
                await went_out(progress.sent)

    async def _deliver(self, part: Part, way: _Way) -> str:
        """Send one part, by another way where Telegram refuses the first; return the message's id."""
        for _try in range(MAX_TRIES):
            self._heed(way)
            try:
                message = await self._post(part, way)
            except RefusedError as error:
                other = self._way_out(error, part, way)
                if other is None:
                    raise self._held(error, way) from None
                await self.moves.report()
                way = other
            except TelegramError as error:
                raise translated(error) from None
            else:
                self._typing.over(way.chat, way.thread)
                return str(message.message_id)
        raise ChannelError(_("Telegram did not take it in any form. It was kept; an admin can send it again."))

    async def _post(self, part: Part, way: _Way) -> Message:
        quoted = None if way.bare else way.reply_to
        reply = ReplyParameters(quoted, allow_sending_without_reply=True) if quoted else None
        if isinstance(part, PhotoPart):
            return await self._post_picture(part, way, reply)
        return await self._bot.send_message(
            way.chat,
            plain(part.rich) if way.plain else part.rich.text,
            entities=None if way.plain else entities(part.rich) or None,
            message_thread_id=way.thread,
            reply_parameters=reply,
            reply_markup=None if way.mute else keyboard(part.buttons),
            link_preview_options=None if way.bare else _NO_PREVIEW,
        )

    async def _post_picture(self, part: PhotoPart, way: _Way, reply: ReplyParameters | None) -> Message:
        data = await self._picture(part)
        post = self._bot.send_document if way.as_file or len(data) > PHOTO_BYTES else self._bot.send_photo
        return await post(
            way.chat,
            data,
            caption=part.caption or None,
            message_thread_id=way.thread,
            reply_parameters=reply,
            reply_markup=None if way.mute else keyboard(part.buttons),
            filename=f"picture.{part.picture.media_type.rpartition('/')[2] or 'png'}",
        )

    async def _picture(self, part: PhotoPart) -> bytes:
        try:
            return await asyncio.to_thread(self._blobs.path(part.picture.blob).read_bytes)
        except OSError as error:
            raise ChannelError(_("The picture of this answer is gone. Its text was kept; please ask again.")) from error

    async def _edit_text(self, sent: str, part: TextPart, to: Address) -> bool:
        """Edit the message; False where it cannot be edited, now or ever. Repeating an edit does no harm: an unknown fate is a retry."""
        if not self.moves.reaches(to.chat, sent):
            return False
        way = _Way(*self.way(to))
        for _try in range(MAX_TRIES):
            self._heed(way)
            try:
                await self._bot.edit_message_text(
                    plain(part.rich) if way.plain else part.rich.text,
                    chat_id=way.chat,
                    message_id=_whole(sent) or 0,
                    entities=None if way.plain else entities(part.rich) or None,
                    reply_markup=None if way.mute else keyboard(part.buttons),
                    link_preview_options=None if way.bare else _NO_PREVIEW,
                )
            except RefusedError as error:
                if error.says("message is not modified"):
                    return True
                if error.says(*_NOT_EDITABLE) or error.code == _NOT_FOUND or error.migrated_to:
                    return False
                other = self._way_out(error, part, way)
                if other is None:
                    house = self._held(error, way)
                    if isinstance(house, RetryLaterError | GoneError):
                        raise house from None
                    return False
                way = other
            except TelegramError as error:
                raise repeatable(error) from None
            else:
                return True
        return False

    async def _delete(self, sent: str, to: Address) -> None:
        """Take away a status message that a picture has replaced, or a part of a former answer; where that fails it only stays."""
        chat, _thread = self.way(to)
        try:
            await self._bot.delete_message(chat, _whole(sent) or 0)
        except TelegramError as error:
            _log.info("a message could not be deleted: %s", translated(error))

    def _heed(self, way: _Way) -> None:
        """Raise RetryLaterError while Telegram asks to wait for the chat."""
        if left_s := self._waits.left_s(way.chat):
            raise flooded(left_s)

    def _held(self, error: RefusedError, way: _Way) -> ChannelError:
        """Return the house's error; where it says to wait, nothing is sent to the chat until then."""
        house = translated(error)
        if isinstance(house, RetryLaterError):
            self._waits.hold(way.chat, house.retry_after_s)
        return house

    def _way_out(self, error: RefusedError, part: Part, way: _Way) -> _Way | None:
        """Return another way to send what was refused; None where there is none that was not tried."""
        other = way
        if error.migrated_to and isinstance(way.chat, int):
            self.moves.follow(str(way.chat), str(error.migrated_to))
            other = replace(way, chat=error.migrated_to, thread=None, reply_to=None)
        elif isinstance(part, PhotoPart) and error.code == _NOT_FOUND:
            other = replace(way, as_file=True)
        elif error.code != _BAD_REQUEST or isinstance(translated(error), GoneError) or error.says(*_NO_OTHER_FORM):
            return None
        elif error.says("entit", "can't parse"):
            other = replace(way, plain=True)
        elif error.says("thread not found", "topic deleted", "topic closed", "topic id invalid", "topic not found"):
            other = replace(way, thread=None)
        elif error.says("message to be replied not found", "reply message not found", "message to reply not found"):
            other = replace(way, reply_to=None)
        elif isinstance(part, PhotoPart) and error.says("photo", "image process failed"):
            other = replace(way, as_file=True)
        elif error.says("button", "reply markup", "keyboard"):
            other = replace(way, mute=True)
        return other if other != way else _barer(way)


def _barer(way: _Way) -> _Way | None:
    """Return the way with less of what a server may not know; None where nothing is left to leave out."""
    if not way.plain:
        return replace(way, plain=True)
    if not way.bare:
        return replace(way, bare=True)
    return None if way.mute else replace(way, mute=True)


async def _rendered(reply: Reply) -> list[Part]:
    """Return the reply's parts, a long text's without holding up the loop. Raises ChannelError for nothing to show."""
    parts = render(reply) if len(reply.text) < LONG_TEXT else await asyncio.to_thread(render, reply)
    if not parts:
        raise ChannelError(_("The answer was empty, and Telegram takes no empty message. Please ask in other words."))
    return parts


def _whole(text: str) -> int | None:
    """Return a platform id as the number that it is in Telegram; None where it is none."""
    try:
        return int(text)
    except ValueError:
        return None
