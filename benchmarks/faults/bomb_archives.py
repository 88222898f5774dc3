"""Hostile archives: in one another, of very many entries, of entries that lie, overlap, lead outside or hold GBs of nothing."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial

from benchmarks.faults.bomb import LAUGHS, MIB, Bomb, mail, zeros
from benchmarks.faults.quines import growing, itself, locked_within
from benchmarks.faults.seeds import packed, zip_parts


def archives(noise: bytes) -> Iterator[Bomb]:
    """Yield them; `noise` packs to nothing less than it is."""
    yield Bomb("deep.zip", partial(_nested, 40))
    yield Bomb("wide.zip", lambda: _sixteen(4))
    yield Bomb("holds-itself.zip", itself)
    yield Bomb("holds-itself.eml", lambda: mail(itself()))
    yield Bomb("growing.zip", lambda: growing(6))
    yield Bomb("locked-within.zip", lambda: locked_within(archives=40, files=2_000))
    yield Bomb("zeros.zip", lambda: flooded({"zeros.txt": 1024}))
    yield Bomb("just-under.zip", lambda: flooded({"zeros.txt": 45}, {"noise.bin": noise}))
    yield Bomb("lie.zip", lambda: flooded({"zeros.txt": 1024}, said=9))
    yield Bomb("packed-twice.zip", lambda: packed({"in.zip": flooded({"zeros.txt": 1024})}))
    yield Bomb("overlap.zip", _overlapping)
    yield Bomb("bz2.zip", lambda: packed({"zeros.txt": bytes(64 * MIB)}, zipfile.ZIP_BZIP2))
    yield Bomb("lzma.zip", lambda: packed({"zeros.txt": bytes(64 * MIB)}, zipfile.ZIP_LZMA))
    yield Bomb("unknown-method.zip", lambda: packed(zip_parts()).replace(b"\x08\0\0\0!\0", b"\x63\0\0\0!\0"))
    yield Bomb("entries.zip", lambda: packed({f"{number}.txt": b"a" for number in range(10_000)}))
    yield Bomb("more-entries.zip", lambda: packed({f"{number}.txt": b"" for number in range(70_000)}))
    slips = ["../../../../tmp/owned.txt", "/owned.txt", "C:\\owned.txt", "..\\..\\owned.txt", "a/../../b.txt", "nul\0.txt", "\x1b[2J.txt",
             "<script>alert(1)</script>.md", "\u202etxt.md", "", "/", ".", "한글" * 99 + ".txt", "a\nb.txt", "aux.txt"]  # fmt: skip
    yield Bomb("slips.zip", lambda: packed(dict.fromkeys(slips, b"The office opens at nine.")))
    yield Bomb("links.zip", _links)
    yield Bomb("same-name.zip", lambda: _same_name(500))
    yield Bomb(
        "locked.zip", lambda: packed(zip_parts()).replace(b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\1\0")
    )
    yield Bomb("cut.zip", lambda: packed(zip_parts())[:-30])
    yield Bomb("comment.zip", lambda: packed(zip_parts())[:-2] + b"\xff\xff")
    yield Bomb(
        "book.epub",
        lambda: packed({"mimetype": b"application/epub+zip", "a.xhtml": LAUGHS.encode() + b"<html><body>&j;</body></html>"}),
    )


def _nested(depth: int) -> bytes:
    data = packed({"deepest.txt": b"Deep."})
    for level in range(depth):
        data = packed({f"{level}.zip": data})
    return data


def _sixteen(depth: int) -> bytes:
    """Return sixteen archives in each of sixteen, so deep, with much in the innermost."""
    data = flooded({"zeros.txt": 256})
    for level in range(depth):
        data = packed({f"{level}-{number}.zip": data for number in range(16)})
    return data


def flooded(sizes: dict[str, int], more: dict[str, bytes] | None = None, *, said: int = -1) -> bytes:
    """Return a ZIP of files of so many MiB of zeros, which may say that they are smaller. Source: APPNOTE 6.3.10, 4.3.7 and 4.3.12."""
    data, listed = b"", b""
    for name, mebibytes in sizes.items():
        raw = zeros(mebibytes)[2:-4]
        size, sum_of = said if said >= 0 else mebibytes * MIB, _crc_of_zeros(mebibytes)
        head = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, sum_of, len(raw), size, len(name), 0)
        listed += b"PK\x01\x02\x14\x03" + head + struct.pack("<HHHII", 0, 0, 0, 0, len(data)) + name.encode()
        data += b"PK\x03\x04" + head + name.encode() + raw
    for name, held in (more or {}).items():
        head = struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, zlib.crc32(held), len(held), len(held), len(name), 0)
        listed += b"PK\x01\x02\x14\x03" + head + struct.pack("<HHHII", 0, 0, 0, 0, len(data)) + name.encode()
        data += b"PK\x03\x04" + head + name.encode() + held
    count = len(sizes) + len(more or {})
    return data + listed + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(listed), len(data), 0)


def _crc_of_zeros(mebibytes: int) -> int:
    block, found = bytes(MIB), 0
    for _mebibyte in range(mebibytes):
        found = zlib.crc32(block, found)
    return found


def _overlapping() -> bytes:
    """Return a ZIP whose 1,500 entries all lie in the same place."""
    raw, name = zeros(10)[2:-4], b"0000.txt"
    head = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, _crc_of_zeros(10), len(raw), 10 * MIB, len(name), 0)
    data = b"PK\x03\x04" + head + name + raw
    listed = b"".join(
        b"PK\x01\x02\x14\x03" + head + struct.pack("<HHHII", 0, 0, 0, 0, 0) + b"%04d.txt" % at for at in range(1_500)
    )
    return data + listed + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1_500, 1_500, len(listed), len(data), 0)


def _links() -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, target in (("passwd.txt", "/etc/passwd"), ("folder", "/etc"), ("folder/shadow.txt", "x")):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o120777 << 16
            archive.writestr(entry, target)
    return held.getvalue()


def _same_name(count: int) -> bytes:
    """Return a ZIP whose files have all the same name (zipfile warns of that, so they are renamed where they lie)."""
    data = packed({f"{number:06}.txt": b"The office opens at nine." for number in range(count)})
    for number in range(1, count):
        data = data.replace(b"%06d.txt" % number, b"000000.txt")
    return data
