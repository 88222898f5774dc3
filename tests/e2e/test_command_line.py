"""The command line where something is wrong: a sentence, what to do next, an exit code, and never a trace."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import socket
import sys
from pathlib import Path

import pytest
from fakes.program import bot, paring
from fakes.waiting import LONGEST_S

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
    assert complaint == f"paring: There is no {tmp_path / 'none'}. Check the path and try again.\n"


async def test_a_folder_added_again_is_as_it_is_now(tmp_path: Path) -> None:
    folder = tmp_path / "team"
    folder.mkdir()
    for name, text in {
        "heater": "Kim Bora services the heater.",
        "boiler": "Ola services the boiler.",
        "lift": "Ines services the lift.",
    }.items():
        (folder / f"{name}.txt").write_text(text)
    await paring(tmp_path / "home", "add", str(folder))
    (folder / "boiler.txt").rename(folder / "kettle.txt")
    (folder / "lift.txt").unlink()
    code, out, _complaint = await paring(tmp_path / "home", "add", "--json", str(folder))
    done = json.loads(out)
    assert (code, done["added"], done["unchanged"]) == (0, 1, 1)
    assert sorted(Path(path).name for path in done["removed"]) == ["boiler.txt", "lift.txt"]


def test_of_errors_that_came_together_the_first_is_told() -> None:
    full = ExceptionGroup("unhandled", [ExceptionGroup("inner", [OSError(errno.ENOSPC, "No space left on device")])])
    assert sentence_on(full).to("en") == "The disk is full. What was committed is kept; free some space and try again."
    assert sentence_on(ExceptionGroup("unhandled", [StoreError("It is broken.")])).to("en") == "It is broken."
    assert sentence_on(KeyError("x")).to("en").startswith("something in me broke (KeyError: 'x').")


async def test_a_korean_terminal_is_spoken_to_in_korean(tmp_path: Path) -> None:
    (tmp_path / "lease.md").write_text("The lease ends in May.", encoding="utf-8")
    (tmp_path / "empty.md").write_bytes(b"")
    home, korean = tmp_path / "home", {"LC_ALL": "ko_KR.UTF-8"}
    said = [
        await paring(home, *words, **korean)
        for words in (
            ("--help",), ("ad",), ("add", str(tmp_path / "lease.md"), str(tmp_path / "empty.md")), ("index", "status"),
            ("index", "verify"), ("models",), ("doctor", "--settings"),
        )
    ]  # fmt: skip
    assert [code for code, _out, _complaint in said] == [0, 2, 0, 0, 0, 0, 0]
    told = [out + complaint for _code, out, complaint in said]
    assert "사용법: paring" in told[0]
    assert told[1] == "paring: `paring ad` 명령은 없어요. 혹시 `paring add`인가요?\n"
    assert told[2].startswith("새로 1개, 바뀐 것 0개, 그대로 0개: 글 1개")
    assert "읽지 못함: " in told[2]
    assert "빈 파일이에요" in told[2]
    assert told[3].startswith("문서: 1개\n글: 1개")
    assert told[4] == "색인이 데이터베이스와 맞아요: 글 1개.\n색인 파일에 모두 들어 있어요.\n"
    assert told[5].split()[:3] == ["자리", "모델", "상태"]
    assert "대화 페이지를 열지." in told[6]


async def test_what_a_machine_reads_is_the_same_in_every_language(tmp_path: Path) -> None:
    (tmp_path / "empty.md").write_bytes(b"")
    for words in (("add", str(tmp_path / "empty.md"), "--json"), ("index", "status", "--json"), ("models", "--json")):
        english = await paring(tmp_path / "home", *words)
        korean = await paring(tmp_path / "home", *words, LC_ALL="ko_KR.UTF-8")
        assert timeless(english[1]) == timeless(korean[1])


def timeless(out: str) -> str:
    return re.sub(r'"(seconds|ram_mb|database_bytes)": [\d.]+', "", out)


@pytest.mark.parametrize("words", [("say", "-"), ("route", "--jsonl", "-"), ("chat",)])
async def test_a_closed_stdin_is_no_trace(tmp_path: Path, words: tuple[str, ...]) -> None:
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-m", "bot", *words,
        env=os.environ | {"PARING_HOME": str(tmp_path / "home")}, cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, complaint = await asyncio.wait_for(process.communicate(), LONGEST_S)
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
