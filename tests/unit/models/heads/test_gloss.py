"""Korean words in English."""

import pytest

from bot.models.heads.gloss import gloss, glossary


@pytest.mark.parametrize(
    ("korean", "english"),
    [
        ("환율 알려줘", "exchange rate tell"),
        ("비밀번호를 바꿔 주세요", "password change"),
        ("주식 사줘", "stock price buy"),
        ("ㅁㄴㅇㄹ", ""),
        ("", ""),
    ],
)
def test_words_are_looked_up_without_endings(korean: str, english: str) -> None:
    assert gloss(korean) == english


def test_a_verb_is_not_taken_for_the_noun_that_is_written_alike() -> None:
    assert glossary()["사다"] == "buy"
    assert gloss("물 사줘") == "water buy"
    assert gloss("다음 주 화요일") == "after week Tuesday"


def test_every_line_of_the_glossary_is_read() -> None:
    assert all(english and korean for korean, english in glossary().items())
    assert len(glossary()) > 2000
