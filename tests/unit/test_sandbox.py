"""The sandbox: what foreign bytes do to the child never reaches the bot."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
from fakes.hostile_functions import Point

from bot import sandbox as sandbox_module
from bot.config import LimitSettings
from bot.errors import ParingError, TooLargeError, UnreadableError
from bot.locale import LANGUAGES
from bot.sandbox import Sandbox

HERE = "fakes.hostile_functions:"
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")

Maker = Callable[..., Sandbox]


@pytest.fixture
async def make() -> AsyncIterator[Maker]:
    made: list[Sandbox] = []

    def build(*, seconds: float = 60, children: int = 1, memory_mb: int = 512, output_mb: int = 32) -> Sandbox:
        box = Sandbox(memory_mb=memory_mb, seconds=seconds, children=children, allowed=("fakes.",), output_mb=output_mb)
        made.append(box)
        return box

    yield build
    for box in made:
        await box.close()


async def test_nothing_starts_before_the_first_call_and_then_it_stays_warm(make: Maker) -> None:
    box = make()
    assert box.children == ()
    first = await box.call(HERE + "process_id", {})
    assert box.children == (first,)
    assert await box.call(HERE + "process_id", {}) == first != os.getpid()


async def test_results_arrive_whole_whatever_a_library_prints(make: Maker) -> None:
    text = "가나다\x00\ud800" + "x" * 3_000_000
    assert await make().call(HERE + "echo", {"text": text}) == text


async def test_a_dataclass_arrives_as_itself_where_asked(make: Maker) -> None:
    assert await make().call_as(Point, HERE + "point", {"x": 3}) == Point(3, "점")


@pytest.mark.parametrize("function", ["os:system", "fakes.hostile_functions", "fakesx:a", "", "fakes.a:b:c"])
async def test_only_allowed_functions_run(make: Maker, function: str) -> None:
    with pytest.raises(ValueError, match=r"expected package\.module:name"):
        await make().call(function, {})


async def test_the_default_allows_our_own_packages_only() -> None:
    box = Sandbox.of(LimitSettings())
    with pytest.raises(ValueError, match="expected"):
        await box.call(HERE + "double", {"number": 1})
    await box.close()


@linux_only
async def test_a_memory_bomb_is_told_and_the_next_call_is_served(make: Maker) -> None:
    box = make(memory_mb=256)
    with pytest.raises(TooLargeError, match="more than 256 MB of memory"):
        await box.call(HERE + "eat_memory", {})
    assert await box.call(HERE + "double", {"number": 4}) == 8


async def test_an_endless_loop_is_stopped(make: Maker) -> None:
    box = make(seconds=0.2)
    with pytest.raises(UnreadableError, match=r"stopped reading this file after 0\.2 seconds"):
        await box.call(HERE + "loop", {})
    assert box.children == ()


async def test_a_crash_of_the_reader_is_told_and_the_next_call_is_served(make: Maker) -> None:
    box = make()
    with pytest.raises(UnreadableError, match="crashed its reader"):
        await box.call(HERE + "segfault", {})
    assert await box.call(HERE + "double", {"number": 4}) == 8


@pytest.mark.parametrize("code", [0, 3])
async def test_a_child_that_leaves_without_an_answer_is_a_crash(make: Maker, code: int) -> None:
    with pytest.raises(UnreadableError, match="crashed its reader"):
        await make().call(HERE + "leave", {"code": code})


async def test_too_much_output_is_refused_unread(make: Maker) -> None:
    box = make(output_mb=1)
    with pytest.raises(TooLargeError, match="unpacks to more than 1 MB"):
        await box.call(HERE + "print_forever", {"megabytes": 2})
    assert await box.call(HERE + "double", {"number": 4}) == 8


async def test_an_unexpected_error_is_told_without_what_the_file_says(make: Maker, caplog: pytest.LogCaptureFixture) -> None:
    box = make()
    with caplog.at_level(logging.DEBUG), pytest.raises(UnreadableError, match="damaged") as raised:
        await box.call(HERE + "raise_foreign", {})
    assert "KeyError hostile_functions.py" in caplog.text
    assert "secret" not in caplog.text + str(raised.value)


async def test_after_an_unexpected_error_the_child_is_a_fresh_one(make: Maker) -> None:
    box = make()
    before = await box.call(HERE + "process_id", {})
    with pytest.raises(UnreadableError):
        await box.call(HERE + "raise_foreign", {})
    assert await box.call(HERE + "process_id", {}) != before


async def test_an_error_with_a_sentence_crosses_as_it_is(make: Maker) -> None:
    with pytest.raises(TooLargeError) as raised:
        await make().call(HERE + "raise_told", {"name": "a.png"})
    assert type(raised.value) is TooLargeError
    assert raised.value.sentence("en") == "a.png has too much water."
    assert raised.value.text.folder.name == "fakes"


async def test_an_error_that_needs_more_than_a_sentence_crosses_as_its_base(make: Maker) -> None:
    with pytest.raises(ParingError, match="Wait"):
        await make().call(HERE + "raise_platform", {})


async def test_calls_run_side_by_side_up_to_the_number_of_children(make: Maker) -> None:
    box = make(children=2)
    values = await asyncio.gather(*(box.call(HERE + "double", {"number": number}) for number in range(20)))
    assert values == [2 * number for number in range(20)]
    assert len(box.children) <= 2


async def test_a_hanging_call_does_not_hold_up_the_other_child(make: Maker) -> None:
    box = make(children=2)
    hanging = asyncio.create_task(box.call(HERE + "sleep", {}))
    assert await box.call(HERE + "double", {"number": 1}) == 2
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging


async def test_cancelling_kills_the_work(make: Maker) -> None:
    box = make()
    started = box.folder / "started"
    task = asyncio.create_task(box.call(HERE + "loop", {"started": str(started)}))
    child = await _written(started)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await box.call(HERE + "double", {"number": 4}) == 8
    assert not psutil.pid_exists(child)


async def test_a_call_cancelled_while_it_waits_is_never_run(make: Maker) -> None:
    box = make()
    first = asyncio.create_task(box.call(HERE + "loop", {"started": str(box.folder / "first")}))
    await _written(box.folder / "first")
    second = asyncio.create_task(box.call(HERE + "loop", {"started": str(box.folder / "second")}))
    await asyncio.sleep(0)
    second.cancel()
    first.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    assert await box.call(HERE + "double", {"number": 4}) == 8
    assert not (box.folder / "second").exists()


async def test_close_ends_idle_children_and_refuses_further_calls(make: Maker) -> None:
    box = make()
    child = await box.call(HERE + "process_id", {})
    await box.close()
    await box.close()
    assert isinstance(child, int)
    assert not psutil.pid_exists(child)
    with pytest.raises(ParingError, match="shut down"):
        await box.call(HERE + "double", {"number": 1})


async def test_close_ends_work_under_way_with_a_sentence(make: Maker) -> None:
    box = make()
    task = asyncio.create_task(box.call(HERE + "loop", {"started": str(box.folder / "started")}))
    child = await _written(box.folder / "started")
    await box.close()
    with pytest.raises(ParingError, match="shut down"):
        await task
    assert not psutil.pid_exists(child)


async def test_a_child_that_was_killed_while_idle_is_replaced_unseen(make: Maker) -> None:
    box = make()
    child = await box.call(HERE + "process_id", {})
    assert isinstance(child, int)
    os.kill(child, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(child)] if psutil.pid_exists(child) else [])
    assert await box.call(HERE + "double", {"number": 4}) == 8


async def test_a_child_is_replaced_after_many_calls(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "CALLS_BEFORE_RECYCLING", 2)
    box = make()
    seen = [await box.call(HERE + "process_id", {}) for _call in range(4)]
    assert seen[0] == seen[1] != seen[2] == seen[3]


@linux_only
async def test_a_child_that_has_grown_is_replaced(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "GROWTH_BEFORE_RECYCLING_MB", 64)
    box = make()
    assert await box.call(HERE + "grow", {"megabytes": 16}) == await box.call(HERE + "process_id", {})
    assert await box.call(HERE + "grow", {"megabytes": 80}) != await box.call(HERE + "process_id", {})


async def test_an_idle_child_ends_by_itself_and_the_next_call_starts_another(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_module, "IDLE_SECONDS", 0)
    box = make()
    assert await box.call(HERE + "double", {"number": 4}) == 8
    assert await box.call(HERE + "double", {"number": 5}) == 10


async def test_no_setting_or_secret_reaches_the_child(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARING_TELEGRAM__TOKEN", "canary-token")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-key")
    seen = await make().call(HERE + "environment", {})
    assert "canary" not in json.dumps(seen)
    assert isinstance(seen, dict)
    assert seen["OMP_NUM_THREADS"] == "1"


@linux_only
async def test_a_child_that_the_system_kills_was_out_of_memory(make: Maker) -> None:
    box = make()
    task = asyncio.create_task(box.call(HERE + "loop", {"started": str(box.folder / "started")}))
    os.kill(await _written(box.folder / "started"), signal.SIGKILL)
    with pytest.raises(TooLargeError, match="memory"):
        await task


@linux_only
async def test_a_huge_file_cannot_be_written(make: Maker) -> None:
    box = make(memory_mb=1024)
    with pytest.raises(UnreadableError):
        await box.call(HERE + "write_file", {"path": str(box.folder / "big"), "megabytes": 300})
    assert (box.folder / "big").stat().st_size <= 256 * 1024 * 1024


@linux_only
async def test_open_files_are_limited(make: Maker) -> None:
    with pytest.raises(UnreadableError):
        await make().call(HERE + "open_many", {})


@linux_only
async def test_there_is_no_network_where_the_system_can_take_it_away(make: Maker) -> None:
    box = make()
    with socket.create_server(("127.0.0.1", 0)) as server:
        reached = await box.call(HERE + "reach", {"port": server.getsockname()[1]})
    assert box.guards is not None
    assert (reached != "connected") == box.guards.no_network


@linux_only
async def test_the_guards_say_what_is_in_force(make: Maker) -> None:
    box = make()
    assert box.guards is None
    await box.call(HERE + "double", {"number": 1})
    assert box.guards is not None
    assert box.guards.memory
    assert box.guards.cpu
    assert box.guards.files
    assert box.guards.dies_with_parent
    assert box.guards.no_rights
    assert box.guards.no_writing
    assert box.guards.no_outside


REFUSED = ("fork", "start", "inet", "unix", "write", "append", "truncate", "remove", "rename", "link", "folder", "signal",
           "environment", "memory", "limits")  # fmt: skip


@linux_only
async def test_a_child_has_no_way_out_but_its_answer(make: Maker, tmp_path: Path) -> None:
    box, kept = make(), tmp_path / "kept"
    kept.write_text("kept", encoding="ascii")

    said = {what: await box.call(HERE + "attempt", {"what": what, "argument": str(kept)}) for what in REFUSED}

    assert {what: name for what, name in said.items() if name != "PermissionError"} == {}
    assert list(tmp_path.iterdir()) == [kept]
    assert kept.read_text(encoding="ascii") == "kept"


@linux_only
async def test_a_child_writes_into_the_folder_of_its_sandbox_alone_and_that_goes_with_it(make: Maker) -> None:
    box = make()
    written = box.folder / "a"
    assert await box.call(HERE + "attempt", {"what": "write", "argument": str(written)}) == "done"
    assert written.read_text(encoding="ascii") == "x"
    assert await box.call(HERE + "attempt", {"what": "write", "argument": str(box.folder) + "-beside"}) == "PermissionError"
    seen = await box.call(HERE + "environment", {})
    assert isinstance(seen, dict)
    assert seen["TMPDIR"] == str(box.folder)
    await box.close()
    assert not written.parent.exists()


@pytest.mark.parametrize(("function", "kind"), [("answer_in_depth", UnreadableError), ("answer_endlessly", TooLargeError)])
async def test_an_answer_that_nobody_can_read_is_told_and_its_child_replaced(
    make: Maker, function: str, kind: type[ParingError]
) -> None:
    box = make()
    before = await box.call(HERE + "process_id", {})
    with pytest.raises(kind):
        await box.call(HERE + function, {})
    assert await box.call(HERE + "process_id", {}) != before
    assert len(box.children) == 1


@linux_only
def test_a_child_at_work_dies_with_the_bot(tmp_path: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from bot.sandbox import Sandbox\n"
        "box = Sandbox(memory_mb=256, seconds=300, allowed=('fakes.',))\n"
        f"asyncio.run(box.call('{HERE}loop', {{'started': str(box.folder / 'started')}}))\n"
    )
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", program], env=dict(os.environ) | paths) as bot:
        child = psutil.Process(_wait_for_one(tmp_path))
        bot.kill()
    gone, alive = psutil.wait_procs([child], timeout=60)
    for process in alive:
        process.kill()
    assert gone == [child]


@linux_only
def test_a_sandbox_that_nobody_closed_ends_with_its_program() -> None:
    program = (
        "import asyncio\n"
        "from bot.sandbox import Sandbox\n"
        "box = Sandbox(memory_mb=256, seconds=300, allowed=('fakes.',))\n"
        f"print(asyncio.run(box.call('{HERE}process_id', {{}})))\n"
    )
    paths = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, env=dict(os.environ) | paths, capture_output=True, check=True, timeout=100)
    assert done.stderr == b""
    assert not psutil.pid_exists(int(done.stdout))


@pytest.mark.parametrize("reason", ["time", "MemoryError", "killed", "output", "crash", "KeyError"])
def test_every_sentence_is_there_in_both_languages(reason: str) -> None:
    error = Sandbox(memory_mb=100, seconds=5)._told(reason)
    said = [error.sentence(language) for language in LANGUAGES]
    assert len(set(said)) == 2
    assert all("{" not in sentence for sentence in said)


async def _written(path: Path) -> int:
    return await asyncio.to_thread(_wait_for, path)


def _wait_for_one(folder: Path) -> int:
    """Wait until some child has written into the folder of a sandbox in `folder`."""
    while not (found := next(folder.glob("*/started"), None)):
        os.sched_yield()
    return _wait_for(found)


def _wait_for(path: Path) -> int:
    while not (path.is_file() and path.read_text(encoding="ascii")):
        os.sched_yield()
    return int(path.read_text(encoding="ascii"))
