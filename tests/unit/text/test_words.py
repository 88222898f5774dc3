"""Terms: what two writings of the same thing must share."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.words import SEGMENT, content_terms, is_cut_word, is_empty, normalise, stem, terms


def test_mixed_text_is_cut_by_script_in_reading_order() -> None:
    assert terms("GitHub에 올린 3.5GB 파일을 지웠어요") == ["github", "올리", "3.5", "gb", "파일", "지우"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("회의록을", "회의록이"),
        ("발표했다", "발표합니다"),
        ("running", "runs"),
        ("Café", "CAFE"),
        ("don’t", "don't"),
        ("1,000,000", "1000000"),
        ("3.5GB", "3.5 GB"),
        ("ＡＢＣ１２", "abc12"),
        ("한\u200b글날", "한글날"),
        ("회\u00ad의\u200d록", "회의록"),
        ("회\u3164의\u2060록", "회의록"),
        ("pass\U000e0041word", "password"),
        ("h\u0337e\u0337l\u0337l\u0337o", "hello"),
        ("\u202ehello\u202c", "hello"),
        ("회\u0336의\u0336록", "회의록"),
        ("ㅎㅚㅇㅢㄹㅗㄱ", "회의록"),
        ("ﾾￂﾤﾡￚﾩ", "한글"),
        ("한글", "한글"),  # decomposed, as file names of macOS are
    ],
)
def test_two_writings_of_one_thing_share_their_terms(one: str, other: str) -> None:
    assert terms(one) == terms(other) != []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$3.14 in 2024.05.01", ["3.14", "in", "2024", "05", "01"]),
        ("C++ and C# on .NET", ["c++", "and", "c#", "on", ".net"]),
        ("mp3 GPT-4 3d", ["mp3", "gpt", "4", "3d"]),
        ("東京都 大", ["東京", "京都", "大"]),
        ("Привет мир", ["привет", "мир"]),
        ("2024년 5월", ["2024", "년", "5", "월"]),
        ("snake_case", ["snake", "case"]),
        ("", []),
        ("?! ... ㅋㅋㅋ", []),
    ],
)
def test_numbers_names_and_other_scripts(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_a_nul_or_a_lone_surrogate_parts_words_and_nothing_is_lost() -> None:
    assert terms("one\x00two\ud800삼성전자가") == ["one", "two", "삼성전자"]


def test_content_terms_leave_out_function_words_of_both_languages() -> None:
    assert content_terms("The cat is on the mat") == ["cat", "mat"]
    assert content_terms("그 고양이는 매트에 있다") == ["고양이", "매트"]
    assert is_empty("the")
    assert not is_empty(stem("cats"))


def test_terms_are_the_same_from_many_threads() -> None:
    texts = [f"{number}번 회의는 서울에서 열렸고 running teams were there" for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(terms, texts)) == [terms(text) for text in texts]


def test_a_line_longer_than_a_segment_is_cut_between_words() -> None:
    sentence = "우리는 학교에 갔다 "
    assert terms(sentence * (2 * SEGMENT // len(sentence))) == terms(sentence) * (2 * SEGMENT // len(sentence))


@pytest.mark.parametrize("sign", ["1,000,", "a", "9", "1.", "가", "'", "漢", "a1"])
def test_a_long_run_of_one_sign_ends(sign: str) -> None:
    assert all(terms(sign * 40_000))


@given(st.text(max_size=200))
def test_any_text_gives_terms_that_hold_no_space_and_are_normal(text: str) -> None:
    for term in terms(text):
        assert term
        assert not any(character.isspace() for character in term)
        assert normalise(term) == term or not term.isascii()


@given(st.text(st.characters(max_codepoint=127), max_size=200))
def test_a_text_of_ascii_alone_is_made_normal_as_beside_any_other(text: str) -> None:
    assert normalise(text) == normalise(text + "é").removesuffix("é")


@pytest.mark.parametrize(
    ("before", "after", "cut"),
    [
        ("기록은 담당자가 서명한 뒤 보", "관한다.", True),
        ("고충처리위원 서미", "란에게 신고한다", True),
        ("재고를 조사", "하고 적는다", True),
        ("모두 읽고", "서명한다", False),
        ("the office", "opens", False),
        ("회의는", "Monday", False),
        ("", "관한다", False),
    ],
)
def test_a_word_that_a_line_end_cuts_is_told_from_two(before: str, after: str, cut: bool) -> None:
    assert is_cut_word(before, after) is cut
