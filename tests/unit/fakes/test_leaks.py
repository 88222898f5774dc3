"""That a leak makes a run fail, in each way in which it may come about."""

import base64
import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from urllib.parse import quote

import pytest
from fakes import leaks
from fakes.leaks import OTHERS, SAYING, SAYING_KO, TOKEN

TESTS = Path(__file__).parents[2]
KEY = OTHERS["PARING_MODELS__CHAT_KEY"]
IN_BASE64 = base64.b64encode(f"x:{TOKEN}".encode()).decode()


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note apart what is leaked here on purpose."""
    monkeypatch.setattr(leaks, "FOUND", [])
    monkeypatch.setattr(leaks, "_SAID", {})


@pytest.mark.parametrize(
    "written",
    [
        TOKEN, TOKEN.partition(":")[2], KEY, *OTHERS.values(), quote(TOKEN, safe=""), quote(KEY), quote(KEY, safe=""), repr(TOKEN),
        json.dumps(KEY), TOKEN.encode().hex(), *(base64.b64encode(before + TOKEN.encode()).decode() for before in (b"", b"x", b"xy")),
        f"{TOKEN[:9]}\n    {TOKEN[9:]}", repr(f"{TOKEN[:9]}\n{TOKEN[9:]}"), f"{IN_BASE64[:20]}\r\n{IN_BASE64[20:]}",
    ],
)  # fmt: skip
def test_a_secret_is_found_however_it_is_written(written: str) -> None:
    assert leaks.heard(f"GET https://host/bot{written}/getMe failed", "somewhere") != []
    assert leaks.FOUND != []


@pytest.mark.parametrize("text", [SAYING, SAYING_KO])
def test_what_was_said_is_found_where_it_is_none_of_a_readers_business(text: str) -> None:
    leaks.said(text)
    ways = (
        text,
        json.dumps(text),
        quote(text),
        ascii(text),
        repr(text.encode()),
        unicodedata.normalize("NFD", text),
        f"{text[:9]}\n{text[9:]}",
    )
    assert all(leaks.heard(f"ValueError: {way}", "stderr", private=True) for way in ways)
    assert leaks.heard(text, "an answer") == []


def test_an_order_is_no_text_and_a_word_is_none() -> None:
    for order in ("/help with something", "hello", "안녕"):
        leaks.said(order)
        assert leaks.heard(order, "stderr", private=True) == []


@pytest.mark.parametrize("coding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_file_that_is_left_is_looked_through(tmp_path: Path, coding: str) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "paring.db").write_bytes(b"\0\xff" + TOKEN.encode(coding) + b"\0")
    (tmp_path / "log").write_bytes(b"nothing")
    assert leaks.looked_through(tmp_path) == [f"a secret in {tmp_path / 'deep' / 'paring.db'}"]


def test_a_file_that_is_called_after_a_secret_is_found(tmp_path: Path) -> None:
    (tmp_path / f"bot{TOKEN}").write_bytes(b"nothing")
    assert len(leaks.looked_through(tmp_path)) == 1


LEAKING = {
    "prints it": "def test_leak():\n    print(leaks.TOKEN)\n",
    "leaves it in a home": (
        "def test_leak(tmp_path):\n    (tmp_path / 'home').mkdir()\n    (tmp_path / 'home' / 'crash.txt').write_text(leaks.TOKEN)\n"
    ),
    "leaves it where nobody looks": (
        "def test_leak(tmp_path):\n    (tmp_path / 'of its own').mkdir()\n    leaks.HOMES.add(tmp_path / 'of its own')\n"
        "    (tmp_path / 'of its own' / 'paring.db').write_text(leaks.TOKEN)\n"
    ),
    "logs what was said": "def test_leak():\n    leaks.said(leaks.SAYING)\n    leaks.heard(leaks.SAYING, 'x', private=True)\n",
    "nothing": "def test_none(tmp_path):\n    (tmp_path / 'home').mkdir()\n",
}


def test_a_run_of_passing_tests_that_leak_fails(tmp_path: Path) -> None:
    runs = {what: _run(tmp_path / f"run{number}", code) for number, (what, code) in enumerate(LEAKING.items())}
    for what, run in runs.items():
        output, _none = run.communicate(timeout=120)
        assert "1 passed" in output, what
        assert (run.returncode, "LEAKED" in output) == ((0, False) if what == "nothing" else (1, True)), what


def test_what_one_of_several_processes_finds_fails_the_whole_run(tmp_path: Path) -> None:
    run = _run(tmp_path / "run", LEAKING["logs what was said"], "-p", "xdist", "--numprocesses", "1")
    output, _none = run.communicate(timeout=120)
    assert "1 passed" in output
    assert run.returncode == 1
    assert "LEAKED" in output


def _run(folder: Path, code: str, *more: str) -> subprocess.Popen[str]:
    folder.mkdir()
    (folder / "test_leak.py").write_text(f"from fakes import leaks\n{code}", encoding="utf-8")
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "fakes.leaks",
        "-p",
        "no:randomly",
        "-c",
        os.devnull,
        "--rootdir",
        str(folder),
        *more,
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, "--basetemp", str(folder / "base"), str(folder / "test_leak.py")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", cwd=folder,
        env=os.environ | {"PYTHONPATH": str(TESTS), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
