"""What is asked for, told from what is pasted."""

from datetime import UTC, datetime

import pytest

from skills.summarise.order import asks_only, is_wish, read_order

WEDNESDAY = datetime(2025, 3, 5, 15, 0, tzinfo=UTC)
EN = "The council voted on Tuesday to close the bridge. Shop owners fear fewer customers. A study expects more traffic."
KO = "시의회는 다리를 닫기로 했다. 상인들은 손님이 줄 것을 우려한다. 교통량은 늘 것이다."


@pytest.mark.parametrize(
    "said",
    [
        "summarise this: {}",
        "Summarize this for me:\n\n{}",
        "tldr: {}",
        "can you make this shorter? {}",
        "in two sentences please: {}",
        "I need this in three bullets >> {}",
        "{}\n\nsummarise",
        "{} tldr?",
        "{}\n\nWhat's the gist of this?",
        '"{}"\nkey points please',
        "{}",
    ],
)
def test_an_english_order_is_taken_off_the_text(said: str) -> None:
    assert read_order(said.format(EN), now=WEDNESDAY).text == EN


@pytest.mark.parametrize(
    "said",
    ["다음 글을 세 줄로 요약해줘 {}", "다음 글을 요약해 주세요.\n{}", "{} 요약해줘", "{}\n\n3줄 요약 부탁해요", "요약: {}", "{}"],
)
def test_a_korean_order_is_taken_off_the_text(said: str) -> None:
    assert read_order(said.format(KO), now=WEDNESDAY).text == KO


def test_an_order_that_names_its_document_within_is_no_text() -> None:
    order = read_order("make the hosting contract short", now=WEDNESDAY)
    assert (order.text, order.length, order.asked) == ("", "short", "make the hosting contract short")


def test_a_text_that_speaks_of_summaries_is_not_cut() -> None:
    text = "The summary was wrong. We wrote the report again. In short, nobody had read it. The board will meet next week and decide."
    assert read_order(f"summarise: {text}", now=WEDNESDAY).text == text


@pytest.mark.parametrize(
    ("said", "last"),
    [
        ("summarise the last 30 messages", 30),
        ("최근 20개 메시지 요약해줘", 20),
        ("메시지 15개 요약", 0),
        ("15개 메시지 요약", 15),
    ],
)
def test_a_number_of_messages_is_read_from_a_sentence(said: str, last: int) -> None:
    assert read_order(said, now=WEDNESDAY).last == last


@pytest.mark.parametrize(
    ("said", "since"),
    [
        ("today", "03-05 00:00"),
        ("오늘", "03-05 00:00"),
        ("어제", "03-04 00:00"),
        ("3h", "03-05 12:00"),
        ("3시간", "03-05 12:00"),
        ("30m", "03-05 14:30"),
        ("2d", "03-03 15:00"),
        ("since 14:00", "03-05 14:00"),
        ("since 9pm", "03-04 21:00"),
        ("since noon", "03-05 12:00"),
        ("since monday", "03-03 00:00"),
        ("오후 2시부터", "03-05 14:00"),
        ("오전 9시 반 이후", "03-05 09:30"),
        ("this week", "03-03 00:00"),
        ("summarise the last two hours", "03-05 13:00"),
        ("지난 2시간 대화 정리해줘", "03-05 13:00"),
        ("what did I miss today?", "03-05 00:00"),
        ("summarise everything since yesterday", "03-04 00:00"),
    ],
)
def test_a_time_is_read_in_both_languages(said: str, since: str) -> None:
    found = read_order(said, now=WEDNESDAY, commanded=True, zone=UTC).since
    assert found is not None
    assert found.strftime("%m-%d %H:%M") == since


def test_a_clock_time_that_cannot_be_is_no_time() -> None:
    assert read_order("since 29:00", now=WEDNESDAY, commanded=True, zone=UTC).since is None


def test_a_bare_number_after_the_command_counts_messages() -> None:
    assert read_order("50", now=WEDNESDAY, commanded=True).last == 50


@pytest.mark.parametrize(
    ("said", "count"),
    [
        ("summarise this in three lines", 3),
        ("세 줄로 요약해줘", 3),
        ("3 lines", 3),
        ("in one sentence please", 1),
        ("다섯 문장으로", 5),
    ],
)
def test_lines_are_counted(said: str, count: int) -> None:
    order = read_order(said, now=WEDNESDAY, commanded=True)
    assert (order.count, order.text, order.last) == (count, "", 0)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("고양이는 잔다. 개는 짖는다. 새는 난다.", "고양이는 잔다. 개는 짖는다. 새는 난다."),
        ("Cats sleep. Dogs bark.", "Cats sleep. Dogs bark."),
        ("Dr. Kim", ""),
        ("lease.pdf", ""),
        ("어제 오후부터", ""),
    ],
)
def test_several_sentences_after_a_command_are_a_text_however_short(said: str, text: str) -> None:
    assert read_order(said, now=WEDNESDAY, commanded=True).text == text


@pytest.mark.parametrize(
    ("said", "length"),
    [("짧게 요약해줘", "short"), ("a longer summary please", "long"), ("--length medium", "medium"), ("요약", None)],
)
def test_the_length_is_read(said: str, length: str | None) -> None:
    assert read_order(said, now=WEDNESDAY, commanded=True).length == length


def test_a_link_is_taken_and_a_link_inside_a_pasted_text_is_not() -> None:
    assert read_order("summarise this article https://a.org/x.", now=WEDNESDAY).url == "https://a.org/x"
    assert read_order(f"summarise: {EN} See https://a.org/x for more of it.", now=WEDNESDAY).url == ""


@pytest.mark.parametrize(
    ("said", "claimed"),
    [
        ("https://a.org/x", True),
        ("tl;dr", True),
        ("요약해줘", True),
        ("3줄 요약", True),
        ("summarise my life", False),
        (EN, False),
        ("", False),
    ],
)
def test_only_the_shortest_forms_are_claimed_by_rule(said: str, *, claimed: bool) -> None:
    assert asks_only(said) is claimed


@pytest.mark.parametrize("sign", ["summarise ", "요약해줘 ", "https://", ": ", "\n", "a"])
def test_a_long_message_of_one_kind_is_read_to_its_end(sign: str) -> None:
    read_order(sign * (100_000 // len(sign)), now=WEDNESDAY)


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ("summarise what was said today", True),
        ("오늘 얘기 한 줄로 요약해줘", True),
        ("tl;dr", True),
        ("The summary of the year is ready on the shelf.", False),
        ("요약 보고서는 금요일까지입니다.", False),
        ("핵심은 예산이에요.", False),
        ("https://example.org/plan", False),
        ("요약해줘: 새 댐에는 이백만 유로가 들고 의회는 5월에 결정한다.", False),
    ],
)
def test_a_wish_for_a_summary_is_told_from_talk(said: str, *, wish: bool) -> None:
    assert is_wish(said) is wish
