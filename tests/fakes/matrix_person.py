"""A person with a Matrix client of their own, plain or encrypted: what they do, and what they see.

Owns one device of one account, over nio. Time is told by the homeserver: what is waited for is asked after each sync.

    async with person(server, "ann", encrypted=True) as ann:
        room = await ann.direct(bot.user)
        asked = await ann.say(room, "hello")
        answer = await ann.until(lambda: ann.said(room, by=bot.user))
        answer[0].text
"""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiohttp import ClientSession
from nio import AsyncClient, AsyncClientConfig, EncryptionError, MegolmEvent, RoomSendResponse, SyncResponse, UploadResponse
from nio.store import SqliteMemoryStore

from fakes.homeserver import Account, Homeserver, Json
from fakes.waiting import LONGEST_S

POLL_MS = 5_000
ENCRYPTION = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
WHOLE = {"room": {"timeline": {"limit": 500}}}
"""A sync leaves out what comes before the last ten events of a room, unless it is asked for more."""
T = TypeVar("T")


@dataclass
class Seen:
    """A message as a client shows it: its last edit, what was taken back left out."""

    id: str
    by: str
    kind: str
    content: Json
    """Of the last edit where there is one."""
    relates: Json = field(default_factory=dict)
    edits: int = 0
    reactions: list[tuple[str, str]] = field(default_factory=list)
    """(who, what), in their order."""
    encrypted: bool = False

    @property
    def text(self) -> str:
        """What stands there, without formatting."""
        return str(self.content.get("body", ""))

    @property
    def thread(self) -> str:
        """The root of the thread that it stands in, "" for none."""
        return str(self.relates.get("event_id", "")) if self.relates.get("rel_type") == "m.thread" else ""

    @property
    def replies_to(self) -> str:
        """The message that it answers, "" for none."""
        return str(self.relates.get("m.in_reply_to", {}).get("event_id", ""))


