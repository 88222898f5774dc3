import io
from pathlib import Path

import pytest

from bot.retrieval.document import Block
from bot.retrieval.parse_pdf import read_pdf
from bot.retrieval.parse_pdf_layout import layout, paragraphs
from bot.retrieval.parse_pdf_lines import Line, Word

HEIGHT = 800.0


def line(text: str, bottom: float, *, left: float = 72, size: float = 12, bold: bool = False) -> Line:
    """Return a line whose cells stand at the tab stops, 120 points apart; a letter is half as wide as high."""
    words: list[Word] = []
    for place, cell in enumerate(text.split("\t")):
        at = left + 120 * place
        for word in cell.split():
            words.append(Word(word, at, at + len(word) * size / 2))
            at += (len(word) + 0.6) * size / 2
    return Line(tuple(words), bottom, bottom + size, bold)


def said(*lines: Line) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in layout([list(lines)], [HEIGHT])]


def test_rows_that_leave_the_same_gutter_white_are_a_table() -> None:
    assert said(
        line("The monthly fee is 2,350 euros plus tax.", 700),
        line("Service\tPrice", 670),
        line("Windows\t95 euros", 650),
        line("Carpets\t6 euros", 630),
        line("The contract begins in May, whoever signs it.", 600),
    ) == [
        ("text", "The monthly fee is 2,350 euros plus tax."),
        ("table", "Service: Windows | Price: 95 euros\nService: Carpets | Price: 6 euros"),
        ("text", "The contract begins in May, whoever signs it."),
    ]


def test_a_name_that_stands_beside_its_column_still_names_it() -> None:
    centred = Line((Word("Item", 90, 114), Word("Amount", 300, 336)), 670, 682)
    rows = [
        Line((Word(name, 72, 110), Word(number, 192, 216)), at, at + 12)
        for name, number, at in [("Rent", "1350", 650), ("Heat", "210", 630)]
    ]
    assert said(centred, *rows) == [("table", "Item: Rent | Amount: 1350\nItem: Heat | Amount: 210")]


def test_a_cell_of_two_lines_stays_one_cell() -> None:
    rows = [
        line("Class\tMay be sent to\tExample", 700),
        line("Secret\tnobody but\tkeys", 680),
        line("\tthe owner", 667),
        line("Public\teverybody\tnews", 647),
    ]
    assert said(*rows) == [
        (
            "table",
            "Class: Secret | May be sent to: nobody but the owner | Example: keys\nClass: Public | May be sent to: everybody | Example: news",
        )
    ]


def test_a_first_cell_that_spans_rows_is_said_in_each() -> None:
    rows = [line("Team\tQuarter\tBudget", 700), line("Design\tfirst\t1800", 680), line("\tsecond\t1650", 660)]
    assert said(*rows) == [
        ("table", "Team: Design | Quarter: first | Budget: 1800\nTeam: Design | Quarter: second | Budget: 1650")
    ]


def test_two_columns_of_prose_are_read_one_after_the_other() -> None:
    left = [f"left line {number} of this long and winding tale" for number in range(7)]
    right = [f"right line {number} of quite another tale again" for number in range(7)]
    rows = [
        Line((*line(one, 0, left=40, size=8).words, *line(two, 0, left=320, size=8).words), 700 - 10 * at, 708 - 10 * at)
        for at, (one, two) in enumerate(zip(left, right, strict=True))
    ]
    assert said(*rows) == [("text", " ".join(left)), ("text", " ".join(right))]


def test_a_taller_line_is_a_heading_and_the_tallest_is_the_first_level() -> None:
    blocks = layout(
        [[line("Rules", 740 - 60, size=24), line("Leave", 640, size=18), line("Everyone has 25 days of leave.", 610)]], [HEIGHT]
    )
    assert [(block.kind, block.text, block.level) for block in blocks] == [
        ("heading", "Rules", 1), ("heading", "Leave", 2), ("text", "Everyone has 25 days of leave.", 0),
    ]  # fmt: skip


def test_a_bold_line_above_one_that_is_not_is_a_heading() -> None:
    assert said(line("Sick leave", 640, bold=True), line("Tell your lead before nine.", 622)) == [
        ("heading", "Sick leave"), ("text", "Tell your lead before nine."),
    ]  # fmt: skip


def test_running_heads_are_said_once_and_page_numbers_never() -> None:
    pages = [
        [line("Acme - internal", 770), line(f"What page {name} says to everybody.", 500), line(f"Page {number} of 3", 20)]
        for number, name in enumerate(("one", "two", "three"), start=1)
    ]
    blocks = layout(pages, [HEIGHT] * 3)
    assert [(block.text, block.page) for block in blocks] == [
        ("What page one says to everybody.", 1), ("Acme - internal", 1),
        ("What page two says to everybody.", 2), ("What page three says to everybody.", 3),
    ]  # fmt: skip


def test_headings_that_differ_by_a_number_are_no_running_heads() -> None:
    pages = [
        [line(f"Article {number}", 770, size=18), line(f"What article {name} says to all of us.", 500)]
        for number, name in enumerate(("one", "two", "three"), start=1)
    ]
    blocks = layout(pages, [HEIGHT] * 3)
    assert [block.text for block in blocks if block.kind == "heading"] == ["Article 1", "Article 2", "Article 3"]


def korean(text: str, bottom: float) -> Line:
    """Return a line of Hangul: a syllable is as wide as high."""
    words: list[Word] = []
    at = 72.0
    for word in text.split():
        words.append(Word(word, at, at + 12 * len(word)))
        at += 12 * len(word) + 4
    return Line(tuple(words), bottom, bottom + 12)


