import pytest

from bot.language import detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("어디 있어?", "ko"),
        ("where is it?", "en"),
        ("이거 summary 해줘", "ko"),
        ("ㅋㅋㅋ", "ko"),
        ("FastAPI 배포 방법", "ko"),
        ("Translate 안녕 into English, please, and tell me how it is pronounced", "en"),
        ("12345 !?", None),
        ("", None),
        ("日本語", None),
    ],
)
def test_the_language_is_told_by_its_letters(text: str, language: str | None) -> None:
    assert detect(text) == language
