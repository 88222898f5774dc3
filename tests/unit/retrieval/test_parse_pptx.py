from pathlib import Path

import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from bot.retrieval.parse_pptx import read_pptx
from bot.text.sentences import split


@pytest.fixture
def blob(tmp_path: Path) -> Path:
    return tmp_path / "blob"


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


def test_the_points_of_a_slide_are_each_a_sentence_of_its_own(blob: Path) -> None:
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[1])
    points = [
        "The Breeze 3 is launched in April",
        "Gateway “Heron” follows in September",
        "SkyLog 4 with dashboards: November",
        "2) Rest",
    ]
    slide.placeholders[1].text = "\n\n".join(points)
    slides.save(str(blob))
    (block,) = read_pptx(blob, "a.pptx").blocks
    assert block.text.split("\n") == [*(f"- {point}" for point in points[:3]), points[3]]
    assert [sentence.text for sentence in split(block.text)] == block.text.split("\n")


def test_a_slide_of_much_text_keeps_its_table_apart(blob: Path) -> None:
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[1])
    slide.placeholders[1].text = "It grew. " * 80
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(2)).table
    for place, text in enumerate(["Region", "Growth", "Asia", "31 %"]):
        table.cell(place // 2, place % 2).text = text
    slides.save(str(blob))
    assert [block.kind for block in read_pptx(blob, "a.pptx").blocks] == ["text", "table"]


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


def test_a_notes_page_without_a_place_for_text_says_nothing(blob: Path) -> None:
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[1])
    slide.placeholders[1].text = "It grew."
    for holder in list(slide.notes_slide.placeholders):
        holder._element.getparent().remove(holder._element)
    slides.save(str(blob))
    assert [block.text for block in read_pptx(blob, "a.pptx").blocks] == ["It grew."]


def test_a_soft_break_in_notes_parts_words(blob: Path) -> None:
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[1])
    slide.notes_slide.notes_text_frame.text = "first line\vsecond line"
    slides.save(str(blob))
    (block,) = read_pptx(blob, "a.pptx").blocks
    assert block.text == "first line\nsecond line"
