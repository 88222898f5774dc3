"""Encryption in the Matrix channel, against a real homeserver and people whose client is another."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fakes.homeserver import Account, Fault, Homeserver
from fakes.matrix_person import Person, Seen, person
from fakes.matrix_verifier import Verifier
from nio.crypto import OlmDevice

from bot.channels import matrix_crypto_kept
from bot.channels.matrix_account import Me
from bot.channels.matrix_crypto import Crypto
from bot.channels.matrix_crypto_sas import EMOJI
from bot.channels.matrix_crypto_signing import Identity, only_key, signed_by
from bot.channels.matrix_rooms import Rooms
from bot.channels.matrix_sealing import Ways
from bot.channels.matrix_wire import Wire, path
from bot.errors import ChannelError, RetryLaterError
from bot.locale import Language

Json = dict[str, Any]
NUMBERS = itertools.count(1)


@dataclass
class Device:
    """A bot that does nothing but read: its channel, as small as it can be."""

    account: Account
    folder: Path
    url: str
    session: aiohttp.ClientSession
    options: Json = field(default_factory=dict)
    since: str = ""
    read: list[tuple[str, str]] = field(default_factory=list)
    late: list[tuple[str, str]] = field(default_factory=list)
    strangers: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.wire = Wire(self.url, session=self.session)
        self.wire.token = self.account.token
        self.options.setdefault("grace_s", 0)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Be started again, over what is kept."""
        self.crypto = Crypto(self.folder, **self.options)

    async def begin(self) -> None:
        ways = Ways(self._late, self._language, lambda user: user not in self.strangers)
        me = Me(self.account.user, self.account.device)
        self.rooms = Rooms(me, self.wire)
        await self.crypto.begin(me, self.wire, self.rooms, ways)

    async def sync(self, *, keep: bool = True) -> None:
        """Hear what is new; with `keep` False die before it is known that it was heard."""
        query = {"timeout": "50", **({"since": self.since} if self.since else {})}
        said = await self.wire.call("GET", "/v3/sync", query=query)
        self.rooms.told(said)
        await self.crypto.told(said)
        rooms: Any = said.get("rooms", {})
        for room in rooms.get("invite", {}):
            await self.wire.call("POST", path("v3", "join", room), said={})
        for room, joined in rooms.get("join", {}).items():
            for event in joined["timeline"]["events"]:
                if event["type"] == "m.room.encrypted":
                    clear = await self.crypto.opened(room, event)
                    if clear is not None and keep:
                        content: Any = clear["content"]
                        self.read.append((str(clear["sender"]), content.get("body", "")))
        if keep:
            self.since = str(said["next_batch"])

    async def until(self, holds: Any) -> Any:
        async with asyncio.timeout(30):
            while not (found := holds()):
                await self.sync()
        return found

    async def waiting(self) -> list[Any]:
        """Return what waits for its key."""
        return await self.crypto._turn(self.crypto._kept.waiting)

    async def say(self, room: str, text: str, txn: str) -> None:
        kind, content = await self.crypto.sealed(room, "m.room.message", {"msgtype": "m.text", "body": text})
        await self.wire.call("PUT", path("v3", "rooms", room, "send", kind, txn), said=content)

    async def _late(self, _room: str, event: Mapping[str, object]) -> None:
        content: Any = event["content"]
        self.late.append((str(event["sender"]), content["body"]))

    async def _language(self, _room: str) -> Language:
        return "en"


@asynccontextmanager
async def device(
    server: Homeserver, folder: Path, *, account: Account | None = None, url: str = "", **options: Any
) -> AsyncIterator[Device]:
    async with aiohttp.ClientSession() as session:
        made = Device(account or await server.register("paring"), folder, url or server.url, session, options)
        await made.begin()
        try:
            yield made
        finally:
            await made.crypto.close()


