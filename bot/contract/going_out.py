"""What a channel makes of an answer: as people see it there, nothing lost of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.contract.hostile_texts import HOSTILE
from bot.contract.stage import OnStage, Stage
from bot.errors import ChannelError, ParingError
from bot.locale import Text
from bot.message import Address, Attachment, Button, Command, Picture, Reply, Source
from bot.passage import Scope
from bot.skill import CommandSpec

PASSAGE = Source("plan.md · page 2", "Before. We move on 3 March. After.", "https://intranet.example/plan#page=2", 0.91, (8, 28))
BUTTONS = tuple(Button(f"Button {number}", Command("search", str(number)), token=f"t0ken{number}") for number in range(4))
LINES = 400
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


class GoingOut(OnStage):
    """See the module."""

    @pytest.mark.parametrize(
        "text",
        ["plain", "**bold** *slanted* `code` [link](https://example.org)\n\n- one\n- two\n\n> quoted\n\n```py\nx = 1\n```",
         "긴 글 🐈 " * 3000, "unbalanced **bold `code [link](", "a\ud800b\0c\u202ed"],
        ids=["plain", "formatted", "long", "unbalanced", "dirty"],
    )  # fmt: skip
    async def test_a_reply_goes_out(self, stage: Stage, text: str) -> None:
        """A reply goes out, whatever its text, and gets an id."""
        assert await stage.sent(Reply(text, "en", buttons=BUTTONS, sources=(PASSAGE,) * 2))

    async def test_hostile_texts_go_out(self, stage: Stage) -> None:
        """Hostile texts, titles and links go out like any other, and no link in them runs anything."""
        for text in HOSTILE:
            for shown in await stage.showing(Reply(text, "en", sources=(Source(text, text, text, 0.5),))):
                assert not any(
                    link.lower().lstrip("\x01\t ").startswith(("javascript:", "data:", "vbscript:")) for link in shown.links
                )

    async def test_markup_is_shown_as_meant(self, stage: Stage) -> None:
        """Bold, lists and quotes are shown without their signs; signs that mean nothing stand as they are."""
        (shown,) = await stage.showing(Reply("**bold** and 3 * 4 * 5\n\n- one\n- two\n\n> quoted", "en"))
        assert "**" not in shown.text
        assert "3 * 4 * 5" in shown.text
        assert all(word in shown.text for word in ("bold", "one", "two", "quoted"))

    async def test_every_script_goes_out_whole(self, stage: Stage) -> None:
        """Joined emoji, accents, Hangul and what is written from right to left go out as they are."""
        said = "안녕 🐈‍⬛ café 日本 שלום עולם e\u0301 👩🏽‍🚀 <b> & ;"
        (shown,) = await stage.showing(Reply(said, "ko"))
        assert said in shown.text

    async def test_a_long_text_loses_nothing(self, stage: Stage) -> None:
        """A long text loses no line, keeps their order, and is cut between lines."""
        lines = [f"{number:03} 어디에 있는지 where it is 🐈" for number in range(LINES)]
        parts = await stage.showing(Reply("\n".join(lines), "en"))
        shown = [line.strip() for part in parts for line in part.text.splitlines() if line.strip()]
        assert [line for line in shown if line in lines] == lines

    async def test_code_stays_code(self, stage: Stage) -> None:
        """A long block of code stays one in each part, and loses no line."""
        lines = [f"    call({number:03})  # 주석" for number in range(LINES)]
        parts = await stage.showing(Reply("Look:\n\n```py\n" + "\n".join(lines) + "\n```\n\nDone.", "en"))
        coded = [line.rstrip().lstrip() for part in parts for code in part.coded for line in code.splitlines()]
        assert [line for line in coded if line.startswith("call(")] == [line.strip() for line in lines]

    async def test_a_link_opens(self, stage: Stage) -> None:
        """A link opens what it names."""
        (shown,) = await stage.showing(Reply("see [the plan](https://example.org/plan?a=1&b=2)", "en"))
        assert "https://example.org/plan?a=1&b=2" in shown.links

    async def test_sources_are_shown_and_open(self, stage: Stage) -> None:
        """Sources are shown: title, passage, and a link that opens."""
        parts = await stage.showing(Reply("We move on 3 March.", "en", sources=(PASSAGE,)))
        text = "\n".join(part.text for part in parts)
        assert "plan.md · page 2" in text
        assert "We move on 3 March" in text
        assert any(PASSAGE.link in part.links for part in parts)

    async def test_buttons_are_shown(self, stage: Stage) -> None:
        """Buttons are shown with their words, under the end of the answer."""
        *_rest, last = await stage.showing(Reply("Which one?", "en", buttons=BUTTONS))
        assert last.buttons == tuple(button.label for button in BUTTONS)

    async def test_a_picture_goes_out_with_its_words(self, stage: Stage) -> None:
        """A picture goes out, with words for those who do not see it."""
        parts = await stage.showing(Reply("drawn", "en", images=(Picture(stage.intake.keep(PNG), "a cat"),)))
        assert sum(part.pictures for part in parts) == 1
        assert any("drawn" in part.text for part in parts)

    async def test_a_status_becomes_the_answer(self, stage: Stage) -> None:
        """A status is edited into the answer, and that may be repeated."""
        sent = await stage.sent(Reply("I am working on it …", "en"))
        before = len(await stage.harness.shown())
        for _time in range(2):
            assert await stage.channel.edit(sent, Reply("here it is", "en"), stage.here)
        standing = await stage.harness.shown()
        assert len(standing) == before
        assert ("here it is" in standing[-1].text, "working" in standing[-1].text) == (True, False)

    async def test_typing_never_raises(self, stage: Stage) -> None:
        """Typing is shown, or nothing is; it never breaks anything."""
        await stage.channel.typing(stage.here)
        await stage.channel.typing(Address(stage.here.channel, stage.here.account, "-1"))

    async def test_a_menu_is_taken(self, stage: Stage) -> None:
        """A menu of commands is taken, in both languages."""
        specs = [CommandSpec("sum", Text("Shorten a text"), aliases=("요약",)), CommandSpec("secret", Text("-"), listed=False)]
        await stage.channel.publish_commands(specs, [CommandSpec("models", Text("The models"))])

    async def test_a_file_that_is_gone_is_told(self, stage: Stage, tmp_path: Path) -> None:
        """A file that the platform has no more is told as a sentence."""
        with pytest.raises(ParingError):
            await stage.channel.fetch(Attachment("document", "a.txt", "text/plain", 3, ref="none", blob="0" * 64), tmp_path / "a")

    async def test_a_chat_that_is_gone_is_told(self, stage: Stage) -> None:
        """A chat that is gone is told as an error of the channel, or shown to nobody."""
        before = await stage.harness.shown()
        try:
            await stage.sent(Reply("hello", "en"), to=Address(stage.here.channel, stage.here.account, "999999"))
        except ChannelError as error:
            assert error.sentence("ko")
        assert await stage.harness.shown() == before

    async def test_who_is_not_known_is_in_no_group(self, stage: Stage) -> None:
        """Who is not known to be in a group or a workspace is not in it."""
        here = stage.here
        strange = Scope("group", f"{here.channel}/{here.account}/-404")
        assert not await stage.channel.member("4711", strange)
        assert not await stage.channel.member("", strange)
        assert not await stage.channel.member("4711", Scope("workspace", f"{here.channel}/{here.account}"))
        assert await stage.channel.workspace("-404") is None

    async def test_it_says_who_and_how_large_it_is(self, stage: Stage) -> None:
        """It says which account it is, and what it can carry."""
        channel = stage.channel
        assert (channel.name, channel.account) == (stage.here.channel, stage.here.account)
        assert channel.limits.text_units > 0
        assert channel.limits.download_bytes > 0
