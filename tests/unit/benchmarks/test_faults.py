"""The fault matrix's own parts: which faults are run, and how its page is written."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.__main__ import in_their_places
from benchmarks.faults.matrix import FAULTS, named
from benchmarks.faults.page import BEGIN, END, table, written


async def _none(_plan: Plan) -> Row:
    return Row(1, "messages")


KILLED = Fault("kill-nine", "delivery", "`kill -9` under load", _none, most_s=300)
BOMBED = Fault("bombs", "files", "bombs", _none, most_s=60, known="it is big")


def test_names_are_unique() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_a_name_that_nobody_has_is_refused() -> None:
    with pytest.raises(KeyError):
        named(("no-such-fault",))


def test_a_row_is_sound_only_where_nothing_went_wrong() -> None:
    assert Row(5, "messages").sound
    assert not any(Row(5, "messages", **{count: 1}).sound for count in ("lost", "doubled", "leaked", "failed"))


async def test_what_needs_all_cores_runs_alone_and_what_waits_beside_it() -> None:
    running: list[str] = []
    together: set[frozenset[str]] = set()

    async def take(fault: Fault) -> None:
        running.append(fault.name)
        for _turn in range(10 if fault.name == "e" else 2):
            together.add(frozenset(running))
            await asyncio.sleep(0)
        running.remove(fault.name)

    faults = [
        Fault(name, "load", name, _none, most_s=1, cores=cores)
        for name, cores in (("a", 1), ("b", 2), ("c", 1), ("d", 2), ("e", 0))
    ]
    await in_their_places(faults, take)

    seen = {frozenset(one - {"e"}) for one in together}
    assert {frozenset("b"), frozenset("d"), frozenset("ac")} <= seen
    assert all(len(one) == 1 for one in seen if one & {"b", "d"})
    assert any("e" in one and "b" in one for one in together)


def test_the_page_has_a_table_a_section_between_its_marks() -> None:
    rows = {"kill-nine": Row(200, "kills", worst_wait_s=2.5, note="two at once"), "bombs": Row(30, "files", leaked=1)}

    page = written(f"# Faults\n{BEGIN}old{END}\ntail", table(rows, [KILLED, BOMBED]), seed=1, scale=1.0, minutes=12)

    assert page.startswith("# Faults\n")
    assert page.endswith("\ntail")
    assert "old" not in page
    assert "| `kill -9` under load | 200 kills | 0 | 0 | 0 | 0 | 2.50 s | two at once |" in page
    assert "| bombs | 30 files | 0 | 0 | 1 | 0 |  | it is big |" in page


def test_a_page_without_a_place_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        written("# Faults", "", seed=1, scale=1.0, minutes=0)
