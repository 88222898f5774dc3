"""Cutting a long text into messages that Telegram takes.

Owns where a cut may stand: at the border of a paragraph, a line, a sentence or a word, never in a surrogate pair or a grapheme
cluster, and never in a span that fits into one message. A span that does not (a fence of 5,000 characters) goes on in the next
message. Leaves to others what the text is.

    split(Rich("word " * 2000))  # three Rich, each of at most 4,096 UTF-16 units; joined they are the text again
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from bot.channels.telegram_text import Rich, Span, units

TEXT_UNITS = 4096
"""The longest text of one message, in UTF-16 units. Source: https://core.telegram.org/bots/api#sendmessage"""
CAPTION_UNITS = 1024
"""The longest caption. Source: https://core.telegram.org/bots/api#sendphoto"""

_BORDERS = tuple(
    (regex.compile(pattern), least)
    for pattern, least in (
        (r"\n[ \t]*\n\s*", 0.5),
        (r"\n", 0.5),
        (r"\p{STerm}[\p{Pe}\p{Pf}\"']*\s+", 0.5),
        (r"\s", 0.25),
    )
)
"""What may stand before a cut, best first, and the least share of a message that it must leave filled."""
_CLUSTER = regex.compile(r"\X")


def split(rich: Rich, limit: int = TEXT_UNITS) -> list[Rich]:
    """Return `rich` cut into parts of at most `limit` UTF-16 units; their texts joined are its text. `[]` for an empty one."""
    return [rich.cut(start, end) for start, end in _ranges(rich, limit)]


def fits(rich: Rich, limit: int = TEXT_UNITS) -> bool:
    """Say whether it is one message."""
    return len(rich.text) <= limit and units(rich.text) <= limit


def shorten(text: str, limit: int) -> str:
    """Return `text` in at most `limit` UTF-16 units, cut at a grapheme cluster, with an ellipsis where something went."""
    if units(text) <= limit:
        return text
    return text[: _cluster_start(text, 0, _reach(text, 0, limit - 1))].rstrip() + "…"


def _ranges(rich: Rich, limit: int) -> Iterator[tuple[int, int]]:
    whole = [span for span in rich.spans if units(rich.text[span.start : span.end]) <= limit]
    start = 0
    while start < len(rich.text):
        end = _reach(rich.text, start, limit)
        if end < len(rich.text):
            near = [span for span in whole if span.start < end and span.end > start]
            end = _border(rich.text, start, end, near)
        yield start, end
        start = end


def _reach(text: str, start: int, limit: int) -> int:
    """Return the furthest end for which `text[start:end]` has at most `limit` units; at least one code point."""
    window = text[start : start + limit]
    end = start + len(window)
    over = units(window) - limit
    while over > 0:
        end -= 1
        over -= units(text[end])
    return max(end, start + 1)


def _border(text: str, start: int, furthest: int, whole: list[Span]) -> int:
    """Return the best end of a part in (start, furthest]."""
    last = _settle(text, start, furthest, whole) or _cluster_start(text, start, furthest)
    last = last if last > start else furthest
    for border, least in _BORDERS:
        floor = start + int((last - start) * least)
        for match in reversed(list(border.finditer(text, start, last))):
            if match.end() < floor:
                break
            if match.end() == _settle(text, start, match.end(), whole):
                return int(match.end())
    return last


def _settle(text: str, start: int, end: int, whole: list[Span]) -> int | None:
    """Return `end`, moved back to where it cuts neither a whole span nor a cluster; None where that is nowhere after `start`."""
    place = end
    while place > start:
        moved = min((span.start for span in whole if span.start < place < span.end), default=place)
        moved = _cluster_start(text, start, moved) if moved > start else moved
        if moved == place:
            return place
        place = moved
    return None


def _cluster_start(text: str, start: int, end: int) -> int:
    """Return the start of the grapheme cluster that `end` would cut, or `end` itself. No cluster goes on with an ASCII sign."""
    if end >= len(text) or text[end].isascii():
        return end
    look = end - 1
    while look > start and not text[look].isascii():
        look -= 1
    for cluster in _CLUSTER.finditer(text, look):
        if cluster.end() >= end:
            return end if cluster.end() == end else int(cluster.start())
    return end
