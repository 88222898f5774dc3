"""The card as a picture: wide enough for a phone, nothing cut or one over the other, in Korean where a font allows it."""

import io
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image

from bot.locale import LANGUAGES, Language
from bot.models.card import card_of
from bot.models.card_font import LATIN, Fonts, fonts_here, found_in
from bot.models.card_picture import card_picture, drawn
from bot.models.card_sheet import SMALL, WIDTH, Sheet
from bot.models.trial import Card, Evicted, Figures, Room, Scored

ROOM = Room(1430, 1900, 3100, (Evicted("caption", "caption.git.v1@a1", 3.8, 720),), beside=True, fits=True, live_mb=150)
NONE = Room(0, 0, 1, (), beside=True, fits=True)
FULL = Room(9000, 1900, 4600, (), beside=False, fits=False)
LONG = {"en": "It is much too long a reason, and goes on. " * 12, "ko": "아주 긴 까닭이라서 끝나지 않고 이어져요. " * 12}


def figures(name: str, *scores: float, **changes: object) -> Figures:
    scored = tuple(
        Scored(f"c{number}", language, score, "where?", "there") for language in LANGUAGES for number, score in enumerate(scores)
    )
    made = Figures(name, "ROUGE-1", scored, load_s=6.2, p50_ms=840.0, p95_ms=2210.0, ram_mb=1430, disk_bytes=495_000_000,
                   licence="MIT", languages=LANGUAGES, fault={})  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def a_card(old: Figures | None, new: Figures, room: Room = ROOM, **changes: object) -> Card:
    return replace(card_of("summarise", old, new, room, tolerance=0.02), **changes)  # type: ignore[arg-type]


LEAD = figures("lead.v1@1", 0.4, 0.5, 0.6, p50_ms=12.0, p95_ms=31.0, load_s=0.4)
KOBART = figures("hub:gogamza/kobart-summarization@a1b2c3d4e5f6", 0.5, 0.6, 0.4)
CARDS = {
    "better": a_card(LEAD, figures("b@1", 0.7, 0.8, 0.9)),
    "worse": a_card(LEAD, figures("b@1", 0.1, 0.0, 0.2)),
    "empty slot": a_card(None, KOBART),
    "too large": a_card(None, KOBART, FULL),
    "crashed": a_card(LEAD, replace(KOBART, scored=(), p50_ms=0.0, p95_ms=0.0, load_s=0.0, fault=LONG)),
    "extremes": a_card(figures("a@1", 0.0, 0.0), figures("b@1", 1.0, 1.0, p50_ms=123456.0, p95_ms=654321.0, load_s=1e4), NONE),
    "many reasons": a_card(LEAD, KOBART, reasons=(LONG,) * 9),
}  # fmt: skip


def texts(sheet: Sheet) -> str:
    return " ".join(box.text for box in sheet.boxes)


@pytest.mark.parametrize("fonts", [fonts_here(), LATIN], ids=["here", "Latin"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", list(CARDS))
def test_every_text_stands_whole_in_the_picture_and_over_no_other(name: str, language: Language, fonts: Fonts) -> None:
    sheet, height = drawn(CARDS[name], language, fonts=fonts)

    for box in sheet.boxes:
        assert box.left >= 0, box
        assert box.right <= WIDTH, box
        assert 0 <= box.top <= box.bottom <= height, box
    for one, other in combinations(sheet.boxes, 2):
        apart = one.right <= other.left or other.right <= one.left or one.bottom <= other.top or other.bottom <= one.top
        assert apart, (one, other)
    assert set(sheet.cut) <= set(LONG.values())


def test_it_is_a_png_as_wide_as_a_phone_wants_it_and_no_longer_than_it_must_be() -> None:
    picture = Image.open(io.BytesIO(card_picture(CARDS["worse"], "en")))

    assert (picture.format, picture.width) == ("PNG", 1080)
    assert 900 < picture.height < 2000
    assert picture.getpixel((3, 3)) == (255, 255, 255)
    assert picture.convert("L").getextrema()[0] < 60


def test_it_tells_what_the_text_tells() -> None:
    said = texts(drawn(CARDS["worse"], "en", fonts=LATIN)[0])

    for part in ("Does not pass", "lead.v1@1", "b@1", "ROUGE-1", "0.500", "0.100", "31 ms", "2.2 s", "budget 3.0 GB", "2.5 GB",
                 "evicts caption", "+3.8 s", "Disk 495 MB", "licence MIT", "English is worse"):  # fmt: skip
        assert part in said


def test_without_hangul_on_the_machine_the_picture_is_in_english() -> None:
    card = a_card(LEAD, figures("요약@1", 0.5))

    said = texts(drawn(card, "ko", fonts=LATIN)[0])

    assert "Report card" in said
    assert "??@1" in said


def test_a_long_name_loses_its_middle_and_keeps_both_ends() -> None:
    name = f"hub:some-owner/{'very-' * 30}long-name@0123456789ab"

    sheet, _height = drawn(a_card(LEAD, figures(name, 0.5)), "en", fonts=LATIN)

    (shown,) = [box.text for box in sheet.boxes if box.text.startswith("hub:some")]
    assert shown.endswith("long-name@0123456789ab")
    assert name in sheet.cut


def test_no_letter_is_smaller_than_a_phone_shows() -> None:
    assert SMALL * 0.4 > 10


def test_a_machine_without_fonts_has_the_one_that_comes_with_pillow(tmp_path: Path) -> None:
    (tmp_path / "NanumGothic.ttf").write_bytes(b"no font at all")
    (tmp_path / "malgun.ttf").mkdir()

    assert found_in([tmp_path, tmp_path / "nowhere"]) == LATIN
    assert not LATIN.hangul
    assert LATIN.legible("a → b … −3") == "a > b ... -3".replace("...", LATIN.legible("…"))


@pytest.fixture
def hangul() -> Fonts:
    fonts = fonts_here()
    assert fonts.hangul, "the tests need a font with Hangul: apt install fonts-noto-cjk, or fonts-nanum"
    return fonts


def test_korean_is_drawn_in_korean(hangul: Fonts) -> None:
    said = texts(drawn(CARDS["worse"], "ko", fonts=hangul)[0])

    for part in ("성적표", "통과 못 함", "품질", "한국어", "시간", "메모리", "안 되는 까닭", "2.2초"):
        assert part in said
    assert "Does not pass" not in said
