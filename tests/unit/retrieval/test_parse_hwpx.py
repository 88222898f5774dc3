from pathlib import Path

import pytest
from hwpx_files import cell, hwpx, noted, p, tbl

from bot.errors import UnreadableError
from bot.retrieval.document import Document
from bot.retrieval.parsers import read


@pytest.fixture
def blob(tmp_path: Path) -> Path:
    return tmp_path / "blob"


def parsed(blob: Path, data: bytes) -> Document:
    blob.write_bytes(data)
    return read(path=str(blob), name="a.hwpx", archive_growth=100)


def said(blob: Path, *paragraphs: str, year: int = 2011) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in parsed(blob, hwpx(*paragraphs, year=year)).blocks]


@pytest.mark.parametrize("year", [2011, 2016, 2021, 2024])
def test_every_year_s_namespaces_are_read(blob: Path, year: int) -> None:
    table = tbl(cell("이름", 0, 0) + cell("나이", 0, 1), cell("김", 1, 0) + cell("33", 1, 1))
    assert said(blob, p("휴가", style="3"), p("연 15일", "입니다."), p(table), year=year) == [
        ("heading", "휴가"), ("text", "연 15일입니다."), ("table", "이름: 김 | 나이: 33"),
    ]  # fmt: skip


def test_runs_are_joined_and_signs_are_kept(blob: Path) -> None:
    runs = (
        "<hp:t>마감<hp:markpenBegin color='#FFF'/>일은<hp:markpenEnd/><hp:tab/>금",
        "요일<hp:lineBreak/>오후<hp:nbSpace/>3시</hp:t>",
    )
    assert said(blob, p(f"{runs[0]}</hp:t>", f"<hp:t>{runs[1]}")) == [("text", "마감일은 금요일\n오후 3시")]


def test_what_track_changes_deleted_is_not_read(blob: Path) -> None:
    first = p('<hp:t>값은 <hp:deleteBegin Id="1" TcId="1"/>3만</hp:t>', '<hp:t>원<hp:deleteEnd Id="1" TcId="1"/>5만 원</hp:t>')
    unended = p('<hp:t>이다.<hp:deleteBegin Id="2" TcId="2"/> 남는 말.</hp:t>')
    inserted = p('<hp:t><hp:insertBegin Id="3"/>새 문장.<hp:insertEnd Id="3"/></hp:t>')
    assert said(blob, first, unended, inserted) == [("text", "값은 5만 원\n\n이다. 남는 말.\n\n새 문장.")]


def test_an_outline_makes_a_heading_but_of_no_sentence(blob: Path) -> None:
    found = said(blob, p("제2장", shape="7"), p("본문이다.", shape="7"), p("개요", style="3"), p("끝", style="4"))
    assert found == [("heading", "제2장"), ("text", "본문이다."), ("heading", "개요"), ("text", "끝")]


def test_rows_that_one_cell_spans_each_have_it(blob: Path) -> None:
    rows = [
        cell("직급", 0, 0) + cell("지역", 0, 1) + cell("한도", 0, 2),
        cell("과장", 1, 0, down=2) + cell("국내", 1, 1) + cell("10만 원", 1, 2),
        cell("해외", 2, 1) + cell("20만 원", 2, 2),
    ]
    assert said(blob, p("표와 같다.", tbl(*rows, caption="출장비"))) == [
        ("text", "표와 같다."), ("table", "출장비\n직급: 과장 | 지역: 국내 | 한도: 10만 원\n직급: 과장 | 지역: 해외 | 한도: 20만 원"),
    ]  # fmt: skip


def test_a_table_in_a_cell_is_read_once(blob: Path) -> None:
    inner = tbl(cell("안쪽", 0, 0) + cell("7", 0, 1))
    outer = tbl(cell("항목", 0, 0) + cell("값", 0, 1), cell("가", 1, 0) + cell(p("바깥", inner), 1, 1))
    (table,) = said(blob, p(outer))
    assert table[1].count("안쪽") == 1
    assert table[1].startswith("항목: 가 | 값: 바깥 안쪽")


