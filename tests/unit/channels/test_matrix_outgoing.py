import json

from bot.channels.matrix_outgoing import as_html, render, tokens_of
from bot.channels.rich_text import parse
from bot.message import DOWN, UP, Button, Command, Picture, Reply, Source


def shown(markdown: str) -> str:
    return as_html(parse(markdown))


def test_the_subset_becomes_html_and_nothing_else_passes() -> None:
    assert shown("**a** *b* `c<d` [e](https://x.y/?a=1&b=2) <img src=x onerror=1>") == (
        '<strong>a</strong> <em>b</em> <code>c&lt;d</code> <a href="https://x.y/?a=1&amp;b=2">e</a> &lt;img src=x onerror=1&gt;'
    )
    assert shown("[x](javascript:alert(1))") == "x"
    assert shown("```py\nif a < b:\n  go\n```") == '<pre><code class="language-py">if a &lt; b:\n  go\n</code></pre>'


def test_lists_and_quotes_are_the_clients_own() -> None:
    assert shown("one\n- a **b**\n- c\ntwo") == "one<ul><li>a <strong>b</strong></li><li>c</li></ul>two"
    assert shown("> a\n> b\nafter") == "<blockquote>a<br>b</blockquote>after"


def test_plain_words_have_no_html_beside_them() -> None:
    (part,) = render(Reply("just words", "en"))
    assert part.content == {"msgtype": "m.text", "body": "just words", "m.mentions": {}, "dev.paring": {}}


def test_buttons_are_listed_with_their_numbers_and_thumbs_are_not() -> None:
    buttons = [Button(f"Go {number}", Command("go"), f"t{number}") for number in range(1, 12)]
    buttons += [Button("👍", Command(UP), "up"), Button("👎", Command(DOWN), "down"), Button("untold", Command("x"))]
    (part,) = render(Reply("**Which?**", "en", buttons=tuple(buttons)))
    lines = str(part.content["body"]).split("\n")
    assert lines[:3] == ["Which?", "", "1️⃣ Go 1"]
    assert lines[-2:] == ["🔟 Go 10", "!11 Go 11"]
    tokens = tokens_of(part.content)
    assert (tokens["2"], tokens["11"], tokens["👍"], tokens["👎"], len(tokens)) == ("t2", "t11", "up", "down", 13)


def test_a_long_answer_is_several_events_each_within_an_events_size() -> None:
    parts = render(Reply("**가**나다 " * 3000, "ko", buttons=(Button("More", Command("x"), "t"),)))
    assert len(parts) > 1
    assert all(len(json.dumps(part.content, ensure_ascii=False).encode()) < 40 * 1024 for part in parts)
    assert [bool(part.keys) for part in parts] == [False] * (len(parts) - 1) + [True]


def test_html_that_would_be_too_large_is_left_out() -> None:
    (part,) = render(Reply("`a`*b*" * 1900, "en"))
    assert "formatted_body" not in part.content


def test_sources_stand_below_and_pictures_after() -> None:
    source = Source("plan.md", "We move in March.", "", 0.9, (11, 16))
    text, picture = render(Reply("March.", "en", sources=(source,), images=(Picture("ab", "a\ncat"),)))
    assert str(text.content["body"]) == "March.\n\n1. plan.md\nWe move in March."
    assert "<blockquote>We move in <strong>March</strong>.</blockquote>" in str(text.content["formatted_body"])
    assert (picture.content["msgtype"], picture.content["body"]) == ("m.image", "a cat")
