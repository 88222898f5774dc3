import os
import signal
import subprocess
import sys
from pathlib import Path

from bot.store.posts import Posts

HOLD = """
import sys, pathlib
from bot.store.posts import Posts
assert Posts(pathlib.Path(sys.argv[1])).take(sys.argv[2])
print("taken", flush=True)
sys.stdin.read()
"""
POST = "web ../../etc/passwd:80"


def test_a_post_is_held_by_one_process_until_that_ends_however_it_ends(tmp_path: Path) -> None:
    posts = Posts(tmp_path)
    program = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path), POST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with program:
        assert program.stdout is not None
        assert program.stdout.readline() == "taken\n"
        assert not posts.take(POST)
        assert posts.take("web another")
        os.kill(program.pid, signal.SIGKILL)
        program.wait(timeout=60)
        assert posts.take(POST)
    posts.leave(POST)


def test_a_post_that_was_left_may_be_taken_by_another(tmp_path: Path) -> None:
    one, other = Posts(tmp_path), Posts(tmp_path)
    assert one.take(POST)
    assert one.take(POST)
    assert not other.take(POST)
    one.leave(POST)
    assert other.take(POST)
    other.leave(POST)
    other.leave(POST)
