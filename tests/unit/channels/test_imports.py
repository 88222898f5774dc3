"""What a platform's library does without is not found by it alone; certificates are read when they are needed."""

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


CERTIFICATES = """
import ssl
from bot.channels.imports import import_aiohttp
import_aiohttp()
from aiohttp import connector
ours, theirs = connector._SSL_CONTEXT_VERIFIED, ssl.create_default_context()
assert isinstance(ours, ssl.SSLContext)
assert not ours.get_ca_certs()
assert (ours.verify_mode, ours.check_hostname, ours.verify_flags) == (theirs.verify_mode, theirs.check_hostname, theirs.verify_flags)
ours.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="example.org")
assert ours.get_ca_certs() == theirs.get_ca_certs()
ours.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="example.org")
assert type(theirs) is ssl.SSLContext
other = connector._SSL_CONTEXT_UNVERIFIED
assert (other.verify_mode, other.check_hostname) == (ssl.CERT_NONE, False)
other.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="example.org")
assert other.get_ca_certs() == theirs.get_ca_certs()
"""


def test_certificates_are_read_at_the_first_connection() -> None:
    subprocess.run([sys.executable, "-c", CERTIFICATES], check=True)


LIBRARIES = """
import sys
from bot.channels.imports import OF_NICEGUI, OF_TELEGRAM, import_aiohttp, without
import_aiohttp()
with without(*OF_TELEGRAM):
    import bot.channels.telegram
with without(*OF_NICEGUI):
    import bot.channels.web_page
print(*sorted(set(sys.modules) & {"cryptography", "requests", "tornado", "rich"}))
"""


def test_the_libraries_can_do_without() -> None:
    done = subprocess.run([sys.executable, "-c", LIBRARIES], check=True, capture_output=True, text=True)

    assert done.stdout.split() == []
