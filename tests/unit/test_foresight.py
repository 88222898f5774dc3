"""What was just said is embedded before its turn comes, where that is worth it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bot.errors import ModelError
from bot.foresight import LONGEST, Foresight
from bot.locale import phrases
from bot.message import Attachment, Message
from bot.testing import make_message

_ = phrases(__file__)
QUESTION = "When does the team move?"


class Models:
    """Notes what it is given."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.fails = False

    def live(self, _slot: object) -> str:
        return "embed.made@1"

    async def run(self, _slot: object, batch: Sequence[Any], *, bulk: bool = False) -> list[Any]:
        self.given += batch
        if self.fails:
            raise ModelError(_("It is not here."))
        return []


async def embedded(message: Message, *, idle: bool = True, models: Models | None = None) -> list[str]:
    models = models or Models()
    Foresight(models, searches={"search"}, idle=lambda _chat: idle)(message)  # type: ignore[arg-type]
    await asyncio.sleep(0)
    return models.given


async def test_what_will_be_routed_or_searched_for_is_embedded() -> None:
    assert await embedded(make_message(QUESTION)) == [QUESTION]
    assert await embedded(make_message(f"/search {QUESTION}")) == [QUESTION]


@pytest.mark.parametrize(
    "message",
    [
        make_message("/lang ko"),
        make_message("/search"),
        make_message(""),
        make_message("/search " + "word " * LONGEST),
        replace(make_message(QUESTION, kind="group"), addressed=False),
        make_message(QUESTION, attachments=(Attachment("document", "a.txt", "text/plain", 1),)),
        make_message(QUESTION, reply_to=make_message("before")),
        replace(make_message(QUESTION), part_of="1"),
    ],
)
async def test_what_will_not_be_is_not(message: Message) -> None:
    assert await embedded(message) == []


async def test_where_others_wait_nothing_is_begun() -> None:
    assert await embedded(make_message(QUESTION), idle=False) == []


async def test_what_fails_is_left_to_whoever_needs_it() -> None:
    models = Models()
    models.fails = True
    assert await embedded(make_message(QUESTION), models=models) == [QUESTION]
