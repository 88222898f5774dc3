"""What every gate keeps, and that the models that come with the install pass its canaries: tested by being listed."""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from bot.config import Settings
from bot.locale import LANGUAGES
from bot.models.catalogue import WITH_THE_INSTALL, Catalogue
from bot.models.fetch import present, resolve
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import Caption, ChatOutput, Reading, RouteScores, Summary, Transcript, Verdict
from bot.models.trial import GATES, Gate, Scored, gate_of
from bot.plugins import installed

SLOTS = sorted(installed(GATES))
CATALOGUE = Catalogue(Settings())
OURS = [spec for slot in SLOTS for spec in CATALOGUE.for_slot(slot) if spec.source in WITH_THE_INSTALL]
FEWEST = 10
FEWEST_OF_SWAPPED = 20
"""In the slots for which several models come with the install."""
CONSTANT: dict[str, object] = {
    "embed": np.eye(8, dtype=np.float32)[0],
    "route": RouteScores((("search", 0.6), ("none", 0.4))),
    "read": Verdict(0.5, (1.0,)),
    "summarise": Summary("One and the same."),
    "ocr": Reading("One and the same.", 0.5, "none", ("en",)),
    "caption": Caption("A picture of a thing."),
    "translate": "One and the same.",
    "transcribe": Transcript("Thank you for watching!", "en"),
    "chat": ChatOutput("One and the same.", 4),
    "imagine": b"no picture",
}


@pytest.fixture(params=SLOTS)
def slot(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def gate(slot: str) -> Gate[Any, Any]:
    found = gate_of(slot)
    assert found is not None
    return found


def constant(gate: Gate[Any, Any], asked: list[object]) -> list[Scored]:
    """Score a model that gives one answer to everything."""

    def predict(inputs: Sequence[object]) -> list[object]:
        asked.extend(inputs)
        return [CONSTANT[gate.slot.name]] * len(inputs)

    return gate.evaluate(predict, lambda texts: np.zeros((len(texts), 0), np.float32), ())


def test_every_slot_of_the_catalogue_has_a_gate() -> None:
    assert set(CATALOGUE.slots()) == set(SLOTS) == set(CONSTANT)


def test_it_is_listed_by_its_slot_and_says_what_it_measures(gate: Gate[Any, Any], slot: str) -> None:
    assert gate.slot.name == slot
    assert gate.metric
    assert 0 < gate.tolerance < 0.5


def test_it_has_enough_cases_in_both_languages_each_with_a_name_of_its_own(gate: Gate[Any, Any], slot: str) -> None:
    asked: list[object] = []
    scored = constant(gate, asked)
    assert len({one.case for one in scored}) == len(scored)
    assert all(0 <= one.score <= 1 and len(one.asked) <= 300 and len(one.answered) <= 300 for one in scored)
    several = len([spec for spec in OURS if spec.slot == slot]) > 1
    for language in LANGUAGES:
        assert sum(one.language == language for one in scored) >= (FEWEST_OF_SWAPPED if several else FEWEST)
    assert len(asked) == gate.count(())


def test_a_constant_answer_is_a_bad_one_or_told(gate: Gate[Any, Any], slot: str) -> None:
    canaries = gate.canaries()
    fault = gate.fault(canaries, [CONSTANT[slot]] * len(canaries), LANGUAGES)
    assert fault is not None or fmean(one.score for one in constant(gate, [])) < 0.3


def test_one_language_is_half_of_it(gate: Gate[Any, Any]) -> None:
    assert gate.count(["en"]) > 0 or gate.slot.name == "translate", "a translation takes two"
    assert gate.count(["en"]) <= gate.count(["en", "ko"]) == gate.count(["multilingual"])
    assert gate.count(["fr"]) == 0


@pytest.mark.parametrize("spec", OURS, ids=lambda spec: spec.name)
def test_the_models_of_the_install_pass(spec: ModelSpec, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    if not CATALOGUE.families.available(spec.family) or not present(spec, settings):
        pytest.skip(f"{spec.family} cannot work on this machine")
    gate = gate_of(spec.slot)
    assert gate is not None
    place = resolve(spec, settings)
    model = CATALOGUE.families.loader(spec.family)(place.spec, place.folder, LoadOptions(threads=2))
    inputs = gate.canaries()
    outputs = [*model.predict(inputs[:1]), *model.predict(inputs[1:])]
    model.close()
    assert gate.fault(inputs, outputs, spec.languages) is None
