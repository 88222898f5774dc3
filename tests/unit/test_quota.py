from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.admin import Admin
from bot.admin_quotas import QuotaBook
from bot.config import QuotaSettings, Settings
from bot.errors import InputError
from bot.locale import Language
from bot.message import Address, ChatKind, Message
from bot.quota import Quotas
from bot.quota_told import told_of
from bot.roles import Roles
from bot.store.admins import Admins
from bot.store.audit import Audit
from bot.store.database import Database
from bot.store.usage import TELL_AGAIN, Usage
from bot.testing import make_message, make_request

ANN, BEN, OWNER = "42", "43", "4711"
SEOUL = ZoneInfo("Asia/Seoul")
MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=SEOUL)


class House:
    """Quotas, and people who write in Telegram at the time that the test says."""

    def __init__(self, database: Database, **limits: object) -> None:
        self.now, self._numbers, self.refused = MORNING, 0, []
        self.roles = Roles(Settings(admins=(f"telegram:{OWNER}",)), Admins(database))
        self.quotas = Quotas(
            QuotaSettings(**limits), Usage(database), self.roles, zone=SEOUL, now=lambda: self.now,
            counted=lambda channel, kind: self.refused.append((channel, kind)),
        )  # fmt: skip
        self.admin = Admin(self.roles, Audit(database), [QuotaBook(self.quotas)])

    def message(
        self, who: str = ANN, *, language: Language = "en", chat: str = "", text: str = "hello", **more: object
    ) -> Message:
        self._numbers += 1
        kind: ChatKind = "group" if chat else "direct"
        made = make_message(text, sender=who, id=str(self._numbers), language=language, sent_at=self.now)
        return replace(made, address=Address("telegram", "7", chat or who, kind=kind), **more)  # type: ignore[arg-type]

    async def say(self, who: str = ANN, *, free: bool = False, **more: object) -> str | None:
        return await self.quotas.refused(self.message(who, **more), free=free)  # type: ignore[arg-type]

    async def says(self, count: int, who: str = ANN, **more: object) -> list[str]:
        """Return what was answered to each of so many messages at once: "in" for one that is worked on."""
        said: Sequence[str | None] = [await self.say(who, **more) for _time in range(count)]
        return ["in" if one is None else one for one in said]

    async def costly(self, who: str = ANN, *, fails: bool = False) -> str | None:
        async with self.quotas.charged("translate", self.message(who)) as said:
            if fails:
                raise InputError("no")
            return said

    async def order(self, text: str, who: str = OWNER, *, language: Language = "en") -> str:
        return (await self.admin.answer(make_request(self.message(who, text=text, language=language)))).text


async def test_without_limits_nothing_is_refused_and_nothing_kept(database: Database) -> None:
    house = House(database)

    assert await house.says(500) == ["in"] * 500
    assert await house.quotas.today() == []


async def test_a_flood_is_told_once_and_taken_again_at_the_moment_that_was_told(database: Database) -> None:
    house = House(database, person_a_minute=5)

    said = await house.says(200)

    assert said[:5] == ["in"] * 5
    assert "5 messages a minute" in said[5]
    assert set(said[6:]) == {""}
    clock = re.search(r"before (\d\d):(\d\d):(\d\d)", said[5])
    assert clock is not None
    house.now += timedelta(seconds=59)
    assert await house.says(3) == ["", "", ""]
    house.now = MORNING.replace(hour=int(clock[1]), minute=int(clock[2]), second=int(clock[3]))
    assert await house.says(5) == ["in"] * 5
    assert "5 messages a minute" in (await house.says(1))[0]
    assert house.refused == [("telegram", "pace")] * (195 + 3 + 1)


async def test_who_keeps_to_the_pace_is_never_refused(database: Database) -> None:
    house = House(database, person_a_minute=30)

    for _message in range(100):
        assert await house.say() is None
        house.now += timedelta(seconds=2)


async def test_what_waited_while_the_platform_was_away_is_no_flood(database: Database) -> None:
    house = House(database, person_a_minute=5)
    waiting = []
    for _message in range(50):
        waiting.append(house.message())
        house.now += timedelta(seconds=12)

    assert [await house.quotas.refused(message, free=False) for message in waiting] == [None] * 50


async def test_a_message_that_is_said_to_come_from_the_future_does_not_open_the_way(database: Database) -> None:
    house = House(database, person_a_minute=2)
    later = [replace(house.message(), sent_at=house.now + timedelta(hours=hours)) for hours in range(5)]

    taken = [await house.quotas.refused(message, free=False) for message in later]

    assert [one is None for one in taken] == [True, True, False, False, False]


