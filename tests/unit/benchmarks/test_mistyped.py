import random
import string

import pytest

from benchmarks.mistyped import beside, mistyped, with_error
from bot.retrieval.slips import near
from bot.text.words import stem


@pytest.mark.parametrize("seed", range(40))
def test_an_error_is_one_slip(seed: int) -> None:
    word = mistyped("keyboards", random.Random(seed))
    assert word != "keyboards"
    assert near(word, [stem("keyboards")])


def test_only_a_word_that_is_long_enough_and_says_something_is_mistyped() -> None:
    text = "what is themselves of an old wardrobe"
    wrong = with_error(text, random.Random(1))
    assert wrong is not None
    assert wrong != text
    assert wrong.startswith("what is themselves of an old w")
    assert with_error("why is it so old", random.Random(1)) is None


def test_keys_lie_beside_each_other_both_ways() -> None:
    assert "r" in beside("e")
    assert all(letter in beside(other) for letter in string.ascii_lowercase for other in beside(letter))
    assert all(beside(letter) for letter in string.ascii_lowercase)