@asynccontextmanager
async def talking(server: Homeserver, folder: Path, **options: Any) -> AsyncIterator[tuple[Device, Person, str]]:
    """A bot and Ann in an encrypted direct chat."""
    async with device(server, folder, **options) as bot, person(server, "ann", encrypted=True) as ann:
        room = await ann.direct(bot.account.user, encrypted=True)
        await bot.sync()
        await ann.until(lambda: len(ann.client.rooms[room].users) == 2)
        yield bot, ann, room


async def test_people_and_the_bot_read_each_other_in_an_encrypted_room(homeserver: Homeserver, tmp_path: Path) -> None:
    async with talking(homeserver, tmp_path) as (bot, ann, room):
        await ann.say(room, "a secret")
        await bot.until(lambda: bot.read)
        assert bot.read == [(ann.user, "a secret")]
        await bot.say(room, "비밀이에요", "t1")
        seen = await ann.until(lambda: ann.said(room, by=bot.account.user))
        assert [(one.text, one.encrypted) for one in seen] == [("비밀이에요", True)]


async def test_a_bot_that_dies_before_it_keeps_how_far_it_heard_reads_the_message_after_all(
    homeserver: Homeserver, tmp_path: Path
) -> None:
    async with talking(homeserver, tmp_path) as (bot, ann, room):
        await ann.say(room, "a secret")
        await bot.sync(keep=False)
        await bot.crypto.close()
        bot.begin_anew()
        await bot.begin()
        await ann.say(room, "another")
        await bot.until(lambda: len(bot.read) == 2)
        assert [text for _who, text in bot.read] == ["a secret", "another"]
        await bot.say(room, "still here", "t1")
        assert await ann.until(lambda: ann.said(room, words="still here"))
        assert not await bot.waiting()


async def test_one_time_keys_whose_upload_was_carried_out_and_never_answered_are_good(
    homeserver: Homeserver, tmp_path: Path
) -> None:
    account = await homeserver.register("paring")
    async with homeserver.door() as door:
        door.faults.append(Fault("POST", "keys/upload", "cut"))
        async with device(homeserver, tmp_path, account=account, url=door.url) as bot:
            assert bot.crypto._ours.account.fresh
    async with talking(homeserver, tmp_path, account=account) as (bot, ann, room):
        await ann.say(room, "a secret")
        await bot.until(lambda: bot.read)


async def test_one_time_keys_that_were_taken_are_replaced_and_there_is_one_to_fall_back_on(
    homeserver: Homeserver, tmp_path: Path
) -> None:
    async with device(homeserver, tmp_path) as bot, person(homeserver, "ann") as ann:
        whom = {"one_time_keys": {bot.account.user: {bot.account.device: "signed_curve25519"}}}
        taken = [await ann.call("POST", "/v3/keys/claim", whom) for _time in range(51)]
        keys = [one["one_time_keys"][bot.account.user][bot.account.device] for one in taken]
        assert len({str(one) for one in keys}) == 51
        assert next(iter(keys[-1].values()))["fallback"]
        await bot.sync()
        found = next(iter((await ann.call("POST", "/v3/keys/claim", whom))["one_time_keys"].values()))
        assert "fallback" not in next(iter(found[bot.account.device].values()))


async def test_a_message_without_its_key_is_told_once_and_answered_once_when_the_key_comes(
    homeserver: Homeserver, tmp_path: Path
) -> None:
    async with talking(homeserver, tmp_path) as (bot, ann, room):
        await ann.sync(timeout_ms=0)
        theirs = await withheld(ann, bot, room)
        for text in ("first", "second"):
            await ann.say(room, text)
        told = await said_by(bot, ann, room)
        assert ("its key has not come" in told[0].text, bool(told[0].replies_to)) == (True, True)
        await bot.crypto.close()
        bot.begin_anew()
        await bot.begin()
        await bot.sync()
        asked = await ann.until(lambda: [one for one in ann.to_device if one.source["type"] == "m.room_key_request"])
        assert {one.source["content"]["requesting_device_id"] for one in asked} == {bot.account.device}
        await forward(ann, theirs, room)
        await bot.until(lambda: len(bot.late) == 2)
        await forward(ann, theirs, room)
        await bot.sync()
        assert bot.late == [(ann.user, "first"), (ann.user, "second")]
        assert len(await ann.until(lambda: ann.said(room, by=bot.account.user))) == 1


