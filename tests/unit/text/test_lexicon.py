"""Which words stand for each other, as the list is read."""

import pytest

from benchmarks.train_lexicon import THESAURUS, is_told, lines_of, term_of, written
from bot.text.lexicon import COLUMN, FILE, Lexicon, Meaning, packaged
from bot.text.words import terms

LINES = sorted(["쉬\trest\t휴식", "쉬 날\tholiday\t휴무 휴일", "쉬운\teasi\t", "lamp\t램프 전등\tlight"])


def said(*words: str) -> list[Meaning]:
    return list(Lexicon(LINES).meanings(words))


def test_a_word_means_what_its_line_says() -> None:
    assert said("blue", "lamp") == [Meaning(("lamp",), ("램프", "전등"), ("light",))]


def test_a_phrase_means_more_than_its_words_where_they_stand_side_by_side() -> None:
    assert [meaning.said for meaning in said("쉬", "날", "언제")] == [("쉬",), ("쉬", "날")]
    assert [meaning.said for meaning in said("쉬", "언제", "날")] == [("쉬",)]


def test_a_word_that_begins_like_another_is_another() -> None:
    assert said("쉬운") == [Meaning(("쉬운",), ("easi",), ())]
    assert said("쉬운날", "lam", "lamps", "") == []


def test_nothing_is_known_to_an_empty_one() -> None:
    assert list(Lexicon().meanings(["lamp"])) == []
    assert not Lexicon()


def test_the_packaged_list_is_in_order_and_whole() -> None:
    lines = packaged()._lines
    assert lines == sorted(set(lines))
    assert {line.count(COLUMN) for line in lines} == {2}


@pytest.mark.parametrize(
    ("asked", "column", "word"),
    [
        ("쉬는 날이 언제야?", "alike", "휴무"),
        ("공짜야?", "alike", "무료"),
        ("누가 고쳐요?", "across", "repair"),
        ("how do I resign?", "across", "퇴사"),
        ("where can I park?", "across", "주차"),
    ],
)
def test_everyday_words_mean_what_documents_say(asked: str, column: str, word: str) -> None:
    assert any(word in getattr(meaning, column) for meaning in packaged().meanings(terms(asked)))


def test_what_the_thesaurus_says_is_in_the_packaged_list() -> None:
    across, alike = written(THESAURUS.read_text(encoding="utf-8"))
    missing = [
        (line, FILE)
        for line in lines_of(across, alike)[::50]
        for meaning in [Meaning(*(tuple(column.split()) for column in line.split(COLUMN)))]
        if not any(
            {*meaning.across} <= {*found.across} and {*meaning.alike} <= {*found.alike}
            for found in packaged().meanings(meaning.said)
            if found.said == meaning.said
        )
    ]
    assert missing == []


def test_an_entry_whose_terms_leave_something_out_is_passed_over() -> None:
    assert is_told("쉬는 날")
    assert is_told("고치다")
    assert not is_told("쉬는 날 없이")
    assert not is_told("날마다")
    assert not is_told(" ")


def test_a_verb_that_stands_alone_is_brought_to_its_stem() -> None:
    assert term_of("고치다") == ("고치",)
    assert term_of("적다") == ("적",)
    assert term_of("opening hours") == ("open", "hour")


def test_of_a_line_each_side_means_the_other_s_single_words() -> None:
    across, alike = written("# a comment\n휴무, 쉬는 날 = closed, day off\n")
    assert across == {("휴무",): ["close"], ("쉬", "날"): ["close"], ("close",): ["휴무"], ("day", "off"): ["휴무"]}
    assert alike == {("쉬", "날"): ["휴무"], ("day", "off"): ["close"]}
