"""The disk turns against a running bot: read-only and back, and files that were sent are gone from it, or cut.

A file system cannot be made read-only while a program writes into it, so the refusal is put where the bot meets it: at SQLite's own
system calls (`xSetSystemCall` of its file layer) and at Python's, each answered EROFS while a file of a certain name is there.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fakes.program import paring
from fakes.telegram_bot_api.client import FakeTelegram, running

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.forgetting import quiet
from benchmarks.faults.store_seen import SENTENCES, WAITS, Page, integrity, told_the_operator
from benchmarks.faults.street import SKILL, Bot, Street, with_skill

READ_ONLY = """
import builtins, ctypes, errno, os, _sqlite3
from pathlib import Path
SIGN = Path(__file__).with_name("read-only")
lib, libc = ctypes.CDLL(_sqlite3.__file__), ctypes.CDLL(None, use_errno=True)

class VFS(ctypes.Structure):
    pass
find = lib.sqlite3_vfs_find
find.restype, find.argtypes = ctypes.POINTER(VFS), [ctypes.c_char_p]
SET = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(VFS), ctypes.c_char_p, ctypes.c_void_p)
VFS._fields_ = [("version", ctypes.c_int), ("size", ctypes.c_int), ("path", ctypes.c_int), ("next", ctypes.c_void_p),
    ("name", ctypes.c_char_p), ("data", ctypes.c_void_p), *((f"x{number}", ctypes.c_void_p) for number in range(13)), ("set", SET)]
HELD = []

def refuse(name, kind, *types):
    call = getattr(libc, name)
    call.restype, call.argtypes = kind, types
    def called(*given):
        if SIGN.exists():
            ctypes.set_errno(errno.EROFS)
            return -1
        return call(*given)
    HELD.append(ctypes.CFUNCTYPE(kind, *types, use_errno=True)(called))
    assert find(None).contents.set(find(None), name.encode(), ctypes.cast(HELD[-1], ctypes.c_void_p)) == 0

refuse("pwrite64", ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long)
refuse("pwrite", ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_long)
refuse("ftruncate", ctypes.c_int, ctypes.c_int, ctypes.c_long)
refuse("unlink", ctypes.c_int, ctypes.c_char_p)

def refusing(function, writes):
    def called(*given, **named):
        if SIGN.exists() and writes(*given, **named):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return function(*given, **named)
    return called
