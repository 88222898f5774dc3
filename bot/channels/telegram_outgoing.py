"""A reply as the messages that Telegram is given: texts with entities, and pictures.

Owns the look of an answer: its sources as a numbered list, each with its passage in a quote that opens, the marked sentence
bold; where it is split; its buttons under the last part. Leaves sending to `telegram_sending`. Entities are sent, not a
parse mode: text that was found somewhere can then never break a message or pretend to be markup.

    render(Reply("**Hi**", "en"))  # [TextPart(Rich("Hi", (Span(0, 2, "bold"),)))]
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from telegram import InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity

from bot import lazy
from bot.channels.rich_sources import on_one_line
from bot.channels.rich_split import CAPTION_UNITS, TEXT_UNITS, fits, shorten, split
from bot.channels.rich_text import Rich, clean, joined, parse, safe_link, units
from bot.message import Button, Picture, Reply, Source

TITLE_UNITS = 120
QUOTE_UNITS = 600
CALLBACK_BYTES = 64
"""Source: https://core.telegram.org/bots/api#inlinekeyboardbutton"""
_MESSAGE_LINK = lazy.compile(r"message:telegram/\d+/-100(?P<chat>\d+)/(?P<id>\d+)(?:\?thread=(?P<topic>\d+))?", re.ASCII)
_MENTION = lazy.compile(r"(?<![\w@])@(?=[A-Za-z])|\btg:(?=/)", re.IGNORECASE)
_JOINER = "\u2060"
_APART = rf"\g<0>{_JOINER}"
_ROW_BUTTONS = 3
_ROW_UNITS = 36
_ENTITY = {
    "bold": MessageEntity.BOLD,
    "italic": MessageEntity.ITALIC,
    "code": MessageEntity.CODE,
    "pre": MessageEntity.PRE,
    "link": MessageEntity.TEXT_LINK,
    "quote": MessageEntity.BLOCKQUOTE,
    "expandable": MessageEntity.EXPANDABLE_BLOCKQUOTE,
}


@dataclass(frozen=True, slots=True)
class TextPart:
    """One message of text."""

    rich: Rich
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class PhotoPart:
    """One message with a picture, its words under it."""

    picture: Picture
    caption: str
    buttons: tuple[Button, ...] = ()


Part = TextPart | PhotoPart


def render(reply: Reply) -> list[Part]:
    """Return the messages that show `reply`, in order; `[]` where there is nothing to show. Buttons stand on the last text."""
    rich = _calling_nobody(_with_sources(parse(reply.text), reply.sources))
    texts = [part.trimmed() for part in split(rich) if not part.blank]
    parts: list[Part] = [*map(TextPart, texts)]
    parts.extend(
        PhotoPart(picture, shorten(_MENTION.sub(_APART, clean(picture.alt)).strip(), CAPTION_UNITS)) for picture in reply.images
    )
    last = len(texts) - 1 if texts else len(parts) - 1
    if parts:
        parts[last] = replace(parts[last], buttons=reply.buttons)
    return parts


def entities(rich: Rich) -> list[MessageEntity]:
    """Return the spans as Telegram's entities, with offsets in UTF-16 units, the outer before the inner."""
    places = sorted({place for span in rich.spans for place in (span.start, span.end)})
    at, done, units_at = 0, 0, {}
    for place in places:
        done += units(rich.text[at:place])
        at = place
        units_at[place] = done
    found = []
    for span in sorted(rich.spans, key=lambda span: (span.start, -span.end)):
        start = units_at[span.start]
        found.append(
            MessageEntity(
                _ENTITY[span.kind],
                start,
                units_at[span.end] - start,
                url=span.detail if span.kind == "link" else None,
                language=(span.detail or None) if span.kind == "pre" else None,
            )
        )
    return found


def plain(rich: Rich) -> str:
    """Return it without entities: a link's address is written behind it, where there is room for all of them."""
    pieces: list[str] = []
    at = 0
    for span in rich.spans:
        if span.kind == "link" and span.start >= at and span.detail != rich.text[span.start : span.end]:
            pieces.extend((rich.text[at : span.end], f" ({span.detail})"))
            at = span.end
    text = "".join((*pieces, rich.text[at:]))
    return text if units(text) <= TEXT_UNITS else rich.text


def keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """Return the buttons in rows of up to three; None for none. A button without a token cannot be pressed and is left out."""
    rows: list[list[InlineKeyboardButton]] = []
    width = 0
    for button in buttons:
        if not 0 < len(button.token.encode()) <= CALLBACK_BYTES:
            continue
        label = clean(button.label).strip() or "…"
        if not rows or len(rows[-1]) == _ROW_BUTTONS or width + units(label) > _ROW_UNITS:
            rows.append([])
            width = 0
        rows[-1].append(InlineKeyboardButton(label, callback_data=button.token))
        width += units(label)
    return InlineKeyboardMarkup(rows) if rows else None


def _calling_nobody(rich: Rich) -> Rich:
    """Return it with every @name and tg:// taken apart, unseen: Telegram makes a mention of it by itself, and what was quoted would call people.

    In code it finds none. Source: https://core.telegram.org/bots/api#messageentity
    """
    parts: list[Rich] = []
    at = 0
    codes = sorted((span.start, span.end) for span in rich.spans if span.kind in ("code", "pre"))
    for found in _MENTION.finditer(rich.text):
        code = bisect_right(codes, (found.start(), len(rich.text))) - 1
        if code < 0 or codes[code][1] <= found.start():
            parts.append(Rich(rich.text[at : found.end()] + _JOINER))
            at = found.end()
    if not parts:
        return rich
    places = list(accumulate(len(part.text) - 1 for part in parts))
    spans = (
        replace(s, start=s.start + bisect_right(places, s.start), end=s.end + bisect_left(places, s.end)) for s in rich.spans
    )
    return Rich("".join(part.text for part in parts) + rich.text[at:], tuple(spans))


def _with_sources(answer: Rich, sources: Sequence[Source]) -> Rich:
    """Return the answer with its sources below: all the titles, and as many passages, first ones first, as fit one message."""
    if not sources:
        return answer
    answer = answer.trimmed()
    items = [_title(number, source) for number, source in enumerate(sources, start=1)]
    whole = _below(answer, items)
    told = on_one_line(answer.text)
    for place, source in enumerate(sources):
        passage = _passage(source)
        if on_one_line(passage.text) in told:
            continue
        longer = [*items[:place], joined((items[place], Rich("\n"), passage)), *items[place + 1 :]]
        if fits(attempt := _below(answer, longer)):
            items, whole = longer, attempt
    return whole


def _below(answer: Rich, items: Sequence[Rich]) -> Rich:
    lines = [part for item in items for part in (Rich("\n"), item)][1:]
    return joined((answer, Rich("\n\n"), *lines)) if answer.text else joined(lines)


def _title(number: int, source: Source) -> Rich:
    title = Rich(shorten(" ".join(clean(source.title).split()) or "…", TITLE_UNITS))
    link = _opened(source.link)
    linked = title.styled("link", link) if safe_link(link) else title
    return Rich(f"{number}. ") + linked


def _opened(link: str) -> str:
    """Return where Telegram's apps open what `link` names: a message of a supergroup has an address, that of another chat has none.

    Source: https://core.telegram.org/api/links#message-links
    """
    message = _MESSAGE_LINK.fullmatch(link)
    if message is None:
        return link
    topic = f"{message['topic']}/" if message["topic"] else ""
    return f"https://t.me/c/{message['chat']}/{topic}{message['id']}"


def _passage(source: Source) -> Rich:
    """Return what is shown of the passage: its marked range in bold, and as much around it as there is room for."""
    start, end = source.marked or (0, 0)
    before, marked, after = map(_compact, (source.text[:start], source.text[start:end], source.text[end:]))
    marked = shorten(marked, QUOTE_UNITS)
    room = max(0, QUOTE_UNITS - units(marked))
    lead = _end_of(before, room // 2 if after else room)
    follow = shorten(after, max(1, room - units(lead)))
    shown = joined((Rich(lead), Rich(marked).styled("bold"), Rich(follow)))
    return shown.trimmed().styled("expandable")


def _compact(text: str) -> str:
    return re.sub(r"(?<![^\S\n])[^\S\n]*\n\s*", "\n", clean(text))


def _end_of(text: str, limit: int) -> str:
    """Return the last words of `text` in at most `limit` units."""
    if units(text) <= limit:
        return text
    window = text[-limit:] if limit else ""
    while units(window) > limit - 1:
        window = window[1:]
    _word, _space, words = window.partition(" ")
    return f"…{words}" if words else ""
