"""Normal forms of hostile text, and Hangul in single letters."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.normal import MOST_MARKS, normal, syllables

FLOODS = ["\u0316\u0301", "\uff9e\u0301", "\u0345\u0316", "\u0f73\u0301\u0316"]
"""Marks whose order the normal form changes; the half-width one is a mark only once it is taken apart."""


def seconds(form: str, text: str) -> float:
    best = float("inf")
    for _time in range(3):
        begun = time.process_time()
        normal(form, text)
        best = min(best, time.process_time() - begun)
    return best


@pytest.mark.parametrize("marks", FLOODS, ids=ascii)
@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_a_flood_of_marks_costs_no_more_than_its_length(form: str, marks: str) -> None:
    flood = "a" + marks * 2_000
    calm = max(seconds(form, "각" * 64_000), 1e-4)

    assert seconds(form, flood * 16) < 40 * calm  # a thousand times as much where the marks are sorted


@given(st.text(max_size=60))
def test_what_people_write_is_made_normal_as_ever(text: str) -> None:
    assert normal("NFKC", text) == unicodedata.normalize("NFKC", text) or len(text) > MOST_MARKS


def test_a_letter_keeps_all_the_marks_that_a_language_writes() -> None:
    vietnamese, hebrew = "ế" * 3, "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd"
    assert normal("NFC", unicodedata.normalize("NFD", vietnamese)) == vietnamese
    assert normal("NFC", hebrew) == unicodedata.normalize("NFC", hebrew)
    assert len(normal("NFD", "a" + "\u0301" * 500)) == 1 + MOST_MARKS


@pytest.mark.parametrize(
    ("letters", "word"),
    [("ㅎㅏㄴㄱㅡㄹ", "한글"), ("ㅎㅚㅇㅢㄹㅗㄱ", "회의록"), ("ﾾￂﾤﾡￚﾩ", "한글"), ("(ㅎㅏㄴㄱㅡㄹ)", "(한글)"), ("ㄷㅏㄺ", "닭")],
)
def test_hangul_in_single_letters_becomes_syllables(letters: str, word: str) -> None:
    assert syllables(letters) == word


@pytest.mark.parametrize("said", ["ㅋㅋㅋ", "ㅠㅠ", "고마워ㅎㅎ", "ㅇㅋ", "ㄱㄴㄷ", "ㅏㅑㅓㅕ", "가ㅏ"])
def test_laughter_and_tears_stay_single_letters(said: str) -> None:
    assert syllables(said) == said
