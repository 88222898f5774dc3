"""Sending to Slack: one part after the other, each under a key in its metadata, and nothing twice.

Owns the key: where it is in doubt whether a part was shown (no answer came, or the bot died), the chat's last messages are asked for
it before anything is sent again. Leaves waiting to the outbox, looks to `slack_outgoing`, the line to `slack_wire`.

Sources: https://docs.slack.dev/messaging/message-metadata, https://docs.slack.dev/reference/methods/conversations.history
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bot.channels.again import sent_again
from bot.channels.slack_incoming import UNSEEN, is_ts
from bot.channels.slack_outgoing import Block, Part, render
from bot.channels.slack_wire import Wire
from bot.errors import AmbiguousSendError, ChannelError, GoneError, RetryLaterError
from bot.locale import phrases
from bot.logs import Logger
from bot.message import Address, Reply
from bot.recent import Recent
from bot.skill import Blobs

_ = phrases(__file__)
log = Logger(__name__)

KEPT: Final = 4096
SHAREABLE: Final = 256
"""Answers that one alone saw and may yet share, in memory: after a restart the button has expired."""
SHARE: Final = "paring-share"
LOOKED_BACK: Final = 100
"""Messages of a chat that are asked for at once, to look for a key among them …"""
MOST_PAGES: Final = 20
"""… and how often: as far back as what is answered, or so far. People go on writing while the bot is away."""
MOST_LOOKS: Final = 5
STATUS: Final = "status "
"""The beginning of a status message's key (`bot.company`)."""
_BLOCKS: Final = "invalid_blocks"
EVENT_TYPE: Final = "paring_reply"
_NO_MORE_EDITABLE: Final = ("message_not_found", "cant_update_message", "edit_window_closed", "is_inactive")
WentOut = Callable[[Sequence[str]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes: a conversation, a thread in it ("" for none), and who alone sees it ("" for all)."""

    chat: str
    thread: str = ""
    only: str = ""


class Sending:
    """Sends and edits in one workspace."""

    def __init__(self, wire: Wire, blobs: Blobs) -> None:
        """Take the workspace's line and the store that holds pictures."""
        self._wire = wire
        self._blobs = blobs
        self._direct: Recent[str, str] = Recent(most=KEPT)
        self._doubtful: Recent[str, None] = Recent(most=KEPT)
        self._files: Recent[str, str] = Recent(most=KEPT)
        self._looked_at: Recent[str, int] = Recent(most=KEPT)
        """How often Slack refused a picture, by the part's key."""
        self._shareable: Recent[str, tuple[Reply, str]] = Recent(most=SHAREABLE)

    async def send(
        self,
        reply: Reply,
        to: Address,
        key: str,
        *,
        sent: Sequence[str] = (),
        in_doubt: bool = False,
        went_out: WentOut | None = None,
        shareable: bool = True,
    ) -> str:
        """Send the parts after those in `sent`; return the id of the first message. Raises as `Channel.send`.

        `in_doubt`: the next one may have been shown in an earlier life. `shareable`: who alone sees it may show it to all, where it is an
        answer (not a status, nor what is told at the door).
        """
        place = await self.place(to)
        if in_doubt and place.only and key.startswith(STATUS):
            return "unseen"  # another status beside the one that may stand there would tell nothing
        try:
            return await self._sent(reply, place, key, sent=sent, in_doubt=in_doubt, went_out=went_out, shareable=shareable)
        except GoneError:
            if not place.only or key.startswith(STATUS):
                raise
        # `/paring` is typed in any conversation, also where the bot is not: who typed it reads the answer in their direct chat
        alone = await self.place(replace(to, thread=""))
        return await self._sent(reply, alone, key, sent=sent, in_doubt=in_doubt, went_out=went_out, shareable=False)

    async def _sent(
        self,
        reply: Reply,
        place: Place,
        key: str,
        *,
        sent: Sequence[str],
        in_doubt: bool,
        went_out: WentOut | None,
        shareable: bool,
    ) -> str:
        shown = list(sent)
        parts = _rendered(sent_again(reply) if in_doubt and place.only else reply)  # what one alone sees cannot be looked for
        if place.only and shareable and reply.receipt is not None:
            parts[-1] = replace(parts[-1], blocks=(*parts[-1].blocks, self._share(reply, place.chat)))
        for number in range(len(shown), len(parts)):
            name = _named(key, number, reply)
            if in_doubt and number == len(sent):
                self._doubtful[name] = None
            shown.append(await self._once(parts[number], place, name, since=reply.reply_to))
            if went_out is not None and number < len(parts) - 1:
                await went_out(shown)
        return shown[0]

    async def edit(
        self,
        message: str,
        reply: Reply,
        to: Address,
        key: str,
        *,
        sent: Sequence[str] = (),
        in_doubt: bool = False,
        went_out: WentOut | None = None,
    ) -> str:
        """Make `message` show the first part and send the rest; what can be edited no more is sent anew, unless it was so before."""
        place, parts = await self.place(to), _rendered(reply)
        if not sent:
            first = parts[0]
            if place.only:
                return await self.send(reply, to, key, in_doubt=in_doubt, went_out=went_out)
            if first.picture is not None or not await self._updated(place, message, first):
                return await self.send(reply, to, key, in_doubt=True, went_out=went_out)
            sent = (message,)
            if went_out is not None and len(parts) > 1:
                await went_out(sent)
        return await self.send(reply, to, key, sent=sent, in_doubt=in_doubt, went_out=went_out)

    async def place(self, to: Address) -> Place:
        """Return where `to` is at Slack: a direct chat goes by its person, and has a number of its own. Raises as `Channel.send`."""
        if to.kind == "group":
            return Place(to.chat, to.thread)
        if to.thread.startswith(UNSEEN):
            return Place(to.thread.removeprefix(UNSEEN), only=to.chat)
        if to.chat not in self._direct:
            told = await self._wire.call("conversations.open", users=to.chat)
            opened = told.get("channel")
            number = opened.get("id") if isinstance(opened, dict) else None
            if not isinstance(number, str):
                raise RetryLaterError(_("Slack did not answer. It is tried again by itself."), retry_after_s=1.0)
            self._direct[to.chat] = number
        return Place(self._direct[to.chat], to.thread)

    def shared(self, token: str) -> tuple[Reply, str] | None:
        """Return the answer that its only reader shares, once, and the channel in which they read it; None for one that is not known."""
        return self._shareable.pop(token, None)

    def _share(self, reply: Reply, chat: str) -> Block:
        token = secrets.token_urlsafe(12)
        self._shareable[token] = replace(reply, buttons=(), reply_to=""), chat
        label = _("Share").to(reply.language)
        button = {"type": "button", "action_id": SHARE, "text": {"type": "plain_text", "text": label}, "value": token}
        return {"type": "actions", "elements": [button]}

    def direct_is(self, person: str, chat: str) -> None:
        """Know the number of a person's direct chat, from what they said there."""
        self._direct[person] = chat

    async def _once(self, part: Part, place: Place, name: str, *, since: str) -> str:
        """Post one part, unless a look at the chat, back to the message `since`, finds it there."""
        if name in self._doubtful and not place.only:
            found = await self._found(place, name, since if is_ts(since) else "")
            del self._doubtful[name]
            if found:
                return found
        try:
            return await self._post(part, place, name)
        except AmbiguousSendError:
            self._doubtful[name] = None
            raise

    async def _post(self, part: Part, place: Place, name: str) -> str:
        """Post a part. Where Slack refuses its blocks, its words alone; a picture it refuses as long as it has not looked at the file."""
        shown = [*part.blocks]
        if part.picture is not None:
            picture = {
                "type": "image",
                "slack_file": {"id": await self._uploaded(part, name)},
                "alt_text": part.words or "picture",
            }
            shown.insert(0, picture)
        try:
            return await self._posted(part, place, name, shown)
        except ChannelError as error:
            if _BLOCKS not in str(error):
                raise
            if part.picture is None:
                log.warning("Slack refused the looks of an answer; its words are shown alone", why=str(error))
                return await self._posted(part, place, name, [])
            looked_at = self._looked_at[name] = self._looked_at.get(name, 0) + 1
            if looked_at > MOST_LOOKS:
                raise
            sentence = _("Slack is not done with the picture. It is tried again by itself.")
            raise RetryLaterError(sentence, retry_after_s=2.0**looked_at / 2) from error

    async def _posted(self, part: Part, place: Place, name: str, blocks: Sequence[Block]) -> str:
        said: dict[str, object] = {
            "channel": place.chat, "thread_ts": place.thread or None, "text": part.words, "blocks": [*blocks] or None,
        }  # fmt: skip
        if place.only:
            told = await self._wire.call("chat.postEphemeral", wait_for=place.chat, repeatable=False, user=place.only, **said)
            return str(told.get("message_ts") or "unseen")
        metadata = {"event_type": EVENT_TYPE, "event_payload": {"key": name}}
        told = await self._wire.call(
            "chat.postMessage",
            wait_for=place.chat,
            repeatable=False,
            metadata=metadata,
            unfurl_links=False,
            unfurl_media=False,
            **said,
        )
        ts = told.get("ts")
        if not isinstance(ts, str) or not ts:
            raise AmbiguousSendError(_("Slack did not answer. The message may have arrived or not."))
        return ts

    async def _uploaded(self, part: Part, name: str) -> str:
        """Put the picture where only the bot sees it, once a key; return its id."""
        if name in self._files or part.picture is None:
            return self._files[name]
        try:
            data = await asyncio.to_thread(self._blobs.path(part.picture.blob).read_bytes)
        except OSError as error:
            raise ChannelError(_("The picture of this answer is gone. Its text was kept; please ask again.")) from error
        file_name = f"picture.{part.picture.media_type.rpartition('/')[2] or 'png'}"
        told = await self._wire.call(
            "files.getUploadURLExternal", filename=file_name, length=len(data), alt_txt=part.words[:1000] or None
        )
        url, number = told.get("upload_url"), told.get("file_id")
        if not isinstance(url, str) or not isinstance(number, str):
            raise RetryLaterError(_("Slack did not answer. It is tried again by itself."), retry_after_s=1.0)
        await self._wire.upload(url, data)
        await self._wire.call("files.completeUploadExternal", files=[{"id": number, "title": file_name}])
        self._files[name] = number
        return number

    async def _found(self, place: Place, name: str, since: str) -> str:
        """Return the id of the message that was sent under the key, "" where there is none. Raises as `Wire.call`.

        A chat is told from its end and looked through back to `since`; a thread from its beginning, and whole.
        """
        said = {"channel": place.chat, "include_all_metadata": True, "limit": LOOKED_BACK}
        if place.thread:
            pages = self._wire.pages("conversations.replies", ts=place.thread, **said)
        else:
            pages = self._wire.pages("conversations.history", oldest=since or None, **said)
        asked = 0
        async for page in pages:
            asked += 1
            if found := _among(page, name):
                return found
            if not place.thread and asked == MOST_PAGES:
                break
        return ""

    async def _updated(self, place: Place, message: str, part: Part) -> bool:
        try:
            return await self._update(place, message, part, part.blocks)
        except ChannelError as error:
            if _BLOCKS not in str(error):
                raise
            log.warning("Slack refused the looks of an answer; its words are shown alone", why=str(error))
            return await self._update(place, message, part, [])

    async def _update(self, place: Place, message: str, part: Part, blocks: Sequence[Block]) -> bool:
        try:
            await self._wire.call("chat.update", channel=place.chat, ts=message, text=part.words, blocks=[*blocks])
        except GoneError:
            raise
        except ChannelError as error:
            if any(why in str(error) for why in _NO_MORE_EDITABLE):
                return False
            raise
        return True


def _key_of(message: Mapping[str, object]) -> str:
    metadata = message.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, dict) and metadata.get("event_type") == EVENT_TYPE else None
    return str(payload.get("key", "")) if isinstance(payload, dict) else ""


def _among(told: Mapping[str, object], name: str) -> str:
    listed = told.get("messages")
    messages = [message for message in listed if isinstance(message, dict)] if isinstance(listed, list) else []
    return next((str(message.get("ts", "")) for message in messages if _key_of(message) == name), "")


def _named(key: str, number: int, reply: Reply) -> str:
    """Return the key of a part. The outbox counts anew in another home; what is answered, or else said, tells the two apart."""
    about = hashlib.sha256((reply.reply_to or reply.text).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{key}.{number}.{about}"


def _rendered(reply: Reply) -> list[Part]:
    parts = render(reply)
    if not parts:
        raise ChannelError(_("The answer was empty, and Slack takes no empty message. Please ask in other words."))
    return parts
