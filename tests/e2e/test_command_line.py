"""The command line where something is wrong: a sentence, what to do next, an exit code, and never a trace."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
from pathlib import Path

import pytest
from fakes.program import bot, paring

from bot.cli_errors import sentence_on
from bot.errors import StoreError


async def refused(home: Path, *words: str, **settings: str) -> str:
    code, out, complaint = await paring(home, *words, **settings)
    assert code == 1, (out, complaint)
    assert complaint.startswith("paring: ")
    assert "Traceback" not in complaint
    assert "something in me broke" not in complaint
    return complaint


async def test_a_value_of_the_wrong_kind_is_told_in_the_languages_of_the_terminal(tmp_path: Path) -> None:
    english = await refused(tmp_path / "home", "doctor", PARING_WEB__PORT="eighty")
    assert "“web.port” is not right: expected a whole number. Set it in paring.toml or as PARING_WEB__PORT." in english
    korean = await refused(tmp_path / "home", "doctor", PARING_WEB__PORT="99999", LC_ALL="ko_KR.UTF-8")
    assert "65535 이하여야 해요" in korean


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("[web\n", "cannot be read"),
        ("[web]\nprot = 1\n", "Did you mean web.port?"),
        ("web = 3\n", "“web” is a section. Write [web]"),
        ('[web]\nport = "x"\n', "expected a whole number"),
        ('[telegram]\ntoken = "1:canary"\n', "set PARING_TELEGRAM__TOKEN"),
    ],
)
async def test_a_wrong_paring_toml_is_told(tmp_path: Path, written: str, told: str) -> None:
    (tmp_path / "paring.toml").write_text(written, encoding="utf-8")
    complaint = await refused(tmp_path / "home", "doctor")
    assert told in complaint
    assert "canary" not in complaint


async def test_a_home_that_cannot_be_or_is_broken_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert "Set PARING_HOME to a folder of yours" in await refused(tmp_path / "file", "say", "/help")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "paring.db").write_bytes(b"no database" * 1000)
    assert "is not a database of Paring's" in await refused(broken, "say", "/help")


async def test_what_cannot_be_added_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "There is nothing to read there" in await refused(tmp_path / "home", "add", str(tmp_path / "empty"))
    (tmp_path / "broken.pdf").write_bytes(os.urandom(2000))
    code, out, _complaint = await paring(tmp_path / "home", "add", str(tmp_path / "broken.pdf"))
    assert code == 1
    assert "not read: " in out
    code, _out, complaint = await paring(tmp_path / "home", "add", str(tmp_path / "none"))
    assert code == 2
    assert "does not exist" in complaint


def test_of_errors_that_came_together_the_first_is_told() -> None:
    full = ExceptionGroup("unhandled", [ExceptionGroup("inner", [OSError(errno.ENOSPC, "No space left on device")])])
    assert sentence_on(full).to("en") == "The disk is full. What was committed is kept; free some space and try again."
    assert sentence_on(ExceptionGroup("unhandled", [StoreError("It is broken.")])).to("en") == "It is broken."
    assert sentence_on(KeyError("x")).to("en").startswith("something in me broke (KeyError: 'x').")


@pytest.mark.parametrize("words", [("say", "-"), ("route", "--jsonl", "-"), ("chat",)])
async def test_a_closed_stdin_is_no_trace(tmp_path: Path, words: tuple[str, ...]) -> None:
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-m", "bot", *words,
        env=os.environ | {"PARING_HOME": str(tmp_path / "home")}, cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, complaint = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == (0 if words == ("chat",) else 1)
    assert b"Traceback" not in complaint
    assert (b"There is no input" in complaint) == (words != ("chat",)), out


async def test_a_terminal_without_the_letters_shows_the_rest(tmp_path: Path) -> None:
    code, out, complaint = await paring(tmp_path / "home", "say", "/help", PYTHONIOENCODING="ascii:strict")
    assert (code, complaint) == (0, "")
    assert "/search" in out


async def test_a_port_that_is_taken_ends_the_bot_with_what_to_type(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        complaint = await refused(tmp_path / "home", "run", PARING_WEB__PORT=str(port))
    assert complaint == (
        f"paring: web is off: Port {port} is taken by another program, perhaps by a Paring that runs already."
        f" PARING_WEB__PORT={port + 1} paring run takes another.\n"
    )


async def test_a_bot_that_is_asked_to_end_has_done_nothing_wrong(tmp_path: Path) -> None:
    async with bot(tmp_path / "home") as program:
        assert await program.stop() == 0
