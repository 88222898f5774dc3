"""What a process may still do that has taken its rights away, and what not. Each case in a process of its own."""

import subprocess
import sys

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
