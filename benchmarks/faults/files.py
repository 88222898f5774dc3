"""Foreign bytes: hostile files sent to the whole bot, and very many broken ones read in the children that read files for it."""

from __future__ import annotations

import asyncio
import html
import io
import os
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import httpx
import psutil

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.bombs import Bomb, bombs
from benchmarks.faults.mutations import Came
from benchmarks.faults.seeds import SEEDS
from benchmarks.faults.street import Bot
from bot.errors import ParingError
from bot.sandbox import Sandbox

MOST_GROWTH_MB = 50.0
READER_S = 3
"""What the bot that is sent bombs gives one file, for the sake of the matrix's time; by itself it gives 30 s."""
MOST_WAIT_S = 60.0
LATER = 0.1
"""A look at the page costs the bot more than most files do: an answer is seen this share of its time later, at most."""
FEW = (
    "50mp.png",
    "lie.png",
    "circle-of-pages.pdf",
    "lie.zip",
    "holds-itself.zip",
    "slips.zip",
    "laughs.docx",
    "empty.pdf",
    "byte.wav",
    "book.png",
    "laughs.html",
)
"""Bombs that are made and told in a moment: those of the short form."""
OUTSIDE = (Path("/tmp/owned.txt"), Path("/etc/cron.d/owned.txt"))  # noqa: S108 - where no file must come to lie
_RAW = re.compile(r"Traceback|\b[A-Za-z]+(?:Error|Exception)\b")
_HANGUL = re.compile("[가-힣]")

TOGETHER = 100
READ_S = 30.0
"""What the bot gives one file where nothing else is said."""
GRACE_S = 10.0
FEW_MUTATIONS = 20
FEW_KINDS = ("pdf", "docx", "xlsx", "hwpx", "zip", "md", "csv", "json", "txt", "png", "gif")
"""Files and kinds of the short form: those whose readers are loaded in a moment."""


@dataclass(slots=True)
class _Seen:
    """What a person saw of the files that they sent."""

    waits: list[float] = field(default_factory=list)
    refused: int = 0
    lost: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


async def bombed(plan: Plan) -> Row:
    """Send every bomb to a bot's page, one after the other, in Korean and English by turns."""
    sent = bombs(random.Random(plan.seed))  # noqa: S311 - what only has to be incompressible
    sent = sent if plan.scale >= 0.1 else [bomb for bomb in sent if bomb.name in FEW]
    temporary, seen = plan.scratch / "tmp", _Seen()
    await asyncio.to_thread(temporary.mkdir)
    settings = {"PARING_WEB__PORT": "0", "PARING_LIMITS__PARSER_SECONDS": str(READER_S), "TMPDIR": str(temporary)}
    bot = Bot(plan.scratch / "home", settings)
    await bot.spawn()
    await bot.ready()
    try:
        async with httpx.AsyncClient(base_url=bot.url.rstrip("/"), trust_env=False, timeout=MOST_WAIT_S) as page:
            person = _Person(page, seen)
            await _warm(person, whole=plan.scale >= 0.1)
            seen.waits.clear()
            begun, process = _resident_mb(bot.pid), psutil.Process(bot.pid)
            for number, bomb in enumerate(sent):
                await person.send(bomb, ("en", "ko")[number % 2])
            growth = _resident_mb(bot.pid) - begun
            children = len(process.children(recursive=True))
    finally:
        await bot.stop()
    left = await asyncio.to_thread(_left, plan.scratch, temporary)
    seen.leaked += left
    seen.failed += bot.complaints() + ([f"{growth:.0f} MB more resident"] if growth > MOST_GROWTH_MB else [])
    worst = "; ".join([*seen.lost, *seen.leaked, *seen.failed][:3])
    told = f"resident memory {growth:+.0f} MB; {children} readers alive at the end; {READER_S} s a file"
    return Row(
        len(sent), "files", len(seen.lost), leaked=len(seen.leaked), failed=len(seen.failed), worst_wait_s=max(seen.waits),
        note="; ".join(part for part in (told, worst) if part),
    )  # fmt: skip


