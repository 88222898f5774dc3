"""The homeserver and the people that other tests stand on: seen to be what they say."""

from __future__ import annotations

import pytest
from aiohttp import ClientSession, ServerDisconnectedError
from fakes.homeserver import APPSERVICE_TOKEN, APPSERVICE_USER, Fault, Homeserver
from fakes.matrix_person import person


async def test_two_people_talk_in_clear_and_see_edits_replies_threads_reactions_files_and_what_is_taken_back(
    homeserver: Homeserver,
) -> None:
    async with person(homeserver, "ann") as ann, person(homeserver, "ben") as ben:
        room = await ann.direct(ben.user)
        await ben.join(room)
        first = await ann.say(room, "hello")
        await ann.edit(room, first, "hello Ben")
        await ben.say(room, "hi", reply_to=first)
        await ben.say(room, "in there", thread=first)
        await ben.react(room, first, "👍")
        file = await ann.upload(room, "a.txt", b"bytes", "text/plain")
        gone = await ann.say(room, "oops")
        await ann.redact(room, gone)
        last = await ann.say(room, "done")
        seen = await ben.until(lambda: ben.said(room, words="done") and ben.seen(room))
        assert [one.text for one in seen] == ["hello Ben", "hi", "in there", "a.txt", "done"]
        assert (seen[0].edits, seen[0].reactions) == (1, [(ben.user, "👍")])
        assert (seen[1].replies_to, seen[2].thread) == (first, first)
        assert (seen[3].id, await ben.download(seen[3].content)) == (file, b"bytes")
        assert (seen[4].id, seen[4].encrypted) == (last, False)


async def test_two_people_talk_encrypted_and_who_was_sent_no_key_reads_nothing(homeserver: Homeserver) -> None:
    async with person(homeserver, "ann", encrypted=True) as ann, person(homeserver, "ben", encrypted=True) as ben:
        room = await ann.direct(ben.user, encrypted=True)
        await ben.join(room)
        await ann.until(lambda: len(ann.client.rooms[room].users) == 2)
        first = await ann.say(room, "a secret")
        await ann.edit(room, first, "a better secret")
        await ann.upload(room, "a.txt", b"bytes", "text/plain")
        seen = await ben.until(lambda: ben.said(room, words="a.txt") and ben.seen(room))
        assert [(one.text, one.encrypted) for one in seen] == [("a better secret", True), ("a.txt", True)]
        assert await ben.download(seen[1].content) == b"bytes"
        async with person(homeserver, "ben", account=await homeserver.login(ben.account), encrypted=True) as late:
            unread = await late.until(lambda: late.seen(room))
            assert {one.kind for one in unread} == {"m.room.encrypted"}


async def test_a_door_is_the_same_server_but_for_the_faults_that_are_ordered(homeserver: Homeserver) -> None:
    account = await homeserver.register("ann")
    headers = {"Authorization": f"Bearer {account.token}"}
    who = "/_matrix/client/v3/account/whoami"
    async with homeserver.door() as door, ClientSession(headers=headers) as session:
        kinds = {"limited": 429, "500": 500, "done-502": 502, "twice": 200, "lie": 200}
        door.faults += [Fault("GET", "whoami", kind, change=lambda said: {**said, "user_id": "@liar:x"}) for kind in kinds]
        for status in kinds.values():
            async with session.get(door.url + who) as answer:
                said = (answer.status, await answer.text())
            assert said[0] == status
        assert "@liar:x" in said[1]
        door.faults.append(Fault("POST", "createRoom", "cut"))
        with pytest.raises(ServerDisconnectedError):
            await session.post(f"{door.url}/_matrix/client/v3/createRoom", json={})
        async with session.get(f"{door.url}/_matrix/client/v3/joined_rooms") as answer:
            assert len((await answer.json())["joined_rooms"]) == 1
        assert [call.token for call in door.asked("GET", "whoami")] == [account.token] * len(kinds)


async def test_an_application_service_logs_in_as_a_user_of_its_own(homeserver: Homeserver) -> None:
    headers = {"Authorization": f"Bearer {APPSERVICE_TOKEN}"}
    named = APPSERVICE_USER[1:].partition(":")[0]
    made = {"type": "m.login.application_service", "username": named, "inhibit_login": True}
    said = {"type": "m.login.application_service", "identifier": {"type": "m.id.user", "user": APPSERVICE_USER}}
    async with ClientSession(headers=headers) as session:
        await session.post(f"{homeserver.url}/_matrix/client/v3/register", json=made)  # it may be there already
        async with session.post(f"{homeserver.url}/_matrix/client/v3/login", json=said) as answer:
            assert (await answer.json())["user_id"] == APPSERVICE_USER
