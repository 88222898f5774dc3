"""A passage as a quote in Markdown: the sentence that answers in bold, with some of what stands around it.

quoted("It is big. It opened in 2019. It is blue.", (11, 29))   # "> It is big. **It opened in 2019.** It is blue."

The items of a list, the rows of a table and the lines of a heading or an address stay lines; a paragraph runs on, wherever its
file broke it.
"""

from __future__ import annotations

import re
from typing import Final

from bot import lazy
from bot.text.shown import isolated, literal

LONGEST: Final = 600
"""Characters of a quote, about: a screen of a phone."""
BEFORE: Final = 0.35
"""Share of what is left for context that goes before the sentence."""
MOST_LINES: Final = 12
LINES_BEFORE: Final = 4
WRAPPED: Final = 50
"""Columns from which on a line's end may be where its file had to break it: a shorter line was ended on purpose."""
CELLS: Final = " | "
"""What stands between the cells of a row."""
_SPACES = lazy.compile(r"\s+")
_LISTED = lazy.compile(r"(?:[-*+•·‣▪○●□■※]|[(]?\w{1,3}[.)]|[①-⑳])\s")
_WIDE = lazy.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")


def quoted(text: str, marked: tuple[int, int] | None) -> str:
    """Return `text` as a quote; without a mark, its beginning."""
    start, end = marked if marked is not None else (0, 0)
    begin, stop = _window(text, start, end)
    lines = _lines(text, (begin, stop), (start, end))
    place = next((at for at, (_first, last) in enumerate(lines) if last > start), 0)
    above = max(0, min(place - LINES_BEFORE, len(lines) - MOST_LINES))
    shown = lines[above : above + MOST_LINES]
    said = [_line(text, one, (start, end)) for one in shown] or [""]
    if begin > 0 or above:
        said[0] = f"… {said[0]}"
    if stop < len(text.rstrip()) or above + MOST_LINES < len(lines):
        said[-1] = f"{said[-1]} …"
    return "\n".join(f"> {line}" for line in said)


def _window(text: str, start: int, end: int) -> tuple[int, int]:
    """Return what of `text` is shown around start..end, cut between words."""
    room = max(LONGEST - (end - start), 0)
    begin = max(0, start - int(room * BEFORE)) if start else 0
    stop = min(len(text), end + room - (start - begin))
    begin = max(0, begin - (room - (start - begin) - (stop - end)))
    if begin > 0:
        space = _SPACES.search(text, begin, start)
        begin = space.end() if space else start
    if stop < len(text):
        space_at = max(text.rfind(" ", end, stop), text.rfind("\n", end, stop))
        stop = space_at if space_at > end else max(stop, end)
    return begin, stop


def _lines(text: str, window: tuple[int, int], marked: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the half-open ranges of the lines that are shown of the window: the marked sentence stands in one of them."""
    lines, begin = [], window[0]
    for gap in _SPACES.finditer(text, *window):
        within = marked[0] <= gap.start() and gap.end() <= marked[1]
        if not within and _ends_line(text, gap):
            lines.append((begin, gap.start()))
            begin = gap.end()
    lines.append((begin, window[1]))
    return [(first, last) for first, last in lines if not text[first:last].isspace() and first < last]


def _ends_line(text: str, gap: re.Match[str]) -> bool:
    """Say whether what stands after the gap is a line of its own."""
    breaks = gap.group().count("\n")
    if breaks != 1:
        return breaks > 1
    before = text[text.rfind("\n", 0, gap.start()) + 1 : gap.start()]
    end = text.find("\n", gap.end())
    after = text[gap.end() : end if end >= 0 else len(text)]
    if _LISTED.match(after) or CELLS in before or CELLS in after:
        return True
    return len(before) + len(_WIDE.findall(before)) < WRAPPED


def _line(text: str, line: tuple[int, int], marked: tuple[int, int]) -> str:
    """Return a line, what is marked of it in bold."""
    start, end = (min(max(place, line[0]), line[1]) for place in marked)
    before, sentence, after = (_plain(part) for part in (text[line[0] : start], text[start:end], text[end : line[1]]))
    return " ".join(part for part in (before, f"**{sentence}**" if sentence else "", after) if part)


def _plain(part: str) -> str:
    """Return a stretch on one line, as it stands."""
    return literal(isolated(_SPACES.sub(" ", part).strip()))