async def _warm(person: _Person, *, whole: bool) -> None:
    """Have everything loaded that honest files need, and the embedder's memory as large as a long text makes it."""
    kinds = [kind for kind, seed in SEEDS.items() if seed.reader != "sound"] if whole else ["png", "txt"]
    for kind in kinds:
        await person.send(Bomb(f"honest.{kind}", SEEDS[kind].make), "en")
    if whole:
        chance = random.Random(1)  # noqa: S311 - words
        words = " ".join(f"word{chance.randrange(9999)}" + "." * (at % 9 == 0) for at in range(15_000))
        await person.send(Bomb("long.txt", words.encode), "en")
        await person.send(Bomb("photograph.jpg", _photograph), "en")


def _photograph() -> bytes:
    """Return a picture of 12 megapixels, as a phone makes them."""
    from PIL import Image

    held = io.BytesIO()
    Image.linear_gradient("L").resize((4000, 3000)).save(held, "JPEG")
    return held.getvalue()


class _Person:
    """Somebody at the page who sends files and reads what is answered."""

    def __init__(self, page: httpx.AsyncClient, seen: _Seen) -> None:
        self._page = page
        self._seen = seen
        self._sent = 0

    async def send(self, bomb: Bomb, language: str) -> None:
        """Upload one file, say it, and wait until it is answered."""
        data = await asyncio.to_thread(bomb.make)
        self._sent += 1
        begun, own = time.monotonic(), f"hostile-file-{self._sent:05}"
        headers = {"x-paring": language, "x-name": quote(bomb.name.encode("utf-8", "surrogatepass"), safe="")}
        try:
            answer = await self._page.post("/api/files", content=data, headers=headers)
        except httpx.ReadError:  # too large: the door was shut while it came
            return self._judge(bomb, language, "이 파일은 너무 커요. too large", begun)
        if answer.status_code != httpx.codes.OK:
            return self._judge(bomb, language, answer.json()["error"], begun)
        await self._page.post("/api/say", json={"id": own, "text": "", "files": [answer.json()]}, headers=headers)
        return self._judge(bomb, language, await self._answer(own, begun), begun)

    async def _answer(self, own: str, begun: float) -> str:
        """Return what the page shows below the message `own`, once nothing of it can be cancelled; "" where that takes too long."""
        while time.monotonic() - begun < MOST_WAIT_S:
            entries = (await self._page.get("/api/history")).json()["entries"]
            at = next((place for place, entry in enumerate(entries) if f'data-id="{own}"' in entry["html"]), None)
            below = "".join(entry["html"] for entry in entries[at + 1 :]) if at is not None else ""
            if below and not re.search("Cancel|취소", below):
                return below
            await asyncio.sleep(max(0.05, LATER * (time.monotonic() - begun)))
        return ""

    def _judge(self, bomb: Bomb, language: str, shown: str, begun: float) -> None:
        seen, name = self._seen, bomb.name[:40].encode("unicode_escape").decode()
        seen.waits.append(time.monotonic() - begun)
        said = html.unescape(re.sub(r"<[^>]+>", " ", shown))
        if not said.strip():
            seen.lost.append(name)
        elif _RAW.search(said) or (language == "ko" and not _HANGUL.search(said.replace(bomb.name, ""))):
            seen.failed.append(f"{name}: {said.strip()[:80]}")
        if _runs(shown):
            seen.leaked.append(f"{name} runs in the page")


class _Tags(HTMLParser):
    """Looks for what a browser would run in the page: scripts, handlers, addresses that are a script."""

    def __init__(self) -> None:
        super().__init__()
        self.runs = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        handled = any(name.startswith("on") or (value or "").strip().lower().startswith("javascript:") for name, value in attrs)
        self.runs = self.runs or handled or tag in ("script", "iframe", "object", "embed")


def _runs(shown: str) -> bool:
    tags = _Tags()
    tags.feed(shown)
    return tags.runs


def _left(scratch: Path, temporary: Path) -> list[str]:
    """Return what lies where no file should: temporary ones of a bot that has ended, any under a name that leads outside, others' secrets."""
    found = [f"left over: {path.name}" for path in temporary.iterdir()]
    found += [f"outside: {path}" for path in (*OUTSIDE, *scratch.rglob("owned*")) if path.exists()]
    database = (scratch / "home" / "paring.db").read_bytes()
    return found + (["a file of the machine was read"] if b"root:x:0:0" in database else [])


