"""Learns a linear head: multinomial logistic regression over hashed features and an embedding, calibrated by language.

Owns: the matrix, the fit, the calibration out of fold. Leaves to `bot.models.heads.build` where examples come from and where the
head is kept. Needs scipy; a head that is kept needs neither scipy nor this file.

    head = train(examples, embed, embedder="embed.minilm.v1@53aa51172d14")
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from bot.locale import LANGUAGES, Language
from bot.models.heads.descent import least
from bot.models.heads.features import BUCKETS, embeddable, features
from bot.models.heads.noise import vary
from bot.models.heads.utterances import NONE, Example
from bot.models.runtimes.linear_head import Calibration, Head, softmax

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

MEANING: Final = 1.0
"""Length of an embedding beside a block of features of length 1."""
STRENGTH: Final = 128_000.0
"""Inverse of the penalty on squared weights; the loss is a mean. Found by grouped cross-validation."""
ROUNDS: Final = 25
"""Steps of L-BFGS; later ones change the loss by a thousandth."""
FOLDS: Final = 3
FOLD_ROUNDS: Final = 18
SEEN_IN: Final = 4
"""Lines that a bucket must occur in to be kept: what only one has says nothing of others."""
MOST_WEIGHTS: Final = 3_000_000
"""Rarer buckets go until buckets times labels are no more than this."""
NONE_WEIGHT: Final = 2.0
"""How much more the open class of what nobody serves counts than one skill."""
VARIED_WEIGHT: Final = 0.5
ASKED_AT_MOST: Final = 0.04
"""Share of messages that may be asked about."""
WIDEST_ASK: Final = 0.2

Rows = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Rows]
"""Texts to float32 (n, d), unit rows."""
Sees = Literal["both", "words", "vectors"]
"""What a head weighs of a text: the pieces of its words, its embedding, or both."""


@dataclass(frozen=True, slots=True)
class Set:
    """What is trained on: features, (n, d) meaning, and for each row its label's number, weight, family and language."""

    features: csr_matrix
    meaning: Rows
    label: NDArray[np.intp]
    weight: NDArray[np.float64]
    family: NDArray[np.intp]
    language: NDArray[np.str_]
    written: NDArray[np.bool_]
    """True for a row as somebody wrote it, False for a varied one."""

    def rows(self, which: NDArray[np.bool_]) -> Set:
        """Return the rows where `which` is true."""
        return Set(
            self.features[which], self.meaning[which], self.label[which], self.weight[which], self.family[which],
            self.language[which], self.written[which],
        )  # fmt: skip


def train(
    examples: Sequence[Example],
    embed: Embed,
    *,
    embedder: str = "",
    varied: bool = True,
    calibrated: bool = True,
    sees: Sees = "both",
) -> Head:
    """Return the head for the labels of `examples`, the same for the same examples and embedder.

    `embed` is given each text's `embeddable`, once, and nothing where the head `sees` words alone; a varied copy shares its original's
    meaning. `varied` adds one mistyped or reworded copy of each example; `calibrated` fits temperature and limits out of fold.
    """
    labels = tuple(sorted({example.label for example in examples}))
    data = _matrix(examples, labels, _blind if sees == "words" else embed, varied=varied)
    buckets = np.zeros(0, np.int32) if sees == "vectors" else _kept(data, len(labels))
    data = replace(data, features=data.features[:, buckets])
    head = _fit(data, labels, buckets, rounds=ROUNDS)
    head = replace(head, embedder="" if sees == "words" else embedder)
    return _calibrated(head, data) if calibrated else head