os.open = refusing(os.open, lambda path, flags, *_more, **_named: flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
for name in ("unlink", "replace", "rename", "mkdir", "utime", "rmdir"):
    setattr(os, name, refusing(getattr(os, name), lambda *_given, **_named: True))
io_open = builtins.open
builtins.open = refusing(io_open, lambda file, mode="r", *_more, **_named: not isinstance(file, int) and set(mode) & set("wax+"))
"""
ANSWERED_S = 60.0
FILE = "The {word} of the office is kept under the lamp in room {number}. It was bought in the year {year}.\n"


async def read_only(plan: Plan) -> Row:
    """Have the disk refuse all writes for a while, several times, while people ask in Telegram and on the page and send files."""
    whole, chance = plan.scale >= 0.1, random.Random(plan.seed)  # noqa: S311 - chats
    site, worst, silent, wrong = plan.scratch / "refusing", 0.0, 0, 0
    async with running() as telegram:
        street = Street(telegram, chance, direct=4, groups=0)
        bot = Bot.on(telegram, plan.scratch / "home", page=True, **with_skill(site, "echo", SKILL + READ_ONLY))
        await bot.spawn()
        await bot.ready(2)
        page = Page(bot)
        await street.open()
        await street.say()
        await street.answered()
        for _time in range(plan.times(4)):
            async with _refusing(site):
                for _message in range(plan.times(25, least=3)):
                    await street.say()
                await page.ask()
                silent += not page.told or not any(word in page.told[-1][1] for word in SENTENCES)
                await asyncio.sleep(5.0 if whole else 0.3)
            begun = time.monotonic()
            await street.answered()
            worst = max(worst, time.monotonic() - begun)
            wrong += not await page.ask()
        state = await asyncio.to_thread(integrity, bot.home / "paring.db")
        lines = await asyncio.to_thread(told_the_operator, bot.log)
        answers = await page.answers(within_s=ANSWERED_S)
        counted = await street.counted()
        shown = [await telegram.shown(chat) for chat in street.chats]
        told = sum(WAITS in str(one.get("text")) for messages in shown for one in messages)
        await bot.stop()
    return Row(
        counted.asked + len(page.taken) + len(page.told), "messages",
        lost=counted.lost + counted.set_aside + len(set(page.taken) - answers),
        doubled=counted.doubled_quick + counted.told_again,
        failed=counted.disordered + silent + wrong + (state != "ok") + (not lines) + (whole and not told) + len(bot.complaints()),
        worst_wait_s=worst,
        note=f"integrity_check: {state}; refused on the page with a sentence: {len(page.told)}; told in Telegram that it waits: {told}; "
        f"lines in the log: {lines}; the wait is from when the disk could be written again",
    )  # fmt: skip


@asynccontextmanager
async def _refusing(site: Path) -> AsyncIterator[None]:
    sign = site / "read-only"
    await asyncio.to_thread(sign.touch)
    try:
        yield
    finally:
        await asyncio.to_thread(sign.unlink)


async def lost_files(plan: Plan) -> Row:
    """Have files sent in Telegram and to the page; delete and cut them on the disk; ask about each, and for others, and the doctor."""
    count, home = plan.times(30, least=2), plan.scratch / "home"
    async with running() as telegram:
        bot = Bot.on(telegram, home, page=True)
        await bot.spawn()
        await bot.ready(2)
        page, sent = Page(bot), []
        for number in range(count):
            sent.append(await _sent(telegram, number))
            await _answers(telegram, 100 + number, 1)
        for number in range(2):
            brought = await page.upload(f"page{number}.txt", FILE.format(word="key", number=number, year=number).encode())
            await page.ask("/search lamp", files=[brought])
        await quiet(telegram, home / "paring.db")
        whole = await asyncio.to_thread(_damaged, home / "blobs")
        _code, said, _complaints = await paring(home, "doctor")
        for number, message in enumerate(sent):
            await telegram.say("/sum", user=100 + number, reply_to=message["message_id"])
        told = [await page.ask("/sum", reply_to=f"page-{token}") for token in page.taken[:2]]
        await telegram.say("/echo q000001", user=99)
        texts = [(await _answers(telegram, 100 + number, 2))[-1] for number in range(count)]
        others = await _answers(telegram, 99, 1)
        shown = await page.told_until("damaged or gone", 2)
        healed = await asyncio.to_thread(_damaged, home / "blobs", look=True)
        await bot.stop()
    raw = [text for text in texts if "(ref" in text or not text.strip()]
    return Row(
        count + 2, "files", lost=(2 - shown) + sum("lamp" not in text for text in texts),
        failed=len(raw) + (not all(told)) + ("missing or cut" not in said) + ("q000001" not in others[-1]) + len(bot.complaints()),
        note=f"{whole} files deleted or cut; those of Telegram were fetched again and answered, of the page's it was said that they are gone: "
        f"{shown}; the doctor names them; whole again after: {healed}",
    )  # fmt: skip


async def _sent(telegram: FakeTelegram, number: int) -> dict[str, int]:
    data = FILE.format(word="key", number=number, year=1900 + number) * 8
    name = f"file{number}.txt"
    kept = await telegram.file(data.encode(), folder="documents", name=name)
    sent: dict[str, int] = await telegram.say(
        user=100 + number, fields={"document": {**kept, "file_name": name, "mime_type": "text/plain"}}
    )
    return sent


async def _answers(telegram: FakeTelegram, chat: int, count: int) -> list[str]:
    return [str(one.get("text", "")) for one in await telegram.answers(chat, by_bot=count)]


def _damaged(blobs: Path, *, look: bool = False) -> int:
    """Delete every second file and cut the others to their half; or only count those that are what their name says."""
    files = sorted(path for path in blobs.glob("??/*") if path.is_file())
    if look:
        return sum(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in files)
    for number, path in enumerate(files):
        if number % 2:
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return len(files)


FAULTS = (
    Fault(
        "read-only-disk",
        "storage",
        "the disk turns read-only under the running bot and back (EROFS from every write), four times, while people ask",
        read_only,
        most_s=150,
        cores=0.25,
    ),
    Fault(
        "lost-files",
        "storage",
        "files that were sent are deleted from `blobs/`, or cut to their half; then people ask about them",
        lost_files,
        most_s=120,
    ),
)
