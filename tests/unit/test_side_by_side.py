"""The tests in several processes: each is run once, and what comes of them is told as of one run."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
CONFTEST = """
import side_by_side

def pytest_addoption(parser):
    side_by_side.add_options(parser)

def pytest_configure(config):
    side_by_side.configure(config)
"""
ONE = """
import os, pathlib
pytestmark = __import__("pytest").mark.{mark}

def note(name):
    with pathlib.Path("ran").open("a") as file:
        file.write(f"{{name}} {{os.getpid()}}\\n")

def test_one(): note("{name}-one")
def test_two(): note("{name}-two")
def test_three(): note("{name}-three")
"""


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -q\nmarkers = plain\n", encoding="utf-8")
    return tmp_path


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Begin a run in a group of processes of its own, as a shell does."""
    plugins = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "no:asyncio")
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "--processes=2", *plugins, *arguments], cwd=folder, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONPATH": str(TESTS), "PYTEST_ADDOPTS": ""},
    )  # fmt: skip


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    process = start(folder, *arguments)
    output, _none = process.communicate(timeout=120)
    return process.returncode, output


def ran(folder: Path) -> list[list[str]]:
    return [line.split() for line in (folder / "ran").read_text(encoding="utf-8").splitlines()]


def test_each_test_is_run_once_and_a_file_stays_together(tests: Path) -> None:
    for name in ("a", "b", "c"):
        (tests / f"test_{name}.py").write_text(ONE.format(name=name, mark="plain"), encoding="utf-8")
    (tests / "test_d.py").write_text(ONE.format(name="d", mark="apart"), encoding="utf-8")

    code, output = run(tests)

    assert code == 0
    assert "12 passed" in output
    assert sorted(name for name, _pid in ran(tests)) == sorted(f"{a}-{b}" for a in "abcd" for b in ("one", "two", "three"))
    assert all(len({pid for name, pid in ran(tests) if name.startswith(f"{a}-")}) == 1 for a in "abc")


def test_what_fails_is_shown_counted_and_ends_in_its_code(tests: Path) -> None:
    (tests / "test_a.py").write_text("def test_bad(): assert 40 + 2 == 43\n", encoding="utf-8")
    (tests / "test_b.py").write_text("def test_good(): pass\ndef test_other(): pass\n", encoding="utf-8")

    code, output = run(tests, "-k", "bad or good")

    assert code == pytest.ExitCode.TESTS_FAILED
    assert "assert (40 + 2) == 43" in output
    assert "1 failed, 1 passed, 1 deselected" in output


def test_a_file_that_cannot_be_imported_fails_the_run_before_anything_runs(tests: Path) -> None:
    (tests / "test_a.py").write_text("import nothing_of_the_kind\n", encoding="utf-8")
    (tests / "test_b.py").write_text(ONE.format(name="b", mark="plain"), encoding="utf-8")

    code, output = run(tests)

    assert code == pytest.ExitCode.INTERRUPTED
    assert "1 error" in output
    assert "No module named 'nothing_of_the_kind'" in output
    assert not (tests / "ran").exists()


def test_a_process_that_dies_fails_the_run_and_is_shown(tests: Path) -> None:
    dies = "import os\ndef test_dies(): os.write(2, b'the last words'); os._exit(0)\n"
    (tests / "test_a.py").write_text(dies, encoding="utf-8")
    (tests / "test_b.py").write_text("def test_good(): pass\n", encoding="utf-8")

    code, output = run(tests, "-p", "no:randomly")

    assert code == pytest.ExitCode.INTERNAL_ERROR
    assert "1 tests were not run as collected, test_a.py::test_dies the first" in output


def test_interrupted_it_ends_what_it_started(tests: Path) -> None:
    waits = (
        "import os, pathlib, time\ndef test_waits():\n    pathlib.Path('ran').write_text(str(os.getpid()))\n    time.sleep(100)\n"
    )
    (tests / "test_a.py").write_text(waits, encoding="utf-8")
    process = start(tests)
    try:
        while not (tests / "ran").exists() or not (tests / "ran").read_text(encoding="utf-8"):
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does at Ctrl-C
        output, _none = process.communicate(timeout=100)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)

    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in output
    assert not Path(f"/proc/{ran(tests)[0][0]}").exists()
