"""The gate of the translators: what is nearer to a reference has more, and what is no translation is told."""

from collections.abc import Sequence
from statistics import fmean

import numpy as np
import pytest

from bot.errors import DirectionError
from bot.locale import LANGUAGES
from bot.models.tasks import TranslationInput
from skills.translate.gate import TranslateGate, golden

GATE = TranslateGate()
REFERENCES = {(str(case["text"]), str(case["target"])): case["references"] for case in golden(())}


def reference(item: TranslationInput) -> str:
    return REFERENCES[item.text, item.target][-1]  # type: ignore[index,no-any-return]


def quality(predict: object) -> dict[str, float]:
    scored = GATE.evaluate(predict, lambda _texts: np.zeros((0, 0), np.float32), ())  # type: ignore[arg-type]
    return {language: fmean(one.score for one in scored if one.language == language) for language in LANGUAGES}


def test_a_persons_translation_has_all_half_of_it_less_and_the_source_nothing() -> None:
    def half(batch: Sequence[TranslationInput]) -> list[str]:
        return [" ".join(reference(item).split()[::2]) for item in batch]

    assert quality(lambda batch: [reference(item) for item in batch]) == {"ko": 1.0, "en": 1.0}
    assert all(0.2 < score < 1 - 2 * GATE.tolerance for score in quality(half).values())
    assert all(score < 0.1 for score in quality(lambda batch: [item.text for item in batch]).values())


def test_a_model_of_one_direction_is_scored_in_that_one() -> None:
    def one_way(batch: Sequence[TranslationInput]) -> list[str]:
        if any(item.target == "ko" for item in batch):
            raise DirectionError("ko -> en alone")
        return [reference(item) for item in batch]

    scored = GATE.evaluate(one_way, lambda _texts: np.zeros((0, 0), np.float32), ())  # type: ignore[arg-type]
    assert {(one.language, one.score) for one in scored} == {("en", 1.0)}
    assert len(scored) == len(golden(())) // 2


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (("문이 열려 있어요.", "The door is open."), None),
        (("", "The door is open."), "no translation"),
        (("The door is open.", "The door is open."), "as it was"),
        (("The gate is open.", "The door is open."), "not in the script"),
        (("문이 열려 있어요.", "문이 열려 있어요."), "not in the script"),
        (("문이 열려 있어요.", "The 문 is open."), "not in the script"),
    ],
)
def test_what_is_no_translation_is_told(made: tuple[str, str], said: str | None) -> None:
    fault = GATE.fault(GATE.canaries(), made, LANGUAGES)
    assert fault is None if said is None else fault is not None and said in fault.to("en")
