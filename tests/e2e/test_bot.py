"""The whole bot, as the program that people start: asked, answered, killed, started again."""

import asyncio
import json
import os
import random
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import aiohttp
from fakes.program import bot, paring, telegram_settings
from fakes.telegram_bot_api.client import ANN, FakeTelegram, running
from fakes.waiting import LONGEST_S

PLAN = "Office move\n\nThe team moves to the Mapo office on 3 March. Minji orders the boxes. The old lease ends in April.\n"
PLAN_KO = "사무실 이전 안내\n\n우리 팀은 3월 3일에 마포 사무실로 이사합니다. 상자는 민지 님이 주문합니다. 옛 임대 계약은 4월에 끝납니다.\n"
KILLS = 6
MESSAGES_A_LIFE = 8
TEXT_LIMIT = 4096
ASKED = 5


def written(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "move.md").write_text(PLAN, encoding="utf-8")
    (folder / "이전.txt").write_text(PLAN_KO, encoding="utf-8")
    return folder


async def test_documents_are_added_and_questions_answered_with_sources_in_both_languages(tmp_path: Path) -> None:
    home = tmp_path / "home"
    code, out, complaints = await paring(home, "add", str(written(tmp_path / "docs")), "--json")
    assert code == 0, complaints
    assert json.loads(out)["added"] == 2
    for question, answer in (("When does the team move to the new office?", "3 March"), ("상자는 누가 주문해?", "민지")):
        code, out, complaints = await paring(home, "say", question, "--json")
        assert code == 0, complaints
        reply = json.loads(out)
        assert reply["skill"] == "search"
        assert answer in reply["sources"][0]["text"]


