"""Who may: every admin verb in every role and form, strangers at the door. What a hostile client does by HTTP: `hostile`."""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes.telegram_bot_api.client import FakeTelegram, running
from fakes.who_may import OWNER, Found, House, Json, tried_on

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.hostile import hostile_page, hostile_webhook
from benchmarks.faults.street import AGAIN, Bot

AT_ONCE = 300
CANARY = "canary-4f1d-of-a-stranger"
FIRST = 100_000
LET_IN = 5
GREEDY, POLITE = 200, range(201, 211)
PACE, QUOTA, POLITE_TIMES = 15, 8, 5
TWO_BOTS = 0.1
"""From this scale on the second bot stands by before the first one is killed, else it is started then."""
TOO_MUCH = ("messages a minute", "used up")
LONGEST_S = 60.0
_ECHO = re.compile(r"\bq\d{6}\b")
_CODE = re.compile(r"\b([0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4})\b")


async def admin_verbs(plan: Plan) -> Row:
    """Order everything in every role and form of the table of tests/fakes/who_may.py, then press buttons in every wrong way."""
    async with tried_on(plan.scratch / "home") as house:
        cases = house.cases(random.Random(plan.seed), share=plan.scale)  # noqa: S311 - seeded cases
        found = Found(0)
        for start in range(0, len(cases), AT_ONCE):
            found += await house.judge(cases[start : start + AT_ONCE])
        found += await house.judge_buttons()
        found += await house.judge_page()
        verbs = len(house.app.admin.commands)
    worst = [*found.leaked, *found.lost, *found.doubled, *found.failed][:2]
    return Row(
        found.tried, "orders", len(found.lost), len(found.doubled), len(found.leaked), len(found.failed),
        note="; ".join(worst) or f"{verbs} verbs, {len(house.roles)} roles, {len(house.forms)} forms; the refused are written down",
    )  # fmt: skip


async def strangers(plan: Plan) -> Row:
    """Have strangers flood the bot; let some in by their codes, with wrong ones between; put these out again."""
    home, chance = plan.scratch / "home", random.Random(plan.seed)  # noqa: S311 - seeded cases
    people = range(FIRST, FIRST + plan.times(1000, least=25))
    async with tried_on(home, recorded=False) as house:
        await _flood(house, people)
        shown = {number: await house.fake.shown(number) for number in people}
        codes = {number: found[1] for number, told in shown.items() if (found := _CODE.search(str(told)))}
        wrong = plan.times(50, least=5)
        doubled = sum(len(told) > 1 for told in shown.values())
        chosen = sorted(codes)[:LET_IN]
        await _orders(house, [f"/admit {_mistyped(codes[number], chance)}" for number in [*codes][:wrong]])
        leaked = len(await house.app.door.guests()) - house.guests
        await _orders(house, [f"/{('admit', '들이기')[number % 2]} {codes[number].lower()}" for number in chosen])
        answered = await _answered(house, chosen)
        lost = sum(not answers for answers in answered.values())
        await _orders(house, [f"/guests remove telegram:{number}" for number in chosen])
        again = await _answered(house, chosen)
        leaked += sum(len(again[number]) > len(answered[number]) for number in chosen)
        asking = len(await house.app.door.asking())
    unused = [code for number, code in codes.items() if number not in chosen]
    kept = await asyncio.to_thread(_held, home, [CANARY, *unused])
    return Row(
        len(people), "strangers", lost, doubled, leaked + len(kept), failed=max(0, len(codes) - 50) + (not codes),
        note=f"{len(codes)} codes shown, {asking} stand; {wrong} wrong ones tried; kept of what they said: {len(kept)}",
    )  # fmt: skip


