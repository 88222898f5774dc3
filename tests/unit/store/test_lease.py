import os
import signal
import subprocess
import sys
from pathlib import Path

from bot.store.lease import FOLDER, Lease

HOLD = """
import sys, pathlib
from bot.store.lease import Lease
with Lease.taken(pathlib.Path(sys.argv[1])) as lease:
    print(lease.name, flush=True)
    sys.stdin.read()
"""


def held_by_another(home: Path) -> tuple[subprocess.Popen[str], str]:
    program = subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    return program, program.stdout.readline().strip()


def test_a_lease_is_seen_by_others_while_it_is_held(tmp_path: Path) -> None:
    with Lease.taken(tmp_path) as one, Lease.taken(tmp_path) as other:
        assert one.others() == [other.name]
        assert other.others() == [one.name]
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_lease_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    program, name = held_by_another(tmp_path)
    with program, Lease.taken(tmp_path) as mine:
        assert mine.others() == [name]
        assert mine.ended(["", name, mine.name, "0123"]) == ["", "0123"]
        os.kill(program.pid, signal.SIGKILL)
        program.wait(timeout=60)
        assert mine.ended([name]) == [name]
        assert mine.others() == []
        assert [path.name for path in (tmp_path / FOLDER).iterdir()] == [mine.name]
