import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from bot.retrieval.parse_office import read_pptx, read_xlsx


@pytest.fixture
def blob(tmp_path: Path) -> Path:
    return tmp_path / "blob"


def sheet(
    blob: Path, rows: Sequence[Sequence[object]], *, merged: Sequence[str] = (), percent: str = ""
) -> list[tuple[str, str]]:
    book = openpyxl.Workbook()
    page: Any = book.active
    for row in rows:
        page.append(list(row))
    for cells in merged:
        page.merge_cells(cells)
    if percent:
        page[percent].number_format = "0.0%"
    out = io.BytesIO()
    book.save(out)
    blob.write_bytes(out.getvalue())
    return [(block.kind, block.text) for block in read_xlsx(blob, "a.xlsx").blocks[1:]]


def test_a_sheet_s_title_row_is_no_header(blob: Path) -> None:
    assert sheet(blob, [["Prices 2025"], [], ["Plan", "Seats", "Price"], ["Team", "6-50", 14]], merged=["A1:C1"]) == [
        ("table", "Prices 2025"), ("table", "Plan: Team | Seats: 6-50 | Price: 14"),
    ]  # fmt: skip


def test_a_cell_that_spans_rows_is_said_in_each(blob: Path) -> None:
    rows: list[list[object]] = [["부서", "분기", "예산"], ["개발팀", "1분기", 3200], [None, "2분기", 3500]]
    assert sheet(blob, rows, merged=["A2:A3"]) == [
        ("table", "부서: 개발팀 | 분기: 1분기 | 예산: 3200\n부서: 개발팀 | 분기: 2분기 | 예산: 3500")
    ]


def test_names_in_two_rows_become_one(blob: Path) -> None:
    rows: list[list[object]] = [["Region", "2024", None, "2025", None], [None, "Q1", "Q2", "Q1", "Q2"], ["Asia", 1, 2, 3, 4]]
    assert sheet(blob, rows, merged=["B1:C1", "D1:E1", "A1:A2"]) == [
        ("table", "Region: Asia | 2024 Q1: 1 | 2024 Q2: 2 | 2025 Q1: 3 | 2025 Q2: 4")
    ]


def test_a_table_below_another_has_names_of_its_own(blob: Path) -> None:
    rows: list[list[object]] = [["Item", "Count"], ["Lamp", 12], [], ["Room", "Seats"], ["Curie", 14]]
    assert sheet(blob, rows) == [("table", "Item: Lamp | Count: 12"), ("table", "Room: Curie | Seats: 14")]


def test_a_blank_row_within_a_table_does_not_end_it(blob: Path) -> None:
    rows = [["Name", "Role", "Office"], ["Kim", "Lead", "Seoul"], [], ["Weber", "Engineer", "Berlin"]]
    assert sheet(blob, rows) == [
        ("table", "Name: Kim | Role: Lead | Office: Seoul\nName: Weber | Role: Engineer | Office: Berlin")
    ]


def test_a_share_is_read_as_it_is_shown(blob: Path) -> None:
    assert sheet(blob, [["Region", "Growth"], ["Asia", 0.315]], percent="B2") == [("table", "Region: Asia | Growth: 31.5%")]


def test_pairs_of_names_and_values_have_no_header(blob: Path) -> None:
    assert sheet(blob, [["계약 기간", "3년"], ["보증금", "2억 원"]]) == [("table", "계약 기간: 3년\n보증금: 2억 원")]


def test_a_slide_s_notes_follow_its_text_and_its_tables_come_last(blob: Path) -> None:
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[1])
    slide.shapes.title.text, slide.placeholders[1].text = "Revenue", "It grew."
    table = slide.shapes.add_table(3, 2, Inches(1), Inches(1), Inches(4), Inches(2)).table
    for place, text in enumerate(["Region", "Growth", "Asia", "31 %", "", "32 %"]):
        table.cell(place // 2, place % 2).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    chart = CategoryChartData()  # type: ignore[no-untyped-call]
    chart.categories = ["Europe", "Asia"]
    chart.add_series("Sales", (1900, 850))  # type: ignore[no-untyped-call]
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(4), Inches(4), Inches(2), chart)
    slide.notes_slide.notes_text_frame.text = "Thank the team."
    slides.save(str(blob))
    assert [(block.kind, block.text, block.page) for block in read_pptx(blob, "a.pptx").blocks] == [
        ("heading", "Revenue", 1), ("text", "It grew.", 1), ("text", "Thank the team.", 1),
        ("text", "Region: Asia | Growth: 31 %\nRegion: Asia | Growth: 32 %", 1),
        ("text", "Europe | Sales: 1900\nAsia | Sales: 850", 1),
    ]  # fmt: skip


def test_a_slide_of_much_text_keeps_its_table_apart(blob: Path) -> None:
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[1])
    slide.placeholders[1].text = "It grew. " * 80
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(2)).table
    for place, text in enumerate(["Region", "Growth", "Asia", "31 %"]):
        table.cell(place // 2, place % 2).text = text
    slides.save(str(blob))
    assert [block.kind for block in read_pptx(blob, "a.pptx").blocks] == ["text", "table"]


def test_a_number_is_said_with_the_unit_of_its_format(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["item", "price"], ["chair", 1234567], ["lamp", 98]):
        sheet.append(row)
    sheet["B2"].number_format, sheet["B3"].number_format = '#,##0"원"', "#,##0"
    book.save(tmp_path / "a.xlsx")
    assert read_xlsx(tmp_path / "a.xlsx", "a.xlsx").blocks[-1].text == "item: chair | price: 1234567원\nitem: lamp | price: 98"


def test_a_picture_on_a_slide_is_a_file_that_is_yet_to_be_read(blob: Path, tmp_path: Path, picture: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(picture.read_bytes() + bytes(4000))
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[5])
    slide.shapes.title.text = "Map"
    for file in (large, picture):
        slide.shapes.add_picture(str(file), 0, Inches(4))
    slides.save(str(blob))
    assert [(block.kind, block.text, block.page, block.place >= 0) for block in read_pptx(blob, "a.pptx").blocks] == [
        ("heading", "Map", 1, False), ("file", "", 1, True),
    ]  # fmt: skip
