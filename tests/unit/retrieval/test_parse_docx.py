import io
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml

from bot.retrieval.document import Block
from bot.retrieval.parse_docx import read_docx

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


@pytest.fixture
def word() -> Any:  # python-docx has no types
    return docx.Document()


def blocks(document: Any, folder: Path) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in parsed(document, folder)]


def parsed(document: Any, folder: Path) -> tuple[Block, ...]:
    out = io.BytesIO()
    document.save(out)
    file = folder / "blob"
    file.write_bytes(out.getvalue())
    return read_docx(file, "a.docx").blocks


def insert(document: Any, xml: str) -> None:
    document.element.body.insert(0, parse_xml(xml.replace("<w:", "<w:", 1).replace(">", f" {W}>", 1)))


def test_the_title_stands_above_the_headings(word: Any, tmp_path: Path) -> None:
    word.add_heading("Leave policy", 0)
    word.add_heading("Annual leave", 1)
    word.add_heading("Carry over", 2)
    word.add_paragraph("Five days.")
    assert [(block.text, block.level) for block in parsed(word, tmp_path)] == [
        ("Leave policy", 1), ("Annual leave", 2), ("Carry over", 3), ("Five days.", 0),
    ]  # fmt: skip


def test_a_short_bold_paragraph_is_a_heading_and_a_bold_sentence_is_none(word: Any, tmp_path: Path) -> None:
    word.add_paragraph().add_run("제2조 (연차 일수)").bold = True
    word.add_paragraph("15일을 부여한다.")
    word.add_paragraph().add_run("This is important.").bold = True
    assert blocks(word, tmp_path) == [("heading", "제2조 (연차 일수)"), ("text", "15일을 부여한다.\n\nThis is important.")]


def test_heads_and_feet_are_said_once_with_the_first_paragraph(word: Any, tmp_path: Path) -> None:
    word.sections[0].header.paragraphs[0].text = "Acme, internal"
    word.sections[0].footer.paragraphs[0].text = "3"
    word.add_heading("Rules", 1)
    word.add_paragraph("Be kind.")
    assert blocks(word, tmp_path) == [("heading", "Rules"), ("text", "Acme, internal\n\nBe kind.")]


def test_a_cell_that_spans_rows_is_said_in_each_and_one_that_spans_columns_once(word: Any, tmp_path: Path) -> None:
    table = word.add_table(rows=4, cols=3)
    for row, texts in zip(
        table.rows,
        [("Price list", "", ""), ("Team", "Quarter", "Budget"), ("Design", "Q1", "1800"), ("", "Q2", "1650")],
        strict=True,
    ):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    table.cell(0, 0).merge(table.cell(0, 2))
    table.cell(2, 0).merge(table.cell(3, 0))
    assert blocks(word, tmp_path) == [
        ("table", "Price list\nTeam: Design | Quarter: Q1 | Budget: 1800\nTeam: Design | Quarter: Q2 | Budget: 1650")
    ]


@pytest.mark.parametrize(
    "xml",
    [
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>In a control</w:t></w:r></w:p></w:sdtContent></w:sdt>",
        "<w:p><w:ins><w:r><w:t>In a control</w:t></w:r></w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>",
        "<w:p><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>In a control</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>",
    ],
    ids=["content control", "tracked change", "text box"],
)
def test_what_stands_elsewhere_than_in_plain_paragraphs_is_read(word: Any, tmp_path: Path, xml: str) -> None:
    insert(word, xml)
    word.add_paragraph("Below.")
    assert blocks(word, tmp_path) == [("text", "In a control\n\nBelow.")]


def test_lists_keep_their_marks(word: Any, tmp_path: Path) -> None:
    word.add_paragraph("Laptop", style="List Bullet")
    assert blocks(word, tmp_path) == [("text", "- Laptop")]


def test_what_was_moved_away_deleted_or_hidden_is_not_read(word: Any, tmp_path: Path) -> None:
    paragraph = word.add_paragraph("The fee is ")
    for tag, text in (("del", "30"), ("moveFrom", "gone"), ("ins", "45 euros"), ("moveTo", ", from May.")):
        said = f"<w:delText>{text}</w:delText>" if tag == "del" else f"<w:t>{text}</w:t>"
        paragraph._p.append(parse_xml(f'<w:{tag} {W} w:id="1" w:author="a"><w:r>{said}</w:r></w:{tag}>'))
    paragraph._p.append(parse_xml(f"<w:r {W}><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>"))
    assert blocks(word, tmp_path) == [("text", "The fee is 45 euros, from May.")]


def test_a_picture_is_a_file_that_is_yet_to_be_read(word: Any, tmp_path: Path, picture: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(picture.read_bytes() + bytes(4000))
    word.add_paragraph("Before.")
    word.add_picture(str(large))
    word.add_picture(str(picture))
    word.add_paragraph("After.")
    assert [(block.kind, block.text, block.place >= 0) for block in parsed(word, tmp_path)] == [
        ("text", "Before.", False), ("file", "", True), ("text", "After.", False),
    ]  # fmt: skip


def test_a_hyphen_that_does_not_break_is_a_hyphen(word: Any, tmp_path: Path) -> None:
    insert(word, "<w:p><w:r><w:t>010</w:t><w:noBreakHyphen/><w:t>1234</w:t></w:r></w:p>")
    assert blocks(word, tmp_path) == [("text", "010-1234")]
