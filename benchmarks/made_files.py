"""Documents of mixed kinds, Korean and English, made from lists of words: the same on every run. A page is some 300 words.

pages = make(Path("/tmp/pages"), pages=1000)   # {"pdf": 200, "docx": 150, ...}, the pages by kind
"""

from __future__ import annotations

import csv
import html
import io
import random
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

PARAGRAPHS = 5
SENTENCES = 5
WHO = [
    "committee",
    "engineer",
    "accountant",
    "museum",
    "harbour",
    "library",
    "council",
    "clinic",
    "school",
    "railway",
    "bakery",
    "theatre",
]
DID = [
    "approved",
    "postponed",
    "measured",
    "repaired",
    "described",
    "compared",
    "ordered",
    "archived",
    "translated",
    "cancelled",
    "counted",
    "moved",
]
WHAT = [
    "budget",
    "bridge",
    "schedule",
    "contract",
    "telescope",
    "garden",
    "archive",
    "window",
    "invoice",
    "engine",
    "survey",
    "exhibition",
    "boiler",
]
HOW = [
    "carefully",
    "in",
    "spring",
    "without",
    "delay",
    "for",
    "the",
    "second",
    "time",
    "at",
    "low",
    "cost",
    "despite",
    "the",
    "storm",
    "after",
    "the",
    "review",
]
KOREAN_WHO = [
    "위원회",
    "기술자",
    "회계과",
    "박물관",
    "항만공사",
    "도서관",
    "보건소",
    "학교",
    "철도청",
    "제과점",
    "극장",
    "시의회",
]
KOREAN_WHAT = ["예산", "다리", "일정", "계약", "망원경", "정원", "기록", "창문", "청구서", "엔진", "설문", "전시회", "보일러"]
KOREAN_HOW = ["신중하게", "봄에", "지체", "없이", "두", "번째로", "적은", "비용으로", "태풍에도", "검토", "뒤에"]
KOREAN_DID = [
    "승인했다",
    "미루었다",
    "측정했다",
    "수리했다",
    "설명했다",
    "비교했다",
    "주문했다",
    "보관했다",
    "번역했다",
    "취소했다",
    "세었다",
    "옮겼다",
]


@dataclass
class Writer:
    """Sentences in one language."""

    chance: random.Random
    korean: bool

    def sentence(self) -> str:
        pick, number = self.chance.choice, self.chance.randrange(10, 9999)
        if self.korean:
            first = f"{pick(KOREAN_WHO)}는 {pick(KOREAN_HOW)} {pick(KOREAN_WHAT)}을 {pick(KOREAN_DID)}"
            return f"{first}, {pick(KOREAN_WHAT)} {number}건은 {pick(KOREAN_WHO)}가 {pick(KOREAN_HOW)} {pick(KOREAN_DID)}."
        first = f"The {pick(WHO)} {pick(DID)} the {pick(WHAT)} {pick(HOW)} {pick(HOW)}"
        return f"{first}, and {number} of the {pick(WHAT)}s were {pick(DID)} by the {pick(WHO)}."

    def paragraph(self) -> str:
        return " ".join(self.sentence() for _sentence in range(SENTENCES - 1 if self.korean else SENTENCES))

    def page(self) -> list[str]:
        return [self.paragraph() for _paragraph in range(PARAGRAPHS)]

    def title(self) -> str:
        return self.sentence().split(",")[0]

    def rows(self, count: int) -> list[list[str]]:
        names = ["항목", "담당", "수량", "금액"] if self.korean else ["Item", "Owner", "Count", "Amount"]
        words, people = (KOREAN_WHAT, KOREAN_WHO) if self.korean else (WHAT, WHO)
        made = [[self.chance.choice(words), self.chance.choice(people), str(self.chance.randrange(99)), str(self.chance.randrange(10**6))]
                for _row in range(count)]  # fmt: skip
        return [names, *made]


def pdf(writer: Writer, pages: int) -> bytes:
    """Return a PDF with a running head, headings, and a table on every third page."""
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

    font = "HYSMyeongJo-Medium" if writer.korean else "Helvetica"
    if writer.korean:
        pdfmetrics.registerFont(UnicodeCIDFont(font))
    body, head = (
        ParagraphStyle("body", fontName=font, fontSize=10, leading=13),
        ParagraphStyle("head", fontName=font, fontSize=15, leading=19),
    )
    story: list[object] = []
    for page in range(pages):
        story += [Paragraph(writer.title(), head), Spacer(1, 6)]
        story += [
            part for text in writer.page()[: 4 if page % 3 == 2 else PARAGRAPHS] for part in (Paragraph(text, body), Spacer(1, 6))
        ]
        if page % 3 == 2:
            story.append(Table(writer.rows(6), style=[("FONTNAME", (0, 0), (-1, -1), font)]))
        story.append(PageBreak())
    out = io.BytesIO()
    SimpleDocTemplate(out, title=writer.title()).build(story)
    return out.getvalue()


