"""Hostile files of every kind that the bot reads, made from a seed: small to send, large to open, or going round in circles.

Owns: the files and the names that they are sent under. Leaves to `files` how they reach the bot and what is counted.

    for bomb in bombs(random.Random(1)):
        bomb.name, bomb.make()        # "pages.pdf", b"%PDF-1.5 ..."
"""

from __future__ import annotations

import bz2
import io
import random
import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import Final

from benchmarks.faults.bomb import LAUGHS, MIB, Bomb, mail, zeros
from benchmarks.faults.bomb_archives import archives, flooded
from benchmarks.faults.bomb_pictures import moving, pictures, png
from benchmarks.faults.seeds import (
    SEEDS,
    chunk,
    docx_parts,
    hwpx_parts,
    packed,
    pdf,
    pptx_parts,
    stream,
    unpacked,
    xlsx_parts,
    zip_parts,
)  # fmt: skip

_QUADRATIC = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY j "{"a" * 60_000}">]>'
_OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY j SYSTEM "file:///etc/passwd">]>'


def bombs(chance: random.Random) -> list[Bomb]:
    """Return all of them; `chance` fills what only has to be incompressible."""
    noise = chance.randbytes(MIB)
    made = [
        *pictures(),
        *moving(),
        *_pdfs(),
        *archives(noise),
        *_offices(noise),
        *_texts(),
        *_mails(),
        *_sounds(),
        *_disguised(),
    ]
    return [*made, *(Bomb(name, lambda: b"The office opens at nine.") for name in NAMES)]


NAMES: Final = (
    "../../../../etc/cron.d/owned.txt", "/etc/passwd.txt", "C:\\Windows\\owned.txt", "nul\0here.txt", "\u202etxt.exe.md",
    "<img src=x onerror=alert(1)>.txt", '"><script>alert(1)</script>.md', "\x1b]0;owned\x07\x1b[2J.txt", "a\nb\rc.txt", "한" * 300 + ".txt",
    "[click](javascript:alert(1)).txt", "`code` *bold* @everyone.txt", "%2e%2e%2fslip.txt", "CON.txt", "-rf.txt", "{name}.txt", "%s%n.txt",
    "\ud800.txt", ".", "...txt",
)  # fmt: skip
"""What a file may be called."""


