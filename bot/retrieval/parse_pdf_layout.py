"""What the lines of a PDF are: running heads, headings, tables, paragraphs. Runs in the sandbox's child.

A PDF knows letters and places alone. A heading is taller (or bolder) than the body; a table is lines one below the other that
leave the same gutters white; a running head stands at the same height of most pages and says the same but for numbers.

    blocks = layout([read_lines(page) for page in pages], heights)
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median, median_low

from bot import lazy
from bot.retrieval.document import Block
from bot.retrieval.parse_pdf_lines import FULL_LINE, Line, Word, cuts_words
from bot.retrieval.parse_text import rows_to_blocks
from bot.text.words import is_cut_word

MARGIN = 0.12
"""Share of a page's height, at its top and at its foot, where running heads stand."""
RUNNING_SHARE = 0.6
"""Share of the pages that must say the same there."""
TALLER = 1.12
"""How much taller than the body a heading's letters are."""
LONGEST_HEADING = 120
LONGEST_BOLD = 80
CELL_GAP = 0.9
"""Letters' heights between two words that are of two cells."""
GUTTER = 0.45
"""Letters' heights of white that all lines of a table leave between two columns."""
WIDER = 1.5
"""How much wider a gutter is than the white between two words of a line."""
TIGHT = 0.4
"""Letters' heights between two lines of one cell."""
LONG_CELL = 60
"""Characters of a cell, on average, from which the columns are of prose."""
NEW_PARAGRAPH = 1.4
"""How much more than usual lies between two lines of two paragraphs."""
_ENDS = lazy.compile(r"[.!?:;。…]['\")\]”’]*$")
_ITEM = lazy.compile(r"^\s*(?:[-•*▪◦·○●□■※]|\(?\d{1,3}[.)]|[가-하][.)]|[①-⑳])\s")
_HYPHEN = lazy.compile(r"(?<=[a-z])[-\u00ad\ufffe\u0002]$")
_LEADERS = lazy.compile(r"(?<!\s)\s*+(?:(?:\s?\.){4,}|…{2,}|(?:\s?·){4,})\s*")
"""What leads from a line of contents to its page."""
_NUMBERS = lazy.compile(r"\d+")
_PAGE_NUMBER = lazy.compile(
    r"^[^\w#]*+(?:(?:page|seite|p\.?|쪽|페이지)[^\w#]*+)?(?:#|[ivxl]+)(?:\s*+(?:of|/|von|중)\s*+#)?[^\w#]*+(?:(?:쪽|페이지)[^\w#]*+)?$",
    re.IGNORECASE,
)

Region = tuple[int, int, list[float]]
"""Lines from..to (half-open) that are a table, and the middles of its gutters."""


