"""How an admin's line is read: words, flags, and what a phone makes of quotes and hyphens."""

import pytest

from bot.admin_words import near, read, slot_of
from bot.testing import fake_kit, make_request
from skills.search.skill import Search
from skills.summarise.skill import Summarise


@pytest.mark.parametrize(
    ("line", "words", "reason"),
    [
        ("summarise lexrank", ("summarise", "lexrank"), ""),
        ('summarise lead --force "we want to compare"', ("summarise", "lead"), "we want to compare"),
        ("summarise lead --force we want to compare", ("summarise", "lead"), "we want to compare"),
        ("summarise lead —force “비교해 보려고요”", ("summarise", "lead"), "비교해 보려고요"),
        ("summarise lead --강제 비교", ("summarise", "lead"), "비교"),
        ("summarise lead --force it’s better", ("summarise", "lead"), "it's better"),
        ('summarise lead --force "not closed', ("summarise", "lead"), "not closed"),
        ("'a folder' x", ("a folder", "x"), ""),
        ("", (), ""),
    ],
)
def test_words_and_the_reason(line: str, words: tuple[str, ...], reason: str) -> None:
    order = read(make_request(f"/swap {line}"), "telegram:1")
    assert (order.words, order.reason, order.forced, order.yes) == (words, reason, "orce" in line or "강제" in line, False)


@pytest.mark.parametrize("line", ["chat hub:a/b --yes", "--yes chat hub:a/b", "chat hub:a/b —yes", "chat hub:a/b --네"])
def test_a_second_yes(line: str) -> None:
    order = read(make_request(f"/swap {line}"), "telegram:1")
    assert (order.words, order.yes, order.forced) == (("chat", "hub:a/b"), True, False)


def test_force_without_a_reason_is_seen() -> None:
    order = read(make_request("/swap a b --force"), "telegram:1")
    assert (order.forced, order.reason) == (True, "")


def test_what_may_have_been_meant_is_found_by_a_part_and_by_letters() -> None:
    known = ["summarise.lexrank.v1", "summarise.lead.v1", "요약"]
    assert near("lexrank", known) == ["summarise.lexrank.v1"]
    assert near("요악", known) == ["요약"]
    assert near("", known) == []


@pytest.mark.parametrize(
    ("word", "slot"),
    [
        ("read", "read"), ("독해", "read"), ("Reader", "read"), ("embed", "embed"), ("search", "embed"), ("검색", "embed"),
        ("/sum", "summarise"), ("요약", "summarise"), ("caption", ""),
    ],
)  # fmt: skip
def test_a_slot_is_called_by_its_name_by_other_words_and_by_its_skill(word: str, slot: str) -> None:
    """Of a skill with several slots it is the one of its own name, else the first."""
    skills = [Search(fake_kit()), Summarise(fake_kit())]
    assert slot_of(word, ["embed", "read", "summarise"], skills) == slot
