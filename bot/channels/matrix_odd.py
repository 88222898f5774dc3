"""Why an event of a room is passed over that is not of the form that Matrix's specification gives it: a line in the log, never its content.

    if (message := of_message(event, me, at)) is None:
        passed_over(event, oddity(event))      # nothing is logged where it is as it should be: a notice, what was taken back

Owns the looking and the line. Leaves the taking to `matrix_taking`. At the level of `info`: in a room anybody's homeserver may send
anything, and nothing of it is a fault of this one.

Source: https://spec.matrix.org/v1.11/client-server-api/#room-events
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from bot import lazy
from bot.channels.matrix_incoming import FILES, SAID, attachments
from bot.channels.matrix_rooms import Json, dict_of, is_id, text_of
from bot.logs import Logger

log = Logger(__name__)

_TYPE: Final = lazy.compile(r"[a-z][a-z0-9_.-]{0,79}", re.ASCII | re.IGNORECASE)
"""A type as they are given; who makes events may write anything there, a text too."""


def passed_over(event: Json, why: str) -> None:
    """Tell in the log that an event is passed over, where there is a reason to tell."""
    if why:
        log.info("an event of a room is of an odd form, and is passed over", type=type_of(event), why=why)


def type_of(event: Json) -> str:
    """Return the type of an event as the log may tell it."""
    kind = text_of(event, "type")
    return kind if _TYPE.fullmatch(kind) else "none that is known"


def strays(told: Json) -> Iterator[Json]:
    """Yield an empty event for each thing in a room's timeline that is no object."""
    events = dict_of(told, "timeline").get("events")
    for one in events if isinstance(events, list) else ():
        if not isinstance(one, dict):
            yield {}


def oddity(event: Json) -> str:
    """Return in what an event is not as the specification has it, of what the bot reads of its type; "" where it is."""
    if not is_id(event.get("event_id"), "$"):
        return "it has no id"
    if not is_id(event.get("sender"), "@"):
        return "it names no sender"
    if not isinstance(event.get("type"), str):
        return "it has no type"
    if not isinstance(event.get("content"), dict):
        return "its content is no object"
    if "redacted_because" in dict_of(event, "unsigned"):
        return ""  # taken back: it is empty, as it should be
    look = _LOOKS.get(text_of(event, "type"))
    return look(event) if look else ""


def _said(event: Json) -> str:
    content = dict_of(event, "content")
    msgtype = content.get("msgtype")
    if not isinstance(msgtype, str):
        return "it does not say of what type its message is"
    if msgtype in FILES:
        return _shown(event)
    return "its words are no text" if msgtype in SAID and not isinstance(content.get("body"), str) else ""


def _shown(event: Json) -> str:
    return "" if attachments(event) else "its file has no address"


def _reacted(event: Json) -> str:
    related = dict_of(dict_of(event, "content"), "m.relates_to")
    if not is_id(related.get("event_id"), "$"):
        return "it names no event that it is about"
    return "" if isinstance(related.get("key"), str) else "it has no key"


def _redacted(event: Json) -> str:
    named = event.get("redacts") or dict_of(event, "content").get("redacts")
    return "" if is_id(named, "$") else "it names no event that it is about"


_LOOKS: Final[Mapping[str, Callable[[Json], str]]] = {
    "m.room.message": _said, "m.sticker": _shown, "m.reaction": _reacted, "m.room.redaction": _redacted,
}  # fmt: skip
"""What is looked at in each type that the bot reads."""
