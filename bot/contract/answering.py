"""What people get from a whole bot on a platform: answers, in their language, once, in order, whatever comes between."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from bot.contract.bot import HALF, LINES, Bot, InBot
from bot.contract.harness import File, Shown
from bot.contract.intake import LONGEST_S

TALK = (
    "The workshop moved to the third of March because the large hall was taken. Ann wrote to everybody about the new date. "
    "Ben ordered lunch for forty people, and the caterer asked for the number of vegetarians by Friday. "
    "The projector in the small hall is broken, so that a new one has to be rented. The rent is sixty euros a day. "
    "Two speakers have not said yet whether they come. Travel costs are paid until the end of April. "
    "The programme will be printed in two languages, and the printer needs it a week before. "
    "Who wants to help on the day itself tells Ann. The doors open at half past eight."
)
"""A text that is long enough to be made short."""
LUNCH = File(
    "lunch.txt", b"The canteen on the fourth floor serves lunch from twelve to two. Soup is free on Wednesdays.", "text/plain"
)
MANY = 25


class Answering(InBot):
    """See the module."""

    async def test_a_document_is_kept_and_found(self, bot: Bot) -> None:
        """A document that is sent is kept; a question is answered from it, with its source."""
        await bot.ask("", files=[LUNCH])
        found = await bot.ask("When does the canteen serve lunch?")
        assert "twelve to two" in found.text
        assert "lunch.txt" in found.text

    async def test_a_text_is_made_short(self, bot: Bot) -> None:
        """`/sum TEXT` makes a text short, and its button makes it shorter."""
        made = await bot.order("sum", TALK)
        assert 0 < len(made.text) < len(TALK) * 1.2
        assert {"Shorter", "Longer"} <= set(made.buttons)
        await bot.harness.press(made, "Shorter")
        assert len((await bot.answer()).text) < len(made.text)

    async def test_tldr_as_a_reply(self, bot: Bot) -> None:
        """A reply "tl;dr" makes short what it replies to."""
        at = bot.harness.group
        said = await bot.harness.say(TALK, at=at, by="ben") if at else (await bot.order("probe", f"say {TALK}")).id
        made = await bot.ask("tl;dr", at=at, reply_to=said, called=at is not None)
        assert "workshop" in made.text or "March" in made.text or "Ann" in made.text
        assert {"Shorter", "Longer"} & set(made.buttons)

    async def test_the_language_is_the_askers(self, bot: Bot) -> None:
        """Who asks in Korean is answered in Korean, who asks in English in English."""
        assert "안녕" in (await bot.ask("안녕하세요")).text
        assert "Hello" in (await bot.ask("hello")).text

    async def test_the_language_may_be_set(self, bot: Bot) -> None:
        """`/lang ko` holds for the chat, until `/lang auto`."""
        assert "한국어" in (await bot.order("lang", "ko")).text
        try:
            assert "색인" in (await bot.order("index")).text
        finally:
            await bot.order("lang", "auto")
        assert "index" in (await bot.order("index")).text

    async def test_an_unknown_command_is_told_with_the_nearest(self, bot: Bot) -> None:
        """A command that there is not is told, with the nearest that there is."""
        assert re.search(r"Did you mean [/!]search\?", (await bot.order("serach", "x")).text)

    async def test_the_commands_are_offered(self, bot: Bot) -> None:
        """The platform's own menu offers the commands, an admin's to the admin."""
        async with asyncio.timeout(LONGEST_S):
            while not {"search", "sum", "probe", "models"} <= set(await bot.harness.menu()):
                await asyncio.sleep(0.02)

    async def test_a_photo_is_taken(self, bot: Bot) -> None:
        """A photo that comes with a command is given to its skill."""
        photo = File("photo.png", b"\x89PNG\r\n\x1a\n" + bytes(92), "image/png")
        assert "image" in (answered := await bot.ask(bot.harness.order("probe", "files"), files=[photo])).text
        assert "of 100 bytes" in answered.text

    async def test_a_file_that_is_too_large_is_told(self, bot: Bot) -> None:
        """A file that is over the limit is refused with a sentence."""
        large = File("large.txt", b"x" * 1_200_000, "text/plain")
        try:
            await bot.harness.say("", files=[large])
        except ValueError as refused:
            assert "1 MB" in str(refused)
        else:
            await bot.told("1 MB", "1MB")

    async def test_a_long_answer_is_whole(self, bot: Bot) -> None:
        """A long answer comes whole, in its order."""
        await bot.order("probe", "lines")
        async with asyncio.timeout(LONGEST_S):
            while [line for line in await _lines(bot) if line in LINES][-len(LINES) :] != list(LINES):
                await asyncio.sleep(0.02)

    async def test_a_picture_is_given(self, bot: Bot) -> None:
        """An answer with a picture comes with it."""
        await bot.order("probe", "picture")
        async with asyncio.timeout(LONGEST_S):
            while not sum(shown.pictures for shown in await bot.harness.shown()):
                await asyncio.sleep(0.02)

    async def test_it_is_shown_that_it_works(self, bot: Bot) -> None:
        """While it works the bot shows so: it types, or reacts to the message."""
        before = await bot.harness.signs()
        await bot.harness.say(bot.harness.order("probe", "slow"))
        await asyncio.wait_for(bot.probe.begun.wait(), LONGEST_S)
        async with asyncio.timeout(LONGEST_S):
            while await bot.harness.signs() == before:
                await asyncio.sleep(0.02)
        bot.probe.go_on.set()
        await bot.answer()

    async def test_long_work_tells_and_ends_in_one_message(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        """Long work tells how far it is where it was asked, and ends in one clean message in that place."""
        status = await _slow(bot, monkeypatch)
        await bot.told(HALF)
        bot.probe.go_on.set()
        done = await bot.answer()
        assert (done.id, "done at last" in done.text, HALF in done.text) == (status.id, True, False)
        assert await bot.count(HALF) == 0

    async def test_long_work_is_cancelled_by_a_button(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        """Long work is cancelled by its button, and says so in the place of the status."""
        status = await _slow(bot, monkeypatch)
        await bot.harness.press(status, "Cancel")
        while "Stopped, as you asked" not in (stopped := await bot.answer()).text:
            assert "I am stopping it" in stopped.text  # where a note is a message
        assert stopped.id == status.id

    async def test_an_error_is_told_with_its_reference(self, bot: Bot) -> None:
        """What breaks is told with a reference, and nothing of what broke."""
        told = await bot.order("probe", "break")
        (letter, *_older) = await bot.app.dead.last(1)
        assert f"(ref {letter.reference})" in told.text
        assert "secret" not in told.text

    async def test_a_button_answers(self, bot: Bot) -> None:
        """A button answers as if its command had been typed, as often as it is pressed."""
        shown = await bot.order("probe", "buttons")
        for _time in range(2 if not bot.harness.waits_for_answers else 1):
            await bot.harness.press(shown, "Once more")
            assert "pressed it" in (await bot.answer()).text

    async def test_an_expired_button_says_so(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        """A button that has expired says so to who presses it."""
        monkeypatch.setattr("bot.store.outbox.BUTTON_LIFE", timedelta(seconds=-1))
        shown = await bot.order("probe", "buttons")
        await bot.harness.press(shown, "Once more")
        await bot.told("This button has expired.", "이 버튼은 기한이 지났어요")

    async def test_somebody_elses_button_is_refused(self, bot: Bot) -> None:
        """In a group a button is its asker's alone."""
        shown = await bot.ask(bot.harness.order("probe", "buttons"), at=bot.group, called=True)
        await bot.harness.press(shown, "Once more", at=bot.group, by="ben")
        await bot.told("somebody else", "다른 분")  # in Ben's language
        await bot.settle()
        assert await bot.count("pressed it", bot.group) == 0

    async def test_an_edited_question_is_answered_anew(self, bot: Bot) -> None:
        """A question that is edited is answered anew, in the place of its answer."""
        said = await bot.harness.say(bot.harness.order("probe", "say first"))
        first = await bot.answer()
        await bot.harness.rewrite(said, bot.harness.order("probe", "say second"))
        second = await bot.answer()
        assert (second.id, second.text.strip()) == (first.id, "second")

    async def test_a_deleted_question_is_forgotten(self, bot: Bot) -> None:
        """A question that is deleted is forgotten: with its answer, in the database."""
        said = await bot.harness.say(bot.harness.order("probe", "say the violet umbrella"))
        await bot.answer()
        await bot.settle()
        await bot.harness.take_back(said)
        async with asyncio.timeout(LONGEST_S):
            while await _kept(bot, "violet umbrella"):
                await asyncio.sleep(0.02)

    async def test_a_question_deleted_meanwhile_is_not_answered(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        """A question that is deleted while it is worked on is answered no more: the work ends, and the status says so."""
        monkeypatch.setattr("bot.company.STATUS_AFTER_S", 0.02)
        said = await bot.harness.say(bot.harness.order("probe", "slow and the orange parasol"))
        await asyncio.wait_for(bot.probe.begun.wait(), LONGEST_S)
        status = await bot.status()
        await bot.harness.take_back(said)
        stopped = await bot.answer()
        assert (stopped.id, "took your message back" in stopped.text) == (status.id, True)
        await bot.settle()
        assert await bot.count("parasol") == 0
        assert not await _kept(bot, "orange parasol")

    async def test_what_is_told_twice_is_answered_once(self, bot: Bot) -> None:
        """What the platform tells twice is answered once."""
        said = await bot.harness.say(bot.harness.order("probe", "say told twice"))
        await bot.answer()
        await bot.harness.again(said)
        await bot.order("probe", "say after it")
        assert await bot.count("told twice") == 1

    async def test_many_are_answered_in_order(self, bot: Bot) -> None:
        """Many messages at once are answered each once, in their order."""
        for number in range(MANY):
            await bot.harness.say(bot.harness.order("probe", f"say answer {number:02}."))
        answers = [(await bot.answer()).text for _number in range(MANY)]
        assert [answer.partition(".")[0] for answer in answers] == [f"answer {number:02}" for number in range(MANY)]

    async def test_told_to_wait_it_waits(self, bot: Bot) -> None:
        """Where the platform asks to wait, the answer comes after it, once."""
        await bot.harness.trouble("busy")
        await bot.order("probe", "say waited for")
        await bot.settle()
        assert await bot.count("waited for") == 1

    async def test_a_send_that_was_cut_is_sent_once(self, bot: Bot) -> None:
        """A send that was cut before it was carried out is sent again."""
        await bot.harness.trouble("lost")
        await bot.order("probe", "say was cut")
        await bot.settle()
        assert await bot.count("was cut") == 1

    async def test_a_send_in_doubt_is_not_doubled_silently(self, bot: Bot) -> None:
        """A send whose fate is unknown is shown once; where the platform cannot be asked, a second one says so."""
        await bot.harness.trouble("doubt")
        await bot.order("probe", "say in doubt")
        await bot.settle()
        shown = [one.text for one in await bot.harness.shown() if "in doubt" in one.text]
        again = [text for text in shown if "Sent again" in text]
        assert (len(shown), len(again)) in {(1, 0)} | (set() if bot.harness.can_be_asked else {(2, 1)})

    async def test_a_platform_that_was_away_gets_its_answers(self, bot: Bot) -> None:
        """A platform that is away for a while gets its answers when it is back."""
        await bot.harness.trouble("away")
        await bot.order("probe", "say back again")
        assert await bot.count("back again") == 1

    async def test_a_chat_that_is_gone_holds_up_nobody(self, bot: Bot) -> None:
        """An answer to a chat that is gone is set aside for the admin, and holds up nobody else."""
        before = await bot.app.dead.count()
        await bot.harness.say(bot.harness.order("probe", "slow and to nobody"))
        await asyncio.wait_for(bot.probe.begun.wait(), LONGEST_S)
        await bot.harness.trouble("gone")
        bot.probe.go_on.set()
        async with asyncio.timeout(LONGEST_S):
            while await bot.app.dead.count() == before:
                await asyncio.sleep(0.02)
        await bot.harness.calm()
        assert "still here" in (await bot.order("probe", "say still here")).text

    async def test_what_was_taken_in_is_answered_after_a_restart(self, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was taken in and not answered when the bot ended is answered after its start, once."""
        monkeypatch.setattr("bot.host.GRACE_S", 0.05)
        await bot.harness.say(bot.harness.order("probe", "slow through a restart"))
        await asyncio.wait_for(bot.probe.begun.wait(), LONGEST_S)
        await bot.stop()
        await bot.start()
        await asyncio.wait_for(bot.probe.begun.wait(), LONGEST_S)
        bot.probe.go_on.set()
        assert "through a restart" in (await bot.answer()).text
        await bot.settle()
        assert await bot.count("through a restart") == 1


async def _slow(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """Have the bot work for long; return the status that it shows then."""
    monkeypatch.setattr("bot.company.STATUS_AFTER_S", 0.02)
    monkeypatch.setattr("bot.company.TYPING_AFTER_S", 0.01)
    await bot.harness.say(bot.harness.order("probe", "slow"))
    await asyncio.wait_for(bot.probe.begun.wait(), LONGEST_S)
    return await bot.status()


async def _lines(bot: Bot) -> list[str]:
    return [line.strip() for shown in await bot.harness.shown() for line in shown.text.splitlines()]


async def _kept(bot: Bot, words: str) -> bool:
    """Say whether the database holds what was said or answered in Ann's chat."""
    from bot.store.transcript import Talk  # noqa: PLC0415 - what the page shows: all that is kept

    return any(words in entry.said.text for entry in await Talk(bot.app.database).page(bot.here, count=200))
