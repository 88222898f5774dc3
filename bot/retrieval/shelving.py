"""The way of a document into the library: read, cut into passages, embedded, committed; what is here already is not read again.

`bot.retrieval.reading` reads it in a child, pieces and words are made on workers, each part is one transaction (`bot.retrieval.keeping`).

    added = await shelving.file(path, Names(scope, "file:Plan.pdf", "Plan.pdf"))
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bot.passage import MESSAGE, WITHIN, Added, Scope
from bot.retrieval.chunk import Piece, pieces
from bot.retrieval.document import Block, Document
from bot.retrieval.embed import draft
from bot.retrieval.folder import PATH, Told, is_left
from bot.retrieval.keeping import Keeper, Parcel
from bot.retrieval.members import SHOWN, Budget, add_members, together
from bot.retrieval.reading import Reader, as_written
from bot.store.documents import Documents
from bot.store.passages import BEGUN, Kept, NewDocument, Passages

if TYPE_CHECKING:
    from bot.talk import Said

PART = 1024
"""Passages of a long document that are committed together."""
LINK = "link:"
"""What the keys of documents begin with that were read from a link."""
FILE = "file:"
"""What the keys of documents begin with that came as a file of a chat."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a document is kept under."""

    scope: Scope
    key: str
    title: str
    link: str = ""
    sender: str = ""
    said: Said | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """A message that was said."""

    text: str
    key: str
    title: str
    link: str
    sender: str
    said: Said


class Known(Protocol):
    """Finds what is kept of the same bytes already."""

    async def __call__(self, scope: Scope, sha256: str, *, key: str | None = None) -> Added | None:
        """Return it, None for nothing; with `key` only what is kept under that."""
        ...


