"""Whether a message in Telegram is meant for the bot, and what it says to it.

Owns mentions and commands: finding them by Telegram's entities (offsets in UTF-16 units) and cutting them from the text. Leaves
to `telegram_incoming` the rest of a message.

    heard("@ParBot /sum 50", entities, Me(7, "ParBot"))  # Heard("/sum 50", Command("sum", "50"), called=True)

Telegram's commands are Latin letters alone: it marks no `/요약`, in no chat. That is an order where the words are for the bot anyway.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from telegram import MessageEntity

from bot import lazy
from bot.channels.rich_text import clean
from bot.message import Command

_COMMAND = lazy.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w{1,64}))?(?=\s|$)")
_KOREAN_COMMAND = lazy.compile(r"/([가-힣][a-z0-9_가-힣]{0,31})(?=\s|$)", re.IGNORECASE)
_LITERAL = frozenset({"code", "pre", "url", "email", "text_link"})
"""What is marked so calls nobody: it is shown or opened, not said."""
_AFTER_MENTION = lazy.compile(r"^(?:님|씨|아|야)?(?=[\s,.:;!，、]|$)[\s,.:;!，、]*")
_GAP = lazy.compile(r"[ \t]{2,}")


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


def heard(text: str, entities: Sequence[MessageEntity], me: Me, *, to_me: bool = False) -> Heard:
    """Return the text without mentions of `me`, and the command at its start. `to_me`: it is said to the bot without them, too."""
    mentions = _mentions(text, entities, me)
    order = _first_command(text, entities, mentions)
    if order is None and (to_me or mentions):
        order = _unmarked(_KOREAN_COMMAND, text, entities, mentions)
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
    """Return where `me` is mentioned, in code points; by the text alone where nothing is marked there, or only how it looks."""
    ranges: list[_Range] = []
    for entity in entities:
        place = _place(text, entity)
        by_name = entity.type == MessageEntity.MENTION and me.username and place.words.lower() == f"@{me.username.lower()}"
        by_id = entity.type == MessageEntity.TEXT_MENTION and entity.user is not None and entity.user.id == me.id
        if by_name or by_id:
            ranges.append(place)
    if me.username:
        literal = [_place(text, entity) for entity in entities if entity.type in _LITERAL]
        found = re.finditer(rf"(?<!\w)@{re.escape(me.username)}(?!\w)", text, re.IGNORECASE | re.ASCII)
        named = [_Range(match.start(), match.end(), match[0]) for match in found]
        ranges += [place for place in named if not _touches(place, [*literal, *ranges])]
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
    return _unmarked(_COMMAND, text, entities, mentions)


def _unmarked(
    command: re.Pattern[str], text: str, entities: Sequence[MessageEntity], mentions: Sequence[_Range]
) -> _Range | None:
    match = command.match(text, _after_mentions(text, mentions))
    if match is None:
        return None
    place = _Range(match.start(), match.end(), match[0])
    return None if _touches(place, [_place(text, entity) for entity in entities]) else place


def _after_mentions(text: str, mentions: Sequence[_Range]) -> int:
    """Return where the text begins that is no mention and does not belong to one."""
    at = len(text) - len(text.lstrip())
    for mention in mentions:
        if mention.start == at and (call := _AFTER_MENTION.match(text[mention.end :])):
            at = mention.end + call.end()
    return at


def _touches(place: _Range, others: Sequence[_Range]) -> bool:
    return any(other.start < place.end and other.end > place.start for other in others)


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
