"""Breaks files, by chance from a seed, and reads them as the bot does: in a child of the sandbox, many in one call.

Owns: what is done to a file's bytes, and what came of each. `read_some` runs in the child; what ends it there is found by asking for
one file at a time.

    await sandbox.call("benchmarks.faults.mutations:read_some", {"kind": "pdf", "seed": 1, "first": 0, "count": 100, "folder": "/tmp/x"})
"""

from __future__ import annotations

import random
import struct
import time
import traceback
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.faults.seeds import PARTS, SEEDS, chunk, packed
from bot import audio, images
from bot.errors import ParingError
from bot.retrieval import parsers

MEGAPIXELS: Final = 40.0
MINUTES: Final = 10.0
GROWTH: Final = 100
MEMORY: Final = "over its memory"
_LENGTHS: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE)
_HEADS: Final = (
    b"%PDF-1.7\n", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\xff\xff\xff\xffWEBP", b"II*\0", b"BM", b"OggS",
    b"fLaC", b"ID3", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"<html>", b"From: a\nTo: b\nSubject: c\n\n", b"\xef\xbb\xbf", b"\xff\xfe",
)  # fmt: skip
_WORDS: Final = (
    b"\0", b"%s%n", b"../../", b"\xff" * 9, b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"<![CDATA[", b"]]>", b"-->", b"{" * 99, b"[" * 99, b'"',
    b"9" * 21, b"-1", b"1e999", b"NaN", b"endobj", b"1 0 R", b"/Kids [2 0 R]", b"\n\n", b"\xed\xa0\x80", "가\u202e\u200d".encode(),
)  # fmt: skip


@dataclass(slots=True)
class Came:
    """What came of some files. `told` counts by the sentence, `unforeseen` names what no sentence was made of."""

    read: int = 0
    told: dict[str, int] = field(default_factory=dict)
    unforeseen: list[tuple[int, str]] = field(default_factory=list)
    slowest_s: float = 0.0


def read_some(*, kind: str, seed: int, first: int, count: int, folder: str) -> Came:
    """Read the files `first` to `first + count` of a kind, each broken in a way of its own. Runs in a child of the sandbox."""
    came = Came()
    file = Path(folder) / f"file.{kind}"
    for number in range(first, first + count):
        for left in file.parent.iterdir():  # a file that is written over is waited for until it is on the disk, by ext4
            left.unlink()
        file.write_bytes(mutated(kind, seed, number))
        begun = time.perf_counter()
        try:
            _read(kind, file)
            came.read += 1
        except ParingError as error:
            _tell(came, number, error)
        except MemoryError:  # the bot starts another reader, and has a sentence for it
            came.told[MEMORY] = came.told.get(MEMORY, 0) + 1
        except Exception as error:  # noqa: BLE001 - what is looked for
            last = traceback.extract_tb(error.__traceback__)[-1]
            came.unforeseen.append((number, f"{type(error).__name__} {Path(last.filename).name}:{last.lineno}"))
        came.slowest_s = max(came.slowest_s, time.perf_counter() - begun)
    return came


def _tell(came: Came, number: int, error: ParingError) -> None:
    if error.sentence("ko") == error.sentence("en"):
        came.unforeseen.append((number, "no Korean"))
    came.told[error.text.msgid] = came.told.get(error.text.msgid, 0) + 1


def mutated(kind: str, seed: int, number: int) -> bytes:
    """Return the file of that number: every second one of an archive is broken within, and packed as if it were whole."""
    chance = random.Random(f"{kind} {seed} {number}")  # noqa: S311 - how a file is broken
    if kind in PARTS and number % 2:
        parts = dict(PARTS[kind]())
        for name in chance.sample(sorted(parts), min(len(parts), chance.choice((1, 1, 2)))):
            parts[name] = _broken(parts[name], chance)
        return packed(parts, chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
    data = _broken(SEEDS[kind].make(), chance)
    return _with_sums(data) if kind in ("png", "apng") and number % 2 else data


def _read(kind: str, file: Path) -> object:
    reader = SEEDS[kind].reader
    if reader == "picture":
        return images.examine(str(file), str(file.parent), MEGAPIXELS)
    if reader == "sound":
        return audio.decode(str(file), str(file.with_suffix(".out")), MINUTES)
    return parsers.read(path=str(file), name=file.name, archive_growth=GROWTH)


def _broken(data: bytes, chance: random.Random) -> bytes:
    held = bytearray(data)
    for _time in range(chance.choice((1, 1, 2, 3, 8))):
        chance.choice(_BREAKS)(held, chance)
    return bytes(held)


def _flip(held: bytearray, chance: random.Random) -> None:
    for _bit in range(chance.choice((1, 2, 16))):
        if held:
            held[chance.randrange(len(held))] ^= 1 << chance.randrange(8)


def _set(held: bytearray, chance: random.Random) -> None:
    if held:
        held[chance.randrange(len(held))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))


def _cut(held: bytearray, chance: random.Random) -> None:
    del held[chance.randrange(len(held) + 1) :]


def _drop(held: bytearray, chance: random.Random) -> None:
    start, end = _block(held, chance)
    del held[start:end]


def _repeat(held: bytearray, chance: random.Random) -> None:
    start, end = _block(held, chance)
    held[end:end] = held[start:end] * chance.choice((1, 1, 2, 50, 1000 if end - start < 64 else 3))


def _swap(held: bytearray, chance: random.Random) -> None:
    start, end = _block(held, chance)
    block = held[start:end]
    del held[start:end]
    at = chance.randrange(len(held) + 1)
    held[at:at] = block


def _length(held: bytearray, chance: random.Random) -> None:
    form = chance.choice(("<I", ">I", "<H", ">H"))
    size = struct.calcsize(form)
    if len(held) >= size:
        at = chance.randrange(len(held) - size + 1)
        held[at : at + size] = struct.pack(form, chance.choice(_LENGTHS) & (0xFFFFFFFF if size == 4 else 0xFFFF))


def _number(held: bytearray, chance: random.Random) -> None:
    """Write another number in the place of one that is written in digits."""
    places = [at for at, byte in enumerate(held) if 0x30 <= byte <= 0x39]
    if places:
        at = chance.choice(places)
        held[at : at + 1] = chance.choice((b"-1", b"0", b"4294967295", b"9" * 30, b"65536", b"1.5e308", b"", b"x"))


def _head(held: bytearray, chance: random.Random) -> None:
    head = chance.choice(_HEADS)
    held[0 : chance.choice((0, len(head)))] = head


def _word(held: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(held) + 1)
    word = chance.choice(_WORDS)
    held[at : at + chance.choice((0, len(word)))] = word


_BREAKS: Sequence[Callable[[bytearray, random.Random], None]] = (
    _flip, _flip, _set, _cut, _drop, _repeat, _swap, _length, _length, _number, _head, _word, _word
)  # fmt: skip


def _block(held: bytearray, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(held) + 1)
    return start, min(len(held), start + chance.choice((1, 4, 16, 64, 256)))


def _with_sums(data: bytes) -> bytes:
    """Return a PNG whose chunks say their own check sums again, as far as it is one, so that what was broken is looked at."""
    whole, at = data[:8], 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + size > len(data):
            break
        kind, said = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        whole += chunk(kind, said)
        at += 12 + size
    return whole + data[at:]
