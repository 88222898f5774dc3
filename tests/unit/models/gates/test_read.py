"""The gate of the readers: who reads has more than who guesses, and what is no verdict is told."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from bot.config import Settings
from bot.models.catalogue import Catalogue
from bot.models.fetch import resolve
from bot.models.gates.golden import has_hangul, read_cases
from bot.models.gates.read import FILE, ReadGate, item_of, right
from bot.models.spec import LoadOptions
from bot.models.tasks import ReadInput, Verdict
from bot.models.trial import Scored
from bot.text.words import terms

GATE = ReadGate()
BOTH = ("ko", "en")
CASES = read_cases(FILE)


def scored(predict: Callable[[ReadInput], Verdict], languages: Sequence[str] = BOTH) -> list[Scored]:
    return GATE.evaluate(lambda items: [predict(item) for item in items], lambda _texts: np.zeros((0, 0), np.float32), languages)


def share(found: Sequence[Scored], language: str) -> float:
    return fmean(one.score for one in found if one.language == language)


def by_words(item: ReadInput) -> Verdict:
    """Count the words that a sentence shares with the question."""
    asked = set(terms(item.question))
    shared = [float(len(asked & set(terms(item.text[start:end])))) for start, end in item.sentences]
    return Verdict(max(shared) - 0.5, tuple(shared))


@pytest.mark.parametrize("language", BOTH)
def test_a_reader_has_more_than_a_guess_and_than_shared_words(tmp_path: Path, language: str) -> None:
    settings = Settings(home=tmp_path)
    catalogue = Catalogue(settings)
    place = resolve(catalogue.find("read.minilm.v1"), settings)
    model = catalogue.families.loader(place.spec.family)(place.spec, place.folder, LoadOptions(threads=1))
    read = share(scored(lambda item: model.predict([item])[0]), language)
    model.close()

    assert read > share(scored(by_words), language) + 2 * GATE.tolerance
    assert read > share(scored(lambda item: Verdict(-1.0, (0.0,) * len(item.sentences))), language) + 2 * GATE.tolerance
    assert read > share(scored(lambda item: Verdict(1.0, tuple(-float(at) for at in range(len(item.sentences))))), language)


def test_who_knows_the_answers_has_all_and_who_turns_them_round_has_none() -> None:
    answers = {item_of(case): case["answer"] for case in CASES}

    def knowing(item: ReadInput) -> Verdict:
        answer = answers[item]
        return Verdict(-1.0 if answer is None else 1.0, tuple(float(at == answer) for at in range(len(item.sentences))))

    assert {one.score for one in scored(knowing)} == {1.0}
    assert {one.score for one in scored(lambda item: Verdict(-knowing(item).odds, knowing(item).sentences))} == {0.0}


@pytest.mark.parametrize(
    ("said", "answer", "is_right"),
    [
        (Verdict(2.0, (0.0, 3.0)), 1, True),
        (Verdict(2.0, (0.0, 3.0)), 0, False),
        (Verdict(2.0, (3.0, 3.0)), 0, False),
        (Verdict(0.0, (0.0, 3.0)), 1, False),
        (Verdict(2.0, ()), 1, False),
        (Verdict(-2.0, (0.0, 3.0)), None, True),
        (Verdict(0.0, ()), None, True),
        (Verdict(0.1, (0.0, 3.0)), None, False),
    ],
)
def test_a_verdict_is_right_by_its_odds_and_its_highest_sentence(said: Verdict, answer: int | None, is_right: bool) -> None:
    assert right(said, answer) == is_right


def test_cases_across_are_asked_of_who_knows_both_languages() -> None:
    across = {str(case["id"]) for case in CASES if case["language"] != case["passage"]}
    asked = {language: {one.case for one in scored(by_words, [language])} for language in BOTH}

    assert len(across) >= 6
    assert not across & (asked["ko"] | asked["en"])
    assert {one.case for one in scored(by_words)} == across | asked["ko"] | asked["en"]
    assert GATE.count([]) == len(CASES)


def test_each_case_is_what_it_says_it_is() -> None:
    for case in CASES:
        item = item_of(case)
        assert [item.text[start:end] for start, end in item.sentences] == case["sentences"], case["id"]
        assert has_hangul(item.question) == (case["language"] == "ko")
        assert has_hangul(item.text) == (case["passage"] == "ko")
        assert 3 <= len(item.sentences) <= 6
        assert case["answer"] is None or case["answer"] in range(len(item.sentences))
    without = sum(case["answer"] is None for case in CASES) / len(CASES)
    assert 0.25 < without < 0.45
    assert {case["answer"] for case in CASES} >= {None, 0, 1, 2, 3}, "where it stands tells nothing"


def _read(item: ReadInput) -> Verdict:
    return Verdict(float(len(item.text)), (1.0,) * len(item.sentences))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (_read, None),
        (lambda item: Verdict(_read(item).odds, (1.0,)), "each sentence"),
        (lambda item: Verdict(math.nan, _read(item).sentences), "NaN"),
        (lambda item: Verdict(_read(item).odds, (math.inf,) * len(item.sentences)), "infinite"),
        (lambda item: Verdict(1.0, _read(item).sentences), "the same of every passage"),
    ],
)
def test_what_is_no_verdict_is_told(answer: Callable[[ReadInput], Verdict], said: str | None) -> None:
    fault = GATE.fault(GATE.canaries(), [answer(item) for item in GATE.canaries()], BOTH)
    assert fault is None if said is None else fault is not None and said in fault.to("en")


def test_fewer_verdicts_than_passages_are_told() -> None:
    fault = GATE.fault(GATE.canaries(), [_read(item) for item in GATE.canaries()][1:], BOTH)
    assert fault is not None
    assert "one verdict for each" in fault.to("en")
