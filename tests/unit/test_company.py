import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from fakes.channel import FakeChannel

from bot.company import Company
from bot.errors import AmbiguousSendError
from bot.message import Address, Reply
from bot.store.database import Database
from bot.store.inbox import Inbox, Waiting
from bot.testing import make_message


async def test_a_status_waits_for_the_answers_before_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TYPING_AFTER_S", "STATUS_AFTER_S", "STATUS_EVERY_S", "TYPING_EVERY_S"):
        monkeypatch.setattr(f"bot.company.{name}", 0.0)
    inbox, channel, looked = Inbox(database), FakeChannel(), []
    message = make_message("a long one")
    number = await inbox.accept(message)
    assert number is not None

    def is_through(_to: Address) -> bool:
        looked.append(len(channel.sent))
        return len(looked) > 3  # until then an earlier answer waits to be sent

    company = Company(channel, inbox, Waiting(number, message), is_through=is_through)
    company.begin()
    async with asyncio.timeout(30):
        await channel.arrived.wait()
    await company.end()
    assert looked[:4] == [0, 0, 0, 0]
    assert company.placeholder == "m1"


async def test_a_status_of_which_nobody_knows_whether_it_is_shown_is_found_before_the_answer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TYPING_AFTER_S", "STATUS_AFTER_S"):
        monkeypatch.setattr(f"bot.company.{name}", 0.0)
    inbox, channel = Inbox(database), FakeChannel(failures=[AmbiguousSendError("?")])
    channel.limits = replace(channel.limits, finds_sent=True)
    message = make_message("a long one")
    number = await inbox.accept(message)
    assert number is not None
    company = Company(channel, inbox, Waiting(number, message))
    company.begin()
    async with asyncio.timeout(30):
        while channel.failures:
            await asyncio.sleep(0)
    await company.end()
    assert [key for key, _reply in channel.sent] == [f"status {number}"]
    assert company.placeholder == "m1"


async def test_a_status_of_a_former_life_is_looked_for_even_where_the_answer_is_quick(database: Database) -> None:
    channel = Finding()
    message = make_message("a long one")
    number = await Inbox(database).accept(message)
    assert number is not None
    company = Company(channel, Inbox(database), Waiting(number, message, attempts=1))
    company.begin()
    await company.end()
    assert (company.placeholder, channel.looked) == ("found", [f"status {number}"])


class Finding(FakeChannel):
    def __init__(self) -> None:
        super().__init__()
        self.limits = replace(self.limits, finds_sent=True)
        self.looked: list[str] = []

    async def send_parts(
        self, reply: Reply, to: Address, *, key: str, edits: str, sent: Sequence[str], went_out: object, in_doubt: bool = False
    ) -> str:
        assert in_doubt
        self.looked.append(key)
        return "found"
