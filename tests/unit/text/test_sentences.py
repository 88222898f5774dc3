"""Sentences: where they end, what they belong to, and that nothing is lost."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import blocks as blocks_module
from bot.text.boundaries import LONGEST
from bot.text.sentences import Sentence, split


def _texts(text: str) -> list[str]:
    return [sentence.text for sentence in split(text)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Dr. Kim came.", "He sat down."],
        ["See Fig. 3 and No. 5 for e.g. cats, i.e. pets.", "No.", "I said so."],
        ["J. R. R. Tolkien wrote it.", "He lives in the U.S.", "The weather is nice."],
        ["Apple Inc. announced it in Jan. 2020 at 5 p.m. on Monday.", "We left."],
        ["It costs 3.5 dollars.", "Version 1.2.3 is out.", "See report.pdf or https://a.b/c.html.", "Write to a.b@c.kr."],
        ["“I came. I saw. I won,” he said.", "Then “Really?” he asked.", '"Done. Now go."', "She left."],
        ["(He left. She stayed.)", "Then it ended.[1]", "Next one."],
        ["Wait... what?", "Well...", "I see.", "What?!", "No!"],
        ["가격은 3.5달러다.", "회의는 2024. 5. 1. 오후에 열린다.", "끝이다."],
        ['"안녕하세요." 라고 말했다.', '"그는 떠났다."고 밝혔다.', "정말요?", "네!"],
        ["음... 그게 뭐죠?", "그렇게 끝나버렸다...", "다음 날이 왔다."],
        ["버전 1.2를 씁니다.", "report.pdf를 보세요.", "메일은 a.b@c.kr입니다."],
        ["1. 서론 부분이다.", "가. 목적은 이렇다.", "둘째다."],
        ["Q. Where is it?", "A. In the drawer.", "Q2. 어디 있나요?", "A2. 서랍에 있다."],
        ["**끝났다.**", "다음 문장이다.", "그는 '갔다'고 했다."],
        ["She had vitamin C.", "This helped.", "We met Mr. Lee vs. Ms. Oh."],
    ],
)
def test_sentences_end_where_a_reader_says(sentences: list[str]) -> None:
    assert _texts(" ".join(sentences)) == sentences


def test_a_missing_space_after_a_korean_sentence_is_no_matter() -> None:
    assert _texts("그는 앉았다.그리고 말했다.[사진] 끝났다.") == ["그는 앉았다.", "그리고 말했다.", "[사진] 끝났다."]


def test_ideographic_stops_need_no_space() -> None:
    assert _texts("我们走吧。好的！是吗？对") == ["我们走吧。", "好的！", "是吗？", "对"]


def test_headings_lists_and_code_are_told_apart_and_code_is_whole() -> None:
    text = "# 제목\n\n본문이다. 둘째다.\n\n- 우유 사기\n- 잠자기\n1) 하나\n\n```py\nx = 1. \n\ny\n```\n끝."
    assert [(sentence.kind, sentence.text) for sentence in split(text)] == [
        ("heading", "# 제목"),
        ("prose", "본문이다."),
        ("prose", "둘째다."),
        ("list", "- 우유 사기"),
        ("list", "- 잠자기"),
        ("list", "1) 하나"),
        ("code", "```py\nx = 1. \n\ny\n```"),
        ("prose", "끝."),
    ]


def test_a_short_line_alone_over_a_longer_one_is_a_heading_and_a_spoken_line_is_not() -> None:
    body = "The committee met for three hours and agreed on nothing at all."
    assert [sentence.kind for sentence in split(f"Results of the meeting\n\n{body}")] == ["heading", "prose"]
    assert [sentence.kind for sentence in split(f"회의 시작해요\n\n{body}")] == ["prose", "prose"]


@pytest.mark.parametrize(
    ("line", "speaker", "said"),
    [
        ("#Person1#: Hello.", "Person1", "Hello."),
        ("[12:03] kim: hi there", "kim", "hi there"),
        ("[김철수] [오후 2:03] 네 알겠습니다.", "김철수", "네 알겠습니다."),
        ("2024년 5월 1일 오후 2:03, 이영희 : 안녕", "이영희", "안녕"),
        ("12/05/2024, 14:03 - Bob: hi", "Bob", "hi"),
        ("[5/1/24, 2:03:11 PM] Alice: hi", "Alice", "hi"),
        ("2024-05-01 14:03 <kim> hi", "kim", "hi"),
        ("<kim> hi", "kim", "hi"),
        ("kim  14:03\nhello you", "kim", "hello you"),
    ],
)
def test_a_turn_names_its_speaker_apart_from_what_is_said(line: str, speaker: str, said: str) -> None:
    assert [(sentence.kind, sentence.speaker, sentence.said) for sentence in split(line)] == [("turn", speaker, said)]


def test_names_that_come_back_are_speakers_for_every_sentence_of_the_turn() -> None:
    found = split("민지: 몇 시에 봐? 늦지 마.\n준호: 3.5시쯤.\n민지: 응")
    assert [(sentence.speaker, sentence.said) for sentence in found] == [
        ("민지", "몇 시에 봐?"),
        ("민지", "늦지 마."),
        ("준호", "3.5시쯤."),
        ("민지", "응"),
    ]
    assert [sentence.paragraph for sentence in found] == [0, 0, 1, 2]


def test_a_label_before_a_colon_speaks_not() -> None:
    assert {sentence.speaker for sentence in split("Note: this is a text.\n일시: 5월 1일\n장소: 서울\nIt has lines.")} == {""}


def test_lines_that_a_program_wrapped_are_joined_and_those_of_a_person_are_not() -> None:
    wrapped = "This is a wrapped paragraph of prose that a mail program has broken at\nseventy columns or so. It ends here."
    assert len(split(wrapped)) == 2
    assert _texts("안녕하세요\n오늘 회의 3시에 하죠\n네 좋아요") == ["안녕하세요", "오늘 회의 3시에 하죠", "네 좋아요"]


def test_a_stretch_without_an_end_is_cut_between_words() -> None:
    found = split("word " * 2000)
    assert max(len(sentence.text) for sentence in found) <= LONGEST
    assert all(sentence.text.split() == ["word"] * len(sentence.text.split()) for sentence in found)


@pytest.mark.parametrize(
    "sign", ["a", ". ", "가다. ", "(", '"', "(a. ", "\n", " ", "a: b\n", "-", "| ", "a.b.c.", '"a. ', "```\n", "...", "<a> "]
)
def test_a_long_run_of_one_sign_ends_and_loses_nothing(sign: str) -> None:
    _check(sign * (60_000 // len(sign)))


def test_brackets_that_never_close_cost_no_more_a_character(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times the text may ask for ten times the looks at a line, not a hundred."""
    looks = 0

    class Counted:
        def __init__(self, pattern: object) -> None:
            self._pattern = pattern

        def match(self, text: str) -> object:
            nonlocal looks
            looks += len(text)
            return self._pattern.match(text)  # type: ignore[attr-defined]

    for name in ("_STAMPED", "_NAMED", "_ITEM"):
        monkeypatch.setattr(blocks_module, name, Counted(getattr(blocks_module, name)))
    counts = []
    for size in (200, 2000):
        looks = 0
        split("(so: what [is\n" * size)
        counts.append(looks)
    assert counts[1] <= 11 * counts[0]


@given(st.text(alphabet=st.sampled_from('ab Z.!?…"“”()[]:#-*>|`1\n\r\t가다요。<\u3000\x00\ud800'), max_size=120))
def test_offsets_are_exact_and_everything_seen_is_in_one_sentence(text: str) -> None:
    _check(text)


@given(st.text(max_size=200))
def test_offsets_are_exact_for_any_text(text: str) -> None:
    _check(text)


def _check(text: str) -> list[Sentence]:
    found = split(text)
    covered = bytearray(len(text))
    for sentence in found:
        assert text[sentence.start : sentence.end] == sentence.text
        assert sentence.text == sentence.text.strip() != ""
        assert 0 <= sentence.lead <= len(sentence.text)
        covered[sentence.start : sentence.end] = b"\x01" * (sentence.end - sentence.start)
    assert all(flag or character.isspace() for flag, character in zip(covered, text, strict=True))
    assert all(one.end <= other.start and one.paragraph <= other.paragraph for one, other in pairwise(found))
    return found
