import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bot.retrieval.parse_xlsx import read_xlsx


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


def test_a_number_is_said_with_the_unit_of_its_format(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["item", "price"], ["chair", 1234567], ["lamp", 98]):
        sheet.append(row)
    sheet["B2"].number_format, sheet["B3"].number_format = '#,##0"원"', "#,##0"
    book.save(tmp_path / "a.xlsx")
    assert read_xlsx(tmp_path / "a.xlsx", "a.xlsx").blocks[-1].text == "item: chair | price: 1234567원\nitem: lamp | price: 98"


def rewritten(blob: Path, *changes: tuple[str, str, str]) -> list[str]:
    """Return what is read of the file after changes of (part, before, after)."""
    out = io.BytesIO()
    with zipfile.ZipFile(blob) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name).decode().replace(" />", "/>").replace("<v></v>", "<v/>")
            for part, before, after in changes:
                assert name != part or before in data
                data = data.replace(before, after) if name == part else data
            new.writestr(name, data)
    blob.write_bytes(out.getvalue())
    return [block.text for block in read_xlsx(blob, "a.xlsx").blocks]


SHEET = "xl/worksheets/sheet1.xml"


def test_a_formula_is_read_by_the_value_that_was_shown_last(blob: Path) -> None:
    sheet(blob, [["Item", "Total"], ["Lamp", "=6*7"]])
    assert rewritten(blob, (SHEET, "<f>6*7</f><v/>", "<f>6*7</f><v>42</v>"))[1] == "Item: Lamp | Total: 42"


def test_comments_in_the_file_s_own_xml_are_no_cells(blob: Path) -> None:
    sheet(blob, [["Item", "Total"], ["Lamp", 42]])
    cell = '<c r="A2" t="inlineStr"><is><t>Lamp</t>'
    number = "<v>42</v>"
    found = rewritten(
        blob, (SHEET, cell, f"<!-- the first -->{cell}"), (SHEET, number, f"<?made by=hand?><!-- a sum -->{number}")
    )
    assert found[1] == "Item: Lamp | Total: 42"


def test_words_of_all_kinds_truths_and_errors_are_read(blob: Path) -> None:
    sheet(blob, [["Item", "Kept", "Sum"], ["Lamp", True, 1]])
    strings = "<si><t>none</t></si><si><r><t>Lamp </t></r><r><t>blue</t></r><rPh><t>ramp</t></rPh></si>"
    relation = '<Relationship Type="http://x/sharedStrings" Target="sharedStrings.xml" Id="rId98"/></Relationships>'
    with zipfile.ZipFile(blob, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="http://s">{strings}</sst>')
    found = rewritten(
        blob,
        (SHEET, '<c r="A2" t="inlineStr"><is><t>Lamp</t></is></c>', '<c r="A2" t="s"><v>1</v></c>'),
        (SHEET, '<c r="C2" t="n"><v>1</v></c>', '<c r="C2" t="e"><v>#N/A</v></c>'),
        ("xl/_rels/workbook.xml.rels", "</Relationships>", relation),
    )
    assert found[1] == "Item: Lamp blue | Kept: TRUE | Sum: #N/A"


def test_dates_are_read_by_their_format_and_their_beginning(blob: Path) -> None:
    day, moment = dt.date(2024, 3, 4), dt.datetime(2024, 3, 5, 14, 30)  # noqa: DTZ001 - a sheet has no zones
    sheet(blob, [["Item", "Since", "At"], ["Lamp", day, moment]])
    assert rewritten(blob)[1] == "Item: Lamp | Since: 2024-03-04 | At: 2024-03-05 14:30"
    assert "2028-03-06" in rewritten(blob, ("xl/workbook.xml", "<workbookPr/>", '<workbookPr date1904="1" />'))[1]


def test_a_sheet_that_is_a_chart_is_none(blob: Path) -> None:
    sheet(blob, [["Item", "Count"], ["Lamp", 12]])
    relation = '<Relationship Type="http://x/chartsheet" Target="/xl/chartsheets/sheet1.xml" Id="rId99" />'
    found = rewritten(
        blob,
        ("xl/workbook.xml", "</sheets>", '<sheet name="Chart" sheetId="9" r:id="rId99" xmlns:r="http://r"/></sheets>'),
        ("xl/_rels/workbook.xml.rels", "</Relationships>", f"{relation}</Relationships>"),
    )
    assert found == ["Sheet", "Item: Lamp | Count: 12"]


def test_rows_and_columns_far_away_cost_nothing(blob: Path) -> None:
    sheet(blob, [["Item", "Count"], ["Lamp", 12]])
    cells = "".join(f'<c r="{column}1048576" t="n"><v>{value}</v></c>' for column, value in (("A", 7), ("B", 8), ("XFD", 9)))
    far = f'<row r="1048576">{cells}</row></sheetData>'
    assert rewritten(blob, (SHEET, "</sheetData>", far))[1] == "Item: Lamp | Count: 12\nItem: 7 | Count: 8"
