"""Words of a Korean question that the dictionary cuts otherwise than those of the passages."""

import pytest

from bot.retrieval.features import EMPTY_WEIGHT, weigh
from bot.retrieval.recut import recut
from bot.text.predicates import predicates
from bot.text.words import terms


def meant(text: str, *words: str, known: tuple[str, ...] = ()) -> dict[str, tuple[str, ...]]:
    """Return what `recut` makes of a question, of whose terms only those of the library are known."""
    unknown = set(terms(text)) - {*words, *known}
    return dict(recut(text, unknown, sorted(words), lambda asked: asked))


def test_a_word_that_is_cut_otherwise_is_the_library_s() -> None:
    assert meant("차 두 대면 주차비 얼마", "주차", "얼마", known=("차", "두", "대")) == {"주차": ("차비",)}
    assert meant("미백 한번에 얼마임", "미백", "한", "번", known=("얼마", "이")) == {"미백": ("무", "백")}


def test_a_compound_is_meant_by_what_it_begins_with() -> None:
    assert meant("방문차 몇 시간까지 돼?", "방문", "시간", known=("몇", "되")) == {"방문": ("방문차",)}


def test_a_longer_word_of_the_library_is_meant_by_its_beginning() -> None:
    assert meant("재활용 언제 버려요", "재활용품", "버리", known=("재",)) == {"재활용품": ("활용",)}
    assert meant("재활용 언제 버려요", "재활용선별장", "버리", known=("재",)) == {}


def test_no_part_of_one_of_the_dictionary_s_words_is_meant_by_it() -> None:
    assert meant("고양이 키워도 돼?", "고양", "양이", known=("키우", "되")) == {}


def test_a_verb_is_compared_with_nothing() -> None:
    assert meant("언제 버려요", "버려", "버려진") == {}


def test_a_word_that_others_alone_may_read_is_not_meant() -> None:
    assert recut("주차비 얼마", {"차비"}, ["주차"], lambda _asked: frozenset()) == {}


def test_a_question_whose_words_are_there_is_left_as_it_is() -> None:
    assert meant("주차비 얼마", "주차", "차비", "비", "얼마") == {}
    assert meant("주차비 얼마", "주차", "차비", "얼마") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("밤에 피아노 쳐도 되나요", {"치", "되"}),
        ("승강기 업체 어디로 정했지", {"정하"}),
        ("what if I lose the hall key?", {"lose"}),
        ("how much is parking?", set()),
    ],
)
def test_verbs_are_told_from_nouns(text: str, said: set[str]) -> None:
    assert predicates(text) == said


def test_a_verb_that_stands_nowhere_counts_little() -> None:
    text = "독서실 몇 시에 닫아요"
    said = terms(text)
    frequencies = dict.fromkeys(said, 0) | {"독서실": 1}
    as_noun = weigh(said, frequencies, 90, text)
    as_verb = weigh(said, frequencies, 90, text, predicates=predicates(text))
    before, after = (dict(zip(query.terms, query.weights.tolist(), strict=True)) for query in (as_noun, as_verb))
    assert after["닫"] == pytest.approx(before["닫"] * EMPTY_WEIGHT)
    assert weigh(said, frequencies | {"닫": 1}, 90, text, predicates=predicates(text)).light.tolist() == [
        False,
        False,
        True,
        True,
    ]
