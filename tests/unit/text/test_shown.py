"""Others' words are shown as they stand, on the page and in Telegram, and act on nothing."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.markdown import to_html
from bot.channels.rich_text import parse
from bot.text.shown import LONGEST_NAME, in_code, isolated, literal, named

SIGNS = st.text(st.sampled_from([*"ab1 *_`~[]()<>&!#+-.\\\"':/|=가"]), max_size=40)
ACTING = [
    "[a](https://x.example)", "![a](https://x.example/p.gif)", "<https://x.example>", "**a**", "_a_", "`a`", "```a", "~~~a", "# a",
    "> a", "- a", "+ a", "* a", "&lt;b&gt;", "&#x41;", "a\\*", "[a]: https://x.example", "[a][b]", "1. a", "a_b_c", "https://x.example/a_b_c",
    "<!-- a -->",
]  # fmt: skip


def shown(said: str) -> str:
    """Return what a reader of the page sees of `said`."""
    return html.unescape(re.sub(r"<[^>]+>", "", to_html(said))).strip()


@pytest.mark.parametrize("text", ACTING)
def test_what_would_act_is_shown_as_it_stands(text: str) -> None:
    assert parse(literal(text)).text == text
    assert not parse(literal(text)).spans
    if not text.startswith("1."):  # a number at the beginning stays a list of one
        assert shown(literal(text)) == text
        assert not re.search(r"<(?!/?p>)", to_html(literal(text)))


@given(SIGNS)
def test_any_signs_come_out_as_they_went_in(text: str) -> None:
    assert parse(literal(text)).text == text
    assert not parse(literal(text)).spans


@given(SIGNS.filter(lambda text: not re.match(r"\s*\d+[.)]", text)))
def test_on_the_page_too_but_for_spaces(text: str) -> None:
    assert shown(literal(text)).split() == text.split()
    assert "<a" not in to_html(literal(text))


def test_a_name_is_one_line_that_turns_and_hides_nothing() -> None:
    assert named("a\u202egnp\u200b.exe\n\x1b[2J\u2028b\ud800") == "agnp.exe [2J b"
    assert named("👩\u200d👩\u200d👧.png ❤\ufe0f") == "👩\u200d👩\u200d👧.png ❤\ufe0f"
    assert named(" \u200b\u3164\n") == ""
    assert len(named("가" * 1_000)) == LONGEST_NAME


def test_what_runs_to_the_left_stands_apart_and_nothing_turns_what_follows() -> None:
    assert isolated("plain") == "plain"
    assert isolated("회의\u202e록\u2066") == "회의록"
    assert isolated("שלום\u200f") == "\u2068שלום\u2069"


def test_no_backtick_ends_a_piece_of_code() -> None:
    assert in_code(" a`b\n```c ") == "a'b '''c"
