"""The router's model: one row of weights a feature and a label, a safetensors file and a manifest. Needs numpy alone.

Owns: the file format, the arithmetic of an answer, and which pieces of a text weighed most. Leaves to `bot.models.heads` what a
feature is and how the weights are learnt, to `bot.router` what is done with the probabilities.

    model = load(spec, folder, LoadOptions())
    (scores,) = model.predict([RouteInput("where is the plan?", "en", vector)])
    scores.ranked[0]             # ("search", 0.98)

A folder holds head.safetensors (`buckets` int32 (n,), sorted; `weights` float32 (n, labels); `dense` float32 (d + 1, labels), its last
row the bias) and manifest.json, which has the sha256 of the other and the calibration by language.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.errors import ModelError, UnsafeModelError
from bot.locale import LANGUAGES, Language, phrases
from bot.models.heads.features import features, gist, normalise
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import RouteInput, RouteScores

_ = phrases(__file__)

FORMAT: Final = "route.linear.v1"
WEIGHTS: Final = "head.safetensors"
MANIFEST: Final = "manifest.json"
BECAUSE: Final = 4
"""Words of the text that are told as what weighed most."""
WEIGHED: Final = 40
"""Pieces, the strongest, that those words are found by."""
_EDGES: Final = "<>~^$ _"
_MARKS: Final = "?!.,;:…~()[]{}\"'“”‘’«»<>"

Rows = NDArray[np.float32]
Integers = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Calibration:
    """One language's: what logits are divided by, and the two limits that `bot.router` acts on (probabilities, 0..1)."""

    temperature: float = 1.0
    none_below: float = 0.0
    ask_within: float = 0.0


@dataclass(frozen=True, slots=True)
class Head:
    """Weights, float32: `weights` (n buckets, labels), `dense` (d + 1, labels); and what is known of how well they do."""

    labels: tuple[str, ...]
    buckets: Integers
    weights: Rows
    dense: Rows
    calibration: Mapping[Language, Calibration]
    embedder: str = ""
    made_of: str = ""
    measured: tuple[tuple[str, float], ...] = ()
    """Accuracies out of fold, by name."""


class LinearHead:
    """A loaded head."""

    workers = 2
    batch_rows = 32

    def __init__(self, head: Head) -> None:
        """Keep the weights."""
        self.head = head

    def predict(self, batch: Sequence[RouteInput]) -> list[RouteScores]:
        """Return calibrated probabilities for each text, in order, with the limits of its language and what weighed most."""
        return [self._weighed(item) for item in batch]

    def close(self) -> None:
        """Nothing is held but memory."""

    def _weighed(self, item: RouteInput) -> RouteScores:
        head = self.head
        weights, names = features(item.text)
        rows, values, buckets = _known(head.buckets, weights)
        logits = values @ head.weights[rows] + _meaning(head, item)
        calibration = head.calibration.get(item.language, Calibration())
        chances = softmax(logits[None, :] / calibration.temperature)[0]
        order = np.argsort(-chances, kind="stable")
        best, second = int(order[0]), int(order[min(1, len(order) - 1)])
        pulls = values * (head.weights[rows, best] - head.weights[rows, second])
        strongest = np.argsort(-np.abs(pulls))[:WEIGHED]
        return RouteScores(
            ranked=tuple((head.labels[index], float(chances[index])) for index in order),
            none_below=calibration.none_below,
            ask_within=calibration.ask_within,
            because=_strongest([(float(pulls[at]), names.get(buckets[at], "")) for at in strongest], item.text),
        )


def load(_spec: ModelSpec, folder: Path, _options: LoadOptions) -> LinearHead:
    """Return the head that lies in `folder`.

    Raises:
        UnsafeModelError: the files are not those that the manifest names.
        ModelError: there is no head, or one of another format.
    """
    return LinearHead(read_head(folder))


