"""Who may order what, and who may talk: the table of fakes/who_may.py on a whole bot; a verb is tried by being one."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakes import slack as fake_slack
from fakes.program import paring
from fakes.waiting import LONGEST_S
from fakes.who_may import FORMS, GROUP, GUEST, OWNER, ROLES, STRANGER, Case, House, tried_on

from bot.app import App, channels_of, opened
from bot.config import Settings, WebSettings
from bot.errors import InputError
from bot.message import Address, Command, Message
from bot.store.linked import Identity, Linked


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with tried_on(tmp_path / "home", recorded=False) as made:
        yield made


async def shown(house: House, chat: int, word: str) -> str:
    """Return what the bot shows in `chat` with `word` in it, once it does."""
    async with asyncio.timeout(LONGEST_S):
        count = 0
        while True:
            told = (await house.fake.ask("chat", chat=chat, by_bot=count + 1, timeout=str(LONGEST_S)))["by_bot"]
            if found := next((str(one) for one in reversed(told) if word in str(one)), ""):
                return found
            count = len(told)


async def say(house: House, number: int, text: str) -> None:
    await house.post("message", number, {"text": text})
    await house.settled()
    await house.quiet()


async def test_every_verb_is_obeyed_exactly_where_the_table_says(tmp_path: Path) -> None:
    async with tried_on(tmp_path / "home") as house:
        cases = [
            Case(f"case-{number}", spec.name, spec.aliases[0], role, FORMS[0])
            for number, (spec, role) in enumerate(((spec, role) for spec in house.app.admin.commands for role in ROLES), 10**6)
        ]
        found = await house.judge(cases)
    assert (found.leaked, found.lost, found.doubled, found.failed) == ([], [], [], [])
    assert found.tried == len(cases) > 100


async def test_who_is_new_is_let_in_by_their_code_told_so_and_put_out_by_a_button(house: House) -> None:
    await say(house, STRANGER, "where is the secret plan?")
    code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", await shown(house, STRANGER, "paring admit"))
    assert code
    await say(house, GUEST, f"/admit {code[0]}")
    assert "Only an admin" in await shown(house, GUEST, "/admit")
    await say(house, OWNER, f"/들이기 {code[0]}")
    assert f"telegram:{STRANGER}" in await shown(house, OWNER, "/손님")
    await shown(house, STRANGER, "let in")
    await say(house, STRANGER, "/help")
    await shown(house, STRANGER, "/search")
    await say(house, OWNER, "/guests")
    listed = next(one for one in await house.fake.shown(OWNER) if "Remove telegram" in str(one))
    await house.fake.press(listed["message_id"], user=OWNER, label=f"Remove telegram:{STRANGER}")
    await house.settled()
    await shown(house, OWNER, "let in no more")
    before = len(await house.fake.shown(STRANGER))
    await say(house, STRANGER, "/help")
    assert len([one for one in await house.fake.shown(STRANGER) if "/search" in str(one)]) == 1
    assert len(await house.fake.shown(STRANGER)) <= before + 1
    written = [(entry.who, entry.command, entry.outcome) for entry in reversed(await house.app.audit.last(4))]
    owner, person = f"telegram:{OWNER}", f"telegram:{STRANGER}"
    assert written == [
        (f"telegram:{GUEST}", "/admit ••••-••••", "not an admin"),
        (owner, f"/들이기 ••••-•••• → {person}", "done"),
        (owner, "/guests", "done"),
        (owner, f"/guests remove {person}", "done"),
    ]
    assert code[0] not in str(await house.app.audit.last(100))


async def test_an_admin_lets_a_group_in_from_within_it(house: House) -> None:
    others = {"id": -501, "type": "group", "title": "Others"}
    said = {"message_id": 90, "date": 1, "chat": others, "from": {"id": OWNER, "is_bot": False, "first_name": "O"}}
    await house.fake.order("update", kind="message", content=said | {"text": "@ParBot /들이기 여기"})
    await shown(house, -501, "telegram:-501")
    told = said | {"message_id": 91, "from": {"id": STRANGER, "is_bot": False, "first_name": "S"}, "text": "/help@ParBot"}
    await house.fake.order("update", kind="message", content=told)
    await shown(house, -501, "/search")


@pytest.mark.parametrize(
    "order",
    [
        "/admit",
        "/admit 0000-0000",
        "/admit here",
        "/guests remove",
        "/guests what",
        "/admit --admin",
        "/admit telegram:-5 --admin",
    ],
)
async def test_an_order_that_lets_nobody_in_says_what_to_write(house: House, order: str) -> None:
    before = await house.app.door.guests()
    await say(house, OWNER, order)
    assert await shown(
        house,
        OWNER,
        "/guests" if order.startswith("/guests") else "code" if "0000" in order else "no group is" if "-5" in order else "/admit",
    )
    assert await house.app.door.guests() == before


async def test_the_owner_lets_in_and_puts_out_from_the_terminal_while_the_bot_runs(house: House, tmp_path: Path) -> None:
    await say(house, STRANGER, "hello")
    code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", await shown(house, STRANGER, "paring admit"))
    assert code
    exit_code, out, _complaints = await paring(
        tmp_path / "home", "admit", code[0].lower(), "--admin", PARING_ADMINS=f"telegram:{OWNER}"
    )
    assert (exit_code, f"telegram:{STRANGER} is an admin" in out) == (0, True)
    await say(house, STRANGER, "/admins")
    await shown(house, STRANGER, "The admins")
    exit_code, out, _complaints = await paring(tmp_path / "home", "guests", "--json")
    people = [guest["person"] for guest in json.loads(out)["guests"]]
    assert (exit_code, f"telegram:{STRANGER}" in people, f"telegram:{GROUP}" in people) == (0, True, True)


WORKSPACE = {
    "UOWNER": ({"is_owner": True, "is_admin": True}, "owner of the workspace"),
    "UADMIN": ({"is_admin": True}, "admin of the workspace"),
    "UFORMER": ({"is_admin": True}, ""),
    "UMEMBER": ({}, ""),
    "UGUEST": ({"is_admin": True, "is_restricted": True}, ""),
    "USTRANGER": ({"is_admin": True, "is_owner": True, "is_stranger": True, "team_id": "T2"}, ""),
    "UGONE": ({"is_owner": True, "deleted": True}, ""),
}
"""People of a workspace by what Slack tells of them, and by which role an order of theirs is obeyed, "" where it is not."""


async def test_in_slack_who_runs_the_workspace_is_obeyed_while_slack_says_so_and_nobody_else(tmp_path: Path) -> None:
    async with fake_slack.slack() as fake:
        fake.users |= {user: dict(more) for user, (more, _role) in WORKSPACE.items()}
        fake.members[fake_slack.GENERAL] += [*WORKSPACE]
        settings = Settings(
            home=tmp_path / "home", language="en", slack=fake.settings(admins_from="admins"), web=WebSettings(enabled=False)
        )
        async with opened(settings) as app:
            stop = asyncio.Event()
            serving = asyncio.create_task(app.serve(channels_of(app), stop=stop, hopeless=lambda _name, _why: None))
            try:
                await fake.say(f"<@{fake_slack.BOT}> hello", chat=fake_slack.GENERAL, user="UFORMER")
                await app.worker.idle()
                assert await app.roles.admits("slack:UFORMER")
                fake.users["UFORMER"] = {}
                for user in WORKSPACE:
                    for spec in app.admin.commands[:3]:
                        await fake.say(f"<@{fake_slack.BOT}> /{spec.name} x", chat=fake_slack.GENERAL, user=user)
                await app.worker.idle()
                fake.faults.append(fake_slack.Fault("users.info", "500", times=100))
                await fake.say(f"<@{fake_slack.BOT}> /models", chat=fake_slack.GENERAL, user="UOWNER")
                await app.worker.idle()
                written = [(entry.who, entry.command, entry.outcome) for entry in await app.audit.last(100)]
                assert not await app.roles.admits("slack:UFORMER")
                assert [role async for role in _refused(app, "slack:UOWNER")] == ["add", "remove"]
            finally:
                stop.set()
                await serving
    (last, *written) = written
    assert last == ("slack:UOWNER", "/models", "not an admin")
    assert len(written) == 3 * len(WORKSPACE)
    for who, command, outcome in written:
        role = WORKSPACE[who.removeprefix("slack:")][1]
        assert (outcome == "not an admin") is (not role), (who, command, outcome)
        assert command.endswith(f"(as {role})") is bool(role), (who, command)


async def _refused(app: App, who: str) -> AsyncIterator[str]:
    """Yield what `who` may not do to others' being admins."""
    for name in ("add", "remove"):
        with suppress(InputError):
            await getattr(app.roles, name)("slack:UMEMBER", by=who)
            continue
        yield name


@pytest.mark.parametrize("admin", [True, False])
async def test_a_page_that_is_everybodys_is_nobodys_account_whatever_was_linked_and_may_end_it(
    tmp_path: Path, admin: bool
) -> None:
    ann, page = (
        Identity(at.channel, at.account, at.chat, at) for at in (Address("telegram", "7", "42"), Address("web", "local", "me"))
    )
    now = datetime.now(UTC)
    said = Message(page.direct, "me", "m1", "/unlink", "en", now, command=Command("unlink"))
    async with opened(Settings(home=tmp_path, language="en", web=WebSettings(enabled=False, admin=admin))) as app:
        linked = Linked(app.database)
        await linked.show(ann, "code", now=now)
        await linked.typed("code", page, now=now)
        await linked.join(page, now=now)
        assert (await app.quotas.person(said) == "telegram:42", await app.quotas.person(said) == "web:me") == (admin, not admin)
        (reply,) = (await app.dispatcher.answer(said)).replies
        assert "linked no more with telegram:42" in reply.text
        assert await linked.others("web", "local", "me") == []
