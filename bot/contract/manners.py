"""How a whole bot behaves among people: it speaks when it is spoken to, obeys whom it may, and knows what was asked before."""

from __future__ import annotations

import re

import pytest

from bot.contract.answering import TALK
from bot.contract.bot import Bot, InBot
from bot.contract.harness import File
from bot.message import Address

PHOTO = File("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(92), "image/png")


class Manners(InBot):
    """See the module."""

    async def test_it_speaks_only_when_spoken_to(self, bot: Bot) -> None:
        """In a group it answers a mention, and nothing else."""
        await bot.harness.say("where is the umbrella stand?", at=bot.group, by="ben")
        assert "here I am" in (await bot.ask(bot.harness.order("probe", "say here I am"), at=bot.group, called=True)).text
        await bot.settle()
        assert await bot.count("umbrella", bot.group) == 0

    async def test_a_mention_with_a_photo_is_answered(self, bot: Bot) -> None:
        """In a group a mention with a photo is answered about the photo."""
        answered = await bot.ask(bot.harness.order("probe", "files"), at=bot.group, files=[PHOTO], called=True)
        assert "image" in answered.text

    async def test_a_mention_alone_is_answered(self, bot: Bot) -> None:
        """In a group a mention without a word is answered with what can be asked."""
        assert re.search("[/!]help", (await bot.ask("", at=bot.group, by="ben", called=True)).text)

    async def test_an_answer_stays_in_its_thread(self, bot: Bot) -> None:
        """What is asked in a thread is answered in it."""
        thread = await bot.harness.thread()
        answered = await bot.ask(bot.harness.order("probe", "say in here"), at=thread, called=True)
        assert answered.thread == thread.thread

    async def test_a_stranger_is_turned_away(self, bot: Bot) -> None:
        """Who may not talk to the bot is answered nothing of it."""
        await bot.harness.say(bot.harness.order("probe", "say to a stranger"), by="stranger")
        await bot.order("probe", "say to Ann")
        await bot.settle()
        assert any("to Ann" in kept for kept in bot.kept())
        assert not any("to a stranger" in kept for kept in bot.kept())

    async def test_an_admins_order_is_refused_to_others(self, bot: Bot) -> None:
        """An admin's order is refused to whoever is none."""
        assert "admin" in (await bot.ask(bot.harness.order("ram"), at=bot.group, by="ben", called=True)).text
        assert "Memory" in (await bot.order("ram")).text

    @pytest.mark.parametrize(
        ("asked", "lines"),
        [("and in three lines?", 3), ("in two sentences please", 2), ("그리고 세 줄로?", 3), ("두 줄로 해줘", 2)],
    )
    async def test_and_in_three_lines(self, bot: Bot, asked: str, lines: int) -> None:
        """Said after a summary, "and in three lines?" knows what was summarised; in Korean too."""
        await bot.order("sum", TALK)
        made = await bot.ask(asked)
        said = [line.strip(" -•·") for line in made.text.splitlines() if line.strip(" -•·")]
        assert sum(line in TALK or any(part in line for part in TALK.split(". ")) for line in said) == lines, made.text

    async def test_and_shorter(self, bot: Bot) -> None:
        """Said after a summary, "shorter please" and "더 짧게" know what was summarised."""
        made = await bot.order("sum", TALK)
        for asked in ("shorter please", "더 짧게"):
            shorter = await bot.ask(asked)
            assert 0 < len(shorter.text) <= len(made.text)
            assert "Longer" in shorter.buttons or "길게" in "".join(shorter.buttons), shorter

    @pytest.mark.parametrize("asked", ["and in Korean?", "그리고 한국어로?"])
    async def test_and_in_korean(self, bot: Bot, asked: str) -> None:
        """Said after an answer, "and in Korean?" and "그리고 한국어로?" know what was asked."""
        await bot.ask("hello")  # a terminal goes on in the language of its last answer
        assert "Nothing leaves it" in (await bot.order("privacy")).text
        assert "밖으로 나가지" in (await bot.ask(asked)).text

    async def test_and_in_english(self, bot: Bot) -> None:
        """Said after an answer, "영어로는?" knows what was asked."""
        assert "밖으로 나가지" in (await bot.order("개인정보")).text
        assert "Nothing leaves it" in (await bot.ask("영어로는?")).text

    async def test_each_thread_is_a_conversation(self, bot: Bot) -> None:
        """Of two threads each knows its own: "and in three lines?" is about what was summarised there."""
        one, other = await bot.harness.thread(), await bot.harness.thread()
        await bot.ask(bot.harness.order("sum", TALK), at=one, called=True)
        await bot.ask(bot.harness.order("sum", _OTHER), at=other, called=True)
        assert "harbour" not in (await self._three_lines(bot, one))
        assert "workshop" not in (await self._three_lines(bot, other))

    async def _three_lines(self, bot: Bot, thread: Address) -> str:
        shown = await bot.ask("and in three lines?", at=thread, called=True)
        assert shown.thread == thread.thread
        assert shown.text.count("\n") >= 2, shown.text
        return shown.text


_OTHER = (
    "The harbour was closed for two days because of the storm. Ships waited outside of the harbour until Thursday. "
    "The pilots of the harbour worked through the night. Three containers were lost at sea and one was found again. "
    "The fish market opened late. The ferry to the island runs again from Friday, and tickets stay valid for a week. "
    "The harbour master thanked all who had helped. The next storm is forecast for the end of the month."
)
