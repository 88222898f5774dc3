"""The card as a message: it fits, in both languages, and foreign text in it stays text."""

from dataclasses import replace

import pytest

from bot.channels.markdown import to_html
from bot.channels.rich_split import TEXT_UNITS
from bot.channels.rich_text import units
from bot.locale import LANGUAGES, Language, Text
from bot.models.card import card_of
from bot.models.card_text import card_text, headline
from bot.models.trial import Card, Evicted, Figures, Room, Scored, Shadowed

ROOM = Room(1434, 1900, 3100, (Evicted("caption", "caption.git.v1@a1", 3.8),), beside=True, fits=True)


def figures(
    name: str, korean: float, english: float, *, asked: str = "where?", answered: str = "there", **changes: object
) -> Figures:
    scored = tuple(
        Scored(f"c{number}", language, score, asked, f"{answered} {name}")
        for language, score in (("ko", korean), ("en", english))
        for number in range(9)
    )
    made = Figures(name, "ROUGE-1", scored, load_s=6.2, p50_ms=840.0, p95_ms=2210.0, ram_mb=1434, disk_bytes=495_000_000,  # type: ignore[arg-type]
                   licence="MIT", languages=("ko", "en"), fault={})  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def a_card(**changes: object) -> Card:
    old = figures("lead.v1@1", 0.45, 0.49, load_s=0.4, p50_ms=12.0, p95_ms=31.0)
    return replace(card_of("summarise", old, figures("kobart@2", 0.5, 0.33), ROOM, tolerance=0.02), **changes)  # type: ignore[arg-type]


def test_it_says_what_an_admin_decides_by() -> None:
    assert card_text(a_card(), "en").splitlines()[:15] == [
        "**summarise: ✗ does not pass**",
        "live: `lead.v1@1`",
        "tried: `kobart@2`",
        "",
        "**Why not**",
        "- English is worse: ROUGE-1 −0.160 over 9 cases (95 %: −0.160 to −0.160); −0.020 is tolerated.",
        "",
        "**Quality** (ROUGE-1, 95 % intervals)",
        "- Korean: 0.450 → 0.500: +0.050 (+0.050 to +0.050), 9 cases",
        "- English: 0.490 → 0.330: −0.160 (−0.160 to −0.160), 9 cases",
        "",
        "**Time** p50 12 ms → 840 ms · p95 31 ms → 2.2 s · load 400 ms → 6.2 s",
        "**Memory** needs 1.4 GB; evicts caption; its next answer +3.8 s",
        "**Disk** 495 MB · **licence** MIT",
        "",
    ]


def test_it_shows_the_three_cases_that_differ_most() -> None:
    told = card_text(a_card(), "ko").partition("**가장 다른 답**\n")[2].splitlines()

    assert told[:3] == ["> where?", "- 지금(0.49): there lead.v1@1", "- 새것(0.33): there kobart@2"]
    assert len(told) == 9


def test_what_was_computed_beside_the_live_one_is_told() -> None:
    shadow = Shadowed(wanted=50, done=48, agreed=0.874, old_p50_ms=12.0, new_p50_ms=15.0, failed=2)

    assert "48 of 50 live requests: 87 % alike · p50 12 ms → 15 ms · 2 failed" in card_text(a_card(shadow=shadow), "en")


def test_with_nothing_live_the_figures_stand_alone() -> None:
    card = card_of("summarise", None, figures("kobart@2", 0.5, 0.5, licence=""), ROOM)

    text = card_text(card, "en")
    assert "live:" not in text
    assert "- Korean: 0.500 (0.500 to 0.500), 9 cases" in text
    assert "**licence** unknown" in text


def test_one_line_says_the_verdict() -> None:
    assert headline(a_card()).to("en") == "summarise: kobart@2 does not pass"
    assert headline(a_card(reasons=())).to("ko") == "summarise: kobart@2 통과"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("long", ["가" * 300, "😀" * 300, "a_b*c`[d](http://e.example) <b> " * 12])
def test_it_fits_one_message_whatever_is_in_it(language: Language, long: str) -> None:
    told = {"ko": long, "en": long}
    old, new = (figures(long, score, score, asked=long, answered=long, licence=long) for score in (0.9, 0.1))
    room = replace(ROOM, evicts=tuple(Evicted(f"slot{number}", long, 2.0) for number in range(12)))

    card = card_of("summarise", old, new, room, notes=[Text(long.replace("{", ""))] * 9)
    text = card_text(replace(card, reasons=(told,) * 9), language)

    assert units(text) <= TEXT_UNITS - 200


def test_foreign_text_is_shown_as_it_is() -> None:
    hostile = "**bold** [a link](https://evil.example) `code` <b>x</b> &amp; # heading"
    card = card_of(
        "summarise", figures("a@1", 0.9, 0.9, asked=hostile, answered=hostile), figures("b@1", 0.1, 0.1, asked=hostile), ROOM
    )

    page = to_html(card_text(card, "en").partition("**Where they differ most**")[2])

    assert "<strong>" not in page
    assert "<a " not in page
    assert "<code>" not in page
    assert "**bold** [a link](https://evil.example) `code` &lt;b&gt;x&lt;/b&gt; &amp;amp; # heading" in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_shows_lists_as_lists_and_figures_below_them(language: Language) -> None:
    page = to_html(card_text(a_card(), language))

    assert page.count("<li>") == 1 + 2 + 1 + 6
    assert page.count("<blockquote>") == 3
