"""HWPX, the document of Hangul (Hancom Office), into blocks. Runs in the sandbox's child; the archive's size was checked before.

Names are told without their namespaces: the same elements are of hancom.co.kr/hwpml/2011 and 2016 and of owpml.org/owpml/2021
and 2024. Source: KS X 6101:2024 (OWPML): 9 package, 10 head, 11 paragraphs and runs, 13 tables and drawn objects, 15 track changes.
"""

from __future__ import annotations

import itertools
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bot import lazy
from bot.retrieval.decode import clean
from bot.retrieval.document import Block, Document
from bot.retrieval.held import pictures_of
from bot.retrieval.parse_docx import joined
from bot.retrieval.parse_text import rows_to_blocks
from bot.retrieval.parsers import locked

MOST_ROWS = 100_000
MOST_COLUMNS = 1000
MOST_SPANNED = 1000
LONGEST_HEADING = 120
_SECTION = lazy.compile(r"^Contents/section(\d+)\.xml$")
_OUTLINE = lazy.compile(r"^(?:개요|제목|outline|heading|title)\s*(\d)?", re.IGNORECASE)
_ENDS = lazy.compile(r"[.!?…]$")
_HANGUL = lazy.compile("[가-힣]")
_SIGNS = {"tab": " ", "lineBreak": "\n", "nbSpace": " ", "fwSpace": " ", "hyphen": "-"}
_RUNNING = ("header", "footer")
_UNSEEN = frozenset({"secPr", "hiddenComment", "fieldBegin", "fieldEnd", "indexmark", "shapeComment"})


def read_hwpx(file: Path, name: str) -> Document:
    """Return headings by their outline, paragraphs, tables, notes, boxes, formulas and pictures, in order.

    Raises:
        UnreadableError: it asks for a password.
    """
    with zipfile.ZipFile(file) as archive:
        entries = archive.namelist()
        pictures = pictures_of(archive.infolist(), "BinData/")
        if b"encryption-data" in _entry(archive, "META-INF/manifest.xml"):
            raise locked(name)
        package = _xml(_entry(archive, "Contents/content.hpf"))
        head = _xml(_entry(archive, "Contents/header.xml"))
        reading = _Reading(_levels(head), _named(package, pictures))
        blocks = [block for section in _sections(package, entries) for block in reading.section(_xml(archive.read(section)))]
    title, author = _said_of(package, "title"), _said_of(package, "creator")
    said = "".join(block.text for block in blocks[:20])
    named = [("작성자: " if _HANGUL.search(said) else "Author: ") + author] if author else []
    if before := [*named, *dict.fromkeys(reading.running)]:  # with the first paragraph: by itself it would say next to nothing
        first = next((at for at, block in enumerate(blocks) if block.kind == "text"), len(blocks))
        blocks.insert(first, Block("text", "\n".join(before)))
    return Document("hwpx", title, tuple(joined(blocks)))


