"""Matrix, as Ann and Ben have it: over a real homeserver, and a door before it that breaks as it is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import lxml.html
import pytest
from fakes.homeserver import Account, Door, Fault, Homeserver, Json, installed, served
from fakes.matrix_person import ENCRYPTION, Person, Seen, person
from pydantic import SecretStr

from bot.app import App
from bot.channels.channel import Channel
from bot.channels.matrix import Matrix
from bot.channels.matrix_crypto import seal
from bot.channels.matrix_sealing import Seal
from bot.config import MatrixSettings, Settings, WebSettings
from bot.contract import File, Harness, Shown, Trouble, Who
from bot.contract.harness import LINK
from bot.locale import Text
from bot.message import Address
from bot.skill import Blobs, CommandSpec

NAME = "Paring"
FAULTS: dict[Trouble, str] = {"busy": "limited", "lost": "lost", "doubt": "cut"}
KEY = re.compile(r"^(?P<key>\d\ufe0f\u20e3|🔟|!\d+) (?P<label>.+)$", re.MULTILINE)


class MatrixHarness(Harness):
    orders = "!{name} {args}"

    def __init__(self, bot: Account, people: dict[Who, Person], door: Door, home: Path, *, encrypted: bool = False) -> None:
        self.bot, self.people, self.door, self.home, self.encrypted = bot, people, door, home, encrypted
        self.ann = people["ann"]
        self.rooms: dict[Who, str] = {}
        self._pressed: dict[tuple[str, str, str], str] = {}
        self._kicked = False
        self._alone = False

    async def begin(self) -> None:
        """Make the rooms in which they talk; the bot is invited, and comes once it runs."""
        self.rooms["ann"] = await self._direct(self.ann)
        together = await self.ann.room(self.bot.user, self.people["ben"].user, name="Everybody", encrypted=self.encrypted)
        await self.people["ben"].join(together)
        self.here = Address("matrix", self.bot.user, self.ann.user, self.rooms["ann"])
        self.group = Address("matrix", self.bot.user, together, kind="group")
        self.own = MatrixSettings(
            homeserver=self.door.url, user=self.bot.user, password=SecretStr(self.bot.password), download_mb=1,
            allowed_users=(self.people["ben"].user,), allowed_chats=(together,),
        )  # fmt: skip

    async def _direct(self, who: Person) -> str:
        """Begin a direct chat in which the person has more power than the bot: they can put it out."""
        begun = [ENCRYPTION] if self.encrypted else []
        body: Json = {"invite": [self.bot.user], "is_direct": True, "preset": "private_chat", "initial_state": begun}
        room = str((await who.call("POST", "/v3/createRoom", body))["room_id"])
        await who.call("PUT", f"/v3/user/{who.user}/account_data/m.direct", {self.bot.user: [room]})
        await who.until(lambda: room in who.client.rooms)
        return room

    def channel(self, blobs: Blobs) -> Matrix:
        self._alone = True
        return Matrix(self.own, blobs=blobs, home=self.home, seal=self._seal())

    def channel_in(self, app: App) -> Matrix:
        return Matrix(app.settings.matrix, blobs=app.blobs, home=app.settings.home, seal=self._seal())

    def _seal(self) -> Seal | None:
        return seal(self.own, self.home) if self.encrypted else None

    def settings(self, settings: Settings) -> Settings:
        chosen = {"matrix": self.own, "admins": (f"matrix:{self.ann.user}",), "web": WebSettings(enabled=False)}
        return settings.model_copy(update=chosen)

    async def ready(self, channel: Channel) -> None:
        if self._alone:
            await channel.publish_commands([CommandSpec("sum", Text("Shorten a text"), aliases=("요약",))], [])
        assert self.group is not None
        await self._is_in(self.rooms["ann"])
        await self._is_in(self.group.chat)
        group = self.group.chat
        await self.ann.until(lambda: self.ann.said(group, by=self.bot.user))  # it greets
        ben = self.people["ben"]
        await ben.until(lambda: self.bot.user in ben.members(group))  # whose client encrypts for whom it knows to be there
        while not channel.account:
            await asyncio.sleep(0.02)

    async def _is_in(self, room: str) -> None:
        members = f"/v3/rooms/{room}/joined_members"
        while self.bot.user not in (await self.ann.call("GET", members))["joined"]:
            await asyncio.sleep(0.02)

    async def say(
        self, text: str, *, at: Address | None = None, by: Who = "ann", files: Sequence[File] = (), reply_to: str = "", called: bool = False
    ) -> str:  # fmt: skip
        who = self.people[by]
        if at is None and by not in self.rooms:
            self.rooms[by] = await self._direct(who)
        room = at.chat if at and at.kind == "group" else self.rooms[by]
        thread = at.thread if at and at.kind == "group" else ""
        said = f"{NAME}: {text}".strip() if called else text
        mentions = [self.bot.user] if called else []
        if not files:
            return await who.say(room, said, thread=thread, reply_to=reply_to, mentions=mentions)
        (file,) = files
        words: Json = {"body": said} if said else {}
        return await who.upload(room, file.name, file.data, file.media_type, **words, **{"m.mentions": {"user_ids": mentions}})

    async def thread(self) -> Address:
        assert self.group is not None
        return replace(self.group, thread=await self.say("let us plan the move", at=self.group, by="ben"))

    async def shown(self, at: Address | None = None) -> Sequence[Shown]:
        await self.ann.sync(timeout_ms=0)
        return [_shown(one) for one in self.ann.said(self._room(at), by=self.bot.user)]

    def _room(self, at: Address | None) -> str:
        return at.chat if at and at.kind == "group" else self.rooms["ann"]

    async def press(self, shown: Shown, label: str, *, at: Address | None = None, by: Who = "ann") -> None:
        key = next(found["key"] for found in KEY.finditer(shown.text) if found["label"] == label)
        who, room = self.people[by], self._room(at)
        if (before := self._pressed.get((shown.id, key, by))) is not None:
            await who.redact(room, before)
        self._pressed[shown.id, key, by] = await who.react(room, shown.id, key)

    async def told(self) -> Sequence[str]:
        return [one.text for one in await self.shown(self.group)]

    async def rewrite(self, message: str, text: str, *, at: Address | None = None) -> None:
        await self.ann.edit(self._room(at), message, text)

    async def take_back(self, message: str, *, at: Address | None = None) -> None:
        await self.ann.redact(self._room(at), message)

    async def again(self, message: str) -> None:
        room = self.rooms["ann"]
        event = await self.ann.call("GET", f"/v3/rooms/{room}/event/{message}")

        def told_again(sync: Json) -> Json:
            for joined in [sync.get("rooms", {}).get("join", {}).get(room)]:
                if joined is not None:
                    joined["timeline"]["events"].insert(0, event)
            return sync

        self.door.faults.append(Fault("GET", "/v3/sync$", "lie", change=told_again))

    async def signs(self) -> int:
        return len(self.door.asked("PUT", "/typing/")) + len(self.door.asked("PUT", "/m.reaction/"))

    async def trouble(self, kind: Trouble) -> None:
        if kind == "gone":
            await self.ann.call("POST", f"/v3/rooms/{self.rooms['ann']}/kick", {"user_id": self.bot.user})
            self._kicked = True
        elif kind == "away":
            self.door.faults.append(Fault("", "/send/|/v3/sync$", "502", times=3))
        else:
            self.door.faults.append(Fault("PUT", "/send/m.room.(message|encrypted)/", FAULTS[kind]))

    async def calm(self) -> None:
        self.door.faults.clear()
        if self._kicked:
            await self.ann.invite(self.rooms["ann"], self.bot.user)
            await self._is_in(self.rooms["ann"])
            self._kicked = False


def _shown(seen: Seen) -> Shown:
    formatted = seen.content.get("formatted_body", "")
    page = lxml.html.fromstring(f"<div>{formatted}</div>") if formatted else None
    return Shown(
        seen.id, seen.text, tuple(found["label"] for found in KEY.finditer(seen.text)),
        links=tuple(page.xpath(".//a/@href")) if page is not None else tuple(LINK.findall(seen.text)),
        pictures=int(seen.content.get("msgtype") == "m.image"), thread=seen.thread, quotes=seen.replies_to,
        coded=tuple(one.text_content() for one in page.xpath(".//pre")) if page is not None else (),
    )  # fmt: skip


@asynccontextmanager
async def matrix(folder: Path, *, encrypted: bool = False) -> AsyncIterator[MatrixHarness]:
    if not installed():
        pytest.skip("Synapse is not installed: pip install matrix-synapse")
    async with AsyncExitStack() as stack:
        server: Homeserver = await stack.enter_async_context(served())
        names: dict[Who, str] = {"ann": "ann", "ben": "ben", "stranger": "mallory"}
        people = {who: await stack.enter_async_context(person(server, name, encrypted=encrypted)) for who, name in names.items()}
        door = await stack.enter_async_context(server.door())
        harness = MatrixHarness(await server.register(NAME.lower()), people, door, folder / "home", encrypted=encrypted)
        await harness.begin()
        yield harness


matrix_encrypted = partial(matrix, encrypted=True)
