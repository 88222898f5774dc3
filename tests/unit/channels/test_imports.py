"""What a platform's library does without is not found by it, and by it alone."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bot.channels.imports import without


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module that may be imported."""
    (tmp_path / "paring_hidden_one.py").write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "paring_hidden_one", raising=False)
    return "paring_hidden_one"


def test_what_is_hidden_is_not_found_until_it_is_shown_again(module: str) -> None:
    with without(module), pytest.raises(ModuleNotFoundError):
        importlib.import_module(module)

    assert importlib.import_module(module).__name__ == module


def test_another_thread_finds_it(module: str) -> None:
    found: list[object] = []
    with without(module):
        other = threading.Thread(target=lambda: found.append(importlib.import_module(module)))
        other.start()
        other.join()

    assert len(found) == 1


def test_what_is_imported_already_stays(module: str) -> None:
    importlib.import_module(module)

    with without(module):
        assert importlib.import_module(module).__name__ == module


LIBRARIES = """
import sys
from bot.channels.imports import OF_NICEGUI, OF_TELEGRAM, without
with without(*OF_TELEGRAM):
    import bot.channels.telegram
with without(*OF_NICEGUI):
    import bot.channels.web_page
print(*sorted(set(sys.modules) & {"cryptography", "requests", "tornado", "rich"}))
"""


def test_the_libraries_can_do_without() -> None:
    done = subprocess.run([sys.executable, "-c", LIBRARIES], check=True, capture_output=True, text=True)

    assert done.stdout.split() == []
