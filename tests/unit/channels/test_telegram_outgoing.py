from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.rich_split import TEXT_UNITS
from bot.channels.rich_text import Rich, Span, parse, units
from bot.channels.telegram_outgoing import PhotoPart, TextPart, entities, keyboard, plain, render
from bot.message import Button, Command, Picture, Reply, Source

MORE = Button("More", Command("more"), "t1")


def texts(reply: Reply) -> list[str]:
    return [part.rich.text for part in render(reply) if isinstance(part, TextPart)]


def slices(rich: Rich) -> list[tuple[str, str]]:
    """Return what each entity covers when its offsets are taken as Telegram takes them."""
    raw = rich.text.encode("utf-16-le")
    return [(str(e.type), raw[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le")) for e in entities(rich)]


def test_entities_count_in_utf_16_units() -> None:
    assert slices(parse("😀😀 **굵게 😀** `x` [l](https://a.b)")) == [("bold", "굵게 😀"), ("code", "x"), ("text_link", "l")]


def test_a_pre_tells_its_language_and_a_link_its_address() -> None:
    pre, link = entities(parse("```py\nx\n```\n[l](https://a.b)"))
    assert (pre.language, link.url) == ("py", "https://a.b")


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([*"ab *`>\n", "가", "😀", "**", "```\n", "[l](https://a.b) "]), max_size=200).map("".join),
    st.integers(1, 60),
)
def test_every_part_of_any_reply_is_one_that_telegram_takes(text: str, times: int) -> None:
    for part in render(Reply(text * times, "en")):
        assert isinstance(part, TextPart)
        assert 0 < units(part.rich.text) <= TEXT_UNITS
        assert part.rich.text == part.rich.text.strip()
        total = units(part.rich.text)
        for entity in entities(part.rich):
            assert entity.offset >= 0
            assert 0 < entity.length <= total - entity.offset


def test_buttons_stand_under_the_last_text_and_under_the_last_picture_where_there_is_none() -> None:
    pictures = (Picture("b1", "one"), Picture("b2", "two"))
    long = render(Reply("word " * 2000, "en", images=pictures, buttons=(MORE,)))
    assert [bool(part.buttons) for part in long] == [False, False, True, False, False]
    assert [bool(part.buttons) for part in render(Reply("", "en", images=pictures, buttons=(MORE,)))] == [False, True]


def test_an_empty_reply_has_no_parts() -> None:
    assert render(Reply(" \n\u200b ", "en")) == []


def test_a_caption_is_short_enough() -> None:
    (part,) = render(Reply("", "en", images=(Picture("b", "설명 " * 1000),)))
    assert isinstance(part, PhotoPart)
    assert units(part.caption) <= 1024
    assert part.caption.endswith("…")


def test_sources_are_numbered_and_only_web_links_are_links() -> None:
    sources = tuple(Source(f"title {link}", "", link, 1.0) for link in ("https://a.b", "javascript:x", "", "file:///etc/passwd"))
    (part,) = render(Reply("Answer.", "en", sources=sources))
    assert isinstance(part, TextPart)
    assert part.rich.text.startswith("Answer.\n\n1. title https://a.b\n2. title javascript:x\n3. ")
    assert [span.detail for span in part.rich.spans] == ["https://a.b"]


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("message:telegram/7/-1001234567890/55", "https://t.me/c/1234567890/55"),
        ("message:telegram/7/-1001234567890/55?thread=9", "https://t.me/c/1234567890/9/55"),
        ("message:telegram/7/-555/55", None),
        ("message:telegram/7/42/55", None),
        ("message:web/local/-1001/55", None),
    ],
)
def test_a_message_of_a_supergroup_opens_where_it_was_said(link: str, address: str | None) -> None:
    (part,) = render(Reply("A", "en", sources=(Source("Ann, 12:00", "said", link, 1.0),)))
    assert isinstance(part, TextPart)
    assert [span.detail for span in part.rich.spans if span.kind == "link"] == ([address] if address else [])


def test_markup_in_a_source_is_text() -> None:
    (part,) = render(Reply("A", "en", sources=(Source("**x** [y](https://evil.example)", "*z* `w`\n# h", "", 1.0),)))
    assert isinstance(part, TextPart)
    assert part.rich.text == "A\n\n1. **x** [y](https://evil.example)\n*z* `w`\n# h"
    assert [span.kind for span in part.rich.spans] == ["expandable"]


