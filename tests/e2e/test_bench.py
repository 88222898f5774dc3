"""`paring bench` as a program: the models of this machine, measured in children of their own."""

from __future__ import annotations

import json
from pathlib import Path

from fakes.program import paring

from bot.models.memory import MeasuredFile


async def test_a_slot_is_measured_and_what_its_model_takes_is_remembered(tmp_path: Path) -> None:
    code, out, complaint = await paring(tmp_path, "bench", "summarise", "--json")

    assert code == 0, complaint
    said = json.loads(out)
    (row,) = said["models"]
    assert (row["slot"], row["model"], row["failed"], said["profile"]) == ("summarise", "summarise.extract.v1", "", None)
    assert 0 < row["p50_ms"] <= row["p95_ms"]
    assert row["answers_per_s"] > 0
    assert said["machine"]["budget_mb"] <= said["machine"]["memory_mb"]
    assert MeasuredFile(tmp_path / "measured.json").ram_mb("summarise.extract.v1") == row["ram_mb"] > 0


async def test_a_slot_that_is_not_or_is_empty_is_told(tmp_path: Path) -> None:
    code, _out, complaint = await paring(tmp_path, "bench", "sumarise")
    assert (code, "There is no slot “sumarise”. There are: caption, chat, embed" in complaint) == (1, True)

    code, _out, complaint = await paring(tmp_path, "bench", "caption", LC_ALL="ko_KR.UTF-8")
    assert (code, "caption 자리에 쓰고 있는 모델이 없어요" in complaint) == (1, True)
