"""Encryption in the Matrix channel: keys come and go, messages are read and hidden, and what cannot be read yet waits for its key.

Keeps `matrix_sealing.Seal`. Owns when the homeserver is asked for what, the one thread on which the ratchets turn, and what people are
told of it. Leaves the ratchets to `matrix_crypto_machine`, what is remembered to `matrix_crypto_kept`, emoji to `matrix_crypto_verifying`.

What is to be lost by no kill: whatever a sync told this device alone is on disk when `told` returns, and the channel keeps the sync's
token after that. A sync that is told again finds its keys there already.

    seal = Crypto(home / "matrix", trust="anyone")
    await seal.begin(me, wire, rooms)
    await seal.told(sync)
    event = await seal.opened(room, event)                          # None: it waits for its key
    kind, content = await seal.sealed(room, "m.room.message", content)
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import uuid4

from bot.channels.matrix_crypto_files import open_file, seal_file
from bot.channels.matrix_crypto_kept import Kept
from bot.channels.matrix_crypto_signing import Identity, only_key
from bot.channels.matrix_crypto_told import unread
from bot.channels.matrix_crypto_verifying import KIND as VERIFICATION
from bot.channels.matrix_crypto_verifying import Verification, Verifying
from bot.channels.matrix_outgoing import plain
from bot.channels.matrix_sealing import Unsealed
from bot.channels.matrix_wire import RefusedError, UnknownTokenError, path
from bot.errors import ChannelError, StoreError
from bot.locale import Text, phrases
from bot.logs import Logger

if TYPE_CHECKING:
    from bot.channels.matrix_account import Me
    from bot.channels.matrix_crypto_machine import Machine, Trust
    from bot.channels.matrix_crypto_sas import Party
    from bot.channels.matrix_rooms import Rooms
    from bot.channels.matrix_sealing import Seal, Ways
    from bot.channels.matrix_wire import Wire
    from bot.config import MatrixSettings

_ = phrases(__file__)
log = Logger(__name__)

Json = dict[str, Any]
Content = Mapping[str, object]
T = TypeVar("T")

LOCKED: Final = "🔒"
"""The reaction to a message of a group that cannot be read."""
GRACE_S: Final = 5.0
"""A key often comes a moment after its message; only then is it told that it has not."""
_WORD: Final = re.compile(r"\s*[!/]verify\s+(?:(yes|y|네|예|응)|(no|n|아니요|아니오|아니))\s*[.!]?\s*", re.IGNORECASE)


def seal(settings: MatrixSettings, home: Path) -> Seal:
    """Return the encryption that the settings ask for."""
    if settings.encryption == "off":
        return Unsealed()
    password = settings.password.get_secret_value()
    return Crypto(home / "matrix", trust=settings.encryption, verification=settings.verification, password=password)


class Crypto:
    """Encryption of one account. Nothing is done before `begin`."""

    def __init__(
        self,
        folder: Path,
        *,
        trust: Trust = "anyone",
        verification: Verification = "ask",
        password: str = "",
        grace_s: float = GRACE_S,
    ) -> None:
        """Keep everything in `folder`, for its owner alone. `password` lets the bot's identity be made where the homeserver asks for it."""
        self._folder, self._trust, self._password, self._grace_s = folder, trust, password, grace_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="matrix-crypto")
        self._lock, self._telling = asyncio.Lock(), asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._people: dict[str, list[str]] = {}
        self._clear: set[str] = set()
        self._encrypted: set[str] = set()
        self._refusal: Text | None = None
        self._identity: Identity | None = None
        self._counted: int | None = None
        self._fallback = False
        self._due, self._introduced = True, False
        self._verifying = Verifying(self, mode=verification)
        self._machine: Machine | None = None

    async def begin(self, me: Me, wire: Wire, rooms: Rooms, ways: Ways) -> None:
        """Open what is kept of this device, or begin it, and tell the homeserver its keys."""
        self._wire, self._rooms, self._ways, self._user, self._device = wire, rooms, ways, me.user, me.device
        if not me.device:
            self._refusal = _(
                "This login has no device, so the bot cannot read encrypted rooms: give it a password or a token of a device."
            )
            return
        if self._machine is None or (self._machine.user, self._machine.device) != (me.user, me.device):
            await self._turn(self._open)
        self._introduced, self._due = False, True
        await self._keep_up()
        for room, event, why in await self._turn(self._kept.waiting):
            self._tell_later(room, event, why)

    async def close(self) -> None:
        """Let go of the files."""
        for task in self._tasks:
            task.cancel()
        if self._machine is not None:
            await self._turn(self._shut)
        self._thread.shutdown(wait=False)

    async def told(self, sync: Content) -> None:
        """Take in what a sync says to this device and of others, on disk when it returns. Never raises for what a stranger sent."""
        if self._machine is None:
            return
        came = 0
        verifications = []
        for event in _list(_dict(sync, "to_device").get("events")):
            if isinstance(event, dict):
                heard = await self._turn(self._ours.heard, event)
                came += event.get("type") == "m.room.encrypted"
                if heard is not None and heard.kind.startswith(VERIFICATION):
                    verifications.append((heard.kind, heard.sender, heard.content, "", ""))
                elif heard is not None and heard.kind == "m.room_key.withheld":
                    await self._turn(self._withheld, heard.content)
        lists = _dict(sync, "device_lists")
        changed = [user for user in _list(lists.get("changed")) if isinstance(user, str)]
        await self._turn(self._ours.devices_changed, changed)
        counts = sync.get("device_one_time_keys_count")
        if isinstance(counts, dict):
            counted = counts.get("signed_curve25519", 0)
            self._counted = counted if isinstance(counted, int) else None
        unused = sync.get("device_unused_fallback_key_types")
        self._fallback = isinstance(unused, list) and "signed_curve25519" not in unused
        verifications += await self._seen_in_rooms(sync)
        await self._keep_up()
        for one in verifications:
            await self._verify(*one)
        if came or changed or self._due:
            await self._try_again()

    async def opened(self, room: str, event: Content, *, only_look: bool = False) -> Content | None:
        """Return the event as it was said; None where it waits for its key, or is of a verification. With `only_look` it waits for nothing."""
        raw = dict(event)
        if self._machine is None or not _is_event(raw) or raw["sender"] == self._user:
            return None
        from bot.channels.matrix_crypto_machine import Unread  # noqa: PLC0415 - where encryption is on

        try:
            return await self._understood(room, raw, only_look=only_look)
        except Unread as why:
            if not only_look:
                await self._put_aside(room, raw, why.why)
        except ChannelError as error:  # whose device it came from could not be asked: nothing else is held up by that
            if only_look:
                return None
            log.info("a message waits for who sent it", reason=str(error))
            await self._turn(self._kept.wait, room, raw, "missing")
            self._due = True
        return None

    async def sealed(self, room: str, kind: str, content: Content, *, everyone: bool = False) -> tuple[str, Content]:
        """Return what is sent instead, where the room is encrypted; everybody who is there now has the key by then.

        With `everyone` devices that are not trusted read it too: how else would they be told, or verified?
        """
        if kind == "m.reaction" or not await self.is_encrypted(room):
            return kind, content
        ours = self._ours
        async with self._lock:
            if not self._introduced:
                await self._introduce()
            if self._refusal is not None:
                raise ChannelError(self._refusal)
            people = await self._members(room)
            await self._know(people)
            await self._claim(await self._turn(ours.missing, people))
            for told, messages in await self._turn(partial(ours.shares, room, people, everyone=everyone)):
                if messages:
                    await self._to_devices("m.room.encrypted", messages)
                await self._turn(partial(ours.shared, room, told, everyone=everyone))
            return "m.room.encrypted", await self._turn(partial(ours.hide, room, kind, dict(content), everyone=everyone))

    async def sealed_file(self, room: str, data: bytes) -> tuple[bytes, Content | None]:
        """Return the bytes to upload, and the event's `file` without its address."""
        if not await self.is_encrypted(room):
            return data, None
        return await asyncio.to_thread(seal_file, data)

    async def opened_file(self, sealed: Path, file: Content) -> None:
        """Replace the bytes of a downloaded file by what they hold."""
        await asyncio.to_thread(open_file, sealed, file)

    async def is_encrypted(self, room: str) -> bool:
        """Say whether a room is encrypted; one that was is never taken for another, whatever the homeserver says."""
        if room in self._encrypted or room in self._clear:
            return room in self._encrypted
        try:
            told = await self._wire.call("GET", path("v3", "rooms", room, "state", "m.room.encryption", ""))
        except RefusedError as error:
            if error.status != 404:  # noqa: PLR2004 - HTTP's own word
                raise
            self._clear.add(room)
            return False
        if isinstance(told.get("algorithm"), str):
            await self._is_encrypted_now(room)
        return room in self._encrypted

    # What a verification asks of the house (`matrix_crypto_verifying.House`).

    async def party(self, user: str, device: str) -> Party | None:
        """Return a device as the homeserver knows it."""
        await self._know([user])
        return await self._turn(self._ours.party, user, device)

    async def own_party(self) -> Party:
        """Return this device."""
        return await self._turn(self._ours.own_party, self._identity.public("master") if self._identity else "")

    async def believe(self, theirs: Party, identity: str) -> None:
        """Know that a device and an identity are a person's own, and sign that where the bot has an identity itself."""
        await self._turn(self._ours.verify, theirs.user, theirs.device)
        if identity:
            await self._turn(self._kept.verify_master, theirs.user, identity)
            await self._sign_other(theirs.user)
        await self._try_again()

    async def send_device(self, kind: str, user: str, device: str, content: Json) -> None:
        """Send to one device."""
        await self._to_devices(kind, {user: {device: content}})

    async def send_room(self, room: str, kind: str, content: Json, txn: str) -> None:
        """Send into a room, encrypted where it is."""
        sealed_kind, sealed = await self.sealed(room, kind, content, everyone=True)
        await self._wire.call("PUT", path("v3", "rooms", room, "send", sealed_kind, _txn(txn)), said=sealed)

    async def say(self, room: str, user: str, said: Text, txn: str, *, about: str = "") -> None:
        """Tell people something in a room, in its language; `about` is the message that it answers."""
        words = plain(said.markdown(await self._ways.language(room)))
        related = {"m.relates_to": {"m.in_reply_to": {"event_id": about}}} if about else {}
        await self.send_room(room, "m.room.message", {**words, "m.mentions": {"user_ids": [user]}, **related}, txn)

    def may_verify(self, user: str) -> bool:
        """Say whether a person is one whom the bot answers at all."""
        return self._ways.may_talk(user)

    async def room_with(self, user: str) -> str:
        """Return the direct chat with a person, "" for none."""
        for room in reversed(self._rooms.joined):
            if await self._rooms.other(room) == user:
                return room
        return ""

    # Keys.

    async def _introduce(self) -> None:
        """Tell the homeserver this device's keys, and sign them by the bot's identity."""
        answer = await self._call("POST", "/v3/keys/query", {"device_keys": {self._user: []}})
        await self._turn(self._ours.told, [self._user], answer)
        known = _dict(_dict(_dict(answer, "device_keys"), self._user), self._device)
        named = _dict(known, "keys").get(f"ed25519:{self._device}")
        if named is not None and named != self._ours.fingerprint:
            self._refusal = _(
                "The bot's Matrix device {device} has keys that this home does not hold (it was restored from a backup, or the token is used "
                "elsewhere too). Give it a new token, or a password: encrypted rooms need a device of their own.",
                device=self._device,
            )
            self._introduced = True
            log.error(
                "the Matrix device has keys that this home does not hold: encrypted rooms need a device of their own",
                device=self._device,
            )
            return
        self._refusal = None
        self._counted = 0 if self._ours.fresh else self._counted
        await self._upload()
        try:
            await self._identify(answer)
        except UnknownTokenError:
            raise
        except ChannelError as error:
            log.warning("the bot's device is not signed by an identity", reason=str(error))
        self._introduced = True
        log.info("encrypted rooms are read", device=self._device, fingerprint=self._ours.fingerprint)

    async def _identify(self, answer: Json) -> None:
        named = only_key(_dict(answer, "master_keys").get(self._user), self._user)
        identity = await asyncio.to_thread(Identity.load, self._folder)
        if named and (identity is None or identity.public("master") != named):
            log.warning("the bot's account has an identity that was made elsewhere: verify this device from there, by its emoji")
            return
        if identity is None:
            identity = await asyncio.to_thread(Identity.make, self._folder)
        if not named:
            master = identity.key("master", self._user)
            body = identity.uploaded_keys(self._user, self._device, await self._turn(self._ours.sign, master))
            if self._password:
                who = {"type": "m.id.user", "user": self._user}
                body["auth"] = {"type": "m.login.password", "identifier": who, "password": self._password}
            await self._call("POST", "/v3/keys/device_signing/upload", body)
        self._identity = identity
        keys = await self._turn(self._ours.device_keys)
        signed = identity.signed("self_signing", keys, self._user)
        await self._call("POST", "/v3/keys/signatures/upload", {self._user: {self._device: signed}})

    async def _sign_other(self, user: str) -> None:
        master = self._ours.master_of(user)
        if self._identity is not None and master:
            signed = self._identity.signed("user_signing", master, self._user)
            with suppress(ChannelError):
                await self._call("POST", "/v3/keys/signatures/upload", {user: {only_key(master, user): signed}})

    async def _keep_up(self) -> None:
        """Send what is due: new one-time keys, what heals broken sessions, requests. What cannot be sent now is due again next time."""
        try:
            async with self._lock:
                if not self._introduced:
                    await self._introduce()
                if self._refusal is not None:  # sent, they would take the place of those that the device's owner has
                    return
                await self._upload()
                await self._claim(await self._turn(self._ours.wedged))
                await self._send_waiting()
        except UnknownTokenError:
            raise
        except ChannelError as error:
            log.info("encryption's own messages wait", reason=str(error))

    async def _upload(self) -> None:
        body = await self._turn(lambda: self._ours.to_upload(self._counted, fallback=self._fallback or self._ours.fresh))
        if body is not None:
            answer = await self._call("POST", "/v3/keys/upload", body)
            await self._turn(self._ours.uploaded)
            counted = _dict(answer, "one_time_key_counts").get("signed_curve25519")
            self._counted = counted if isinstance(counted, int) else self._counted
            self._fallback = False

    async def _send_waiting(self) -> None:
        for kind, messages in await self._turn(self._ours.outgoing):
            await self._to_devices(kind, messages)
            await self._turn(self._ours.outgoing_sent, 1)

    async def _know(self, people: Iterable[str]) -> None:
        asked = await self._turn(self._ours.to_ask, list(people))
        if asked:
            answer = await self._call("POST", "/v3/keys/query", {"device_keys": {user: [] for user in asked}})
            await self._turn(self._ours.told, asked, answer)

    async def _claim(self, wanted: Json) -> None:
        if wanted:
            answer = await self._call("POST", "/v3/keys/claim", {"one_time_keys": wanted})
            await self._turn(self._ours.claimed, wanted, answer)

    async def _members(self, room: str) -> list[str]:
        if room not in self._people:
            told = await self._wire.call("GET", path("v3", "rooms", room, "joined_members"))
            self._people[room] = sorted(_dict(told, "joined"))
        return self._people[room]

    async def _to_devices(self, kind: str, messages: Json) -> None:
        await self._wire.call("PUT", path("v3", "sendToDevice", kind, uuid4().hex), said={"messages": messages})

    async def _call(self, method: str, where: str, body: Json) -> Json:
        return dict(await self._wire.call(method, where, said=body))

    # What comes in.

    async def _seen_in_rooms(self, sync: Content) -> list[tuple[str, str, Json, str, str]]:
        """Take note of who came and went and of rooms that are encrypted now; return verifications that are in clear."""
        found = []
        rooms = _dict(sync, "rooms")
        for room, said in _dict(rooms, "join").items():
            for event in (*_list(_dict(said, "state").get("events")), *_list(_dict(said, "timeline").get("events"))):
                kind, content = _dict({"": event}, "").get("type"), _dict(event, "content")
                if kind == "m.room.member":
                    self._people.pop(room, None)
                elif kind == "m.room.encryption":
                    await self._is_encrypted_now(room)
                elif kind == "m.room.redaction":
                    taken = event.get("redacts") or content.get("redacts")
                    await self._turn(self._kept.settled, [taken] if isinstance(taken, str) else [])
                elif _is_event(event) and event["sender"] != self._user and (of := _verification(kind, content)):
                    found.append((of, event["sender"], content, room, event["event_id"]))
        for room in _dict(rooms, "leave"):
            self._people.pop(room, None)
            await self._turn(self._kept.forget_room, room)
            await self._turn(self._ours.forget_room, room)
        return found

    async def _is_encrypted_now(self, room: str) -> None:
        self._clear.discard(room)
        if room not in self._encrypted:
            await self._turn(self._kept.encrypt, room)
            self._encrypted.add(room)

    async def _understood(self, room: str, event: Json, *, only_look: bool = False) -> Json | None:
        """Return a message that is for the channel, None for one of a verification, which is taken there. Raises Unread."""
        from bot.channels.matrix_crypto_machine import Unread  # noqa: PLC0415 - as above

        clear = await self._read(room, event)
        if not only_look and await self._is_of_verification(room, clear):
            return None
        if not clear["trusted"]:
            raise Unread("untrusted")
        return clear

    async def _read(self, room: str, event: Json) -> Json:
        from bot.channels.matrix_crypto_machine import Unread  # noqa: PLC0415 - as above

        await self._is_encrypted_now(room)
        await self._know([event["sender"]])
        try:
            return await self._turn(self._ours.read, room, event)
        except Unread as why:
            if why.why != "foreign":
                raise
        await self._turn(self._ours.devices_changed, [event["sender"]])  # a device that is new, of which no sync has told yet
        await self._know([event["sender"]])
        return await self._turn(self._ours.read, room, event)

    async def _put_aside(self, room: str, event: Json, why: str) -> None:
        """Keep a message until it can be read, ask for its key, and tell its sender once where that takes long."""
        log.info("a message could not be read", why=why)
        if why in {"replayed", "broken"}:
            return
        await self._turn(self._kept.wait, room, event, why)
        if why in {"missing", "withheld"} and (request := await self._turn(self._ours.ask_for, room, event)) is not None:
            with suppress(ChannelError):
                await self._to_devices("m.room_key_request", request)
        self._tell_later(room, event, why)

    async def _try_again(self) -> None:
        """Take in what waits and can be read now."""
        from bot.channels.matrix_crypto_machine import Unread  # noqa: PLC0415 - as above

        self._due = False
        for room, event, _why in await self._turn(self._kept.waiting):
            try:
                clear = await self._understood(room, event)
                if clear is not None:
                    await self._ways.late(room, clear)
            except Unread:
                continue
            except (ChannelError, StoreError) as error:
                log.info("a message whose key has come waits on", reason=str(error))
                self._due = True
                continue
            await self._turn(self._kept.settled, [event["event_id"]])
            if (cancelled := await self._turn(self._ours.asked_no_more, event)) is not None:
                with suppress(ChannelError):
                    await self._to_devices("m.room_key_request", cancelled)

    def _tell_later(self, room: str, event: Json, why: str) -> None:
        task = asyncio.create_task(self._tell(room, event, why))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, room: str, event: Json, why: str) -> None:
        """Tell the sender that a message cannot be read, once for each of their keys."""
        await asyncio.sleep(self._grace_s)
        session = str(event["content"].get("session_id", ""))
        about = (room, event["sender"], session)
        async with self._telling:
            if not await self._turn(self._kept.waits, event["event_id"]) or await self._turn(self._kept.was_told, *about):
                return
            code = await self._turn(self._kept.withheld, room, session)
            try:
                if await self._rooms.other(room):
                    await self.say(room, event["sender"], unread(why, code), f"unread{about}", about=event["event_id"])
                else:  # nobody else is to be disturbed
                    relates = {"rel_type": "m.annotation", "event_id": event["event_id"], "key": LOCKED}
                    await self.send_room(room, "m.reaction", {"m.relates_to": relates}, f"unread{about}")
            except ChannelError as error:
                log.info("that a message could not be read could not be told", reason=str(error))
                return
            await self._turn(self._kept.tell, *about)

    async def _is_of_verification(self, room: str, event: Json) -> bool:
        kind, content, sender = event["type"], event["content"], event["sender"]
        if of := _verification(kind, content):
            await self._verify(of, sender, content, room, event["event_id"])
            return True
        word = _WORD.fullmatch(content["body"]) if kind == "m.room.message" and isinstance(content.get("body"), str) else None
        return word is not None and await self._verifying.answered(sender, room, yes=word[1] is not None)

    async def _verify(self, kind: str, sender: str, content: Json, room: str, event: str) -> None:
        try:
            await self._verifying.take(kind, sender, content, room, event)
        except ChannelError as error:
            log.info("a verification ends", reason=str(error))

    def _withheld(self, content: Json) -> None:
        room, session, code = (content.get(name) for name in ("room_id", "session_id", "code"))
        if isinstance(room, str) and isinstance(session, str) and isinstance(code, str):
            self._kept.withhold(room, session, code)

    # The thread.

    @property
    def _ours(self) -> Machine:
        if self._machine is None:
            raise ChannelError(
                self._refusal or _("This room is encrypted, and the bot has no encryption here. Nothing was sent.")
            )
        return self._machine

    async def _turn(self, made: Callable[..., T], *given: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: made(*given))

    def _open(self) -> None:
        from bot.channels.matrix_crypto_machine import Machine  # noqa: PLC0415 - 0.3 s, where encryption is on

        if self._machine is not None:
            self._shut()
        name = hashlib.sha256(f"{self._user}|{self._device}".encode()).hexdigest()[:16]
        folder = self._folder / f"device-{name}"
        for old in self._folder.glob("device-*"):
            if old != folder:  # of a device that is gone: its ratchets are of no use to anybody
                shutil.rmtree(old, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._kept = Kept(folder)
        self._encrypted = self._kept.encrypted()
        self._machine = Machine(folder, self._user, self._device, self._kept, trust=self._trust)

    def _shut(self) -> None:
        self._ours.close()
        self._kept.close()


def _verification(kind: object, content: Json) -> str:
    """Return the verification's word that an event is, "" for none."""
    if kind == "m.room.message" and content.get("msgtype") == f"{VERIFICATION}request":
        return f"{VERIFICATION}request"
    return kind if isinstance(kind, str) and kind.startswith(VERIFICATION) else ""


def _txn(said: str) -> str:
    return f"p{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def _is_event(event: object) -> bool:
    """Say whether an event has what every one has."""
    return (
        isinstance(event, dict)
        and isinstance(event.get("sender"), str)
        and isinstance(event.get("event_id"), str)
        and isinstance(event.get("content"), dict)
    )


def _dict(of: object, name: str) -> Json:
    found = of.get(name) if isinstance(of, Mapping) else None
    return found if isinstance(found, dict) else {}


def _list(found: object) -> list[Any]:
    return found if isinstance(found, list) else []
