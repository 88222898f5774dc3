"""JSON of a Bot API server with the fields that python-telegram-bot insists on and the bot does not need.

Owns the defaults. One's own Bot API server, an older or a newer one, may leave out a file's `file_unique_id` or a person's
`first_name`; without a default the library refuses the whole message, and would refuse the answer to a send that was carried out.

    padded({"message_id": 5, "chat": {"id": 42}})  # with chat.type "private" and a date
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from bot import lazy

_PEOPLE = frozenset({"from", "user", "sender_user", "via_bot"})
_CHATS = frozenset({"chat", "sender_chat"})
_FILES = frozenset({"photo", "document", "voice", "audio", "video", "video_note", "animation", "sticker"})
_FILE_DEFAULTS: dict[str, dict[str, object]] = {
    "photo": {"width": 0, "height": 0},
    "voice": {"duration": 0},
    "audio": {"duration": 0},
    "video": {"width": 0, "height": 0, "duration": 0},
    "video_note": {"length": 0, "duration": 0},
    "animation": {"width": 0, "height": 0, "duration": 0},
    "sticker": {"width": 0, "height": 0, "is_animated": False, "is_video": False, "type": "regular"},
}
_DEPTH = 12
_MOST_MESSAGES = 2**53
_LONE = lazy.compile("[\ud800-\udfff]")
_MOMENTS = frozenset({"date", "edit_date"})
_LAST_MOMENT = 2**33
"""In the year 2242: no clock that is right says more."""
_SOMEBODY = {"type": "hidden_user", "date": 0, "sender_user_name": ""}
_SOME_BOT = {"id": 0, "is_bot": True, "first_name": ""}
_OTHERS_WORDS = {"forward_origin": _SOMEBODY, "via_bot": _SOME_BOT}
"""What says that the words are somebody else's, who gives no orders here: where it cannot be read, it is said all the same."""
_BASE = ("message_id", "date", "chat", "from", "sender_chat")
_TOPIC = ("message_thread_id", "is_topic_message")
_CONTENT = _FILES | {"location", "venue", "contact", "poll", "dice", "game", "story", "checklist", "invoice", "paid_media"}
_WORDLESS = {"emoji": "?", "value": 1}
"""A die in the place of content that cannot be read: the person is told so, as of anything else that has no words."""


def padded(value: object, name: str = "", *, depth: int = _DEPTH) -> object:
    """Return `value`, which stands under the key `name`, with defaults where it or what is in it lacks a field.

    A field that is null is one that lacks: a server that spells out all that an update has not must not make it another one.
    """
    if isinstance(value, str):
        return _whole(value)
    if depth == 0:
        return value
    if isinstance(value, list):
        return [padded(entry, name, depth=depth - 1) for entry in value]
    if not isinstance(value, dict):
        return value
    inner = {
        key: padded(entry, str(key), depth=depth - 1) if isinstance(entry, dict | list | str) else entry
        for key, entry in value.items()
        if entry is not None and not (key in _MOMENTS and "message_id" in value and not _is_moment(entry))
    }
    return {**_defaults(inner, name), **inner}


def _is_moment(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LAST_MOMENT


def _whole(text: str) -> str:
    """Return `text` with U+FFFD in the place of lone surrogates, which no database takes; as long as before in UTF-16."""
    if text.isascii() or not _LONE.search(text):
        return text
    return _LONE.sub("\ufffd", text)


def told_message(result: object) -> dict[str, object]:
    """Return what a send answered as a message that any library reads: the server said that it was sent, and its number is all one needs.

    The number is 0 where the server tells none: no message has it, so that an edit of it finds nothing.
    """
    number = result.get("message_id") if isinstance(result, dict) else None
    known = isinstance(number, int) and 0 < number < _MOST_MESSAGES
    return {"message_id": number if known else 0, "date": 0, "chat": {"id": 0, "type": "private"}}


def sifted(message: Mapping[str, object], readable: Callable[[dict[str, object]], bool]) -> dict[str, object]:
    """Return `message` without the fields that are not `readable` beside what every message has.

    A poll without its options, or a kind of content that is made tomorrow, then takes nothing else along.
    """
    base = {name: message[name] for name in _BASE if name in message}
    kept = {name: value for name, value in message.items() if name in base or readable({**base, name: value})}
    kept |= {name: value for name, value in _OTHERS_WORDS.items() if name in message and name not in kept}
    return {**kept, "dice": _WORDLESS} if _CONTENT & (message.keys() - kept.keys()) else kept


def bared(update: Mapping[str, object]) -> dict[str, object]:
    """Return `update` with no more of the message that is replied to, or stands over a button, than who said what where."""
    bare = dict(update)
    for kind, inner in (("message", "reply_to_message"), ("edited_message", "reply_to_message"), ("callback_query", "message")):
        outer = update.get(kind)
        under = outer.get(inner) if isinstance(outer, dict) else None
        if isinstance(outer, dict) and isinstance(under, dict):
            kept = {name: under[name] for name in (*_BASE, *_TOPIC) if name in under}
            kept |= {name: under[name] for name in ("text", "caption") if isinstance(under.get(name), str)}
            bare[kind] = {**outer, inner: {**({"chat": outer["chat"]} if "chat" in outer else {}), **kept}}
    return bare


def _defaults(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    if "message_id" in value:
        forwarded = {"forward_origin": _SOMEBODY} if "forward_date" in value else {}  # as servers before 7.0 tell it
        return {"date": int(time.time()), **forwarded}
    if name in _PEOPLE:
        return {"is_bot": False, "first_name": ""}
    if name in _CHATS:
        number = value.get("id")
        return {"type": "private" if isinstance(number, int) and number > 0 else "supergroup"}
    if name in _FILES and "file_id" in value:
        return {"file_unique_id": value["file_id"], **_FILE_DEFAULTS.get(name, {})}
    return {"chat_instance": ""} if name == "callback_query" else {}
