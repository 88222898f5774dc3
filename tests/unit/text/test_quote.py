import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.quote import LONGEST, MOST_LINES, quoted


def test_the_marked_sentence_is_bold_in_its_context() -> None:
    assert quoted("It is big. It opened in 2019. It is blue.", (11, 29)) == "> It is big. **It opened in 2019.** It is blue."


def test_without_a_mark_the_beginning_is_shown() -> None:
    assert quoted("It is\tbig.", None) == "> It is big."


def test_items_rows_and_short_lines_stay_lines() -> None:
    listed = "Present: Ann, Ben and everybody who works at the office in Mapo.\n- Launch on 3 May.\n- Ben pays."
    assert quoted(listed, (65, 83)).splitlines() == [
        "> Present: Ann, Ben and everybody who works at the office in Mapo.", "> **\\- Launch on 3 May.**", r"> \- Ben pays.",
    ]  # fmt: skip
    row = "item: projector for the large meeting room | price: 300"
    assert quoted(f"{row}\n{row}", None).count("\n> ") == 1
    assert quoted("Office move\n\nWe move.", None) == "> Office move\n> We move."
    assert quoted("회의록\n참석: 민지", None) == "> 회의록\n> 참석: 민지"


def test_a_paragraph_runs_on_where_its_file_was_broken() -> None:
    wrapped = "The team moves to the new office in Mapo on the third\nof March, and Minji orders the boxes."
    assert quoted(wrapped, None) == "> " + wrapped.replace("\n", " ")
    assert quoted("One.\nTwo\nis it.", (5, 15)) == "> One.\n> **Two is it.**"


def test_of_many_lines_those_around_the_sentence_are_shown() -> None:
    said = quoted("\n".join(f"- item {number:02d}" for number in range(40)), (200, 209)).splitlines()
    assert len(said) == MOST_LINES
    assert said[4] == r"> **\- item 20**"
    assert said[0].startswith("> … ")
    assert said[-1].endswith(" …")


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
    assert all(line.startswith("> ") for line in said.split("\n"))
    sentence = " ".join(text[start:end].split())
    assert not sentence or f"**{sentence}**" in said


@pytest.mark.parametrize("text", ["", " "])
def test_an_empty_passage_is_an_empty_quote(text: str) -> None:
    assert quoted(text, None).strip() == ">"