class Shelving:
    """Puts documents into the library."""

    def __init__(
        self,
        reader: Reader,
        keeper: Keeper,
        documents: Documents,
        passages: Passages,
        *,
        known: Known,
        touched: Callable[[], None],
    ) -> None:
        """Use these; `touched` is told that something is about to be kept."""
        self._reader = reader
        self._keeper = keeper
        self._documents = documents
        self._passages = passages
        self._known = known
        self._touched = touched

    async def file(self, path: Path, names: Names, told: Told | None = None) -> Added:
        """Keep a file, an archive with all that is in it; see `Shelves.add_file`."""
        return await self._add(path, names, Budget(), told)

    async def page(self, path: Path, names: Names) -> Added:
        """Keep what a link gave; see `Shelves.add_page`."""
        document = await self._reader.read(path, name=names.title)
        said = "\n".join([document.title, *(block.text for block in document.blocks)])
        sha256 = hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()  # its bytes change with each visit
        if known := await self._known(names.scope, sha256, key=names.key):
            return known
        size_bytes = (await asyncio.to_thread(path.stat)).st_size
        return await self._keep(document, names, sha256=sha256, size_bytes=size_bytes)

    async def text(self, text: str, names: Names) -> Added:
        """Keep a text; see `Shelves.add_text`."""
        sha256 = hashlib.sha256(f"{names.title}\n{names.link}\n{text}".encode("utf-8", "replace")).hexdigest()
        if known := await self._known(names.scope, sha256, key=names.key):
            return known
        document = Document(
            "message" if names.link.startswith(MESSAGE) else "text", names.title, (Block("text", as_written(text)),)
        )
        size_bytes = len(text.encode("utf-8", "replace"))
        return await self._keep(document, names, sha256=sha256, size_bytes=size_bytes)

    async def _add(self, path: Path, names: Names, budget: Budget, told: Told | None = None) -> Added:
        sha256, size_bytes = await asyncio.to_thread(_hash, path)
        known = await self._known(names.scope, sha256)
        if known and not await self._moved(known, names):
            return known
        name = names.title.rpartition(SHOWN)[2]  # of a file in an archive its own: what is wrong is said of that
        document = await self._reader.look(path, name=name)
        if document.kind == "zip":
            return await self._add_archive(path, document, names, budget, sha256=sha256, size_bytes=size_bytes)
        document = await self._reader.whole(path, document, name=name)
        return await self._keep(document, names, sha256=sha256, size_bytes=size_bytes, told=told)

    async def _moved(self, known: Added, names: Names) -> bool:
        """Say whether a file's bytes are `known` from a path at which it lies no more; then it is to be read in its new name alone."""
        key = await self._documents.key(names.scope, known.document) if names.key.startswith(PATH) else ""
        if key == names.key or not await asyncio.to_thread(is_left, key):
            return False
        await self._passages.remove(names.scope, key=key)
        return True

    async def _add_archive(
        self, path: Path, document: Document, names: Names, budget: Budget, *, sha256: str, size_bytes: int
    ) -> Added:
        """Keep the files of an archive, what is in it no more not any longer; itself it is kept as begun where not all went well."""

        async def add(file: Path, *, title: str, key: str, within: Budget) -> Added:
            return await self._add(file, replace(names, title=title, key=key), within)

        before = await self._documents.keys(names.scope, beginning=names.key + WITHIN)
        kept, failed = await add_members(self._reader, add, path, document, title=names.title, key=names.key, budget=budget)
        here = {f"{names.key}{WITHIN}{block.text}" for block in document.blocks}
        for key in before:
            if key not in here and not any(key.startswith(inner + WITHIN) for inner in here):
                await self._passages.remove(names.scope, key=key)
        known = BEGUN + sha256 if failed else sha256  # read anew when it comes again, forgotten with what is in it all the same
        await self._keep(replace(document, blocks=()), names, sha256=known, size_bytes=size_bytes)
        return together(kept, failed, title=names.title, known=bool(before))

    async def _keep(self, document: Document, names: Names, *, sha256: str, size_bytes: int, told: Told | None = None) -> Added:
        """Cut, embed and commit a document: a long one in parts, so that what was stopped half way goes on from there."""
        a_file = names.key.startswith((FILE, PATH))
        shown = _title(document, names.title, a_file=a_file)
        cut = await asyncio.to_thread(_pieces, document)
        once = document.kind not in ("message", "text") or a_file
        new = NewDocument(
            names.scope, names.key, shown, names.link, sha256, document.kind, size_bytes, (), names.sender, once=once,
            said=names.said,
        )  # fmt: skip
        self._touched()
        first = await self._begun(new, cut) if len(cut) > PART else 0
        while True:
            drafts = await asyncio.to_thread(draft, cut[first : first + PART], title=shown)
            more = first + PART < len(cut)
            kept = await self._keeper.keep(Parcel(replace(new, first=first, more=more), drafts))
            first += len(drafts)
            if told is not None:
                told(first, len(cut))
            if not more or kept.status == "unchanged":
                return _added(kept)

    async def _begun(self, new: NewDocument, cut: Sequence[Piece]) -> int:
        """Return how many passages of these very bytes are kept already: it was stopped half way. 0 where they were cut otherwise."""
        texts = await self._passages.begun(new.scope, key=new.key, sha256=new.sha256)
        same = len(texts) < len(cut) and all(text == piece.text for text, piece in zip(texts, cut, strict=False))
        return len(texts) if same else 0


def _title(document: Document, name: str, *, a_file: bool) -> str:
    """Return what a document is called: a page as it calls itself, and, where it came as a file, by its name as well."""
    if document.kind != "html" or not document.title or document.title == name:
        return name
    return f"{document.title} ({name})" if a_file else document.title


def _pieces(document: Document) -> list[Piece]:
    if document.kind == "message":
        whole = "\n".join(block.text for block in document.blocks)
        return [Piece(whole, "", None, 0, len(whole))] if whole.strip() else []
    return pieces(document)


def parcel_of(talk: Talk, scope: Scope) -> Parcel:
    """Return a message as it is kept."""
    sha256 = hashlib.sha256(f"{talk.title}\n{talk.link}\n{talk.text}".encode("utf-8", "replace")).hexdigest()
    size_bytes = len(talk.text.encode("utf-8", "replace"))
    document = Document("message", talk.title, (Block("text", as_written(talk.text)),))
    new = NewDocument(
        scope, talk.key, talk.title, talk.link, sha256, "message", size_bytes, (), talk.sender, said=talk.said, of_then=True
    )
    return Parcel(new, draft(_pieces(document), title=talk.title))


def _hash(path: Path) -> tuple[str, int]:
    """Return a file's sha256 and its size in bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _added(kept: Kept) -> Added:
    return Added(kept.title, kept.passages, kept.status, kept.document)
