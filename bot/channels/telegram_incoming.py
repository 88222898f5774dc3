"""What comes from Telegram as the house's values: an Update becomes a Message or a Press, or nothing.

Owns what counts (people's messages, their edits, presses), who said it, where, and what came with it. Leaves the language to the
intake (the values made here hold English until it is asked) and the download to `telegram.py`.

    read(update, Me(7, "ParBot"), download_bytes=20 * 2**20)  # Incoming(Message(...), "ko"), or None: not for any inbox

Decisions: other bots, channel posts and service messages ("Ann joined") are nothing. Forwarded text is text, and so is what
another bot wrote into the sender's mouth (inline mode): it gives no orders and calls nobody, so that an admin who forwards `/swap` has
not ordered a swap. Locations, polls and the like are a message
without text, which is answered with a sentence. Who says something without a name (an anonymous admin) is the chat itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from telegram import CallbackQuery, Chat, ChatFullInfo, ExternalReplyInfo, Update, User
from telegram import Message as TelegramMessage

from bot.channels.rich_text import clean
from bot.channels.telegram_addressing import Heard, Me, heard
from bot.channels.telegram_files import attachments_of
from bot.message import Address, Message, Press

CHANNEL = "telegram"
ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member", "chat_member")
EXTERNAL = "external"
"""The id of a quoted message from another chat: it has none in this one."""
_GROUP_ANONYMOUS_BOT = 1087968824
_CHANNEL_BOT = 136817688
_OUTSIDE = frozenset({"left", "kicked"})
_WITHOUT_WORDS = (
    "location", "venue", "contact", "poll", "dice", "game", "story", "checklist", "invoice", "paid_media", "giveaway",
)  # fmt: skip
"""What a person may send that is no text and no file."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """What came in, and the language of the sender's Telegram ("" where it is not told)."""

    item: Message | Press
    platform_language: str


def read(update: Update, me: Me, *, download_bytes: int) -> Incoming | None:
    """Return what the update says, None where it says nothing to a bot. `download_bytes`: which size of a photo to take."""
    if update.callback_query is not None:
        return _press(update.callback_query, me)
    said = update.message or update.edited_message
    if said is None or said.chat.type == Chat.CHANNEL or said.is_automatic_forward:
        return None
    sender = _sender(said)
    if sender is None:
        return None
    message = _message(said, me, sender, download_bytes, edited=update.edited_message is not None)
    if message is None:
        return None
    return Incoming(message, _spoken(said.from_user))


def moved(data: Mapping[str, object]) -> tuple[int, int] | None:
    """Return (old id, new id) of a group that has become a supergroup, where the update tells of one."""
    said = _dict(data, "message")
    here, to, since = _dict(said, "chat").get("id"), said.get("migrate_to_chat_id"), said.get("migrate_from_chat_id")
    if not isinstance(here, int):
        return None
    if isinstance(to, int) and to:
        return here, to
    return (since, here) if isinstance(since, int) and since else None


def joined(data: Mapping[str, object], me: Me) -> tuple[Address, str, str] | None:
    """Return the group to which the bot was just added, by whom ("" where nobody is named), and their language; None for all else.

    Read as JSON: an administrator's rights are many, change with each version, and say nothing here.
    """
    change = _dict(data, "my_chat_member")
    if change:
        now, before = (str(_dict(change, name).get("status", "")) for name in ("new_chat_member", "old_chat_member"))
        added = now not in {"", *_OUTSIDE} and (not before or before in _OUTSIDE)
    else:
        change = _dict(data, "message")
        members = change.get("new_chat_members")
        ids = [member.get("id") for member in members if isinstance(member, dict)] if isinstance(members, list) else []
        added = me.id in ids or bool(change.get("group_chat_created") or change.get("supergroup_chat_created"))
    chat = _dict(change, "chat")
    if not added or chat.get("type") not in ("group", "supergroup"):
        return None
    who = _dict(change, "from").get("id")
    by = str(who) if isinstance(who, int) and who != _GROUP_ANONYMOUS_BOT else ""
    return Address(CHANNEL, me.account or str(me.id), str(chat.get("id")), kind="group"), by, _language_of(change)


def left(data: Mapping[str, object]) -> str:
    """Return the id of the chat that the bot was put out of, "" for all else."""
    change = _dict(data, "my_chat_member")
    return str(_dict(change, "chat").get("id", "")) if _dict(change, "new_chat_member").get("status") in _OUTSIDE else ""


def unread_press(data: Mapping[str, object]) -> tuple[str, str, str] | None:
    """Return a press's id, its presser and their language, whatever else it lacks; None where the update is no press."""
    query = _dict(data, "callback_query")
    return (str(query["id"]), str(_dict(query, "from").get("id", "")), _language_of(query)) if query.get("id") else None


