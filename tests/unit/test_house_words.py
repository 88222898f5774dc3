"""What is asked of the house in words."""

from __future__ import annotations

import pytest

from bot.house_words import asks_what_is_kept, speaks


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("speak korean", "ko"), ("Please answer in Korean", "ko"), ("from now on reply only in English please", "en"),
        ("talk to me in english", "en"), ("switch the language to Korean", "ko"), ("change language to english", "en"),
        ("한국어로 대답해줘", "ko"), ("앞으로 영어로 말해 주세요", "en"), ("이제부터 한국어로만 답해", "ko"), ("영어로 답변 부탁", None),
        ("do you speak korean?", None), ("write it in Korean", None), ("answer in German", None), ("speak korean to Tom at the desk", None),
        ("영어로 번역해줘", None), ("한국어로 말해줘", None), ("in Korean", None), ("", None),
    ],
)  # fmt: skip
def test_a_language_to_speak_from_now_on_is_read(said: str, language: str | None) -> None:
    assert speaks(said) == language


@pytest.mark.parametrize(
    ("said", "asks"),
    [
        ("is this private?", True), ("Do you store my data?", True), ("what do you know about me", True), ("where is my data stored?", True),
        ("is what I write safe here?", True), ("내 데이터 저장해?", True), ("내 데이터 어디 저장돼?", True),
        ("이거 안전해?", True), ("개인정보는 어떻게 처리하나요?", True),
        ("is this private road open?", False), ("do you store my data on a disk in Norway", False), ("what do you know about the lease", False),
        ("개인정보 보호책임자가 누구야?", False), ("데이터 저장 기간은?", False), ("", False),
    ],
)  # fmt: skip
def test_a_question_about_what_is_kept_is_known(said: str, asks: bool) -> None:
    assert asks_what_is_kept(said) == asks
