"""The Matrix channel against a real homeserver, with an intake that keeps what comes in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes.homeserver import APPSERVICE_TOKEN, APPSERVICE_USER, Account, Homeserver
from fakes.matrix_person import person
from pydantic import SecretStr

from bot.channels import matrix, matrix_taking
from bot.channels.backoff import Backoff
from bot.channels.channel import Taken
from bot.channels.matrix import Matrix
from bot.config import MatrixSettings
from bot.contract.intake import KeptIntake
from bot.locale import Text
from bot.message import DOWN, UP, Button, Command, Message, Position, Press, Reply
from bot.passage import Scope
from bot.skill import CommandSpec
from bot.store.blobs import BlobStore

SUM = CommandSpec("sum", Text("Summarise"), aliases=("요약",))


class Intake(KeptIntake):
    """Knows when the channel has begun to read."""

    def __init__(self, blobs: BlobStore) -> None:
        super().__init__(blobs)
        self.begun = asyncio.Event()

    async def accept_all(self, items: Sequence[Message | Press], *, read_to: Position) -> Sequence[Taken]:
        taken = await super().accept_all(items, read_to=read_to)
        self.begun.set()
        return taken


@dataclass
class House:
    """A bot's home at one homeserver; the channel over it may be started again and again."""

    server: Homeserver
    account: Account
    home: Path
    intake: Intake

    @asynccontextmanager
    async def running(self, **more: object) -> AsyncIterator[Matrix]:
        given = {"homeserver": self.server.url, "user": self.account.user, "password": SecretStr(self.account.password)} | more
        channel = Matrix(MatrixSettings(**given), blobs=self.intake.blobs, home=self.home, backoff=Backoff(_at_once))  # type: ignore[arg-type]
        await channel.publish_commands([SUM], [])
        task = asyncio.create_task(channel.run(self.intake))
        try:
            yield channel
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def message(self, after: int) -> Message:
        item = await self.intake.next(after)
        assert isinstance(item, Message), item
        return item


async def _at_once(_seconds: float) -> None:
    await asyncio.sleep(0.01)


@pytest.fixture
async def house(homeserver: Homeserver, tmp_path: Path) -> House:
    return House(homeserver, await homeserver.register("paring"), tmp_path, Intake(BlobStore(tmp_path / "blobs")))


async def test_a_direct_chat_with_an_answer_its_buttons_and_an_edit(house: House) -> None:
    buttons = (
        Button("More", Command("search", "2"), "token-more"),
        Button("👍", Command(UP), "token-up"),
        Button("👎", Command(DOWN), "token-down"),
        Button("Wrong skill?", Command("as", "sum"), "token-as"),
    )
    async with house.running() as channel, person(house.server, "ann") as ann:
        room = await ann.direct(house.account.user)
        await ann.say(room, "where is the plan?")  # before the bot has come
        asked = await house.message(0)
        assert (asked.text, asked.address.kind, asked.address.chat) == ("where is the plan?", "direct", ann.user)
        assert (asked.sender, asked.sender_name, asked.addressed) == (ann.user, "Ann", True)
        status = await channel.send(Reply("I am working on it …", "en", reply_to=asked.id), asked.address, key="status 1")
        again = await channel.send(Reply("I am working on it …", "en", reply_to=asked.id), asked.address, key="status 1")
        assert again == status
        answer = Reply("**Here** is `it` & <b>more</b>", "en", buttons=buttons, reply_to=asked.id)
        for _try in range(2):
            shown = await channel.send_parts(answer, asked.address, key="1", edits=status, sent=(), went_out=None)
        assert shown == status
        (seen,) = await ann.until(lambda: [one for one in ann.said(room, by=house.account.user) if len(one.reactions) == 2])
        assert seen.text == "Here is it & <b>more</b>\n\n1️⃣ More\n2️⃣ Wrong skill?"
        assert seen.content["formatted_body"].startswith(
            "<strong>Here</strong> is <code>it</code> &amp; &lt;b&gt;more&lt;/b&gt;<br>"
        )
        assert seen.edits == 1
        await ann.react(room, status, "2️⃣")
        await ann.say(room, "!1")
        await ann.react(room, status, "👍🏽")
        presses = [await house.intake.next(number) for number in (1, 2, 3)]
        assert [press.token for press in presses if isinstance(press, Press)] == ["token-as", "token-more", "token-up"]
    async with house.running(), person(house.server, "ann", account=ann.account) as ann:  # the event itself knows its buttons
        await ann.react(room, status, "1️⃣")
        press = await house.intake.next(4)
        assert isinstance(press, Press)
        assert press.token == "token-more"


