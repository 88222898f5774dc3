"""The gate of the routers: half the labels, or half the lines, are a worse head; what are no probabilities is told."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.locale import LANGUAGES
from bot.models.gates.route import FILE, RouteGate, golden
from bot.models.heads.train import train
from bot.models.heads.utterances import Example, read_utterances, unfold
from bot.models.runtimes.linear_head import LinearHead
from bot.models.tasks import RouteInput, RouteScores

GATE = RouteGate()
HELD_OUT = Path(__file__).parents[3] / "data" / "route_heldout.jsonl"
RIGHT = RouteScores((("search", 0.7), ("none", 0.3)))


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Return a unit row a text, the sum of one fixed random row a word."""
    rows = np.full((len(texts), 16), 1e-6, np.float32)
    for index, text in enumerate(texts):
        for word in text.lower().split():
            rows[index] += np.random.default_rng(crc32(word.encode())).normal(size=16).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def quality(examples: Sequence[Example]) -> dict[str, float]:
    head = LinearHead(train(examples, embed, varied=False, calibrated=False))
    assert GATE.fault(GATE.canaries(), head.predict(GATE.canaries()), LANGUAGES) is None
    scored = GATE.evaluate(head.predict, embed, ())
    return {language: fmean(one.score for one in scored if one.language == language) for language in LANGUAGES}


def test_half_the_labels_or_half_the_lines_are_a_worse_head() -> None:
    lines = [one for one in unfold(read_utterances()) if one.family % 8 == 0]
    known = set(sorted({one.label for one in lines})[::2])
    whole = quality(lines)
    for less in ([one for one in lines if one.label in known], [one for one in lines if one.family % 16 == 0]):
        worse = quality(less)
        assert all(whole[language] - worse[language] > 2 * GATE.tolerance for language in LANGUAGES)


def test_the_golden_lines_are_held_back_ones_of_every_label_alike() -> None:
    held_out = {json.loads(line)["text"] for line in HELD_OUT.read_text(encoding="utf-8").splitlines()}
    trained = {one.text.casefold() for one in unfold(read_utterances())}
    cases = golden(())
    assert {str(case["text"]) for case in cases} <= held_out
    assert [case for case in cases if str(case["text"]).casefold() in trained] == []
    assert len(cases) == 12 * len({(case["label"], case["language"]) for case in cases}) == len(FILE.read_bytes().splitlines())


def test_vectors_come_with_whose_they_are() -> None:
    seen: list[RouteInput] = []

    def predict(batch: Sequence[RouteInput]) -> list[RouteScores]:
        seen.extend(batch)
        return [RIGHT] * len(batch)

    def live(texts: Sequence[str]) -> NDArray[np.float32]:
        return embed(texts)

    live.identity = "embed.minilm.v1@1"  # type: ignore[attr-defined]
    GATE.evaluate(predict, live, ["ko"])
    assert {one.embedder for one in seen} == {"embed.minilm.v1@1"}
    assert {one.language for one in seen} == {"ko"}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda: RIGHT, None),
        (lambda: RouteScores(()), "no probabilities"),
        (lambda: RouteScores((("search", float("nan")),)), "no probabilities"),
        (lambda: RouteScores((("search", 0.4), ("none", 0.4))), "do not sum to 1"),
        (lambda: RouteScores((("search", 0.3), ("none", 0.7))), "out of order"),
    ],
)
def test_what_are_no_probabilities_is_told(answer: Callable[[], RouteScores], said: str | None) -> None:
    fault = GATE.fault(GATE.canaries(), [answer()] * len(GATE.canaries()), LANGUAGES)
    assert fault is None if said is None else fault is not None and said in fault.to("en")
