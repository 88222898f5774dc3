"""What is too old goes and what is younger stays, also where the bot is killed in the midst: looked for byte by byte, and asked for.

Owns: what is said and sent long ago and what lately. Leaves to `forgetting` how a saying may be spelt and where it is looked for.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fakes.program import environment, paring
from fakes.telegram_bot_api.client import ANN, FakeTelegram, running

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.forgetting import BEN, TEAM, answer, files_of, kind_of, left_in, needles_of, quiet
from benchmarks.faults.street import SKILL, Bot, with_skill

DAYS = 30
OLD, YOUNG = ("kwezi{}parrot", "크웨지{}앵무새"), ("mbira{}heron", "음비라{}왜가리")
"""Words that nobody else says, English and Korean; the number makes each message's own."""
ROUND_S = 60.0
AT = {
    "inbox": ("sent_at", "received_at", "done_at"), "outbox": ("created_at", "sent_at"), "documents": ("updated_at", "added_at"),
    "labels": ("said_at",),
}  # fmt: skip
HURRY = """
import bot.ageing
bot.ageing.LOOKED_AT_S, bot.ageing.AT_ONCE, bot.ageing.DOCUMENTS_AT_ONCE = 0.3, 20, 5
"""
"""A round begins soon, in steps so small that a kill meets one."""


async def ages(plan: Plan) -> Row:
    """Say things, have them be old, say others; let the running bot delete the old, killed in the midst, and `paring age` in a copy."""
    whole, count = plan.scale >= 0.1, plan.times(60, least=2)
    home, copy, kills = plan.scratch / "home", plan.scratch / "by-hand" / "home", plan.times(8) if whole else 0
    old, young = _words(OLD, count), _words(YOUNG, count)
    sent = {
        "old": _few(files_of(*old[:2]), whole=whole),
        "young": {f"young-{name}": data for name, data in _few(files_of(*young[:2]), whole=whole).items()},
    }
    looked_for = {what: ways for what, ways in needles_of(old, sent["old"]).items() if not _holds(sent["young"], ways)}
    looked_for |= {what: (data,) for what, data in sent["old"].items() if what not in looked_for}
    async with running() as telegram:
        await telegram.order("group", id=TEAM, members={str(ANN): "member", str(BEN): "member"})
        bot = Bot.on(telegram, home)
        await bot.spawn()
        await bot.ready()
        await answer(telegram, "/index on", ANN, TEAM)
        quoted = await telegram.say(f"{old[0]} once more", user=ANN, chat=TEAM)
        await _said(telegram, old, sent["old"])
        await _asked(telegram, "lamp", count)
        await quiet(telegram, home / "paring.db")
        before = await asyncio.to_thread(left_in, home, looked_for)
        await asyncio.to_thread(_become_old, home)
        await _said(telegram, young, sent["young"])
        await telegram.say("/search heron in this?", user=BEN, chat=TEAM, reply_to=quoted["message_id"])
        await quiet(telegram, home / "paring.db")
        await bot.stop()
        await asyncio.to_thread(_quoted_become_old, home, f"{old[0]} once more")
        if whole:
            await asyncio.to_thread(shutil.copytree, home, copy)
        aged = Bot.on(
            telegram,
            home,
            PARING_RETENTION__DAYS=str(DAYS),
            PARING_LOG_LEVEL="info",
            **with_skill(plan.scratch / "hurried", "echo", SKILL + HURRY),
        )
        cut = await _until_gone(aged, kills)
        found = {word: await answer(telegram, f"/search {word}", BEN, TEAM) for word in ("lamp", *young[2:4])} if whole else {}
        await aged.kill()
    left = await asyncio.to_thread(left_in, home, looked_for)
    by_hand = await _by_hand(copy, looked_for, random.Random(plan.seed)) if whole else []  # noqa: S311 - as above
    lost = _missing(home, young, sent["young"]) + (_missing(copy, young, sent["young"]) if whole else [])
    lost += [word for word, shown in found.items() if word in young and word not in shown.replace("*", "")]
    leaked = [f"{what} in {where}" for what, where in (*left, *by_hand)] + [word for word in old if word in found.get("lamp", "")]
    unseen = [what for what in looked_for if what not in {one for one, _where in before} and not what.startswith("taken apart")]
    return Row(
        2 * (len(old) + len(sent["old"])), "words and files", lost=len(lost), leaked=len(leaked), failed=len(unseen) + _unsound(home),
        note="; ".join([*leaked, *(f"{what} is gone" for what in lost), *(f"{what} was nowhere before" for what in unseen)][:3])
        or f"{len(before)} places held what was old; {kills} kills, {cut} of them with more to go; then none does, what is young is found",
    )  # fmt: skip


