"""Reads a file into blocks. Runs in the sandbox's child: `Sandbox.call_as(Document, "bot.retrieval.parsers:read", ...)`.

Owns: telling what a file is by its bytes, and the sentence for what cannot be read. Leaves each format to its own
`parse_*` file, and what a picture says to the `ocr` slot, outside of the child.

    read(path="plan.bin", name="plan.doc", archive_growth=100)   # Document("docx", ...) where it is a DOCX after all
"""

from __future__ import annotations

import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath

from bot import lazy
from bot.errors import TooLargeError, UnreadableError
from bot.locale import phrases
from bot.retrieval.decode import clean, decode, is_binary
from bot.retrieval.document import CODE, Document

_ = phrases(__file__)

MOST_ENTRIES = 20_000
"""Files in an archive: a spreadsheet of a thousand sheets has some thousand."""
MEBIBYTE = 1024 * 1024
MOST_LETTERS = 16_000_000
"""Characters of one file: some 5,000 pages, or a sheet of 100,000 rows. More would take the bot minutes to learn, and its memory."""
HARMLESS_BYTES = 16 * MEBIBYTE
"""What an archive may unpack to however small it is: a log of equal lines is no bomb."""
PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM", b"II*\x00", b"MM\x00*")
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What the files of old Office and of Hangul begin with, and of new Office where they are locked. Source: MS-CFB 2.2."""
_HWP = b"HWP Document File"
"""What the stream FileHeader says. Source: Hancom, HWP 5.0 format, 3.2.1; HWP 3.0 files begin with it."""
_HTML = lazy.compile(
    r"^\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL
)
_MAIL = lazy.compile(
    r"\A(?:From .*\n)?(?=(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){3})"
    r"(?=[\s\S]{0,4000}?^(?:From|Return-Path|Received):)(?=[\s\S]{0,8000}?^(?:Subject|Date|Message-ID):)",
    re.MULTILINE | re.IGNORECASE,
)


def read(*, path: str, name: str, archive_growth: int) -> Document:
    """Return what the file at `path` holds; `name` is what people call it, and only breaks ties.

    Raises:
        UnreadableError: locked, broken, empty of text, or of a kind that is not read; the sentence says which.
        TooLargeError: a compressed file would unpack to more than `archive_growth` times its size.
    """
    file = Path(path)
    with file.open("rb") as handle:
        head = handle.read(4096)
    if not head:
        raise UnreadableError(_("{name} is empty. Nothing was kept; please check the file and send it again.", name=name))
    if is_picture(head):
        return Document("image", "", (), pages=1, unread=(1,))
    if head.startswith(b"PK\x03\x04"):  # before PDF: one may be the first file in an archive
        return _with_text(_archive(file, name, archive_growth), name)
    if b"%PDF-" in head[:1024]:
        from bot.retrieval.parse_pdf import read_pdf  # noqa: PLC0415 - loaded for what needs it alone

        return _with_text(read_pdf(file, name), name)
    data = file.read_bytes()
    _refuse_foreign(data, name)
    if is_binary(data):
        raise UnreadableError(
            _("{name} is not a document that I can read. Nothing was kept; please send it as PDF, Word or text.", name=name)
        )
    return _with_text(_text(data, name), name)


def is_picture(head: bytes) -> bool:
    """Say whether a file that begins with `head` is a picture."""
    return (
        head.startswith(PICTURES)
        or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        or head[4:12] in (b"ftypheic", b"ftypavif", b"ftypmif1")
    )


def _with_text(document: Document, name: str) -> Document:
    letters = sum(len(block.text) for block in document.blocks)
    if letters > MOST_LETTERS:
        raise TooLargeError(
            _(
                "{name} holds {count} characters of text; I read at most {most} of one file. Nothing was kept; "
                "please send it in parts.",
                name=name, count=f"{letters:,}", most=f"{MOST_LETTERS:,}",
            )
        )  # fmt: skip
    if not document.unread and not any(block.text.strip() or block.kind == "file" for block in document.blocks):
        raise UnreadableError(_("There is no text in {name}. Nothing was kept; please check the file.", name=name))
    return document


def _archive(file: Path, name: str, growth: int) -> Document:
    from bot.retrieval import held, parse_docx, parse_hwpx, parse_pptx, parse_xlsx  # noqa: PLC0415 - loaded for what needs it alone

    readers: Sequence[tuple[str, Callable[[Path, str], Document]]] = (
        ("word/document", parse_docx.read_docx), ("ppt/presentation", parse_pptx.read_pptx), ("xl/workbook", parse_xlsx.read_xlsx),
        ("Contents/section", parse_hwpx.read_hwpx),
    )  # fmt: skip
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise broken(name) from error
    if len(entries) > MOST_ENTRIES:
        raise too_many(name, len(entries), MOST_ENTRIES)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max(growth * file.stat().st_size, HARMLESS_BYTES):
        raise TooLargeError(
            _(
                "{name} would unpack to {megabytes} MB. Nothing was kept; please save it anew, or send a part of it.",
                name=name, megabytes=unpacked // MEBIBYTE,
            )
        )  # fmt: skip
    document = (reader for prefix, reader in readers if any(entry.filename.startswith(prefix) for entry in entries))
    reader = next(document, held.read_zip)
    if reader is not held.read_zip and any(entry.flag_bits & 1 for entry in entries):
        raise locked(name)
    try:
        return reader(file, name)
    except (
        KeyError, ValueError, zipfile.BadZipFile, zipfile.LargeZipFile, SyntaxError, AttributeError, IndexError, NotImplementedError,
        zlib.error, lzma.LZMAError, EOFError, OSError, OverflowError, TypeError, RecursionError,
    ) as error:  # fmt: skip
        raise broken(name) from error


def _refuse_foreign(data: bytes, name: str) -> None:
    compound = data.startswith(_COMPOUND)
    if data.startswith(_HWP) or (compound and _HWP in data):
        raise UnreadableError(
            _(
                "{name} is of the old format of Hangul (HWP). Nothing was kept; "
                "please save it as HWPX there (Save as, HWPX), or as PDF, and send that.",
                name=name,
            )
        )
    if compound:
        raise UnreadableError(
            _(
                "{name} is locked with a password or of an old Office format. Nothing was kept; "
                "please save it as DOCX, XLSX, PPTX or PDF without a password.",
                name=name,
            )
        )


def _text(data: bytes, name: str) -> Document:
    from bot.retrieval import parse_code, parse_text  # noqa: PLC0415 - loaded for what needs it alone

    text = decode(data)
    suffix = PurePath(name).suffix.lower().lstrip(".")
    if suffix == "eml" or (suffix not in CODE and _MAIL.match(text[:10_000])):
        from bot.retrieval.parse_mail import read_mail  # noqa: PLC0415 - as above

        return read_mail(data, name)
    if _HTML.match(text[:4096]) or (suffix in ("html", "htm", "xhtml") and "<" in text):
        from bot.retrieval.parse_web import read_html  # noqa: PLC0415 - as above

        return read_html(text)
    by_suffix = {
        "json": parse_text.read_json, "jsonl": parse_text.read_json, "ndjson": parse_text.read_json,
        "csv": parse_text.read_csv, "tsv": parse_text.read_csv,
        "md": parse_text.read_markdown, "markdown": parse_text.read_markdown, "mdx": parse_text.read_markdown,
    }  # fmt: skip
    coded = suffix in CODE or PurePath(name).name.lower() in ("makefile", "dockerfile")
    return by_suffix.get(suffix, parse_code.read_code if coded else parse_text.read_plain)(text)


def locked(name: str) -> UnreadableError:
    """Return the error for a file that asks for a password."""
    return UnreadableError(_("{name} is locked with a password. Nothing was kept; please send it without one.", name=clean(name)))


def too_many(name: str, count: int, most: int) -> TooLargeError:
    """Return the error for an archive of more files than are read."""
    return TooLargeError(
        _(
            "{name} holds {count} files; I read at most {most} of one archive. Nothing was kept; please send it in parts.",
            name=name, count=count, most=most,
        )
    )  # fmt: skip


def broken(name: str) -> UnreadableError:
    """Return the error for a file that is cut off or damaged."""
    return UnreadableError(
        _("{name} is cut off or damaged. Nothing was kept; please send it again, or save it anew first.", name=name)
    )
