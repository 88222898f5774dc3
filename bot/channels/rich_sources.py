r"""An answer's sources below it, where a platform has no look of its own for them: numbered titles, each with its passage as a quote.

with_sources(parse("**March**"), reply.sources)    # Rich("March\n\n1. plan.md\nWe move on 3 March.", ...)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.channels.rich_split import shorten
from bot.channels.rich_text import Rich, clean, joined, safe_link
from bot.message import Source

TITLE_UNITS: Final = 120
QUOTE_UNITS: Final = 600


def with_sources(answer: Rich, sources: Sequence[Source]) -> Rich:
    """Return the answer with its sources below: each a title, and, where the answer does not quote it, its passage, the marked range in bold."""
    lines: list[Rich] = []
    told = on_one_line(answer.text)
    for number, source in enumerate(sources, start=1):
        title = Rich(shorten(" ".join(clean(source.title).split()) or "…", TITLE_UNITS))
        linked = title.styled("link", source.link) if safe_link(source.link) else title
        passage = _passage(source)
        shown = () if on_one_line(passage.text) in told else (Rich("\n"), passage)
        lines.append(joined((Rich(f"{number}. "), linked, *shown)))
    if not lines:
        return answer
    below = joined([part for line in lines for part in (Rich("\n"), line)][1:])
    return joined((answer, Rich("\n\n"), below)) if answer.text else below


def on_one_line(text: str) -> str:
    """Return `text` as an answer quotes it, which is on one line, without the marks of what was left out at its ends."""
    return " ".join(text.strip("… \n").split())


def _passage(source: Source) -> Rich:
    start, end = source.marked or (0, 0)
    before, marked, after = source.text[:start], source.text[start:end], source.text[end:]
    shown = shorten(clean(marked), QUOTE_UNITS)
    room = max(0, QUOTE_UNITS - len(shown))
    lead = clean(before)[-(room // 2) :] if room > 1 and before else ""
    return (
        joined((Rich(lead), Rich(shown).styled("bold"), Rich(shorten(clean(after), max(1, room - len(lead))))))
        .trimmed()
        .styled("quote")
    )
