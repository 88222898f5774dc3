"""How a file of a person's leaves the page: shown where a browser can do no harm with it, else only saved.

Owns the media type and the headers. Leaves to `bot.channels.web_routes` and `bot.channels.web_documents` which file it is.

    await as_file(blobs.path(blob), name="plan.pdf", kept=True)
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

from starlette.responses import FileResponse, JSONResponse, Response

from bot.channels.incoming import clean_name

HEAD_BYTES = 16

_SHOWN_INLINE = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"%PDF-": "application/pdf",
}


async def as_file(file: Path, *, name: str, kept: bool) -> Response:
    """Return a file: pictures, PDF and plain text open in the browser, all else is only saved; 404 where it is not there.

    `kept` says that its bytes never change under its address.
    """
    head = await asyncio.to_thread(_head, file)
    if head is None:
        return JSONResponse({"error": "no such file"}, 404)
    name = clean_name(name).rpartition("/")[2]
    media_type = _inline_type(head, name)
    how = "inline" if media_type else "attachment"
    headers = {
        "Content-Disposition": f"{how}; filename*=UTF-8''{quote(name, safe='')}",
        "Cache-Control": "private, max-age=31536000, immutable" if kept else "no-store",
    }
    if media_type == "application/pdf":  # a sandboxed document cannot open the browser's own PDF reader
        headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; object-src 'self'; frame-ancestors 'none'"
        )
    return FileResponse(file, media_type=media_type or "application/octet-stream", headers=headers)


def _head(file: Path) -> bytes | None:
    try:
        with file.open("rb") as handle:
            return handle.read(HEAD_BYTES)
    except OSError:
        return None


def _inline_type(head: bytes, name: str) -> str:
    """Return the media type under which a browser may open the file, by its first bytes; "" for none."""
    for magic, media_type in _SHOWN_INLINE.items():
        if head.startswith(magic):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return "text/plain; charset=utf-8" if name.lower().endswith((".txt", ".md", ".csv", ".log")) else ""
