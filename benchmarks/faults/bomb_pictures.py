"""Hostile pictures: of very many pixels, of endlessly many frames, that lie about their size or go round in circles."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from benchmarks.faults.bomb import LAUGHS, Bomb, zeros
from benchmarks.faults.seeds import SEEDS, chunk

PNG: Final = b"\x89PNG\r\n\x1a\n"


def png(width: int, height: int, *, bits: int = 1, colour: int = 0, data: bytes = b"", before: bytes = b"") -> bytes:
    """Return a PNG that says to be so large. Source: PNG, third edition, 11.2.2 (IHDR)."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return PNG + head + before + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def pictures() -> Iterator[Bomb]:
    """Yield those that stand still."""
    yield Bomb("50mp.png", lambda: png(10_000, 5_001, data=zeros(6)))
    yield Bomb("400mp.png", lambda: png(20_000, 20_000, data=zeros(48)))
    yield Bomb("endless.png", lambda: png(0xFFFFFFFF, 0xFFFFFFFF, data=zeros(1)))
    yield Bomb("deep-39mp.png", lambda: png(6_240, 6_240, bits=16, colour=6, data=zeros(298)))
    yield Bomb("lie.png", lambda: png(8, 8, data=zeros(1024)))
    yield Bomb("words.png", lambda: png(8, 8, data=zeros(1), before=chunk(b"zTXt", b"a\0\0" + zeros(1024)) * 3))
    yield Bomb("profile.png", lambda: png(8, 8, data=zeros(1), before=chunk(b"iCCP", b"a\0\0" + zeros(1024))))
    yield Bomb("50mp.jpg", lambda: _resized(SEEDS["jpg"].make(), b"\xff\xc2", struct.pack(">HH", 5_001, 10_000)))
    yield Bomb("largest.jpg", lambda: _resized(SEEDS["jpg"].make(), b"\xff\xc2", struct.pack(">HH", 65_500, 65_500)))
    yield Bomb("scans.jpg", _scans)
    yield Bomb("largest.gif", lambda: b"GIF89a\xff\xff\xff\xff" + SEEDS["gif"].make()[10:])
    yield Bomb(
        "largest.bmp",
        lambda: b"BM" + struct.pack("<IIIIiiHHIIIIII", 999, 0, 54, 40, 2**31 - 1, -(2**31), 1, 24, 0, 0, 0, 0, 0, 0),
    )
    yield Bomb("runs.bmp", lambda: b"BM" + struct.pack("<IIIIiiHHIIIIII", 999, 0, 54, 40, 6_000, 6_000, 1, 8, 1, 0, 0, 0, 0, 0))
    yield Bomb(
        "inner.ico",
        lambda: struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, 60_000, 22) + png(20_000, 20_000, data=zeros(48)),
    )
    yield Bomb(
        "largest.avif", lambda: _resized(SEEDS["avif"].make(), b"ispe\0\0\0\0", struct.pack(">II", 65_535, 65_535), skip=0)
    )
    yield Bomb("strips.tiff", lambda: _tiff([_directory(30_000, 1_300, strip=(8, 0xFFFFFFF0))]))
    yield Bomb("packed.tiff", lambda: _tiff([_directory(39_000, 1_000, strip=(8, len(zeros(40))), packing=8)], zeros(40)))
    yield Bomb("samples.tiff", lambda: _tiff([_directory(6_000, 6_000, strip=(8, 8), samples=65_535)]))


def moving() -> Iterator[Bomb]:
    """Yield those of many frames and pages, and drawings that never end."""
    frame = struct.pack(">IIIIHHBB", 1000, 1000, 0, 0, 1, 99, 0, 0)
    yield Bomb("frames.png", lambda: _animated(10_000, frame))
    yield Bomb("frames.apng", lambda: _animated(2, frame, said=0xFFFFFFFF))
    yield Bomb("frames.gif", lambda: b"GIF89a\xe8\x03\xe8\x03\x80\0\0" + bytes(6) + _gif_frame() * 10_000 + b";")
    yield Bomb("pages.tiff", lambda: _tiff([_directory(1_000, 1_000, strip=(8, 8))] * 10_000))
    yield Bomb("circle.tiff", lambda: _tiff([_directory(100, 100, strip=(8, 8))], circle=True))
    laughs = f'{LAUGHS}<svg xmlns="http://www.w3.org/2000/svg"><text>&j;</text></svg>'
    yield Bomb("laughs.svg", laughs.encode)
    blur = '<filter id="f"><feGaussianBlur stdDeviation="99999"/></filter><rect filter="url(#f)" width="1e9" height="1e9"/>' * 100
    yield Bomb("blur.svg", f'<svg xmlns="http://www.w3.org/2000/svg" width="1e9" height="1e9">{blur}</svg>'.encode)
    run = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script></svg>'
    yield Bomb("runs.svg", lambda: run)


def _resized(data: bytes, before: bytes, size: bytes, *, skip: int = 3) -> bytes:
    """Return `data` with another size in the place that follows `before` and `skip` bytes."""
    at = data.index(before) + len(before) + skip
    return data[:at] + size + data[at + len(size) :]


def _scans() -> bytes:
    """Return a progressive JPEG of 36 megapixels that says its last scan 2,000 times over."""
    data = _resized(SEEDS["jpg"].make(), b"\xff\xc2", struct.pack(">HH", 6_000, 6_000))
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 2_000 + data[-2:]


def _animated(count: int, frame: bytes, *, said: int = 0) -> bytes:
    """Return an APNG of `count` frames that say all the same. Source: PNG, third edition, 11.3.6 (animation)."""
    rows = zlib.compress(bytes(126 * 1000))
    parts = [
        chunk(b"IHDR", struct.pack(">IIBBBBB", 1000, 1000, 1, 0, 0, 0, 0)),
        chunk(b"acTL", struct.pack(">II", said or count, 0)),
    ]
    parts += [chunk(b"fcTL", struct.pack(">I", 0) + frame), chunk(b"IDAT", rows)]
    for number in range(1, count):
        parts += [chunk(b"fcTL", struct.pack(">I", 2 * number - 1) + frame), chunk(b"fdAT", struct.pack(">I", 2 * number) + rows)]
    return PNG + b"".join(parts) + chunk(b"IEND", b"")


def _gif_frame() -> bytes:
    return b"!\xf9\x04\0\x01\0\0\0,\0\0\0\0\xe8\x03\xe8\x03\0\x02\x02\x44\x01\0"


def _directory(width: int, height: int, *, strip: tuple[int, int], packing: int = 1, samples: int = 1) -> bytes:
    """Return a directory of a TIFF without the place of the next. Source: TIFF 6.0, section 2."""
    tags = ((256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, packing), (262, 3, 1), (273, 4, strip[0]), (277, 3, samples),
            (278, 4, height),
            (279, 4, strip[1]))  # fmt: skip
    return struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)


def _tiff(directories: list[bytes], data: bytes = bytes(64), *, circle: bool = False) -> bytes:
    whole = b"II*\0" + struct.pack("<I", 8 + len(data)) + data
    for number, directory in enumerate(directories, 1):
        after = len(whole) + len(directory) + 4
        whole += directory + struct.pack("<I", 8 + len(data) if circle else after if number < len(directories) else 0)
    return whole
