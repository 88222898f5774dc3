"""Tables for people: Hangul takes two columns, failures and what else is known stand below."""

from __future__ import annotations

from dataclasses import replace

from bot.cli_help import columns
from bot.locale import Text
from bot.models.places import SlotStatus
from bot.status import model_rows, model_table, plain_table

IDLE = SlotStatus("embed", "embed.minilm.v1", loaded=False, pinned=True, size_bytes=136_300_000, ram_mb=135, licence="Apache-2.0",
                  languages=("en",), health="idle", p50_ms=None)  # fmt: skip
FAILED = replace(IDLE, slot="chat", model="", health="failed: It is cut off.", failure=Text("It is cut off."))


def test_columns_line_up_in_both_languages() -> None:
    for language in ("en", "ko"):
        lines = model_table([IDLE, replace(IDLE, health="ready")], {}, language).splitlines()
        starts = {columns(line[: line.index("Apache")]) for line in lines[1:]}
        assert len(starts) == 1
    assert lines[1].split()[:4] == ["embed", "embed.minilm.v1", "쉬는", "중"]


def test_a_failure_and_the_other_known_models_stand_below_the_table() -> None:
    shown = model_table([IDLE, FAILED], {"embed": ["embed.labse.v1", "embed.e5.v1"], "chat": []}, "en")
    rows, notes = shown.split("\n\n")
    assert rows.splitlines()[2].split()[:3] == ["chat", "-", "failed"]
    assert notes == "chat: failed: It is cut off.\nOthers known for embed: embed.labse.v1, embed.e5.v1"
    assert model_rows([FAILED])[0]["health"] == "failed: It is cut off."


def test_figures_are_named_for_people_and_measures_keep_their_names() -> None:
    result = {"ndcg@10": 0.5, "accuracy": 0.25, "by_label": {"search": {"n": 3}}}
    assert plain_table(result, "en").splitlines() == [
        "ndcg@10        0.5",
        "accuracy       0.25",
        "by label:",
        "  search:",
        "    lines          3",
    ]
    assert "정확도         0.25" in plain_table(result, "ko")
