"""Archives without an end: one that holds itself, and some that hold ever more the deeper one looks.

    itself()                # a ZIP whose only file is that very ZIP, byte for byte, its CRC-32 too
    growing(depth=6)        # each archive in it is a hundred times as large as the one around it

Source: Russ Cox, "Zip Files All The Way Down" (2010): a program of literals and repeats, each five bytes of DEFLATE, which prints itself
between a prefix and a suffix. RFC 1951, 3.2.4 (stored blocks), 3.2.6 (fixed codes). PKWARE APPNOTE 6.3.10, 4.3.7, 4.3.12, 4.3.16.
"""

from __future__ import annotations

import struct
import zlib

from benchmarks.faults.seeds import packed

UNIT = 5
"""Bytes of an opcode."""
NAME = b"this-archive-holds-itself-.zip"
"""Its length makes the head one that a repeat of five bytes can name, as the comment's does for the tail."""
COMMENT = b" This archive holds itself, and so does the one in it.".ljust(150, b".")
LAST_BLOCK = b"\x01\x00\x00\xff\xff"
BEGIN, END = "010", "0000000"
"""A block of fixed codes, not the last one, as its bits come; its end."""
_MATCHES = {
    4 * UNIT: ("0001000" + "01000" + "110", 2),  # 10 bytes (code 264) from 20 before (code 8, 3 more)
    65: ("0010100" + "011" + "01100" + "00000", 1),  # 65 (276, 6 more) from 65 before (12)
    258: ("11000101" + "10000" + "1000000", 1),  # 258 (285) from 258 before (16, 1 more)
}
"""A match's bits, and how many of it a repeat of so many bytes takes: codes come from their highest bit on, what is more from the lowest."""


def itself() -> bytes:
    """Return a ZIP that holds itself, with the CRC-32 that it says to have."""
    no_sum, packed_bytes = _archive(0, 0, 0), len(_deflated(*_around(0, 0, 0)))
    size_bytes = len(no_sum)

    def sum_of(said: int) -> int:
        return zlib.crc32(_archive(said, packed_bytes, size_bytes))

    base = sum_of(0)
    columns = [sum_of(1 << bit) ^ base ^ (1 << bit) for bit in range(32)]  # a CRC is affine: crc(x) = A x + base; A x + x = base
    return _archive(_solved(columns, base), packed_bytes, size_bytes)


def growing(depth: int) -> bytes:
    """Return a ZIP that holds a ZIP, so deep, each a hundred times larger than the one that holds it, up to 40 MiB."""
    data = b"The office opens at nine."
    for level in reversed(range(depth)):
        padding = bytes(min(40 << 20, 4096 * 100**level))
        data = packed({f"{level}.zip" if level < depth - 1 else "deepest.txt": data, "padding.bin": padding})
    return data


def locked_within(archives: int, files: int) -> bytes:
    """Return a ZIP of ZIPs whose files are all locked: none can be taken out, and there is no end to trying."""
    inner = bytearray(packed({f"{number}.txt": b"" for number in range(files)}))
    at = 0
    while (at := inner.find(b"PK\x01\x02", at)) >= 0:
        inner[at + 8] |= 1  # general purpose bit 0: encrypted
        at += 4
    return packed({f"{number}.zip": bytes(inner) for number in range(archives)})


def _archive(said: int, packed_bytes: int, size_bytes: int) -> bytes:
    head, tail = _around(said, packed_bytes, size_bytes)
    return head + _deflated(head, tail) + tail[len(LAST_BLOCK) :]


def _around(said: int, packed_bytes: int, size_bytes: int) -> tuple[bytes, bytes]:
    """Return the archive's head, and its tail after the last block of DEFLATE, which the tail begins with."""
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, said, packed_bytes, size_bytes, len(NAME), 0)
    head = b"PK\x03\x04" + fields + NAME
    listed = b"PK\x01\x02\x14\x00" + fields + struct.pack("<HHHII", 0, 0, 0, 0, 0) + NAME
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 1, 1, len(listed), len(head) + packed_bytes, len(COMMENT)) + COMMENT
    return head, LAST_BLOCK + listed + end


def _deflated(head: bytes, tail: bytes) -> bytes:
    """Return DEFLATE that unpacks to `head`, itself, and what of `tail` comes after the last block."""
    named, ended = len(head) + UNIT, len(tail) + UNIT
    again, four = _repeat(named), _repeat(4 * UNIT)
    one, fours, none, last = _literal(UNIT), _literal(4 * UNIT), _literal(0), _literal(ended)
    return b"".join((
        _literal(named), head, _literal(named), again,
        one, again, one, one, fours, again, one, one, fours, four,
        fours, four, fours, four, fours, four,
        fours, four, none, none, last, four, none, none,
        last, _repeat(ended), tail, _repeat(ended), LAST_BLOCK,
    ))  # fmt: skip


def _literal(size_bytes: int) -> bytes:
    """Return the head of a stored block, which starts at a byte wherever the one before has ended in it."""
    return struct.pack("<BHH", 0, size_bytes, size_bytes ^ 0xFFFF)


def _repeat(size_bytes: int) -> bytes:
    """Return five bytes that print the last `size_bytes` again. Raises KeyError for a length that does not come out at five."""
    match, times = _MATCHES[size_bytes]
    bits = BEGIN + match * times + END + (BEGIN + END) * (2 - times)  # an empty block fills up what a second match would take
    return int(bits[::-1], 2).to_bytes(UNIT, "little")


def _solved(columns: list[int], wanted: int) -> int:
    """Return x with the exclusive or of `columns` at its bits being `wanted`. Raises ValueError where there is none."""
    rows = dict[int, tuple[int, int]]()
    for bit, column in enumerate(columns):
        left, made = _reduced(column, 1 << bit, rows)
        if left:
            rows[left.bit_length()] = (left, made)
    left, found = _reduced(wanted, 0, rows)
    if left:
        msg = "no CRC-32 of this archive says its own: another name of the same length has one"
        raise ValueError(msg)
    return found


def _reduced(value: int, made: int, rows: dict[int, tuple[int, int]]) -> tuple[int, int]:
    while value and value.bit_length() in rows:
        row, of = rows[value.bit_length()]
        value, made = value ^ row, made ^ of
    return value, made
