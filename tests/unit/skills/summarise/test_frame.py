"""What is taken off a mail or a note before it is made short, and what is not."""

import pytest

from skills.summarise.frame import body_of

ENGLISH_MAIL = """Hi Tom,

the two pumps were run dry, and that is not covered by the warranty. Shall we repair them?

Best regards,
Ingrid Solberg
Nordpump, customer service
Tel. +47 22 00 11 22

On 2 May 2026, Tom Baker wrote:
> five pumps leak after only three months.
> What happens now?"""
KOREAN_MAIL = """안녕하세요, 김 대리님.
한빛상사 오세영입니다.

수량을 500개에서 800개로 늘리고 싶습니다. 금요일까지 회신 부탁드립니다.

감사합니다.
오세영 드림
---
한빛상사 구매팀
Tel 02-123-4567 | sy.oh@hanbit.example"""


def test_a_mail_loses_its_greeting_its_signature_and_what_it_answers() -> None:
    assert body_of(ENGLISH_MAIL) == ("the two pumps were run dry, and that is not covered by the warranty. Shall we repair them?")


def test_a_korean_mail_loses_who_writes_as_well() -> None:
    assert body_of(KOREAN_MAIL) == "수량을 500개에서 800개로 늘리고 싶습니다. 금요일까지 회신 부탁드립니다."


@pytest.mark.parametrize(
    "header",
    [
        "-----Original Message-----",
        "From: Ann\nSent: Monday\nSubject: keys",
        "보낸 사람: 안나\n받는 사람: 벤\n제목: 열쇠",
        "2026년 5월 2일 (토) 오전 9:12, 안나 <a@b.example>님이 작성:",
    ],
)
def test_a_mail_that_is_answered_is_left_out_however_it_is_headed(header: str) -> None:
    assert body_of(f"The keys are with the porter until Friday.\n\n{header}\nWhere are the keys?") == (
        "The keys are with the porter until Friday."
    )


@pytest.mark.parametrize(
    ("top", "rest"),
    [
        ("Product meeting, 3 June\nPresent: Ana, Joe\nApologies: Lee", "The beta is two weeks late because of the API."),
        (
            "주간 회의록\n참석: 김지연, 박민호\n불참: 정다은",
            "출시를 6월 20일에서 7월 4일로 옮기기로 했습니다. 고객사에 알립니다.",
        ),
    ],
)
def test_minutes_lose_their_title_and_who_was_there(top: str, rest: str) -> None:
    assert body_of(f"{top}\n\n{rest}") == rest


def test_a_table_is_left_out_of_the_text_around_it() -> None:
    text = "| Region | Q1 |\n| --- | --- |\n| North | 120 |\n\nThe North grew because of the new shop."
    assert body_of(text) == "The North grew because of the new shop."


@pytest.mark.parametrize(
    "text",
    [
        "| Region | Q1 |\n| --- | --- |\n| North | 120 |",
        "> five pumps leak after only three months",
        "일시: 6월 3일 10시\n장소: 3층 회의실\n모두 늦지 않게 와 주시기 바랍니다.",
        "Thanks\nfor everything that you did for the old people of our village in the last winter.",
        "The dam broke at noon.\n\n---\n\nThe second part of the story is about the village below it.",
        "감사합니다라는 말로는 부족할 만큼 큰 도움을 받았습니다. 내년에도 함께 일하고 싶습니다.",
        "Dear friends of the harbour, the cranes will be repainted in June and the quay stays open.",
        "",
    ],
)
def test_what_is_no_frame_or_nothing_else_stays(text: str) -> None:
    assert body_of(text) == text


@pytest.mark.parametrize("sign", ["-", " ", "|", ">", "\n", "감사합니다\n", "a@"])
def test_a_long_text_of_one_kind_is_read_to_its_end(sign: str) -> None:
    assert body_of(sign * 20_000)