async def test_a_group_in_which_it_is_spoken_to_edited_taken_back_and_left(house: House) -> None:
    async with house.running() as channel, person(house.server, "ann") as ann, person(house.server, "ben") as ben:
        room = await ann.room(house.account.user, ben.user, name="plans")
        await ben.join(room)
        (greeting,) = await ann.until(lambda: ann.said(room, by=house.account.user))
        assert "!help" in greeting.text
        talk = await ann.say(room, "The plan is in the cellar.")
        await ann.say(room, "!sum 50")
        await ben.say(room, "Paring: is that so?", reply_to=talk, mentions=[house.account.user])
        heard = [await house.message(number) for number in range(3)]
        assert [(one.text, one.addressed) for one in heard] == [
            ("The plan is in the cellar.", False), ("/sum 50", True), ("is that so?", True),
        ]  # fmt: skip
        assert heard[1].command == Command("sum", "50")
        assert heard[2].reply_to is not None
        assert (heard[2].reply_to.text, heard[2].reply_to.by_bot) == ("The plan is in the cellar.", False)
        answer = await channel.send(Reply("It is.", "en", reply_to=heard[2].id), heard[2].address, key="7")
        (seen,) = await ann.until(lambda: ann.said(room, words="It is."))
        assert (seen.replies_to, seen.content["m.mentions"]) == (heard[2].id, {"user_ids": [ben.user]})
        await ann.say(room, "and in Korean?", reply_to=answer)
        assert (await house.message(3)).addressed
        await ann.edit(room, talk, "@paring the plan is in the attic")
        edited = await house.message(4)
        assert (edited.id, edited.text, edited.version > 0, edited.addressed) == (
            talk,
            "the plan is in the attic",
            True,
            True,
        )
        await ann.redact(room, talk)
        await ann.say(room, "that is all", thread=heard[1].id, mentions=[house.account.user])
        last = await house.message(5)
        assert (last.address.thread, last.address.kind) == (heard[1].id, "group")
        assert (last.address.__class__("matrix", house.account.user, room, "", "group"), talk) in house.intake.taken_back
        scope = Scope.of(last.address)
        assert await channel.member(ben.user, scope) is True
        await ben.leave(room)
        assert await channel.member(ben.user, scope) is False


async def test_what_is_said_while_it_is_away_is_answered_in_order_and_nothing_from_before_it_knew_of_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrix, "_SINCE", matrix._SINCE.replace('"limit": 50', '"limit": 3'))
    monkeypatch.setattr(matrix_taking, "PAGE", 4)
    async with person(house.server, "ann") as ann:
        room = await ann.direct(house.account.user)
        async with person(house.server, "paring", account=house.account) as itself:
            await itself.join(room)
        await ann.say(room, "from before")
        async with house.running():
            await house.intake.begun.wait()
            await ann.say(room, "first")
            assert (await house.message(0)).text == "first"
        for number in range(12):  # more than a timeline holds
            await ann.say(room, f"meanwhile {number}")
        async with house.running():
            said = [(await house.message(number)).text for number in range(1, 13)]
        assert said == [f"meanwhile {number}" for number in range(12)]
        assert len(house.intake.items) == 13


async def test_who_may_not_invite_is_declined_and_a_token_or_an_appservice_logs_in(house: House) -> None:
    token = {"password": SecretStr(""), "user": "", "token": SecretStr(house.account.token)}
    async with house.running(**token, invite_from="@ann*:localhost"), person(house.server, "ann") as ann:
        async with person(house.server, "eve") as eve:
            room = await eve.direct(house.account.user)
            assert await eve.until(lambda: house.account.user not in eve.client.rooms[room].invited_users)
        await ann.say(await ann.direct(house.account.user), "hello")
        assert (await house.message(0)).address.account == house.account.user
    service = {"password": SecretStr(""), "user": APPSERVICE_USER, "appservice_token": SecretStr(APPSERVICE_TOKEN)}
    async with house.running(**service), person(house.server, "ann") as ann:
        await ann.say(await ann.direct(APPSERVICE_USER), "hello")
        assert (await house.message(1)).address.account == APPSERVICE_USER
