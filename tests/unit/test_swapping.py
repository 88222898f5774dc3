"""People are told of what happens to a swap by itself: where it was asked for, and the admins in Telegram, each in their language."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.config import ModelSettings, Settings
from bot.locale import Text
from bot.message import Address, pack
from bot.models.trial import Swap
from bot.store.chats import Chats
from bot.store.database import Database
from bot.store.outbox import Outbox, Parcel
from bot.store.swaps import interrupted
from bot.swapping import Announcer, SwapHouse
from bot.testing import make_message

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GROUP = Address("telegram", "parbot", "-100", "7", "group")
ANN, BEN = (Address("telegram", "parbot", user) for user in ("1", "2"))


class Roles:
    async def of_channel(self, channel: str) -> frozenset[str]:
        return frozenset({"1", "2"}) if channel == "telegram" else frozenset()

    def settled(self, person: str) -> bool:
        return person == "test:ann"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "paring.db")
    yield opened
    await opened.close()


def a_house(database: Database, **changes: object) -> SwapHouse:
    settings = Settings(home=Path("nowhere"), models=ModelSettings(**changes))
    channels = {"telegram": SimpleNamespace(account="parbot")}
    nothing = SimpleNamespace()
    return SwapHouse(
        settings, database, Outbox(database, owner="me"), nothing, nothing, nothing, nothing, Chats(database), Roles(), channels,  # type: ignore[arg-type]
        lambda _parcels: None,
    )  # fmt: skip


def a_swap(origin: Address | None) -> Swap:
    packed = pack(origin) if origin else ""
    return Swap(3, "summarise", "lead", "", "", "telegram:1", packed, "interrupted", "probe", "", None, {}, NOON, NOON)


async def told(database: Database, swap: Swap) -> list[Parcel]:
    parcels: list[Parcel] = []
    await Announcer(a_house(database), parcels.extend).announce(swap, interrupted("probe"))
    waiting = [await Outbox(database).one(parcel.id) for parcel in parcels]
    assert [(one.to, one.reply) for one in waiting] == [(one.to, one.reply) for one in parcels]
    return parcels


async def test_the_chat_where_it_was_asked_and_each_admin_are_told_once(database: Database) -> None:
    await Chats(database).set_language(BEN, "ko")
    assert [one.to for one in await told(database, a_swap(GROUP))] == [ANN, BEN, GROUP]
    in_bens = await told(database, a_swap(BEN))
    assert [one.to for one in in_bens] == [ANN, BEN]
    assert in_bens[0].reply.text.startswith("Interrupted at “probe”")
    assert in_bens[1].reply.text.startswith("“시험” 단계에서 중단됐어요")


async def test_a_card_that_waits_again_is_told_with_the_order_that_shows_it(database: Database) -> None:
    for parcel in await told(database, replace(a_swap(None), state="reported")):
        assert "`/card 3` shows its card" in parcel.reply.text


async def test_what_was_asked_in_a_terminal_is_told_to_the_admins_alone(database: Database) -> None:
    assert [one.to for one in await told(database, a_swap(None))] == [ANN, BEN]


async def test_where_it_was_asked_is_served_by_nobody_now_it_waits_for_who_serves_it_next(database: Database) -> None:
    terminal = Address("console", "terminal", "terminal")
    assert [one.to for one in await told(database, a_swap(terminal))] == [ANN, BEN]
    assert await Outbox(database, owner="next").tickets({"console": ""}) == []
    await Outbox(database, owner="next").recover({"console": ""}, of=[""])
    (ticket,) = await Outbox(database, owner="next").tickets({"console": ""})
    assert ticket.lane == ("console", "terminal", "terminal")


@pytest.mark.parametrize(
    ("shadow", "sender", "kind", "allowed"),
    [
        ("admins", "ann", "direct", True),
        ("admins", "ann", "group", False),
        ("admins", "bob", "direct", False),
        ("everybody", "bob", "group", True),
        ("nobody", "ann", "direct", False),
    ],
)
async def test_whose_requests_a_shadow_may_compute(
    database: Database, shadow: str, sender: str, kind: str, allowed: bool
) -> None:
    message = make_message("sum it up", sender=sender, kind=kind)  # type: ignore[arg-type]
    assert a_house(database, shadow=shadow).allows(message) is allowed


def test_a_sentence_has_both_languages() -> None:
    assert interrupted("publish").to("ko") != interrupted("publish").to("en")
    assert isinstance(interrupted("publish"), Text)