def docx(writer: Writer, pages: int) -> bytes:
    """Return a Word document with headings and tables."""
    import docx as library

    document = library.Document()
    for page in range(pages):
        document.add_heading(writer.title(), 1)
        for text in writer.page():
            document.add_paragraph(text)
        if page % 3 == 2:
            rows = writer.rows(5)
            table = document.add_table(rows=len(rows), cols=len(rows[0]))
            for row, cells in zip(table.rows, rows, strict=True):
                for cell, text in zip(row.cells, cells, strict=True):
                    cell.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def pptx(writer: Writer, pages: int) -> bytes:
    """Return slides with a title, text and notes."""
    import pptx as library

    slides = library.Presentation()
    for _page in range(pages):
        slide = slides.slides.add_slide(slides.slide_layouts[1])
        slide.shapes.title.text = writer.title()
        slide.placeholders[1].text = "\n".join(writer.page()[:3])
        slide.notes_slide.notes_text_frame.text = writer.paragraph()
    out = io.BytesIO()
    slides.save(out)
    return out.getvalue()


def xlsx(writer: Writer, pages: int) -> bytes:
    """Return a workbook with a sheet of 45 rows a page."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for page in range(pages):
        sheet = book.create_sheet(f"{page + 1}")
        for row in writer.rows(45):
            sheet.append([int(cell) if cell.isdigit() else cell for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def hwpx(writer: Writer, pages: int) -> bytes:
    """Return a document of Hangul."""
    space = "http://www.hancom.co.kr/hwpml/2011"

    def said(text: str, style: int = 0) -> str:
        return f'<hp:p styleIDRef="{style}"><hp:run><hp:t>{html.escape(text)}</hp:t></hp:run></hp:p>'

    body = "".join(said(writer.title(), 1) + "".join(map(said, writer.page())) for _page in range(pages))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/hwp+zip", zipfile.ZIP_STORED)
        archive.writestr("Contents/header.xml", f'<hh:head xmlns:hh="{space}/head"><hh:style id="1" name="개요 1"/></hh:head>')
        archive.writestr(
            "Contents/section0.xml", f'<hs:sec xmlns:hs="{space}/section" xmlns:hp="{space}/paragraph">{body}</hs:sec>'
        )
    return out.getvalue()


def web(writer: Writer, pages: int) -> bytes:
    """Return a web page with navigation around its article."""
    links = "".join(f'<li><a href="/{number}">{writer.title()[:20]}</a></li>' for number in range(12))
    article = "".join(
        f"<h2>{writer.title()}</h2>" + "".join(f"<p>{text}</p>" for text in writer.page()) for _page in range(pages)
    )
    title = writer.title()
    body = f"<nav><ul>{links}</ul></nav><article><h1>{title}</h1>{article}</article>"
    return f"<html><head><title>{title}</title></head><body>{body}</body></html>".encode()


def mail(writer: Writer, pages: int) -> bytes:
    """Return a mail of one page with the others attached."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "kim@example.org", "lee@example.org", writer.title()
    message["Date"] = "Mon, 3 Mar 2025 10:00:00 +0900"
    message.set_content("\n\n".join(writer.page()))
    for number in range(1, pages):
        message.add_attachment(docx(writer, 1), maintype="application", subtype="msword", filename=f"page {number}.docx")
    return message.as_bytes()


def markdown(writer: Writer, pages: int) -> bytes:
    """Return Markdown with headings."""
    return "\n\n".join(part for _page in range(pages) for part in (f"## {writer.title()}", *writer.page())).encode()


def text(writer: Writer, pages: int) -> bytes:
    """Return plain text; Korean as old Windows wrote it."""
    said = "\n\n".join(part for _page in range(pages) for part in writer.page())
    return said.encode("cp949" if writer.korean else "utf-8")


def table(writer: Writer, pages: int) -> bytes:
    """Return a CSV of 45 rows a page."""
    out = io.StringIO()
    csv.writer(out).writerows(writer.rows(45 * pages))
    return out.getvalue().encode()


KINDS: dict[str, tuple[Callable[[Writer, int], bytes], int, float]] = {
    "pdf": (pdf, 10, 0.20), "docx": (docx, 5, 0.15), "pptx": (pptx, 10, 0.10), "xlsx": (xlsx, 5, 0.10), "hwpx": (hwpx, 5, 0.10),
    "html": (web, 1, 0.10), "eml": (mail, 2, 0.08), "md": (markdown, 2, 0.06), "txt": (text, 2, 0.06), "csv": (table, 5, 0.05),
}  # fmt: skip
"""By suffix: what makes it, the pages of one file, its share of all pages."""


def make(folder: Path, *, pages: int) -> dict[str, int]:
    """Write files of about `pages` pages into `folder`, half of them Korean; return the pages by kind."""
    written: dict[str, int] = {}
    for suffix, (maker, of_one, share) in KINDS.items():
        for number in _numbers(round(pages * share), of_one):
            writer = Writer(random.Random(f"{suffix}{number}"), korean=number % 2 == 1)  # noqa: S311 - seeded on purpose
            (folder / f"{'문서' if writer.korean else 'file'} {number}.{suffix}").write_bytes(maker(writer, of_one))
            written[suffix] = written.get(suffix, 0) + of_one
    return written


def _numbers(pages: int, of_one: int) -> Iterator[int]:
    yield from range(max(1, round(pages / of_one)))
