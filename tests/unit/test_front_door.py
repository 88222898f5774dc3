from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.config import Settings
from bot.errors import InputError
from bot.front_door import ALPHABET, FrontDoor, Listed, Policy, hashed, is_code, new_code
from bot.locale import Language, Text
from bot.message import Address, Press
from bot.roles import Roles
from bot.store.admins import Admins
from bot.store.chats import Chats
from bot.store.database import Database
from bot.store.guests import AGAIN, LIFE, MOST, Guests
from bot.store.moving import Moves
from bot.store.tables import GuestRow, PairingRow
from bot.testing import make_message

ANN, BEN, OWNER = "42", "43", "4711"
GROUP = Address("telegram", "7", "-5", kind="group")


class House:
    def __init__(self, database: Database, policy: Policy = "auto", lists: Listed | None = None) -> None:
        self.database, self.now = database, datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self.roles = Roles(Settings(admins=(f"telegram:{OWNER}",)), Admins(database))
        self.guests, self.moves = Guests(database), Moves(database, Chats(database))
        self.door = FrontDoor(
            policy, {"telegram": lists or Listed()}, roles=self.roles, guests=self.guests, moves=self.moves, now=lambda: self.now
        )  # fmt: skip

    async def told(
        self, sender: str = ANN, *, at: Address | None = None, text: str = "the secret plan", language: Language = "en"
    ) -> str:
        """Return what a message is answered at the door, "in" for what is let in."""
        message = replace(
            make_message(text, sender=sender), address=at or Address("telegram", "7", sender), language=language, sent_at=self.now
        )
        taken = await self.door.turn_away(message)
        return "in" if taken is None else taken.note

    async def code(self, sender: str = ANN) -> str:
        found = re.search(r"\*\*([0-9A-Z]{4}-[0-9A-Z]{4})\*\*", await self.told(sender))
        assert found
        return found[1]

    async def rows(self) -> str:
        """Return everything that the two tables hold, as text."""
        async with self.database.read() as connection:
            held = [(await connection.execute(kind.__table__.select())).all() for kind in (PairingRow, GuestRow)]  # type: ignore[attr-defined]
        return str(held)


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


async def test_a_stranger_is_shown_a_code_once_and_the_owner_lets_them_in_by_it(house: House) -> None:
    code = await house.code()
    assert await house.told() == ""
    assert await house.door.admit(code, by="terminal") == f"telegram:{ANN}"
    assert await house.told() == "in"
    assert await house.told(BEN) != "in"


async def test_of_a_stranger_nothing_is_kept_but_the_codes_hash(house: House) -> None:
    code = await house.code()
    held = await house.rows()
    assert code not in held
    assert code.replace("-", "") not in held
    assert "secret plan" not in held
    assert hashed(code) in held


@pytest.mark.parametrize(
    "write", [str.lower, lambda code: code.replace("-", ""), lambda code: code.replace("-", " "), lambda code: f" {code} "]
)
async def test_a_code_is_read_however_it_is_written(house: House, write: Callable[[str], str]) -> None:
    assert await house.door.admit(write(await house.code()), by="terminal") == f"telegram:{ANN}"


async def test_what_looks_like_another_letter_is_read_as_the_one_that_a_code_has() -> None:
    assert hashed("OIL0-AAAA") == hashed("0110-AAAA")
    assert not set(ALPHABET) & set("ILOU")
    assert len(ALPHABET) == 32
    assert all(is_code(new_code()) for _try in range(50))
    assert len({new_code() for _try in range(1000)}) == 1000


@pytest.mark.parametrize(
    "word", ["", "7KQ2", "7KQ2-M9XD", "7KQ2-M9XDD", "x" * 100_000, "비밀코드입니다요", "\ud800" * 8, "'; --", "42"]
)
async def test_a_wrong_code_lets_nobody_in_and_spoils_none(house: House, word: str) -> None:
    code = await house.code()
    with pytest.raises(InputError, match="No such code"):
        await house.door.admit(word, by="terminal")
    assert await house.told(BEN) != "in"
    assert await house.door.admit(code, by="terminal")


async def test_a_code_is_good_once_and_for_an_hour(house: House) -> None:
    first, second = await house.code(), await house.code(BEN)
    await house.door.admit(first, by="terminal")
    house.now += LIFE
    for spent in (first, second):
        with pytest.raises(InputError):
            await house.door.admit(spent, by="terminal")


async def test_a_person_has_one_code_and_a_later_one_takes_its_place(house: House) -> None:
    first = await house.code()
    house.now += AGAIN
    second = await house.code()
    with pytest.raises(InputError):
        await house.door.admit(first, by="terminal")
    assert await house.door.admit(second, by="terminal") == f"telegram:{ANN}"


async def test_after_a_restart_a_code_that_is_young_is_not_replaced_by_a_flood(house: House) -> None:
    code = await house.code()
    again = House(house.database)
    assert [await again.told() for _try in range(3)] == ["", "", ""]
    assert await again.door.admit(code, by="terminal") == f"telegram:{ANN}"


async def test_a_flood_of_strangers_fills_no_table_and_each_is_told_once_how_to_come_in_all_the_same(house: House) -> None:
    for number in range(1000, 1000 + MOST):
        await house.code(str(number))
    told = [await house.told("9999") for _try in range(3)]
    assert "too many people" in told[0]
    assert "/admit telegram:9999" in told[0]
    assert told[1:] == ["", ""]
    assert len(await house.door.asking()) == MOST
    house.now += LIFE
    await house.code("9999")
    assert len(await house.door.asking()) == 1


