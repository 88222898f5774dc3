"""A small, honest file of each kind that the bot reads, made here: what `mutations` breaks.

All but the pictures and recordings are written out by hand, as small as their readers take them, so that a flipped bit meets structure
and not padding.

    SEEDS["docx"].make()     # some 2 KB
"""

from __future__ import annotations

import io
import struct
import wave
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Literal

Reader = Literal["document", "picture", "sound"]
"""Which of the bot's readers a file goes to."""

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_P = "http://schemas.openxmlformats.org/presentationml/2006/main"
_S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HP = "http://www.hancom.co.kr/hwpml/2011"
_TEXT = "The office opens at nine. 사무실은 아홉 시에 문을 연다."


@dataclass(frozen=True, slots=True)
class Seed:
    """How a file of a kind is made, and who reads it."""

    reader: Reader
    make: Callable[[], bytes]


def packed(parts: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP of `parts`, its clock stopped."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return held.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    """Return the parts of a ZIP that is whole."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pdf(objects: list[bytes], *, root: int = 1) -> bytes:
    """Return a PDF of `objects`, numbered from 1, with their table."""
    data, places = b"%PDF-1.5\n", []
    for number, written in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, written)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, root, len(data))
    return data + b"xref\n0 %d\n0000000000 65535 f \n%s%s" % (len(objects) + 1, table, end)


