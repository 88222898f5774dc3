"""What was said in a Matrix room before the bot came, and who has power in one, by a homeserver that tells the truth or lies."""

from __future__ import annotations

from typing import Any

import pytest

from bot.channels.matrix_account import Me
from bot.channels.matrix_past import page, power
from bot.channels.matrix_rooms import Rooms
from bot.channels.matrix_wire import RefusedError, unreached
from bot.errors import ChannelError, GoneError
from bot.locale import Text

ROOM, ANN, ME = "!r:example.org", "@ann:example.org", Me("@paring:example.org")


class Line:
    def __init__(self, **told: Any) -> None:
        self.told, self.asked = told, []  # type: ignore[var-annotated]

    async def call(self, _method: str, path: str, **said: Any) -> Any:
        self.asked.append((path, said.get("query")))
        name = next(
            name for name in ("history_visibility", "m.room.member", "power_levels", "room.create", "messages") if name in path
        )
        answer = self.told.get(name.rpartition(".")[2])
        if answer is None:
            raise RefusedError(Text("no"), code="M_NOT_FOUND", status=404)
        if isinstance(answer, Exception):
            raise answer
        return answer


def rooms(line: Line, **more: Any) -> Rooms:
    known = Rooms(ME, line)  # type: ignore[arg-type]
    known.told({"rooms": {"join": {ROOM: {"timeline": {"events": []}}}}})
    for name, value in more.items():
        setattr(known.of(ROOM), name, value)
    return known


def event(
    number: int, text: str = "hello", *, who: str = ANN, content: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    return {"type": "m.room.message", "event_id": f"${number}", "sender": who, "origin_server_ts": 1_700_000_000_000 + number,
            "content": {"msgtype": "m.text", "body": text} if content is None else content, **more}  # fmt: skip


async def test_a_page_tells_what_people_said_as_it_stands_now() -> None:
    newer = {
        "sender": ANN,
        "origin_server_ts": 1_700_000_009_000,
        "content": {"m.new_content": {"msgtype": "m.text", "body": "noon"}},
    }
    forged = {**newer, "sender": "@eve:example.org"}
    chunk = [
        event(6, "* noon", content={"msgtype": "m.text", "body": "* noon", "m.new_content": {"msgtype": "m.text", "body": "noon"},
                                    "m.relates_to": {"rel_type": "m.replace", "event_id": "$2"}}),
        event(5, content={}),
        event(4, "I am a bot", who=ME.user),
        event(3, "in a thread", content={"msgtype": "m.text", "body": "in a thread",
                                         "m.relates_to": {"rel_type": "m.thread", "event_id": "$1"}}),
        event(2, "at nine", unsigned={"m.relations": {"m.replace": newer}}),
        event(1, "at ten", unsigned={"m.relations": {"m.replace": forged}}),
        "nonsense",
    ]  # fmt: skip
    line = Line(messages={"chunk": chunk, "end": "t2"})
    past = await page(line, rooms(line), ROOM, "")  # type: ignore[arg-type]
    assert [(message.text, message.address.thread) for message in past.messages] == [
        ("in a thread", "$1"),
        ("noon", ""),
        ("at ten", ""),
    ]
    assert (past.before, past.messages[1].version > 0) == ("t2", True)
    line.told["messages"] = {"chunk": [], "end": "t2"}
    assert (await page(line, rooms(line), ROOM, "t2")).before == ""  # type: ignore[arg-type]


@pytest.mark.parametrize("visibility", ["joined", "invited", "nonsense"])
async def test_a_room_that_keeps_its_past_from_who_comes_later_is_not_read(visibility: str) -> None:
    line = Line(history_visibility={"history_visibility": visibility}, messages={"chunk": [event(1)]})
    with pytest.raises(ChannelError):
        await page(line, rooms(line), ROOM, "")  # type: ignore[arg-type]


async def test_an_encrypted_room_and_one_where_the_bot_is_not_are_not_read() -> None:
    line = Line(messages={"chunk": [event(1)]})
    with pytest.raises(ChannelError):
        await page(line, rooms(line, encrypted=True), ROOM, "")  # type: ignore[arg-type]
    with pytest.raises(GoneError):
        await page(line, rooms(line), "!other:example.org", "")  # type: ignore[arg-type]
    assert not line.asked


@pytest.mark.parametrize(
    ("person", "told", "may"),
    [
        (ANN, {}, True),
        (ANN, {"power_levels": {"users": {ANN: 50}}}, True),
        (ANN, {"power_levels": {"users": {ANN: 49}}}, False),
        (ANN, {"power_levels": {"users": {}, "users_default": 100}}, False),
        (ANN, {"power_levels": {"users": {ANN: True}}}, False),
        (ANN, {"power_levels": {"users": {ANN: "100"}}}, False),
        (ANN, {"power_levels": None}, False),
        (ANN, {"power_levels": unreached()}, False),
        (ANN, {"power_levels": {}, "create": {"sender": ANN, "content": {"room_version": "12"}}}, True),
        (
            ANN,
            {"power_levels": {}, "create": {"sender": "@b:x", "content": {"room_version": "12", "additional_creators": [ANN]}}},
            True,
        ),
        (ANN, {"power_levels": {}, "create": {"sender": ANN, "content": {"room_version": "11"}}}, False),
        (ANN, {"power_levels": {}, "create": {"sender": ANN, "content": {"room_version": "½"}}}, False),
        (ANN, {"member": {"membership": "leave"}, "create": {"sender": ANN, "content": {"room_version": "12"}}}, False),
        (ANN, {"member": {"membership": "leave"}}, False),
        (ANN, {"member": None}, False),
        ("@ann:evil.org", {"power_levels": {"users": {"@ann:evil.org": 100}}}, False),
    ],
)
async def test_power_makes_an_admin_of_who_is_in_the_room_and_of_this_homeserver(
    person: str, told: dict[str, Any], may: bool
) -> None:
    line = Line(**{"member": {"membership": "join"}, "power_levels": {"users": {ANN: 100}}, "create": {}} | told)
    assert bool(await power(line, ME, ROOM, person)) is may  # type: ignore[arg-type]