async def test_who_is_removed_is_out_at_once_also_for_another_process(house: House, database: Database) -> None:
    await house.door.admit(await house.code(), by="terminal")
    assert await house.told() == "in"
    assert await House(database).door.remove(f"telegram:{ANN}")
    assert "code" in await house.told()
    assert not await house.door.remove(f"telegram:{ANN}")


async def test_admins_are_let_in_and_out_with_their_rights(house: House) -> None:
    assert await house.told(OWNER) == "in"
    await house.roles.add(f"telegram:{ANN}", by="terminal")
    assert await house.told() == "in"
    await house.roles.remove(f"telegram:{ANN}", by="terminal")
    assert await house.told() != "in"


async def test_the_page_and_the_terminal_have_no_strangers(house: House) -> None:
    for channel in ("web", "console"):
        assert await house.told("anybody", at=Address(channel, "local", "me")) == "in"


async def test_lists_alone_let_in_where_there_are_any_and_codes_are_shown_to_nobody(database: Database) -> None:
    house = House(database, lists=Listed.of([BEN], ["-5"]))
    await house.guests.admit(f"telegram:{ANN}", by="terminal")
    assert await house.told(BEN) == "in"
    assert await house.told(ANN, at=GROUP) == "in"
    told = [await house.told(), await house.told()]
    assert (ANN in told[0], "**" in told[0], told[1]) == (True, False, "")
    assert "code" not in await house.rows()


async def test_everybody_is_everybody_where_the_settings_say_so(database: Database) -> None:
    assert await House(database, "everybody", Listed.of([BEN], [])).told() == "in"


async def test_listed_without_a_list_is_nobody_but_admins(database: Database) -> None:
    house = House(database, "listed")
    assert ANN in await house.told()
    assert await house.told(OWNER) == "in"


async def test_in_a_group_only_who_is_known_is_answered_until_an_admin_lets_the_group_in(house: House) -> None:
    assert "/admit here" in await house.told(at=GROUP)
    assert await house.told(BEN, at=GROUP) == ""
    assert await house.told(OWNER, at=GROUP) == "in"
    await house.door.admit("telegram:-5", by=f"telegram:{OWNER}")
    assert await house.told(at=GROUP) == "in"
    assert await house.told(GROUP.chat, at=GROUP) == "in"
    assert await house.told() != "in"


async def test_talk_in_a_group_that_is_not_for_the_bot_is_answered_by_nothing(house: House) -> None:
    overheard = replace(make_message("between us"), address=GROUP, sender=ANN, addressed=False)
    taken = await house.door.turn_away(overheard)
    assert (taken is not None, taken and taken.note) == (True, "")


@pytest.mark.parametrize(("by", "let_in"), [(OWNER, True), (ANN, False), ("", False), ("-5", False)])
async def test_a_group_is_let_in_by_the_admin_who_puts_the_bot_into_it_and_by_nobody_else(
    house: House, by: str, *, let_in: bool
) -> None:
    said = await house.door.joined(GROUP, by, "en")
    assert (said == "") is let_in
    assert (await house.told(BEN, at=GROUP) == "in") is let_in


@pytest.mark.parametrize("listed", [True, False])
async def test_a_group_that_becomes_a_supergroup_stays_let_in_after_a_restart(database: Database, *, listed: bool) -> None:
    lists = Listed.of([], ["-5"]) if listed else Listed()
    house = House(database, lists=lists)
    if not listed:
        await house.door.admit("telegram:-5", by="terminal")
    supergroup = replace(GROUP, chat="-1005")
    assert await house.told(at=supergroup) != "in"
    await house.moves.move(GROUP, supergroup)
    again = House(database, lists=lists)
    assert await again.told(at=supergroup) == "in"
    assert await again.told(at=replace(GROUP, chat="-1006")) != "in"


async def test_a_press_of_a_strangers_is_answered_in_words_without_signs(house: House) -> None:
    press = Press(GROUP, ANN, "p1", "token", "ko", house.now)
    taken = await house.door.turn_away(press)
    assert taken is not None
    assert "`" not in taken.note
    assert "그룹" in taken.note


async def test_a_stranger_is_told_in_their_language(house: House) -> None:
    assert "들여" in await house.told(language="ko")


async def test_who_was_let_in_is_told_so_by_the_bot_that_showed_the_code(house: House, database: Database) -> None:
    told: list[tuple[str, Language]] = []
    came = asyncio.Event()

    async def tell(address: Address, _text: Text, language: Language) -> None:
        told.append((address.chat, language))
        came.set()

    running = asyncio.create_task(house.door.run(tell))
    await house.told(language="ko")
    await house.door.admit((await house.code(BEN)), by="terminal")
    await asyncio.wait_for(came.wait(), 20)
    running.cancel()
    assert told == [(BEN, "en")]


async def test_a_code_of_an_earlier_start_is_told_of_too(house: House, database: Database) -> None:
    code, later, told = await house.code(), House(database), asyncio.Event()

    async def tell(_address: Address, _text: Text, _language: Language) -> None:
        told.set()

    running = asyncio.create_task(later.door.run(tell))
    await later.door.admit(code, by="terminal")
    await asyncio.wait_for(told.wait(), 20)
    running.cancel()


async def test_a_clock_that_was_set_back_shows_a_new_code(house: House) -> None:
    await house.code()
    later = House(house.database)
    later.now = house.now - timedelta(days=1)
    await later.code()
