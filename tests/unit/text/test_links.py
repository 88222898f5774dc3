"""Links that a model makes up, or is told to make, are taken out; those that it was given stay."""

import pytest

from bot.channels.markdown import to_html
from bot.channels.rich_text import parse
from bot.text.links import held_links_only

GIVEN = ["See https://a.example/x?q=1 (and www.b.example), or write to ann@a.example."]


@pytest.mark.parametrize(
    "said",
    [
        "Read https://a.example/x?q=1.", "[here](https://a.example/x?q=1)", "www.b.example, ann@a.example", "Use Node.js, i.e. main.py.",
        "비율은 3.5:1이고 회의는 10:30이다", "a/b and C:\\dir", "handlers[name](event)",
    ],
)  # fmt: skip
def test_what_was_given_stays(said: str) -> None:
    assert held_links_only(said, GIVEN) == said


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example", "https://a.example/x?q=2", "https://a.example/x?q=1&leak=secret", "HTTPS://EVIL.example/x", "evil.com/x",
        "www.evil.de", "evil.co.kr", "tg://user?id=7", "tg:resolve?domain=x", "javascript:alert(1)", "data:text/html,x",
        "mailto:eve@evil.example",
        "eve@evil.example", "ftp://evil.example", "https:/evil.example", "t.me/evil", "xn--e1b.com",
        "https://a.example@evil.example/x", "https&#58;//evil&#46;example", "h&#116;tps://evil.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "form",
    ["{}", "[words]({})", "[words](<{}>)", "![words]({})", '[words]({} "t")', "<{}>", "[a [b] c]({})", "[a [b]({}) c]({})"],
)
def test_what_was_not_given_goes_in_every_form(link: str, form: str) -> None:
    said = held_links_only(f"Now {form.replace('{}', link)} !", GIVEN)
    assert "<a" not in to_html(said)
    assert not [span for span in parse(said).spans if span.kind == "link"]
    assert not any(sign in said for sign in ("evil.example", "evil.com", "://", "javascript:", "leak"))


def test_the_words_of_a_link_and_the_end_of_a_sentence_stay() -> None:
    assert held_links_only("[here](https://evil.example), or https://evil.example.", GIVEN) == "here, or ."