def _pdfs() -> Iterator[Bomb]:
    catalog = b"<< /Type /Catalog /Pages 2 0 R >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /A 5 0 R /B 6 0 R >> >> >>"
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 99 99] /Resources << /XObject << /A 5 0 R /B 6 0 R >> >>"

    def one(content: bytes, *more: bytes, shown: bytes = page) -> bytes:
        return pdf([catalog, pages, shown, content, *more])

    flate = b"/Filter /FlateDecode"
    yield Bomb("circle-of-pages.pdf", lambda: pdf([catalog, b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 9 >>"]))
    two = (b"<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 9 >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Parent 2 0 R /Count 9 >>")
    yield Bomb("two-circles.pdf", lambda: pdf([catalog, *two]))
    yield Bomb("table-loop.pdf", lambda: _prev(one(stream(b"")), itself=True))
    yield Bomb("table-negative.pdf", lambda: _prev(one(stream(b"")), itself=False))
    yield Bomb("forms.pdf", lambda: one(stream(b"/A Do"), stream(b"/A Do /A Do", form)))
    yield Bomb("two-forms.pdf", lambda: one(stream(b"/A Do /B Do"), stream(b"/B Do /B Do", form), stream(b"/A Do /A Do", form)))
    inner = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /A%d %d 0 R >> >>"
    doubled = [stream(f"/A{at} Do ".encode() * 2, inner % (at, at + 6))
               for at in range(40)]  # fmt: skip
    shown = page.replace(b"/A 5 0 R /B 6 0 R", b"/A0 5 0 R")
    yield Bomb("doubled-forms.pdf", lambda: one(stream(b"/A0 Do"), *doubled, shown=shown))
    yield Bomb("flate.pdf", lambda: one(stream(zeros(2048), flate)))
    yield Bomb("flate-twice.pdf", lambda: one(stream(zlib.compress(zeros(2048)), b"/Filter [/FlateDecode /FlateDecode]")))
    written = page.replace(b"/XObject << /A 5 0 R /B 6 0 R >>", b"/Font << /F1 5 0 R >>")
    font, letter = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>", b"BT /F1 9 Tf (a) Tj ET "
    yield Bomb("letters.pdf", lambda: one(stream(zlib.compress(letter * 2_000_000), flate), font, shown=written))
    yield Bomb("saved-states.pdf", lambda: one(stream(zlib.compress(b"q " * 20_000_000), flate)))
    objects = b"/Type /ObjStm /N 99999999 /First 9 /Filter /FlateDecode"
    yield Bomb("object-stream.pdf", lambda: pdf([catalog, pages, page, stream(b""), stream(zeros(1024), objects)]))
    yield Bomb(
        "million-pages.pdf", lambda: pdf([catalog, b"<< /Type /Pages /Kids [3 0 R] /Count 100000000 >>", page, stream(b"")])
    )
    yield Bomb(
        "same-page.pdf",
        lambda: pdf([catalog, b"<< /Type /Pages /Kids [%s] /Count 200000 >>" % (b"3 0 R " * 200_000), page, stream(b"")]),
    )
    yield Bomb("huge-page.pdf", lambda: one(stream(b"0 0 99 99 re f"), shown=page.replace(b"595 842", b"1e9 1e9")))
    image = b"/Type /XObject /Subtype /Image /Width 30000 /Height 30000 /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /FlateDecode"
    yield Bomb("image.pdf", lambda: one(stream(b"q 500 0 0 500 0 0 cm /A Do Q"), stream(zeros(2575), image)))
    yield Bomb("brackets.pdf", lambda: one(stream(b"[" * 5_000_000)))
    yield Bomb(
        "nested.pdf",
        lambda: pdf([catalog, b"<< /Type /Pages /Kids [3 0 R] /Count 1 /X %s >>" % (b"[" * 100_000), page, stream(b"")]),
    )
    script = b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (while(1){}) >> >>"
    yield Bomb("script.pdf", lambda: pdf([script, pages, page, stream(b"")]))
    yield Bomb("length.pdf", lambda: pdf([catalog, pages, page, b"<< /Length 4 0 R >>\nstream\nabc\nendstream"]))


def _prev(data: bytes, *, itself: bool) -> bytes:
    """Return a PDF whose table names itself, or nothing, as the one before it."""
    place = int(data.rsplit(b"startxref\n", 1)[1].split()[0]) if itself else -1
    return data.replace(b"trailer\n<<", b"trailer\n<< /Prev %d" % place)


def _offices(noise: bytes) -> Iterator[Bomb]:
    word, slides, sheet, hangul = docx_parts(), pptx_parts(), xlsx_parts(), hwpx_parts()
    for called, head in (("laughs", LAUGHS), ("quadratic", _QUADRATIC), ("outside", _OUTSIDE)):
        said = "&j;" * (2_000 if called == "quadratic" else 1)
        for ending, parts, name, mark in (("docx", word, "word/document.xml", b"The office"), ("pptx", slides, "ppt/slide.xml", b"The office"),
                                          ("xlsx", sheet, "xl/strings.xml", b"The office"),
                                          ("hwpx", hangul, "Contents/section0.xml", b"The office"),
                                          ("2.docx", word, "word/styles.xml", b"heading 1"), ("3.docx", word, "word/footnotes.xml", b"A note"),
                                          ("4.docx", word, "[Content_Types].xml", b"xml"),
                                          ("2.xlsx", sheet, "xl/styles.xml", b"yyyy")):  # fmt: skip
            broken = parts | {name: head.encode() + parts[name].replace(mark, said.encode(), 1)}
            yield Bomb(f"{called}.{ending}", partial(packed, broken))
    yield Bomb("zeros.docx", lambda: flooded({"word/document.xml": 1024}, word))
    padded = word | {"word/media/noise.png": noise * 3}

    def with_paragraphs() -> bytes:
        said = b"<w:p><w:r><w:t>a</w:t></w:r></w:p>" * 8_000_000
        return packed(padded | {"word/document.xml": word["word/document.xml"].replace(b"<w:sectPr/>", said)})

    yield Bomb("paragraphs.docx", with_paragraphs)
    yield Bomb(
        "columns.docx",
        lambda: packed(
            word | {"word/document.xml": word["word/document.xml"].replace(b'gridSpan w:val="1"', b'gridSpan w:val="999999999"')}
        ),
    )
    deep = word["word/document.xml"].replace(
        b"<w:sectPr/>", b"<w:sdt><w:sdtContent>" * 30_000 + b"</w:sdtContent></w:sdt>" * 30_000
    )
    yield Bomb("deep.docx", lambda: packed(word | {"word/document.xml": deep}))
    itself = (
        word["word/_rels/document.xml.rels"]
        .replace(b"styles.xml", b"document.xml")
        .replace(b"footnotes.xml", b"../word/document.xml")
    )
    yield Bomb("itself.docx", lambda: packed(word | {"word/_rels/document.xml.rels": itself}))
    outside = word["word/_rels/document.xml.rels"].replace(b"styles.xml", b"../../../../../etc/passwd")
    yield Bomb("slip.docx", lambda: packed(word | {"word/_rels/document.xml.rels": outside}))
    long = b"<si><t>" + b"word " * 200_000 + b"</t></si>"
    cells = b'<row><c t="s"><v>0</v></c></row>' * 100_000
    book = sheet | {
        "xl/strings.xml": b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">' + long + b"</sst>"
    }
    rows = sheet["xl/sheet1.xml"].replace(b"</sheetData>", cells + b"</sheetData>")
    yield Bomb("one-string.xlsx", lambda: packed(book | {"xl/sheet1.xml": rows, "noise.bin": noise}))
    far = sheet["xl/sheet1.xml"].replace(b'r="3"', b'r="99999999"').replace(b"A2:A3", b"A1:ZZZ9999999")
    yield Bomb("far.xlsx", lambda: packed(sheet | {"xl/sheet1.xml": far}))

    def with_columns() -> bytes:
        far_right = b"".join(b'<row><c r="ALL%d"><v>1</v></c></row>' % at for at in range(100_000))
        cut = sheet["xl/sheet1.xml"].replace(b"</sheetData>", far_right + b"</sheetData>")
        return packed(sheet | {"xl/sheet1.xml": cut, "noise.bin": noise})

    yield Bomb("wide.xlsx", with_columns)
    spans = hangul["Contents/section0.xml"].replace(b'colSpan="1" rowSpan="2"', b'colSpan="99999999" rowSpan="99999999"')
    yield Bomb("spans.hwpx", lambda: packed(hangul | {"Contents/section0.xml": spans}))
    slide = b"<p:grpSp><p:nvGrpSpPr/><p:grpSpPr/>" * 5_000 + b"</p:grpSp>" * 5_000
    groups = slides["ppt/slide.xml"].replace(b"</p:spTree>", slide + b"</p:spTree>")
    yield Bomb("groups.pptx", lambda: packed(slides | {"ppt/slide.xml": groups}))


def _texts() -> Iterator[Bomb]:
    yield Bomb("line.csv", lambda: b"a,b\n" + b"1,2," * (25 * MIB))
    yield Bomb("line-49.csv", lambda: b"1,2," * (49 * MIB // 4))
    yield Bomb("quote.csv", lambda: b'a,b\n"' + b"x,\n" * 8_000_000)
    yield Bomb("columns.csv", lambda: b"a;" * 1_000_000 + b"\n" + b"1;" * 1_000_000)
    yield Bomb("line.txt", lambda: b"a" * (20 * MIB))
    yield Bomb("words.txt", lambda: b"The office opens at nine. " * (45 * MIB // 26))
    yield Bomb("lines.txt", lambda: b"\n" * (49 * MIB))
    yield Bomb("marks.txt", ("가" + "\u0301" * 20_000_000).encode)
    yield Bomb("nul.txt", lambda: bytes(MIB))
    yield Bomb("deep.json", lambda: b"[" * 50_000 + b"]" * 50_000)
    yield Bomb("digits.json", lambda: b'{"a": ' + b"9" * 200_000 + b"}")
    yield Bomb("keys.json", lambda: b"".join((b"[", *(b'{"a":' * 900, b"1", b"}" * 900, b"]"))))
    yield Bomb("deep.html", lambda: b"<html><body>" + b"<div>" * 2_000_000 + b"a")
    yield Bomb("tables.html", lambda: b"<html><body>" + b"<table><tr><td>" * 100_000 + b"a")
    yield Bomb("titles.html", lambda: b"<html><title>" * 500_000)
    yield Bomb("comments.html", lambda: b"<!--" * 1_000_000 + b"<html>")
    yield Bomb("attributes.html", lambda: b"<html><body><p " + b"a=1 " * 2_000_000 + b">a</p>")
    yield Bomb("laughs.html", lambda: LAUGHS.encode() + b"<html><body>&j;</body></html>")
    yield Bomb("laughs.xml", lambda: LAUGHS.encode() + b"<x>&j;</x>")
    yield Bomb("brackets.md", lambda: b"[" * 20_000)
    yield Bomb("stars.md", lambda: b"**a " * 10_000)
    yield Bomb("bars.md", lambda: b"|" * 1_000_000 + b"\n|" + b"-|" * 500_000 + b"\n")
    yield Bomb("front.md", lambda: b"---\n" + b"title: \n" * 10_000)
    yield Bomb("fences.md", lambda: b"```\n" * 1_000_000)
    yield Bomb("def.py", lambda: b"def a(" * 20_000)
    yield Bomb("definitions.py", lambda: b"def a():\n" * 1_000)


def _mails() -> Iterator[Bomb]:
    head = b"From: a@example.org\nTo: b@example.org\nSubject: c\nMIME-Version: 1.0\n"
    nested = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (at, at) for at in range(3_000))
    yield Bomb("nested.eml", lambda: head + nested + b"Content-Type: text/plain\n\na")
    part = b"--b\nContent-Type: text/plain\nContent-Disposition: attachment; filename=a.txt\n\na\n"
    yield Bomb("parts.eml", lambda: head + b'Content-Type: multipart/mixed; boundary="b"\n\n' + part * 100_000)
    yield Bomb("header.eml", lambda: head.replace(b"Subject: c", b"Subject: " + b"=?utf-8?q?a?= " * 200_000) + b"\na")
    yield Bomb("people.eml", lambda: head.replace(b"b@example.org", b"b@example.org, " * 3_000) + b"\na")
    yield Bomb("comments.eml", lambda: head.replace(b"b@example.org", b"(" * 50_000 + b"b@example.org") + b"\na")

    yield Bomb("attached.eml", lambda: mail(flooded({"zeros.txt": 512})))


def _sounds() -> Iterator[Bomb]:
    wav = SEEDS["wav"].make()
    yield Bomb("hours.wav", lambda: wav[:40] + struct.pack("<I", 0xFFFFFFF0) + wav[44:])
    yield Bomb("rate.wav", lambda: wav[:24] + struct.pack("<I", 0x7FFFFFFF) + wav[28:])
    yield Bomb("slow.wav", lambda: wav[:24] + struct.pack("<I", 1) + wav[28:])
    yield Bomb("channels.wav", lambda: wav[:22] + struct.pack("<H", 0xFFFF) + wav[24:])
    yield Bomb("hours.flac", _hours)
    flac = SEEDS["flac"].make()
    yield Bomb("said.flac", lambda: flac[:21] + bytes((flac[21] | 0x0F,)) + b"\xff" * 4 + flac[26:])
    yield Bomb("empty.mp3", lambda: b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + bytes(MIB))
    yield Bomb("hours.ogg", lambda: _with_granules(SEEDS["ogg"].make()))


def _hours() -> bytes:
    import numpy as np
    import soundfile

    held = io.BytesIO()
    with soundfile.SoundFile(held, "w", 8_000, 1, "PCM_16", format="FLAC") as sound:
        for _minute in range(180):
            sound.write(np.zeros(480_000, np.int16))
    return held.getvalue()


def _with_granules(data: bytes) -> bytes:
    """Return an Ogg whose last page says that it ends after years; its sum is left wrong. Source: RFC 3533, 6."""
    at = data.rindex(b"OggS")
    return data[: at + 6] + b"\xff" * 7 + b"\x7f" + data[at + 14 :]


def _disguised() -> Iterator[Bomb]:
    page, archive = SEEDS["pdf"].make(), packed(zip_parts())
    yield Bomb("empty.pdf", bytes)
    for ending in ("png", "docx", "txt", "wav", "zip", "html", "eml", "json"):
        yield Bomb(f"empty.{ending}", bytes)
        yield Bomb(f"byte.{ending}", lambda: b"\xff")
    yield Bomb("program.pdf", lambda: b"MZ" + bytes(4096))
    yield Bomb("picture.docx", SEEDS["png"].make)
    yield Bomb("book.png", lambda: page)
    yield Bomb("sound.png", SEEDS["wav"].make)
    yield Bomb("archive.jpg", lambda: archive)
    yield Bomb("picture.mp3", SEEDS["jpg"].make)
    yield Bomb("page.csv", SEEDS["html"].make)
    yield Bomb("pdf-and-zip.pdf", lambda: page + archive)
    yield Bomb("gif-and-zip.gif", lambda: SEEDS["gif"].make() + archive)
    yield Bomb("gif-and-script.gif", lambda: b"GIF89a/*" + bytes(99) + b"*/=1;alert(1)")
    yield Bomb(
        "png-and-page.png",
        lambda: png(8, 8, data=zlib.compress(bytes(16)), before=chunk(b"tEXt", b"a\0<script>alert(1)</script>")),
    )
    yield Bomb("old.doc", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4096))
    yield Bomb("old.hwp", lambda: b"HWP Document File V3.00" + bytes(99))
    yield Bomb("unreadable.bz2", lambda: bz2.compress(bytes(MIB)))
    yield Bomb("again.docx", lambda: packed(dict(reversed(unpacked(packed(docx_parts())).items()))))