def _dict(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _language_of(value: Mapping[str, object]) -> str:
    return str(_dict(value, "from").get("language_code") or "")


def _spoken(user: User | None) -> str:
    """Return the language of a person's Telegram, "" where it tells none."""
    code: object = user.language_code if user else None
    return code if isinstance(code, str) else ""


def _press(query: CallbackQuery, me: Me) -> Incoming | None:
    """Return the press; the message under the button may be too old for Telegram to show, its chat is known all the same."""
    data: object = query.data
    if query.message is None or not isinstance(data, str) or query.from_user.is_bot:
        return None
    said = query.message
    address = _address(said, me) if isinstance(said, TelegramMessage) else _address_of(said.chat, me)
    who = str(query.from_user.id)
    press = Press(address, who, str(query.id), data, "en", datetime.now(UTC), alone=Address(CHANNEL, address.account, who))
    return Incoming(press, _spoken(query.from_user))


def _message(said: TelegramMessage, me: Me, sender: _Sender, download_bytes: int, *, edited: bool) -> Message | None:
    text = said.text or said.caption or ""
    entities = said.entities or said.caption_entities or ()
    attachments = attachments_of(said, download_bytes)
    if not text and not attachments and (edited or not any(getattr(said, kind) for kind in _WITHOUT_WORDS)):
        return None
    quoted = said.reply_to_message
    address = _address(said, me)
    to_bot = quoted is not None and not _is_topic_root(said) and quoted.from_user is not None and quoted.from_user.id == me.id
    to_me = to_bot or address.kind == "direct"
    words = Heard(clean(text).strip()) if said.forward_origin or said.via_bot else heard(text, entities, me, to_me=to_me)
    return Message(
        address=address,
        sender=sender.id,
        id=str(said.message_id),
        text=words.text,
        language="en",
        sent_at=said.date,
        sender_name=sender.name,
        attachments=attachments,
        reply_to=_quoted(said, address, me, download_bytes),
        command=words.command,
        version=_version(said, edited=edited),
        addressed=address.kind == "direct" or (not words.others and (words.called or to_bot)),
    )


def _quoted(said: TelegramMessage, address: Address, me: Me, download_bytes: int) -> Message | None:
    """Return the message that is replied to. Where a part of it was chosen, that part is its text."""
    part = clean(said.quote.text).strip() if said.quote else ""
    if said.external_reply is not None:
        return _from_elsewhere(said.external_reply, address, part, download_bytes)
    quoted = said.reply_to_message
    if quoted is None or _is_topic_root(said):
        return None
    sender = _sender(quoted) or _author(quoted)
    return Message(
        address=address,
        sender=sender.id,
        id=str(quoted.message_id),
        text=part or clean(quoted.text or quoted.caption or "").strip(),
        language="en",
        sent_at=quoted.date,
        sender_name=sender.name,
        attachments=attachments_of(quoted, download_bytes),
        version=_version(quoted),
        by_bot=quoted.from_user is not None and quoted.from_user.id == me.id,
    )


def _from_elsewhere(reply: ExternalReplyInfo, address: Address, part: str, download_bytes: int) -> Message:
    """Return what is known of a quoted message of another chat: the part that was chosen, and its file."""
    origin = reply.origin
    user = getattr(origin, "sender_user", None)
    name = (user.full_name or "") if isinstance(user, User) else str(getattr(origin, "sender_user_name", "") or "")
    return Message(
        address=address,
        sender=str(user.id) if isinstance(user, User) else "",
        id=EXTERNAL,
        text=part,
        language="en",
        sent_at=origin.date,
        sender_name=clean(name),
        attachments=attachments_of(reply, download_bytes),
    )


def _version(said: TelegramMessage, *, edited: bool = False) -> int:
    """Return the time of the last edit in Unix seconds; 0 for what was never edited."""
    if said.edit_date is not None:
        return int(said.edit_date.timestamp())
    return int(said.date.timestamp()) if edited else 0


def _is_topic_root(said: TelegramMessage) -> bool:
    """Say whether the "reply" only says in which topic the message stands: Telegram quotes the topic's first message."""
    quoted = said.reply_to_message
    if quoted is None:
        return False
    return quoted.forum_topic_created is not None or (bool(said.is_topic_message) and quoted.message_id == said.message_thread_id)


@dataclass(frozen=True, slots=True)
class _Sender:
    id: str
    name: str


def _sender(said: TelegramMessage) -> _Sender | None:
    """Return who said it: a person, or the chat in whose name a person speaks. None for a bot."""
    user = said.from_user
    if said.sender_chat is not None and (user is None or user.id in (_GROUP_ANONYMOUS_BOT, _CHANNEL_BOT)):
        return _Sender(str(said.sender_chat.id), clean(said.sender_chat.effective_name or ""))
    if user is None or user.id == _GROUP_ANONYMOUS_BOT:
        return _Sender(str(said.chat.id), clean(said.chat.effective_name or ""))
    if user.is_bot:
        return None
    return _Sender(str(user.id), clean(user.full_name or ""))


def _author(said: TelegramMessage) -> _Sender:
    """Return who wrote a quoted message, bots too."""
    user = said.from_user
    return _Sender(str(user.id), clean(user.full_name or "")) if user else _Sender("", "")


def _address(said: TelegramMessage, me: Me) -> Address:
    """Return where it was said. `message_thread_id` is a topic only in a forum; elsewhere it is a thread of replies."""
    topic = said.message_thread_id if said.is_topic_message or said.chat.is_forum else None
    return replace(_address_of(said.chat, me), thread=str(topic) if topic else "")


def _address_of(chat: Chat | ChatFullInfo, me: Me) -> Address:
    return Address(CHANNEL, me.account or str(me.id), str(chat.id), kind="direct" if chat.type == Chat.PRIVATE else "group")
