from __future__ import annotations

import pytest
from telegram.error import TelegramError

from bot.channels.telegram_request import RefusedError, UnreachedError
from bot.channels.telegram_typing import HURRIES, Typing
from bot.channels.waits import Waits


class Shown:
    """A bot that only remembers where typing was shown."""

    def __init__(self, error: TelegramError | None = None) -> None:
        self.at: list[tuple[object, object]] = []
        self.error = error

    async def send_chat_action(self, chat_id: int | str, action: str, *, message_thread_id: int | None = None) -> bool:
        assert action == "typing"
        self.at.append((chat_id, message_thread_id))
        if self.error is not None:
            raise self.error
        return True


@pytest.mark.parametrize("again", ["show", "hurry"])
async def test_it_is_asked_for_again_only_when_a_message_has_ended_it(again: str) -> None:
    bot = Shown()
    typing = Typing(bot, Waits())
    typing.show(42, None)
    getattr(typing, again)(42, None)
    typing.show(42, 5)
    typing.over(42, None)
    getattr(typing, again)(42, None)
    await typing.finish(within_s=5)
    assert bot.at == [(42, None), (42, 5), (42, None)]


async def test_of_many_messages_that_come_at_once_the_first_ones_show_it() -> None:
    bot = Shown()
    typing = Typing(bot, Waits())
    for chat in range(1000):
        typing.hurry(chat, None)
    typing.show(5000, None)
    await typing.finish(within_s=5)
    assert HURRIES <= len(bot.at) < 100
    assert bot.at[-1] == (5000, None)


async def test_being_told_to_wait_is_heeded() -> None:
    bot = Shown(RefusedError(429, "Too Many Requests", retry_after_s=60))
    typing = Typing(bot, Waits())
    typing.show(42, None)
    await typing.finish(within_s=5)
    typing.show(42, None)
    await typing.finish(within_s=5)
    assert bot.at == [(42, None)]


async def test_where_only_it_goes_wrong_the_answer_does_not_wait() -> None:
    waits = Waits()
    typing = Typing(Shown(UnreachedError("HTTP 422, and not by a Bot API server")), waits)
    typing.show(42, None)
    await typing.finish(within_s=5)
    assert waits.left_s(42) == 0.0
