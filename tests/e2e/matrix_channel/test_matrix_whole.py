"""The whole bot as a program, at a real homeserver: in a direct chat and a group, in clear and encrypted, killed and started again."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.homeserver import Fault, Homeserver
from fakes.matrix_person import Person, Seen, person
from fakes.program import bot

LEASE = "The lease of the Mapo office ends on 30 June 2027. Mina Park keeps the keys of the roof."


async def answered(who: Person, room: str, by: str, *words: str, to: str = "") -> Seen:
    """Return the bot's message once it holds the words: what takes long shows a status first."""

    def found() -> Seen | None:
        said = [one for one in who.said(room, by=by) if all(word in one.text for word in words) and to in {"", one.replies_to}]
        return said[-1] if said else None

    try:
        return await who.until(found)
    except TimeoutError:
        raise AssertionError([(one.by, one.kind, one.replies_to, one.text[:80]) for one in who.seen(room)]) from None


@pytest.mark.parametrize("encrypted", [False, True], ids=["clear", "encrypted"])
async def test_a_document_is_asked_about_edits_threads_and_reactions_work_and_a_kill_loses_nothing(
    homeserver: Homeserver, tmp_path: Path, *, encrypted: bool
) -> None:
    account = await homeserver.register("paring")
    us = account.user
    async with (
        homeserver.door() as door,
        person(homeserver, "ann", encrypted=encrypted) as ann,
        person(homeserver, "ben", encrypted=encrypted) as ben,
    ):
        variables = account.variables(door.url)
        async with bot(tmp_path / "home", **variables) as program:
            room = await ann.direct(us, encrypted=encrypted)
            await ann.until(lambda: us in ann.members(room))
            await ann.upload(room, "lease.txt", LEASE.encode(), "text/plain")
            await answered(ann, room, us, "lease.txt")
            asked = await ann.say(room, "When does the lease of the Mapo office end?")
            answer = await answered(ann, room, us, "30 June 2027")
            assert answer.encrypted == encrypted
            await ann.edit(room, asked, "Who keeps the keys of the roof?")
            assert (await answered(ann, room, us, "Mina Park")).id == answer.id

            group = await ann.room(us, ben.user, encrypted=encrypted)
            await ben.join(group)
            await ann.until(lambda: {us, ben.user} <= ann.members(group))
            await ben.until(lambda: us in ben.members(group))
            await ben.say(group, "회의는 세 시에 시작해요")
            called = await ben.say(group, f"{us} /help", mentions=[us])
            said = await answered(ben, group, us, to=called)
            assert said.thread in {"", called}
            assert len(ben.said(group, by=us, words="회의")) == 0

            if not encrypted:  # the kill loops of the fault matrix are in clear
                assert await program.stop() == 0
                return
            door.faults.append(Fault("PUT", "/send/", "hang"))
            await ann.say(room, "/privacy")
            await ann.until(lambda: len(ann.said(room, by=us)) >= 3)
            program.kill()
        await ann.say(room, "/help")
        async with bot(tmp_path / "home", **variables) as program:
            await answered(ann, room, us, "small model")
            await ann.say(room, "When does the lease of the Mapo office end?")
            await ann.until(lambda: len(ann.said(room, by=us, words="30 June 2027")) == 2)
            assert await program.stop() == 0
        assert [one.text[:12] for one in ann.said(room, by=us)] == [
            "I added leas",
            "The lease of",
            "I run on one",
            "I give each ",
            "The lease of",
        ]
        kinds = {event["type"] for event in ann.raw(room) if event["sender"] == us and event["type"] != "m.room.member"}
        assert "m.room.encrypted" not in kinds
