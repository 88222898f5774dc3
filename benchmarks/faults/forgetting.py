"""What is forgotten, looked for byte by byte in all that a whole bot has on the disk, after it was killed.

Owns: what is said, sent, asked about and forgotten. Leaves to `fakes.leaks` how a saying may be spelt.
"""

from __future__ import annotations

import asyncio
import io
import sqlite3
import time
import unicodedata
import zipfile
from contextlib import closing
from pathlib import Path

from docx import Document
from fakes import leaks
from fakes.telegram_bot_api.client import ANN, FakeTelegram, running

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.street import Bot

BEN = 43
TEAM = -1_000_700
ENGLISH, KOREAN = "kwezi{}parrot", "크웨지{}앵무새"
"""Words that nobody else says; the number makes each message's own."""
WITHIN_S = 60.0


async def forget(plan: Plan) -> Row:
    """Have Ann say and send things, and Ben ask about them; let her forget all; kill the bot; look through every byte that is left."""
    count = plan.times(100, least=3)
    words = [form.format(number) for number in range(count) for form in (ENGLISH, KOREAN)]
    files = files_of(words[0], words[1])
    home = plan.scratch / "home"
    async with running() as telegram:
        bot = Bot.on(telegram, home)
        await telegram.order("group", id=TEAM, members={str(ANN): "member", str(BEN): "member"})
        await bot.spawn()
        await bot.ready()
        await telegram.say("/index on", user=ANN, chat=TEAM)
        await telegram.shown(TEAM, by_bot=1)
        await _said(telegram, count)
        await _sent(telegram, files)
        await quiet(telegram, home / "paring.db")
        for asked in ("/search who sits on the lamp", "/sum 50", "/search 등불 위에 앉은 앵무새"):
            await telegram.say(asked, user=BEN, chat=TEAM)
        await quiet(telegram, home / "paring.db")
        needles = needles_of(words, files)
        before = await asyncio.to_thread(left_in, plan.scratch, needles)
        begun = time.monotonic()
        for said, chat in (("/forget everything", ANN), ("/forget 전부", TEAM)):
            await answer(telegram, said, ANN, chat)
        took_s = time.monotonic() - begun
        await bot.kill()
        killed = await asyncio.to_thread(left_in, plan.scratch, needles)
        await bot.spawn()
        await bot.ready()
        shown = await answer(telegram, "/search lamp", BEN, TEAM)
        await bot.stop()
        stopped = await asyncio.to_thread(left_in, plan.scratch, needles)
    told = [word for word in words if word in shown]
    left = sorted({f"{what} in {where}" for what, where in (*killed, *stopped)})
    unseen = [what for what in needles if what not in {one for one, _where in before} and not what.startswith("taken apart")]
    return Row(
        len(words) + len(files), "words and files", leaked=len(left) + len(told), failed=len(unseen), worst_wait_s=took_s,
        note="; ".join([*left, *(f"{what} was nowhere before" for what in unseen)][:3])
        or f"{len(before)} places held them before; killed after, started and ended again: none does",
    )  # fmt: skip


def files_of(english: str, korean: str) -> dict[str, bytes]:
    """Return a file of each kind that is kept otherwise: as text, in a compressed member, in an archive."""
    paper, packed, archive = Document(), io.BytesIO(), io.BytesIO()
    paper.add_paragraph(f"The {english} sits on the lamp of the lease. {korean} 등불 위에 앉아 있습니다.")
    paper.save(packed)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as held:
        held.writestr("notes.txt", f"The {english} keeps the lamp. {korean} 등불을 지킵니다.\n" * 3)
    text = f"The {english} bought a lamp.\n\n{korean} 등불을 샀습니다.\n"
    return {
        "notes.txt": text.encode(), "notes-utf16.txt": text.encode("utf-16"),
        "taken-apart.txt": unicodedata.normalize("NFD", text).encode(), "paper.docx": packed.getvalue(), "archive.zip": archive.getvalue(),
    }  # fmt: skip


async def _said(telegram: FakeTelegram, count: int) -> None:
    for number in range(count):
        english, korean = ENGLISH.format(number), KOREAN.format(number)
        first = await telegram.say(f"The {english} sits on the lamp in room {number}.", user=ANN, chat=TEAM)
        await telegram.say(f"{korean} {number}번 방 등불 위에 앉아 있습니다.", user=ANN, chat=TEAM)
        await telegram.say(f"/search {english} lamp", user=ANN)
        if number % 10 == 0:
            asking = "/search lamp in this?"
            await telegram.say(asking, user=BEN, chat=TEAM, reply_to=first["message_id"])
            edited = await telegram.say(f"{english} first", user=ANN, chat=TEAM)
            await telegram.order("edit", chat=TEAM, message_id=edited["message_id"], text=f"{korean} then, at the lamp")
            await telegram.settled()


async def _sent(telegram: FakeTelegram, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        kept = await telegram.file(content, folder="documents", name=name)
        for chat in (ANN, TEAM):
            sent = await telegram.say(
                user=ANN, chat=chat, fields={"document": {**kept, "file_name": name, "mime_type": kind_of(name)}}
            )
            if chat == TEAM:
                await telegram.say("/sum", user=BEN, chat=TEAM, reply_to=sent["message_id"])


def kind_of(name: str) -> str:
    """Return the media type under which a file of that name is sent."""
    return "application/zip" if name.endswith("zip") else "text/plain" if name.endswith("txt") else "application/octet-stream"


async def answer(telegram: FakeTelegram, said: str, user: int, chat: int) -> str:
    """Return what is answered, where nothing else is on its way."""
    before = len(await telegram.shown(chat))
    await telegram.say(said, user=user, chat=chat)
    return str((await telegram.answers(chat, by_bot=before + 1))[-1]["text"])


async def quiet(telegram: FakeTelegram, database: Path) -> None:
    """Return once nothing waits: no update, no message, no reply."""
    await telegram.settled()
    async with asyncio.timeout(WITHIN_S):
        while await asyncio.to_thread(_waiting, database):  # noqa: ASYNC110 - another program's
            await asyncio.sleep(0.1)


def _waiting(database: Path) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=20)) as connection:
        inbox = "SELECT count(*) FROM inbox WHERE state IN ('received', 'working')"
        outbox = "SELECT count(*) FROM outbox WHERE state IN ('ready', 'sending')"
        return sum(connection.execute(query).fetchone()[0] for query in (inbox, outbox))


def needles_of(words: list[str], files: dict[str, bytes]) -> dict[str, tuple[bytes, ...]]:
    """Return what to look for: each word in every spelling, and of each file 24 bytes out of its middle."""
    needles = {
        word: tuple({one.encode() for one in leaks.spelt(word)} | {word.encode(f"utf-16-{end}") for end in ("le", "be")})
        for word in words
    }
    return needles | {name: (content[len(content) // 2 :][:24],) for name, content in files.items()}


def left_in(folder: Path, needles: dict[str, tuple[bytes, ...]]) -> list[tuple[str, str]]:
    """Return what is found in which file: of the home, the temporary folder, the log."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "site" not in path.parts:
            content = path.read_bytes()
            found += [
                (what, str(path.relative_to(folder))) for what, ways in needles.items() if any(way in content for way in ways)
            ]
    return found


FAULTS: tuple[Fault, ...] = (
    Fault(
        "forget", "secrets",
        "Ann forgets all that she said and sent, which others asked about and had summarised; the bot is killed; every byte is looked through",
        forget, 120,
    ),
)  # fmt: skip
