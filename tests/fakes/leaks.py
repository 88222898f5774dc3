"""Looks for secrets, and for what people said, in all that the bot wrote while it was tested. A plugin of pytest: see `tests/conftest.py`.

Every program that tests start is given the SECRETS, all of which hold one mark, and what is said to it is noted. Looked through are what
each program wrote (secrets anywhere; what was said, in what goes to stderr), what was captured of each test, and at the end every
file of the homes and temporary folders that are left: a secret may stand in none, the database included.

    leaks.said("the lease ends in April")
    leaks.heard(stderr, "paring run", private=True)
    leaks.FOUND     # what was found, and where

What secrets look like is written here anew, and not taken from `bot.logs_secrets`, which is what is tested.
"""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

MARK = "zq7Kanari9wv"
"""Stands in every secret, looks the same in addresses, JSON and `repr`, and is nobody's word."""
TOKEN = f"7:AA-{MARK}_token-of-nobody"
OTHERS = {
    "PARING_MODELS__CHAT_KEY": f"key/{MARK} is+never&seen",
    "PARING_TELEGRAM__WEBHOOK_SECRET": f"webhook_{MARK}",
    "HF_TOKEN": f"hf_{MARK}",
}
"""What each program is given besides."""
SAYING = "the parrot Kwezi9 hides the lease under a lamp"
SAYING_KO = "앵무새 크웨지9가 임대차 계약서를 등불 밑에 숨겼습니다"
"""What people say where it matters what becomes of it."""
FOUND: list[str] = []
HOMES: set[Path] = set()
"""What is looked through at the end besides pytest's own folders."""
MOST_REMEMBERED = 2000
SHORTEST_SAID, SHORTEST_KOREAN = 12, 6
"""Characters from which what was said is a text, and no word of the program's own."""
LARGEST_FILE = 64 << 20
TOLD_OF_ONE = 3
_SAID: dict[str, tuple[str, ...]] = {}
_BREAK = re.compile(r"[\r\n]+|(?:\\r)?\\n")
_BREAK_AND_INDENT = re.compile(rf"(?:{_BREAK.pattern})[ \t]*")


def spelt(text: str) -> tuple[str, ...]:
    """Return how `text` may be written: as it is, taken apart (NFD), in addresses, JSON and `repr`, in base64, in hexadecimal digits."""
    raw = text.encode()
    plain = (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text))
    escaped = (
        quote(text),
        quote(text, safe=""),
        quote_plus(text),
        json.dumps(text)[1:-1],
        repr(text)[1:-1],
        ascii(text)[1:-1],
        repr(raw)[2:-1],
    )
    return tuple(dict.fromkeys((*plain, *escaped, raw.hex(), raw.hex().upper(), *_in_base64(raw))))


def _in_base64(raw: bytes) -> Iterator[str]:
    """Yield what of `raw` looks the same wherever it stands in a text in base64, in both alphabets."""
    for before in range(3):
        coded = base64.b64encode(bytes(before) + raw).decode()
        whole = coded[-(-before * 8 // 6) : (before + len(raw)) * 8 // 6]
        yield from (whole, whole.replace("+", "-").replace("/", "_"))


_MARKS = spelt(MARK)
_MARK_BYTES = (*(one.encode() for one in _MARKS), MARK.encode("utf-16-le"), MARK.encode("utf-16-be"), MARK.encode("utf-32-le"))


def said(text: str | None) -> None:
    """Remember what a person said: it may be answered, shown and kept, and never logged."""
    if text and not text.startswith("/") and " " in text and len(text) >= (SHORTEST_SAID if text.isascii() else SHORTEST_KOREAN):
        _SAID.pop(text, None)
        _SAID[text] = spelt(text)
        while len(_SAID) > MOST_REMEMBERED:
            del _SAID[next(iter(_SAID))]


def heard(output: bytes | str, where: str, *, private: bool = False) -> list[str]:
    """Look through what a program wrote; with `private` for what was said, too. Return what was found, which is noted."""
    text = output.decode("utf-8", "replace") if isinstance(output, bytes) else output
    told = (
        text,
        _BREAK.sub("", text),
        _BREAK_AND_INDENT.sub("", text),
        _BREAK_AND_INDENT.sub(" ", text),
    )  # broken into lines, too
    found = [f"a secret in {where}: {_around(one, mark)}" for mark in _MARKS for one in told if mark in one]
    if private:
        found += [
            f"what was said, in {where}: {one!r}"
            for one, ways in _SAID.items()
            if any(way in all_ for way in ways for all_ in told)
        ]
    FOUND.extend(found[:TOLD_OF_ONE])
    return found


def looked_through(folder: Path) -> list[str]:
    """Return which files under `folder` hold a secret, or are named after one."""
    found = []
    for path in _files(folder):
        content = path.read_bytes()
        if any(mark in content for mark in _MARK_BYTES) or any(mark in str(path) for mark in _MARKS):
            found.append(f"a secret in {path}")
    return found


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        try:
            if path.is_file() and not path.is_symlink() and 0 < path.stat().st_size <= LARGEST_FILE:
                yield path
        except OSError:
            continue


def _around(text: str, mark: str) -> str:
    at = text.index(mark)
    return repr(text[max(0, at - 60) : at] + "«…»" + text[at + len(mark) : at + len(mark) + 20])


# ---------------------------------------------------------------------- pytest's hooks


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Look through what was captured of a test that passed; one that failed shows its own values."""
    if report.passed:
        for title, text in report.sections:
            heard(text, f"{report.nodeid}, {title}")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Look through the folders that are left, and fail the run where anything was found."""
    factory = getattr(session.config, "_tmp_path_factory", None)
    base = getattr(factory, "_basetemp", None)
    left = {folder for name in ("home", "temp") for folder in base.glob(f"*/{name}")} if base is not None else set()
    FOUND.extend(one for folder in sorted(HOMES | left) for one in looked_through(folder))
    if FOUND:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if (told := getattr(session.config, "workeroutput", None)) is not None:
        told["leaked"] = FOUND


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what one of several processes found: pytest-xdist tells it before the whole run finishes."""
    FOUND.extend(getattr(node, "workeroutput", {}).get("leaked", ()))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was found."""
    for one in dict.fromkeys(FOUND):
        terminalreporter.write_line(f"LEAKED: {one}", red=True)
