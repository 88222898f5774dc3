"""Runs the tests in several processes and tells them as one run. A plugin of pytest: see `tests/conftest.py`.

    python -m pytest --processes 2      # `make test`
    python -m pytest                    # one process, as pytest has it

The process that is started runs no test itself. It starts the others with its own arguments, and tells what they report as its own, so
that -k, -x, --durations, the summary and the exit code are as in one process. All of them collect the same tests in the same order; each
takes the next file that nobody has taken, which an empty file in the folder that they share says. A file is what is taken, since what
its tests need is made once for them all; where a file is marked `apart`, it is each of its tests.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

SHORT = "tests/unit/"
"""What is run last: the last files that are taken are short, so that all processes end together."""
LOOK_EVERY_S = 0.05
END_S = 30.0
"""How long a process that is to end may take: what its tests have started is ended first."""


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("side by side")
    group.addoption("--processes", type=int, default=1, metavar="N", help="Run the tests in N processes side by side.")
    group.addoption("--part-in", type=Path, default=None, metavar="FOLDER", help="Be one of them: what they share is in FOLDER.")


def configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "apart: each test of this file may run in a process of its own")
    option = config.option
    if option.part_in is not None:
        config.pluginmanager.register(Part(config, option.part_in))
    elif option.processes > 1 and not (option.collectonly or option.usepdb or option.capture == "no"):
        config.pluginmanager.register(Whole(config, option.processes))


class Part:
    """One of the processes: runs what it has taken, and writes what came of it, a line of JSON each."""

    def __init__(self, config: pytest.Config, folder: Path) -> None:
        self._config, self._folder, self._parent = config, folder, os.getppid()
        self._told = (folder / f"{os.getpid()}.told").open("ab", buffering=0)
        self._deselected = 0

    def _tell(self, what: str, value: object) -> None:
        self._told.write(json.dumps([what, value], default=str).encode() + b"\n")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed and not session.config.option.continue_on_collection_errors:
            raise session.Interrupted("errors during collection")
        self._tell("collected", [item.nodeid for item in session.items])
        self._tell("deselected", self._deselected)
        for piece in self._taken(session.items):
            # What comes after the last is not known yet: nothing but what belongs to the whole run is kept for it.
            for item, following in zip(piece, [*piece[1:], session], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.shouldstop or os.getppid() != self._parent:
                    raise session.Interrupted(session.shouldstop or "nobody listens any more")
        return True

    def _taken(self, items: Sequence[pytest.Item]) -> Iterator[list[pytest.Item]]:
        found = [list(piece) for _name, piece in groupby(items, _piece)]
        for piece in sorted(found, key=lambda piece: piece[0].nodeid.startswith(SHORT)):
            name = hashlib.sha256(_piece(piece[0]).encode()).hexdigest()
            with contextlib.suppress(FileExistsError):
                (self._folder / name).touch(exist_ok=False)
                yield piece

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self._deselected += len(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._tell("report", self._plain(report))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._tell("report", self._plain(report))

    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._tell("finished", [nodeid, location])

    def _plain(self, report: pytest.CollectReport | pytest.TestReport) -> dict[str, Any]:
        plain: dict[str, Any] = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        return plain if report.failed else plain | {"sections": []}

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        from fakes import leaks

        self._tell("leaked", leaks.FOUND)
        self._told.close()


def _piece(item: pytest.Item) -> str:
    return item.nodeid if item.get_closest_marker("apart") else item.nodeid.partition("::")[0]


class Whole:
    """The process that was started: has the others run the tests, and tells what they report."""

    def __init__(self, config: pytest.Config, processes: int) -> None:
        self._config, self._processes = config, processes
        self._heard: dict[str, Callable[[Any], None]] = {
            "collected": self._collected, "deselected": self._deselected, "report": self._report,
            "finished": self._finished, "leaked": self._leaked,
        }  # fmt: skip
        self._tests: set[str] = set()
        self._done: set[str] = set()
        self._unimportable: set[str] = set()
        self._told_deselected = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        self._session = session
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        with tempfile.TemporaryDirectory(prefix="side-by-side-") as folder:
            running = [_Process(self._config, Path(folder), number) for number in range(self._processes)]
            try:
                self._follow(running)
            except KeyboardInterrupt:  # a terminal tells all of them
                _wait(running)
                raise
            finally:
                for process in running:
                    process.end()
            self._judge(running)
        return True

    def _follow(self, running: list[_Process]) -> None:
        going = True
        while going:
            going = any([process.popen.poll() is None for process in running])  # noqa: C419 - each is asked
            for process in running:
                for what, value in process.heard():
                    self._heard[what](value)
            if self._session.shouldfail:
                raise self._session.Failed(self._session.shouldfail)
            if going:
                time.sleep(LOOK_EVERY_S)

    def _judge(self, ended: list[_Process]) -> None:
        """Raise where not everything was run, whatever the reports say."""
        if self._unimportable and not self._config.option.continue_on_collection_errors:
            raise self._session.Interrupted(f"{len(self._unimportable)} errors during collection")
        usual = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)
        for process in ended:
            if process.popen.returncode not in usual:
                self._write(process.output())
                pytest.exit(f"a process of tests ended with {process.popen.returncode}", max(process.popen.returncode, 1))
        if self._tests != self._done:
            left = sorted(self._tests ^ self._done)
            pytest.exit(f"{len(left)} tests were not run as collected, {left[0]} the first", pytest.ExitCode.INTERNAL_ERROR)

    def _write(self, text: str) -> None:
        self._config.get_terminal_writer().write(f"\n{text}\n", flush=True)

    def _collected(self, tests: list[str]) -> None:
        self._tests.update(tests)
        self._session.testscollected = len(self._tests)

    def _deselected(self, count: int) -> None:
        if not self._told_deselected:
            self._told_deselected = True
            if count:
                self._config.hook.pytest_deselected(items=[None] * count)

    def _report(self, plain: dict[str, Any]) -> None:
        report = self._config.hook.pytest_report_from_serializable(config=self._config, data=plain)
        if isinstance(report, pytest.TestReport):
            self._config.hook.pytest_runtest_logreport(report=report)
        elif report.nodeid not in self._unimportable:
            self._unimportable.add(report.nodeid)
            self._config.hook.pytest_collectreport(report=report)

    def _finished(self, test: list[Any]) -> None:
        nodeid, location = test
        self._done.add(nodeid)
        self._config.hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)

    def _leaked(self, found: list[str]) -> None:
        from fakes import leaks

        leaks.FOUND.extend(found)


class _Process:
    def __init__(self, config: pytest.Config, folder: Path, number: int) -> None:
        self._folder, self._output, self._read, self._rest = folder, folder / f"{number}.output", 0, b""
        seed = config.getoption("randomly_seed", None)
        same = [] if seed is None else [f"--randomly-seed={seed}"]
        with self._output.open("wb") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "pytest", *map(str, config.invocation_params.args), f"--part-in={folder}", *same],
                cwd=config.invocation_params.dir, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def heard(self) -> Iterator[tuple[str, Any]]:
        """Yield what it told since it was asked last."""
        told = self._folder / f"{self.popen.pid}.told"
        if not told.exists():
            return
        with told.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        *lines, self._rest = (self._rest + new).split(b"\n")
        for line in lines:
            what, value = json.loads(line)
            yield what, value

    def output(self) -> str:
        return self._output.read_text(encoding="utf-8", errors="replace")

    def end(self) -> None:
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGINT)
            _wait([self])
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.wait()


def _wait(processes: list[_Process]) -> None:
    until = time.monotonic() + END_S
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.popen.wait(max(0.0, until - time.monotonic()))
