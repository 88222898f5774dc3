"""The head that the install trains, on lines that nothing was trained on."""

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.config import Settings
from bot.models.heads.build import prepared_head
from bot.models.prepare import prepared_minilm
from bot.models.runtimes import linear_head, minilm_ko
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import RouteInput
from bot.router import Decision, decide, embeddable

DATA = Path(__file__).parents[1] / "data"
SPEC = ModelSpec("any", "any", "any", "builtin")

Share = dict[tuple[str, bool], float]


@pytest.fixture(scope="module")
def routed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Share]:
    """Return the share of a file's lines that the head routes as they are labelled, by language and whether no skill serves."""
    settings = Settings(home=tmp_path_factory.mktemp("home"))
    embedder = minilm_ko.load(SPEC, prepared_minilm(settings.home), LoadOptions())
    head = linear_head.load(SPEC, prepared_head(settings), LoadOptions())

    def share(file: str) -> Share:
        right: dict[tuple[str, bool], list[bool]] = defaultdict(list)
        for line in (DATA / file).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            (vector,) = embedder.predict([embeddable(row["text"])])
            (scores,) = head.predict([RouteInput(row["text"], row["language"], vector)])
            decision: Decision = decide(scores)
            right[row["language"], row["label"] == "none"].append(decision.skill == row["label"])
        return {key: sum(hits) / len(hits) for key, hits in right.items()}

    return share


@pytest.mark.timeout(600)
def test_held_out_lines_are_routed_well(routed: Callable[[str], Share]) -> None:
    share = routed("route_heldout.jsonl")
    assert share["en", False] >= 0.95
    assert share["ko", False] >= 0.93
    assert share["en", True] >= 0.92
    assert share["ko", True] >= 0.92


@pytest.mark.timeout(600)
def test_names_that_nobody_taught_are_looked_for(routed: Callable[[str], Share]) -> None:
    share = routed("route_names.jsonl")
    assert share["en", False] >= 0.75
    assert share["ko", False] >= 0.75
