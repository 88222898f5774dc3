"""Whether a message in Telegram is meant for the bot, and what it says to it.

Owns mentions and commands: finding them by Telegram's entities (offsets in UTF-16 units) and cutting them from the text. Leaves
to `telegram_incoming` the rest of a message.

    heard("@ParBot /sum 50", entities, Me(7, "ParBot"))  # Heard("/sum 50", Command("sum", "50"), called=True)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from telegram import MessageEntity

from bot.channels.telegram_text import clean
from bot.message import Command

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w{1,64}))?(?=\s|$)")
_AFTER_MENTION = re.compile(r"^(?:님|씨|아|야)?(?=[\s,.:;!，、]|$)[\s,.:;!，、]*")
_GAP = re.compile(r"[ \t]{2,}")


@dataclass(frozen=True, slots=True)
class Me:
    """The bot's own account, as getMe tells it. `account`: the number in the token, which names the account in this house."""

    id: int
    username: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What a text says to the bot. `called`: it names the bot; `others`: it is a command for another bot."""

    text: str
    command: Command | None = None
    called: bool = False
    others: bool = False


@dataclass(frozen=True, slots=True)
class _Range:
    start: int
    end: int
    words: str


def heard(text: str, entities: Sequence[MessageEntity], me: Me) -> Heard:
    """Return the text without mentions of `me`, and the command at its start."""
    mentions = _mentions(text, entities, me)
    order = _first_command(text, entities, mentions)
    said = _cut(text, mentions)
    if order is None:
        return Heard(said, called=bool(mentions))
    name, _at, owner = order.words[1:].partition("@")
    if owner and owner.lower() != me.username.lower():
        return Heard(said, others=True)
    args = _cut(text[order.end :], [_Range(m.start - order.end, m.end - order.end, "") for m in mentions if m.start >= order.end])
    command = Command(name.lower(), args)
    return Heard(f"/{name} {args}".rstrip(), command, called=True)


def _mentions(text: str, entities: Sequence[MessageEntity], me: Me) -> list[_Range]:
    """Return where `me` is mentioned, in code points. A server that sends no entities is believed by the text alone."""
    if not entities and me.username:
        found = re.finditer(rf"(?<!\w)@{re.escape(me.username)}(?!\w)", text, re.IGNORECASE | re.ASCII)
        return [_Range(match.start(), match.end(), match[0]) for match in found]
    ranges = []
    for entity in entities:
        place = _place(text, entity)
        by_name = entity.type == MessageEntity.MENTION and me.username and place.words.lower() == f"@{me.username.lower()}"
        by_id = entity.type == MessageEntity.TEXT_MENTION and entity.user is not None and entity.user.id == me.id
        if by_name or by_id:
            ranges.append(place)
    return sorted(ranges, key=lambda place: place.start)


def _first_command(text: str, entities: Sequence[MessageEntity], mentions: Sequence[_Range]) -> _Range | None:
    """Return the command with which the text begins; mentions of the bot may stand before it.

    A server that marks none is believed by the text alone, but for what it marks as something else.
    """
    for entity in entities:
        if entity.type == MessageEntity.BOT_COMMAND:
            place = _place(text, entity)
            before = _cut(text[: place.start], [mention for mention in mentions if mention.end <= place.start])
            if not before and place.words.startswith("/") and len(place.words) > 1:
                return place
    match = _COMMAND.match(text, _after_mentions(text, mentions))
    if match is None or any(place.start < match.end() and place.end > match.start() for place in _places(text, entities)):
        return None
    return _Range(match.start(), match.end(), match[0])


def _after_mentions(text: str, mentions: Sequence[_Range]) -> int:
    """Return where the text begins that is no mention and does not belong to one."""
    at = len(text) - len(text.lstrip())
    for mention in mentions:
        if mention.start == at and (call := _AFTER_MENTION.match(text[mention.end :])):
            at = mention.end + call.end()
    return at


def _places(text: str, entities: Sequence[MessageEntity]) -> list[_Range]:
    return [_place(text, entity) for entity in entities]


def _place(text: str, entity: MessageEntity) -> _Range:
    raw = text.encode("utf-16-le", "surrogatepass")
    start, end = 2 * max(entity.offset, 0), 2 * max(entity.offset + entity.length, 0)
    before = raw[:start].decode("utf-16-le", "replace")
    words = raw[start:end].decode("utf-16-le", "replace")
    return _Range(len(before), len(before) + len(words), words)


def _cut(text: str, mentions: Sequence[_Range]) -> str:
    """Return `text` without the mentions, and without the comma, colon or Korean call that followed one at its start."""
    if not mentions:
        return clean(text).strip()
    kept: list[str] = []
    at = 0
    for mention in mentions:
        kept.append(text[at : mention.start])
        at = mention.end
        if not "".join(kept).strip() and (call := _AFTER_MENTION.match(text[at:])):
            at += call.end()
    kept.append(text[at:])
    return clean(_GAP.sub(" ", "".join(kept))).strip()