async def rates_and_quotas(plan: Plan) -> Row:
    """Have an admin and a guest flood beside ten people who do not; kill the bot in the middle, and have another of its home go on."""
    many, begun = plan.times(300, least=40), time.monotonic()
    async with running() as telegram:
        bots = [await _limited(telegram, plan.scratch)]
        await bots[0].ready()
        if plan.scale >= TWO_BOTS:
            bots.append(await _limited(telegram, plan.scratch, "second"))
        said = Said(telegram)
        for turn in range(many):
            await said.by(OWNER)
            await said.by(GREEDY)
            if turn % max(1, many // POLITE_TIMES) == 0:
                for person in POLITE:
                    await said.by(person)
            if turn == many // 2:
                await bots[0].kill()
                if len(bots) == 1:
                    bots.append(await _limited(telegram, plan.scratch, "second"))
        await bots[1].ready()
        await telegram.settled()
        await _all_done(plan.scratch / "home" / "paring.db")
        lasted_s = time.monotonic() - begun
        shown = {person: await telegram.shown(person) for person in (OWNER, GREEDY, *POLITE)}
        await bots[1].stop()
    again = sum(_is_again(one["text"]) for told in shown.values() for one in told)
    answered = {person: _echoes([one["text"] for one in told]) for person, told in shown.items()}
    told = {person: [one for one in shown[person] if any(words in one["text"] for words in TOO_MUCH)] for person in shown}
    lost = sum(len(said.words[person] - {*answered[person]}) for person in POLITE)
    doubled = sum(len(answers) - len({*answers}) for answers in answered.values())
    minutes = 1 + int(lasted_s // 60)
    wrong = [
        *([] if len(answered[GREEDY]) == QUOTA else [f"{len(answered[GREEDY])} answers of {QUOTA} a day"]),
        *([] if PACE <= len(answered[OWNER]) <= PACE * (minutes + 1) else [f"{len(answered[OWNER])} answers of {PACE} a minute"]),
        *([] if len(told[GREEDY]) == 1 and 1 <= len(told[OWNER]) <= minutes + 1 else [f"told {len(told[GREEDY])}, {len(told[OWNER])} times"]),
        *([] if told[GREEDY] and told[GREEDY][0] == shown[GREEDY][-1] else ["told before it was so"]),
        *[f"{person} was told" for person in POLITE if told[person]],
    ]  # fmt: skip
    return Row(
        said.count, "messages", lost, doubled, failed=len(wrong),
        note="; ".join(wrong) or f"{len(answered[GREEDY])} of {QUOTA} a day and {len(answered[OWNER])} of {PACE} a minute were answered, "
        f"each flood was told {len(told[GREEDY])} and {len(told[OWNER])} times; the ten others lost nothing; "
        f"sent again with a word that says so: {again}",
    )  # fmt: skip


def _echoes(texts: list[str]) -> list[str]:
    """Return the words that were answered; what was sent again counts once, where a word said so."""
    found = [(word[0], _is_again(text)) for text in texts if (word := _ECHO.search(text))]
    plain = [word for word, again in found if not again]
    return plain + sorted({word for word, again in found if again}.difference(plain))


def _is_again(text: str) -> bool:
    return any(note in text for note in AGAIN)


@dataclass
class Said:
    """What was said to the bot: each message has words of its own, by person."""

    telegram: FakeTelegram
    count: int = 0
    words: dict[int, set[str]] = field(default_factory=dict)

    async def by(self, person: int) -> None:
        word = f"q{self.count:06}"
        self.count += 1
        self.words.setdefault(person, set()).add(word)
        await self.telegram.say(f"/echo {word}", user=person)


async def _limited(telegram: FakeTelegram, scratch: Path, name: str = "first") -> Bot:
    limits = {
        "PARING_ADMINS": f"telegram:{OWNER}", "PARING_QUOTAS__PERSON_A_MINUTE": str(PACE), "PARING_QUOTAS__PERSON_A_DAY": str(QUOTA),
    }  # fmt: skip
    bot = Bot.on(telegram, scratch / "home", **limits)
    bot.log = scratch / f"{name}.log"
    await bot.spawn()
    return bot


async def _all_done(database: Path) -> None:
    """Return once nothing waits to be answered or sent."""
    waiting = (
        "select (select count(*) from inbox where state in ('received', 'working')) + "
        "(select count(*) from outbox where state in ('ready', 'sending'))"
    )

    def look() -> int:
        with closing(sqlite3.connect(database, timeout=LONGEST_S)) as connection:
            return int(connection.execute(waiting).fetchone()[0])

    async with asyncio.timeout(LONGEST_S):
        while await asyncio.to_thread(look):  # noqa: ASYNC110 - another program's
            await asyncio.sleep(0.1)


async def _flood(house: House, people: range) -> None:
    for number in people:
        if number % 50 == 0:
            await house.settled()
        await house.fake.order("person", id=number, first_name=f"Stranger {number}")
        for said in ({"text": CANARY}, {"text": f"/help {CANARY}"}, {"caption": CANARY, "photo": _photo()}):
            await house.post("message", number, said)
        await house.post("edited_message", number, {"text": f"/models {CANARY}", "edit_date": 3})
    await house.settled()
    await house.quiet()


async def _orders(house: House, texts: list[str]) -> None:
    for text in texts:
        await house.post("message", OWNER, {"text": text})
    await house.settled()


async def _answered(house: House, people: list[int]) -> dict[int, list[Json]]:
    """Return which answers to /help each of `people` was shown, once they asked once more."""
    for number in people:
        await house.post("message", number, {"text": "/help"})
    await house.settled()
    await house.quiet()
    return {number: [one for one in await house.fake.shown(number) if "/search" in str(one.get("text"))] for number in people}


def _mistyped(code: str, chance: random.Random) -> str:
    at = chance.choice([place for place, letter in enumerate(code) if letter != "-"])
    return code[:at] + ("A" if code[at] != "A" else "B") + code[at + 1 :]


def _photo() -> list[dict[str, Any]]:
    return [{"file_id": CANARY, "file_unique_id": CANARY, "width": 8, "height": 8}]


def _held(home: Path, words: list[str]) -> list[str]:
    """Return which of `words` stand in any file of the bot's, as text or in its UTF-16."""
    held = [file.read_bytes() for file in home.rglob("*") if file.is_file()]
    return [word for word in words if any(word.encode(code) in data for data in held for code in ("utf-8", "utf-16-le"))]


FAULTS = (
    Fault(
        "admin-verbs",
        "access",
        "every admin verb by every role in every form: forwarded, edited, quoted, through a bot; by stale, foreign, replayed and false buttons",
        admin_verbs,
        most_s=240,
    ),
    Fault(
        "strangers",
        "access",
        "1,000 strangers write four times each; wrong codes, codes that an admin confirms, guests who are put out",
        strangers,
        most_s=120,
    ),
    Fault(
        "rates-and-quotas",
        "access",
        "an admin and a guest flood over their limits beside ten people who do not; `kill -9` in the middle, another bot of the home goes on",
        rates_and_quotas,
        most_s=90,
    ),
    Fault(
        "hostile-page",
        "access",
        "the page with a password: foreign origins, stolen and made-up sessions, paths of other files, lying and endless bodies, half requests",
        hostile_page,
        most_s=120,
        cores=0.5,
    ),
    Fault(
        "webhook-garbage",
        "access",
        "posts to the Telegram webhook with missing, wrong, cut, doubled and broken secrets, and with broken updates",
        hostile_webhook,
        most_s=120,
    ),
)
