import asyncio
from collections.abc import Mapping

import pytest

from bot.channels.matrix_account import Me
from bot.channels.matrix_rooms import Rooms
from bot.channels.matrix_wire import unreached
from bot.errors import RetryLaterError
from bot.message import Address

ME, ANN, BEN, HERE = "@paring:example.org", "@ann:example.org", "@ben:other.org", "!here"


class Server:
    """Stands for the line: who is in each room, and what was asked."""

    def __init__(self, **rooms: list[str]) -> None:
        self.rooms = {f"!{name}": people for name, people in rooms.items()}
        self.asked: list[str] = []
        self.comes: list[Mapping[str, object]] = []
        """What a sync tells while the members of a room are asked for."""
        self.known: Rooms
        self.direct: object = {}
        self.refusal: Exception | None = None

    async def call(self, method: str, path: str, **said: object) -> Mapping[str, object]:
        self.asked.append(f"{method} {path}")
        await asyncio.sleep(0)  # others have their turn
        if path == "/v3/createRoom":
            self.rooms["!made"] = [ME, str(said["said"]["invite"][0])]  # type: ignore[index]
            return {"room_id": "!made"}
        room = path.split("/")[3].replace("%21", "!")
        if path.endswith("/members"):
            here = [_member(person) for person in self.rooms[room]]
            while self.comes:
                self.rooms[room].append(str(self.comes[0]["state_key"]))
                self.known.note(room, self.comes.pop())
            return {"chunk": here}
        if path.endswith("m.direct"):
            if self.refusal is not None:
                raise self.refusal
            self.direct = said["said"]
        return {}


def rooms(server: Server) -> Rooms:
    known = server.known = Rooms(Me(ME), server)  # type: ignore[arg-type]
    known.told({"rooms": {"join": {room: {} for room in server.rooms}}})
    return known


async def test_a_room_of_two_is_the_direct_chat_of_the_other_whichever_it_is() -> None:
    known = rooms(Server(here=[ME, ANN]))
    at = await known.address(HERE, by=ANN)
    assert at == Address("matrix", ME, ANN, HERE)
    assert await known.place(at) == (HERE, "")
    assert await known.place(await known.address(HERE, "$root")) == (HERE, "$root")


async def test_who_left_a_room_of_three_spoke_in_no_direct_chat_of_the_one_who_stayed() -> None:
    known = rooms(Server(here=[ME, ANN]))
    assert await known.address(HERE, by=BEN) == Address("matrix", ME, HERE, "", "group")


@pytest.mark.parametrize(
    ("rule", "kind"), [("invite", "direct"), ("knock", "direct"), ("public", "group"), ("restricted", "group")]
)
async def test_a_room_into_which_anybody_may_come_is_nobodys_direct_chat(rule: str, kind: str) -> None:
    known = rooms(Server(here=[ME, ANN]))
    known.note(HERE, {"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": rule}})
    assert (await known.address(HERE)).kind == kind


async def test_what_is_for_one_alone_goes_into_no_room_to_which_others_have_come() -> None:
    server = Server(here=[ME, ANN])
    known = rooms(server)
    at = await known.address(HERE, by=ANN)
    server.rooms[HERE].append(BEN)
    known.note(HERE, _member(BEN))
    assert await known.place(at) == ("!made", "")
    assert await known.place(at) == ("!made", "")
    assert server.asked.count("POST /v3/createRoom") == 1


@pytest.mark.parametrize("told", [{"timeline": {"limited": True}}, {"summary": {"m.joined_member_count": 3}}])
async def test_who_came_within_a_gap_of_what_is_told_reads_no_private_answer(told: Mapping[str, object]) -> None:
    server = Server(here=[ME, ANN])
    known = rooms(server)
    at = await known.address(HERE, by=ANN)
    server.rooms[HERE].append(BEN)
    known.told({"rooms": {"join": {HERE: told}}})
    assert await known.place(at) == ("!made", "")


async def test_who_came_while_it_was_asked_who_is_there_reads_no_private_answer() -> None:
    server = Server(here=[ME, ANN])
    known = rooms(server)
    server.comes = [_member(BEN)]
    assert await known.place(known.direct(ANN, HERE)) == ("!made", "")


async def test_what_is_for_one_alone_goes_into_no_room_that_anybody_may_come_into() -> None:
    known = rooms(Server(here=[ME, ANN]))
    at = await known.address(HERE, by=ANN)
    known.note(HERE, {"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": "public"}})
    assert await known.place(at) == ("!made", "")


async def test_a_direct_chat_that_is_wanted_twice_at_once_is_begun_once() -> None:
    server = Server()
    known = rooms(server)
    alone = Address("matrix", ME, ANN)
    assert await asyncio.gather(known.place(alone), known.place(alone)) == [("!made", ""), ("!made", "")]
    assert server.asked.count("POST /v3/createRoom") == 1
    assert known.held_in(alone) == "!made"


async def test_direct_chats_that_are_listed_at_once_are_all_listed_and_one_that_was_not_is_tried_again() -> None:
    server = Server(here=[ME, ANN], there=[ME, BEN])
    known = rooms(server)
    server.refusal = unreached()
    with pytest.raises(RetryLaterError):
        await known.is_direct(HERE, ANN)
    server.refusal = None
    await known.is_direct(HERE, ANN)
    assert server.direct == {ANN: [HERE]}
    await asyncio.gather(known.is_direct("!more", ANN), known.is_direct("!there", BEN))
    assert server.direct == {ANN: ["!more", HERE], BEN: ["!there"]}


async def test_a_room_once_encrypted_stays_so_whatever_it_says() -> None:
    known = rooms(Server(here=[ME, ANN]))
    for content in ({"algorithm": "m.megolm.v1.aes-sha2"}, {}):
        known.note(HERE, {"type": "m.room.encryption", "state_key": "", "content": content})
    assert known.of(HERE).encrypted


def _member(person: str) -> Mapping[str, object]:
    return {"type": "m.room.member", "state_key": person, "content": {"membership": "join", "displayname": person[1:4]}}
