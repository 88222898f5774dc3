"""DOCX into blocks. Runs in the sandbox's child; the archive's size was checked before.

Walks the XML itself: python-docx passes over content controls, text boxes, tracked insertions and footnotes. Leaves to it the
styles and the relations between parts. Source: ECMA-376, part 1, 17.2 to 17.5 (body, paragraphs, tables, content controls).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import lazy
from bot.retrieval.decode import clean
from bot.retrieval.document import Block, Document
from bot.retrieval.held import pictures_of
from bot.retrieval.parse_text import rows_to_blocks
from bot.retrieval.parsers import broken

LONGEST_BOLD = 80
"""Characters of a bold paragraph above which it is no heading."""
MOST_COLUMNS = 1000
LONGEST_COUNT = 9
"""Digits of a number above which it is none that a program wrote."""
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_UNREAD = (f"{_W}del", f"{_W}moveFrom", f"{_W}txbxContent", f"{_W}pPr", f"{_W}rPr", _FALLBACK)
"""Deleted, moved elsewhere, read by itself, or no text."""
_BLIP = "{http://schemas.openxmlformats.org/drawingml/2006/main}blip"
_EMBED = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}embed"
_LEVEL = lazy.compile(r"^(?:heading|제목|개요)\s*(\d)", re.IGNORECASE)
_ENDS = lazy.compile(r"[.!?:;。…,]$")


@dataclass(frozen=True, slots=True)
class _Known:
    """What paragraphs name: styles by their numbers, and where the pictures lie."""

    styles: dict[str, str]
    pictures: dict[str, int]


def read_docx(file: Path, name: str) -> Document:
    """Return headings by their styles, paragraphs, tables, text boxes, footnotes, and what heads and feet say, in order.

    Raises:
        UnreadableError: it is damaged.
    """
    from docx.exceptions import PythonDocxError  # noqa: PLC0415 - loaded for what needs it alone
    from docx.opc.exceptions import OpcError  # noqa: PLC0415 - as above
    from docx.oxml.exceptions import XmlchemyError  # noqa: PLC0415 - as above

    try:
        return _document(file)
    except (PythonDocxError, OpcError, XmlchemyError) as error:
        raise broken(name) from error


def _document(file: Path) -> Document:
    import docx  # noqa: PLC0415 - as above

    document = docx.Document(str(file))
    styles = {style.style_id: style.name or "" for style in document.styles}
    running = list(dict.fromkeys(_running(document)))
    with zipfile.ZipFile(file) as archive:
        lying = pictures_of(archive.infolist(), "word/")
    pictures = {
        number: lying[name]
        for number, part in document.part.related_parts.items()
        if (name := str(part.partname).lstrip("/")) in lying
    }
    blocks = list(_blocks(document.element.body, _Known(styles, pictures)))
    if running:  # with the first paragraph: by itself it would be a passage that says next to nothing
        first = next((at for at, block in enumerate(blocks) if block.kind == "text"), len(blocks))
        blocks.insert(first, Block("text", "\n".join(running)))
    if notes := list(_notes(document)):
        blocks.append(Block("text", "\n\n".join(notes)))
    return Document("docx", clean(document.core_properties.title or "").strip(), tuple(joined(blocks)))


def joined(blocks: list[Block]) -> Iterator[Block]:
    """Yield blocks with the paragraphs that follow one another as one text, a blank line between."""
    run: list[str] = []
    for block in blocks:
        if block.kind == "text":
            run.append(block.text)
            continue
        if run:
            yield Block("text", "\n\n".join(run))
            run = []
        yield block
    if run:
        yield Block("text", "\n\n".join(run))


def _blocks(parent: Any, known: _Known) -> Iterator[Block]:  # lxml's elements have no types here
    for child in parent:
        if child.tag == f"{_W}p":
            yield from _paragraph(child, known)
        elif child.tag == f"{_W}tbl":
            yield from rows_to_blocks(_rows(child))
            yield from _pictures(child, known)
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}smartTag", f"{_W}customXml"):
            yield from _blocks(child, known)


def _paragraph(paragraph: Any, known: _Known) -> Iterator[Block]:
    said = text_of(paragraph)
    style = known.styles.get(_value(paragraph.find(f"{_W}pPr/{_W}pStyle")), "")
    if said:
        level = _level(paragraph, style, said)
        listed = style.startswith("List") or paragraph.find(f"{_W}pPr/{_W}numPr") is not None
        item = f"- {said}" if listed and not said.startswith(("-", "•")) else said
        yield Block("heading", said, level) if level else Block("text", item)
    boxes = [box for box in paragraph.iter(f"{_W}txbxContent") if next(box.iterancestors(_FALLBACK), None) is None]
    if not boxes:
        yield from _pictures(paragraph, known)
    for box in boxes:
        yield from _blocks(box, known)


def _pictures(element: Any, known: _Known) -> Iterator[Block]:
    """Yield the pictures in an element as files that are yet to be read."""
    for blip in element.iter(_BLIP):
        if (place := known.pictures.get(blip.get(_EMBED) or "")) is not None:
            yield Block("file", "", place=place)


def text_of(element: Any) -> str:
    """Return the text of an element, without deleted and hidden text, text boxes in it and what only older programs show."""
    pieces: list[str] = []
    stack = [element]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            pieces.append(node)
        elif node.tag == f"{_W}t":
            pieces.append(node.text or "")
        elif node.tag == f"{_W}noBreakHyphen":
            pieces.append("-")
        elif node.tag == f"{_W}tab":
            pieces.append(" ")
        elif node.tag in (f"{_W}br", f"{_W}cr"):
            pieces.append("\n")
        elif node.tag not in _UNREAD and not _is_on(node.find(f"{_W}rPr/{_W}vanish")):
            stack += ["\n"] if node.tag == f"{_W}p" and node is not element else []
            stack += reversed(list(node))
    return clean("".join(pieces)).strip()


def _level(paragraph: Any, style: str, said: str) -> int:
    """Return a heading's level, 0 for what is none: by its style, its outline, or because all of it is bold and short.

    The title is 1, "Heading 1" below it 2.
    """
    if style == "Title":
        return 1
    if found := _LEVEL.match(style):
        return int(found.group(1)) + 1
    outline = _value(paragraph.find(f"{_W}pPr/{_W}outlineLvl"))
    if outline.isdigit() and int(outline) < 6:  # noqa: PLR2004 - six levels, from 0
        return int(outline) + 2
    runs = [run for run in paragraph.iter(f"{_W}r") if "".join(run.itertext(f"{_W}t")).strip()]
    bold = bool(runs) and all(_is_on(run.find(f"{_W}rPr/{_W}b")) for run in runs)
    return 9 if bold and len(said) <= LONGEST_BOLD and "\n" not in said and not _ENDS.search(said) else 0


def _rows(table: Any) -> list[list[str]]:
    """Return the cells of a table: one that spans columns once, where it begins; one that spans rows in each of them."""
    rows: list[list[str]] = []
    for row in table.iter(f"{_W}tr"):
        if next(row.iterancestors(f"{_W}tbl")) is not table:
            continue
        cells: list[str] = []
        for cell in row.iter(f"{_W}tc"):
            if next(cell.iterancestors(f"{_W}tr")) is not row:
                continue
            merged = cell.find(f"{_W}tcPr/{_W}vMerge")
            goes_on = merged is not None and _value(merged) != "restart"
            above = rows[-1][len(cells)] if goes_on and rows and len(cells) < len(rows[-1]) else ""
            width = _value(cell.find(f"{_W}tcPr/{_W}gridSpan"))
            cells += [above or " ".join(text_of(cell).split()), *[""] * (_count(width) - 1)]
        rows.append(cells)
    return rows


def _running(document: Any) -> Iterator[str]:
    """Yield what stands in heads and feet."""
    for section in document.sections:
        for part in (section.header, section.first_page_header, section.footer, section.first_page_footer):
            if not part.is_linked_to_previous and (said := text_of(part._element)) and any(map(str.isalpha, said)):  # noqa: SLF001 - the only way to a text box in it
                yield " ".join(said.split())


def _notes(document: Any) -> Iterator[str]:
    """Yield footnotes and endnotes."""
    from lxml import etree  # noqa: PLC0415 - loaded for what needs it alone

    for relation in document.part.rels.values():
        if relation.reltype.endswith(("/footnotes", "/endnotes")):
            parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
            root = etree.fromstring(relation.target_part.blob, parser)
            yield from (said for note in root if (said := text_of(note)))


def _count(said: str) -> int:
    """Return how many columns a cell says that it spans."""
    return min(int(said), MOST_COLUMNS) if said.isdecimal() and len(said) < LONGEST_COUNT else 1


def _value(element: Any) -> str:
    return str(element.get(f"{_W}val") or "") if element is not None else ""


def _is_on(element: Any) -> bool:
    return element is not None and _value(element) not in ("0", "false", "none")
