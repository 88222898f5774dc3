"""What a file is once it has been read: blocks of text under headings, on pages.

Owns the values between `bot.retrieval.parsers` (which runs in a child process) and `bot.retrieval.chunk`.

    Document("pdf", "Plan", (Block("heading", "Budget", 1, 2), Block("text", "It is 4,000 euros.", page=2)), pages=3)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_CODE = (
    "py pyi js mjs ts tsx jsx java kt kts c h cc cpp cxx hpp cs go rs rb php swift m mm scala sh bash zsh ps1 sql r jl lua pl pm "
    "ex exs erl hs ml clj lisp el vim css scss less toml ini cfg conf yaml yml xml svg proto graphql tf gradle cmake make mk "
    "dockerfile bat asm s v sv vhd"
)
_WRITTEN = (
    "txt text log md markdown mdx html htm xhtml pdf docx pptx xlsx csv tsv hwpx hwp zip eml json jsonl ndjson rst tex "
    "png jpg jpeg gif webp bmp tif tiff"
)
CODE = frozenset(_CODE.split())
"""Suffixes of source code and settings."""
SUFFIXES = CODE | frozenset(_WRITTEN.split())
"""Suffixes that a file's name is known by and a title does without."""

BlockKind = Literal["heading", "text", "table", "code", "file"]


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document. `level` is a heading's (1 is highest); `page` counts from 1 (a slide is a page).

    A `file` is one that the document holds (a picture, what is attached to a mail), and that is yet to be read: `text` is its name,
    `place` where it lies among what the document holds (`bot.retrieval.held`).
    """

    kind: BlockKind
    text: str
    level: int = 0
    page: int | None = None
    place: int = -1


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read. `title` is what it calls itself, "" where it does not."""

    kind: str
    """pdf, docx, pptx, xlsx, hwpx, zip, csv, html, markdown, mail, json, code, text or image."""
    title: str
    blocks: tuple[Block, ...]
    pages: int | None = None
    unread: tuple[int, ...] = ()
    """Pages that hold a picture and no text: scanned, as a rule."""
    arrived: float = 1.0
    """Of a picture: the share of its rows that the file holds, under 1 where it is cut off."""
