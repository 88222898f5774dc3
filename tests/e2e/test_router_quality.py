"""The head that the install trains, on lines that nothing was trained on."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from bot.config import Settings
from bot.models.heads.build import prepared_head
from bot.models.prepare import prepared_minilm
from bot.models.runtimes import linear_head, minilm_ko
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import RouteInput
from bot.router import Decision, decide, embeddable

HELD_OUT = Path(__file__).parents[1] / "data" / "route_heldout.jsonl"
SPEC = ModelSpec("any", "any", "any", "builtin")


@pytest.mark.timeout(600)
def test_held_out_lines_are_routed_well(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    embedder = minilm_ko.load(SPEC, prepared_minilm(settings.home), LoadOptions())
    head = linear_head.load(SPEC, prepared_head(settings), LoadOptions())
    right: dict[tuple[str, bool], list[bool]] = defaultdict(list)
    for line in HELD_OUT.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        (vector,) = embedder.predict([embeddable(row["text"])])
        (scores,) = head.predict([RouteInput(row["text"], row["language"], vector)])
        decision: Decision = decide(scores)
        right[row["language"], row["label"] == "none"].append(decision.skill == row["label"])
    share = {key: sum(hits) / len(hits) for key, hits in right.items()}
    assert share["en", False] >= 0.95
    assert share["ko", False] >= 0.93
    assert share["en", True] >= 0.92
    assert share["ko", True] >= 0.92