async def test_an_old_message_that_is_only_quoted_waits_for_no_key(homeserver: Homeserver, tmp_path: Path) -> None:
    async with talking(homeserver, tmp_path) as (bot, ann, room):
        await ann.sync(timeout_ms=0)
        await withheld(ann, bot, room)
        old = await ann.call("GET", f"/v3/rooms/{room}/event/{await ann.say(room, 'old')}")
        assert await bot.crypto.opened(room, old, only_look=True) is None
        assert not await bot.waiting()
        assert await bot.crypto.opened(room, old) is None
        assert len(await bot.waiting()) == 1


def test_of_keys_that_are_withheld_the_newest_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix_crypto_kept, "WITHHELD_AT_MOST", 3)
    kept = matrix_crypto_kept.Kept(tmp_path)
    for number in (0, 1, 2, 3, 1):
        kept.withhold("!room", f"session {number}", "m.unverified" * 100)
    found = [kept.withheld("!room", f"session {number}") for number in range(4)]
    kept.close()
    assert [len(code) for code in found] == [0, 64, 64, 64]


async def test_an_app_that_says_why_it_gives_no_key_is_told_what_helps(homeserver: Homeserver, tmp_path: Path) -> None:
    async with talking(homeserver, tmp_path) as (bot, ann, room):
        await ann.sync(timeout_ms=0)
        await withheld(ann, bot, room)
        await ann.say(room, "first")
        session = ann.client.olm.outbound_group_sessions[room].id
        content = {"room_id": room, "session_id": session, "code": "m.unverified", "algorithm": "m.megolm.v1.aes-sha2"}
        await to_device(ann, bot, "m.room_key.withheld", content)
        assert "only to verified devices" in (await said_by(bot, ann, room))[0].text


async def test_what_strangers_send_to_the_device_breaks_nothing(homeserver: Homeserver, tmp_path: Path) -> None:
    async with talking(homeserver, tmp_path) as (bot, ann, room):
        ours = bot.crypto._ours._olm.account.identity_keys["curve25519"]
        olm = {"algorithm": "m.olm.v1.curve25519-aes-sha2", "sender_key": "A" * 43}
        bodies: list[Any] = [{"type": kind, "body": body} for kind in (0, 1, 7, "x") for body in ("", "x", "A" * 400, "é", 5)]
        contents: list[Json] = [{**olm, "ciphertext": {ours: body}} for body in [*bodies, None, [], "x"]]
        contents += [{"algorithm": "x"}, {**olm, "ciphertext": []}, {**olm, "sender_key": "%", "ciphertext": {ours: bodies[3]}}]
        for content in contents:
            await to_device(ann, bot, "m.room.encrypted", content)
        for kind in ("m.key.verification.start", "m.key.verification.key", "m.key.verification.mac", "m.room_key.withheld", "m.dummy",
                     "m.room_key_request", "m.key.verification.request", "m.secret.request"):  # fmt: skip
            for odd in (
                {"transaction_id": "x", "from_device": []},
                {"transaction_id": [], "key": 1},
                {"room_id": {}, "methods": 5},
                {"transaction_id": "t", "methods": 5},
                {"transaction_id": "t", "from_device": "x", "methods": [[], 5]},
            ):
                await to_device(ann, bot, kind, odd)
        await bot.sync()
        for odd in ([], {"ciphertext": "x"}, {"algorithm": "m.megolm.v1.aes-sha2", "session_id": [], "ciphertext": {}}):
            event = {"type": "m.room.encrypted", "sender": ann.user, "event_id": f"${len(odd)}", "content": odd}
            assert await bot.crypto.opened(room, event) is None
        await ann.say(room, "still here?")
        await bot.until(lambda: bot.read)
        assert not await bot.waiting()


