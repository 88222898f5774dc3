r"""What a file holds besides its own text: a ZIP's files, a mail's attachments, a document's pictures. Runs in the sandbox's child.

Owns: the list of it, under names that people read and no path can hide in, and taking one out. Leaves reading it to whoever took it out
(`bot.retrieval.reading`), in a call of its own: what breaks there costs that file alone.

    read_zip(Path("plans.zip"), "plans.zip")                         # Document("zip", "", (Block("file", "2025/budget.xlsx", place=3), ...))
    take(path="plans.zip", name="budget.xlsx", place=3, out="/tmp/x", most_bytes=2**25)

Source: PKWARE APPNOTE 6.3.10: 4.4.4 bit 0 (encrypted), bit 11 (names in UTF-8), 4.4.17 (names).
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from email.message import EmailMessage, MIMEPart
from pathlib import Path, PurePosixPath

from bot import lazy
from bot.errors import TooLargeError, UnreadableError
from bot.locale import phrases
from bot.retrieval.decode import clean, decode
from bot.retrieval.document import Block, Document
from bot.retrieval.folder import is_passed_over
from bot.retrieval.parsers import broken, is_picture, locked, too_many
from bot.text.normal import normal

_ = phrases(__file__)

ZIP = b"PK\x03\x04"
MOST_FILES = 2000
MOST_ATTACHED = 50
LEAST_PICTURE_BYTES = 2048
"""A smaller picture in a document is a bullet, a line or a logo: no sentence fits in."""
MEBIBYTE = 1024 * 1024
COPIED_BYTES = 1 << 20
_DRIVE = lazy.compile(r"^[A-Za-z]:")


def read_zip(file: Path, name: str) -> Document:
    """Return the files of an archive, without folders and what is no document by its name.

    Raises:
        UnreadableError: there is none.
        TooLargeError: there are more than MOST_FILES.
    """
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
    names = [name_of(entry) for entry in entries]
    places = [at for at, entry in enumerate(entries) if names[at] and not _is_folder(entry) and not is_passed_over(names[at])]
    if not places:
        raise UnreadableError(
            _("{name} is an archive without documents that I can read. Nothing was kept; please send the documents.", name=name)
        )
    if len(places) > MOST_FILES:
        raise too_many(name, len(places), MOST_FILES)
    blocks = [Block("file", called, level=1, place=at) for called, at in _named_once(names, places)]
    return Document("zip", "", tuple(blocks))


def take(*, path: str, name: str, place: int, out: str, most_bytes: int) -> bool:
    """Write what lies at `place` of the file `path` to `out`; return whether it is a picture. `name` is what people call it.

    Raises:
        UnreadableError: locked, damaged, or packed in a way that is not known.
        TooLargeError: over `most_bytes`.
    """
    with Path(path).open("rb") as file:
        is_zip = file.read(len(ZIP)) == ZIP
    if is_zip:
        _take_entry(Path(path), name, place, Path(out), most_bytes)
    else:
        from bot.retrieval.parse_mail import BROKEN, attached_bytes  # noqa: PLC0415 - it imports this module

        try:
            data = attached_bytes(Path(path).read_bytes(), place)
        except BROKEN as error:
            raise broken(name) from error
        if len(data) > most_bytes:
            raise _too_large(name, most_bytes)
        Path(out).write_bytes(data)
    with Path(out).open("rb") as file:
        return is_picture(file.read(32))


def attached(message: EmailMessage) -> list[MIMEPart]:
    """Return what is attached to a mail or shown in it: all parts but its own words, and what is attached to an attached mail."""
    said = message.get_body(preferencelist=("plain", "html"))
    return [part for part in _leaves(message) if part is not said and not is_words(part)][:MOST_ATTACHED]


def pictures_of(entries: list[zipfile.ZipInfo], prefix: str) -> dict[str, int]:
    """Return where the pictures of an Office document lie, by their names in the archive; those too small to say anything left out."""
    return {
        entry.filename: at
        for at, entry in enumerate(entries)
        if entry.filename.startswith(prefix) and entry.file_size >= LEAST_PICTURE_BYTES
    }


def name_of(entry: zipfile.ZipInfo) -> str:
    """Return the name of a ZIP's entry as its author wrote it, "" for none: with slashes between folders, none above another.

    Korean Windows wrote names in CP949 for long, and says nowhere that it did.
    """
    raw = entry.orig_filename
    if not entry.flag_bits & 0x800:  # Python has read them as CP437, of which each byte is a letter
        raw = decode(raw.encode("cp437", "replace"))
    parts = _DRIVE.sub("", clean(raw).replace("\n", " ")).replace("\\", "/").split("/")
    named = "/".join(part.strip() for part in parts if part.strip() not in ("", ".", ".."))
    return normal("NFC", named)


def _is_folder(entry: zipfile.ZipInfo) -> bool:
    return entry.orig_filename.rstrip("\0").endswith(("/", "\\"))


def _named_once(names: list[str], places: list[int]) -> Iterator[tuple[str, int]]:
    """Yield (name, place); the second of one name is told by a number."""
    seen: dict[str, int] = {}
    for at in places:
        name = names[at]
        seen[name] = seen.get(name, 0) + 1
        path = PurePosixPath(name)
        yield (name if seen[name] == 1 else str(path.with_name(f"{path.stem} ({seen[name]}){path.suffix}"))), at


def _take_entry(path: Path, name: str, place: int, out: Path, most_bytes: int) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entry = archive.infolist()[place]
            if entry.flag_bits & 1:
                raise locked(name)
            if entry.file_size > most_bytes:
                raise _too_large(name, most_bytes)
            with archive.open(entry) as packed, out.open("wb") as file:
                while piece := packed.read(COPIED_BYTES):
                    file.write(piece)
    except NotImplementedError as error:
        raise UnreadableError(
            _("{name} is packed in a way that I do not know. Nothing was kept of it; please send it by itself.", name=name)
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, IndexError, OSError) as error:
        raise broken(name) from error


def _too_large(name: str, most_bytes: int) -> TooLargeError:
    return TooLargeError(
        _("{name} has over {most} MB; I read at most that. Nothing was kept of it.", name=name, most=most_bytes // MEBIBYTE)
    )


def _leaves(message: MIMEPart) -> Iterator[MIMEPart]:
    for part in message.iter_parts():
        if part.get_content_maintype() == "multipart":
            yield from _leaves(part)
        else:
            yield part


def is_words(part: MIMEPart) -> bool:
    """Say whether a part is the mail's own words in another form, or a signature: nothing that somebody attached."""
    kind = part.get_content_type()
    plain = kind in ("text/plain", "text/html") and part.get_filename() is None and part.get_content_disposition() != "attachment"
    return plain or kind in ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")
