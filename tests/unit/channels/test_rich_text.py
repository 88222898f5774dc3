from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.channels.rich_text import Rich, Span, clean, parse, safe_link, units

TraceFunction = Callable[[FrameType, str, Any], Any]
MARKED_UP = st.lists(
    st.sampled_from([*'ab *`[]()>-~\\\n"', "가", "😀", "**", "```", "](https://x.y)", "- ", "> "]), max_size=60
).map("".join)


def styled(markdown: str) -> tuple[str, list[tuple[str, str, str]]]:
    rich = parse(markdown)
    return rich.text, [(rich.text[span.start : span.end], span.kind, span.detail) for span in rich.spans]


@pytest.mark.parametrize(
    ("markdown", "text", "spans"),
    [
        ("plain text, 2 * 3 = 6", "plain text, 2 * 3 = 6", []),
        ("**bold** and *italic*", "bold and italic", [("bold", "bold", ""), ("italic", "italic", "")]),
        ("**“회의”**는 *참*이다", "“회의”는 참이다", [("“회의”", "bold", ""), ("참", "italic", "")]),
        ("**회의록(2024):**내용", "회의록(2024):내용", [("회의록(2024):", "bold", "")]),
        ("2*3*4 and a**", "2*3*4 and a**", []),
        ("***both***", "both", [("both", "bold", ""), ("both", "italic", "")]),
        ("**so *far***", "so far", [("so far", "bold", ""), ("far", "italic", "")]),
        ("**a *b** c*", "a *b c*", [("a *b", "bold", "")]),
        ("`a*b*`", "a*b*", [("a*b*", "code", "")]),
        ("`` a`b ``", "a`b", [("a`b", "code", "")]),
        ("`never closed", "`never closed", []),
        ("**use `x` now**", "use x now", [("use ", "bold", ""), ("x", "code", ""), (" now", "bold", "")]),
        ("[here](https://a.b/c_(d))", "here", [("here", "link", "https://a.b/c_(d)")]),
        ("[](https://a.b)", "https://a.b", [("https://a.b", "link", "https://a.b")]),
        ("[run](javascript:alert(1))", "run", []),
        ("[a [b](http://c.d) e](http://f.g)", "[a b e](http://f.g)", [("b", "link", "http://c.d")]),
        (r"\*not\* \[a](b) C:\dir", "*not* [a](b) C:\\dir", []),
        ("- one\n  - two\n* three", "• one\n  • two\n• three", []),
        ("1. one\n3. three", "1. one\n3. three", []),
        ("before\n> a **b**\n> c\nafter", "before\na b\nc\nafter", [("a b\nc", "quote", ""), ("b", "bold", "")]),
        ("```py\nx = '**'\n\ny\n```\nend", "x = '**'\n\ny\nend", [("x = '**'\n\ny", "pre", "py")]),
        ("~~~\n```\n~~~", "```", [("```", "pre", "")]),
        ("````\n```\n````", "```", [("```", "pre", "")]),
        ("```\nnever closed", "never closed", [("never closed", "pre", "")]),
        ("**one\n\ntwo**", "**one\n\ntwo**", []),
        ("line one  \nline two", "line one  \nline two", []),
    ],
)
def test_the_subset_is_read_and_all_else_stays(markdown: str, text: str, spans: list[tuple[str, str, str]]) -> None:
    assert styled(markdown) == (text, spans)


@settings(deadline=None)
@given(MARKED_UP)
@example("**[a*](https://x.y)`*")
def test_spans_lie_in_the_text_and_nest(markdown: str) -> None:
    rich = parse(markdown)
    for span in rich.spans:
        assert 0 <= span.start < span.end <= len(rich.text)
        for other in rich.spans:
            apart = span.end <= other.start or other.end <= span.start
            nested = (span.start <= other.start and other.end <= span.end) or (
                other.start <= span.start and span.end <= other.end
            )
            assert apart or nested
            if not apart and span != other:
                assert span.kind not in ("pre", "code") or other.kind == "quote"


@settings(deadline=None)
@given(MARKED_UP)
def test_every_letter_survives(markdown: str) -> None:
    def letters(text: str) -> str:
        return "".join(sign for sign in text.replace("https://x.y", "") if sign in "ab가😀")

    fences = markdown.count("```") + markdown.count("~~~")  # an info string is no text
    assert fences or letters(parse(markdown).text) == letters(markdown)


@pytest.mark.parametrize(
    "hostile", ["*", "[", "`", "**a", "`a``b", "[a**", '](a "', "`b` *a* ", "[`b`](http://a.b) ", "> ", "- "]
)
def test_hostile_text_takes_steps_in_proportion_to_its_length(hostile: str) -> None:
    assert steps(hostile * 800) < 2.5 * steps(hostile * 400)


def steps(markdown: str) -> int:
    """Return how many lines of Python reading `markdown` takes: a clock that no other program can hold up.

    Lines of the parser alone: what the collector of garbage calls meanwhile is none of them.
    """
    count = 0

    def step(frame: FrameType, _event: str, _argument: Any) -> TraceFunction | None:
        nonlocal count
        if frame.f_code.co_filename != parse.__code__.co_filename:
            return None
        count += 1
        return step

    before = sys.gettrace()
    sys.settrace(step)
    try:
        parse(markdown)
    finally:
        sys.settrace(before)
    return count


def test_what_telegram_cannot_carry_is_replaced() -> None:
    assert clean("a\x00b\ud800c\r\nd\te\u200d") == "a b\ufffdc\nd\te\u200d"


def test_only_http_links_are_safe() -> None:
    assert safe_link("https://a")
    assert safe_link("HTTP://a.b")
    assert not any(map(safe_link, ["javascript:x", "tg://x", "file:///x", "https://", "https:// a", "//a.b", ""]))


def test_a_cut_range_keeps_its_part_of_a_span() -> None:
    rich = Rich("abcdef", (Span(1, 5, "pre", "py"), Span(5, 6, "bold")))
    assert rich.cut(3, 6) == Rich("def", (Span(0, 2, "pre", "py"), Span(2, 3, "bold")))
    assert Rich("  ab \n", (Span(0, 6, "bold"),)).trimmed() == Rich("ab", (Span(0, 2, "bold"),))


@pytest.mark.parametrize(("text", "blank"), [("", True), (" \n\t", True), ("\u200b\u2060", True), ("가", False), ("😀", False)])
def test_what_nobody_would_see_is_blank(text: str, blank: bool) -> None:
    assert Rich(text).blank is blank


def test_units_are_utf_16() -> None:
    assert [units(text) for text in ("abc", "가나", "😀", "👩‍👩‍👧‍👦")] == [3, 2, 2, 11]