class _Reading:
    """The sections of one document, as they are read one after the other."""

    def __init__(self, levels: Mapping[tuple[str, str], int], pictures: Mapping[str, int]) -> None:
        """Know the headings' levels by (attribute, number) and the pictures' places by their names."""
        self.running: list[str] = []
        self._levels = levels
        self._pictures = pictures
        self._deleting: set[str] = set()
        self._ending: set[str] = set()

    def section(self, root: Any) -> Iterator[Block]:  # lxml's elements have no types here
        """Yield the blocks of a section. A deletion without an end is none: all that follows would be lost."""
        self._deleting.clear()
        self._ending = {node.get("Id") or "" for node in root.iter("{*}deleteEnd")}
        yield from self._inside(root)

    def _inside(self, parent: Any) -> Iterator[Block]:
        """Yield the paragraphs, tables and pictures nearest below `parent`."""
        for node in parent:
            match _local(node):
                case "p":
                    yield from self._paragraph(node)
                case "tbl":
                    yield from self._table(node)
                case "img":
                    yield from self._picture(node)
                case "switch":
                    yield from self._inside(_chosen(node))
                case name if name and name not in _UNSEEN:
                    yield from self._inside(node)

    def _paragraph(self, paragraph: Any) -> Iterator[Block]:
        """Yield a paragraph's text, then what is anchored in it: notes, tables, boxes, pictures."""
        pieces: list[str] = []
        held: list[Any] = []
        for node in itertools.chain.from_iterable(run if _local(run) == "run" else [run] for run in paragraph):
            self._piece(node, pieces, held)
        said = clean("".join(pieces)).strip()
        if said:
            level = self._level(paragraph, said)
            yield Block("heading", " ".join(said.split()), level) if level else Block("text", said)
        for node in held:
            yield from self._table(node) if _local(node) == "tbl" else self._inside(node)

    def _piece(self, node: Any, pieces: list[str], held: list[Any]) -> None:
        """Take what a part of a run says, or put it aside until the paragraph's text is whole."""
        match _local(node):
            case "t":
                pieces += self._text(node)
            case "equation" | "compose" | "dutmal":
                pieces.append(_written(node))
            case "ctrl" | "switch":
                for inner in _chosen(node) if _local(node) == "switch" else node:
                    self._piece(inner, pieces, held)
            case name if name in _RUNNING:
                said = " ".join(block.text for block in self._inside(node) if block.kind != "file")
                self.running += [" ".join(said.split())] if any(map(str.isalpha, said)) else []
            case name if name and name not in _UNSEEN:
                held.append(node)

    def _text(self, node: Any) -> Iterator[str]:
        """Yield the text of `hp:t` without what track changes deleted."""
        yield from self._kept(node.text)
        for sign in node:
            number = sign.get("Id") or ""
            match _local(sign):
                case "deleteBegin" if number in self._ending:
                    self._deleting.add(number)
                case "deleteEnd":
                    self._deleting.discard(number)
                case name if name in _SIGNS:
                    yield from self._kept(_SIGNS[name])
                case "t":  # a link's text within it, by some programs
                    yield from self._text(sign)
            yield from self._kept(sign.tail)

    def _kept(self, text: str | None) -> Iterator[str]:
        if text and not self._deleting:
            yield text

    def _level(self, paragraph: Any, said: str) -> int:
        """Return a heading's level, 0 for none: outlined sentences are the items of a list."""
        if len(said) > LONGEST_HEADING or _ENDS.search(said):
            return 0
        names = ("styleIDRef", "paraPrIDRef")
        return next((level for name in names if (level := self._levels.get((name, paragraph.get(name) or ""), 0))), 0)

    def _table(self, table: Any) -> Iterator[Block]:
        """Yield the rows of a table below its caption; a single cell is a frame around what stands in it."""
        cells = [node for row in table if _local(row) == "tr" for node in row if _local(node) == "tc"]
        caption = [block for node in table if _local(node) == "caption" for block in self._inside(node)]
        if len(cells) == 1:
            yield from caption
            yield from self._inside(cells[0])
            return
        pictures: list[Block] = []
        rows = self._rows(table, pictures)
        above = [[" ".join(" ".join(block.text for block in caption).split())]] if caption else []
        yield from rows_to_blocks([*above, *rows])
        yield from pictures

    def _rows(self, table: Any, pictures: list[Block]) -> list[list[str]]:
        """Return the cells of a table by their addresses; one that spans rows in each of them."""
        cells: dict[tuple[int, int], str] = {}
        for number, row in enumerate(node for node in table if _local(node) == "tr"):
            for cell in (node for node in row if _local(node) == "tc"):
                place, span = _child(cell, "cellAddr"), _child(cell, "cellSpan")
                free = next(column for column in itertools.count() if (number, column) not in cells)
                top, left = _whole(place, "rowAddr", number), _whole(place, "colAddr", free)
                said = self._cell(cell, pictures)
                down = min(_whole(span, "rowSpan", 1), MOST_SPANNED, MOST_ROWS - top) if left < MOST_COLUMNS else 0
                cells |= dict.fromkeys(((row, left) for row in range(top, top + down)), said)
        height, width = (max((at[side] for at in cells), default=-1) + 1 for side in (0, 1))
        return [[cells.get((row, column), "") for column in range(width)] for row in range(min(height, MOST_ROWS))]

    def _cell(self, cell: Any, pictures: list[Block]) -> str:
        blocks = list(self._inside(cell))
        pictures += [block for block in blocks if block.kind == "file"]
        return " ".join(" ".join(block.text for block in blocks if block.kind != "file").split())

    def _picture(self, node: Any) -> Iterator[Block]:
        place = self._pictures.get(node.get("binaryItemIDRef") or "")
        if place is not None:
            yield Block("file", "", place=place)