def hashed(texts: Sequence[str]) -> csr_matrix:
    """Return the features of `texts`, float32 (n, BUCKETS)."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415 - only where one trains

    columns: list[int] = []
    values: list[float] = []
    starts = [0]
    for text in texts:
        weights, _names = features(text)
        columns.extend(weights.keys())
        values.extend(weights.values())
        starts.append(len(columns))
    return csr_matrix((np.array(values, np.float32), columns, starts), shape=(len(texts), BUCKETS))


def _blind(texts: Sequence[str]) -> Rows:
    return np.zeros((len(texts), 0), np.float32)


def _matrix(examples: Sequence[Example], labels: tuple[str, ...], embed: Embed, *, varied: bool) -> Set:
    rows = list(_rows(examples, varied=varied))
    given = {example.text: embeddable(example.text) for example in examples}
    distinct = list(dict.fromkeys(given.values()))
    place = {text: index for index, text in enumerate(distinct)}
    meaning = embed(distinct)[[place[given[example.text]] for example, _text, _written in rows]]
    number = {label: index for index, label in enumerate(labels)}
    label = np.array([number[example.label] for example, _text, _written in rows], np.intp)
    language = np.array([example.language for example, _text, _written in rows])
    weight = np.array([example.weight * (1.0 if written else VARIED_WEIGHT) for example, _text, written in rows])
    return Set(
        features=hashed([text for _example, text, _written in rows]),
        meaning=(MEANING * meaning).astype(np.float32),
        label=label,
        weight=_balanced(weight, label, language, labels),
        family=np.array([example.family for example, _text, _written in rows], np.intp),
        language=language,
        written=np.array([written for _example, _text, written in rows]),
    )


def _rows(examples: Sequence[Example], *, varied: bool) -> list[tuple[Example, str, bool]]:
    """Return (example, text, as written) for each example and, where `varied`, for a copy of it."""
    rows: list[tuple[Example, str, bool]] = []
    for index, example in enumerate(examples):
        rows.append((example, example.text, True))
        other = vary(example.text, example.language, random.Random(index * 7919 + 1)) if varied else ""  # noqa: S311
        if other and other != example.text:
            rows.append((example, other, False))
    return rows


def _balanced(
    weight: NDArray[np.float64], label: NDArray[np.intp], language: NDArray[np.str_], labels: tuple[str, ...]
) -> NDArray[np.float64]:
    """Return weights with the same sum for each label in each language, `none` a little more, and a sum of 1 over all."""
    balanced = weight.copy()
    for index, name in enumerate(labels):
        for one in LANGUAGES:
            where = (label == index) & (language == one)
            if where.any():
                balanced[where] *= (NONE_WEIGHT if name == NONE else 1.0) / balanced[where].sum()
    total: NDArray[np.float64] = balanced / balanced.sum()
    return total


def _kept(data: Set, labels: int) -> NDArray[np.int32]:
    """Return the buckets that lines of SEEN_IN families have, sorted; the rarest go where there are too many."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415

    count = len(data.family)
    belongs = csr_matrix((np.ones(count, np.float32), (data.family, np.arange(count))))
    seen = np.asarray(((belongs @ data.features) > 0).sum(axis=0)).ravel()
    most = max(1, MOST_WEIGHTS // labels)
    least = max(SEEN_IN, int(np.sort(seen)[-most]) if len(seen) > most else 0)
    return np.flatnonzero(seen >= least).astype(np.int32)[:most]


def _fit(data: Set, labels: tuple[str, ...], buckets: NDArray[np.int32], *, rounds: int) -> Head:
    """Minimise the weighted cross entropy plus the penalty."""
    kept = data.features.shape[1]
    matrix, meaning = data.features, data.meaning
    turned = matrix.T.tocsr()
    weight = (data.weight / data.weight.sum()).astype(np.float32)[:, None]
    rows = np.arange(len(data.label))

    def slope(weights: Rows) -> tuple[float, Rows]:
        chances = softmax(matrix @ weights[:kept] + meaning @ weights[kept:-1] + weights[-1])
        missed = -float((weight[:, 0] * np.log(np.maximum(chances[rows, data.label], 1e-12))).sum())
        chances[rows, data.label] -= 1.0
        off = weight * chances
        down = weights / np.float32(STRENGTH)
        down[:kept] += turned @ off
        down[kept:-1] += meaning.T @ off
        down[-1] += off.sum(axis=0)
        return missed + 0.5 / STRENGTH * float(np.vdot(weights, weights)), down

    squares = matrix.multiply(matrix).T @ weight
    bends = np.sqrt(np.vstack([squares, (meaning * meaning).T @ weight, [[1.0]]]) / len(labels) + 1.0 / STRENGTH).astype(
        np.float32
    )
    begin = np.zeros((kept + meaning.shape[1] + 1, len(labels)), np.float32)
    weights = least(slope, begin, rounds=rounds, bends=bends)
    dense = weights[kept:]
    dense[:-1] *= MEANING
    return Head(labels, buckets, weights[:kept], dense, dict.fromkeys(LANGUAGES, Calibration()))


def _calibrated(head: Head, data: Set) -> Head:
    """Return `head` with temperature and limits by language, found on families that its copies had not seen."""
    logits = np.zeros((len(data.label), len(head.labels)), np.float32)
    fold = np.random.default_rng(0).permutation(int(data.family.max()) + 1)[data.family] % FOLDS
    for one in range(FOLDS):
        unseen = fold == one
        logits[unseen] = _logits(_fit(data.rows(~unseen), head.labels, head.buckets, rounds=FOLD_ROUNDS), data.rows(unseen))
    calibration: dict[Language, Calibration] = {}
    measured: list[tuple[str, float]] = []
    for language in LANGUAGES:
        where = data.language == language
        if not where.any():
            calibration[language] = Calibration()
            continue
        calibration[language] = _calibrate(logits[where], data.label[where], data.weight[where], head.labels)
        asked = where & data.written
        right = logits[asked].argmax(axis=1) == data.label[asked]
        measured.append((f"unseen lines, {language}", float(np.average(right, weights=data.weight[asked]))))
    return replace(head, calibration=calibration, measured=tuple(measured))


def _logits(head: Head, data: Set) -> Rows:
    logits: Rows = data.features @ head.weights + (data.meaning / MEANING) @ head.dense[:-1] + head.dense[-1]
    return logits


def _calibrate(logits: Rows, label: NDArray[np.intp], weight: NDArray[np.float64], labels: tuple[str, ...]) -> Calibration:
    """Return the temperature with the least cross entropy, and at that temperature the limits."""
    rows = np.arange(len(label))

    def missed(temperature: float) -> float:
        chances = softmax(logits / np.float32(temperature))
        return -float(np.average(np.log(np.maximum(chances[rows, label], 1e-12)), weights=weight))

    temperature = min((float(step) for step in np.geomspace(0.3, 3.0, 60)), key=missed)
    chances = softmax(logits / np.float32(temperature))
    if NONE not in labels:
        return Calibration(temperature)
    none = labels.index(NONE)
    served = np.delete(chances, none, axis=1)
    numbers = np.delete(np.arange(len(labels)), none)
    best = served.max(axis=1)
    skill = numbers[served.argmax(axis=1)]
    beaten = chances[:, none] > best

    def right(limit: float) -> float:
        said = np.where(beaten | (best < limit), none, skill)
        return float(np.average(said == label, weights=weight))

    limit = max((float(step) for step in np.arange(0.2, 0.6, 0.01)), key=right)
    second = np.sort(served, axis=1)[:, -2] if served.shape[1] > 1 else np.zeros(len(label))
    answered = ~beaten & (best >= limit)
    margins = np.sort((best - second)[answered])
    within = float(margins[int(ASKED_AT_MOST * len(margins))]) if len(margins) else 0.0
    return Calibration(temperature, limit, min(within, WIDEST_ASK))
