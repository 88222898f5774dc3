import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_a_dozen_kills_in_the_midst_of_writing_leave_no_drift(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.index_kills", "--kills", "12", "--seed", "3", "--home", str(tmp_path / "home")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    counts = dict(part.split() for part in done.stdout.strip().split(", "))
    assert int(counts["clean"]) + int(counts["healed"]) == 12