async def test_a_message_is_its_senders_alone_and_said_once(homeserver: Homeserver, tmp_path: Path) -> None:
    async with talking(homeserver, tmp_path) as (bot, ann, room), person(homeserver, "mallory", encrypted=True) as mallory:
        await ann.invite(room, mallory.user)
        await mallory.join(room)
        await ann.until(lambda: len(ann.client.rooms[room].users) == 3)
        sent = await ann.say(room, "pay 5")
        await bot.until(lambda: bot.read)
        event = await mallory.call("GET", f"/v3/rooms/{room}/event/{sent}")
        assert (await bot.crypto.opened(room, event) or {})["content"]["body"] == "pay 5"  # type: ignore[index]
        for lie in ({"event_id": "$again"}, {"sender": mallory.user}, {"sender": bot.account.user}):
            assert await bot.crypto.opened(room, event | lie) is None
        assert await bot.crypto.opened("!other:localhost", event) is None


async def test_a_send_that_is_repeated_stands_once_also_after_a_restart(homeserver: Homeserver, tmp_path: Path) -> None:
    async with homeserver.door() as door, talking(homeserver, tmp_path, url=door.url) as (bot, ann, room):
        door.faults.append(Fault("PUT", "/send/", "done-502"))
        with pytest.raises(RetryLaterError):
            await bot.say(room, "once", "t1")
        await bot.say(room, "once", "t1")
        await bot.crypto.close()
        bot.begin_anew()
        await bot.begin()
        await bot.say(room, "once", "t1")
        await bot.say(room, "last", "t2")
        await ann.until(lambda: ann.said(room, words="last"))
        assert [one.text for one in ann.said(room, by=bot.account.user)] == ["once", "last"]


async def test_files_go_both_ways_and_one_that_was_changed_is_not_opened(homeserver: Homeserver, tmp_path: Path) -> None:
    async with talking(homeserver, tmp_path / "home") as (bot, ann, room):
        hidden, file = await bot.crypto.sealed_file(room, b"a plan")
        assert file is not None
        address = await bot.wire.upload(hidden, name="x", media_type="application/octet-stream")
        kind, content = await bot.crypto.sealed(
            room, "m.room.message", {"msgtype": "m.file", "body": "x", "file": {**file, "url": address}}
        )
        await bot.wire.call("PUT", path("v3", "rooms", room, "send", kind, "t1"), said=content)
        seen = await ann.until(lambda: ann.said(room, by=bot.account.user))
        assert await ann.download(seen[0].content) == b"a plan"

        sent = await ann.upload(room, "b.txt", b"another", "text/plain")
        await bot.until(lambda: bot.read)
        event = await bot.crypto.opened(room, await ann.call("GET", f"/v3/rooms/{room}/event/{sent}"))
        given: Any = (event or {})["content"]
        await bot.wire.download(given["file"]["url"], tmp_path / "b", limit_bytes=1000)
        taken = (tmp_path / "b").read_bytes()
        await bot.crypto.opened_file(tmp_path / "b", given["file"])
        assert (tmp_path / "b").read_bytes() == b"another"
        (tmp_path / "c").write_bytes(taken[:-1] + b"!")
        for odd in (given["file"], {**given["file"], "key": 5}, {**given["file"], "iv": "AA"}, {}):
            with pytest.raises(ChannelError):
                await bot.crypto.opened_file(tmp_path / "c", odd)