async def test_an_edit_counts_when_it_is_made(database: Database) -> None:
    house = House(database, person_a_minute=2)
    first = house.message()
    house.now += timedelta(hours=1)
    await house.says(1)
    edits = [replace(first, version=int(house.now.timestamp()) - 1 + more) for more in range(2)]

    assert [await house.quotas.refused(edit, free=False) is None for edit in edits] == [True, False]


async def test_the_message_that_was_told_is_told_again_where_the_bot_died_before_it_was_written(database: Database) -> None:
    house = House(database, person_a_minute=1, person_a_day=2)
    await house.says(1)
    flood, after = house.message(), house.message()
    told = await house.quotas.refused(flood, free=False)
    assert await house.quotas.refused(after, free=False) == ""

    assert told
    assert await house.quotas.refused(flood, free=False) == told

    house.now += timedelta(minutes=2)
    await house.says(1)
    house.now += timedelta(minutes=2)
    over = house.message()
    told = await house.quotas.refused(over, free=False)
    assert told
    assert await house.quotas.refused(over, free=False) == told


async def test_a_person_is_counted_over_all_chats_and_a_group_over_all_its_people(database: Database) -> None:
    house = House(database, person_a_day=3, group_a_day=4)

    assert await house.says(2) + await house.says(1, chat="-5") == ["in"] * 3
    assert "/quotas more telegram:42" in (await house.says(1, chat="-6"))[0]
    assert await house.says(3, BEN, chat="-5") == ["in"] * 3
    said = await house.says(2, "44", chat="-5")
    assert "this group" in said[0]
    assert said[1] == ""
    assert await house.says(1, "44") == ["in"]


async def test_a_quota_ends_with_the_day_of_the_bots_own_zone(database: Database) -> None:
    house = House(database, person_a_day=2)

    said = await house.says(3)
    assert "from 00:00 KST on" in said[2]
    house.now = MORNING.replace(hour=23, minute=59)
    assert await house.say() != ""
    assert await house.say() == ""
    house.now += timedelta(minutes=1)
    assert await house.says(2) == ["in", "in"]


async def test_what_was_said_before_midnight_and_comes_after_does_not_bring_the_day_before_back(database: Database) -> None:
    house = House(database, person_a_day=2)
    late = house.message()
    house.now += timedelta(days=1)
    await house.says(2)

    assert await house.quotas.refused(late, free=False) is not None


async def test_it_is_told_again_after_a_while(database: Database) -> None:
    house = House(database, person_a_day=1)
    await house.says(1)

    told = await house.say()
    house.now += TELL_AGAIN - timedelta(seconds=1)
    assert await house.say() == ""
    house.now += timedelta(seconds=1)
    assert await house.say() == told


async def test_it_is_kept_over_a_restart_and_for_a_second_bot(database: Database) -> None:
    limits = {"person_a_day": 4, "person_a_minute": 100, "costly_a_day": 1}
    one, other = House(database, **limits), House(database, **limits)
    await one.says(2)
    await other.says(2)
    await one.costly()

    assert await House(database, **limits).says(1) != ["in"]
    assert await other.costly()


async def test_admins_keep_to_the_pace_and_have_no_quota(database: Database) -> None:
    house = House(database, person_a_minute=10, person_a_day=2, group_a_day=1, costly_a_day=1)

    assert await house.says(10, OWNER, chat="-5") == ["in"] * 10
    assert "a minute" in (await house.says(1, OWNER))[0]
    assert [await house.costly(OWNER) for _time in range(3)] == [None] * 3
    assert await house.says(1, BEN, chat="-5") == ["in"]


async def test_nothing_is_said_to_what_was_only_overheard_and_the_terminal_is_not_counted(database: Database) -> None:
    house = House(database, person_a_minute=1, person_a_day=1, group_a_minute=1)
    console = replace(house.message("me"), address=Address("console", "local", "t"))

    assert await house.says(5, chat="-5", addressed=False) == ["in"] * 5
    assert [await house.quotas.refused(console, free=False) for _time in range(5)] == [None] * 5
    assert await house.says(1) == ["in"]


async def test_the_houses_own_commands_are_no_part_of_the_quota_but_of_the_pace(database: Database) -> None:
    house = House(database, person_a_day=1, person_a_minute=4)
    await house.says(2)

    assert await house.says(3, free=True) == ["in"] * 3
    assert "a minute" in (await house.says(1, free=True))[0]


