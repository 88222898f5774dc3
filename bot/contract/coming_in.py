"""What a channel makes of what people do: messages, commands, files, calls in groups, edits, presses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bot.contract.harness import File
from bot.contract.stage import OnStage, Stage
from bot.message import Button, Command, Message, Reply

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
PHOTO = File("photo.png", PNG, "image/png")
NOTES = File("notes.txt", "첫 줄\nsecond line".encode(), "text/plain")
MANY = 12


class ComingIn(OnStage):
    """See the module."""

    async def test_a_text_comes_in(self, stage: Stage) -> None:
        """What a person says becomes a message: text, language, place, writer, moment."""
        message = await stage.heard("어디 있어?")
        assert (message.text, message.language, message.address) == ("어디 있어?", "ko", stage.here)
        assert message.addressed
        assert message.sender
        assert message.id
        assert message.sent_at.utcoffset() == timedelta(0)

    async def test_a_command_comes_in(self, stage: Stage) -> None:
        """`/sum 50 lines` is a command, in whatever case, and its Korean name too."""
        assert (await stage.heard(stage.harness.order("SUM", "50 lines"))).command == Command("sum", "50 lines")
        await stage.settle()
        assert (await stage.heard(stage.harness.order("요약", "50"))).command == Command("요약", "50")

    async def test_a_slash_within_a_text_is_none(self, stage: Stage) -> None:
        """A slash within a text, or a path, is no command."""
        assert (await stage.heard("either/or, and /etc/hosts")).command is None

    async def test_every_script_comes_in_whole(self, stage: Stage) -> None:
        """Joined emoji, accents, Hangul, markup and entities come in as they were typed."""
        said = "안녕 🐈‍⬛ café 日本 <b>not bold</b> *not bold* \\ & ; שלום עולם e\u0301 👩🏽‍🚀"
        assert (await stage.heard(said)).text == said

    async def test_many_lines_come_in_as_they_stand(self, stage: Stage) -> None:
        """A text of many lines comes in with its lines."""
        said = "first\n\nsecond\n  indented\nthird"
        assert (await stage.heard(said)).text == said

    async def test_what_is_said_quickly_comes_in_order(self, stage: Stage) -> None:
        """Messages that come quickly one after the other come in in their order, each once."""
        before = len(stage.intake.items)
        for number in range(MANY):
            await stage.said(f"number {number}")
        await stage.intake.next(before + MANY - 1)
        assert [item.text for item in stage.intake.items[before:] if isinstance(item, Message)] == [
            f"number {number}" for number in range(MANY)
        ]

    async def test_what_is_told_twice_comes_in_once(self, stage: Stage) -> None:
        """What the platform tells twice comes in once."""
        before = len(stage.intake.items)
        message = await stage.said("once, please")
        await stage.intake.next(before)
        await stage.harness.again(message)
        await stage.heard("and this after it")
        assert len(stage.intake.items) == before + 2

    async def test_a_photo_comes_in(self, stage: Stage, tmp_path: Path) -> None:
        """A photo comes in with its words, and its bytes can be had."""
        message = await stage.heard("what is this?", files=[PHOTO])
        assert (message.text, [file.kind for file in message.attachments]) == ("what is this?", ["image"])
        assert await stage.file_of(message, tmp_path / "photo") == PNG

    async def test_a_photo_alone_comes_in(self, stage: Stage) -> None:
        """A photo without a word comes in."""
        message = await stage.heard("", files=[PHOTO])
        assert (message.text, len(message.attachments)) == ("", 1)

    async def test_a_file_comes_in(self, stage: Stage, tmp_path: Path) -> None:
        """A document comes in with its name and type, and its bytes can be had."""
        message = await stage.heard("", files=[NOTES])
        (file,) = message.attachments
        assert (file.kind, file.name, file.media_type) == ("document", "notes.txt", "text/plain")
        assert await stage.file_of(message, tmp_path / "notes") == NOTES.data

    async def test_a_hostile_name_is_made_harmless(self, stage: Stage) -> None:
        """A file's name leads out of no folder, and turns no writing around."""
        message = await stage.heard("", files=[File("..\u202e-evil-회의록.txt", b"x", "text/plain")])
        name = message.attachments[0].name
        assert "\u202e" not in name
        assert name.endswith("-evil-회의록.txt")
        assert not name.startswith(("/", "../"))

    async def test_several_files_come_in(self, stage: Stage) -> None:
        """Files that are sent together come in, all of them."""
        message = await stage.heard("both", files=[NOTES, replace(NOTES, name="more.txt", data=b"more")])
        assert [file.name for file in message.attachments] == ["notes.txt", "more.txt"]

    async def test_a_quote_is_taken_along(self, stage: Stage, tmp_path: Path) -> None:
        """What a person replies to comes along: "tl;dr"."""
        at = stage.harness.group
        said = await stage.said("The long talk about the move.", at=at, by="ben" if at else "ann")
        message = await stage.heard("tl;dr", at=at, reply_to=said, called=at is not None)
        assert message.text == "tl;dr"
        quoted = message.reply_to
        assert quoted is not None
        taken = quoted.text or (await stage.file_of(quoted, tmp_path / "thread")).decode()
        assert "The long talk about the move." in taken

    async def test_a_call_in_a_group_is_for_the_bot(self, stage: Stage) -> None:
        """In a group a mention is for the bot, and is no part of what is said."""
        message = await stage.heard("where is the plan?", at=stage.group, by="ben", called=True)
        assert (message.text, message.addressed, message.address.kind) == ("where is the plan?", True, "group")
        assert message.address.chat == stage.group.chat

    async def test_a_command_after_a_call_comes_in(self, stage: Stage) -> None:
        """In a group `@bot /sum 50` is a command."""
        message = await stage.heard(stage.harness.order("sum", "50"), at=stage.group, called=True)
        assert (message.command, message.addressed) == (Command("sum", "50"), True)

    async def test_a_call_with_a_photo_comes_in(self, stage: Stage) -> None:
        """In a group a mention with a photo brings the photo."""
        message = await stage.heard("what is this?", at=stage.group, files=[PHOTO], called=True)
        assert (message.text, message.addressed, len(message.attachments)) == ("what is this?", True, 1)

    async def test_talk_in_a_group_is_not_for_the_bot(self, stage: Stage) -> None:
        """In a group what people say to each other is marked as not for the bot, or not told to it at all."""
        before = len(stage.intake.items)
        await stage.said("shall we have lunch?", at=stage.group, by="ben")
        await stage.heard("this is for you", at=stage.group, called=True)
        talk = [item for item in stage.intake.items[before:] if isinstance(item, Message) and "lunch" in item.text]
        assert not any(message.addressed for message in talk)

    async def test_an_edit_comes_in(self, stage: Stage) -> None:
        """A message that its writer edits comes in again: the same id, a later version."""
        first = await stage.heard("where is teh plan?")
        before = len(stage.intake.items)
        await stage.harness.rewrite(first.id, "where is the plan?")
        second = await stage.intake.next(before)
        assert isinstance(second, Message)
        assert (second.id, second.text) == (first.id, "where is the plan?")
        assert second.version > first.version

    async def test_a_deletion_comes_in(self, stage: Stage) -> None:
        """A message that its writer deletes is told as taken back."""
        said = await stage.heard("my secret")
        await stage.harness.take_back(said.id)
        await stage.heard("and this after it")
        assert (said.address, said.id) in stage.intake.taken_back

    async def test_a_press_comes_in(self, stage: Stage) -> None:
        """A press gives back its button's token, and who presses is told what is noted for them."""
        button = Button("More", Command("search", "--count 5"), token="t0ken")  # noqa: S106 - a button's token is no secret
        *_rest, shown = await stage.showing(Reply("found", "en", buttons=(button,)))
        stage.intake.note = "This button has expired."
        press = await stage.pressed(shown, "More")
        assert (press.token, press.address) == ("t0ken", stage.here)
        assert press.sender == (await stage.heard("it was me")).sender
        await stage.until_told("This button has expired.")
        stage.intake.note = ""

    async def test_a_thread_is_a_place_of_its_own(self, stage: Stage) -> None:
        """What is said in a thread is told with it, and an answer stays in it."""
        message = await stage.heard("what is still open?", at=await stage.harness.thread(), called=True)
        assert message.address.thread
        (shown,) = await stage.showing(Reply("Nothing.", "en", reply_to=message.id), to=message.address)
        assert shown.thread == message.address.thread
