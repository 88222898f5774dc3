from __future__ import annotations

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.channels.rich_split import fits, shorten, split
from bot.channels.rich_text import Rich, Span, SpanKind, units

SIGNS = st.sampled_from([*"ab .!?\n", "회", "의", "😀", "👩‍👩‍👧‍👦", "🇰🇷", "é", "각", "e\u0301", "끝. ", "\u200d", "\U0001f1f0"])
TEXTS = st.lists(SIGNS, max_size=120).map("".join)


@st.composite
def riches(draw: st.DrawFn) -> Rich:
    text = draw(TEXTS)
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pairs = zip(places[::2], places[1::2], strict=False)
    kinds: st.SearchStrategy[SpanKind] = st.sampled_from(["bold", "italic", "code", "pre", "link", "quote"])
    return Rich(text, tuple(Span(start, end, draw(kinds)) for start, end in pairs if start < end))


@settings(deadline=None)
@given(riches(), st.integers(4, 60))
def test_parts_joined_are_the_text_and_none_is_over_the_limit(rich: Rich, limit: int) -> None:
    parts = split(rich, limit)
    assert "".join(part.text for part in parts) == rich.text
    assert all(0 < units(part.text) <= limit for part in parts)


@settings(deadline=None)
@given(riches(), st.integers(4, 60))
def test_every_styled_sign_is_styled_in_its_part(rich: Rich, limit: int) -> None:
    def styled(riches: list[Rich]) -> list[tuple[str, list[str]]]:
        return [
            (sign, sorted(span.kind for span in one.spans if span.start <= place < span.end))
            for one in riches
            for place, sign in enumerate(one.text)
        ]

    parts = split(rich, limit)
    assert styled(parts) == styled([rich])
    assert all(0 <= span.start < span.end <= len(part.text) for part in parts for span in part.spans)


@settings(deadline=None)
@given(riches(), st.integers(20, 60))
@example(Rich("aaaaa " + 15 * "a", (Span(0, 7, "bold"),)), 20)
def test_a_span_that_fits_is_not_cut(rich: Rich, limit: int) -> None:
    at = 0
    for part in split(rich, limit)[:-1]:
        at += len(part.text)
        cluster = max(map(units, regex.findall(r"\X", rich.text)))
        for span in rich.spans:
            if units(rich.text[span.start : span.end]) + 2 * cluster <= limit and _on_cluster_borders(rich.text, span):
                assert not span.start < at < span.end


@settings(deadline=None)
@given(TEXTS, st.integers(30, 60))
def test_no_cluster_is_cut_that_is_shorter_than_a_part(text: str, limit: int) -> None:
    clusters = regex.findall(r"\X", text)
    borders = {sum(map(len, clusters[:count])) for count in range(len(clusters) + 1)}
    if max(map(units, clusters), default=0) <= limit:
        at = 0
        for part in split(Rich(text), limit):
            at += len(part.text)
            assert at in borders


def _on_cluster_borders(text: str, span: Span) -> bool:
    borders = {0}
    for cluster in regex.finditer(r"\X", text):
        borders.add(cluster.end())
    return span.start in borders and span.end in borders


@pytest.mark.parametrize(
    ("text", "limit", "first"),
    [
        ("aaaaaa\n\nbbb. ccc\nddd eee", 16, "aaaaaa\n\n"),
        ("aaa bbb. c\nddd eee fff", 16, "aaa bbb. c\n"),
        ("첫 문장이다. 둘째 문장은 길다.", 12, "첫 문장이다. "),
        ("He said “stop.” Then he left", 22, "He said “stop.” "),
        ("one two three four", 9, "one two "),
        ("가나다라마바사아자차", 4, "가나다라"),
    ],
)
def test_a_cut_stands_after_a_paragraph_else_a_line_else_a_sentence_else_a_word(text: str, limit: int, first: str) -> None:
    assert split(Rich(text), limit)[0].text == first


def test_a_long_fence_goes_on_as_a_fence() -> None:
    code = "\n".join(f"line {number}" for number in range(40))
    parts = split(Rich("intro\n" + code, (Span(6, 6 + len(code), "pre", "py"),)), 120)
    assert len(parts) > 2
    assert all(part.spans[-1].kind == "pre" and part.spans[-1].detail == "py" for part in parts[1:])
    assert all(part.text.endswith("\n") for part in parts[:-1])


def test_an_emoji_of_seven_code_points_stays_whole() -> None:
    family = "👩‍👩‍👧‍👦"
    parts = split(Rich("ab" + family * 3), 12)
    assert [part.text for part in parts] == ["ab", family, family, family]


def test_a_hundred_flags_are_cut_between_flags() -> None:
    assert all(len(part.text) % 2 == 0 for part in split(Rich("🇰🇷" * 100), 30))


def test_a_letter_under_more_accents_than_a_message_holds_is_cut_all_the_same() -> None:
    parts = split(Rich("e" + "\u0301" * 100), 20)
    assert sum(len(part.text) for part in parts) == 101


def test_the_limit_is_counted_in_utf_16_units() -> None:
    assert fits(Rich("😀" * 2048))
    assert not fits(Rich("😀" * 2049))
    assert len(split(Rich("😀" * 2049))) == 2


def test_a_shortened_text_ends_in_an_ellipsis_within_the_limit() -> None:
    assert shorten("abc", 3) == "abc"
    assert shorten("가나다 라마", 5) == "가나다…"
    assert units(shorten("😀" * 10, 8)) <= 8


def test_a_megabyte_is_cut_in_one_pass() -> None:
    parts = split(Rich("가나다라마바사 " * 40_000))
    assert len(parts) == 79
