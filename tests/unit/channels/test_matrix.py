"""The Matrix channel against a real homeserver, with an intake that keeps what comes in."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fakes.homeserver import APPSERVICE_TOKEN, APPSERVICE_USER, Account, Fault, Homeserver, Json
from fakes.matrix_person import person
from pydantic import SecretStr

from bot.channels import matrix, matrix_syncing, matrix_timelines
from bot.channels.backoff import Backoff
from bot.channels.channel import Taken
from bot.channels.matrix import Matrix
from bot.channels.matrix_account import Me
from bot.channels.matrix_rooms import Rooms
from bot.channels.matrix_sealing import Unsealed
from bot.channels.matrix_sending import Sending
from bot.channels.matrix_signs import Signs
from bot.channels.matrix_syncing import Syncing
from bot.channels.matrix_wire import RefusedError, unreached
from bot.config import MatrixSettings
from bot.contract.intake import KeptIntake
from bot.errors import RetryLaterError, TooLargeError
from bot.locale import Text
from bot.message import DOWN, UP, Address, Button, Command, Message, Picture, Position, Press, Reply
from bot.passage import Scope
from bot.skill import CommandSpec
from bot.store.blobs import BlobStore

SUM = CommandSpec("sum", Text("Summarise"), aliases=("요약",))


class Intake(KeptIntake):
    """Knows when the channel has begun to read."""

    def __init__(self, blobs: BlobStore) -> None:
        super().__init__(blobs)
        self.begun = asyncio.Event()
        self.moves: list[tuple[Address, Address]] = []
        self.has_moved = asyncio.Event()

    async def moved(self, old: Address, new: Address) -> None:
        self.moves.append((old, new))
        self.has_moved.set()

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
        await ann.until(lambda: ann.receipts[room].get(house.account.user))  # that it was read
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
    monkeypatch.setattr(matrix_syncing, "_SINCE", matrix_syncing._SINCE.replace('"limit": 50', '"limit": 3'))
    monkeypatch.setattr(matrix_timelines, "PAGE", 4)
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


async def test_a_homeserver_that_fails_limits_lies_and_forgets_the_token_loses_and_doubles_nothing(house: House) -> None:
    hostile = [
        {"type": "m.room.message"}, {"event_id": 7}, "no event", {"type": ["m"], "event_id": "$a", "sender": "@eve:evil"},
        _event("$b", {"msgtype": ["m.text"], "body": 7}), _event("$c", {"msgtype": "m.text", "body": None, "m.relates_to": "x"}),
        _event("$d", {"msgtype": "m.image", "body": "x", "url": "mxc://evil/\ud800"}), _event("$e", []),
        _event("$f", {"msgtype": "m.text", "body": "hi \ud800 there", "m.mentions": 7, "info": 1}) | {"origin_server_ts": 10**40},
        _event("$g", {"m.relates_to": {"rel_type": "m.annotation", "event_id": {}, "key": []}}) | {"type": "m.reaction"},
        _event("$h", {"redacts": 5}) | {"type": "m.room.redaction"}, _event("$i", {"membership": 1}) | {"type": "m.room.member", "state_key": 5},
    ]  # fmt: skip

    def lie(sync: Json) -> Json:
        for joined in sync.get("rooms", {}).get("join", {}).values():
            joined["timeline"]["events"][:0] = hostile
        sync.setdefault("rooms", {}).setdefault("join", {})["!none"] = {"timeline": 5, "summary": [], "state": {"events": {}}}
        return sync

    async with house.server.door() as door, person(house.server, "ann") as ann:
        async with house.running(homeserver=door.url) as channel:
            room = await ann.direct(house.account.user)
            await ann.say(room, "hello")
            asked = await house.message(0)
            door.faults += [Fault("GET", "/sync", "lie", times=9, change=lie)]
            await ann.say(room, "still there?")
            assert [(await house.message(number)).text for number in (1, 2)] == ["hi \ufffd there", "still there?"]
            door.faults.clear()
            door.faults += [Fault("GET", "/sync", "500"), Fault("GET", "/sync", "cut"), Fault("GET", "/sync", "limited")]
            await ann.say(room, "and now?")
            assert (await house.message(3)).text == "and now?"
            for kind in ("cut", "done-502", "limited"):
                door.faults.append(Fault("PUT", "/send/m.room.message/", kind))
                with contextlib.suppress(RetryLaterError):
                    await channel.send(Reply(f"yes: {kind}", "en"), asked.address, key=kind)
            with pytest.raises(RetryLaterError, match="asks to wait"):
                await channel.send(Reply("soon", "en"), asked.address, key="soon")
            channel._line.wire._waits._until.clear()  # type: ignore[union-attr]
            for kind in ("cut", "done-502", "limited"):
                await channel.send(Reply(f"yes: {kind}", "en"), asked.address, key=kind)
            await ann.until(lambda: ann.said(room, words="yes: limited"))
            assert [one.text for one in ann.said(room, by=house.account.user)] == ["yes: cut", "yes: done-502", "yes: limited"]
            device = channel._line.me.device  # type: ignore[union-attr]
            await channel._line.wire.call("POST", "/v3/logout", said={})  # type: ignore[union-attr]
            await ann.say(room, "who are you?")
            assert (await house.message(4)).text == "who are you?"
            await door.until(lambda: channel._line)
            assert channel._line.me.device == device  # type: ignore[union-attr]
        assert oct((house.home / "matrix" / "session.json").stat().st_mode & 0o777) == "0o600"
        wrong = house.running(homeserver=door.url, password=SecretStr("wrong"), user=ann.user)
        async with wrong as channel:
            await door.until(lambda: len(door.asked("POST", "/login")) > 3 or None)
            with pytest.raises(RetryLaterError):
                await channel.send(Reply("no", "en"), asked.address, key="no")


async def test_files_both_ways_and_a_room_that_is_upgraded(house: House, tmp_path: Path) -> None:
    async with house.running(download_mb=1) as channel, person(house.server, "ann") as ann, person(house.server, "ben") as ben:
        room = await ann.room(house.account.user, ben.user, public=True)
        await ben.join(room)
        await ann.until(lambda: ann.said(room, by=house.account.user))
        await ann.upload(room, "plan.png", b"picture", "image/png", **{"m.mentions": {"user_ids": [house.account.user]}})
        picture = await house.message(0)
        (file,) = picture.attachments
        assert (file.kind, file.name, file.media_type, file.size_bytes, picture.text) == ("image", "plan.png", "image/png", 7, "")
        await channel.fetch(file, tmp_path / "there")
        assert (tmp_path / "there").read_bytes() == b"picture"
        await ann.upload(room, "large.bin", b"x" * (1 << 20 | 1), "application/zip", body="what is it?", info={})
        large = await house.message(1)
        assert (large.text, large.attachments[0].size_bytes, large.addressed) == ("what is it?", 0, False)
        with pytest.raises(TooLargeError):
            await channel.fetch(large.attachments[0], tmp_path / "large")
        shown = Reply("Here it is.", "en", images=(Picture(house.intake.keep(b"drawn"), "a cat"),), reply_to=picture.id)
        await channel.send(shown, picture.address, key="5")
        (sent,) = await ann.until(
            lambda: [one for one in ann.said(room) if one.content["msgtype"] == "m.image" and one.by != ann.user]
        )
        assert (sent.text, await ann.download(sent.content)) == ("a cat", b"drawn")
        new = (await ann.call("POST", f"/v3/rooms/{room}/upgrade", {"new_version": "11"}))["replacement_room"]
        await asyncio.wait_for(house.intake.has_moved.wait(), 30)
        assert [(old.chat, now.chat) for old, now in house.intake.moves] == [(room, new)]


class Wire:
    """A line to a homeserver that tells one sync after the other."""

    limited = False

    def __init__(self, *told: Json | Exception) -> None:
        self.told, self.asked = list(told), list[tuple[str, str]]()

    async def call(self, _method: str, path: str, *, wait_for: str = "", **_said: object) -> Json:
        self.asked.append((path, wait_for))
        answer = self.told.pop(0) if self.told else unreached()
        if isinstance(answer, Exception):
            raise answer
        return answer


def channel_alone(folder: Path) -> Matrix:
    settings = MatrixSettings(homeserver="https://example.org", token=SecretStr("t"))
    return Matrix(settings, blobs=BlobStore(folder / "blobs"), home=folder, backoff=Backoff(_at_once))


async def test_where_the_homeserver_forgot_how_far_was_read_the_state_of_the_rooms_is_known_anew() -> None:
    joins, talk = {"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "public"}}, _event("$1", {})
    room = {"timeline": {"events": [joins, talk], "limited": True, "prev_batch": "p"}, "state": {"events": []}, "summary": {}}
    state = {"next_batch": "s9", "rooms": {"join": {"!r": room}, "invite": {"!i": {}}}}
    wire = Wire(RefusedError(Text("no"), code="M_UNKNOWN_POS", status=400), state)
    told = await Syncing(wire, Backoff()).since("s1")  # type: ignore[arg-type]
    joined = {"!r": {"timeline": {}, "state": {"events": [joins]}, "summary": {}}}
    assert told == {"next_batch": "s9", "rooms": {"join": joined, "invite": {"!i": {}}}}
    assert wire.asked == [("/v3/sync", "sync")] * 2, "what others make it wait for is apart"


async def test_an_answer_that_is_shown_is_shown_though_nothing_more_can_be_asked(tmp_path: Path) -> None:
    here = Address("matrix", "@paring:x", "@ann:x", "!r")
    wire: Any = Wire()
    rooms = Rooms(Me("@paring:x"), wire)
    signs = Signs(wire, rooms)
    channel = channel_alone(tmp_path)
    sending = signs.sending = Sending(wire, rooms, Unsealed(), BlobStore(tmp_path / "blobs"))
    channel.account, channel._line = "@paring:x", matrix._Line(rooms.me, wire, rooms, signs, sending)

    async def went(*_how: object, **_more: object) -> str:
        rooms.of("!r").changed()  # somebody comes: who is there would be asked again
        return "$1"

    sending.send = went  # type: ignore[method-assign]
    reply = Reply("done", "en", reply_to="$0")
    assert await channel.send_parts(reply, here, key="1", edits="", sent=(), went_out=None) == "$1"
    assert not wire.asked


async def test_a_homeserver_that_cannot_be_found_at_the_start_is_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Any] = [unreached(), "https://example.org"]

    async def found(*_given: object) -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    async def signed_in(wire: Any, *_given: object) -> Me:
        return Me("@paring:x", wire.base_url)

    monkeypatch.setattr(matrix, "found", found)
    monkeypatch.setattr(matrix, "signed_in", signed_in)
    intake = Intake(BlobStore(tmp_path / "blobs"))
    listening = asyncio.get_running_loop().create_future()
    channel = channel_alone(tmp_path)

    async def listen(_intake: object, _wire: object, me: Me) -> None:
        listening.set_result(me.device)
        await asyncio.Event().wait()

    monkeypatch.setattr(channel, "_listen", listen)
    task = asyncio.create_task(channel.run(intake))
    done, _late = await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
    task.cancel()
    assert listening in done
    assert listening.result() == "https://example.org"


def _event(number: str, content: object) -> Json:
    return {"type": "m.room.message", "event_id": number, "sender": "@eve:evil", "origin_server_ts": "7", "content": content}