async def test_costly_answers_are_counted_and_what_fails_is_not(database: Database) -> None:
    house = House(database, costly_a_day=2)
    for _time in range(3):
        with pytest.raises(InputError):
            await house.costly(fails=True)

    assert [await house.costly(), await house.costly()] == [None, None]
    assert "imagine, transcribe, translate" in str(await house.costly())
    assert await house.costly() == ""
    async with house.quotas.charged("search", house.message()) as said:
        assert said is None


@pytest.mark.parametrize(("language", "word"), [("en", "used up"), ("ko", "다 쓰셨어요")])
async def test_it_is_told_in_the_language_of_the_message(database: Database, language: Language, word: str) -> None:
    house = House(database, person_a_day=1)

    assert word in (await house.says(2, language=language))[1]


async def test_an_admin_gives_more_for_today(database: Database) -> None:
    house = House(database, person_a_day=2, group_a_day=1, costly_a_day=1)
    await house.says(3)
    await house.costly()
    await house.says(2, BEN, chat="-5")

    assert "may have 5 today" in await house.order("/quotas more telegram:42 3")
    again = await house.says(4)
    assert again[:3] == ["in"] * 3
    assert "The 5 messages" in again[3]
    assert "2번" not in await house.order("/사용량 더 telegram:42 비싼", language="ko")
    assert await house.costly() is None
    assert "may have 2 today" in await house.order("/quotas more telegram:-5")
    assert await house.says(1, BEN, chat="-5") == ["in"]
    house.now += timedelta(days=1)
    assert (await house.says(3))[2] != "in"


@pytest.mark.parametrize("text", ["more", "more 42", "less telegram:42", "more telegram:42 0", "more telegram:42 -5",
                                  "more telegram:42 9999999999", "more telegram:42 five", "more telegram:42 1 2"])  # fmt: skip
async def test_a_mistyped_order_gives_nothing(database: Database, text: str) -> None:
    house = House(database, person_a_day=2)

    with pytest.raises(InputError, match="/quotas more"):
        await house.order(f"/quotas {text}")
    assert await house.quotas.today() == []


async def test_more_of_what_has_no_quota_is_refused(database: Database) -> None:
    house = House(database, person_a_day=2)

    with pytest.raises(InputError, match="no quota of that kind"):
        await house.order("/quotas more telegram:42 5 costly")


async def test_an_admin_sees_who_asked_for_how_much(database: Database) -> None:
    house = House(database, person_a_day=2, costly_a_day=5)
    await house.says(3)
    await house.says(1, BEN)
    await house.costly(BEN)

    said = await house.admin.answer(make_request(house.message(OWNER, text="/quotas")))

    assert "- `telegram:42`: 2 of 2 messages" in said.text
    assert "- `telegram:43`: 1 of 5 costly answers" in said.text
    assert [button.command.args for button in said.buttons] == ["more telegram:42"]


async def test_one_sees_what_one_has_used(database: Database) -> None:
    house = House(database, person_a_minute=30, person_a_day=2, group_a_day=9, costly_a_day=5)
    await house.says(1)
    await house.says(1, chat="-5")

    alone = await told_of(house.message(), house.quotas)
    here = await told_of(house.message(BEN, chat="-5"), house.quotas)

    assert "messages today: 2 of 2" in alone
    assert "0 of 5 (imagine, transcribe, translate)" in alone
    assert "group" not in alone
    assert "in this group together: 1 of 9" in here
    assert "no quota a day holds" in await told_of(house.message(OWNER), house.quotas)
    assert "no quota is set" in await told_of(house.message(), House(database).quotas)


async def test_what_is_of_older_days_is_deleted(database: Database) -> None:
    house = House(database, person_a_day=9)
    await house.says(1)
    house.now += timedelta(days=1)
    await house.quotas.drop_old()
    house.now -= timedelta(days=1)
    assert len(await house.quotas.today()) == 1

    house.now += timedelta(days=2)
    await house.quotas.drop_old()
    house.now -= timedelta(days=2)
    assert await house.quotas.today() == []


async def test_accounts_that_are_one_persons_are_counted_as_one(database: Database) -> None:
    house = House(database, person_a_day=3)

    async def one(_channel: str, _account: str, _user: str) -> str:
        return f"telegram:{ANN}"

    house.quotas._one = one
    assert await house.says(2) == ["in", "in"]
    said = await house.says(2, BEN)
    assert said[0] == "in"
    assert f"/quotas more telegram:{ANN}" in said[1]
    assert [(used.who, used.used) for used in await house.quotas.today()] == [(f"telegram:{ANN}", 3)]
