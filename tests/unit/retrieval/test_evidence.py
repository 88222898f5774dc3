import numpy as np
import pytest

from bot.retrieval.evidence import BESIDE, EVIDENCE, Held, beside, own_evidence
from bot.retrieval.features import weigh
from bot.text.words import terms


def told(question: str, text: str, *, others: str = "", named: str = "", known: tuple[str, ...] = ()) -> dict[str, float]:
    """Return the evidence of a passage of one sentence, `text`, with one rival."""
    asked = terms(question)
    frequencies = dict.fromkeys([*terms(text), *terms(others), *known], 1)
    query = weigh(asked, frequencies, 20, question)

    def held(said: str) -> np.ndarray:
        return np.array([[term in terms(said) for term in query.terms]], bool)

    where = Held(held(text), np.zeros((1, len(query.terms)), bool), held(named)[0], held(others) if others else held("")[:0])
    own = own_evidence(question, query, (named, text, ""), where, 0, 0.0, asks=False)
    return dict(zip(EVIDENCE, own, strict=False))


def test_a_heavy_word_that_stands_nowhere_is_told_from_one_that_stands_elsewhere() -> None:
    nowhere = told("backup of draco", "The backup of atlas runs at night.")
    elsewhere = told("backup of draco", "The backup of atlas runs at night.", known=("draco",))
    assert nowhere["missing_unknown"] > 0.4 > nowhere["missing_known"]
    assert elsewhere["missing_known"] > 0.4 > elsewhere["missing_unknown"]


def test_a_word_of_the_same_beginning_is_softly_held() -> None:
    found = told("who invented it", "The inventor was Kim.")
    assert found["plain"] < found["plain_soft"]


def test_a_korean_word_inside_of_a_longer_one_is_softly_held() -> None:
    found = told("국무 장관", "그는 국무장관이었다.")
    assert found["missing_count"] == 0
    assert found["surface"] == 1


def test_what_is_near_is_told_from_what_stands_before_it() -> None:
    query = weigh(terms("lamp price"), {"lamp": 1, "price": 1}, 9, "lamp price")
    where = Held(np.ones((1, 2), bool), np.zeros((1, 2), bool), np.zeros(2, bool), np.zeros((0, 2), bool))
    near = EVIDENCE.index("surface_near")
    before, after = (
        own_evidence("lamp price", query, text, where, 0, 0.0, asks=False)
        for text in (("lamp", "price", "x"), ("", "lamp price", ""))
    )
    assert before[near] == 0.5
    assert after[near] == 1


def test_a_rival_that_holds_what_is_missing_here_speaks_against_it() -> None:
    alone, beaten = (told("backup of boreas", "The backup runs.", others=others) for others in ("", "The backup of boreas runs."))
    assert alone["others_hold"] == 0 < beaten["others_hold"]
    assert beaten["ahead_of_others"] < 0 < alone["ahead_of_others"]


def test_a_missing_number_is_told() -> None:
    assert told("budget of quarter 4", "The budget of quarter 2 is small.")["numbers_missing"] == 1
    assert told("budget of quarter 2", "The budget of quarter 2 is small.")["numbers_missing"] == 0


def test_words_that_only_ask_are_not_missed() -> None:
    assert told("연차는 며칠이야?", "연차는 15일이다.")["missing_count"] == 0


def test_being_ahead_of_rivals_is_evidence() -> None:
    good, bad = (np.array([share, share, *[0] * (len(EVIDENCE) - BESIDE - 2)], np.float32) for share in (0.9, 0.2))
    ahead = EVIDENCE.index("ahead")
    assert beside(good, [bad])[ahead] > beside(good, [good])[ahead] == 0
    assert beside(good, []).shape == (len(EVIDENCE),)


@pytest.mark.parametrize("question", ["", "the of a", "?!", "언제"])
def test_a_question_of_no_words_is_weighed_without_harm(question: str) -> None:
    assert np.isfinite(list(told(question, "Something is said.").values())).all()


def test_a_word_that_the_passage_says_otherwise_stands_there_with_all_of_its_letters() -> None:
    question, text = "수리 비용", "repair 비용"
    query = weigh(terms(question), {"수리": 1, "비용": 1}, 9, question, {"repair": ("수리",)})
    every = np.ones((1, 2), bool)
    where = Held(every, np.zeros((1, 2), bool), np.zeros(2, bool), np.zeros((0, 2), bool))
    alone = Held(np.array([[term != "수리" for term in query.terms]]), where.before, where.named, where.others)
    surface = EVIDENCE.index("surface")
    otherwise, missing = (own_evidence(question, query, ("", text, ""), held, 0, 0.0, asks=False) for held in (where, alone))
    assert otherwise[surface] == 1
    assert missing[surface] == 0.5
