"""How utterances are varied."""

import random

import pytest

from bot.locale import Language
from bot.models.heads.noise import LONGEST, vary


@pytest.mark.parametrize(("text", "language"), [("please summarise the report", "en"), ("보고서 좀 요약해 주세요", "ko")])
def test_the_same_chance_varies_the_same(text: str, language: Language) -> None:
    varied = [vary(text, language, random.Random(seed)) for seed in range(40)]
    assert varied == [vary(text, language, random.Random(seed)) for seed in range(40)]
    assert len(set(varied)) > 20


def test_an_order_is_said_in_other_degrees_of_politeness() -> None:
    varied = {vary("이거 요약해줘", "ko", random.Random(seed)) for seed in range(300)}
    assert any(text.endswith("부탁드려요") for text in varied)
    assert any("해 주" in text for text in varied)


@pytest.mark.parametrize("text", ["", "a", "가", "?", "요약", "the"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_shortest_texts_can_be_varied(text: str, language: Language) -> None:
    for seed in range(60):
        vary(text, language, random.Random(seed))


def test_what_is_pasted_is_not_mistyped() -> None:
    pasted = "A sentence of a report. " * 20
    assert len(pasted) > LONGEST
    assert all(vary(pasted, "en", random.Random(seed)).lower() == pasted.lower() for seed in range(20))
