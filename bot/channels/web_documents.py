"""What a source opens: a document with the passage that answered marked, the file that it was read from, a message.

Owns the addresses `/documents/…` and `/messages/…`. Leaves to the store what may be read, to `bot.channels.web_render` the looks.

    source_link(source)     # "/documents/12?near=9f86d081884c7d65&mark=0-35#found"
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from starlette.requests import Request
from starlette.responses import Response

from bot import lazy
from bot.channels.markdown import safe_link
from bot.channels.web_files import as_file
from bot.channels.web_guard import as_page
from bot.locale import Language, Text, phrases
from bot.message import Address, Source
from bot.passage import PUBLIC, Scope, Scopes
from bot.store.documents import WINDOW, Opened, digest_of

if TYPE_CHECKING:
    from bot.channels.web_render import Renderer
    from bot.channels.web_transcript import Files, Transcript

__all__ = ["DocumentPages", "Documents", "Opened", "source_link"]

_ = phrases(__file__)

LONGEST_NUMBER = 18
"""Digits of SQLite's largest number."""
_DOCUMENT = lazy.compile(r"document:(\d{1,18})(?:#page=\d{1,9})?")
_MESSAGE = lazy.compile(r"message:web/local/me/([A-Za-z0-9_-]{1,64})")
_MARK = lazy.compile(r"(\d{1,7})-(\d{1,7})")


class Documents(Protocol):
    """The documents that may be opened. Implemented by `bot.store.documents.Documents`."""

    async def find(self, number: int, scopes: Scopes, *, near: str = "", first: int | None = None) -> Opened | None:
        """Return the document with passages from `first`, else around the one of the digest `near`; None outside of `scopes`."""
        ...

    async def count(self, scopes: Scopes) -> int:
        """Return how many documents there are in `scopes`."""
        ...

    async def holds(self, scopes: Scopes, blob: str) -> bool:
        """Say whether a document in `scopes` was read from the file of this sha256, or is kept in it."""
        ...


def source_link(source: Source) -> str:
    """Return the path or link that opens `source`, "" where nothing does."""
    if found := _DOCUMENT.fullmatch(source.link):
        marked = "&mark={}-{}".format(*source.marked) if source.marked else ""
        return f"/documents/{found[1]}?near={digest_of(source.text)}{marked}#found"
    if found := _MESSAGE.fullmatch(source.link):
        return f"/messages/{found[1]}"
    return safe_link(source.link)


class DocumentPages:
    """The pages that sources open."""

    def __init__(
        self, documents: Documents | None, *, address: Address, transcript: Transcript, files: Files, renderer: Renderer
    ) -> None:
        """Show what the chat at `address` may read of `documents`."""
        self._documents = documents
        self._address = address
        self._scopes = Scopes([Scope.of(address), PUBLIC])
        self._transcript = transcript
        self._files = files
        self._renderer = renderer

    async def show(self, request: Request, language: Language) -> Response:
        """Answer with the page of a document."""
        asked = request.query_params
        first = asked.get("from", "")
        opened = await self._find(request, near=asked.get("near", ""), first=int(first) if _is_number(first) else None)
        if opened is None:
            return self._gone(request, language)
        original = await asyncio.to_thread(self._original, opened)
        lost = bool(asked.get("near")) and not any(part.found for part in opened.parts)
        page = self._renderer.document(
            opened, language, original=original, marked=_range(asked.get("mark", "")), lost=lost, window=WINDOW
        )  # fmt: skip
        return as_page(request, page)

    async def original(self, request: Request, _language: Language) -> Response:
        """Answer with the file on the disk that was added, while it is byte for byte the one that was read."""
        opened = await self._find(request)
        file = _added_from(opened) if opened else None
        if opened is None or file is None or await asyncio.to_thread(_sha256, file) != opened.sha256:
            return self._gone(request, _language)
        return await as_file(file, name=file.name, kept=False)

    async def message(self, request: Request, language: Language) -> Response:
        """Answer with the page of one message, whole."""
        entry = await self._transcript.find(self._address, str(request.path_params["id"]))
        if entry is None:
            return self._gone(request, language)
        return as_page(request, await asyncio.to_thread(self._renderer.message_page, entry, language))

    async def holds(self, blob: str) -> bool:
        """Say whether the file of this sha256 is one of this chat's, or of a document that it may read."""
        if await self._transcript.holds(self._address, blob):
            return True
        return self._documents is not None and await self._documents.holds(self._scopes, blob)

    async def count(self) -> int:
        """Return how many documents may be asked about."""
        return await self._documents.count(self._scopes) if self._documents else 0

    async def _find(self, request: Request, *, near: str = "", first: int | None = None) -> Opened | None:
        number = str(request.path_params["number"])
        if self._documents is None or not _is_number(number):
            return None
        return await self._documents.find(int(number), self._scopes, near=near, first=first)

    def _original(self, opened: Opened) -> str:
        """Return where the file or page lies that the document was read from, "" where it is there no more."""
        from bot.channels.web_render import blob_link  # noqa: PLC0415 - it imports this module

        page = next((f"#page={part.page}" for part in opened.parts if part.found and part.page), "")
        _kind, _colon, kept = opened.key.partition(":")
        for blob in (opened.sha256, kept):
            link = blob_link(blob, opened.title.rpartition("/")[2])
            if link and self._files.path(blob).is_file():
                return link + page
        if (file := _added_from(opened)) and file.is_file() and file.stat().st_size == opened.size_bytes:
            return f"/documents/{opened.number}/original{page}"
        return safe_link(opened.link)

    def _gone(self, request: Request, language: Language) -> Response:
        said: Text = _(
            "This is not here any more: it was deleted, or replaced by a newer version. Ask again to find what there is now."
        )
        return as_page(request, self._renderer.note(said.to(language), language), status=404)


def _added_from(opened: Opened) -> Path | None:
    """Return the file that `paring add` read, None for what came in another way."""
    kind, _colon, path = opened.key.partition(":")
    return Path(path) if kind == "path" and path.startswith("/") else None


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError:
        return ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER


def _range(text: str) -> tuple[int, int] | None:
    found = _MARK.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None
