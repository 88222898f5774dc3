"""Questions that ask for a phone number or a mail address."""

import pytest

from bot.passage import PUBLIC, Scopes
from bot.retrieval.contact import asked, holds, words_for
from bot.retrieval.library import Shelves

EVERYONE = Scopes([PUBLIC])


@pytest.mark.parametrize(
    "question",
    [
        "Wendy Shaw mobile",
        "what is Colin's phone number?",
        "phone number of the food bank",
        "who brings the flour and what number do I ring",
        "number to ring if my child is ill",
        "심가영 강사 전화번호",
        "홍지수씨 핸드폰 번호",
        "구청 담당자 번호",
        "관리소 연락처",
        "how do I reach the dentist, phone number?",
    ],
)
def test_who_asks_for_a_phone_number_is_understood(question: str) -> None:
    assert asked(question) == "phone"


@pytest.mark.parametrize("question", ["Priya Raman's email", "support e-mail address", "treasurer email", "원장님 이메일 뭐야?"])
def test_who_asks_for_a_mail_address_is_understood(question: str) -> None:
    assert asked(question) == "mail"


@pytest.mark.parametrize(
    "question",
    [
        "policy number of the instrument insurance",
        "can I use my phone in class?",
        "lost phone",
        "is there a phone in the hall?",
        "how do I email the treasurer?",
        "악기 보험 증권번호",
        "비밀번호 좀",
        "대기 번호 뽑는 곳",
        "메일 보내는 법",
        "how do I change my phone number?",
        "where do I register a mobile number",
        "전화번호 바꾸려면 어떻게 해?",
        "연락처 저장하는 방법",
    ],
)
def test_other_questions_ask_for_neither(question: str) -> None:
    assert asked(question) is None


@pytest.mark.parametrize(
    "text",
    [
        "02-555-0114",
        "07700 900123",
        "+44 7700 900123",
        "(02) 555 0114",
        "010.2290.7714",
        "1577-0505",
        "ext. 204",
        "내선 204",
        "dial 999",
    ],
)
def test_phone_numbers_are_seen(text: str) -> None:
    assert holds("phone", f"Desk: {text}, until five")


@pytest.mark.parametrize(
    "text",
    ["2026-03-11", "11.03.2026", "2026. 3. 11.", "2025-2026", "20260311", "1,100,000원", "09:00-18:00", "room 204", "€ 12 345"],
)
def test_days_times_and_sums_are_no_phone_numbers(text: str) -> None:
    assert not holds("phone", f"Desk: {text}, until five")


def test_a_mail_address_is_seen() -> None:
    assert holds("mail", "write to desk@example.org")
    assert not holds("mail", "we meet @ nine")


async def test_a_passage_without_a_number_answers_nobody_who_asks_for_one(library: Shelves) -> None:
    await library.add_text("Anita Kowalski leads the blue watch of the brigade.", PUBLIC, title="", link="", key="watch")
    assert await library.search("who leads the blue watch?", EVERYONE)
    assert await library.search("Anita Kowalski phone number", EVERYONE) == []


async def test_the_passage_with_the_number_comes_before_the_one_without(library: Shelves) -> None:
    await library.add_text("Anita Kowalski. Owner: Anita Kowalski.", PUBLIC, title="", link="", key="checks")
    await library.add_text("Craig Bolton: 07700 900111", PUBLIC, title="", link="", key="other")
    await library.add_text(
        "On duty in the second week of the month, with the deputy beside: Anita Kowalski, 07700 900123", PUBLIC, title="", link="", key="rota"
    )  # fmt: skip
    hits = await library.search("Anita Kowalski phone", EVERYONE)
    assert "900123" in hits[0].passage.text


def test_the_words_that_ask_for_a_number_weigh_little_where_one_is_asked_for() -> None:
    assert {"번호", "핸드폰"} <= words_for("홍지수씨 핸드폰 번호")
    assert words_for("악기 보험 증권번호") == frozenset()


async def test_a_list_whose_columns_say_number_does_not_come_before_the_one_with_the_name(library: Shelves) -> None:
    shops = "\n".join(f"번호: {n} | 상호: 가게{n} | 전화: 02-633-11{n}" for n in range(10, 16))
    await library.add_text(shops, PUBLIC, title="", link="", key="shops")
    staff = "\n".join(
        f"이름: {who} | 휴대: 010-9164-22{n}" for n, who in enumerate(("최만석", "서영호", "홍지수", "장필순"), start=10)
    )
    await library.add_text(staff, PUBLIC, title="", link="", key="staff")
    for key in range(8):
        await library.add_text(f"행사 안내 {key}", PUBLIC, title="", link="", key=str(key))
    hits = await library.search("홍지수씨 핸드폰 번호", EVERYONE)
    assert "홍지수" in hits[0].passage.text