def test_a_korean_word_that_the_end_of_a_full_line_cuts_is_one_word() -> None:
    lines = ["괴롭힘은 고충처리위원 박서", "연에게 신고하고 기록은 보", "관하며 팀장들은 모두 읽고", "서명한다."]
    assert said(*(korean(text, 700 - 15 * at) for at, text in enumerate(lines))) == [
        ("text", "괴롭힘은 고충처리위원 박서연에게 신고하고 기록은 보관하며 팀장들은 모두 읽고 서명한다.")
    ]


def test_lines_that_leave_room_for_a_syllable_are_cut_between_words() -> None:
    lines = ["회의는 월요일 아침 아홉 시에 다", "같이 모여서 다시 열리며 보", "고는 짧게 한다."]
    assert said(*(korean(text, 700 - 15 * at) for at, text in enumerate(lines))) == [
        ("text", "회의는 월요일 아침 아홉 시에 다 같이 모여서 다시 열리며 보 고는 짧게 한다.")
    ]


def test_a_gap_between_lines_begins_a_paragraph() -> None:
    lines = [
        line(text, at)
        for text, at in [
            ("One long line that goes on", 700),
            ("and ends in this one here", 685),
            ("Another begins down here", 650),
        ]
    ]
    assert said(*lines) == [
        ("text", "One long line that goes on and ends in this one here"),
        ("text", "Another begins down here"),
    ]


def test_a_line_of_contents_is_no_heading_and_loses_its_dots() -> None:
    assert said(line("Index . . . . . . . . 32", 640, size=18), line("What is said below in plain letters, at length.", 600)) == [
        ("text", "Index … 32"), ("text", "What is said below in plain letters, at length."),
    ]  # fmt: skip


def test_a_page_without_lines_gives_nothing() -> None:
    assert layout([[]], [HEIGHT]) == []


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        (["We ship the hand-", "book on Monday morning."], ["We ship the handbook on Monday morning."]),
        (["- first of the items", "- second of the items"], ["- first of the items", "- second of the items"]),
    ],
)
def test_lines_are_joined_as_they_were_meant(lines: list[str], joined: list[str]) -> None:
    assert paragraphs(lines) == joined


def test_a_drawn_table_of_a_real_file_becomes_rows(tmp_path: Path) -> None:
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Table

    styles = getSampleStyleSheet()
    out = io.BytesIO()
    table = Table(
        [["Class", "Example", "May be sent to"], ["Internal", "Minutes", "Employees"], ["Secret", "Signing keys", "Nobody"]]
    )
    SimpleDocTemplate(out).build(
        [
            Paragraph("3 Classes", styles["Heading1"]),
            Paragraph("Every document has one of these two classes.", styles["BodyText"]),
            table,
        ]
    )
    file = tmp_path / "a.pdf"
    file.write_bytes(out.getvalue())
    assert read_pdf(file, "a.pdf").blocks == (
        Block("heading", "3 Classes", 1, 1),
        Block("text", "Every document has one of these two classes.", page=1),
        Block(
            "table",
            "Class: Internal | Example: Minutes | May be sent to: Employees\nClass: Secret | Example: Signing keys | May be sent to: Nobody",
            page=1,
        ),
    )


@pytest.mark.parametrize(("turn", "move"), [(90, (500, 0)), (180, (500, 500)), (270, (0, 500))])
@pytest.mark.parametrize("told", [True, False])
def test_a_page_on_its_side_is_read_as_one_that_stands(tmp_path: Path, turn: int, move: tuple[int, int], told: bool) -> None:
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=(500, 500))
    canvas.setPageRotation(turn if told else 0)
    canvas.translate(*move)
    canvas.rotate(turn)
    rows = [
        ["The pump was replaced in May, and the"],
        ["old one was kept."],
        [],
        ["Region", "Sales"],
        ["Asia", "1,200"],
        ["Europe", "980"],
    ]
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            canvas.drawString(60 + 120 * column, 300 - 14 * number, text)
    canvas.save()
    assert [(block.kind, block.text) for block in read_pdf(tmp_path / "a.pdf", "a.pdf").blocks] == [
        ("text", "The pump was replaced in May, and the old one was kept."),
        ("table", "Region: Asia | Sales: 1,200\nRegion: Europe | Sales: 980"),
    ]


def test_a_date_a_phone_number_and_a_sum_in_the_margin_are_no_page_numbers() -> None:
    lines = [
        line("2026-03-09", 770), line("We confirm your order and thank you for it.", 500), line("02-1234-5678", 40), line("1,250.00", 20),
    ]  # fmt: skip
    whole = "\n".join(text for _kind, text in said(*lines))
    assert all(one in whole for one in ("2026-03-09", "02-1234-5678", "1,250.00"))


def test_rows_of_numbers_in_the_margins_of_many_pages_stay_rows() -> None:
    pages = [[line(f"{1990 + 40 * page + row}\t{row * 7 + 11}", 780 - 19 * row) for row in range(40)] for page in range(3)]
    whole = "\n".join(block.text for block in layout(pages, [HEIGHT] * 3))
    assert [year for year in range(1990, 2110) if str(year) not in whole] == []


@pytest.mark.parametrize("number", ["Page 3 of 10", "- 3 -", "3 / 10", "3쪽", "페이지 3", "3 중 1", "iv", "[3]", "Seite 3 von 9"])
def test_a_page_s_number_is_left_out(number: str) -> None:
    assert said(line("We confirm your order and thank you for it.", 500), line(number, 20)) == [
        ("text", "We confirm your order and thank you for it.")
    ]
