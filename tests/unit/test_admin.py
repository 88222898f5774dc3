"""Admin commands: who is obeyed, what is written down, and what is shown to whom."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.admin import NAMED, AdminHouse, said_by

from bot.admin import Admin, Done, Verb
from bot.errors import DeniedError, InputError, ModelError
from bot.language import NAMING
from bot.locale import Text
from bot.message import ChatKind, Command, Press
from bot.skill import CommandSpec
from bot.store.database import Database
from bot.testing import NOON, make_request

ADDED, STRANGER = "telegram:8", "telegram:9"
MAY: dict[str, bool] = {
    NAMED: True, ADDED: True, STRANGER: False, "telegram:-100500": False, "telegram:": False,
    "console:me": True, "console:somebody": True, "web:me": True, "web:other": False, "slack:4711": False, "slack:": False,
}  # fmt: skip
"""By the settings, added, nobody, a group that the settings name, nobody at all; the terminal; the page; the number elsewhere."""


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AdminHouse:
    house = AdminHouse(database, tmp_path)
    await house.roles.add(ADDED, by=NAMED)
    return house


class Probe:
    """Stands for every desk: its verbs are those of the house, and do nothing but count."""

    def __init__(self, verbs: tuple[Verb, ...]) -> None:
        self.done: list[tuple[str, str]] = []
        self.verbs = tuple(Verb(verb.command, self._of(verb.command)) for verb in verbs)

    def _of(self, command: CommandSpec):
        async def do(order) -> Done:
            self.done.append((order.who, command.name))
            return Done(order.request.reply("ok"))

        return do


def probed(house: AdminHouse) -> tuple[Admin, Probe]:
    probe = Probe(tuple(Verb(command, None) for command in house.admin.commands))  # type: ignore[arg-type]
    return Admin(house.roles, house.audit, [probe]), probe


@pytest.mark.parametrize("kind", ["direct", "group"])
@pytest.mark.parametrize("pressed", [False, True], ids=["written", "pressed"])
async def test_each_verb_is_carried_out_for_admins_alone_and_written_down_either_way(
    house: AdminHouse, kind: ChatKind, pressed: bool
) -> None:
    admin, probe = probed(house)
    expected = []
    for who, may in MAY.items():
        for command in admin.commands:
            for name in (command.name, *command.aliases):
                message = replace(said_by(who, f"/{name} x", kind=kind), id="press:1" if pressed else "1")
                if may:
                    assert (await admin.answer(make_request(message))).text == "ok"
                else:
                    with pytest.raises(DeniedError) as refusal:
                        await admin.answer(make_request(message))
                    assert who in refusal.value.sentence("ko")
                expected.append((who, f"/{name} x", "done" if may else "not an admin"))
    assert {who for who, _name in probe.done} == {who for who, may in MAY.items() if may}
    written = [(entry.who, entry.command, entry.outcome) for entry in reversed(await house.audit.last(1000))]
    assert written == expected


def test_the_names_after_an_admins_command_tell_no_language(house: AdminHouse) -> None:
    assert {command.name for command in house.admin.commands} == NAMING


async def test_who_is_removed_is_refused_at_the_next_press_of_an_old_button(house: AdminHouse) -> None:
    press = replace(said_by(ADDED, "/ram"), id="press:1")
    assert (await house.admin.answer(make_request(press))).text
    await house.say(f"/admins remove {ADDED}")
    with pytest.raises(DeniedError):
        await house.admin.answer(make_request(press))
    assert (await house.outcomes())[-1] == (ADDED, "/ram", "not an admin")


async def test_the_page_is_an_admins_unless_the_settings_say_no(database: Database, tmp_path: Path) -> None:
    house = AdminHouse(database, tmp_path, page=False)
    with pytest.raises(DeniedError):
        await house.say("/models", who="web:me")


@pytest.mark.parametrize(
    ("raised", "outcome"),
    [
        (InputError("no"), "refused"), (ModelError("no"), "failed"), (DeniedError("no"), "failed"), (KeyError("no"), "failed"),
        (asyncio.CancelledError(), "stopped"),
    ],
)  # fmt: skip
async def test_what_came_of_an_order_is_written_down_however_it_ends(
    house: AdminHouse, raised: BaseException, outcome: str
) -> None:
    async def do(_order) -> Done:
        raise raised

    class Desk:
        verbs = (Verb(CommandSpec("swap", Text("-")), do),)

    with pytest.raises(type(raised)):
        await Admin(house.roles, house.audit, [Desk()]).answer(make_request(said_by(NAMED, "/swap a b")))
    assert (await house.outcomes())[-1] == (NAMED, "/swap a b", outcome)


async def test_a_text_that_is_sent_on_to_the_admin_skill_orders_nothing(house: AdminHouse) -> None:
    message = replace(said_by(NAMED, "/admins add telegram:1"), command=None)
    with pytest.raises(InputError):
        await house.admin.answer(make_request(message))
    assert not await house.roles.admits("telegram:1")


async def test_somebody_who_presses_an_admins_button_is_written_down(house: AdminHouse) -> None:
    press = Press(said_by(STRANGER, "x").address, "9", "p", "t", "en", NOON)
    await house.admin.refused_press(press, Command("ram"))
    await house.admin.refused_press(press, Command("search", "more"))
    assert await house.outcomes() == [(STRANGER, "/ram", "another's button")]


async def test_admins_are_added_and_removed_by_the_owner_and_by_those_of_the_settings(house: AdminHouse) -> None:
    for who in (NAMED, "console:me", "web:me"):
        assert "from now on" in (await house.say("/admins add telegram:10", who=who)).text
        assert "already" in (await house.say("/관리자 추가 telegram:10", who=who, language="en")).text
        assert await house.roles.admits("telegram:10")
        assert "no admin any more" in (await house.say("/admins remove telegram:10", who=who)).text
        assert "was no admin" in (await house.say("/admins remove telegram:10", who=who)).text
        assert not await house.roles.admits("telegram:10")


async def test_an_added_admin_adds_and_removes_nobody_but_may_step_down(house: AdminHouse) -> None:
    for order in ("/admins add telegram:10", f"/admins remove {NAMED}", "/admins remove telegram:11"):
        with pytest.raises(InputError, match="Only the owner"):
            await house.say(order, who=ADDED)
    assert "no admin any more" in (await house.say(f"/admins remove {ADDED}", who=ADDED)).text


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("/admins remove telegram:4711", "by the settings"),
        ("/admins remove console:me", "owner"),
        ("/admins remove web:me", "owner"),
        ("/admins add telegram:-100", "no person"),
        ("/admins add 4711", "no person"),
        ("/admins add", "CHANNEL:USER"),
        ("/admins promote telegram:5", "CHANNEL:USER"),
        ("/audit soon", "how many"),
        ("/audit 0", "how many"),
    ],
)
async def test_what_cannot_be_done_is_told(house: AdminHouse, order: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        await house.say(order)


async def test_the_admins_are_listed_with_a_button_for_each_that_may_go(house: AdminHouse) -> None:
    shown = await house.say("/admins")
    assert all(piece in shown.text for piece in (NAMED, ADDED, "web:me", "console:*"))
    assert [button.command for button in shown.buttons] == [Command("admins", f"remove {ADDED}")]
    assert (await house.say("/admins", who=ADDED)).buttons == shown.buttons


async def test_the_audit_tells_who_when_what_and_what_came_of_it(house: AdminHouse) -> None:
    await house.say("/ram")
    with pytest.raises(DeniedError):
        await house.say("/models `x`", who=STRANGER)
    english, korean = (await house.say("/audit 2")).text, (await house.say("/감사 3")).text
    assert f"{STRANGER} · `/models 'x'` · **refused: not an admin**" in english
    assert "거절됨: 관리자가 아님" in korean


async def test_other_processes_admins_are_known_at_once(house: AdminHouse, database: Database) -> None:
    known = await house.roles.of_channel("telegram")
    assert known == {"4711", "8"}
    waiting = asyncio.create_task(house.roles.other_than("telegram", known))
    await house.roles.add("telegram:12", by="terminal")
    await asyncio.wait_for(waiting, 30)
