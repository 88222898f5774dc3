"""The small trained combiner: which candidate comes first, and the chance that it answers.

Owns the two networks and their file, `fusion.json`. Leaves to `bot.retrieval.features` what they are given, and to
`benchmarks/train_fusion.py` how their weights are found.

    fusion = Fusion.packaged()
    scores = fusion.order(rows)
    chances = fusion.chance(rows, scores)
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from bot.retrieval.evidence import EVIDENCE
from bot.retrieval.features import FEATURES, Array

STANDINGS = 3
"""Numbers of `standing`."""
MOST_DEVIATIONS = 6.0
"""How far a feature may lie from its mean: an outlier must not decide alone."""

Numbers = float | list[float] | list[list[float]]


@dataclass(frozen=True, slots=True)
class Network:
    """One hidden layer over standardised features: float32 matrices, as `bot/retrieval/fusion.json` holds them."""

    mean: Array
    scale: Array
    hidden: Array
    """float32 (features, hidden)."""
    hidden_bias: Array
    out: Array
    """float32 (hidden,)."""
    out_bias: float

    @classmethod
    def zeros(cls, inputs: int) -> Network:
        """Return a network of `inputs` features that answers 0 to everything."""
        zeros, one = np.zeros(inputs, np.float32), np.zeros(1, np.float32)
        return cls(zeros, zeros + 1, np.zeros((inputs, 1), np.float32), one, one, 0.0)

    def __call__(self, rows: Array) -> Array:
        """Return float32 (n,): one number for each of float32 (n, features)."""
        standardised = np.clip((rows - self.mean) / self.scale, -MOST_DEVIATIONS, MOST_DEVIATIONS)
        inner = np.tanh(standardised @ self.hidden + self.hidden_bias)
        numbers: Array = (inner @ self.out + self.out_bias).astype(np.float32)
        return numbers


@dataclass(frozen=True, slots=True)
class Fusion:
    """The trained combiner: `order` ranks the candidates of one query, `answers` tells the chance that the best one answers."""

    order: Network
    answers: Network
    thresholds: Mapping[str, float]
    """The chance below which nothing was found, by the query's language."""

    @classmethod
    def packaged(cls) -> Fusion:
        """Return the combiner that comes with Paring. `benchmarks/train_fusion.py` makes its file."""
        return _packaged()

    @classmethod
    def untrained(cls) -> Fusion:
        """Return a combiner that tells nothing apart: what training begins with."""
        order, answers = (Network.zeros(inputs) for inputs in (len(FEATURES), len(FEATURES) + STANDINGS + len(EVIDENCE)))
        return cls(order, answers, {"ko": 0.0, "en": 0.0})

    @classmethod
    def from_json(cls, text: str) -> Fusion:
        """Return the combiner that `text` holds. Raises ValueError where it is of other features than this code's."""
        value = json.loads(text)
        if tuple(value["features"]) != (*FEATURES, *EVIDENCE):
            msg = "fusion.json was made for other features: run benchmarks/train_fusion.py"
            raise ValueError(msg)
        return cls(_network(value["order"]), _network(value["answers"]), value["thresholds"])

    def chance(self, row: Array) -> float:
        """Return 0..1: the chance that the passage that ranks first answers. `row` is `bot.retrieval.search.judged`."""
        odds = float(self.answers(row[None])[0])
        return 1 / (1 + math.exp(-min(max(odds, -30.0), 30.0)))


def standing(scores: Array, place: int) -> Array:
    """Return float32 (3,): how the score at `place` stands to the best (to the second, where it is the best), the middle and the tenth."""
    ordered = np.sort(scores)[::-1]
    score, last = scores[place], len(scores) - 1
    others = ordered[1] if last else ordered[0] - 1
    rival = others if score == ordered[0] else ordered[0]
    middle = (ordered[last // 2] + ordered[(last + 1) // 2]) / 2  # np.median takes as long as the rest of a judgement
    return np.array([score - rival, score - middle, score - ordered[min(9, last)]], np.float32)


@cache
def _packaged() -> Fusion:
    return Fusion.from_json(files(__package__).joinpath("fusion.json").read_text(encoding="utf-8"))


def _network(value: Mapping[str, Numbers]) -> Network:
    array = {name: np.array(numbers, np.float32) for name, numbers in value.items()}
    return Network(array["mean"], array["scale"], array["hidden"], array["hidden_bias"], array["out"], float(array["out_bias"]))
