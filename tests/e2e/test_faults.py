"""Each line of the fault matrix, in short: what it does to the bot, lost, doubled, leaked or broke nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.faults import SHORT, Fault, Plan
from benchmarks.faults.matrix import FAULTS


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_a_fault_loses_doubles_and_leaks_nothing(fault: Fault, tmp_path: Path) -> None:
    row = await fault.run(Plan(tmp_path, scale=SHORT))

    assert row.tried > 0
    assert row.sound or fault.known, row
