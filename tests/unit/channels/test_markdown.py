from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.markdown import LONGEST_PARSED, safe_link, to_html
from bot.contract.hostile_texts import HOSTILE

TAGS = {"p", "strong", "em", "code", "pre", "a", "ul", "ol", "li", "blockquote", "br"}
ATTRIBUTES = {"href", "target", "rel", "class", "start"}


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_comment(self, data: str) -> None:
        self.tags.add("!comment")

    def handle_decl(self, decl: str) -> None:
        self.tags.add("!declaration")

    def unknown_decl(self, data: str) -> None:
        self.tags.add("!declaration")

    def handle_pi(self, data: str) -> None:
        self.tags.add("!instruction")


def read(markup: str) -> Reader:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


def check_harmless(markup: str) -> None:
    seen = read(markup)
    assert seen.tags <= TAGS
    assert {name for name, _value in seen.attributes} <= ATTRIBUTES
    for name, value in seen.attributes:
        if name == "href":
            assert safe_link(value) == value
    markup.encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_becomes_nothing_but_text(text: str) -> None:
    check_harmless(to_html(text))


@given(
    st.lists(
        st.sampled_from([*HOSTILE, "[", "](", ")", "<", ">", "`", "*", "_", "\n", "&", "javascript:", "\\"]), max_size=12
    ).map("".join)
)
def test_hostile_texts_put_together_become_nothing_but_text(text: str) -> None:
    check_harmless(to_html(text))


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("**bold** and *italic*", "<p><strong>bold</strong> and <em>italic</em></p>\n"),
        ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
        ("`a < b`", "<p><code>a &lt; b</code></p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("> q", "<blockquote>\n<p>q</p>\n</blockquote>\n"),
        ("# no heading", "<p># no heading</p>\n"),
        ("**굵게**는 굵어요", "<p><strong>굵게</strong>는 굵어요</p>\n"),
    ],
)
def test_the_subset_is_shown(text: str, markup: str) -> None:
    assert to_html(text) == markup


def test_a_link_to_elsewhere_opens_apart_and_tells_nothing() -> None:
    assert 'href="https://a.example/x?a=1&amp;b=2" target="_blank" rel="noopener noreferrer nofollow"' in to_html(
        "[see](https://a.example/x?a=1&b=2)"
    )


def test_a_link_on_this_server_is_kept() -> None:
    assert 'href="/blobs/ab?name=a.pdf#page=4"' in to_html("[page 4](/blobs/ab?name=a.pdf#page=4)")


@pytest.mark.parametrize("unit", ["[", "[a](", "*a **b ", "> ", "`", "<", "- ", "![", "&#x", "_a"])
def test_the_longest_text_that_is_parsed_becomes_nothing_but_text(unit: str) -> None:
    check_harmless(to_html((unit * LONGEST_PARSED)[:LONGEST_PARSED]))


def test_a_text_over_the_limit_is_shown_as_it_is() -> None:
    assert to_html("<b>" * LONGEST_PARSED).startswith('<p class="plain">&lt;b&gt;')