async def test_who_left_reads_nothing_more_and_a_new_device_reads_what_comes(homeserver: Homeserver, tmp_path: Path) -> None:
    async with talking(homeserver, tmp_path) as (bot, ann, room), person(homeserver, "ben", encrypted=True) as ben:
        await ann.invite(room, ben.user)
        await ben.join(room)
        await bot.sync()
        await bot.say(room, "for three", "t1")
        await ben.until(lambda: ben.said(room, words="for three"))
        known = bot.crypto._ours._outbound[room, False].id
        await ben.leave(room)
        await bot.sync()
        async with person(homeserver, "ann", account=await homeserver.login(ann.account), encrypted=True) as phone:
            await bot.sync()
            await bot.say(room, "for two", "t2")
            assert bot.crypto._ours._outbound[room, False].id != known
            await phone.until(lambda: phone.said(room, words="for two"))
        await ann.until(lambda: ann.said(room, words="for two"))


async def test_a_room_that_was_encrypted_stays_so_whatever_the_homeserver_says(homeserver: Homeserver, tmp_path: Path) -> None:
    async with homeserver.door() as door, talking(homeserver, tmp_path, url=door.url) as (bot, _ann, room):
        await bot.sync()
        await bot.crypto.close()
        bot.begin_anew()
        await bot.begin()
        door.faults.append(Fault("GET", "m.room.encryption", "404", times=9))
        kind, _content = await bot.crypto.sealed(room, "m.room.message", {"body": "x"})
        assert kind == "m.room.encrypted"


async def test_the_bots_device_is_signed_by_an_identity_that_people_can_verify(homeserver: Homeserver, tmp_path: Path) -> None:
    async with device(homeserver, tmp_path) as bot, person(homeserver, "ann") as ann:
        user = bot.account.user
        told = await ann.call("POST", "/v3/keys/query", {"device_keys": {user: []}})
        master = only_key(told["master_keys"][user], user)
        below = only_key(told["self_signing_keys"][user], user)
        assert master
        assert signed_by(told["self_signing_keys"][user], user, master)
        assert signed_by(told["device_keys"][user][bot.account.device], user, below)
        assert (tmp_path / "identity.json").stat().st_mode & 0o777 == 0o600
        assert {one.stat().st_mode & 0o077 for one in tmp_path.rglob("*") if one.is_file()} == {0}


async def test_a_home_without_its_devices_keys_says_so_and_writes_nothing_there(homeserver: Homeserver, tmp_path: Path) -> None:
    async with talking(homeserver, tmp_path / "home") as (bot, ann, room):
        await ann.say(room, "a secret")
        async with device(homeserver, tmp_path / "restored", account=bot.account) as other:
            with pytest.raises(ChannelError, match="keys that this home does not hold"):
                await other.say(room, "x", "t1")
        await bot.until(lambda: bot.read)


@pytest.mark.parametrize("in_room", [True, False])
async def test_a_person_compares_emoji_and_is_known_from_then_on(
    homeserver: Homeserver, tmp_path: Path, *, in_room: bool
) -> None:
    async with talking(homeserver, tmp_path, trust="verified") as (bot, ann, room):
        await ann.say(room, "before")
        assert "only what comes from devices that are verified" in (await said_by(bot, ann, room))[0].text
        flow = await verification(bot, ann, room, in_room=in_room)
        shown = await said_by(bot, ann, room, words="!verify yes")
        emoji = flow.emoji(bot.account.user, bot.account.device)
        assert all(EMOJI[number][0] in shown[0].text for number in emoji)
        assert not bot.late
        await answer(bot, ann, room, flow, "mac", flow.mac(bot.account.user, bot.account.device), in_room=in_room)
        await bot.sync()
        assert not bot.late
        await ann.say(room, "!verify yes")
        await bot.until(lambda: bot.late)
        assert bot.late == [(ann.user, "before")]
        mac = await heard(bot, ann, room, "m.key.verification.mac", in_room=in_room)
        keys = {bot.account.device: bot.crypto._ours.account.fingerprint}
        master = bot.crypto._keys._identity.public("master") if bot.crypto._keys._identity else ""
        assert flow.checks(mac, bot.account.user, bot.account.device, {**keys, master: master})
        await ann.say(room, "after")
        await bot.until(lambda: bot.read)
        assert bot.read == [(ann.user, "after")]