class Person:
    """One device; nothing is seen before it is waited for."""

    def __init__(self, account: Account, client: AsyncClient) -> None:
        self.account, self.client = account, client
        self.user = account.user
        self.to_device: list[Any] = []
        """What came to this device alone, as nio names it."""
        self.typing: dict[str, list[str]] = {}
        self.receipts: dict[str, dict[str, str]] = defaultdict(dict)
        """Per room, who has read up to which message."""
        self._events: dict[str, dict[str, Json]] = defaultdict(dict)
        self._unread: dict[str, MegolmEvent] = {}
        self._numbers = itertools.count(1)

    async def room(
        self, *invited: str, name: str = "", direct: bool = False, encrypted: bool = False, public: bool = False
    ) -> str:
        """Make a room and invite people into it; return its id."""
        body: Json = {"invite": list(invited), "is_direct": direct, "initial_state": [ENCRYPTION] if encrypted else [],
                      "preset": "trusted_private_chat" if direct else "public_chat" if public else "private_chat"}  # fmt: skip
        made = await self.call("POST", "/v3/createRoom", {**body, **({"name": name} if name else {})})
        room = str(made["room_id"])
        await self.until(lambda: room in self.client.rooms)
        return room

    async def direct(self, other: str, *, encrypted: bool = False) -> str:
        """Begin a direct chat as clients do; return its room."""
        room = await self.room(other, direct=True, encrypted=encrypted)
        await self.call("PUT", f"/v3/user/{self.user}/account_data/m.direct", {other: [room]})
        return room

    async def invite(self, room: str, other: str) -> None:
        """Invite somebody into a room."""
        await self.call("POST", f"/v3/rooms/{room}/invite", {"user_id": other})

    async def join(self, room: str) -> None:
        """Come into a room, where invited or where it is public."""
        await self.call("POST", f"/v3/join/{room}", {})
        await self.until(lambda: room in self.client.rooms)

    async def leave(self, room: str) -> None:
        """Go out of a room."""
        await self.call("POST", f"/v3/rooms/{room}/leave", {})

    async def say(
        self, room: str, text: str, *, thread: str = "", reply_to: str = "", mentions: Sequence[str] = (), **more: Any
    ) -> str:
        """Write; return the event's id. `more` goes into the content as it stands."""
        content: Json = {
            "msgtype": "m.text",
            "body": text,
            "m.mentions": {"user_ids": list(mentions)} if mentions else {},
            **more,
        }
        if relates := _relation(thread, reply_to):
            content["m.relates_to"] = relates
        return await self.send(room, "m.room.message", content)

    async def edit(self, room: str, event: str, text: str) -> str:
        """Make a message of one's own say something else."""
        new = {"msgtype": "m.text", "body": text}
        content = {**new, "body": f"* {text}", "m.new_content": new, "m.relates_to": {"rel_type": "m.replace", "event_id": event}}
        return await self.send(room, "m.room.message", content)

    async def react(self, room: str, event: str, key: str) -> str:
        """React to a message; in clear, as clients do in encrypted rooms too."""
        relates = {"rel_type": "m.annotation", "event_id": event, "key": key}
        return await self.send(room, "m.reaction", {"m.relates_to": relates})

    async def redact(self, room: str, event: str) -> None:
        """Take a message, or a reaction, back."""
        await self.call("PUT", f"/v3/rooms/{room}/redact/{event}/r{next(self._numbers)}", {})

    async def upload(self, room: str, name: str, data: bytes, media_type: str, **more: Any) -> str:
        """Send a file into a room, encrypted where the room is; return the event's id."""
        kind = media_type.partition("/")[0]
        hidden = self.client.rooms[room].encrypted
        made, keys = await self.client.upload(
            lambda *_said: data, content_type=media_type, filename=name, encrypt=hidden, filesize=len(data)
        )
        assert isinstance(made, UploadResponse), made
        where = {"file": {**keys, "url": made.content_uri}} if keys else {"url": made.content_uri}
        content = {"msgtype": f"m.{kind}" if kind in {"image", "audio", "video"} else "m.file", "body": name, "filename": name,
                   "info": {"mimetype": media_type, "size": len(data)}, **where, **more}  # fmt: skip
        return await self.send(room, "m.room.message", content)

    async def send(self, room: str, kind: str, content: Json) -> str:
        """Send an event, encrypted where the room is; return its id."""
        if self.client.olm is not None and self.client.rooms[room].encrypted:
            await self._learnt_keys()
        sent = await self.client.room_send(room, kind, content, ignore_unverified_devices=True)
        assert isinstance(sent, RoomSendResponse), sent
        return sent.event_id

    async def download(self, content: Json) -> bytes:
        """Return the bytes of a file that a message names, in clear."""
        from nio.crypto.attachments import decrypt_attachment

        file = content.get("file") or {}
        uri = str(file.get("url") or content["url"]).removeprefix("mxc://")
        url = f"{self.client.homeserver}/_matrix/client/v1/media/download/{uri}"
        async with ClientSession(headers=self._headers()) as session, session.get(url) as answer:
            data = await answer.read()
        return decrypt_attachment(data, file["key"]["k"], file["hashes"]["sha256"], file["iv"]) if file else data

    async def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """Ask the homeserver for what `_matrix/client` has at `path`; an error is an AssertionError."""
        url = f"{self.client.homeserver}/_matrix/client{path}"
        async with ClientSession(headers=self._headers()) as session, session.request(method, url, json=body) as answer:
            said: Json = await answer.json()
            assert answer.status == 200, (method, path, said)
            return said

    async def until(self, holds: Callable[[], T | None], *, within_s: float = LONGEST_S) -> T:
        """Return what `holds` gives, asked after each sync, once that is something."""
        async with asyncio.timeout(within_s):
            while not (found := holds()):
                await self.sync()
        return found

    def said(self, room: str, *, by: str = "", words: str = "") -> list[Seen]:
        """Return the messages that stand in a room now, in their order: of one person, with these words in them."""
        return [one for one in self.seen(room) if by in {"", one.by} and words in one.text]

    def seen(self, room: str) -> list[Seen]:
        """Return all messages that stand in a room now, in their order; of one that cannot be read `kind` is m.room.encrypted."""
        shown: dict[str, Seen] = {}
        for event in self._events[room].values():
            content = event.get("content", {})
            relates = content.get("m.relates_to") or {}
            target = shown.get(relates.get("event_id", ""))
            if event["type"] == "m.room.redaction":
                self._taken_back(shown, event.get("redacts") or content.get("redacts", ""))
            elif event["type"] == "m.reaction" and target is not None:
                target.reactions.append((event["sender"], relates["key"]))
            elif relates.get("rel_type") == "m.replace" and target is not None and target.by == event["sender"]:
                target.content, target.edits = content.get("m.new_content", content), target.edits + 1
            elif event["type"] in {"m.room.message", "m.sticker", "m.room.encrypted"} and content:
                shown[event["event_id"]] = Seen(
                    event["event_id"], event["sender"], event["type"], content, relates,
                    encrypted=event.get("encrypted", event["type"] == "m.room.encrypted"),
                )  # fmt: skip
        return list(shown.values())

    def members(self, room: str) -> set[str]:
        """Return who is in a room, as far as was heard; who is invited is not."""
        told = [event for event in self._events[room].values() if event["type"] == "m.room.member"]
        last = {event["state_key"]: event["content"]["membership"] for event in told}
        return {user for user, membership in last.items() if membership == "join"}

    def raw(self, room: str) -> list[Json]:
        """Return all events of a room that were heard, in clear where they can be read."""
        return list(self._events[room].values())

    def _taken_back(self, shown: dict[str, Seen], event: str) -> None:
        shown.pop(event, None)
        for events in self._events.values():
            taken = events.get(event, {})
            if taken.get("type") == "m.reaction" and "m.relates_to" in taken["content"]:
                relates = taken["content"]["m.relates_to"]
                target = shown.get(relates["event_id"])
                if target is not None and (taken["sender"], relates["key"]) in target.reactions:
                    target.reactions.remove((taken["sender"], relates["key"]))

    async def sync(self, *, timeout_ms: int = POLL_MS) -> None:
        """Hear what is new, at most so long."""
        answer = await self.client.sync(timeout=timeout_ms, full_state=False, sync_filter=WHOLE)
        assert isinstance(answer, SyncResponse), answer
        self.to_device += answer.to_device_events
        for room, joined in answer.rooms.join.items():
            for event in joined.timeline.events:
                self._take(room, event)
            for one in joined.ephemeral:
                self.typing[room] = getattr(one, "users", self.typing.get(room, []))
                for receipt in getattr(one, "receipts", []):
                    self.receipts[room][receipt.user_id] = receipt.event_id
        self._try_again()
        await self._learnt_keys()

    def _take(self, room: str, event: Any) -> None:
        if isinstance(event, MegolmEvent):
            event.room_id = room
            self._unread[event.event_id] = event
        self._events[room][event.source["event_id"]] = {
            **event.source, "encrypted": isinstance(event, MegolmEvent) or event.decrypted,
        }  # fmt: skip

    def _try_again(self) -> None:
        for event in list(self._unread.values()):
            try:
                found = self.client.decrypt_event(event)
            except EncryptionError:
                continue
            del self._unread[event.event_id]
            self._take(event.room_id, found)

    async def _learnt_keys(self) -> None:
        if self.client.olm is None:
            return
        if self.client.should_upload_keys:
            await self.client.keys_upload()
        if self.client.should_query_keys:
            await self.client.keys_query()
        if self.client.should_claim_keys:
            await self.client.keys_claim(self.client.get_users_for_key_claiming())
        await self.client.send_to_device_messages()

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.account.token}"}


def _relation(thread: str, reply_to: str) -> Json:
    replied = {"m.in_reply_to": {"event_id": reply_to or thread}} if reply_to or thread else {}
    return {**replied, **({"rel_type": "m.thread", "event_id": thread, "is_falling_back": not reply_to} if thread else {})}


@asynccontextmanager
async def person(
    server: Homeserver, name: str, *, encrypted: bool = False, account: Account | None = None, url: str = "", admin: bool = False
) -> AsyncIterator[Person]:
    """Have somebody be there, with an account of their own or another device of `account`, while the context lasts."""
    known = account or await server.register(name, admin=admin)
    config = AsyncClientConfig(encryption_enabled=encrypted, store=SqliteMemoryStore, max_limit_exceeded=0, max_timeouts=0)
    client = AsyncClient(url or server.url, known.user, device_id=known.device, config=config)
    client.restore_login(known.user, known.device, known.token)
    try:
        one = Person(known, client)
        await one.sync(timeout_ms=0)
        yield one
    finally:
        await client.close()
