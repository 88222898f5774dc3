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
        ("where does my data go?", True), ("who can see what I write?", True), ("does my data leave this machine?", True),
        ("do you send my files anywhere?", True), ("내 데이터 어디로 가?", True), ("제 메시지는 누가 볼 수 있나요?", True),
        ("데이터 외부로 나가?", True),
        ("누가 내 대화를 읽을 수 있어?", True), ("내 데이터 안전해?", True), ("개인정보는 안전한가요?", True),
        ("where does my badge go", False), ("who can see the price list?", False), ("does the van leave this building", False),
        ("파일 어디로 보내?", False), ("누가 이 문서를 볼 수 있어?", False), ("메시지 어디로 보내", False), ("안전해?" * 30, False),
        ("is this private road open?", False), ("do you store my data on a disk in Norway", False), ("what do you know about the lease", False),
        ("개인정보 보호책임자가 누구야?", False), ("데이터 저장 기간은?", False), ("", False),
    ],
)  # fmt: skip
def test_a_question_about_what_is_kept_is_known(said: str, asks: bool) -> None:
    assert asks_what_is_kept(said) == asks
