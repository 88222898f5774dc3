"""A reply in words alone: all that it shows is there, and none of it can do anything to a terminal or a protocol of lines."""

from __future__ import annotations

import time

import pytest

from bot.channels.plain_text import plain
from bot.contract.hostile_texts import HOSTILE
from bot.message import Button, Command, Picture, Reply, Source

SOURCE = Source("plan.md", "Before. We move on 3 March.\nAfter.", "https://wiki.example/plan", 0.9, (8, 27))


def test_marks_go_and_links_tell_where_they_lead() -> None:
    shown = plain(Reply("**회의**는 *내일* `x` [here](https://a.example) https://b.example\n\n- one\n> said", "ko"))
    assert shown == "회의는 내일 x here (https://a.example) https://b.example\n\n• one\n> said"


def test_sources_are_numbered_and_what_answers_is_marked() -> None:
    assert plain(Reply("March.", "en", sources=(SOURCE,))) == (
        "March.\n\n1. plan.md (https://wiki.example/plan)\n> Before. «We move on 3 March.»\n> After."
    )


def test_buttons_are_told_by_their_numbers_and_pictures_by_their_words() -> None:
    buttons = tuple(Button(label, Command("more"), "token") for label in ("More", "Wrong skill?"))
    english = plain(Reply("drawn", "en", images=(Picture("0" * 64, "a cat"),), buttons=buttons))
    assert english == "drawn\n\n[picture: a cat]\n\nWrite the number: #1 More   #2 Wrong skill?"
    assert "번호" in plain(Reply("그림", "ko", buttons=buttons))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_acts(text: str) -> None:
    begun = time.perf_counter()
    shown = plain(Reply(text, "en", sources=(Source(text, text, text, 0.5, (0, min(3, len(text)))),)))
    assert not any(sign < " " and sign not in "\n\t" for sign in shown)
    assert time.perf_counter() - begun < 5


def test_nothing_is_shown_of_nothing() -> None:
    assert not plain(Reply("", "en"))