def test_the_marked_range_is_bold_in_a_quote_with_the_words_around_it() -> None:
    text = "앞 " * 600 + "여기가 답이다." + " 뒤" * 600
    start = text.index("여기가")
    (part,) = render(Reply("답", "ko", sources=(Source("t", text, "", 1.0, (start, start + 8)),)))
    assert isinstance(part, TextPart)
    quote, bold = sorted(part.rich.spans, key=lambda span: span.start)
    assert part.rich.text[bold.start : bold.end] == "여기가 답이다."
    shown = part.rich.text[quote.start : quote.end]
    assert (quote.kind, bold.kind) == ("expandable", "bold")
    assert shown.startswith("…앞")
    assert shown.endswith("…")
    assert units(shown) <= 602


def test_quotes_that_do_not_fit_are_left_out_and_titles_stay() -> None:
    sources = tuple(Source(f"title {number}", f"{number} " * 400, "", 1.0) for number in range(5))
    (part,) = render(Reply("x" * 2500, "en", sources=sources))
    assert isinstance(part, TextPart)
    assert [f"{number + 1}. title {number}" in part.rich.text for number in range(5)] == [True] * 5
    assert len(part.rich.spans) == 2


def test_a_passage_that_the_answer_quotes_is_not_shown_twice() -> None:
    (part,) = render(Reply("The budget is 300.", "en", sources=(Source("t", "The budget is 300.", "", 1.0),)))
    assert isinstance(part, TextPart)
    assert part.rich.text == "The budget is 300.\n\n1. t"


@pytest.mark.parametrize("text", ["The dishwasher\n\n  is blue.\nIt hums.", "A long beginning. " * 60 + "It is blue.\nIt hums."])
def test_nor_is_one_that_the_answer_quotes_on_one_line(text: str) -> None:
    start = text.index("It hums.")
    answer = f"> {' '.join(text[-900:].split())}\n\n— plan.md"
    (shown,) = texts(Reply(answer, "en", sources=(Source("plan.md", text, "", 0.9, (start, len(text))),)))
    assert shown.count("It hums.") == 1
    assert shown.endswith("1. plan.md")


@pytest.mark.parametrize("marked", [(0, 0), (0, 10_000), (500, 400), (-5, 3)])
def test_a_marked_range_that_is_none_does_no_harm(marked: tuple[int, int]) -> None:
    (part,) = render(Reply("A", "en", sources=(Source("t", "some text " * 200, "", 1.0, marked),)))
    assert isinstance(part, TextPart)
    assert all(0 <= span.start < span.end <= len(part.rich.text) for span in part.rich.spans)


def test_rows_hold_up_to_three_short_buttons() -> None:
    markup = keyboard([replace(MORE, label=label) for label in ("a", "b", "c", "d", "a very long label that takes a row")])
    assert markup is not None
    assert [[button.text for button in row] for row in markup.inline_keyboard] == [
        ["a", "b", "c"],
        ["d", "a very long label that takes a row"],
    ]


def test_a_button_that_cannot_be_pressed_is_left_out() -> None:
    assert keyboard([replace(MORE, token=""), replace(MORE, token="x" * 65)]) is None
    assert keyboard([]) is None


def test_plain_text_names_the_addresses() -> None:
    assert plain(parse("**see** [here](https://a.b) and [https://c.d](https://c.d)")) == "see here (https://a.b) and https://c.d"
    assert plain(Rich("x" * 4096, (Span(0, 1, "link", "https://a.b"),))) == "x" * 4096


def test_nobody_is_called_by_what_is_quoted() -> None:
    source = Source("by @ann_lee", "ask @ben_kim now, or ann@a.example", "", 0.5, (4, 12))
    (part,) = render(Reply("**@all_here** and `@dataclass`, @everyone", "en", sources=(source,)))
    assert isinstance(part, TextPart)
    assert not re.search(r"(?<![\w@`])@(?!dataclass)[A-Za-z]", part.rich.text.replace("ann@a", ""))
    shown = part.rich.text.replace("\u2060", "")
    assert shown.startswith("@all_here and @dataclass, @everyone\n\n1. by @ann_lee\nask @ben_kim now, or ann@a.example")
    bold = [part.rich.text[span.start : span.end].replace("\u2060", "") for span in part.rich.spans if span.kind == "bold"]
    assert bold == ["@all_here", "@ben_kim"]
    assert [part.rich.text[span.start : span.end] for span in part.rich.spans if span.kind == "code"] == ["@dataclass"]


def test_a_text_leads_nowhere_within_telegram() -> None:
    (part,) = render(Reply("[all](tg://user?id=41) TG://resolve?domain=x", "en"))
    assert isinstance(part, TextPart)
    assert "tg:/" not in part.rich.text.lower()
    assert not part.rich.spans