def _few(files: dict[str, bytes], *, whole: bool) -> dict[str, bytes]:
    """Return them all, or one whose reader is there in a moment."""
    return files if whole else {"notes.txt": files["notes.txt"]}


def _holds(files: dict[str, bytes], ways: tuple[bytes, ...]) -> bool:
    return any(way in data for data in files.values() for way in ways)


def _words(forms: tuple[str, str], count: int) -> list[str]:
    return [form.format(number) for number in range(count) for form in forms]


async def _said(telegram: FakeTelegram, words: list[str], files: dict[str, bytes]) -> None:
    """Have Ann say each word in the group and ask for some of them alone, and send the files to both."""
    for number, word in enumerate(words):
        await telegram.say(f"{word} 등불 위에 앉아 있습니다. The {word} sits on the lamp {number}.", user=ANN, chat=TEAM)
        if number % 4 == 0:
            await telegram.say(f"/search {word} lamp", user=ANN)
    for name, content in files.items():
        kept = await telegram.file(content, folder="documents", name=name)
        for chat in (ANN, TEAM):
            document = {**kept, "file_name": name, "mime_type": kind_of(name)}
            one = await telegram.say(user=ANN, chat=chat, fields={"document": document})
            if chat == TEAM:
                await telegram.say("/sum", user=BEN, chat=TEAM, reply_to=one["message_id"])


