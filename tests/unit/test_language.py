import pytest

from bot.language import detect, spoken


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


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "ko_KR"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "PARING_LANGUAGE": "en"}, "en"),
        ({"LC_ALL": "", "LANG": "ko"}, "ko"),
        ({}, "en"),
    ],
)
def test_a_terminal_speaks_as_its_variables_say(environment: dict[str, str], language: str) -> None:
    assert spoken(environment) == language
