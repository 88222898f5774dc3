"""What a process may still do that has taken its rights away, and what not. Each case in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")
BEGIN = "import os; from bot.confine import no_network, die_with, no_outside\nassert die_with(os.getppid()) and no_outside()\n"


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-W", "error", "-c", BEGIN + code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.socket(socket.AF_INET)",
        "import socket; socket.socket(socket.AF_UNIX)",
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.kill(os.getppid(), 0)",
        "os.pidfd_open(os.getppid())",
        "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)",
    ],
)
def test_the_outside_is_refused(code: str) -> None:
    done = run(f"try:\n    {code}\nexcept PermissionError:\n    print('refused')")
    assert (done.stdout, done.returncode) == ("refused\n", 0), done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import threading; t = threading.Thread(target=print); t.start(); t.join()",
        "import socket; [end.close() for end in socket.socketpair()]",
        "os.kill(os.getpid(), 0)",
        "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))",
        "import numpy; assert (numpy.ones((300, 300)) @ numpy.ones((300, 300))).sum() > 0",
    ],
)
def test_what_a_model_needs_is_allowed(code: str) -> None:
    done = run(code)
    assert done.returncode == 0, done.stderr


def test_who_has_lost_its_parent_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from bot.confine import die_with; die_with(1 << 22); print('on')"],
        capture_output=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == (b"", 0)


FENCED = "import os, sys; from pathlib import Path; from bot.confine import die_with, no_rights, no_writing\n"
FENCED += "assert die_with(os.getppid()) and no_rights() and no_writing(Path(sys.argv[1]))\n"


def fenced(code: str, folder: Path) -> str:
    told = f"try:\n    {code}\n    print('done')\nexcept PermissionError:\n    print('refused')"
    done = subprocess.run([sys.executable, "-c", FENCED + told, str(folder)], capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("Path(sys.argv[1], 'a').write_text('x')", "done"),
        ("Path(sys.argv[1], 'd').mkdir()", "done"),
        ("Path(os.devnull).write_text('x')", "done"),
        ("Path('/proc/self/clear_refs').write_text('5')", "done"),
        ("Path(sys.argv[1]).parent.joinpath('b').write_text('x')", "refused"),
        ("Path(sys.argv[1]).parent.joinpath('kept').write_text('x')", "refused"),
        ("Path(sys.argv[1]).parent.joinpath('kept').unlink()", "refused"),
        ("os.rename(sys.argv[1], sys.argv[1] + '2')", "refused"),
        ("os.truncate(str(Path(sys.argv[1]).parent / 'kept'), 0)", "refused"),
        ("print(len(Path(sys.argv[1]).parent.joinpath('kept').read_text()))", "4\ndone"),
        ("Path(f'/proc/{os.getppid()}/environ').read_bytes()", "refused"),
        ("open(f'/proc/{os.getppid()}/mem', 'rb')", "refused"),
    ],
)
def test_nothing_is_written_outside_and_no_other_process_looked_into(code: str, said: str, tmp_path: Path) -> None:
    inner = tmp_path / "own"
    inner.mkdir()
    (tmp_path / "kept").write_text("kept", encoding="ascii")
    assert fenced(code, inner) == said
    assert (tmp_path / "kept").read_text(encoding="ascii") == "kept"
