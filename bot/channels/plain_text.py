r"""A reply in words alone, for a platform that shows nothing else: sources, pictures and buttons are told of.

    plain(reply)    # "March\n\n1. plan.md (https://…)\n> We move on 3 March.\n\n#1 More   #2 Wrong skill?"

A button is pressed by writing its number (`bot.channels.incoming.pressed_number`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from bot import lazy
from bot.channels.rich_sources import with_sources
from bot.channels.rich_text import Rich, Span, clean, parse
from bot.locale import phrases
from bot.message import Reply

_ = phrases(__file__)

_NEWLINE = lazy.compile(r"\n")


def plain(reply: Reply) -> str:
    """Return all that `reply` shows: paragraphs with empty lines between, without control characters; "" for nothing."""
    parts = [words(with_sources(parse(reply.text), reply.sources)).strip()]
    parts += [_("[picture: {words}]", words=clean(picture.alt).strip() or "–").to(reply.language) for picture in reply.images]
    labels = [f"#{number} {clean(button.label).strip()}" for number, button in enumerate(reply.buttons, 1)]
    if labels:
        parts.append(_("Write the number: {buttons}", buttons="   ".join(labels)).to(reply.language))
    return "\n\n".join(part for part in parts if part)


def words(rich: Rich) -> str:
    """Return the text: links' addresses behind their words, marks before quoted lines, « » around what is bold in a quote."""
    marks: list[tuple[int, int, str]] = []
    quotes = [span for span in rich.spans if span.kind == "quote"]
    for span in quotes:
        begins = [span.start, *(found.end() for found in _NEWLINE.finditer(rich.text, span.start, span.end - 1))]
        marks += [(place, 0, "> ") for place in begins]
    for span in rich.spans:
        if span.kind == "link" and span.detail != rich.text[span.start : span.end]:
            marks.append((span.end, 0, f" ({span.detail})"))
        elif span.kind == "bold" and _within(span, quotes):
            marks += [(span.start, 1, "«"), (span.end, -1, "»")]
    pieces, at = [], 0
    for place, _order, mark in sorted(marks):
        pieces += [rich.text[at:place], mark]
        at = place
    return "".join([*pieces, rich.text[at:]])


def _within(span: Span, quotes: Sequence[Span]) -> bool:
    before = bisect_right(quotes, span.start, key=lambda quote: quote.start) - 1
    return before >= 0 and span.end <= quotes[before].end
