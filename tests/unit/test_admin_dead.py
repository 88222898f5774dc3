"""What was set aside: shown to admins without a word of what was said, replayed once, dropped."""

from dataclasses import replace
from pathlib import Path

import pytest
from fakes.admin import NAMED, AdminHouse

from bot.errors import DeniedError, InputError
from bot.message import Command, Reply
from bot.store.database import Database
from bot.store.dead import IN_DOUBT, DeadLetters
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.testing import make_message

HERE = {"test": ""}


@pytest.fixture
def house(database: Database, tmp_path: Path) -> AdminHouse:
    return AdminHouse(database, tmp_path)


async def set_aside(database: Database, *, id: str = "1", reference: str = "a91f3c") -> int:
    inbox = Inbox(database, owner="gone")
    message = make_message("my secret diary", id=id)
    number = await inbox.accept(message)
    assert number is not None
    for _time in range(3):
        await inbox.start(number)
    told = [Reply(f"I could not work on this (ref {reference})", "en")]
    await inbox.finish(number, message, told, error="RuntimeError in skills.sum", reference=reference)
    return number


async def test_it_is_listed_with_who_where_why_and_two_buttons_and_nothing_that_was_said(
    house: AdminHouse, database: Database
) -> None:
    await set_aside(database)
    shown = await house.say("/dead")
    for piece in ("a91f3c", "test:ann", "test/1", "15 characters", "RuntimeError in skills.sum"):
        assert piece in shown.text
    assert "diary" not in repr(shown)
    assert [button.command for button in shown.buttons] == [Command("dead", "replay a91f3c"), Command("dead", "drop a91f3c")]
    assert "미뤄 둔 것: 1개" in (await house.say("/보류")).text


async def test_what_is_replayed_waits_as_on_its_first_day_in_the_place_of_what_was_told(
    house: AdminHouse, database: Database
) -> None:
    number, outbox = await set_aside(database), Outbox(database)
    (told,) = await outbox.of(number)
    await outbox.sent(told.id, "m17")
    assert "worked on again" in (await house.say("/dead replay A91F3C")).text
    waiting = await Inbox(database).one(number)
    assert (waiting.attempts, waiting.placeholder) == (0, "m17")
    (taken,) = (await Inbox(database, owner="bot").recover(HERE, of=[""])).tickets
    assert taken.id == number
    with pytest.raises(InputError, match="replayed or dropped already"):
        await house.say("/dead replay a91f3c")
    assert "Nothing is set aside" in (await house.say("/dead")).text


async def test_what_is_dropped_is_listed_no_more_and_never_worked_on(house: AdminHouse, database: Database) -> None:
    await set_aside(database)
    await house.say("/보류 버리기 a91f3c")
    assert "Nothing is set aside" in (await house.say("/dead")).text
    assert await Inbox(database).counts() == {"dropped": 1}
    with pytest.raises(InputError, match="replayed or dropped already"):
        await house.say("/dead replay a91f3c")


@pytest.mark.parametrize(("why", "state"), [("403: blocked", "ready"), (IN_DOUBT, "ambiguous")])
async def test_a_reply_that_no_platform_took_is_sent_again(house: AdminHouse, database: Database, why: str, state: str) -> None:
    inbox, outbox = Inbox(database), Outbox(database)
    message = make_message("hello")
    number = await inbox.accept(message)
    assert number is not None
    await inbox.finish(number, message, [Reply("the secret answer", "en")])
    (parcel,) = await outbox.of(number)
    await outbox.dead(parcel.id, why)
    shown = await house.say("/dead")
    assert (f"`o{parcel.id}`" in shown.text, why in shown.text, "secret" in repr(shown)) == (True, True, False)
    assert "sent again" in (await house.say(f"/dead replay o{parcel.id}")).text
    (again,) = await outbox.of(number)
    assert (again.state, again.attempts) == (state, 0)
    with pytest.raises(InputError):
        await house.say(f"/dead drop o{parcel.id}")


@pytest.mark.parametrize("quoted", ['start tag "secret plan" at 3', "URL 'secret plan' is invalid", "can't parse \"secret plan"])
async def test_what_a_platform_quotes_of_a_reply_that_it_refuses_is_not_shown(
    house: AdminHouse, database: Database, quoted: str
) -> None:
    parcel = await Outbox(database).say(make_message("x").address, Reply("secret plan", "en"))
    await Outbox(database).dead(parcel.id, f"Telegram did not take it: {quoted}")
    shown = (await house.say("/dead")).text
    assert (quoted.partition("secret")[0].rstrip("'\"") in shown, "secret" in shown) == (True, False)


@pytest.mark.parametrize(
    "order", ["replay", "replay o", "replay o²", "replay o9999999999999999999999", "drop ' OR 1=1", "burn a91f3c"]
)
async def test_what_is_no_reference_touches_nothing(house: AdminHouse, database: Database, order: str) -> None:
    await set_aside(database)
    with pytest.raises(InputError):
        await house.say(f"/dead {order}")
    assert await DeadLetters(database).count() == 1


async def test_nobody_else_sees_or_replays_it(house: AdminHouse, database: Database) -> None:
    await set_aside(database)
    for order in ("/dead", "/dead replay a91f3c"):
        with pytest.raises(DeniedError):
            await house.say(order, who="telegram:9")
    assert await DeadLetters(database).count() == 1


async def test_who_asked_is_told_by_name_and_marks_in_it_are_plain(house: AdminHouse, database: Database) -> None:
    inbox = Inbox(database)
    message = replace(make_message("x"), sender_name="[Ann](https://evil.example) `\n- b")
    number = await inbox.accept(message)
    assert number is not None
    await inbox.finish(number, message, [], error="KeyError", reference="b00b1e")
    (line,) = [line for line in (await house.say("/dead", who=NAMED)).text.splitlines() if "b00b1e" in line]
    assert "Ann(https://evil.example)  - b (test:ann)" in line
