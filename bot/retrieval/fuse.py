"""The small trained combiner: which candidate comes first, and the chance that it answers.

Owns the networks, the trees of the second look, and their files: `fusion.json` for an embedder that knows Korean and English,
`fusion-en.json` for one that knows English alone, `fusion-ko-v1.json` and `fusion-ko-v2.json` for those that homes from before have.
Leaves to `bot.retrieval.features` what they are given, and to `benchmarks/train_fusion.py` how their weights are found.

    fusion = Fusion.packaged("embed.minilm-ko.v3@53aa51172d14-134153da")
    scores = fusion.order(rows)
    chance = fusion.chance(judged, languages("ko", "en"))
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.closer import CLOSENESS
from bot.retrieval.evidence import EVIDENCE
from bot.retrieval.features import FEATURES, FEW, Array
from bot.retrieval.verdicts import READING
from bot.text.lexicon import NONE, Lexicon, packaged

STANDINGS = 3
"""Numbers of `standing`."""
ENGLISH_ONLY = frozenset({"embed.minilm.v1", "embed.minilm-int8.v1", "embed.static.v1"})
"""The embedders that know no Korean: what they say of it is worth nothing."""
FORMER = {"embed.minilm-ko.v1": "fusion-ko-v1.json", "embed.minilm-ko.v2": "fusion-ko-v2.json"}
"""The combiners of embedders that homes from before were made with."""
ACROSS = "across"
"""The languages of a question and of a passage that is in the other one; where both are in one, it is that one."""
MOST_DEVIATIONS = 6.0
"""How far a feature may lie from its mean: an outlier must not decide alone."""


class TreesJson(TypedDict):
    """Trees as the file holds them."""

    roots: list[int]
    columns: list[int]
    cuts: list[float]
    left: list[int]
    right: list[int]
    values: list[float]
    base: float


class SecondJson(TypedDict):
    """A second look as the file holds it."""

    embedder: str
    unsure: tuple[float, float]
    threshold: float
    trees: TreesJson
    reader: NotRequired[str]
    """This and the next ones are of a look by a reader."""
    lead: NotRequired[float]
    pages: NotRequired[int]


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
class Trees:
    """Boosted trees, their nodes one after the other: int64 and float32 (nodes,)."""

    roots: NDArray[np.int64]
    """int64 (trees,)."""
    columns: NDArray[np.int64]
    """Which number a node asks about; -1 of a leaf."""
    cuts: Array
    """Up to this it goes to the left."""
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    values: Array
    """Of the leaves."""
    base: float

    def __call__(self, row: Array) -> float:
        """Return the sum of what the trees say to float32 (features,)."""
        at = self.roots
        while (inner := self.columns[at] >= 0).any():
            goes = np.where(row[self.columns[at]] <= self.cuts[at], self.left[at], self.right[at])
            at = np.where(inner, goes, at)
        return self.base + float(self.values[at].sum())


@dataclass(frozen=True, slots=True)
class Second:
    """The second look at questions and passages of some languages: who sees more decides where the first judge is not sure."""

    embedder: str
    """Whose vectors it was trained on, `name@revision`: another's cosines say something else."""
    trees: Trees
    unsure: tuple[float, float]
    """The first judge's chances, from and below, between which it looks."""
    threshold: float
    """The chance below which nothing was found."""
    reader: str = ""
    """Who reads the passages, `name@revision`; "" where sentences' vectors tell."""
    lead: float = 0.0
    """What a reader's odds count in which passage is the first, beside what it ranks by."""
    pages: int = 1
    """How many passages are read."""

    def chance(self, row: Array, seen: Array) -> float:
        """Return 0..1. `row` is `bot.retrieval.search.judged`, `seen` `bot.retrieval.closer.closeness` or `verdicts.read_numbers`."""
        return _chance(self.trees(np.concatenate([row, seen])))