def _written(node: Any) -> str:
    """Return a formula as its author wrote it, letters that lie over one another, or a word and what stands above it."""
    if _local(node) == "compose":
        return node.get("composeText") or ""
    said = ["".join(map(str, part.itertext())) for part in node if _local(part) in ("script", "mainText", "subText")]
    return f" {' '.join(' '.join(said).split())} "


def _xml(data: bytes) -> Any:
    from lxml import etree  # noqa: PLC0415 - loaded for what needs it alone

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    return etree.fromstring(data or b"<none/>", parser)


def _entry(archive: zipfile.ZipFile, name: str) -> bytes:
    return archive.read(name) if name in archive.namelist() else b""


def _sections(package: Any, entries: Iterable[str]) -> list[str]:
    """Return the names of the sections in the order of the package's spine, those that it does not name at the end."""
    here = {name: int(found.group(1)) for name in entries if (found := _SECTION.match(name))}
    items = {node.get("id"): node.get("href") or "" for node in package.iter("{*}item")}
    hrefs = [items.get(node.get("idref"), "") for node in package.iter("{*}itemref")]
    told = [name for href in hrefs for name in (href, f"Contents/{href}") if name in here]
    return list(dict.fromkeys([*told, *sorted(here, key=here.__getitem__)]))


def _named(package: Any, pictures: Mapping[str, int]) -> dict[str, int]:
    """Return where in the archive each of `pictures` lies, by the name that paragraphs call it."""
    named = {name.rpartition("/")[2].partition(".")[0]: place for name, place in pictures.items()}
    for node in package.iter("{*}item"):
        href = (node.get("href") or "").removeprefix("../")
        if href in pictures:
            named[node.get("id") or ""] = pictures[href]
    return named


def _levels(head: Any) -> dict[tuple[str, str], int]:
    """Return the levels of what is a heading: by a style's name, and by the outline of a paragraph's shape."""
    levels: dict[tuple[str, str], int] = {}
    for style in head.iter("{*}style"):
        found = _OUTLINE.match(style.get("name") or "") or _OUTLINE.match(style.get("engName") or "")
        if found:
            levels["styleIDRef", style.get("id") or ""] = min(int(found.group(1) or 1), 6)
    for shape in head.iter("{*}paraPr"):
        for outline in shape.iter("{*}heading"):
            if outline.get("type") == "OUTLINE":
                levels["paraPrIDRef", shape.get("id") or ""] = min(_whole(outline, "level", 0) + 1, 6)
    return levels


def _said_of(package: Any, name: str) -> str:
    """Return what the package's metadata say: `<opf:title>`, or `<opf:meta name="creator">`."""
    for node in package.iter("{*}metadata"):
        for one in node:
            if _local(one) == name or (_local(one) == "meta" and one.get("name") == name):
                said = " ".join(clean("".join(map(str, one.itertext()))).split())
                return said if any(map(str.isalnum, said)) and said != "text" else ""
    return ""


def _chosen(switch: Any) -> Any:
    """Return the one of a switch's alternatives that any program can show, else the first, else the empty switch."""
    alternatives = [node for node in switch if _local(node) in ("case", "default")]
    return next((node for node in alternatives if _local(node) == "default"), next(iter(alternatives), ()))


def _local(node: Any) -> str:
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def _child(parent: Any, name: str) -> Any:
    return next((node for node in parent if _local(node) == name), None)


def _whole(element: Any, name: str, otherwise: int) -> int:
    said = element.get(name) if element is not None else None
    return int(said) if said and said.isdigit() and len(said) < 9 else otherwise  # noqa: PLR2004 - more rows than any table has