def stream(data: bytes, more: bytes = b"") -> bytes:
    """Return the object of a PDF that is a stream of `data`."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), more, data)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG. Source: PNG, third edition, 5.3."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _pdf() -> bytes:
    said = (
        b"BT /F1 24 Tf 72 700 Td (Opening hours) Tj /F1 11 Tf 0 -30 Td (The office opens at nine.) Tj 0 -14 Td (Mon 9 17) Tj ET"
    )
    form = b"q 1 0 0 RG 10 10 50 50 re S /Im1 Do Q"
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 7 0 R >>"
    unicode_map = b"/CIDInit /ProcSet findresource begin begincmap 1 beginbfrange <20> <7e> <0020> endbfrange endcmap end"
    shown = b"/Font << /F1 5 0 R >> /XObject << /Fm1 6 0 R /Im1 8 0 R >>"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << %s >> >>" % shown
    return pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R 9 0 R] /Count 2 >>",
            page,
            stream(said + b" /Fm1 Do"),
            font,
            stream(form, b"/Type /XObject /Subtype /Form /BBox [0 0 99 99] /Resources << /XObject << /Im1 8 0 R >> >>"),
            stream(unicode_map),
            stream(bytes(48), b"/Type /XObject /Subtype /Image /Width 4 /Height 4 /BitsPerComponent 8 /ColorSpace /DeviceRGB"),
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 10 0 R /Resources << /XObject << /Im1 8 0 R >> >> >>",
            stream(zlib.compress(b"q 90 0 0 90 0 0 cm /Im1 Do Q"), b"/Filter /FlateDecode"),
        ]
    )


def _related(*links: tuple[str, str]) -> bytes:
    rows = "".join(
        f'<Relationship Id="rId{number}" Type="{_R}/{kind}" Target="{target}"/>' for number, (kind, target) in enumerate(links, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{rows}</Relationships>'.encode()


def _types(**parts: str) -> bytes:
    rows = "".join(
        f'<Override PartName="/{name.replace("__", "/")}.xml" ContentType="application/vnd.openxmlformats-officedocument.{kind}+xml"/>'
        for name, kind in parts.items()
    )
    plain = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    return f'<Types xmlns="{_PACKAGE}/content-types">{plain}<Default Extension="xml" ContentType="application/xml"/>{rows}</Types>'.encode()


def docx_parts() -> dict[str, bytes]:
    """Return the parts of a Word document: a heading, a list, a table with merged cells, a note."""
    note, style = (
        "<w:p><w:r><w:t>A note.</w:t></w:r></w:p>",
        '<w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/></w:style>',
    )
    cell = '<w:tc><w:tcPr><w:gridSpan w:val="1"/><w:vMerge w:val="restart"/></w:tcPr><w:p><w:r><w:t>nine</w:t></w:r></w:p></w:tc>'
    body = (
        f'<w:p><w:pPr><w:pStyle w:val="H1"/></w:pPr><w:r><w:rPr><w:b/></w:rPr><w:t>Hours</w:t></w:r></w:p>'
        f"<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>{_TEXT}</w:t></w:r></w:p><w:tbl><w:tr>{cell}{cell}</w:tr><w:tr>{cell}</w:tr></w:tbl>"
    )
    return {
        "[Content_Types].xml": _types(word__document="wordprocessingml.document.main", word__styles="wordprocessingml.styles"),
        "_rels/.rels": _related(("officeDocument", "word/document.xml")),
        "word/_rels/document.xml.rels": _related(("styles", "styles.xml"), ("footnotes", "footnotes.xml")),
        "word/document.xml": f'<w:document xmlns:w="{_W}"><w:body>{body}<w:sectPr/></w:body></w:document>'.encode(),
        "word/footnotes.xml": f'<w:footnotes xmlns:w="{_W}"><w:footnote>{note}</w:footnote></w:footnotes>'.encode(),
        "word/styles.xml": f'<w:styles xmlns:w="{_W}">{style}</w:styles>'.encode(),
    }


def pptx_parts() -> dict[str, bytes]:
    """Return the parts of a presentation: one slide with a title, a text and a table."""
    said = f"<p:txBody><a:bodyPr/><a:p><a:r><a:t>{_TEXT}</a:t></a:r></a:p></p:txBody>"
    place = '<p:spPr><a:xfrm><a:off x="1" y="1"/><a:ext cx="9" cy="9"/></a:xfrm></p:spPr>'
    cell = "<a:tc><a:txBody><a:bodyPr/><a:p><a:r><a:t>nine</a:t></a:r></a:p></a:txBody><a:tcPr/></a:tc>"
    table = f'<a:tbl><a:tblGrid><a:gridCol w="9"/><a:gridCol w="9"/></a:tblGrid><a:tr h="9">{cell}{cell}</a:tr></a:tbl>'
    shapes = (
        f'<p:sp><p:nvSpPr><p:cNvPr id="2" name="T"/><p:cNvSpPr/><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr>{place}{said}</p:sp>'
        f'<p:sp><p:nvSpPr><p:cNvPr id="3" name="B"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/>{said}</p:sp>'
        f'<p:graphicFrame><p:nvGraphicFramePr><p:cNvPr id="4" name="G"/><p:cNvGraphicFramePr/><p:nvPr/></p:nvGraphicFramePr>'
        f'<p:xfrm/><a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/table">{table}</a:graphicData></a:graphic>'
        f"</p:graphicFrame>"
    )
    names = f'xmlns:a="{_A}" xmlns:p="{_P}" xmlns:r="{_R}"'
    return {
        "[Content_Types].xml": _types(ppt__presentation="presentationml.presentation.main", ppt__slide="presentationml.slide"),
        "_rels/.rels": _related(("officeDocument", "ppt/presentation.xml")),
        "ppt/_rels/presentation.xml.rels": _related(("slide", "slide.xml")),
        "ppt/presentation.xml": f'<p:presentation {names}><p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst></p:presentation>'.encode(),
        "ppt/slide.xml": f"<p:sld {names}><p:cSld><p:spTree><p:nvGrpSpPr/><p:grpSpPr/>{shapes}</p:spTree></p:cSld></p:sld>".encode(),
    }


def xlsx_parts() -> dict[str, bytes]:
    """Return the parts of a workbook: strings, a date, a percentage, merged cells."""
    rows = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>hours</t></is></c></row>'
        '<row r="2"><c r="A2" s="1"><v>45000</v></c><c r="B2" s="2"><v>0.5</v></c></row><row r="3"><c r="B3" t="b"><v>1</v></c></row>'
    )
    first, merged = '<sheet name="Hours" sheetId="1" r:id="rId1"/>', '<mergeCells><mergeCell ref="A2:A3"/></mergeCells>'
    styles = '<numFmts><numFmt numFmtId="164" formatCode="yyyy-mm-dd"/></numFmts>'
    styles += '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="9"/></cellXfs>'
    return {
        "_rels/.rels": _related(("officeDocument", "xl/workbook.xml")),
        "xl/_rels/workbook.xml.rels": _related(
            ("worksheet", "sheet1.xml"), ("sharedStrings", "strings.xml"), ("styles", "styles.xml")
        ),
        "xl/workbook.xml": f'<workbook xmlns="{_S}" xmlns:r="{_R}"><sheets>{first}</sheets></workbook>'.encode(),
        "xl/sheet1.xml": f'<worksheet xmlns="{_S}"><sheetData>{rows}</sheetData>{merged}</worksheet>'.encode(),
        "xl/strings.xml": f'<sst xmlns="{_S}"><si><t>{_TEXT}</t></si></sst>'.encode(),
        "xl/styles.xml": f'<styleSheet xmlns="{_S}">{styles}</styleSheet>'.encode(),
    }


def hwpx_parts() -> dict[str, bytes]:
    """Return the parts of a Hangul document: a heading, a paragraph, a table with merged cells, a note."""
    said = f'<hp:p styleIDRef="1"><hp:run><hp:t>시간</hp:t></hp:run></hp:p><hp:p styleIDRef="0"><hp:run><hp:t>{_TEXT}</hp:t></hp:run></hp:p>'
    cell = (
        "<hp:tc><hp:subList><hp:p><hp:run><hp:t>9</hp:t></hp:run></hp:p></hp:subList>"
        '<hp:cellAddr colAddr="0" rowAddr="0"/><hp:cellSpan colSpan="1" rowSpan="2"/></hp:tc>'
    )
    table = (
        f'<hp:p><hp:run><hp:tbl rowCnt="2" colCnt="1"><hp:tr>{cell}</hp:tr></hp:tbl>'
        f"<hp:footNote><hp:subList>{said}</hp:subList></hp:footNote></hp:run></hp:p>"
    )
    package = (
        '<opf:metadata><opf:title>Plan</opf:title></opf:metadata><opf:manifest><opf:item id="section0" href="Contents/section0.xml"/>'
        '</opf:manifest><opf:spine><opf:itemref idref="section0"/></opf:spine>'
    )
    styles = '<hh:style id="0" name="바탕글"/><hh:style id="1" name="개요 1"/>'
    return {
        "mimetype": b"application/hwp+zip",
        "META-INF/manifest.xml": b"<manifest/>",
        "Contents/content.hpf": f'<opf:package xmlns:opf="http://www.idpf.org/2007/opf/">{package}</opf:package>'.encode(),
        "Contents/header.xml": f'<hh:head xmlns:hh="{_HP}/head">{styles}</hh:head>'.encode(),
        "Contents/section0.xml": f'<hs:sec xmlns:hs="{_HP}/section" xmlns:hp="{_HP}/paragraph">{said}{table}</hs:sec>'.encode(),
    }


def zip_parts() -> dict[str, bytes]:
    """Return what lies in an honest archive, an archive among it."""
    return {
        "plan.md": f"# Plan\n\n{_TEXT}\n".encode(),
        "a/b.csv": b"day,opens\nMon,9\n",
        "in.zip": packed({"deep.txt": b"Deep."}),
    }


def epub_parts() -> dict[str, bytes]:
    """Return the parts of a book."""
    return {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": b'<container><rootfiles><rootfile full-path="book.opf"/></rootfiles></container>',
        "one.xhtml": f"<html><head><title>One</title></head><body><h1>One</h1><p>{_TEXT}</p></body></html>".encode(),
    }


_MAIL = (
    b"From: Kim <kim@example.org>\r\nTo: lee@example.org\r\nSubject: =?utf-8?B?7Iuc6rCE?= hours\r\nDate: Mon, 2 Mar 2026 09:00:00 +0900\r\n"
    b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n'
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\nThe office opens at nine.=20\r\n> Quoted\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    b"From: a@example.org\r\nSubject: inner\r\n\r\nDeep.\r\n--b\r\nContent-Type: text/csv; name*=utf-8''%EC%8B%9C.csv\r\n"
    b"Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nZGF5LG9wZW5zCk1vbiw5Cg==\r\n--b--\r\n"
)
_HTML = (
    f'<!DOCTYPE html><html lang="en"><head><title>Hours</title><meta charset="utf-8"></head><body><nav><a href="/">Home</a></nav><article>'
    f"<h1>Hours</h1><p>{_TEXT} {_TEXT}</p><table><tr><th>day</th><th>opens</th></tr><tr><td>Mon</td><td>9</td></tr></table><ul><li>one</li>"
    f"<li>two</li></ul></article><script>alert(1)</script><svg><text>no</text></svg></body></html>"
).encode()
_MARKDOWN = (
    f"---\ntitle: Hours\n---\n# Hours\n\n{_TEXT}\n\n## Table\n\n| day | opens |\n| --- | ---: |\n| Mon | 9 |\n\n```python\nx = 1\n```\n\n"
    f"Under\n=====\n\n**bold** [link](https://example.org) ![image](x.png) \\*star\n"
).encode()
_CSV = '요일,opens,note\nMon,9,"a, b"\n화,10,"two\nlines"\nWed,11,\n'.encode("cp949")
_JSON = f'{{"title": "Hours", "days": [{{"day": "Mon", "opens": 9, "rooms": [1, 2.5e3, null]}}, {{"day": "화", "note": "{_TEXT}"}}]}}'.encode()
_CODE = b"import os\n\n# what it costs\n@cached\ndef fee(total: int) -> int:\n    return total\n\nclass Fee(Base):\n    async def of(self):\n"


def _png_frames() -> bytes:
    """Return an APNG of two frames. Source: PNG, third edition, 11.3.6 (animation)."""
    rows = zlib.compress((b"\0" + bytes(range(24))) * 8)
    frame = struct.pack(">IIIIHHBB", 8, 8, 0, 0, 1, 10, 0, 0)
    parts = [
        chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)), chunk(b"acTL", struct.pack(">II", 2, 0)),
        chunk(b"fcTL", struct.pack(">I", 0) + frame), chunk(b"IDAT", rows), chunk(b"fcTL", struct.pack(">I", 1) + frame),
        chunk(b"fdAT", struct.pack(">I", 2) + rows), chunk(b"tEXt", b"Software\0drawn"), chunk(b"IEND", b""),
    ]  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@cache
def _picture(kind: str) -> bytes:
    from PIL import Image

    held = io.BytesIO()
    picture = Image.effect_mandelbrot((24, 20), (-2, -1, 1, 1), 20).convert("RGB")
    if kind == "GIF":
        picture.save(held, kind, save_all=True, append_images=[picture.rotate(90)])
    elif kind == "TIFF":
        picture.save(held, kind, compression="tiff_lzw", save_all=True, append_images=[picture.rotate(90)])
    elif kind == "JPEG":
        exif = Image.Exif()
        exif[0x0112], exif[0x010F] = 6, "Camera"
        picture.save(held, kind, quality=30, progressive=True, exif=exif)
    else:
        picture.save(held, kind)
    return held.getvalue()


@cache
def _sound(kind: str) -> bytes:
    import numpy as np
    import soundfile

    tone = 0.3 * np.sin(np.arange(1200) / 9)
    held = io.BytesIO()
    subtype = {"OGG": "OPUS", "MP3": "MPEG_LAYER_III"}.get(kind)
    soundfile.write(held, tone, 48_000 if kind == "OGG" else 8_000, format=kind, subtype=subtype)
    return held.getvalue()


@cache
def _wav() -> bytes:
    held = io.BytesIO()
    with wave.open(held, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(struct.pack("<400h", *(100 * (at % 90) for at in range(400))))
    return held.getvalue()


PARTS: Mapping[str, Callable[[], dict[str, bytes]]] = {
    "docx": docx_parts, "pptx": pptx_parts, "xlsx": xlsx_parts, "hwpx": hwpx_parts, "zip": zip_parts, "epub": epub_parts,
}  # fmt: skip
"""The kinds that are an archive of parts."""


def _archive(kind: str) -> bytes:
    return packed(PARTS[kind]())


_WRITTEN: Mapping[str, bytes] = {
    "eml": _MAIL, "html": _HTML, "md": _MARKDOWN, "csv": _CSV, "json": _JSON, "py": _CODE, "txt": _TEXT.encode("utf-16"),
}  # fmt: skip
_PICTURES = {
    "png": "PNG",
    "jpg": "JPEG",
    "gif": "GIF",
    "webp": "WEBP",
    "tiff": "TIFF",
    "bmp": "BMP",
    "ico": "ICO",
    "avif": "AVIF",
}
_SOUNDS = {"ogg": "OGG", "mp3": "MP3", "flac": "FLAC", "aiff": "AIFF"}
SEEDS: Mapping[str, Seed] = {
    "pdf": Seed("document", _pdf),
    **{kind: Seed("document", partial(_archive, kind)) for kind in PARTS},
    **{kind: Seed("document", partial(bytes, data)) for kind, data in _WRITTEN.items()},
    "apng": Seed("picture", _png_frames),
    **{kind: Seed("picture", partial(_picture, form)) for kind, form in _PICTURES.items()},
    "wav": Seed("sound", _wav),
    **{kind: Seed("sound", partial(_sound, form)) for kind, form in _SOUNDS.items()},
}
"""Each kind by the ending of its name."""
