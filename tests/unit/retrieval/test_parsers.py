import io
import json
import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from bot.errors import TooLargeError, UnreadableError
from bot.retrieval import parsers
from bot.retrieval.document import Document
from bot.retrieval.parsers import read

Write = Callable[[str, bytes | str], Document]


@pytest.fixture
def parsed(tmp_path: Path) -> Write:
    def work(name: str, data: bytes | str) -> Document:
        file = tmp_path / "blob"
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        return read(path=str(file), name=name, archive_growth=100)

    return work


def texts(document: Document) -> list[str]:
    return [block.text for block in document.blocks]


def pdf(*pages: str, password: str = "") -> bytes:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    out = io.BytesIO()
    canvas = Canvas(out, encrypt=StandardEncryption(password) if password else None)
    canvas.setTitle("The plan")
    for page in pages:
        for line, text in enumerate(page.split("\n")):
            canvas.drawString(72, 720 - 14 * line, text)
        if not page:
            canvas.rect(72, 72, 200, 200, fill=1)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def docx() -> bytes:
    import docx as library

    document = library.Document()
    document.add_heading("Rules", 1)
    document.add_paragraph("Everyone has 25 days.")
    document.add_heading("Phones", 2)
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip([*table.rows[0].cells, *table.rows[1].cells], ["Name", "Phone", "Kim", "123-456"], strict=True):
        cell.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def pptx() -> bytes:
    import pptx as library

    slides = library.Presentation()
    for number in (1, 2):
        slide = slides.slides.add_slide(slides.slide_layouts[1])
        slide.shapes.title.text = f"Slide {number}"
        slide.placeholders[1].text = f"What is said on slide {number}"
    out = io.BytesIO()
    slides.save(out)
    return out.getvalue()