def _is_of_verification(event: Json) -> bool:
    return "m.key.verification" in f"{event['type']} {event['content'].get('msgtype')}"


@pytest.mark.parametrize("how", ["no", "wrong word", "stranger"])
async def test_a_verification_that_does_not_fit_verifies_nobody(homeserver: Homeserver, tmp_path: Path, how: str) -> None:
    async with talking(homeserver, tmp_path, trust="verified") as (bot, ann, room):
        if how == "stranger":
            bot.strangers.add(ann.user)
            await request(bot, ann, room, in_room=True)
            await bot.sync()
            await ann.sync(timeout_ms=0)
            of_verification = [one["sender"] for one in ann.raw(room) if _is_of_verification(one)]
            assert of_verification == [ann.user]
            return
        flow = await verification(bot, ann, room, in_room=True)
        said = flow.mac(bot.account.user, bot.account.device)
        if how == "wrong word":
            said["mac"] = dict.fromkeys(said["mac"], "AAAA")
        await answer(bot, ann, room, flow, "mac", said, in_room=True)
        await ann.say(room, "!verify no" if how == "no" else "!verify yes")
        cancelled = await heard(bot, ann, room, "m.key.verification.cancel", in_room=True)
        assert cancelled["code"] == ("m.mismatched_sas" if how == "no" else "m.key_mismatch")
        await ann.say(room, "after")
        await bot.sync()
        assert not bot.read


async def test_only_devices_that_their_owner_has_signed_are_read_where_that_is_asked_and_a_changed_owner_is_not_believed(
    homeserver: Homeserver, tmp_path: Path
) -> None:
    async with talking(homeserver, tmp_path / "home", trust="owner") as (bot, ann, room):
        await ann.say(room, "unsigned")
        assert "only what comes from devices that are verified" in (await said_by(bot, ann, room))[0].text
        await owned(ann, Identity.make(tmp_path))
        await bot.until(lambda: bot.late)
        assert bot.late == [(ann.user, "unsigned")]
        await owned(ann, Identity.make(tmp_path))
        await bot.sync()
        await ann.say(room, "another owner")
        await bot.sync()
        await bot.sync()
        assert not bot.read
        assert [why for _room, _event, why in await bot.waiting()] == ["untrusted"]


# What people's apps do.


async def withheld(ann: Person, bot: Device, room: str) -> OlmDevice:
    """Have Ann's app know the bot's device and give it no keys."""
    await ann.until(lambda: bot.account.device in ann.client.device_store[bot.account.user])
    theirs = ann.client.device_store[bot.account.user][bot.account.device]
    ann.client.blacklist_device(theirs)
    del room
    return theirs


async def forward(ann: Person, theirs: OlmDevice, room: str) -> None:
    """Have Ann's app give the bot the key of what she has said."""
    olm = ann.client.olm
    if olm.session_store.get(theirs.curve25519) is None:
        await ann.client.keys_claim({theirs.user_id: [theirs.id]})
    session = olm.inbound_group_store.get(room, olm.account.identity_keys["curve25519"], olm.outbound_group_sessions[room].id)
    message = olm._encrypt_forwarding_key(room, session, olm.session_store.get(theirs.curve25519), theirs)
    await ann.call("PUT", f"/v3/sendToDevice/{message.type}/f{len(ann.to_device)}{id(message)}", message.as_dict())