async def _asked(telegram: FakeTelegram, word: str, count: int) -> None:
    """Have Ben get answers that quote what Ann said."""
    for said in (f"/search who sits on the {word}", "/sum 50", *(f"/search {word} {number}" for number in range(count // 4))):
        await telegram.say(said, user=BEN, chat=TEAM)


def _become_old(home: Path) -> None:
    """Have all that is in a home be of long ago."""
    with closing(sqlite3.connect(home / "paring.db", timeout=20)) as connection, connection:
        for table, columns in AT.items():
            made = ", ".join(f"{column} = '2001-01-01 00:00:00.000000'" for column in columns)
            connection.execute(f"UPDATE {table} SET {made}")  # noqa: S608 - names that stand above
    for path in (home / "blobs").rglob("*"):
        os.utime(path, (1e9, 1e9))


def _quoted_become_old(home: Path, text: str) -> None:
    """Have the message that says `text` be of long ago, too, where a young one quotes it."""
    with closing(sqlite3.connect(home / "paring.db", timeout=20)) as connection, connection:
        for number, packed in connection.execute("SELECT id, message FROM inbox").fetchall():
            message = json.loads(packed)
            if message.get("reply_to", {}).get("text") == text:
                message["reply_to"]["sent_at"] = "2001-01-01T00:00:00Z"
                again = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
                connection.execute("UPDATE inbox SET message = ? WHERE id = ?", (again, number))


async def _until_gone(bot: Bot, kills: int) -> int:
    """Let it begin rounds, and kill it ever later in them, at last once no row is left; then let it end one. Return how many met rows."""
    rows, cut = await asyncio.to_thread(_old_rows_left, bot.home), 0
    for number in range(1, kills + 1):
        await bot.spawn()
        with closing(_opened(bot.home)) as connection:
            async with asyncio.timeout(ROUND_S):
                while await asyncio.to_thread(_counted, connection) > rows * (1 - number / kills):  # noqa: ASYNC110 - another program's
                    await asyncio.sleep(0.005)
        await bot.kill()
        cut += await asyncio.to_thread(_old_rows_left, bot.home) > 0
    before = bot.log.read_text(encoding="utf-8").count("what was old is gone")
    await bot.spawn()
    await bot.ready()
    async with asyncio.timeout(ROUND_S):
        while bot.log.read_text(encoding="utf-8").count("what was old is gone") == before:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
    return cut


def _old_rows(home: Path, *, mode: str = "ro") -> int:
    with closing(_opened(home, mode=mode)) as connection:
        return _counted(connection)


def _opened(home: Path, *, mode: str = "ro") -> sqlite3.Connection:
    return sqlite3.connect(f"file:{home / 'paring.db'}?mode={mode}", uri=True, timeout=20, check_same_thread=False)


def _counted(connection: sqlite3.Connection) -> int:
    inbox = "SELECT count(*) FROM inbox WHERE received_at < '2002-01-01'"
    documents = "SELECT count(*) FROM documents WHERE updated_at < '2002-01-01'"
    return int(sum(connection.execute(query).fetchone()[0] for query in (inbox, documents)))


def _old_rows_left(home: Path) -> int:
    """Count them where no program has the database open: in a copy, so that its log stays as the kill left it."""
    with tempfile.TemporaryDirectory() as folder:
        for path in home.glob("paring.db*"):
            if not path.name.endswith("-shm"):
                shutil.copy(path, folder)
        return _old_rows(Path(folder), mode="rw")


async def _by_hand(home: Path, looked_for: dict[str, tuple[bytes, ...]], chance: random.Random) -> list[tuple[str, str]]:
    """Do it with `paring age`, killed twice; return what is left."""
    for _kill in range(2):
        was = await asyncio.to_thread(_old_rows_left, home)
        verb = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            "age",
            str(DAYS),
            env=environment(home),
            cwd=home.parent,
            stdout=asyncio.subprocess.DEVNULL,
        )
        with closing(_opened(home)) as connection:
            while verb.returncode is None and await asyncio.to_thread(_counted, connection) == was:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        await asyncio.sleep(chance.uniform(0, 0.05))
        if verb.returncode is None:
            verb.send_signal(signal.SIGKILL)
        await verb.wait()
    code, said, complaints = await paring(home, "age", str(DAYS))
    return await asyncio.to_thread(left_in, home, looked_for) + ([(said + complaints, "the verb's words")] if code else [])


def _missing(home: Path, words: list[str], files: dict[str, bytes]) -> list[str]:
    """Return what of the young is in no message, no passage and no file any more."""
    with closing(sqlite3.connect(home / "paring.db", timeout=20)) as connection:
        said = " ".join(row[0] for row in connection.execute("SELECT message FROM inbox"))
        kept = " ".join(row[0] for row in connection.execute("SELECT text FROM passages"))
    blobs = {path.read_bytes() for path in (home / "blobs").rglob("*") if path.is_file()}
    return [word for word in words if word not in said or word not in kept] + [
        name for name, data in files.items() if data not in blobs
    ]


def _unsound(home: Path) -> int:
    since = (datetime.now(UTC) - timedelta(days=DAYS)).strftime("%Y-%m-%d")
    with closing(sqlite3.connect(home / "paring.db", timeout=20)) as connection:
        sound = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        left = connection.execute("SELECT count(*) FROM inbox WHERE received_at < ?", (since,)).fetchone()[0]
    return int(not sound) + left


FAULTS: tuple[Fault, ...] = (
    Fault(
        "ageing", "secrets",
        "what was said, sent and answered is older than `retention.days`, other things are not: the running bot deletes the old, killed in the "
        "midst, and `paring age` in a copy of its home, killed too",
        ages, 150,
    ),
)  # fmt: skip
