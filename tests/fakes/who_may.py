"""Who may order what: one table of roles and forms, and a whole bot in Telegram on which it is tried, verb by verb.

An order is obeyed where the role may give orders and the form is an order. What it does is replaced by writing down that it was done; who
may is the bot's own. Each case has a word of its own, by which it is found in what was done, in the audit and in what was shown.

    async with tried_on(home) as house:
        found = await house.judge(house.cases(random.Random(1), share=1.0))
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.admin import Done, Verb
from bot.admin_words import Order
from bot.app import App, channels_of, opened
from bot.channels.incoming import parse_command
from bot.config import LinkSettings, Settings, TelegramSettings, WebSettings
from bot.errors import DeniedError
from bot.message import Address, Button, Command, Message
from bot.router import Decision
from fakes.telegram_bot_api.client import FakeTelegram, running
from fakes.waiting import LONGEST_S

Json = dict[str, Any]
TOKEN = "7:WHO"
GROUP, CHANNEL = -500, -900
OWNER, ADDED, FORMER, GUEST, STRANGER, MEMBER, LATER, OTHER = range(4711, 4719)
TEAM: Json = {"id": GROUP, "type": "supergroup", "title": "Team"}
NEWS: Json = {"id": CHANNEL, "type": "channel", "title": "News"}
_DONE = re.compile(r"done (case-\d+)")


@dataclass(frozen=True)
class Role:
    """Who says something in Telegram, and where; `admin`: may give orders; `kept`: is let in, so that a refusal is written down."""

    name: str
    sender: Json
    chat: Json
    admin: bool = False
    kept: bool = True

    @property
    def in_group(self) -> bool:
        return self.chat["type"] != "private"


def person(number: int, **more: object) -> Json:
    return {"from": {"id": number, "is_bot": False, "first_name": f"User {number}", "language_code": "en", **more}}


def alone(number: int) -> Json:
    return {"id": number, "type": "private", "first_name": f"User {number}"}


ANONYMOUS = {"from": {"id": 1087968824, "is_bot": True, "first_name": "Group"}, "sender_chat": TEAM}
AS_CHANNEL = {"from": {"id": 136817688, "is_bot": True, "first_name": "Channel"}, "sender_chat": NEWS}
ROBOT = {"from": {"id": 99, "is_bot": True, "first_name": "Robot", "username": "RobotBot"}}
ROLES = (
    Role("admin of the settings", person(OWNER), alone(OWNER), admin=True),
    Role("admin of the settings in a group", person(OWNER), TEAM, admin=True),
    Role("added admin", person(ADDED), alone(ADDED), admin=True),
    Role("added admin in a group", person(ADDED), TEAM, admin=True),
    Role("former admin", person(FORMER), alone(FORMER)),
    Role("guest", person(GUEST), alone(GUEST)),
    Role("member of the group", person(MEMBER), TEAM),
    Role("stranger", person(STRANGER), alone(STRANGER), kept=False),
    Role("stranger in another group", person(STRANGER), {"id": -501, "type": "group", "title": "Others"}, kept=False),
    Role("anonymous admin of the group", ANONYMOUS, TEAM),
    Role("a channel that speaks in the group", AS_CHANNEL, TEAM),
    Role("post of a channel", {"sender_chat": NEWS}, NEWS, kept=False),
    Role("another bot", ROBOT, TEAM, kept=False),
    Role("who calls themselves as the owner", person(GUEST, first_name="telegram:4711", username="owner4711"), alone(GUEST)),
)


@dataclass(frozen=True)
class Case:
    """One order, or what looks like one."""

    word: str
    verb: str
    korean: str
    role: Role
    form: Form

    @property
    def obeyed(self) -> bool:
        return self.role.admin and self.form.orders

    @property
    def refused(self) -> bool:
        """Whether it is an order of somebody who is let in and may not."""
        return self.role.kept and self.form.orders and not self.role.admin

    def line(self, name: str = "") -> str:
        called = "@ParBot" if self.role.in_group and not name else ""
        return f"/{name or self.verb}{called} {self.word}"


@dataclass(frozen=True)
class Form:
    """How it is said. `orders`: it is an order, by who may give one; `said` returns what the message holds."""

    name: str
    said: Callable[[Case], Json]
    orders: bool = False
    kind: str = "message"


def earlier(case: Case, sender: Json) -> Json:
    return {"message_id": 1, "date": 1, "chat": case.role.chat, **sender, "text": case.line()}


def forwarded(origin: Json) -> Callable[[Case], Json]:
    return lambda case: {"text": case.line(), "forward_origin": {"date": 1, **origin}}


OWNER_WROTE = {"type": "user", "sender_user": person(OWNER)["from"]}
OWN_BOT: Json = {"from": {"id": 7, "is_bot": True, "first_name": "ParBot", "username": "ParBot"}}
PHOTO = [{"file_id": "P1", "file_unique_id": "P1", "width": 8, "height": 8}]
FORMS = (
    Form("written", lambda case: {"text": case.line()}, orders=True),
    Form("written in capitals", lambda case: {"text": case.line().replace(case.verb, case.verb.upper(), 1)}, orders=True),
    Form("by its Korean name", lambda case: {"text": f"@ParBot /{case.korean} {case.word}"}, orders=True),
    Form("by the bot's name", lambda case: {"text": f"/{case.verb}@parbot {case.word}"}, orders=True),
    Form("under a photo", lambda case: {"caption": case.line(), "photo": PHOTO}, orders=True),
    Form("edited into it", lambda case: {"text": case.line(), "edit_date": 2}, orders=True, kind="edited_message"),
    Form("to another bot", lambda case: {"text": f"/{case.verb}@OtherBot {case.word}"}),
    Form("forwarded from an admin", forwarded(OWNER_WROTE)),
    Form("forwarded from who hides", forwarded({"type": "hidden_user", "sender_user_name": "telegram:4711"})),
    Form("forwarded from a channel", forwarded({"type": "channel", "chat": NEWS, "message_id": 1})),
    Form("forwarded and edited", forwarded(OWNER_WROTE), kind="edited_message"),
    Form("written by another bot", lambda case: {"text": case.line(), "via_bot": ROBOT["from"]}),
    Form("as what is answered", lambda case: {"text": "@ParBot what?", "reply_to_message": earlier(case, person(OWNER))}),
    Form("in the bot's own words", lambda case: {"text": "yes", "reply_to_message": earlier(case, OWN_BOT)}),
    Form("as a part that is quoted", lambda case: {
        "text": "@ParBot this", "reply_to_message": earlier(case, OWN_BOT), "quote": {"text": case.line(), "position": 0},
    }),
    Form("within a sentence", lambda case: {"text": f"@ParBot please {case.line()}"}),
    Form("as code", lambda case: {
        "text": case.line(), "entities": [{"type": "code", "offset": 0, "length": len(case.line())}],
    }),
)  # fmt: skip


@dataclass
class Found:
    """What came of cases: their words, by what was seen."""

    tried: int
    leaked: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def __add__(self, other: Found) -> Found:
        return Found(
            self.tried + other.tried, self.leaked + other.leaked, self.lost + other.lost, self.doubled + other.doubled,
            self.failed + other.failed,
        )  # fmt: skip


class House:
    """A bot in front of a fake Telegram, whose admin verbs only write down that they were carried out."""

    roles, forms = ROLES, FORMS

    def __init__(self, app: App, fake: FakeTelegram, *, guests: int, recorded: bool) -> None:
        self.app, self.fake, self.guests = app, fake, guests
        self.done: list[str] = []
        self._words, self._ids = (itertools.count(1) for _counter in range(2))
        for name, verb in app.admin._verbs.items() if recorded else ():
            app.admin._verbs[name] = replace(verb, do=self._recorder(verb), written=str)

        async def talk(_text: str, _language: str) -> Decision:
            return Decision("help", 0.99, "chat", 0.01, "answer", ())

        app.dispatcher._decide = talk  # type: ignore[assignment]

    def _recorder(self, verb: Verb) -> Callable[[Order], Any]:
        async def do(order: Order) -> Done:
            self.done.append(order.request.text)
            again = Button("Again", Command(verb.command.name, f"{order.request.text}9"))
            return Done(order.request.reply(f"done {order.request.text}", buttons=[again]))

        return do

    def cases(self, chance: random.Random, *, share: float) -> list[Case]:
        """Return every verb x role x form, or a share of them."""
        named = [(spec.name, next((a for a in spec.aliases if not a.isascii()), spec.name)) for spec in self.app.admin.commands]
        every = [Case(f"case-{next(self._words)}", *name, role, form) for name in named for role in ROLES for form in FORMS]
        return every if share >= 1 else chance.sample(every, max(len(FORMS), round(len(every) * share)))

    async def judge(self, cases: Sequence[Case]) -> Found:
        """Have all be said, and compare what was done, written down and shown with the table."""
        for case in cases:
            content = {
                "message_id": 10 + next(self._ids),
                "date": 1,
                "chat": case.role.chat,
                **case.role.sender,
                **case.form.said(case),
            }
            kind = case.form.kind.replace("message", "channel_post") if case.role.chat is NEWS else case.form.kind
            await self.fake.order("update", kind=kind, content=content)
        await self.settled()
        done, written = Counter(self.done), await self.written()
        others = {role.chat["id"] for role in ROLES if not role.admin and not role.in_group}
        shown = {chat: json.dumps(await self.fake.shown(chat)) for chat in others}
        found = Found(len(cases))
        for case in cases:
            told = f"{case.verb} {case.word}: {case.form.name}, by {case.role.name}"
            if done[case.word] and not case.obeyed:
                found.leaked.append(told)
            if case.obeyed and not done[case.word]:
                found.lost.append(told)
            if done[case.word] > 1:
                found.doubled.append(told)
            expected = "done" if case.obeyed else "not an admin" if case.refused else ""
            if written.get(case.word, "") != expected:
                found.failed.append(f"{told}: written down as {written.get(case.word)!r}")
            if case.word in shown.get(case.role.chat["id"], ""):
                found.leaked.append(f"{told}: named in the answer")
        return found

    async def judge_buttons(self) -> Found:
        """Press the buttons of orders that were carried out, in every wrong way and in the right one."""
        verb = self.app.admin.commands[0].name
        await self.app.roles.add(f"telegram:{LATER}", by="terminal")
        words: dict[int, str] = {}
        for number in (OWNER, ADDED, LATER):
            words[number] = f"case-{next(self._words)}"
            await self.fake.order("update", kind="message", content=self._order(number, f"/{verb}@ParBot {words[number]}"))
        await self.settled()
        await self.app.roles.remove(f"telegram:{LATER}", by="terminal")
        tokens = {number: await self.token(word) for number, word in words.items()}
        mine = tokens[OWNER]
        wrong = [
            (LATER, tokens[LATER]), (GUEST, mine), (MEMBER, mine), (ADDED, mine), (STRANGER, mine), (OWNER, tokens[ADDED]),
            (OWNER, mine[:-1]), (OWNER, mine + "A"), (OWNER, mine.swapcase()), (OWNER, ""), (OWNER, f"{verb} x"), (OWNER, "0" * 32),
        ]  # fmt: skip
        before = len(self.done)
        for number, token in wrong:
            await self.press(number, token)
        await self.settled()
        found = Found(len(wrong) + 3, leaked=[f"pressed: {word}" for word in self.done[before:]])
        refused = Counter((await self.written(several=True)).values())
        if refused["another's button"] < 4:
            found.failed.append(f"presses that were not written down: {refused}")
        await self.press(OWNER, mine, query="same")
        await self.press(OWNER, mine, query="same")
        await self.press(ADDED, tokens[ADDED])
        await self.settled()
        pressed = Counter(self.done[before:])
        found.lost += [f"pressed: {words[one]}9" for one in (OWNER, ADDED) if not pressed[f"{words[one]}9"]]
        found.doubled += [f"pressed: {word}" for word, count in pressed.items() if count > 1]
        return found

    async def judge_page(self) -> Found:
        """Have the page's person, who is no admin here, and the terminal's owner give every order."""
        found = Found(0)
        for spec in self.app.admin.commands:
            for address, sender, may in (
                (Address("web", "local", "me"), "me", False),
                (Address("console", "local", "t"), "me", True),
            ):
                word = f"case-{next(self._words)}"
                text = f"/{spec.name} {word}"
                said = Message(address, sender, word, text, "en", datetime.now(UTC), command=parse_command(text))
                with suppress(DeniedError):
                    await self.app.dispatcher.answer(said)
                found.tried += 1
                (found.lost if may else found.leaked).extend([word] if (word in self.done) is not may else [])
                if (await self.written()).get(word) != ("done" if may else "not an admin"):
                    found.failed.append(f"{word}: not written down")
        return found

    async def settled(self) -> None:
        await self.fake.settled()
        await self.app.worker.idle()
        await self.app.delivery._feed.idle()

    async def quiet(self) -> None:
        """Return once what is said at the door has gone out, and every presser was told."""
        alive = [task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__qualname__", "").startswith("Door._tell")]
        if alive:
            await asyncio.wait(alive, timeout=LONGEST_S)

    async def post(self, kind: str, number: int, said: Json) -> None:
        """Have the person of this number say something in their own chat."""
        content = {"message_id": 10 + next(self._ids), "date": 1, "chat": alone(number), **person(number), **said}
        await self.fake.order("update", kind=kind, content=content)

    async def written(self, *, several: bool = False) -> dict[str, str]:
        """Return how each case was written down, by its word."""
        entries = await self.app.audit.last(1000)
        words = [(re.search(r"case-\d+", entry.command), entry) for entry in entries]
        return {f"{found[0]} {entry.id}" if several else found[0]: entry.outcome for found, entry in words if found}

    async def token(self, word: str) -> str:
        shown = next(one for one in await self.fake.shown(GROUP) if f"done {word}" in one.get("text", ""))
        return str(shown["reply_markup"]["inline_keyboard"][0][0]["callback_data"])

    async def press(self, number: int, token: str, *, query: str = "") -> None:
        message = {"message_id": 1, "date": 1, "chat": TEAM, "text": "…", **OWN_BOT}
        content = {
            "id": query or f"q{next(self._ids)}",
            **person(number),
            "message": message,
            "chat_instance": "1",
            "data": token,
        }
        await self.fake.order("update", kind="callback_query", content=content)

    def _order(self, number: int, text: str) -> Json:
        return {"message_id": 10 + next(self._ids), "date": 1, "chat": TEAM, **person(number), "text": text}


@asynccontextmanager
async def tried_on(home: Path, *, recorded: bool = True) -> AsyncIterator[House]:
    """Run the bot until the context ends, with every role in its place; its admin verbs do what they do where not `recorded`."""
    async with running(TOKEN) as fake:
        telegram = TelegramSettings(token=SecretStr(TOKEN), base_url=fake.base_url, base_file_url=fake.base_file_url)
        settings = Settings(
            home=home, language="en", admins=(f"telegram:{OWNER}",), telegram=telegram, links=LinkSettings(enabled=False),
            web=WebSettings(enabled=False, admin=False),
        )  # fmt: skip
        for chat in (TEAM, {"id": -501, "type": "group", "title": "Others"}):
            await fake.order("group", **chat)
        for number in range(OWNER, OTHER + 1):
            await fake.order("person", id=number, first_name=f"User {number}", language_code="en")
        async with opened(settings) as app:
            for number in (ADDED, FORMER):
                await app.roles.add(f"telegram:{number}", by="terminal")
            await app.roles.remove(f"telegram:{FORMER}", by="terminal")
            guests = (FORMER, GUEST, LATER, GROUP)
            for guest in guests:
                await app.door.admit(f"telegram:{guest}", by="terminal")
            house, stop = House(app, fake, guests=len(guests), recorded=recorded), asyncio.Event()
            serving = asyncio.create_task(app.serve(channels_of(app), stop=stop, hopeless=lambda _name, _why: None))
            try:
                yield house
            finally:
                stop.set()
                await asyncio.wait([serving], timeout=LONGEST_S)
                await serving
