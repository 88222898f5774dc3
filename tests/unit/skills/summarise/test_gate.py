"""The gate of the summaries: better models have more, and what is no summary is told."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.locale import LANGUAGES
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import Summary, SummaryInput
from skills.summarise.gate import FOLDER, SummariseGate
from skills.summarise.model import load_extract, load_lead, load_lexrank

GATE = SummariseGate()
SPEC = ModelSpec("x", "summarise", "x", "builtin")


def no_vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.zeros((len(texts), 0), np.float32)


def quality(predict: object) -> dict[str, float]:
    scored = GATE.evaluate(predict, no_vectors, ())  # type: ignore[arg-type]
    return {language: fmean(one.score for one in scored if one.language == language) for language in LANGUAGES}


@pytest.fixture(scope="module")
def extract() -> dict[str, float]:
    return quality(load_extract(SPEC, Path(), LoadOptions()).predict)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("load", [load_lead, load_lexrank])
def test_the_default_is_better_than_the_two_that_everybody_has(load: object, language: str, extract: dict[str, float]) -> None:
    other = quality(load(SPEC, Path(), LoadOptions()).predict)  # type: ignore[operator]
    assert extract[language] - other[language] > GATE.tolerance


def test_a_summary_in_the_wrong_language_has_almost_nothing(extract: dict[str, float]) -> None:
    texts = {language: json.loads((FOLDER / f"{language}.jsonl").read_text("utf-8").splitlines()[0]) for language in LANGUAGES}

    def wrong(batch: Sequence[SummaryInput]) -> list[Summary]:
        return [Summary(texts["en" if item.language == "ko" else "ko"]["summaries"][0]) for item in batch]

    assert all(score < extract[language] / 4 for language, score in quality(wrong).items())


def test_vectors_are_given_where_the_embedder_reads_the_language() -> None:
    seen: dict[str, set[bool]] = {language: set() for language in LANGUAGES}

    def predict(batch: Sequence[SummaryInput]) -> list[Summary]:
        for item in batch:
            seen[item.language].add(item.vectors is not None)
        return [Summary("a")] * len(batch)

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.ones((len(texts), 3), np.float32)

    embed.identity = "embed.minilm.v1@1"  # type: ignore[attr-defined]
    GATE.evaluate(predict, embed, ())
    assert seen == {"en": {True}, "ko": {False}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda made, _item: made, None),
        (lambda _made, _item: Summary(""), "no summary"),
        (lambda made, item: Summary(item.text * 3) if item.text else made, "longer than the text"),
        (lambda made, item: Summary("요약입니다") if item.language == "en" and item.text else made, "not in the language"),
        (lambda made, item: Summary("A bridge.") if item.language == "ko" else made, "not in the language"),
    ],
)
def test_what_is_no_summary_is_told(change: object, said: str | None) -> None:
    items = GATE.canaries()
    made = load_lead(SPEC, Path(), LoadOptions()).predict(items)
    changed = [change(one, item) for one, item in zip(made, items, strict=True)]  # type: ignore[operator]
    fault = GATE.fault(items, changed, ("ko", "en"))
    assert fault is None if said is None else fault is not None and said in fault.to("en")


def test_a_model_without_korean_is_not_asked_in_it() -> None:
    assert {case.language for case in GATE.evaluate(lambda batch: [Summary("a")] * len(batch), no_vectors, ["en"])} == {"en"}
    korean = [replace(item) for item in GATE.canaries() if item.language == "ko"]
    assert GATE.fault(korean, [Summary("")] * len(korean), ["en"]) is None
