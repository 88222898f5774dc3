"""A head learns from a few lines what they have in common."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.models.heads.features import embeddable
from bot.models.heads.train import Sees, train
from bot.models.heads.utterances import Example
from bot.models.runtimes.linear_head import Head, LinearHead
from bot.models.tasks import RouteInput

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

THINGS = ("plan", "budget", "contract", "report", "roadmap", "invoice", "handbook", "photo", "letter", "minutes", "mail", "page")
DEVICES = ("lamp", "heater", "oven", "fan", "radio", "pump", "door", "blinds", "screen", "kettle", "alarm", "boiler")


def examples() -> list[Example]:
    found: list[Example] = []
    for index, (thing, device) in enumerate(zip(THINGS, DEVICES, strict=True)):
        found += [
            Example(f"where is the {thing}", "search", "en", 4 * index, 1.0),
            Example(f"summarise the {thing}", "summarise", "en", 4 * index + 1, 1.0),
            Example(f"turn on the {device}", "none", "en", 4 * index + 2, 1.0),
            Example(f"{thing} 어디 있어", "search", "ko", 4 * index + 3, 1.0),
            Example(f"{thing} 요약해줘", "summarise", "ko", 4 * index + 3, 1.0),
        ]
    return found


@pytest.fixture(scope="module")
def head(embed: Embed) -> Head:
    return train(examples(), embed, embedder="words")


@pytest.mark.parametrize(
    ("text", "label"),
    [("where is the calendar", "search"), ("please summarise it", "summarise"), ("turn on the music", "none"), ("달력 어디 있어요", "search"),
     ("이거 요약해 주세요", "summarise")],
)  # fmt: skip
def test_what_was_never_seen_goes_where_its_like_went(head: Head, embed: Embed, text: str, label: str) -> None:
    language = "en" if text.isascii() else "ko"
    (scores,) = LinearHead(head).predict([RouteInput(text, language, embed([embeddable(text)])[0])])  # type: ignore[arg-type]
    assert scores.ranked[0][0] == label
    assert sum(score for _label, score in scores.ranked) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("sees", ["words", "vectors"])
def test_a_head_that_sees_one_of_both_decides_by_that_alone(embed: Embed, sees: Sees) -> None:
    model = LinearHead(train(examples(), embed, embedder="words", sees=sees))
    plan, music = ("where is the calendar", "turn on the music")
    vectors = [embed([embeddable(text)])[0] for text in (plan, music)]
    crossed = [RouteInput(plan, "en", vectors[1], "words"), RouteInput(music, "en", vectors[0], "words")]
    said = [scores.ranked[0][0] for scores in model.predict(crossed)]
    assert said == (["search", "none"] if sees == "words" else ["none", "search"])


def test_the_same_examples_make_the_same_head(head: Head, embed: Embed) -> None:
    again = train(examples(), embed, embedder="words")
    assert np.array_equal(again.weights, head.weights)
    assert again.calibration == head.calibration


def test_limits_are_found_for_each_language(head: Head) -> None:
    assert set(head.calibration) == {"ko", "en"}
    assert all(
        0 < one.temperature <= 3 and 0 <= one.none_below < 1 and 0 <= one.ask_within <= 0.2 for one in head.calibration.values()
    )
    assert dict(head.measured)["unseen lines, en"] > 0.9


def test_labels_of_one_language_and_no_none_are_enough(embed: Embed) -> None:
    foreign = [Example(one.text, one.label, "en", index, 1.0) for index, one in enumerate(examples()) if one.label != "none"]
    head = train(foreign, embed, varied=False, calibrated=False)
    assert head.labels == ("search", "summarise")
