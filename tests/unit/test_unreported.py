"""No library that the bot loads reports the use of itself to its maker."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.models import prepare
from bot.sandbox_process import child_environment
from bot.unreported import ENVIRONMENT

LOADED = """
import sys
from pathlib import Path
from bot.models.runtimes.minilm import with_onnxruntime
with_onnxruntime(Path(sys.argv[1]))
"""
IMPORTED = """
import bot, sys
import openvino
print(sorted(name for name, module in sys.modules.items() if name.startswith("openvino_telemetry") and module))
"""


def run(program: str, *words: str, home: Path) -> str:
    """Run a program in an environment that says nothing; where it says that tests run, libraries report nothing by themselves."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, "-c", program, *words], env=environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_onnxruntime_keeps_nothing_to_report(tmp_path: Path) -> None:
    folder = prepare.prepared_minilm(tmp_path / "paring")

    run(LOADED, str(folder / "minilm.onnx"), home=tmp_path)

    assert not list(tmp_path.rglob("*onnxruntime*"))


def test_openvino_finds_nothing_to_report_with(tmp_path: Path) -> None:
    assert run(IMPORTED, home=tmp_path).strip() == "[]"


def test_what_is_started_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)

    assert child_environment().items() >= ENVIRONMENT.items()