async def test_the_same_folder_again_is_unchanged_and_a_changed_file_is_replaced(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", written(tmp_path / "docs")
    await paring(home, "add", str(folder))
    (folder / "move.md").write_text(PLAN.replace("3 March", "9 May"), encoding="utf-8")
    _code, out, _complaints = await paring(home, "add", str(folder), "--json")
    told = json.loads(out)
    assert (told["added"], told["replaced"], told["unchanged"]) == (0, 1, 1)
    _code, out, _complaints = await paring(home, "say", "When does the team move to the Mapo office?", "--json")
    assert "9 May" in out
    assert "3 March" not in out


async def test_what_is_kept_for_one_chat_is_not_found_in_another(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", written(tmp_path / "docs")
    await paring(home, "add", str(folder), "--scope", "dm:console/local/ann")
    _code, mine, _complaints = await paring(home, "say", "When does the team move to the Mapo office?", "--chat", "ann", "--json")
    _code, others, _complaints = await paring(
        home, "say", "When does the team move to the Mapo office?", "--chat", "bob", "--json"
    )
    assert "3 March" in mine
    assert "3 March" not in others


async def test_the_page_and_telegram_are_served_by_one_bot_without_torch(tmp_path: Path) -> None:
    home = tmp_path / "home"
    await paring(home, "add", str(written(tmp_path / "docs")))
    async with running() as telegram, bot(home, channels=2, **telegram_settings(telegram)) as program:
        async with aiohttp.ClientSession() as session, session.get(f"{program.url}/healthz") as answer:
            assert answer.status == 200
        await telegram.say("When does the team move to the Mapo office?")
        (answer,) = await telegram.shown(ANN, by_bot=1)
        if answer["text"].startswith("I am working on it"):  # a busy machine: the status becomes the answer
            await telegram.calls("editMessageText", count=1)
            (answer,) = await telegram.shown(ANN)
        assert "3 March" in answer["text"]
        await telegram.say("이 글을 요약해줘: " + PLAN_KO * 3)
        await telegram.shown(ANN, by_bot=2)
        assert "libtorch" not in program.libraries()
        assert await program.stop() == 0


async def test_killed_at_any_moment_it_answers_everything_that_was_acknowledged(tmp_path: Path) -> None:
    home, chance = tmp_path / "home", random.Random(4711)
    said: list[str] = []
    async with running() as telegram:
        for _life in range(KILLS):
            async with bot(home, channels=2, **telegram_settings(telegram)) as program:
                before = len(await telegram.calls("sendMessage", count=0))
                for _message in range(MESSAGES_A_LIFE):
                    said.append(f"/help{len(said):02d}")  # no such command: its answer repeats it
                    await telegram.say(said[-1])
                await telegram.calls("sendMessage", count=before + chance.randrange(1, MESSAGES_A_LIFE))
                program.kill()
        async with bot(home, channels=2, **telegram_settings(telegram)):
            await telegram.settled()
            answers = await answered(telegram, said)
    once = [text for text in answers if "Sent again" not in text]
    assert max(sum(name in text for text in once) for name in said) == 1, "an answer came twice without a word"
    with closing(sqlite3.connect(home / "paring.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT DISTINCT state FROM inbox").fetchall() == [("done",)]


async def answered(telegram: FakeTelegram, said: list[str]) -> list[str]:
    """Return what the bot shows, once each of the messages has an answer; the fake's wait fails the test where one has none."""
    shown: list[str] = []
    while missing := sum(all(name not in text for text in shown) for name in said):
        shown = [one["text"] for one in await telegram.shown(ANN, by_bot=len(shown) + missing) if one["from"]["is_bot"]]
    return shown


async def test_two_terminals_in_one_chat_each_get_their_own_answers(tmp_path: Path) -> None:
    home = tmp_path / "home"
    await paring(home, "setup")
    questions = [("/lang klingon", "Write /lang ko"), ("/index", "messages are not indexed")]
    told = await asyncio.gather(*(talk(home, question) for question, _answer in questions))
    for (question, answer), printed in zip(questions, told, strict=True):
        others = next(said for asked, said in questions if asked != question)
        assert printed.count(answer) == ASKED
        assert others not in printed


async def test_forget_leaves_no_byte_of_it_under_the_home(tmp_path: Path) -> None:
    home, canary = tmp_path / "home", "zyxcanary"
    file = tmp_path / "note.txt"
    file.write_text(f"The {canary} sings at dawn in the file. " * 20, encoding="utf-8")
    await paring(home, "say", f"remember: the {canary} sings at noon")
    await paring(home, "say", "/sum", "--file", str(file))
    await paring(home, "add", str(file), "--scope", "dm:console/local/terminal")
    assert holding(home, canary) != []
    code, out, complaints = await paring(home, "say", "/forget")
    assert code == 0, complaints
    assert "Forgotten: 2 messages" in out
    assert holding(home, canary) == []


def holding(home: Path, word: str) -> list[str]:
    """Return the files under `home` that have the word in them."""
    return [str(path) for path in home.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


async def talk(home: Path, question: str) -> str:
    """Say `question` ASKED times in a terminal; return what was printed."""
    lines = "".join(f"{question}\n" for _time in range(ASKED))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARING_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "chat",
        env=environment | {"PARING_HOME": str(home)}, cwd=home.parent,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, complaints = await asyncio.wait_for(process.communicate(lines.encode()), LONGEST_S)
    assert process.returncode == 0, complaints.decode()
    return printed.decode()


async def test_mistakes_get_a_sentence_and_an_exit_code(tmp_path: Path) -> None:
    home = tmp_path / "home"
    code, _out, complaints = await paring(home, "doctor", PARING_WEB__PROT="1")
    assert code == 1
    assert "Did you mean PARING_WEB__PORT" in complaints
    code, out, _complaints = await paring(home, "say", "/serch plan")
    assert code == 0
    assert "/search" in out
    code, _out, complaints = await paring(home, "add", str(tmp_path / "none"))
    assert code == 2
    code, _out, complaints = await paring(home, "add", str(tmp_path), "--scope", "everyone")
    assert code == 2
    assert "is no scope" in complaints
    assert "Traceback" not in complaints
