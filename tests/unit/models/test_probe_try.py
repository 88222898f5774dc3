"""What the child measures: the memory of the model's own code, and vectors by the live embedder."""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.errors import DirectionError
from bot.models import probe_try
from bot.models.probe_said import Asked
from bot.models.probe_try import _canaries, _Embedder, _Memory, _share, _Tried, same
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import TranslationInput
from bot.models.trial import gate_of

TRIED = ModelSpec("a", "letters", "echo", "builtin")
LIVE = ModelSpec("e", "embed", "echo", "builtin", revision="1")


def test_answers_are_the_same_up_to_rounding() -> None:
    assert same([1.0, ("a", 2)], [1.0001, ("a", 2)])
    assert same(np.ones(3), np.ones(3) + 1e-5)
    assert same(TRIED, TRIED)
    assert not same(np.ones(3), np.ones(4))
    assert not same(TRIED, LIVE)
    assert not same(1.0, 1.1)
    assert not same("a", "b")
    assert not same((1,), (1, 2))


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is Linux's")
def test_memory_that_was_given_back_counts_and_that_of_others_does_not() -> None:
    memory = _Memory()
    kept: list[object] = [np.ones(20 << 20, np.uint8)]
    memory.of(lambda: len(np.ones(120 << 20, np.uint8)))
    assert 115 <= memory.most_mb <= 150
    kept.append(np.ones(60 << 20, np.uint8))
    memory.of(lambda: kept.append(np.ones(10 << 20, np.uint8)))
    assert memory.most_mb <= 150, "what the gate takes is not the model's"


@pytest.mark.parametrize(("share", "value"), [(0.5, 11), (0.95, 20), (0.0, 1)])
def test_a_share_of_the_times_lies_below(share: float, value: float) -> None:
    assert _share([float(one) for one in range(20, 0, -1)], share) == value
    assert _share([], share) == 0.0


class OneWay:
    """Translates into the one language, whatever it is given."""

    def __init__(self, target: str) -> None:
        self.target = target

    def predict(self, batch: Sequence[TranslationInput]) -> list[str]:
        if any(item.target != self.target for item in batch):
            raise DirectionError("another direction")
        return ["The door is open." for _item in batch]

    def close(self) -> None:
        pass


def test_a_translator_of_one_direction_is_asked_in_that_one() -> None:
    said: list[object] = []
    gate = gate_of("translate")
    assert gate is not None
    tried = _Tried("ko-en", OneWay("en"), _Memory(), said.append)

    assert _canaries(gate, tried, ("ko", "en")) is None
    tried.begin(gate.count(("ko", "en")))
    assert {one.language for one in gate.evaluate(tried.predict, np.zeros, ("ko", "en"))} == {"en"}
    assert said[-1] == {"stage": "case", "case": 24, "of": 24}
    assert len(tried.spent_ms) == 12, "what was refused is no answer's time"


def test_a_translator_of_no_direction_of_ours_says_so() -> None:
    gate = gate_of("translate")
    assert gate is not None
    with pytest.raises(DirectionError):
        _canaries(gate, _Tried("de-fr", OneWay("fr"), _Memory(), print), ())


class Vectors:
    def predict(self, batch: Sequence[str]) -> list[NDArray[np.float32]]:
        assert len(batch) <= probe_try.EMBEDDED_AT_ONCE
        return [np.array([len(text), 1], np.float32) for text in batch]

    def close(self) -> None:
        pass


def test_vectors_come_from_the_live_embedder_loaded_once(shop, families) -> None:  # type: ignore[no-untyped-def]
    shop.make = lambda _spec: Vectors()
    embed = _Embedder(Asked(TRIED, "", LoadOptions(), LIVE, "x"), families)
    assert embed.identity == "e@1"
    assert embed(["ab"] * 40).tolist() == [[2, 1]] * 40
    assert embed(["a"]).tolist() == [[1, 1]]
    assert len(shop.loaded) == 1


def test_without_an_embedder_vectors_have_no_dimension(families) -> None:  # type: ignore[no-untyped-def]
    embed = _Embedder(Asked(TRIED, str(Path()), LoadOptions()), families)
    assert (embed.identity, embed(["a", "b"]).shape) == ("", (2, 0))