@dataclass(frozen=True, slots=True)
class Fusion:
    """The trained combiner: `order` ranks the candidates of one query, `answers` tells the chance that the best one answers."""

    order: Network
    answers: Network
    thresholds: Mapping[str, float]
    """The chance below which nothing was found, by `languages`; ACROSS where it has one of its own."""
    second: Mapping[str, Second] = field(default_factory=dict)
    """By `languages`; none where a second look is not better."""
    across: Network | None = None
    """What `answers` is where question and passage are of two languages, which no word tells; None where that is asked of all."""
    korean: bool = False
    """Whether the embedder knows Korean: what `bot.retrieval.features` are made for."""
    lexicon: Lexicon = NONE
    """Words that stand for each other, as far as it was trained with them."""
    few: Fusion | None = None
    """What judges in a library of few passages, where people ask for what they know to be there, in words of their own."""

    @classmethod
    def packaged(cls, embedder: str = "") -> Fusion:
        """Return the combiner that comes with Paring for the vectors of `embedder`. `benchmarks/train_fusion.py` makes its file."""
        return _packaged(file_for(embedder))

    @classmethod
    def untrained(cls, *, korean: bool = True, lexicon: Lexicon = NONE) -> Fusion:
        """Return a combiner that tells nothing apart: what training begins with."""
        order, answers = (Network.zeros(inputs) for inputs in (len(FEATURES), len(FEATURES) + STANDINGS + len(EVIDENCE)))
        return cls(order, answers, {"ko": 0.0, "en": 0.0}, korean=korean, lexicon=lexicon)

    @classmethod
    def from_json(cls, text: str) -> Fusion:
        """Return the combiner that `text` holds. Raises ValueError where it is of other features than this code's."""
        value = json.loads(text)
        if tuple(value["features"]) != (*FEATURES, *EVIDENCE, *CLOSENESS) or tuple(value.get("reading", READING)) != READING:
            msg = "fusion.json was made for other features: run benchmarks/train_fusion.py"
            raise ValueError(msg)
        second = {language: _second(one) for language, one in value["second"].items()}
        order, answers = _network(value["order"]), _network(value["answers"])
        across = _network(value["across"]) if value.get("across") else None
        lexicon = packaged() if value.get("lexicon") else NONE
        whole = cls(order, answers, value["thresholds"], second, across, korean=value["korean"], lexicon=lexicon)
        if not (few := value.get("few")):
            return whole
        own = {language: _second(one) for language, one in few["second"].items()}
        judges = _network(few["answers"]), few["thresholds"], own, _network(few["across"])
        return replace(whole, few=cls(order, *judges, korean=whole.korean, lexicon=lexicon))

    def among(self, passages: int) -> Fusion:
        """Return what judges in a library of so many passages."""
        return self.few if self.few and passages <= FEW else self

    def chance(self, row: Array, spoken: str) -> float:
        """Return 0..1: the chance that the passage that ranks first answers.

        `row` is `bot.retrieval.search.judged`, `spoken` what `languages` says of question and passage.
        """
        judge = self.across if self.across and spoken == ACROSS else self.answers
        return _chance(float(judge(row[None])[0]))

    def threshold(self, spoken: str, question: str) -> float:
        """Return the chance below which nothing was found. `spoken` as in `chance`, `question` the question's language."""
        return self.thresholds.get(spoken, self.thresholds[question])

    def in_doubt(self, spoken: str, embedder: str, chance: float, reader: str = "") -> Second | None:
        """Return who looks again at a question of `chance` whose vector is of `embedder`; None where the first judge is sure.

        `reader` is the one that is there.
        """
        second = self.second.get(spoken)
        if second is None or second.embedder != embedder or second.reader not in {"", reader}:
            return None
        return second if second.unsure[0] <= chance < second.unsure[1] else None


def file_for(embedder: str) -> str:
    """Return the name of the file that holds the combiner for an embedder (`name@revision`)."""
    name = embedder.partition("@")[0]
    return FORMER.get(name, "fusion.json" if knows_korean(name) else "fusion-en.json")


def knows_korean(embedder: str) -> bool:
    """Say whether what an embedder (`name@revision`) says of Korean is worth anything; one that is carried in is taken for one that does."""
    return embedder.partition("@")[0] not in ENGLISH_ONLY


def languages(question: str, passage: str) -> str:
    """Return the language of both, ACROSS where they are of two."""
    return question if question == passage else ACROSS


def standing(scores: Array, place: int) -> Array:
    """Return float32 (3,): how the score at `place` stands to the best (to the second, where it is the best), the middle and the tenth."""
    ordered = np.sort(scores)[::-1]
    score, last = scores[place], len(scores) - 1
    others = ordered[1] if last else ordered[0] - 1
    rival = others if score == ordered[0] else ordered[0]
    middle = (ordered[last // 2] + ordered[(last + 1) // 2]) / 2  # np.median takes as long as the rest of a judgement
    return np.array([score - rival, score - middle, score - ordered[min(9, last)]], np.float32)


def _chance(odds: float) -> float:
    return 1 / (1 + math.exp(-min(max(odds, -30.0), 30.0)))


@cache
def _packaged(file: str) -> Fusion:
    return Fusion.from_json(files(__package__).joinpath(file).read_text(encoding="utf-8"))


def _network(value: Mapping[str, Numbers]) -> Network:
    array = {name: np.array(numbers, np.float32) for name, numbers in value.items()}
    return Network(array["mean"], array["scale"], array["hidden"], array["hidden_bias"], array["out"], float(array["out_bias"]))


def _second(value: SecondJson) -> Second:
    one = value["trees"]
    roots, columns, left, right = (np.array(one[name], np.int64) for name in ("roots", "columns", "left", "right"))
    trees = Trees(
        roots, columns, np.array(one["cuts"], np.float32), left, right, np.array(one["values"], np.float32), one["base"]
    )
    read = value.get("reader", ""), value.get("lead", 0.0), value.get("pages", 1)
    return Second(value["embedder"], trees, value["unsure"], value["threshold"], *read)
