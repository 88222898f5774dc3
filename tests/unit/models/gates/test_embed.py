"""The gate of the embedders: better ones have more, and what is no embedding is told."""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from bot.config import Settings
from bot.models.catalogue import Catalogue
from bot.models.fetch import resolve
from bot.models.gates.embed import EmbedGate
from bot.models.spec import LoadOptions
from bot.models.tasks import Vector

GATE = EmbedGate()
BOTH = ("ko", "en")


def quality(name: str, home: Path, *, languages: Sequence[str]) -> dict[str, float]:
    """Return the mean by language of a model that comes with the install."""
    settings = Settings(home=home)
    catalogue = Catalogue(settings)
    place = resolve(catalogue.find(name), settings)
    model = catalogue.families.loader(place.spec.family)(place.spec, place.folder, LoadOptions(threads=1))

    def predict(texts: Sequence[str]) -> list[Vector]:
        return [row for start in range(0, len(texts), 16) for row in model.predict(texts[start : start + 16])]

    assert GATE.fault(GATE.canaries(), predict(GATE.canaries()), languages) is None
    scored = GATE.evaluate(predict, lambda _texts: np.zeros((0, 0), np.float32), languages)
    model.close()
    return {one: fmean(each.score for each in scored if each.language == one) for one in {each.language for each in scored}}


def test_worse_embedders_have_less(tmp_path: Path) -> None:
    bilingual = quality("embed.minilm-ko.v3", tmp_path, languages=BOTH)
    english = quality("embed.minilm.v1", tmp_path, languages=BOTH)
    table = quality("embed.static.v1", tmp_path, languages=["en"])
    assert english["en"] - table["en"] > 2 * GATE.tolerance
    assert bilingual["ko"] - english["ko"] > 2 * GATE.tolerance
    assert abs(bilingual["en"] - english["en"]) < GATE.tolerance
    assert set(table) == {"en"}


def test_every_case_of_a_language_that_the_model_claims_is_asked() -> None:
    asked: list[str] = []

    def predict(texts: Sequence[str]) -> list[Vector]:
        asked.extend(texts)
        return [np.eye(4, dtype=np.float32)[len(text) % 4] for text in texts]

    def nothing(_texts: Sequence[str]) -> Vector:
        return np.zeros((0, 0), np.float32)

    scored = GATE.evaluate(predict, nothing, ["ko"])
    assert {one.language for one in scored} == {"ko"}
    assert len(scored) >= 20
    assert len(asked) == GATE.count(["ko"])
    assert GATE.count(["multilingual"]) == GATE.count([]) == 2 * GATE.count(["en"])
    assert fmean(one.score for one in scored) < 0.2, "what knows nothing ranks by chance"


def _row(text: str) -> Vector:
    row = np.array([len(text), len(set(text)) + 1, 1], np.float32)
    return row / np.linalg.norm(row)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (_row, None),
        (lambda text: _row(text)[: 2 + len(text) % 2], "one dimension"),
        (lambda _text: 3, "one dimension"),
        (lambda _text: np.full(3, np.nan, np.float32), "NaN"),
        (lambda text: 2 * _row(text), "length 1"),
        (lambda _text: _row("x"), "one and the same vector"),
    ],
)
def test_what_is_no_embedding_is_told(answer: Callable[[str], Vector], said: str | None) -> None:
    fault = GATE.fault(GATE.canaries(), [answer(text) for text in GATE.canaries()], BOTH)
    assert fault is None if said is None else fault is not None and said in fault.to("en")
