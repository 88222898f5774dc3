"""How well messages are routed: the live router on labelled lines, or the same head trained on labels of somebody else's.

Owns: reading the lines, the counting. Leaves the routing to `bot.router`, the learning to `bot.models.heads.train`.

    result = await evaluate_route(Path("labelled.jsonl"), app.router.decide_many)
    result.accuracy, result.as_json()["by_label"]["none"]["recall"]
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bot.errors import UnreadableError
from bot.evaluate.route_lines import AT_ONCE, DecideMany, language_of
from bot.locale import Language, phrases
from bot.models.heads.utterances import NONE, Example
from bot.models.runtimes.linear_head import LinearHead
from bot.models.tasks import EMBED, RouteInput, Vector
from bot.router import Decision, embeddable
from bot.skill import Models

_ = phrases(__file__)

OUT_OF_SCOPE: Final = ("oos", "out_of_scope", "none")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and what it is for. `language` as the line says, else as the text looks."""

    text: str
    label: str
    language: Language


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """One label's: precision, recall and F1, 0..1, and how many texts have it."""

    precision: float
    recall: float
    f1: float
    n: int


@dataclass(frozen=True, slots=True)
class RouteFigures:
    """How well texts were routed. `asked` is the share that a person would have been asked about (their best guess counts)."""

    accuracy: float
    macro_f1: float
    n: int
    asked: float
    by_label: tuple[tuple[str, LabelFigures], ...]
    by_language: tuple[tuple[Language, float, int], ...]

    def as_json(self) -> dict[str, object]:
        """Return the figures as JSON holds them."""
        return {
            "accuracy": round(self.accuracy, 4),
            "macro_f1": round(self.macro_f1, 4),
            "n": self.n,
            "asked": round(self.asked, 4),
            "by_label": {
                label: {"precision": round(one.precision, 4), "recall": round(one.recall, 4), "f1": round(one.f1, 4), "n": one.n}
                for label, one in self.by_label
            },
            "by_language": {language: {"accuracy": round(share, 4), "n": n} for language, share, n in self.by_language},
        }


async def evaluate_route(file: Path, decide_many: DecideMany) -> RouteFigures:
    """Route every line of `file` and count. The label "oos" counts as "none".

    Raises:
        UnreadableError: a line is not JSON with text and label.
    """
    lines = await asyncio.to_thread(read_labelled, file)
    decisions: list[Decision] = []
    for start in range(0, len(lines), AT_ONCE):
        decisions += await decide_many([(line.text, line.language) for line in lines[start : start + AT_ONCE]])
    asked = sum(decision.action == "ask" for decision in decisions)
    return count(lines, [decision.skill for decision in decisions], asked=asked)


async def evaluate_route_trained(train: Path, test: Path, models: Models) -> RouteFigures:
    """Train the router's kind of head on the labels of `train`, and count on `test`. Nothing is kept.

    Raises:
        UnreadableError: a line is not JSON with text and label.
    """
    learnt = await asyncio.to_thread(read_labelled, train)
    tested = await asyncio.to_thread(read_labelled, test)
    examples = [Example(line.text, line.label, line.language, index, 1.0) for index, line in enumerate(learnt)]
    texts = list(dict.fromkeys(embeddable(line.text) for line in (*learnt, *tested)))
    vectors = await _embedded(texts, models)
    predicted = await asyncio.to_thread(_train_and_predict, examples, tested, vectors)
    return count(tested, predicted)


def read_labelled(file: Path) -> list[Labelled]:
    """Return the labelled lines of a JSON-lines file. Raises UnreadableError, with the line's number, for what is none."""
    found: list[Labelled] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
            text, label = str(said["text"]), str(said["label"])
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableError(
                _("Line {number} of {name} is not JSON with text and label. Nothing was measured; mend the line and try again.",
                  number=number, name=file.name)
            ) from error  # fmt: skip
        found.append(Labelled(text, NONE if label in OUT_OF_SCOPE else label, language_of(said.get("language"), text)))
    if not found:
        raise UnreadableError(_("{name} has no lines to measure with.", name=file.name))
    return found


def count(lines: Sequence[Labelled], predicted: Sequence[str], *, asked: int = 0) -> RouteFigures:
    """Return the figures of `predicted` labels for `lines`, in the same order; macro F1 is over the labels that lines have."""
    have = Counter(line.label for line in lines)
    said = Counter(predicted)
    right = Counter(line.label for line, label in zip(lines, predicted, strict=True) if line.label == label)
    by_label = tuple((label, _figures(right[label], said[label], have[label])) for label in sorted(have))
    by_language: list[tuple[Language, float, int]] = []
    for language in ("ko", "en"):
        hits = [line.label == label for line, label in zip(lines, predicted, strict=True) if line.language == language]
        if hits:
            by_language.append((language, sum(hits) / len(hits), len(hits)))
    return RouteFigures(
        accuracy=sum(right.values()) / len(lines),
        macro_f1=sum(figures.f1 for _label, figures in by_label) / len(by_label),
        n=len(lines),
        asked=asked / len(lines),
        by_label=by_label,
        by_language=tuple(by_language),
    )


def _figures(right: int, said: int, have: int) -> LabelFigures:
    precision, recall = right / said if said else 0.0, right / have
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return LabelFigures(precision, recall, f1, have)


async def _embedded(texts: Sequence[str], models: Models) -> dict[str, Vector]:
    vectors: dict[str, Vector] = {}
    for start in range(0, len(texts), AT_ONCE):
        some = texts[start : start + AT_ONCE]
        vectors.update(zip(some, await models.run(EMBED, some, bulk=True), strict=True))
    return vectors


def _train_and_predict(examples: Sequence[Example], tested: Sequence[Labelled], vectors: dict[str, Vector]) -> list[str]:
    from bot.models.heads.train import train  # noqa: PLC0415 - scipy, only where one trains

    head = train(examples, lambda texts: np.stack([vectors[text] for text in texts]), varied=False, calibrated=False)
    asked = [RouteInput(line.text, line.language, vectors[embeddable(line.text)]) for line in tested]
    return [scores.ranked[0][0] for scores in LinearHead(head).predict(asked)]
