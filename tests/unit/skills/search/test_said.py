from datetime import UTC, datetime

import pytest

from bot.passage import Hit, Passage, Scope
from bot.talk import Line
from skills.search.said import answered, source

TEAM = Scope("group", "t/b/1")
AT = datetime(2026, 11, 23, 9, 38, tzinfo=UTC)


def hit(text: str, *, who: str = "Dan", asked: str = "who fixes it?") -> Hit:
    lines = (Line("Ben", AT, asked, "message:t/b/1/1", passage=1), Line(who, AT, text, "message:t/b/1/2", best=True, passage=2))
    return Hit(Passage(2, TEAM, who, "", text, "message:t/b/1/2", "en"), 0.9, (0, len(text)), lines)


def test_the_first_line_names_who_and_when_and_the_answering_line_is_bold() -> None:
    said = answered(hit("I'll do it"), "who fixes it?", UTC, "en", when=False)
    assert said == "**Dan**, Mon 23 Nov 2026, 09:38 UTC:\n\n> Ben: who fixes it?\n> **Dan: I'll do it**"


@pytest.mark.parametrize(("text", "first"), [("it works again", "**Mon 23 Nov"), ("on Friday at 16:00", "**Dan**")])
def test_when_is_answered_by_the_time_where_the_words_name_none(text: str, first: str) -> None:
    assert answered(hit(text), "when did it work again?", UTC, "en", when=True).startswith(first)


def test_the_source_names_who_when_and_where_and_marks_the_line() -> None:
    shown = source(hit("I'll do it"), UTC, "en", here=True)
    assert (shown.title, shown.link) == ("Dan, Mon 23 Nov 2026, 09:38 UTC, in this chat", "message:t/b/1/2")
    assert shown.marked is not None
    assert shown.text[slice(*shown.marked)] == "Dan: I'll do it"
    assert shown.passages == (1, 2)  # it is emptied when any of them is forgotten
    assert "그룹 대화에서" in source(hit("네"), UTC, "ko", here=False).title


def test_names_and_words_of_others_are_no_markup() -> None:
    said = answered(hit("*no*\n# [x](y)", who="**Eve**"), "who?", UTC, "en", when=False)
    assert said.startswith(r"**\*\*Eve\*\***, ")
    assert said.endswith(r"> **\*\*Eve\*\*: \*no\* # \[x\](y)**")


def test_who_has_no_name_is_the_reader_and_long_lines_are_cut() -> None:
    said = answered(hit("나중에 할게요", who="", asked="가" * 500), "언제?", UTC, "ko", when=False)
    assert said.startswith("**나**, 2026년 11월 23일(월) 09:38 UTC:")
    assert len(said) < 300