def xlsx() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "Stock"
    for row in (["Item", "Count"], ["Lamp", 12], ["Chair", 3.5]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


TYPES = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override/></Types>'


def zipped(*parts: str | bytes) -> bytes:
    """Return a ZIP of names and what lies under them, in turn."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in zip(parts[::2], parts[1::2], strict=True):
            archive.writestr(str(name), data)
    return out.getvalue()


def misplaced(archive: bytes) -> bytes:
    """Return a ZIP that says its list lies ten bytes later than it does, so that its first file lies before it."""
    return archive[:-6] + (int.from_bytes(archive[-6:-2], "little") + 10).to_bytes(4, "little") + archive[-2:]


def test_a_page_of_many_elements_within_one_another_is_read(parsed: Write) -> None:
    page = "<html><body>" + "<div>" * 1000 + "<p>The treasure lies here.</p>" + "</div>" * 1000 + "</body></html>"
    assert texts(parsed("a.html", page)) == ["The treasure lies here."]


def test_markdown_keeps_headings_code_and_tables(parsed: Write) -> None:
    read_ = parsed("a.md", "# Guide\n\nHello.\n\n```py\nx = 1\n```\n\n| Name | Age |\n|---|---|\n| Kim | 3 |\n")
    assert [(block.kind, block.text) for block in read_.blocks] == [
        ("heading", "Guide"), ("text", "Hello."), ("code", "x = 1"), ("table", "Name: Kim | Age: 3"),
    ]  # fmt: skip
    assert read_.title == "Guide"


def test_a_pdf_is_read_by_pages_with_its_wrapped_lines_joined(parsed: Write) -> None:
    read_ = parsed("plan.pdf", pdf("The move to the new office is planned for\nthe second week of May.", "Costs are small."))
    assert [(block.page, block.text) for block in read_.blocks] == [
        (1, "The move to the new office is planned for the second week of May."), (2, "Costs are small."),
    ]  # fmt: skip
    assert (read_.title, read_.pages) == ("The plan", 2)


def test_a_page_that_shows_something_without_text_is_reported_as_unread(parsed: Write) -> None:
    assert parsed("scan.pdf", pdf("Words", "")).unread == (2,)


def test_a_locked_pdf_is_told(parsed: Write) -> None:
    with pytest.raises(UnreadableError, match=r"a\.pdf is locked with a password"):
        parsed("a.pdf", pdf("secret", password="x"))


def test_a_cut_pdf_is_told(parsed: Write) -> None:
    with pytest.raises(UnreadableError, match="cut off or damaged"):
        parsed("a.pdf", pdf("text")[:200])


def test_docx_keeps_headings_and_tables(parsed: Write) -> None:
    assert [(block.kind, block.text) for block in parsed("a.docx", docx()).blocks] == [
        ("heading", "Rules"), ("text", "Everyone has 25 days."), ("heading", "Phones"), ("table", "Name: Kim | Phone: 123-456"),
    ]  # fmt: skip


def test_slides_are_pages(parsed: Write) -> None:
    said = [(block.page, block.text) for block in parsed("a.pptx", pptx()).blocks]
    assert said == [(1, "Slide 1"), (1, "What is said on slide 1"), (2, "Slide 2"), (2, "What is said on slide 2")]


def test_rows_of_a_sheet_have_the_names_of_their_columns(parsed: Write) -> None:
    assert texts(parsed("a.xlsx", xlsx())) == ["Stock", "Item: Lamp | Count: 12\nItem: Chair | Count: 3.5"]


def test_hwpx_is_read(parsed: Write) -> None:
    out = io.BytesIO()
    space = 'xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph"'
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("Contents/section0.xml", f"<s {space}><hp:p><hp:run><hp:t>휴가는 25일입니다.</hp:t></hp:run></hp:p></s>")
    assert texts(parsed("a.hwpx", out.getvalue())) == ["휴가는 25일입니다."]


@pytest.mark.parametrize(
    "data",
    [
        "name;phone\nKim;123\nLee;456\n", "name,phone\r\nKim,123\r\nLee,456\r\n", "name\tphone\nKim\t123\n\nLee\t456\n",
        "name | phone\nKim | 123\nLee | 456\n", "'name','phone'\n'Kim','123'\n'Lee','456'\n", 'name, "phone"\n"Kim", 123\nLee, "456"',
    ],
)  # fmt: skip
def test_csv_is_read_with_whatever_divides_it(parsed: Write, data: str) -> None:
    assert texts(parsed("a.csv", data)) == ["name: Kim | phone: 123\nname: Lee | phone: 456"]


def test_what_divides_a_csv_is_what_divides_its_rows_alike(parsed: Write) -> None:
    fees = "name;fee;note\nKim;1,5;a, b\nLee;2,5;a, b, c\n" + "Lee;2,5;c\n" * 999
    assert texts(parsed("a.csv", fees))[0].startswith("name: Kim | fee: 1,5 | note: a, b\nname: Lee | fee: 2,5 | note: a, b, c\n")
    assert texts(parsed("a.csv", "day\tsaid\nMon\tWell, no\nTue\tYes\n")) == ["day: Mon | said: Well, no\nday: Tue | said: Yes"]


def test_a_csv_cell_of_quotes_is_read_in_a_moment(parsed: Write) -> None:
    told = texts(parsed("a.csv", 'day,opens,note\nMon,9,"' + '"' * 2000 + 'a, b"\nTue,10,"two\nlines"\n'))
    assert told == ["day: Mon | opens: 9 | note: " + '"' * 1000 + "a, b\nday: Tue | opens: 10 | note: two lines"]


def test_json_is_read_an_object_a_line(parsed: Write) -> None:
    rows = [{"name": "Kim", "at": {"city": "Busan"}}, {"name": "Lee", "tags": ["a", "b"]}]
    wanted = ["name: Kim | at.city: Busan\nname: Lee | tags: a, b"]
    assert texts(parsed("a.json", json.dumps(rows))) == wanted
    assert texts(parsed("a.jsonl", "\n".join(map(json.dumps, rows)))) == wanted


def test_a_page_is_read_without_its_navigation(parsed: Write) -> None:
    article = "".join(
        f"<p>The harbour was rebuilt in 19{number}0 after a storm had broken its walls.</p>" for number in range(5, 9)
    )
    head = "<head><title>Harbour</title></head><body><nav><a href='/'>Home</a></nav>"
    page = f"<html>{head}<article><h1>Harbour</h1>{article}</article></body></html>"
    read_ = parsed("page", page)
    assert read_.title == "Harbour"
    said = " ".join(texts(read_))
    assert "1950" in said
    assert "Home" not in said


@pytest.mark.parametrize(
    ("one", "two", "said"),
    [("서교점", "목동점", "전화 02-555-0114. 역에서 걸어서 4분."), ("Mill Lane", "Quay", "Call 555-0114. Four minutes on foot.")],
)
def test_a_page_that_does_not_say_which_part_is_its_article_keeps_its_headings(
    parsed: Write, one: str, two: str, said: str
) -> None:
    table = "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>"
    page = f"<html><body><h1>All</h1><h2>{one}</h2><p>{said}</p>{table}<h2>{two}</h2><p>{said}</p>{table}</body></html>"
    headings = [block.text for block in parsed("a.html", page).blocks if block.kind == "heading"]
    assert headings == ["All", one, two]


def test_a_mail_says_who_wrote_and_what_is_attached(parsed: Write) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Date"] = (
        "kim@x.org",
        "lee@x.org",
        "예산 회의",
        "Mon, 3 Mar 2025 10:00:00 +0900",
    )
    mail.set_content("예산은 400만 원입니다.")
    mail.add_attachment(b"x", maintype="application", subtype="pdf", filename="budget.pdf")
    read_ = parsed("mail.bin", mail.as_bytes())
    assert (read_.kind, read_.title) == ("mail", "예산 회의")
    said = "\n".join(texts(read_))
    for part in ("From: kim@x.org", "예산은 400만 원입니다.", "Attachments: budget.pdf"):
        assert part in said


def test_a_wrong_extension_is_seen_through(parsed: Write) -> None:
    assert parsed("notes.pdf", "just notes").kind == "text"
    assert parsed("notes.txt", docx()).kind == "docx"
    assert parsed("page.doc", "<!DOCTYPE html><html><body><p>Hi</p></body></html>").kind == "html"


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("empty.txt", b"", "is empty"),
        ("blank.txt", b" \n\n", "no text in blank"),
        ("program", b"\x7fELF\x02\x01\x01" + bytes(100), "not a document that I can read"),
        ("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "locked with a password or of an old Office format"),
        ("broken.docx", b"PK\x03\x04" + bytes(100), "cut off or damaged"),
    ],
)
def test_what_cannot_be_read_is_told(parsed: Write, name: str, data: bytes, told: str) -> None:
    with pytest.raises(UnreadableError, match=told):
        parsed(name, data)


def test_a_bomb_is_refused_before_it_is_opened(parsed: Write) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(50_000_000))
    with pytest.raises(TooLargeError, match="would unpack to 47 MB"):
        parsed("bomb.docx", out.getvalue())


def test_entities_of_a_docx_are_not_resolved(parsed: Write, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("canary")
    source, out = io.BytesIO(docx()), io.BytesIO()
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename == "word/document.xml":
                data = data.replace(b"<w:document", entity.encode() + b"<w:document", 1).replace(b"Everyone", b"&e;Everyone")
            new.writestr(item, data)
    assert "canary" not in " ".join(texts(parsed("a.docx", out.getvalue())))


def test_nul_and_lone_surrogates_are_cleaned_away(parsed: Write) -> None:
    assert texts(parsed("a.txt", "caf\u00e9\x00 is \u200bopen")) == ["café is open"]


def test_what_a_picture_is_is_told_by_its_bytes(parsed: Write) -> None:
    assert parsed("a.txt", b"\x89PNG\r\n\x1a\n" + bytes(20)).kind == "image"


def test_a_form_of_names_and_values_has_no_header(parsed: Write) -> None:
    form = "회사명,파랑계측\n대표,윤해솔\n설립일,2011-05-17\n전화,055-640-0000\n"
    assert texts(parsed("a.csv", form)) == ["회사명: 파랑계측\n대표: 윤해솔\n설립일: 2011-05-17\n전화: 055-640-0000"]
    table = "Service,Price\nWindows,95 euros\nCarpets,6 euros\nDoors,none\nRoof,12 euros\nLawn,3 euros\n"
    assert texts(parsed("a.csv", table))[0].startswith("Service: Windows | Price: 95 euros")


def test_the_objects_of_a_list_within_an_object_are_a_line_each(parsed: Write) -> None:
    value = {"printers": [{"name": "aster", "floor": 2}, {"name": "bellis", "floor": 3}], "owner": {"name": "Mina"}}
    assert texts(parsed("a.json", json.dumps(value))) == [
        "owner.name: Mina\nprinters.name: aster | printers.floor: 2\nprinters.name: bellis | printers.floor: 3"
    ]


def test_what_markdown_escapes_is_read_as_it_is_shown(parsed: Write) -> None:
    page = "# A\\_b\n\nOpen 10\\~18, on \\\\files.\n\n| a | b |\n|---|---|\n| x\\|y | z |\n"
    read_it = parsed("a.md", page)
    assert [block.text for block in read_it.blocks] == ["A_b", "Open 10~18, on \\\\files.", "a: x|y | b: z"]


def test_a_page_with_a_span_of_hours_shows_no_backslash(parsed: Write) -> None:
    page = "<html><body><article><h1>Hours</h1><p>Open 10~18 on weekdays and 11~15 on Saturdays.</p></article></body></html>"
    assert "10~18" in texts(parsed("a.html", page))[-1]


def test_a_damaged_page_of_a_pdf_costs_itself_alone(parsed: Write) -> None:
    whole = pdf("Page one says hello to all of us.", "Page two says it again to everybody.")
    read_ = parsed("a.pdf", whole.replace(b"/Type /Page\n", b"/Type /Nope\n", 1))
    assert [(block.page, block.text) for block in read_.blocks] == [(2, "Page two says it again to everybody.")]


def test_a_pdf_without_a_page_that_opens_is_told(parsed: Write) -> None:
    with pytest.raises(UnreadableError, match="cut off or damaged"):
        parsed("a.pdf", pdf("Page one says hello.").replace(b"/Type /Page\n", b"/Type /Nope\n"))


WRITTEN_BY_HAND = b"From: a\nTo: b\nSubject: c\nMIME-Version: 1.0\n"


@pytest.mark.parametrize(
    "header", [b'Content-Type: text/plain; charset="a\0b"', b"Date: Mon, 2 Mar 2026 4294967295999:00:00 +0900"]
)
def test_a_header_that_means_nothing_costs_itself_alone(parsed: Write, header: bytes) -> None:
    assert texts(parsed("a.eml", WRITTEN_BY_HAND + header + b"\n\nHello there."))[-1] == "Hello there."


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("name.eml", WRITTEN_BY_HAND + b"Content-Type: text/csv; name*=\"\0''x\"\n\nHello.", "cut off or damaged"),
        ("deep.eml", WRITTEN_BY_HAND + b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (at, at)
                                                for at in range(2000)), "cut off or damaged"),
        ("nothing.html", b"<!DOCTYPE html>", "no text in nothing.html"),
        ("version.zip", zipped("a.txt", b"a").replace(b"PK\x01\x02\x14\x03\x14", b"PK\x01\x02\x14\x03\xff"), "cut off or damaged"),
        ("place.docx", misplaced(zipped("word/document.xml", b"<w/>")), "cut off or damaged"),
        ("types.pptx", zipped("ppt/presentation.xml", b"<a/>", "[Content_Types].xml", TYPES), "cut off or damaged"),
    ],
)  # fmt: skip
def test_what_trips_a_library_is_told_as_damaged(parsed: Write, name: str, data: bytes, told: str) -> None:
    with pytest.raises(UnreadableError, match=told):
        parsed(name, data)


def test_an_archive_of_too_many_files_is_told_how_many(parsed: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsers, "MOST_ENTRIES", 1)
    with pytest.raises(TooLargeError, match="holds 2 files; I read at most 1"):
        parsed("many.docx", zipped("word/document.xml", b"<w/>", "b", b""))


def test_more_text_than_the_bot_can_learn_is_refused_where_it_is_read(parsed: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsers, "MOST_LETTERS", 1000)
    assert parsed("a.txt", "a" * 1000).kind == "text"
    with pytest.raises(TooLargeError, match=r"a\.txt holds 1,001 characters of text; I read at most 1,000"):
        parsed("a.txt", "a" * 1001)


def test_a_small_archive_may_grow_as_it_likes_while_that_is_little(parsed: Write) -> None:
    assert parsed("log.zip", zipped("log.txt", b"The same again.\n" * 500_000)).kind == "zip"


def test_a_cell_of_a_word_document_spans_so_many_columns_at_most(parsed: Write) -> None:
    source, out = io.BytesIO(docx()), io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.infolist():
            new.writestr(item, old.read(item).replace(b"<w:tcPr>", b'<w:tcPr><w:gridSpan w:val="999999999999"/>', 1))
    assert "Phone" in " ".join(texts(parsed("a.docx", out.getvalue())))


def test_keys_between_two_rules_are_front_matter_and_words_between_them_are_read(parsed: Write) -> None:
    keys = parsed("a.md", "---\ntitle: Guide\ntags:\n  - one\n- two\n---\nHello.\n")
    assert (keys.title, [block.text for block in keys.blocks]) == ("Guide", ["Hello."])

    words = parsed("a.md", "---\nThe door code is 4711\n---\nHello.\n")
    assert any("4711" in block.text for block in words.blocks)
