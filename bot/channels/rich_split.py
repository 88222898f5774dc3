"""Cutting a long text into messages that a platform takes.

Owns where a cut may stand: at the border of a paragraph, a line, a sentence or a word, never in a surrogate pair or a grapheme
cluster, and never in a span that fits into one message. A span that does not (a fence of 5,000 characters) goes on in the next
message. Leaves to others what the text is.

    split(Rich("word " * 2000))  # three Rich, each of at most 4,096 UTF-16 units; joined they are the text again
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot import lazy
from bot.channels.rich_text import Rich, Span, units

TEXT_UNITS = 4096
"""The longest text of one message, in UTF-16 units. Source: https://core.telegram.org/bots/api#sendmessage"""
CAPTION_UNITS = 1024
"""The longest caption. Source: https://core.telegram.org/bots/api#sendphoto"""

Measure = Callable[[str], int]

_BORDERS = tuple(
    (lazy.compile_regex(pattern), least)
    for pattern, least in (
        (r"\n[ \t]*\n\s*", 0.5),
        (r"\n", 0.5),
        (r"\p{STerm}[\p{Pe}\p{Pf}\"']*\s+", 0.5),
        (r"\s", 0.25),
    )
)
"""What may stand before a cut, best first, and the least share of a message that it must leave filled."""
_CLUSTER = lazy.compile_regex(r"\X")


def split(rich: Rich, limit: int = TEXT_UNITS, *, measure: Measure = units) -> list[Rich]:
    """Return `rich` cut into parts of at most `limit` UTF-16 units; their texts joined are its text. `[]` for an empty one.

    `measure` counts in another unit, in which no code point is less than one.
    """
    return [rich.cut(start, end) for start, end in _ranges(rich, limit, measure)]


def size_bytes(text: str) -> int:
    """Return the length of `text` in bytes of UTF-8: a measure for platforms that count so."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def fits(rich: Rich, limit: int = TEXT_UNITS) -> bool:
    """Say whether it is one message."""
    return len(rich.text) <= limit and units(rich.text) <= limit


def shorten(text: str, limit: int) -> str:
    """Return `text` in at most `limit` UTF-16 units, cut at a grapheme cluster, with an ellipsis where something went."""
    if units(text) <= limit:
        return text
    end = _reach(text, 0, limit - 1, units)
    return text[: _clusters(text, 0, end).before(end)].rstrip() + "…"


def _ranges(rich: Rich, limit: int, measure: Measure) -> Iterator[tuple[int, int]]:
    whole = [span for span in rich.spans if measure(rich.text[span.start : span.end]) <= limit]
    start = 0
    while start < len(rich.text):
        end = _reach(rich.text, start, limit, measure)
        if end < len(rich.text):
            near = [span for span in whole if span.start < end and span.end > start]
            end = _border(rich.text, start, end, near)
        yield start, end
        start = end


def _reach(text: str, start: int, limit: int, measure: Measure) -> int:
    """Return the furthest end for which `text[start:end]` has at most `limit` units; at least one code point."""
    window = text[start : start + limit]
    end = start + len(window)
    over = measure(window) - limit
    while over > 0:
        end -= 1
        over -= measure(text[end])
    return max(end, start + 1)


def _border(text: str, start: int, furthest: int, whole: list[Span]) -> int:
    """Return the best end of a part in (start, furthest]."""
    clusters = _clusters(text, start, furthest)
    last = _settle(start, furthest, whole, clusters) or clusters.before(furthest)
    last = last if last > start else furthest
    for border, least in _BORDERS:
        floor = start + int((last - start) * least)
        for match in reversed(list(border.finditer(text, start, last))):
            if match.end() < floor:
                break
            if match.end() == _settle(start, match.end(), whole, clusters):
                return int(match.end())
    return last


def _settle(start: int, end: int, whole: list[Span], clusters: _Clusters) -> int | None:
    """Return `end`, moved back to where it cuts neither a whole span nor a cluster; None where that is nowhere after `start`."""
    place = end
    while place > start:
        moved = clusters.before(min((span.start for span in whole if span.start < place < span.end), default=place))
        if moved == place:
            return place
        place = moved
    return None


@dataclass(frozen=True, slots=True)
class _Clusters:
    """Where grapheme clusters begin in a stretch of text; None where each sign is one."""

    begins: list[int] | None

    def before(self, place: int) -> int:
        """Return the last place up to `place` at which none is cut."""
        return place if self.begins is None else self.begins[max(0, bisect_right(self.begins, place) - 1)]


def _clusters(text: str, start: int, end: int) -> _Clusters:
    """Return the clusters of text[start:end]; looked for once, for a run of flags or marks is only known from its beginning."""
    window = text[start : end + 1]
    if window.isascii():
        return _Clusters(None)
    return _Clusters([start, *(start + match.end() for match in _CLUSTER.finditer(window) if match.end() < len(window))])
