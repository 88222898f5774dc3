"""What is done with what a homeserver tells, where it refuses what is asked of it or more comes than is answered at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.channels.matrix_account import Me
from bot.channels.matrix_doors import MOST_INVITED, Doors
from bot.channels.matrix_rooms import Rooms
from bot.channels.matrix_sealing import Unsealed
from bot.channels.matrix_sending import Sending
from bot.channels.matrix_signs import MOST_UNDER_WAY, Signs
from bot.channels.matrix_taking import Taking
from bot.channels.matrix_wire import RefusedError
from bot.config import MatrixSettings
from bot.contract.intake import KeptIntake
from bot.locale import Text
from bot.message import Address, Message, Reply
from bot.store.blobs import BlobStore

ME, ANN, BEN, HERE, OLD = "@paring:example.org", "@ann:example.org", "@ben:other.org", "!here:example.org", "$old"


class Line:
    """A homeserver that tells of the events in `events`, and of no members where it `refuses`."""

    def __init__(self) -> None:
        self.limited = self.refuses = False
        self.asked: list[str] = []
        self.said: list[Any] = []
        self.events: dict[str, Any] = {}
        self.people = [ME, ANN]

    async def call(self, method: str, path: str, **said: Any) -> Any:
        self.asked.append(f"{method} {path}")
        self.said.append(said.get("said"))
        if path.endswith("/members"):
            if self.refuses:
                raise RefusedError(Text("no"), code="M_FORBIDDEN", status=403)
            return {"chunk": [_member(one) for one in self.people]}
        return self.events.get(path.rpartition("/")[2].replace("%24", "$"), {"event_id": "$sent"})


class Looked(Unsealed):
    """Notes how each event was to be opened."""

    def __init__(self) -> None:
        super().__init__()
        self.how: list[tuple[object, bool]] = []

    async def opened(self, room: str, event: Any, *, only_look: bool = False) -> Any:
        self.how.append((event["event_id"], only_look))
        return None if only_look else await super().opened(room, event)


class Bot:
    def __init__(self, folder: Path) -> None:
        self.line, self.seal = Line(), Looked()
        wire: Any = self.line
        blobs = BlobStore(folder)
        self.intake = KeptIntake(blobs)
        self.rooms = Rooms(Me(ME), wire)
        self.signs = Signs(wire, self.rooms)
        self.sending = self.signs.sending = Sending(wire, self.rooms, self.seal, blobs)
        self.doors = Doors(self.intake, wire, self.rooms, self.signs, MatrixSettings(invite_from="@ann:*"))
        self.taking = Taking(self.intake, wire, self.rooms, self.seal, self.signs, self.doors, commands=tuple)

    async def hear(self, *events: Any) -> list[Message]:
        sync = {"next_batch": "s2", "rooms": {"join": {HERE: {"timeline": {"events": list(events)}}}}}
        self.rooms.told(sync)
        await self.taking.take(sync, "s1")
        return [one for one in self.intake.items if isinstance(one, Message)]


@pytest.fixture
def bot(tmp_path: Path) -> Bot:
    return Bot(tmp_path)


async def test_a_homeserver_that_does_not_say_who_is_left_in_a_room_ends_nothing(bot: Bot) -> None:
    await bot.rooms.address(HERE)
    assert bot.rooms.of(HERE).alone_with == ANN
    bot.line.refuses = True
    (message,) = await bot.hear(_member(BEN), _said("$2", ANN, "hello"))
    assert message.text == "hello"


async def test_an_encrypted_message_that_is_replied_to_is_only_looked_at(bot: Bot) -> None:
    bot.line.events[OLD] = {"type": "m.room.encrypted", "event_id": OLD, "sender": BEN, "content": {}}
    bot.line.people.append(BEN)
    (message,) = await bot.hear(_said("$2", ANN, "is that so?", to=OLD))
    assert bot.seal.how == [(OLD, True)]
    assert not message.addressed


async def test_a_reply_to_an_encrypted_message_of_the_bot_is_for_the_bot(bot: Bot) -> None:
    bot.line.events[OLD] = {"type": "m.room.encrypted", "event_id": OLD, "sender": ME, "content": {}}
    bot.line.people.append(BEN)
    (message,) = await bot.hear(_said("$2", ANN, "is that so?", to=OLD))
    assert message.reply_to is not None
    assert (message.reply_to.by_bot, message.addressed) == (True, True)


async def test_an_edit_of_an_edit_is_nothing(bot: Bot) -> None:
    first = _edit("$2", ANN, "where is the plan?", of=OLD)
    bot.line.events |= {OLD: _said(OLD, ANN, "where is teh plan?"), "$2": first}
    messages = await bot.hear(first, _edit("$3", ANN, "where am I?", of="$2"))
    assert [(one.id, one.text) for one in messages] == [(OLD, "where is the plan?")]


async def test_who_takes_an_edit_back_has_what_it_said_forgotten(bot: Bot) -> None:
    bot.line.events |= {OLD: _said(OLD, ANN, "where is the plan?"), "$2": _said("$2", ANN, "") | {"content": {}}}
    await bot.hear(_edit("$2", ANN, "where is my secret?", of=OLD))
    taken_back = {"type": "m.room.redaction", "event_id": "$4", "sender": ANN, "content": {}, "redacts": "$2"}
    assert len(await bot.hear(taken_back)) == 1
    assert {number for _at, number in bot.intake.taken_back} == {OLD}


async def test_a_flood_of_invitations_leaves_room_for_the_signs(bot: Bot) -> None:
    bot.doors.told({"rooms": {"invite": dict(_invitation(f"!{number}", BEN) for number in range(MOST_UNDER_WAY + 9))}})
    assert len(bot.doors._at_it) == MOST_INVITED
    assert bot.signs.beside(_nothing)
    await bot.signs.finish(within_s=9)
    assert not bot.doors._at_it
    assert not bot.doors._by, "of those that are declined nothing is kept"


async def test_an_invitation_that_was_left_is_followed_when_it_is_told_again(bot: Bot) -> None:
    while bot.signs.beside(_nothing):
        pass
    sync = {"rooms": {"invite": dict([_invitation(HERE, ANN)])}}
    bot.doors.told(sync)
    await bot.signs.finish(within_s=9)
    bot.doors.told(sync)
    await bot.signs.finish(within_s=9)
    assert bot.line.asked == ["POST /v3/rooms/%21here%3Aexample.org/join"]


async def test_an_answer_for_one_alone_takes_the_place_of_its_status(bot: Bot) -> None:
    bot.rooms.told({"rooms": {"join": {HERE: {}}}})
    alone = Address("matrix", ME, ANN)
    status = await bot.sending.send(Reply("working", "en"), alone, "1")
    assert await bot.sending.edit(status, Reply("done", "en"), alone, "2") == status
    assert bot.line.said[-1]["m.relates_to"] == {"rel_type": "m.replace", "event_id": status}


async def _nothing() -> None:
    await asyncio.sleep(0)


def _member(person: str) -> Any:
    return {"type": "m.room.member", "event_id": f"${person}", "sender": person, "state_key": person,
            "content": {"membership": "join"}}  # fmt: skip


def _said(number: str, by: str, text: str, *, to: str = "") -> Any:
    related = {"m.relates_to": {"m.in_reply_to": {"event_id": to}}} if to else {}
    return {"type": "m.room.message", "event_id": number, "sender": by, "content": {"msgtype": "m.text", "body": text, **related}}


def _edit(number: str, by: str, text: str, *, of: str) -> Any:
    event = _said(number, by, f"* {text}")
    new = {"m.new_content": {"msgtype": "m.text", "body": text}, "m.relates_to": {"rel_type": "m.replace", "event_id": of}}
    return {**event, "content": {**event["content"], **new}}


def _invitation(room: str, by: str) -> tuple[str, Any]:
    event = {"type": "m.room.member", "sender": by, "state_key": ME, "content": {"membership": "invite"}}
    return room, {"invite_state": {"events": [event]}}


async def test_who_is_in_a_room_is_asked_anew_once_the_bot_is_put_out_of_it(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    await bot.hear(_said("$2", ANN, "hello"))
    changed: list[Address] = []
    monkeypatch.setattr(bot.intake, "members_changed", lambda group, _person="": changed.append(group))
    await bot.taking.take({"next_batch": "s3", "rooms": {"leave": {HERE: {}, "junk": 5}}}, "s2")
    assert changed == [bot.rooms.group(HERE)]
