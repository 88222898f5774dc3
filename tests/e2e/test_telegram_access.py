"""Who finds what in Telegram, with the program as a whole: members of groups, who leaves, and a look in private."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fakes.program import bot, paring, telegram_settings
from fakes.telegram_bot_api.client import ANN, FakeTelegram, running
from fakes.waiting import LONGEST_S

BEN, TEAM, BOARD = 43, -200, -300
FACT = "The red box was ordered by Kim on Friday."
QUESTION = "/search who ordered the red box"
LOOK = "Look in all that I may read"


async def said(telegram: FakeTelegram, chat: int, *, shown: int) -> dict[str, Any]:
    """Return the bot's message number `shown` in `chat`, once it is no status any more."""
    await telegram.ask("chat", chat=chat, by_bot=shown, timeout=str(LONGEST_S))
    answer = (await telegram.shown(chat))[shown - 1]
    if answer["text"].startswith("I am working on it"):  # a busy machine: the status becomes the answer
        await telegram.calls("editMessageText", count=1, timeout=LONGEST_S)
        answer = (await telegram.shown(chat))[shown - 1]
    return dict(answer)


async def test_members_find_a_groups_words_alone_and_who_leaves_does_not(tmp_path: Path) -> None:
    home = tmp_path / "home"
    await paring(home, "setup")
    async with running() as telegram:
        await telegram.order("person", id=BEN, first_name="Ben", language_code="en")
        await telegram.order("person", id=ANN, first_name="Ann", language_code="en")
        await telegram.order("group", id=TEAM, members={str(ANN): "member", str(BEN): "member"})
        await telegram.order("group", id=BOARD, members={str(ANN): "member", str(BEN): "member"})
        async with bot(home, channels=2, **telegram_settings(telegram)):
            await telegram.say("/index on", chat=TEAM)
            await telegram.ask("chat", chat=TEAM, by_bot=1, timeout=str(LONGEST_S))
            await telegram.say(FACT, chat=TEAM)
            await telegram.say(QUESTION, chat=TEAM)
            assert FACT in (await said(telegram, TEAM, shown=2))["text"]

            await telegram.say(QUESTION)
            assert FACT in (await said(telegram, ANN, shown=1))["text"]

            await telegram.say(QUESTION, chat=BOARD)
            there = await said(telegram, BOARD, shown=1)
            assert "found nothing" in there["text"]
            await telegram.press(there["message_id"], user=ANN, chat=BOARD, label=LOOK)
            alone = await said(telegram, ANN, shown=2)
            assert alone["text"].startswith("You asked in a group: ")
            assert FACT in alone["text"]

            await telegram.order("close_chat", chat=BEN, description="bot can't initiate conversation with a user")
            await telegram.say(QUESTION, user=BEN, chat=BOARD)
            there = await said(telegram, BOARD, shown=2)
            await telegram.press(there["message_id"], user=BEN, chat=BOARD, label=LOOK)
            assert "press Start" in (await said(telegram, BOARD, shown=3))["text"]

            await telegram.order("member", chat=TEAM, user=ANN, status="left")
            await telegram.settled()
            await telegram.say(QUESTION)
            assert FACT not in (await said(telegram, ANN, shown=3))["text"]
            assert FACT not in str(await telegram.shown(BOARD))
