"""Counting how well messages are routed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast
from zlib import crc32

import numpy as np
import pytest

from bot.errors import UnreadableError
from bot.evaluate.route import Labelled, count, evaluate_route, evaluate_route_trained, read_labelled
from bot.locale import Language
from bot.router import Decision
from bot.skill import Models


def written(tmp_path: Path, *rows: dict[str, str], name: str = "rows.jsonl") -> Path:
    file = tmp_path / name
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


async def first_words(asked: Sequence[tuple[str, Language]]) -> list[Decision]:
    words = [text.split(maxsplit=1)[0] for text, _language in asked]
    return [Decision(word, 0.9, "chat", 0.05, "none" if word == "none" else "answer") for word in words]


async def test_figures_by_label_and_language(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        {"text": "search a", "label": "search"},
        {"text": "none b", "label": "search"},
        {"text": "none c", "label": "oos"},
        {"text": "chat 안녕하세요 반가워요", "label": "chat"},
    )
    figures = (await evaluate_route(file, first_words)).as_json()
    assert figures["accuracy"] == 0.75
    assert figures["by_label"] == {
        "chat": {"precision": 1.0, "recall": 1.0, "f1": 1.0, "n": 1},
        "none": {"precision": 0.5, "recall": 1.0, "f1": 0.6667, "n": 1},
        "search": {"precision": 1.0, "recall": 0.5, "f1": 0.6667, "n": 2},
    }
    assert figures["macro_f1"] == pytest.approx((1 + 2 / 3 + 2 / 3) / 3, abs=1e-4)
    assert figures["by_language"] == {"ko": {"accuracy": 1.0, "n": 1}, "en": {"accuracy": 0.6667, "n": 3}}


def test_a_label_that_nothing_was_given_has_no_precision() -> None:
    figures = count([Labelled("a", "search", "en")], ["chat"])
    assert (figures.accuracy, figures.macro_f1) == (0.0, 0.0)


class Words:
    """Models whose embedder adds up a fixed random row a word."""

    async def run(self, slot: object, batch: Sequence[str], *, bulk: bool = False) -> list[np.ndarray]:
        return [
            sum((np.random.default_rng(crc32(w.encode())).normal(size=8) for w in text.split()), np.zeros(8)).astype(np.float32)
            for text in batch
        ]


async def test_the_same_head_learns_labels_of_others(tmp_path: Path) -> None:
    cities = ("oslo", "rome", "lima", "cairo", "paris", "delhi", "quito", "sofia")
    train = written(
        tmp_path,
        *({"text": f"fly to {c}", "label": "flight"} for c in cities),
        *({"text": f"weather in {c}", "label": "weather"} for c in cities),
    )
    test = written(
        tmp_path, {"text": "fly to busan", "label": "flight"}, {"text": "weather in busan", "label": "weather"}, name="test.jsonl"
    )
    figures = await evaluate_route_trained(train, test, cast("Models", Words()))
    assert figures.accuracy == 1.0
    assert [label for label, _figures in figures.by_label] == ["flight", "weather"]


async def test_one_line_a_label_is_little_to_learn_from_and_no_error(tmp_path: Path) -> None:
    lines = written(tmp_path, {"text": "fly to oslo", "label": "flight"}, {"text": "요약해줘", "label": "sum"})
    assert (await evaluate_route_trained(lines, lines, cast("Models", Words()))).n == 2


@pytest.mark.parametrize("text", ['{"text": "a"}\n', "a\n", "[]\n", '{"label": "a"}\n'])
def test_a_line_without_text_and_label_is_told_by_its_number(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "a", "label": "b"}\n' + text)
    with pytest.raises(UnreadableError, match=r"Line 2 of rows\.jsonl"):
        read_labelled(file)


def test_a_file_without_lines_is_told(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("\n")
    with pytest.raises(UnreadableError, match="no lines"):
        read_labelled(tmp_path / "rows.jsonl")
