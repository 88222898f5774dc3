import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.quote import LONGEST, quoted


def test_the_marked_sentence_is_bold_in_its_context() -> None:
    assert quoted("It is big. It opened in 2019. It is blue.", (11, 29)) == "> It is big. **It opened in 2019.** It is blue."


def test_without_a_mark_the_beginning_is_shown() -> None:
    assert quoted("It is\nbig.", None) == "> It is big."


def test_a_long_passage_is_cut_between_words_around_its_sentence() -> None:
    said = quoted("before " * 300 + "HERE it is. " + "after " * 300, (2100, 2111))
    assert "**HERE it is.**" in said
    assert said.startswith("> … before")
    assert said.endswith("after …")
    assert len(said) < LONGEST + 40


def test_signs_of_markdown_in_a_passage_do_not_act() -> None:
    assert quoted("a *b* `c` [d](x). e", (0, 17)) == r"> **a \*b\* \`c\` \[d\](x).** e"


@given(st.text(st.sampled_from("ab .가\n"), max_size=2000), st.data())
def test_the_sentence_is_always_whole(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    said = quoted(text, (start, end))
    assert "\n" not in said
    sentence = " ".join(text[start:end].split())
    assert not sentence or f"**{sentence}**" in said


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_passage_is_an_empty_quote(text: str) -> None:
    assert quoted(text, None).strip() == ">"
