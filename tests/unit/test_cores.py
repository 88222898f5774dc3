"""That a program which crashes leaves nothing of its memory behind."""

import subprocess
import sys

PROGRAM = """
import resource, subprocess, sys
from bot.cores import leave_no_core
leave_no_core()
show = "import resource; print(*resource.getrlimit(resource.RLIMIT_CORE), open('/proc/self/coredump_filter').read().strip())"
exec(show)
sys.stdout.flush()
subprocess.run([sys.executable, "-c", show])
"""


def test_neither_a_program_nor_its_children_leave_a_core_with_memory_in_it() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.splitlines() == ["0 0 00000000"] * 2
