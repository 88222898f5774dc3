"""What every test stands on: no way out of the machine, no skips in CI, homes of their own."""

from __future__ import annotations

import faulthandler
import ipaddress
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import leaks, sharing
from fakes.homeserver import Homeserver, installed
from fakes.homeserver import homeserver as running
from hypothesis import settings

from bot.store import schema

settings.register_profile("paring", derandomize=True, database=None, deadline=None)
settings.load_profile("paring")

for _name in [name for name in os.environ if name.startswith("PARING_")]:
    del os.environ[_name]
for _name in ("COLUMNS", "LINES"):  # readline, which pytest loads, leaves them to the processes of pytest-xdist
    os.environ.pop(_name, None)
os.environ["LC_ALL"] = "C.UTF-8"  # what the tests expect of a terminal is in English, whatever the developer's own is in


STDERR = pytest.StashKey[int]()
LAST_RESORT_S = 600.0
LIMITS_UNTIL_LAST = 2
"""After so many times a test's limit the whole run is ended: 600 s."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="A skipped test fails: nothing may be missing on this machine.")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(leaks, "leaks")
    config.pluginmanager.register(sharing, "sharing")
    config.addinivalue_line("markers", "migrates: the schema of its databases is made by the migrations themselves")
    config.stash[STDERR] = os.dup(2)  # faulthandler writes to a descriptor, and pytest takes the usual one for itself


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    """End the whole run, every thread's place told, where a test hangs for good.

    pytest-timeout raises in the main thread, once: an event loop that is in a callback just then only logs what was raised, and
    after the test the loop's end waits for every task that ignores its cancellation.
    """
    _limit(item)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Begin anew: pytest takes the limit away where a test has failed."""
    _limit(item)


def _limit(item: pytest.Item) -> None:
    marker = item.get_closest_marker("timeout")
    longest_s = float(marker.args[0] if marker and marker.args else item.config.getini("timeout") or 0)
    faulthandler.dump_traceback_later(LIMITS_UNTIL_LAST * longest_s or LAST_RESORT_S, exit=True, file=item.config.stash[STDERR])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if item.config.getoption("--no-skips") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, and nothing may be: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def no_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that does not stay on this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0])  # type: ignore[index]
            if host != "localhost" and not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
                pytest.fail(f"a test reached for {host}")
        return connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def schema_made_once(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Copy what the migrations made of the first new database, instead of running them for each: 2 ms instead of 60."""
    migrate, empty = schema.migrate, tmp_path_factory.getbasetemp() / "empty.db"

    def copied(path: Path, revision: str) -> None:
        if revision != "head" or path.exists():
            migrate(path, revision)
            return
        if schema.version(empty) != schema.head():
            migrate(empty, "head")
        path.with_suffix(".lock").touch()
        shutil.copyfile(empty, path)

    if request.node.get_closest_marker("migrates") is None:
        monkeypatch.setattr(schema, "migrate", copied)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PARING_HOME of the test's own."""
    folder = tmp_path / "home"
    monkeypatch.setenv("PARING_HOME", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture(scope="session")
def homeserver() -> Iterator[Homeserver]:
    """One Synapse for the whole run: whoever writes there has an account of their own."""
    if not installed():
        pytest.skip("Synapse is not installed: pip install matrix-synapse")
    with running() as server:
        yield server