def read_head(folder: Path) -> Head:
    """Return the head in `folder`, its bytes checked against the manifest. Raises as `load`."""
    from safetensors.numpy import load as read_tensors  # noqa: PLC0415 - a leaf's library

    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        data = (folder / WEIGHTS).read_bytes()
        if said["format"] != FORMAT:
            raise ModelError(
                _("The router in {folder} has another format. Delete the folder; it is made anew.", folder=folder.name)
            )
        if hashlib.sha256(data).hexdigest() != said["sha256"]:
            raise UnsafeModelError(
                _("The router in {folder} is damaged. Delete the folder; it is made anew.", folder=folder.name)
            )
        tensors = read_tensors(data)
        return Head(
            labels=tuple(str(label) for label in said["labels"]),
            buckets=tensors["buckets"],
            weights=tensors["weights"],
            dense=tensors["dense"],
            calibration={language: Calibration(**said["calibration"][language]) for language in LANGUAGES},
            embedder=str(said["embedder"]),
            made_of=str(said["made_of"]),
            measured=tuple((str(name), float(value)) for name, value in said["measured"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            _("The router in {folder} cannot be read ({reason}). Delete the folder; it is made anew.",
              folder=folder.name, reason=type(error).__name__)
        ) from error  # fmt: skip


def write_head(head: Head, folder: Path) -> None:
    """Write `head` into `folder`, which exists. The caller renames the folder when it is whole."""
    from safetensors.numpy import save  # noqa: PLC0415

    data = save({"buckets": head.buckets, "weights": head.weights, "dense": head.dense})
    (folder / WEIGHTS).write_bytes(data)
    said = {
        "format": FORMAT,
        "sha256": hashlib.sha256(data).hexdigest(),
        "labels": list(head.labels),
        "calibration": {language: asdict(one) for language, one in head.calibration.items()},
        "embedder": head.embedder,
        "made_of": head.made_of,
        "measured": [list(pair) for pair in head.measured],
    }
    (folder / MANIFEST).write_text(json.dumps(said, indent=1, ensure_ascii=False), encoding="utf-8")


def softmax(logits: Rows) -> Rows:
    """Return each row's probabilities, float32, that sum to 1."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances: Rows = (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32)
    return chances


def _known(buckets: Integers, weights: Mapping[int, float]) -> tuple[NDArray[np.intp], Rows, list[int]]:
    """Return the rows of the text's buckets that the head knows, their values, and those buckets."""
    asked = np.fromiter(weights.keys(), np.int32, len(weights))
    values = np.fromiter(weights.values(), np.float32, len(weights))
    places = np.searchsorted(buckets, asked)
    there = places < len(buckets)  # of a head that learnt from single lines, none
    there[there] = buckets[places[there]] == asked[there]
    return places[there], values[there], [int(bucket) for bucket in asked[there]]


def _meaning(head: Head, item: RouteInput) -> Rows:
    """Return what the embedding adds to the logits; nothing where it is not by the embedder that was trained with."""
    bias: Rows = head.dense[-1]
    another = bool(item.embedder and head.embedder) and item.embedder != head.embedder
    if another or len(item.vector) != len(head.dense) - 1:
        return bias
    meant: Rows = item.vector @ head.dense[:-1] + bias
    return meant


def _strongest(pulls: list[tuple[float, str]], text: str) -> tuple[str, ...]:
    """Return the words of `text` whose pieces pulled most towards the best label, strongest first."""
    words = dict.fromkeys(word.strip(_MARKS) for word in normalise(gist(text)).split())
    total = dict.fromkeys((word for word in words if word), 0.0)
    for pull, name in pulls:
        pieces = [piece for piece in name.strip(_EDGES).split() if piece != "_"]
        hit = [word for word in total if any(piece in word for piece in pieces)]
        for word in hit:
            total[word] += pull / len(hit)
    ranked = sorted(total.items(), key=lambda one: -one[1])
    return tuple(word for word, pull in ranked[:BECAUSE] if pull > 0)
