"""HWPX files as Hangul writes them, by the structure of KS X 6101."""

import io
import zipfile
from collections.abc import Mapping

SPACES = {
    2011: "http://www.hancom.co.kr/hwpml/2011",
    2016: "http://www.hancom.co.kr/hwpml/2016",
    2021: "http://www.owpml.org/owpml/2021",
    2024: "http://www.owpml.org/owpml/2024",
}
STYLES = (
    '<hh:style id="3" type="PARA" name="개요 1" engName="Outline 1" paraPrIDRef="9"/><hh:style id="4" type="PARA" name="바탕글"/>'
)
SHAPES = '<hh:paraPr id="7"><hh:heading type="OUTLINE" idRef="0" level="1"/></hh:paraPr><hh:paraPr id="0"><hh:heading type="NONE"/></hh:paraPr>'


def hwpx(
    *paragraphs: str,
    year: int = 2011,
    title: str = "",
    author: str = "",
    more: Mapping[str, bytes] | None = None,
    locked: bool = False,
) -> bytes:
    """Return a document of one section with `paragraphs`, and the entries `more`."""
    at = SPACES[year]
    spaces = " ".join(
        f'xmlns:h{name}="{at}/{part}"' for name, part in (("p", "paragraph"), ("s", "section"), ("h", "head"), ("c", "core"))
    )
    pictures = "".join(
        f'<opf:item id="{name.rpartition("/")[2].partition(".")[0]}" href="{name}" media-type="image/png" isEmbeded="1"/>'
        for name in more or {}
    )
    package = (
        '<opf:package xmlns:opf="http://www.idpf.org/2007/opf/"><opf:metadata>'
        f'<opf:title>{title}</opf:title><opf:meta name="creator" content="text">{author}</opf:meta></opf:metadata>'
        '<opf:manifest><opf:item id="header" href="Contents/header.xml" media-type="application/xml"/>'
        f'<opf:item id="section0" href="Contents/section0.xml" media-type="application/xml"/>{pictures}</opf:manifest>'
        '<opf:spine><opf:itemref idref="header"/><opf:itemref idref="section0"/></opf:spine></opf:package>'
    )
    entry = '<odf:file-entry full-path="Contents/section0.xml"><odf:encryption-data/></odf:file-entry>' if locked else ""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/hwp+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", f'<odf:manifest xmlns:odf="urn:odf">{entry}</odf:manifest>')
        archive.writestr("Contents/content.hpf", package)
        archive.writestr("Contents/header.xml", f"<hh:head {spaces}>{STYLES}{SHAPES}</hh:head>")
        archive.writestr("Contents/section0.xml", f"<hs:sec {spaces}>{''.join(paragraphs)}</hs:sec>")
        for name, data in (more or {}).items():
            archive.writestr(name, data)
    return out.getvalue()


def p(*runs: str, style: str = "0", shape: str = "0") -> str:
    """Return a paragraph; what is no element is the text of a run of its own."""
    inner = "".join(f"<hp:run>{run if run.startswith('<') else f'<hp:t>{run}</hp:t>'}</hp:run>" for run in runs)
    return f'<hp:p id="0" paraPrIDRef="{shape}" styleIDRef="{style}">{inner}<hp:linesegarray/></hp:p>'


def cell(text: str, row: int, column: int, *, down: int = 1) -> str:
    """Return a table's cell; `text` is a paragraph's, or paragraphs."""
    return (
        f'<hp:tc name="" header="0"><hp:subList>{text if text.startswith("<") else p(text)}</hp:subList>'
        f'<hp:cellAddr colAddr="{column}" rowAddr="{row}"/><hp:cellSpan colSpan="1" rowSpan="{down}"/></hp:tc>'
    )


def tbl(*rows: str, caption: str = "") -> str:
    """Return a table of `rows`, each the cells of one."""
    above = f"<hp:caption><hp:subList>{p(caption)}</hp:subList></hp:caption>" if caption else ""
    return f"<hp:tbl><hp:sz/>{above}{''.join(f'<hp:tr>{row}</hp:tr>' for row in rows)}</hp:tbl>"


def noted(kind: str, text: str) -> str:
    """Return a footnote, a header and the like."""
    return f"<hp:ctrl><hp:{kind}><hp:subList>{p(text)}</hp:subList></hp:{kind}></hp:ctrl>"