async def owned(ann: Person, identity: Identity) -> None:
    """Have Ann take an identity, and sign her device by it."""
    olm = ann.client.olm
    body = identity.uploaded_keys(ann.user, ann.account.device, olm.sign_json(identity.key("master", ann.user)))
    who = {"type": "m.id.user", "user": ann.user}
    auth = {"type": "m.login.password", "identifier": who, "password": ann.account.password}
    await ann.call("POST", "/v3/keys/device_signing/upload", {**body, "auth": auth})
    told = await ann.call("POST", "/v3/keys/query", {"device_keys": {ann.user: []}})
    signed = identity.signed("self_signing", told["device_keys"][ann.user][ann.account.device], ann.user)
    await ann.call("POST", "/v3/keys/signatures/upload", {ann.user: {ann.account.device: signed}})


async def to_device(ann: Person, bot: Device, kind: str, content: Json) -> None:
    body = {"messages": {bot.account.user: {bot.account.device: content}}}
    await ann.call("PUT", f"/v3/sendToDevice/{kind}/{next(NUMBERS)}", body)


async def request(bot: Device, ann: Person, room: str, *, in_room: bool) -> str:
    said = {"from_device": ann.account.device, "methods": ["m.sas.v1", "m.qr_code.show.v1"]}
    if not in_room:
        await to_device(
            ann, bot, "m.key.verification.request", {**said, "transaction_id": "flow", "timestamp": int(time.time() * 1000)}
        )
        return "flow"
    content = {"msgtype": "m.key.verification.request", "body": "Ann wants to verify", "to": bot.account.user, **said}
    return await ann.send(room, "m.room.message", content)


async def answer(bot: Device, ann: Person, room: str, flow: Verifier, kind: str, content: Json, *, in_room: bool) -> None:
    if in_room:
        relates = {"m.relates_to": {"rel_type": "m.reference", "event_id": flow.flow}}
        await ann.send(room, f"m.key.verification.{kind}", {**content, **relates})
    else:
        await to_device(ann, bot, f"m.key.verification.{kind}", {**content, "transaction_id": flow.flow})


async def heard(bot: Device, ann: Person, room: str, kind: str, *, in_room: bool) -> Json:
    """Return what the bot said, once it has."""

    def found() -> Json | None:
        if in_room:
            return next(
                (one["content"] for one in ann.raw(room) if (one["type"], one["sender"]) == (kind, bot.account.user)), None
            )
        return next((one.source["content"] for one in ann.to_device if one.source["type"] == kind), None)

    async with asyncio.timeout(20):
        while (said := found()) is None:
            await bot.sync()
            await ann.sync(timeout_ms=0)
    return said


async def verification(bot: Device, ann: Person, room: str, *, in_room: bool) -> Verifier:
    """Have Ann's app ask, begin and tell its key; the bot has shown its emoji then."""
    flow_id = await request(bot, ann, room, in_room=in_room)
    ready = await heard(bot, ann, room, "m.key.verification.ready", in_room=in_room)
    assert ready["methods"] == ["m.sas.v1"]
    key = ann.client.olm.account.identity_keys["ed25519"]
    flow = Verifier(ann.user, ann.account.device, key, flow_id)
    relation = {"m.relates_to": {"rel_type": "m.reference", "event_id": flow_id}} if in_room else {"transaction_id": flow_id}
    await answer(bot, ann, room, flow, "start", flow.start(**relation), in_room=in_room)
    key_said = flow.accept(await heard(bot, ann, room, "m.key.verification.accept", in_room=in_room))
    await answer(bot, ann, room, flow, "key", key_said, in_room=in_room)
    flow.take_key(await heard(bot, ann, room, "m.key.verification.key", in_room=in_room))
    await said_by(bot, ann, room, words="!verify yes")
    return flow


async def said_by(bot: Device, ann: Person, room: str, *, words: str = "") -> list[Seen]:
    """Return what the bot has said in the room, once it has."""
    async with asyncio.timeout(20):
        while not (said := ann.said(room, by=bot.account.user, words=words)):
            await bot.sync()
            await ann.sync(timeout_ms=0)
    return said
