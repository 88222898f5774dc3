"""A pattern of `bot.lazy` is compiled at its first use, and then is the compiled one."""

from __future__ import annotations

import re

import pytest
import regex

from bot import lazy


def test_it_finds_what_the_compiled_one_finds() -> None:
    ours, theirs = lazy.compile(r"(?P<word>\w+)-(\d)", re.IGNORECASE), re.compile(r"(?P<word>\w+)-(\d)", re.IGNORECASE)
    text = "a-1 B-2 c"

    assert ours.findall(text) == theirs.findall(text)
    assert [found.span() for found in ours.finditer(text)] == [found.span() for found in theirs.finditer(text)]
    assert ours.sub(r"\2", text) == theirs.sub(r"\2", text)
    assert ours.subn("", text) == theirs.subn("", text)
    assert ours.split(text) == theirs.split(text)
    assert ours.fullmatch(text) is None
    found, searched = ours.match(text), ours.search(text, 1)
    assert found is not None
    assert found["word"] == "a"
    assert searched is not None
    assert searched[2] == "2"
    assert (ours.pattern, ours.flags, ours.groups) == (theirs.pattern, theirs.flags, theirs.groups)
    assert dict(ours.groupindex) == dict(theirs.groupindex)


def test_it_works_on_bytes_and_by_the_other_library() -> None:
    assert lazy.compile(rb"\d+").findall(b"1 22") == [b"1", b"22"]
    assert lazy.compile_regex(r"\p{Hangul}+").findall("가나 ab 다") == ["가나", "다"]


def test_it_is_compiled_once_and_not_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(regex, "compile", lambda pattern, flags: compiled.append(pattern) or re.compile(pattern, flags))
    ours = lazy.compile_regex("a+")

    assert ours.pattern == "a+"
    assert compiled == []
    assert ours.search("caat")
    assert ours.findall("a b a") == ["a", "a"]
    assert compiled == ["a+"]


def test_a_wrong_one_is_refused_at_its_first_use() -> None:
    wrong = lazy.compile("(")

    with pytest.raises(re.error, match="unterminated"):
        wrong.search("")


def test_it_has_nothing_else() -> None:
    with pytest.raises(AttributeError):
        lazy.compile("a").scanner("a")  # type: ignore[attr-defined]  # what the library does not promise
    assert repr(lazy.compile("a")) == "re.compile('a', 0)"
