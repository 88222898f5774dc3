"""A split reply over a crash: a new channel, that remembers nothing, goes on after the parts that the outbox knows of."""

from collections.abc import Sequence

import pytest
from fakes.telegram_bench import HERE, Blobs, built
from fakes.telegram_bot_api.client import FakeTelegram

from bot.channels.telegram import Telegram
from bot.config import TelegramSettings
from bot.delivery import PartByPart
from bot.errors import RetryLaterError
from bot.message import Reply

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARTS = 4
LONG = Reply("\n\n".join(f"{number} " + "가나다라마바사 " * 400 for number in range(PARTS)), "ko")


class Outbox:
    """Keeps the parts that it was told of."""

    def __init__(self) -> None:
        self.parts: list[str] = []

    async def went_out(self, parts: Sequence[str]) -> None:
        self.parts = list(parts)


@pytest.mark.parametrize("status", [False, True])
async def test_a_new_channel_goes_on_after_the_parts_that_went_out(
    fake: FakeTelegram, settings: TelegramSettings, channel: Telegram, blobs: Blobs, status: bool
) -> None:
    assert isinstance(channel, PartByPart)
    outbox = Outbox()
    edits = await channel.send(Reply("working", "en"), HERE, key="status 1") if status else ""
    await fake.fault("refuse", "sendMessage", skip=1 if status else 2, parameters={"retry_after": 7})
    with pytest.raises(RetryLaterError):
        await channel.send_parts(LONG, HERE, key="1", edits=edits, sent=(), went_out=outbox.went_out)
    assert len(outbox.parts) == 2
    after_a_crash = built(settings, blobs)
    first = await after_a_crash.send_parts(LONG, HERE, key="1", edits=edits, sent=outbox.parts, went_out=outbox.went_out)
    shown = await fake.shown()
    assert [part["text"][:1] for part in shown] == [str(number) for number in range(PARTS)]
    assert [str(part["message_id"]) for part in shown[: PARTS - 1]] == outbox.parts
    assert first == outbox.parts[0]
    assert edits in ("", first)
