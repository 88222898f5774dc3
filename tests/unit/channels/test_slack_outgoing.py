from __future__ import annotations

import json
from typing import Any

import pytest
from fakes.slack import refused

from bot.channels.slack_outgoing import Part, render
from bot.contract.hostile_texts import HOSTILE
from bot.message import Button, Command, Picture, Reply, Source


def elements(part: Part) -> list[Any]:
    (block,) = part.blocks
    return json.loads(json.dumps(block))["elements"]  # type: ignore[no-any-return]


def test_marks_become_styles_and_korean_particles_stay_beside_them() -> None:
    (part,) = render(Reply("**회의**는 *내일* `x` [here](https://a.example)", "ko"))
    (section,) = elements(part)
    assert section["elements"] == [
        {"type": "text", "text": "회의", "style": {"bold": True}}, {"type": "text", "text": "는 "},
        {"type": "text", "text": "내일", "style": {"italic": True}}, {"type": "text", "text": " "},
        {"type": "text", "text": "x", "style": {"code": True}}, {"type": "text", "text": " "},
        {"type": "link", "url": "https://a.example", "text": "here"},
    ]  # fmt: skip


def test_fences_and_quotes_have_containers_of_their_own() -> None:
    (part,) = render(Reply("before\n```py\nx = 1\n```\n> said\nafter", "en"))
    assert [one["type"] for one in elements(part)] == [
        "rich_text_section", "rich_text_preformatted", "rich_text_quote", "rich_text_section",
    ]  # fmt: skip


def test_nobody_is_called_by_what_was_found_somewhere() -> None:
    (part,) = render(Reply("<!channel> <@U2> <javascript:alert(1)|x> [y](javascript:1)", "en"))
    assert part.words.startswith("&lt;!channel&gt; &lt;@U2&gt;")
    runs = [run for one in elements(part) for run in one["elements"]]
    assert {run["type"] for run in runs} == {"text"}


def test_sources_stand_below_with_the_marked_sentence_in_bold() -> None:
    source = Source("plan.md", "Before. We move on 3 March. After.", "https://a.example/plan", 0.9, (8, 27))
    (part,) = render(Reply("3 March", "en", sources=(source,)))
    section, quote = elements(part)
    assert {"type": "link", "url": "https://a.example/plan", "text": "plan.md"} in section["elements"]
    assert {"type": "text", "text": "We move on 3 March.", "style": {"bold": True}} in quote["elements"]


def test_buttons_give_their_tokens_back_and_stand_on_the_last_text() -> None:
    parts = render(Reply("word " * 2000, "en", buttons=(Button("x" * 100, Command("search"), token="t"),)))
    assert len(parts) > 2
    assert [len(part.blocks) for part in parts] == [1] * (len(parts) - 1) + [2]
    (button,) = parts[-1].blocks[1]["elements"]  # type: ignore[misc]
    assert button["value"] == "t"
    assert len(button["text"]["text"]) <= 75


def test_a_picture_is_a_message_of_its_own_with_its_words() -> None:
    text, picture = render(Reply("drawn", "en", images=(Picture("0" * 64, "a cat"),)))
    assert (text.picture, picture.picture, picture.words) == (None, Picture("0" * 64, "a cat"), "a cat")


@pytest.mark.parametrize("text", [*HOSTILE, "긴 글 🐈 " * 3000, "```\n" + "code " * 3000 + "\n```", "> " + "q" * 9000])
def test_everything_is_what_slack_takes(text: str) -> None:
    for part in render(Reply(text, "en", sources=(Source(text, text, text, 0.5),))):
        assert refused({"blocks": list(part.blocks), "text": part.words}) == ""
