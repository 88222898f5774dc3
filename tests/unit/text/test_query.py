import pytest

from bot.text.query import looked_for


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("Can you find me the parental leave policy please?", "the parental leave policy"),
        ("search for vpn setup in our docs", "vpn setup"),
        ("Look up Kestrel, please!", "Kestrel"),
        ("I'm looking for the invoice of May", "the invoice of May"),
        ("do we have anything on backups?", "backups"),
        ("tell me when the office opens?", "when the office opens?"),
        ("where is the wiki?", "where is the wiki?"),
        ("who said that the build broke", "who said that the build broke"),
        ("육아휴직 규정 좀 찾아줘", "육아휴직 규정"),
        ("문서에서 서버 비밀번호 정책을 검색해 주세요.", "서버 비밀번호 정책"),
        ("출장비 정산에 대해 알려줘", "출장비 정산"),
        ("회의록 보여줄래?", "회의록"),
        ("누가 로그인 고친다고 했어?", "누가 로그인 고친다고 했어?"),
        ("휴가 찾아줘", "휴가"),
        ("경비 한도 알려줘", "경비 한도"),
        ("합격 여부는 누가 알려줘요?", "합격 여부는 누가"),
        ("우리 마을 찾아줘", "우리 마을"),
        ("요금표를 좀 찾아줘", "요금표"),
        ("check out time?", "check out time?"),
        ("check the parking rules", "the parking rules"),
    ],
)
def test_words_that_only_order_the_search_are_dropped(said: str, wanted: str) -> None:
    assert looked_for(said) == wanted


@pytest.mark.parametrize("said", ["찾아줘", "find", "search", "검색해줘", "?", "find me"])
def test_something_is_always_left(said: str) -> None:
    assert looked_for(said)


def test_nothing_stays_nothing() -> None:
    assert looked_for("  ") == ""


@pytest.mark.parametrize("begun", ["육아휴직", "육아휴직 규정에 대한"])
def test_a_long_gap_is_looked_through_once(begun: str) -> None:
    """Tried in every way, 2,000 signs of white space take hours, and the bot answers nobody meanwhile."""
    assert looked_for(f"{begun}{' ' * 2000}찾아줘 x") == looked_for(f"{begun} 찾아줘 x")
