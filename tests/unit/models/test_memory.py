"""How much memory there is, and what is remembered of what models take."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.models import memory
from bot.models.memory import MeasuredFile, budget_mb, cores, machine_mb, resident_mb


def test_a_measurement_outlives_the_process(tmp_path: Path) -> None:
    MeasuredFile(tmp_path / "new" / "measured.json").keep("a@1", 120)

    assert MeasuredFile(tmp_path / "new" / "measured.json").ram_mb("a@1") == 120


def test_the_larger_of_two_measurements_counts(tmp_path: Path) -> None:
    measured = MeasuredFile(tmp_path / "measured.json")
    measured.keep("a@1", 120)
    measured.keep("a@1", 80)

    assert measured.ram_mb("a@1") == 120
    assert measured.ram_mb("b@1") == 0


def test_the_last_time_to_load_counts_and_outlives_the_process(tmp_path: Path) -> None:
    measured = MeasuredFile(tmp_path / "measured.json")
    measured.keep("a@1", 120, 6.0)
    measured.keep("a@1", 80, 3.8)
    measured.keep("a@1", 90)

    again = MeasuredFile(tmp_path / "measured.json")
    assert (again.ram_mb("a@1"), again.load_s("a@1")) == (120, 3.8)
    assert again.load_s("b@1") == 0.0


def test_a_load_that_took_about_as_long_is_not_written_again(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    measured = MeasuredFile(file)
    measured.keep("a@1", 120, 4.0)
    file.unlink()
    measured.keep("a@1", 120, 4.2)

    assert not file.exists()
    assert measured.load_s("a@1") == 4.0


def test_a_file_from_before_loads_were_timed_is_read(tmp_path: Path) -> None:
    (tmp_path / "measured.json").write_text('{"a@1": 120, "b@1": true}')

    measured = MeasuredFile(tmp_path / "measured.json")
    assert (measured.ram_mb("a@1"), measured.load_s("a@1"), measured.ram_mb("b@1")) == (120, 0.0, 0)


def test_two_processes_keep_what_each_of_them_measured(tmp_path: Path) -> None:
    bot, terminal = MeasuredFile(tmp_path / "measured.json"), MeasuredFile(tmp_path / "measured.json")
    terminal.keep("a@1", 1400, 3.8)
    bot.keep("b@1", 200, 1.0)

    for one in (bot, MeasuredFile(tmp_path / "measured.json")):
        assert [(one.ram_mb(model), one.load_s(model)) for model in ("a@1", "b@1")] == [(1400, 3.8), (200, 1.0)]


def test_what_another_process_measured_is_known_before_the_next_load_is_planned(tmp_path: Path) -> None:
    bot, terminal = MeasuredFile(tmp_path / "measured.json"), MeasuredFile(tmp_path / "measured.json")
    terminal.keep("a@1", 1400, 6.0)
    terminal.keep("a@1", 80, 3.8)
    bot.keep("b@1", 0)

    assert (bot.ram_mb("a@1"), bot.load_s("a@1")) == (1400, 3.8)


@pytest.mark.parametrize("text", ["", "[1]", '{"a@1": "much"}', '{"a@1": {"ram_mb": "much", "load_s": 1}}', "{"])
def test_a_broken_file_is_an_empty_one(tmp_path: Path, text: str) -> None:
    (tmp_path / "measured.json").write_text(text)

    assert MeasuredFile(tmp_path / "measured.json").ram_mb("a@1") == 0


def test_where_it_cannot_be_written_it_is_known_until_the_end(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    measured = MeasuredFile(tmp_path / "file" / "measured.json")
    measured.keep("a@1", 3)

    assert measured.ram_mb("a@1") == 3


def test_the_budget_is_the_setting_or_a_share_of_the_machine() -> None:
    assert budget_mb(512) == 512
    assert budget_mb(0) == int(machine_mb() * 0.6) > 0


def test_a_container_counts_as_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = tmp_path / "a" / "b"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    (tmp_path / "a" / "memory.max").write_text(f"{64 << 20}\n")
    monkeypatch.setattr(memory, "_CGROUPS", tmp_path)

    assert memory._limits_above(group, "memory.max") == [64 << 20]


def test_the_process_takes_some_memory() -> None:
    assert resident_mb() > 10


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores are given out by Linux")
def test_cores_are_those_that_the_process_may_use() -> None:
    program = (
        "import os; from bot.models.memory import cores; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); print(cores())"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60).stdout == "1\n"
    assert cores() >= 1


def test_what_is_available_is_no_more_than_the_machine_has() -> None:
    assert 0 < memory.available_mb() <= machine_mb()


def test_threads_share_the_heaps_that_there_are() -> None:
    program = (
        "import ctypes, threading\n"
        "from bot.models.memory import ARENAS, share_arenas\n"
        "share_arenas()\n"
        "gate = threading.Barrier(9)\n"
        "threads = [threading.Thread(target=lambda: (bytearray(90_000), gate.wait(20), gate.wait(20))) for _index in range(8)]\n"
        "[thread.start() for thread in threads]\n"
        "gate.wait(20)\n"
        "ctypes.CDLL(None).malloc_stats()\n"
        "gate.wait(20)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.count("Arena ") == 2


_MAPPED = """
import mmap, sys
from pathlib import Path
from bot.models.memory import let_go_of

def resident(name):
    lines, found = Path("/proc/self/smaps").read_text().splitlines(), 0
    for at, line in enumerate(lines):
        if line.endswith(name):
            found += next(int(other.split()[1]) for other in lines[at:] if other.startswith("Rss:"))
    return found

folder, kept = Path(sys.argv[1]), []
names = ("a.blob", "b.txt", "c.blob", "d.blob")
for name, flags in zip(names, (mmap.MAP_PRIVATE, mmap.MAP_PRIVATE, mmap.MAP_SHARED, mmap.MAP_PRIVATE)):
    (folder / name).write_bytes(b"x" * (1 << 20))
    with open(folder / name, "rb") as file:
        rights = mmap.PROT_READ | (mmap.PROT_WRITE if name == "d.blob" else 0)
        kept.append(mmap.mmap(file.fileno(), 0, flags=flags, prot=rights))
    assert kept[-1][:] == b"x" * (1 << 20)
kept[-1][:] = b"y" * (1 << 20)
before = [resident(name) for name in names]
count = let_go_of(folder, (".blob",))
print(count, *[now < was for was, now in zip(before, [resident(name) for name in names])])
print(*[one[:1].decode() for one in kept])
"""


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="Linux tells what is resident")
def test_memory_of_files_that_are_read_alone_is_given_back_and_reads_the_same(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _MAPPED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["2", "True", "False", "True", "False", "x", "x", "x", "y"], done.stderr


def test_where_nothing_tells_of_mappings_nothing_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MAPPINGS", tmp_path / "missing")
    assert memory.let_go_of(tmp_path, (".blob",)) == 0
