"""Two answers to the same request are alike in the sense of what the slot makes."""

import io

import numpy as np
import pytest
from PIL import Image

from bot.models.agreement import agreement, mean_agreement
from bot.models.tasks import Reading, RouteScores, Summary, Verdict


def unit(*numbers: float) -> np.ndarray:
    vector = np.asarray(numbers, dtype=np.float32)
    return vector / np.linalg.norm(vector)


def png(colour: str) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(data, "PNG")
    return data.getvalue()


@pytest.mark.parametrize(
    ("old", "new", "alike"),
    [
        (unit(1, 0), unit(1, 0), 1.0),
        (unit(1, 0), unit(1, 1), 0.707),
        (unit(1, 0), unit(-1, 0), 0.0),
        (unit(1, 0), unit(1, 0, 0), 0.0),
        (RouteScores((("search", 0.9), ("chat", 0.1))), RouteScores((("search", 0.5), ("none", 0.5))), 1.0),
        (RouteScores((("search", 0.9),)), RouteScores((("chat", 0.9),)), 0.0),
        (Verdict(2.0, (0.1, 3.0)), Verdict(0.5, (-4.0, -1.0)), 1.0),
        (Verdict(2.0, (0.1, 3.0)), Verdict(2.0, (3.0, 0.1)), 0.0),
        (Verdict(-2.0, (0.1, 3.0)), Verdict(-1.0, (3.0, 0.1)), 1.0),
        (Verdict(2.0, ()), Verdict(-2.0, ()), 0.0),
        (Summary("the lease ends in April"), Summary("the lease ends in April"), 1.0),
        (Summary("lease ends april"), Summary("lunch served noon"), 0.0),
        (Summary("계약은 사월에 끝난다"), Summary("계약은 사월에 끝난다"), 1.0),
        (Reading("Total 12,000", 0.9, "a", ("en",)), Reading("Total 12,0O0", 0.4, "b", ("en",)), 0.909),
        ("안녕하세요", "안녕하세요", 1.0),
        (png("white"), png("white"), 1.0),
        (png("white"), png("black"), 0.0),
    ],
)
def test_alike(old: object, new: object, alike: float) -> None:
    assert agreement(old, new) == pytest.approx(alike, abs=0.002)


def test_a_batch_is_its_mean_and_one_of_another_length_is_not_alike() -> None:
    assert mean_agreement(["a", "b"], ["a", "c"]) == 0.5
    assert mean_agreement(["a"], []) == 0.0
