"""Documents into passages: pieces of some 200 tokens that end with a sentence and know their heading and page.

Owns where a document is cut. An embedder of 256 tokens sees a passage whole, with its title and heading before it; a reader
sees an answer in its paragraph. Neighbours are known by their position in the document, so nothing is kept twice.

    [piece.text for piece in pieces(document)]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from bot import lazy
from bot.retrieval.document import Block, Document
from bot.text.sentences import split

SIZE = 200
"""Tokens aimed at, by `tokens`."""
REST = 0.3
"""Share of SIZE below which what is left at the end joins the passage before it."""
PATH = " › "
"""Between the headings of a path."""
LONGEST_HEADING = 200
TOGETHER = frozenset({"text", "table"})
"""What a passage may hold side by side; code stays by itself."""
_LINE = lazy.compile(r"[^\n]*\n?")
_WORD = lazy.compile(r"\S+\s*")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage of a document before it is kept: `start` and `end` count characters of the stretch that it was cut from."""

    text: str
    heading: str
    page: int | None
    start: int
    end: int
    bare: bool = False
    """Whether it is headings alone."""


def tokens(text: str) -> float:
    """Return about how many tokens `text` is: a WordPiece of English has 4.4 characters, two syllables of Hangul count as one."""
    plain = sum(1 for letter in text if letter.isascii()) if not text.isascii() else len(text)
    return plain / 4.4 + (len(text) - plain) / 2


def pieces(document: Document) -> list[Piece]:
    """Return the passages of `document`, in reading order."""
    found: list[Piece] = []
    path: list[tuple[int, str]] = []
    bare: Block | None = None
    for (page, heads), group in groupby(document.blocks, key=lambda block: (block.page, block.kind == "heading")):
        blocks = list(group)
        if heads:
            for block in blocks:
                if bare is not None and block.level <= bare.level:
                    _add_bare(found, bare, path)
                bare = block
                path = [*(above for above in path if above[0] < block.level), (block.level, block.text[:LONGEST_HEADING])]
            continue
        bare = None
        heading = PATH.join(said for _level, said in path)
        for kind, text in _stretches(blocks):
            found += (
                Piece(text[start:end].strip("\n"), heading, page, start, end)
                for start, end in _cut(text, kind)
                if text[start:end].strip()
            )
    if bare is not None and found:
        _add_bare(found, bare, path)
    if not found and path:  # nothing but headings: they are what there is to find
        said = "\n".join(block.text for block in document.blocks)
        found = [Piece(text, "", None, 0, len(text)) for text in [said[:4000]]]
    return found


def _add_bare(found: list[Piece], bare: Block, path: Sequence[tuple[int, str]]) -> None:
    """Add a heading below which nothing stands as a passage, together with such ones right before it: a bold line is a heading to DOCX."""
    heading, text = PATH.join(said for _level, said in path[:-1]), bare.text
    if found and found[-1].bare and (found[-1].heading, found[-1].page) == (heading, bare.page):
        text = f"{found.pop().text}\n{text}"
    found += (Piece(text[start:end], heading, bare.page, start, end, bare=True) for start, end in _cut(text, "table"))


def _stretches(blocks: Sequence[Block]) -> list[tuple[str, str]]:
    """Return the kind and the text of what stands below one heading, a table with the words beside it where both fit in a passage.

    A shop's address and the table of its hours are read together, and found together.
    """
    made: list[tuple[str, str]] = []
    for kind, group in groupby(blocks, key=lambda block: block.kind):
        text = _whole(list(group))
        if made and {kind, made[-1][0]} <= TOGETHER and _fits(whole := f"{made[-1][1]}\n\n{text}"):
            made[-1] = ("text", whole)
        else:
            made.append((kind, text))
    return made


def _fits(text: str) -> bool:
    return tokens(text) <= SIZE * (1 + REST)


def _whole(blocks: Sequence[Block]) -> str:
    return ("\n" if blocks[0].kind == "table" else "\n\n").join(block.text for block in blocks)


def _cut(text: str, kind: str) -> list[Span]:
    """Return where the passages of `text` begin and end."""
    if _fits(text):
        return [(0, len(text))]
    spans = _sentences(text) if kind == "text" else _lines(text)
    return _filled(text, [small for span in spans for small in _bounded(text, span)])


def _filled(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return `spans` put together until each is about SIZE."""
    filled: list[Span] = []
    begun: int | None = None
    weight = 0.0
    for start, end in spans:
        more = tokens(text[start:end])
        if begun is not None and weight + more > SIZE:
            filled.append((begun, start))
            begun = None
        if begun is None:
            begun, weight = start, 0.0
        weight += more
    if begun is not None:
        if filled and weight < REST * SIZE:
            filled[-1] = (filled[-1][0], len(text))
        else:
            filled.append((begun, len(text)))
    return filled


def _sentences(text: str) -> list[Span]:
    return [(sentence.start, sentence.end) for sentence in split(text)]


def _lines(text: str) -> list[Span]:
    return [match.span() for match in _LINE.finditer(text) if match.group()]


def _bounded(text: str, span: Span, by: Callable[[str], Iterator[re.Match[str]]] = _WORD.finditer) -> Iterator[Span]:
    """Yield `span`, cut between words where it is longer than a passage, and anywhere where a word is."""
    if tokens(text[span[0] : span[1]]) <= SIZE:
        yield span
        return
    start, weight, end = span[0], 0.0, span[0]
    for word in by(text[span[0] : span[1]]):
        more = tokens(word.group())
        end = span[0] + word.end()
        if weight + more > SIZE and start < span[0] + word.start():
            yield start, span[0] + word.start()
            start, weight = span[0] + word.start(), 0.0
        weight += more
        while weight > SIZE:  # one word longer than a passage
            cut = min(start + 2 * SIZE, end)
            yield start, cut
            weight -= tokens(text[start:cut])
            start = cut
    if start < span[1]:
        yield start, span[1]
