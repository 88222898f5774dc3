from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.locale import Language
from bot.moment import told

AT = datetime(2026, 11, 23, 18, 38, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "language", "words"),
    [
        ("UTC", "en", "Mon 23 Nov 2026, 18:38 UTC"),
        ("Asia/Seoul", "ko", "2026년 11월 24일(화) 03:38 KST"),
        ("Asia/Seoul", "en", "Tue 24 Nov 2026, 03:38 KST"),
    ],
)
def test_a_moment_is_told_in_the_language_and_the_zone(zone: str, language: Language, words: str) -> None:
    assert told(AT, ZoneInfo(zone), language) == words
