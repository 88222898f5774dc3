"""The lines of a PDF's page with their places: words, their left and right edges, the letters' size. Runs in the sandbox's child.

Owns the geometry that pdfium tells. Leaves to `bot.retrieval.parse_pdf_layout` what lines mean: heading, table, paragraph.

    lines = read_lines(page)      # of pypdfium2, in the file's own order
"""

from __future__ import annotations

import ctypes
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot import lazy
from bot.retrieval.decode import clean

SAME_LINE = 0.6
"""Share of the lower line's height that must overlap for two stretches to be one line."""

MOST_LETTERS = 200
"""Letters of a page that are asked how they are turned."""
FULL_LINE = 0.75
"""Share of the usual line length from which a line is taken to go on in the next."""
CUT_ROOM = 1.25
"""Letters' heights that stay free at a line's end, at most, where lines are cut between any two syllables."""
CUT_SHARE = 0.9
"""Share of a file's lines that must leave so little."""
_HANGUL = lazy.compile("[\uac00-\ud7a3]")


@dataclass(frozen=True, slots=True)
class Word:
    """A word and where it stands, in points from the page's left."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    """Words side by side; `bottom` and `top` in points from the page's bottom, `bold` by the font's name."""

    words: tuple[Word, ...]
    bottom: float
    top: float
    bold: bool = False

    @property
    def text(self) -> str:
        """The words with a space between."""
        return " ".join(word.text for word in self.words)

    @property
    def size(self) -> float:
        """The height of its letters."""
        return self.top - self.bottom

    @property
    def left(self) -> float:
        """Where the first word begins."""
        return self.words[0].left

    @property
    def right(self) -> float:
        """Where the last word ends."""
        return self.words[-1].right


@dataclass(frozen=True, slots=True)
class Turn:
    """A page's letters are turned by so many quarters of a circle, against the clock; its size in points as the file has it."""

    quarters: int
    width: float
    height: float

    def upright(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        """Return the left, bottom, right and top of a box after the page was turned back."""
        match self.quarters:
            case 1:
                left, bottom, right, top = bottom, self.width - right, top, self.width - left
            case 2:
                left, bottom, right, top = self.width - right, self.height - top, self.width - left, self.height - bottom
            case 3:
                left, bottom, right, top = self.height - top, left, self.height - bottom, right
        return min(left, right), min(bottom, top), max(left, right), max(bottom, top)


def read_lines(page: Any) -> list[Line]:  # pypdfium2 has no types
    """Return the lines of a page in the order of the file, stretches of one height side by side joined."""
    textpage = page.get_textpage()
    try:
        text = textpage.get_text_range()
        if len(text) != textpage.count_chars():  # letters beyond the basic plane count twice in one of the two
            return []
        turn = _turned(page, textpage, text)
        stretches = list(_stretches(textpage, text, turn))
        if 90 * turn.quarters != page.get_rotation():  # not as the page is shown: pdfium tells such lines in no useful order
            stretches = list(_from_top(stretches))
        return list(_side_by_side(stretches))
    finally:
        textpage.close()


def cuts_words(pages: Sequence[Sequence[Line]]) -> bool:
    """Say whether Korean lines end where they are full, in the middle of a word or not: no room is left for one more syllable."""
    rooms: list[float] = []
    for lines in pages:
        open_lines = [line for line, below in itertools.pairwise(lines) if _goes_on_in_hangul(line, below)]
        right = max((line.right for line in open_lines), default=0.0)
        full = [line for line in open_lines if line.right - line.left >= FULL_LINE * (right - line.left)]
        rooms += [(right - line.right) / line.size for line in full]
    return bool(rooms) and sum(1 for room in rooms if room <= CUT_ROOM) >= CUT_SHARE * len(rooms)


def _goes_on_in_hangul(line: Line, below: Line) -> bool:
    """Say whether two lines of one size, one right below the other, meet in Hangul."""
    near = 0 <= line.bottom - below.bottom <= 2 * line.size and round(line.size) == round(below.size)
    return near and bool(_HANGUL.match(line.text[-1]) and _HANGUL.match(below.text))


def _turned(page: Any, textpage: Any, text: str) -> Turn:
    """Return how most letters of a page are turned, so that what is read is upright: pages are scanned and drawn on their sides."""
    import pypdfium2.raw as pdfium  # noqa: PLC0415 - loaded for what needs it alone

    letters = [at for at, letter in enumerate(text) if not letter.isspace()][:MOST_LETTERS]
    angles = [pdfium.FPDFText_GetCharAngle(textpage, at) for at in letters]  # radians with the clock, -1 where it cannot tell
    quarters = Counter(-round(angle / (math.pi / 2)) % 4 for angle in angles if angle >= 0)
    left, bottom, right, top = page.get_mediabox()
    return Turn(quarters.most_common(1)[0][0] if quarters else 0, right - left, top - bottom)


def _from_top(lines: Sequence[Line]) -> Iterator[Line]:
    """Yield the words of `lines` as lines from top to bottom, each from left to right."""
    placed = sorted(((line, word) for line in lines for word in line.words), key=lambda pair: -pair[0].bottom)
    row: list[tuple[Line, Word]] = []
    for line, word in placed:
        if row and row[0][0].bottom - line.bottom > line.size / 2:
            yield _row(row)
            row = []
        row.append((line, word))
    if row:
        yield _row(row)


def _row(row: Sequence[tuple[Line, Word]]) -> Line:
    first = row[0][0]
    return replace(first, words=tuple(sorted((word for _line, word in row), key=lambda word: word.left)))


def _stretches(textpage: Any, text: str, turn: Turn) -> Iterator[Line]:
    """Yield what stands between two line ends of pdfium's own."""
    begin = 0
    for end in [at for at, letter in enumerate(text) if letter in "\r\n"] + [len(text)]:
        if (line := _line(textpage, text, begin, end, turn)) is not None:
            yield line
        begin = end + 1


def _line(textpage: Any, text: str, begin: int, end: int, turn: Turn) -> Line | None:
    import pypdfium2.raw as pdfium  # noqa: PLC0415 - loaded for what needs it alone

    box = pdfium.FS_RECTF()
    words: list[Word] = []
    letters, left, right = "", 0.0, 0.0
    bottoms: list[float] = []
    tops: list[float] = []
    for at in range(begin, end + 1):
        letter = text[at] if at < end else " "
        if letter.isspace():
            if said := clean(letters.replace("\ufffe", "-")).strip():
                words.append(Word(said, left, right))
            letters = ""
            continue
        if not pdfium.FPDFText_GetLooseCharBox(textpage, at, box):
            continue
        near, below, far, above = turn.upright(box.left, box.bottom, box.right, box.top)
        left, right = (min(left, near), max(right, far)) if letters else (near, far)
        letters += letter
        bottoms.append(below)
        tops.append(above)
    if not words:
        return None
    middle = len(tops) // 2
    return Line(tuple(words), sorted(bottoms)[middle], sorted(tops)[middle], _is_bold(textpage, begin))


def _is_bold(textpage: Any, at: int) -> bool:
    import pypdfium2.raw as pdfium  # noqa: PLC0415 - as above

    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(textpage, at, name, len(name), flags)
    return any(weight in name.value.lower() for weight in (b"bold", b"black", b"heavy"))


def _side_by_side(lines: Sequence[Line]) -> Iterator[Line]:
    """Yield `lines`, those that stand at one height joined, from left to right: a table's cells come one by one."""
    open_line: Line | None = None
    for line in lines:
        if open_line is not None and _level(open_line, line) and line.left >= open_line.right:
            words = (*open_line.words, *line.words)
            open_line = Line(words, open_line.bottom, open_line.top, open_line.bold and line.bold)
            continue
        if open_line is not None:
            yield open_line
        open_line = line
    if open_line is not None:
        yield open_line


def _level(above: Line, line: Line) -> bool:
    overlap = min(above.top, line.top) - max(above.bottom, line.bottom)
    return overlap > SAME_LINE * min(above.size, line.size)
