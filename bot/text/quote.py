"""A passage as a quote in Markdown: the sentence that answers in bold, with some of what stands around it.

quoted("It is big. It opened in 2019. It is blue.", (11, 29))   # "> It is big. **It opened in 2019.** It is blue."
"""

from __future__ import annotations

from typing import Final

from bot import lazy
from bot.text.shown import isolated, literal

LONGEST: Final = 600
"""Characters of a quote, about: a screen of a phone."""
BEFORE: Final = 0.35
"""Share of what is left for context that goes before the sentence."""
_SPACES = lazy.compile(r"\s+")


def quoted(text: str, marked: tuple[int, int] | None) -> str:
    """Return `text` as a quote; without a mark, its beginning."""
    start, end = marked if marked is not None else (0, 0)
    begin, stop = _window(text, start, end)
    before, sentence, after = (_plain(part) for part in (text[begin:start], text[start:end], text[end:stop]))
    said = " ".join(part for part in (before, f"**{sentence}**" if sentence else "", after) if part)
    return f"> {'… ' if begin > 0 else ''}{said}{' …' if stop < len(text.rstrip()) else ''}"


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


def _plain(part: str) -> str:
    """Return a stretch on one line, as it stands."""
    return literal(isolated(_SPACES.sub(" ", part).strip()))
