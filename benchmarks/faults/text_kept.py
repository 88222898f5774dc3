"""Strange texts through the whole bot: kept, found and shown in Telegram, on the page and in a terminal, calling nobody."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
from fakes.program import bot, paring, telegram_settings
from fakes.telegram_bot_api.client import FakeTelegram, running

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.text_poison import keep, missing
from benchmarks.faults.text_texts import CALLING, STRANGE

FIRST, ASKERS = 100, 8
OWN = {"x-paring": "en"}
ACTS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
CALLS = re.compile(r"tg:/|(?<![\w@])@[A-Za-z]{4}")
PAGE_BYTES = 900_000
SOME = 10


async def strange(plan: Plan) -> Row:
    """Keep each text as a file and as a message, and look for it where it was kept."""
    every = [*STRANGE.items(), *((f"call {number}", text) for number, text in enumerate(CALLING))]
    chosen = every[:: max(1, len(every) // plan.times(len(every), least=2))]
    home, wrong, lost = plan.scratch / "home", list[str](), 0
    async with running() as telegram, bot(home, channels=2, **telegram_settings(telegram)) as program:
        waiting: dict[int, int] = {}
        for number, (name, text) in enumerate(chosen):
            asker = FIRST + number % ASKERS
            await keep(telegram, asker, f"note{number}.txt", _note(number, text))
            await telegram.say(f"/search {_question(number)}", user=asker)
            await telegram.say(f"/search {text}"[:4000].encode("utf-16", "replace").decode("utf-16"), user=asker)
            waiting[asker] = waiting.get(asker, 0) + 3
            wrong += await _on_the_page(program.url, number, name, text)
        lost = sum([await missing(telegram, chat, count) for chat, count in waiting.items()])
        wrong += await _in_telegram(telegram, list(waiting), len(chosen))
    wrong += await _in_a_terminal(plan.scratch, home, chosen)
    return Row(
        5 * len(chosen), "messages", lost=lost, leaked=sum(one.startswith("calls") for one in wrong),
        failed=sum(not one.startswith("calls") for one in wrong), note="; ".join(wrong[:3]) or f"{len(chosen)} texts",
    )  # fmt: skip


def _note(number: int, text: str) -> str:
    return f"The lantern of hall {number} hangs by the north gate. {text}\n"


def _question(number: int) -> str:
    return f"Where does the lantern of hall {number} hang?"


async def _in_telegram(telegram: FakeTelegram, chats: list[int], count: int) -> list[str]:
    """Return what is wrong with what people were shown."""
    shown = [(chat, str(one.get("text"))) for chat in chats for one in await telegram.shown(chat)]
    wrong = [f"calls in Telegram: {text[:80]!a}" for _chat, text in shown if CALLS.search(text)]
    wrong += [f"acts in Telegram: {text[:80]!a}" for _chat, text in shown if ACTS.search(text)]
    found = {int(hall) for _chat, text in shown for hall in re.findall(r"lantern of hall (\d+) hangs", text)}
    return wrong + [f"not found in Telegram: {number}" for number in range(count) if number not in found]


async def _on_the_page(url: str, number: int, name: str, text: str) -> list[str]:
    """Say it on the page; return what is wrong with what the page holds then."""
    said = {"id": f"{number:016}", "text": text[:PAGE_BYTES]}
    async with httpx.AsyncClient(base_url=url, headers=OWN, timeout=60) as owner:
        answer = await owner.post("/api/say", content=json.dumps(said).encode(), headers={"content-type": "application/json"})
        shown = (await owner.get("/api/history")).text
    if answer.status_code == 413 or (answer.status_code == 400 and not text.strip()):
        return []
    if answer.status_code != 200:
        return [f"not taken on the page: {name}: {answer.status_code} {answer.text[:80]}"]
    html = "".join(entry["html"] for entry in json.loads(shown)["entries"])
    return [f"acts on the page: {name}"] if re.search("[\0\ud800-\udfff]", html) or "javascript:" in html.replace("&", "") else []


async def _in_a_terminal(scratch: Path, home: Path, chosen: list[tuple[str, Any]]) -> list[str]:
    """Keep the texts as files of a folder, and ask for one as a script does."""
    folder = scratch / "notes"
    folder.mkdir()
    for number, (_name, text) in enumerate(chosen):
        (folder / f"note{number}.txt").write_text(_note(number, text), encoding="utf-8", errors="replace")
    code, _out, complaints = await paring(home, "add", str(folder))
    wrong = [] if code == 0 else [f"not added: {complaints[-200:]}"]
    for number in range(0, len(chosen), max(1, len(chosen) // 3)) if len(chosen) > SOME else (0,):
        code, out, complaints = await paring(home, "say", _question(number), "--json")
        told = json.loads(out) if code == 0 else {}
        if not any(f"hall {number} " in source["text"] for source in told.get("sources", [])):
            wrong.append(f"not found in a terminal: {chosen[number][0]}: {complaints[-200:] or out[:200]}")
        if ACTS.search(out):
            wrong.append(f"acts in a terminal: {chosen[number][0]}")
    return wrong


FAULTS: tuple[Fault, ...] = (
    Fault(
        "hostile-text",
        "text",
        "NUL, lone surrogates, marks of direction, joiners, floods of marks, lines of a megabyte, calls of people: kept, found, shown",
        strange,
        most_s=240,
    ),
)