def layout(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> list[Block]:
    """Return the blocks of all pages, in order; page numbers count from 1."""
    kept, running = _without_running(pages, heights)
    body = _body_size(kept)
    sizes = sorted({round(line.size) for lines in kept for line in lines if _is_taller(line, body)}, reverse=True)
    level = {size: min(place, 5) for place, size in enumerate(sizes, start=1)}
    cut = cuts_words(kept)
    blocks: list[Block] = []
    for number, lines in enumerate(kept, start=1):
        blocks += _page(lines, number, body, level, cut=cut)
        blocks += [Block("text", text, page=number) for text in running.get(number, ())]
    return blocks


def paragraphs(lines: Sequence[str], *, cut: bool = False) -> list[str]:
    """Return `lines` of a page joined into paragraphs: a full line that ends no sentence goes on in the next.

    With `cut`, the end of a line may stand in the middle of a Korean word.
    """
    usual = median(len(line) for line in lines if line.strip()) if any(line.strip() for line in lines) else 0
    done: list[str] = []
    open_line = False
    for line in (line.rstrip() for line in lines):
        if not line.strip():
            open_line = False
        elif open_line and not _ITEM.match(line):
            done[-1] = _joined(done[-1], line.strip(), cut=cut)
            open_line = _goes_on(line, usual)
        else:
            done.append(line.strip())
            open_line = _goes_on(line, usual)
    return done


def _without_running(pages: Sequence[Sequence[Line]], heights: Sequence[float]) -> tuple[list[list[Line]], dict[int, list[str]]]:
    """Return the pages without their running heads and feet, and by page what of these is said for the first time."""
    body = _body_size(pages)
    said = [
        {at: _without_number(line, body) for at, line in enumerate(lines) if _in_margin(line, height)}
        for lines, height in zip(pages, heights, strict=True)
    ]
    often = Counter(text for page in said for text in set(page.values()))
    least = max(2, RUNNING_SHARE * sum(1 for lines in pages if lines))
    kept: list[list[Line]] = []
    told: dict[int, list[str]] = {}
    seen: set[str] = set()
    for number, (lines, page) in enumerate(zip(pages, said, strict=True), start=1):
        gone = {
            at for at, text in page.items()
            if (often[text] >= least and any(map(str.isalpha, text))) or (_PAGE_NUMBER.match(text) and len(lines) > 1)
        }  # fmt: skip
        kept.append([line for at, line in enumerate(lines) if at not in gone])
        for at in sorted(gone):
            if page[at] not in seen and not _PAGE_NUMBER.match(page[at]):
                told.setdefault(number, []).append(lines[at].text)
            seen.add(page[at])
    return kept, told


def _without_number(line: Line, body: float) -> str:
    """Return what a line says but for numbers; with them where it is taller than the body: Article 1 and Article 2 are two headings."""
    return line.text if _is_taller(line, body) else _NUMBERS.sub("#", line.text)


def _in_margin(line: Line, height: float) -> bool:
    return line.bottom > (1 - MARGIN) * height or line.top < MARGIN * height


def _body_size(pages: Sequence[Sequence[Line]]) -> float:
    """Return the height of most letters."""
    letters: Counter[int] = Counter()
    for lines in pages:
        for line in lines:
            letters[round(line.size)] += len(line.text)
    return float(letters.most_common(1)[0][0]) if letters else 0.0


def _is_taller(line: Line, body: float) -> bool:
    return (
        line.size > TALLER * body + 0.5
        and len(line.text) <= LONGEST_HEADING
        and any(letter.isalnum() for letter in line.text)
        and not _LEADERS.search(line.text)
    )


def _page(lines: Sequence[Line], page: int, body: float, level: dict[int, int], *, cut: bool) -> Iterator[Block]:
    """Yield the blocks of one page."""
    regions = {start: (start, end, gutters) for start, end, gutters in _tables(lines)}
    open_lines: list[Line] = []
    right = max((line.right for line in lines), default=0.0)
    at = 0
    while at < len(lines):
        line = lines[at]
        heading = level.get(round(line.size)) if _is_taller(line, body) else None
        if at in regions:
            yield from _said(open_lines, page, cut=cut)
            _start, end, gutters = regions[at]
            yield from _table(lines[at:end], gutters, page)
            at = end
        elif heading or _is_bold_heading(lines, at):
            yield from _said(open_lines, page, cut=cut)
            end = at + 1
            while heading and end < len(lines) and end not in regions and _goes_on_below(lines[end - 1], lines[end], right):
                end += 1
            yield Block("heading", " ".join(one.text for one in lines[at:end]), heading or 6, page)
            at = end
        else:
            open_lines.append(line)
            at += 1
    yield from _said(open_lines, page, cut=cut)


def _goes_on_below(line: Line, following: Line, right: float) -> bool:
    """Say whether a heading goes on: letters of one size, and no room for the next word."""
    first = following.words[0]
    tight = 0 <= line.bottom - following.top < line.size
    return round(line.size) == round(following.size) and tight and line.right + first.right - first.left > right


def _is_bold_heading(lines: Sequence[Line], at: int) -> bool:
    """Say whether a bold line stands above one that is not."""
    line = lines[at]
    if not line.bold or len(line.text) > LONGEST_BOLD or _ENDS.search(line.text):
        return False
    return at + 1 < len(lines) and not lines[at + 1].bold and not (at and lines[at - 1].bold)


def _said(lines: list[Line], page: int, *, cut: bool) -> Iterator[Block]:
    """Yield the paragraphs of `lines`, and empty it."""
    gaps = [above.bottom - line.top for above, line in itertools.pairwise(lines)]
    usual = median_low(gap + line.size for gap, line in zip(gaps, lines[1:], strict=True)) if gaps else 0.0
    texts: list[str] = []
    for at, line in enumerate(lines):
        if at and not 0 <= gaps[at - 1] + line.size <= NEW_PARAGRAPH * usual:
            texts.append("")
        texts.append(_LEADERS.sub(" … ", line.text))
    lines.clear()
    yield from (Block("text", paragraph, page=page) for paragraph in paragraphs(texts, cut=cut))


def _tables(lines: Sequence[Line]) -> Iterator[Region]:
    """Yield the stretches of lines that are tables."""
    at = 0
    while at < len(lines) - 1:
        end = at
        gutters: list[float] = []
        while end < len(lines) and (end == at or _follows(lines[end - 1], lines[end])):
            wider = _gutters(lines[at : end + 1])
            if not wider or not _parts(lines[end], wider, gutters):
                break
            gutters = wider
            end += 1
        rows = [line for line in lines[at:end] if _wide_gap(line)]
        if len(rows) > 1 and end - at > 1:
            yield at, end, gutters
            at = end
        else:
            at += 1


def _follows(above: Line, line: Line) -> bool:
    """Say whether `line` stands right below `above`."""
    gap = above.bottom - line.top
    return -TIGHT * line.size <= gap < 3 * line.size


def _parts(line: Line, gutters: Sequence[float], before: Sequence[float]) -> bool:
    """Say whether `line` belongs to a table of these gutters: words on both sides of one, or the rest of a cell above it."""
    sides = {_column(word, gutters) for word in line.words}
    if len(gutters) < len(before):
        return False
    if len(sides) == 1:
        return bool(before) and sides != {0}
    return not before or _wide_gap(line) or _leaves_wide(line, before)


def _leaves_wide(line: Line, gutters: Sequence[float]) -> bool:
    """Say whether what a line leaves white at the gutters is wider than between its other words."""
    gaps = [(before.right, word.left) for before, word in itertools.pairwise(line.words)]
    usual = median_low(right - left for left, right in gaps)
    at_gutters = [right - left for left, right in gaps if any(left < gutter < right for gutter in gutters)]
    return bool(at_gutters) and (len(gaps) == len(at_gutters) or min(at_gutters) > WIDER * usual)


def _wide_gap(line: Line) -> bool:
    return any(word.left - before.right > CELL_GAP * line.size for before, word in itertools.pairwise(line.words))


def _gutters(lines: Sequence[Line]) -> list[float]:
    """Return the middles of what all `lines` leave white between their words, as wide as a gutter at least."""
    words = sorted((word.left, word.right) for line in lines for word in line.words)
    least = GUTTER * median(line.size for line in lines) if len(lines) > 1 else CELL_GAP * lines[0].size
    found, reach = [], words[0][1]
    for left, right in words[1:]:
        if left - reach > least:
            found.append((reach + left) / 2)
        reach = max(reach, right)
    return found


def _column(word: Word, gutters: Sequence[float]) -> int:
    return sum(1 for gutter in gutters if word.left > gutter)


def _table(lines: Sequence[Line], gutters: Sequence[float], page: int) -> Iterator[Block]:
    """Yield a table's rows, or columns of prose one after the other."""
    gutters = _real(lines, gutters)
    split = [
        [[word.text for word in line.words if _column(word, gutters) == column] for column in range(len(gutters) + 1)]
        for line in lines
    ]
    cells = [[" ".join(words) for words in row] for row in split]
    filled = [cell for row in cells for cell in row if cell]
    if sum(map(len, filled)) > LONG_CELL * len(filled) or _is_prose(lines, cells):
        for column in range(len(gutters) + 1):
            yield from (Block("text", text, page=page) for text in paragraphs([row[column] for row in cells if row[column]]))
        return
    rows: list[list[str]] = []
    for at, row in enumerate(cells):
        tight = at > 0 and lines[at - 1].bottom - lines[at].top < TIGHT * lines[at].size
        if rows and len(rows) > 1 and not row[0] and tight and sum(map(bool, row)) < len(row) - 1:
            rows[-1] = [f"{above} {cell}".strip() for above, cell in zip(rows[-1], row, strict=True)]
        elif rows and not row[0]:
            rows.append([rows[-1][0], *row[1:]])
        else:
            rows.append(row)
    yield from rows_to_blocks(rows, page=page)


def _real(lines: Sequence[Line], gutters: Sequence[float]) -> list[float]:
    """Return those of `gutters` that some line has words on both sides of: a centred name may stand beside its column."""
    real = list(gutters)
    sides = [{_column(word, real) for word in line.words} for line in lines]
    for column in range(len(real), 0, -1):
        if not any({column - 1, column} <= side for side in sides):
            del real[column - 1]
            sides = [{_column(word, real) for word in line.words} for line in lines]
    return real


def _is_prose(lines: Sequence[Line], cells: Sequence[Sequence[str]]) -> bool:
    """Say whether two columns are a newspaper's: many lines close together, both sides mostly full and long."""
    if len(cells[0]) != 2 or len(cells) < 6:  # noqa: PLR2004 - two columns of six lines or more
        return False
    lengths = [len(cell) for row in cells for cell in row if cell]
    close = sum(1 for above, line in itertools.pairwise(lines) if above.bottom - line.top < TIGHT * line.size)
    return median(lengths) > LONG_CELL / 2 and close > 0.8 * (len(lines) - 1)


def _goes_on(line: str, usual: float) -> bool:
    return len(line) >= FULL_LINE * usual and not _ENDS.search(line)


def _joined(before: str, line: str, *, cut: bool) -> str:
    if _HYPHEN.search(before) and line[:1].islower():
        return before[:-1] + line
    return before + line if cut and is_cut_word(before, line) else f"{before} {line}"