def test_a_table_of_one_cell_is_a_frame(blob: Path) -> None:
    assert said(blob, p(tbl(cell(p("공지", style="3") + p("내일 쉽니다."), 0, 0)))) == [
        ("heading", "공지"),
        ("text", "내일 쉽니다."),
    ]


def test_notes_boxes_formulas_and_ruby_are_read(blob: Path) -> None:
    box = f"<hp:rect><hp:drawText><hp:subList>{p('상자 안')}</hp:subList></hp:drawText><hp:shapeComment>사각형</hp:shapeComment></hp:rect>"
    formula = "<hp:equation><hp:shapeComment>수식입니다.</hp:shapeComment><hp:script>E = mc^2</hp:script></hp:equation>"
    ruby = "<hp:dutmal><hp:mainText>漢字</hp:mainText><hp:subText>한자</hp:subText></hp:dutmal>"
    assert said(blob, p("힘은", formula, "이다", ruby, noted("footNote", "아인슈타인."), box), p("끝.")) == [
        ("text", "힘은 E = mc^2 이다 漢字 한자\n\n아인슈타인.\n\n상자 안\n\n끝.")
    ]


def test_heads_and_feet_are_said_once_with_the_first_paragraph(blob: Path) -> None:
    head, foot = noted("header", "대외비"), noted("footer", "- 1 -")
    assert said(blob, p("본문.", head, foot), p("둘째.", head)) == [("text", "대외비\n\n본문.\n\n둘째.")]


def test_hidden_comments_and_link_targets_are_left_out(blob: Path) -> None:
    link = '<hp:ctrl><hp:fieldBegin type="HYPERLINK"><hp:parameters><hp:stringParam>http://x</hp:stringParam></hp:parameters></hp:fieldBegin></hp:ctrl>'
    assert said(blob, p(link, "여기", "<hp:ctrl><hp:fieldEnd/></hp:ctrl>", noted("hiddenComment", "비밀"))) == [("text", "여기")]


def test_of_alternatives_one_is_read(blob: Path) -> None:
    switch = "<hp:switch><hp:case><hp:t>새 모양</hp:t></hp:case><hp:default><hp:t>옛 모양</hp:t></hp:default></hp:switch>"
    assert said(blob, p(switch)) == [("text", "옛 모양")]


def test_title_and_author_are_the_package_s(blob: Path) -> None:
    read_ = parsed(blob, hwpx(p("본문입니다."), title="운영 계획", author="김민지"))
    assert (read_.kind, read_.title) == ("hwpx", "운영 계획")
    assert read_.blocks[0].text == "작성자: 김민지\n\n본문입니다."


def test_a_picture_is_a_file_that_is_yet_to_be_read(blob: Path) -> None:
    picture = '<hp:pic><hc:img binaryItemIDRef="image1"/><hp:caption><hp:subList>{}</hp:subList></hp:caption></hp:pic>'
    small = '<hp:pic><hc:img binaryItemIDRef="image2"/></hp:pic>'
    more = {"BinData/image1.png": b"\x89PNG\r\n\x1a\n" + bytes(4000), "BinData/image2.png": b"\x89PNG\r\n\x1a\n"}
    blocks = parsed(blob, hwpx(p("앞", picture.format(p("그림 1")), small), more=more)).blocks
    assert [(block.kind, block.text, block.place >= 0) for block in blocks] == [
        ("text", "앞", False), ("file", "", True), ("text", "그림 1", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (hwpx(p("비밀"), locked=True), "is locked with a password"),
        (hwpx(p("글"))[:300], "cut off or damaged"),
        (hwpx("<hp:p>"), "cut off or damaged"),
        (hwpx(p("")), "no text in"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + b"HWP Document File" + bytes(50), "old format of Hangul"),
        (b"HWP Document File V3.00 \x1a" + bytes(50), "old format of Hangul"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told(blob: Path, data: bytes, told: str) -> None:
    with pytest.raises(UnreadableError, match=told):
        parsed(blob, data)
