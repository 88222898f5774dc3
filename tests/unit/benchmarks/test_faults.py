"""The fault matrix's own parts: which faults are run, and how its page is written."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.faults import SIDE_BY_SIDE, Fault, Plan, Row, one
from benchmarks.faults.__main__ import in_their_places, main
from benchmarks.faults.matrix import FAULTS, named
from benchmarks.faults.page import BEGIN, END, replaced, table, written


async def _none(_plan: Plan) -> Row:
    return Row(1, "messages")


KILLED = Fault("kill-nine", "delivery", "`kill -9` under load", _none, most_s=300)
BOMBED = Fault("bombs", "files", "bombs", _none, most_s=60, known="it is big")


def test_names_are_unique() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_a_name_that_nobody_has_is_refused() -> None:
    with pytest.raises(KeyError):
        named(("no-such-fault",))


def test_an_unknown_name_is_answered_with_the_nearest_and_code_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["faults", "--only", "kill-nin"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "no fault and no section is named “kill-nin”; the nearest is “kill-nine”" in capsys.readouterr().err


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_process_of_its_own_finds_each_fault(fault: Fault) -> None:
    assert one.found(one.place(fault.run)) is fault.run


def test_what_a_process_is_told_is_a_plan(tmp_path: Path) -> None:
    words = one.words(FAULTS[0], Plan(tmp_path, 7, 0.5, shared=tmp_path / "shared"))
    assert words[:2] == ["-m", "benchmarks.faults.one"]
    assert words[3:] == ["--seed", "7", "--scale", "0.5", "--scratch", str(tmp_path), "--shared", str(tmp_path / "shared")]


def test_a_row_and_its_seconds_are_read_from_the_last_line() -> None:
    assert one.read(b'loaded\n{"row": {"tried": 3, "what": "kills"}, "cpu_s": 1.5}\n') == (Row(3, "kills"), 1.5)
    with pytest.raises(IndexError):
        one.read(b"")


def test_a_row_is_sound_only_where_nothing_went_wrong() -> None:
    assert Row(5, "messages").sound
    assert not any(Row(5, "messages", **{count: 1}).sound for count in ("lost", "doubled", "leaked", "failed"))


async def together(*faults: Fault, turns: int = 2) -> set[frozenset[str]]:
    """Return which of `faults` ran at the same time; one without a core goes on for longer than all others."""
    running: list[str] = []
    seen: set[frozenset[str]] = set()

    async def take(fault: Fault) -> None:
        running.append(fault.name)
        for _turn in range(turns if fault.cores else 99):
            seen.add(frozenset(running))
            await asyncio.sleep(0)
        running.remove(fault.name)

    await in_their_places(faults, take)
    return seen


def of(name: str, cores: float = 1.0, *, alone: bool = False, fills: bool = False, most_s: float = 1.0) -> Fault:
    return Fault(name, "load", name, _none, most_s=most_s, cores=cores, alone=alone, fills=fills)


async def test_what_is_timed_runs_alone_beside_what_only_waits() -> None:
    seen = await together(of("a"), of("timed", alone=True), of("waits", 0), of("b"), of("also timed", alone=True))

    assert all("waits" in one for one in seen if len(one) > 1)
    seen = {one - {"waits"} for one in seen}
    assert {frozenset({"timed"}), frozenset({"also timed"}), frozenset("ab")} <= seen
    assert all(len(one) == 1 for one in seen if one & {"timed", "also timed"})


async def test_no_more_run_side_by_side_than_cores_are_asked_for() -> None:
    faults = [
        of("half", 0.5, most_s=6),
        of("one", most_s=7),
        of("other half", 0.5, most_s=5),
        of("one and a half", 1.5, most_s=8),
    ]
    cores = {fault.name: fault.cores for fault in faults}
    seen = await together(*faults)

    assert {
        frozenset({"one and a half", "one"}),
        frozenset({"half", "other half"}),
    } <= seen  # the largest first, and what fits beside it
    assert max(sum(cores[name] for name in one) for one in seen) <= SIDE_BY_SIDE


async def test_what_fills_gaps_runs_beside_all_but_what_is_timed_one_at_a_time() -> None:
    seen = await together(
        of("fills", 2, fills=True), of("a", 1.5), of("b"), of("timed", alone=True), of("also fills", fills=True)
    )

    assert frozenset({"fills", "a", "b"}) in seen
    assert all(len(one) == 1 for one in seen if "timed" in one)
    assert not any({"fills", "also fills"} <= one for one in seen)


async def test_what_runs_ends_where_the_matrix_is_ended() -> None:
    begun, ended = asyncio.Event(), []

    async def take(fault: Fault) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(fault.name)

    whole = asyncio.create_task(in_their_places([of("a"), of("b")], take))
    await begun.wait()
    whole.cancel()
    with suppress(asyncio.CancelledError):
        await whole
    assert sorted(ended) == ["a", "b"]


def test_the_page_has_a_table_a_section_between_its_marks() -> None:
    rows = {"kill-nine": Row(200, "kills", worst_wait_s=2.5, note="two at once"), "bombs": Row(30, "files", leaked=1)}

    page = written(f"# Faults\n{BEGIN}old{END}\ntail", table(rows, [KILLED, BOMBED]), seed=1, scale=1.0, minutes=12)

    assert page.startswith("# Faults\n")
    assert page.endswith("\ntail")
    assert "old" not in page
    assert "| `kill -9` under load | 200 kills | 0 | 0 | 0 | 0 | 2.50 s | two at once |" in page
    assert "| bombs | 30 files | 0 | 0 | 1 | 0 |  | it is big |" in page


def test_a_row_of_a_later_run_replaces_its_own_alone_and_the_page_says_so() -> None:
    rows = {KILLED.name: Row(200, "kills"), BOMBED.name: Row(30, "files", leaked=1)}
    page = written(f"{BEGIN}{END}", table(rows, [KILLED, BOMBED]), seed=1, scale=1.0, minutes=12)
    for _twice in range(2):
        page = replaced(page, {BOMBED.name: Row(31, "files")}, [BOMBED])
    assert "| `kill -9` under load | 200 kills |" in page
    assert "| bombs | 31 files | 0 | 0 | 0 | 0 |" in page
    assert page.count(f". Of a later run, by themselves: `{BOMBED.name}`.") == 1
    with pytest.raises(ValueError, match="no row"):
        replaced("Seed 1.", {BOMBED.name: Row(31, "files")}, [BOMBED])


def test_a_page_without_a_place_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        written("# Faults", "", seed=1, scale=1.0, minutes=0)