@dataclass(slots=True)
class _Read:
    """What came of broken files."""

    read: int = 0
    told: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    unforeseen: Counter[str] = field(default_factory=Counter)
    hung: int = 0
    worst_s: float = 0.0


async def mutated(plan: Plan) -> Row:
    """Break the seeds of all kinds and read them, a hundred in one call; what ends a child is asked for again by itself."""
    whole = plan.scale >= 0.1
    kinds, each = (list(SEEDS), plan.times(10_000)) if whole else (list(FEW_KINDS), FEW_MUTATIONS)
    children = (os.cpu_count() or 1) if whole else 1
    box = Sandbox(memory_mb=1024, seconds=READ_S, children=children, allowed=("benchmarks.",))
    came = _Read()
    try:
        work = [(kind, first, min(TOGETHER, each - first)) for first in range(0, each, TOGETHER) for kind in kinds]
        begun = await _warmed(box)
        queue = iter(work)
        await asyncio.gather(*(_take(box, plan.seed, queue, came) for _child in range(children)))
        growth = _resident_mb(os.getpid()) - begun
    finally:
        await box.close()
    failed = came.unforeseen.total() + came.hung + (growth > MOST_GROWTH_MB)
    told = (
        f"{len(kinds)} kinds; read: {came.read:,}; told in {len(came.told)} sentences: {came.told.total():,}, "
        f"of which ended their reader: {came.ended.total()}; resident memory {growth:+.0f} MB"
    )
    worst = [f"{count} times {what}" for what, count in came.unforeseen.most_common(2)]
    return Row(
        each * len(kinds), "files", failed=failed, worst_wait_s=came.worst_s,
        note="; ".join([told, *worst]),
    )  # fmt: skip


async def _warmed(box: Sandbox) -> float:
    await box.call(
        "benchmarks.faults.mutations:read_some", {"kind": "txt", "seed": 0, "first": 0, "count": 1, "folder": str(box.folder)}
    )
    return _resident_mb(os.getpid())


async def _take(box: Sandbox, seed: int, work: Iterator[tuple[str, int, int]], came: _Read) -> None:
    for kind, first, count in work:
        await _read(box, seed, kind, first, count, came)


async def _read(box: Sandbox, seed: int, kind: str, first: int, count: int, came: _Read) -> None:
    folder = box.folder / f"{kind}-{first}-{count}"
    folder.mkdir(exist_ok=True)
    begun = time.monotonic()
    try:
        some = await box.call_as(
            Came, "benchmarks.faults.mutations:read_some",
            {"kind": kind, "seed": seed, "first": first, "count": count, "folder": str(folder)},
        )  # fmt: skip
    except ParingError as error:
        if count > 1:
            for number in range(first, first + count):
                await _read(box, seed, kind, number, 1, came)
            return
        came.ended[error.text.msgid] += 1
        came.told[error.text.msgid] += 1
        came.hung += time.monotonic() - begun > READ_S + GRACE_S
        came.worst_s = max(came.worst_s, time.monotonic() - begun)
        return
    came.read += some.read
    came.told.update(some.told)
    came.unforeseen.update(f"{kind} {number}: {what}" for number, what in some.unforeseen)
    came.worst_s = max(came.worst_s, some.slowest_s)


def _resident_mb(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / (1 << 20)


FAULTS = (
    Fault(
        "bombs",
        "files",
        "bombs of every kind sent to the page: 50 to 400 megapixels, 10,000 frames, circles and GBs in PDFs, archives in archives and in "
        "themselves, lying, overlapping and 70,000 entries, billion laughs, paths that lead outside, deep nesting, wrong names, polyglots",
        bombed,
        most_s=400,
    ),
    Fault(
        "mutations",
        "files",
        "10,000 files of each kind, from one seed: bits flipped, cut, blocks repeated and swapped, lengths and heads, archives broken within",
        mutated,
        most_s=1100,
        cores=2,
        fills=True,
    ),
)
