"""The words of an order that name a document."""

import pytest

from skills.summarise.name_words import names_in


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("summarise the travel policy in three lines please", "travel policy"),
        ("give me the key points of the Q3 report", "q3 report"),
        ("can you make a short summary of the handbook?", "handbook"),
        ("휴가 규정 요약해줘", "휴가 규정"),
        ("휴가규정을 세 줄로 요약해 주세요", "휴가규정"),
        ("취업규칙 핵심만 알려줘", "취업규칙"),
        ("주주총회 문서 간단히 정리해 주실래요?", "주주총회"),
        ("휴가규정 세줄요약 부탁", "휴가규정"),
        ("summary of the incident pls", "incident"),
        ("summarise this", ""),
        ("이 문서 세 줄 요약 부탁해요", ""),
        ("tl;dr", ""),
    ],
)
def test_the_words_that_only_ask_are_left_out(asked: str, words: str) -> None:
    assert " ".join(names_in(asked)) == words
