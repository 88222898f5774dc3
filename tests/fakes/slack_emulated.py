"""Slack's Web API by somebody else's hand: npm's `emulate`, with its gaps closed by our own server before it.

Owns what `emulate` has not: Socket Mode, the events, the assistant's pane, and faults on order. All that it knows is asked of it, with the
rights of docs/slack.md's manifest and no others (`strict_scopes`), and people write through it as the bot does.

    async with emulated(url) as fake:
        await fake.say("hello", chat=fake.direct)
        await fake.history(fake.direct)

Source: https://www.npmjs.com/package/emulate (0.12.2)
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from aiohttp import ClientSession, web

from fakes.slack import BOT, BOT_ID, TOKEN, FakeSlack, Json, slack

ROOT = Path(__file__).parents[2]
MODULE = ROOT / ".emulate" / "node_modules" / "emulate" / "dist" / "api.js"
"""Where `.ci/run` puts it: npm install --prefix .emulate emulate@0.12.2"""
TOKENS = {"ann": "xoxp-ann", "ben": "xoxp-ben"}
OURS = frozenset(
    {"apps.connections.open", "assistant.threads.setStatus", "assistant.threads.setSuggestedPrompts"}
)  # fmt: skip
"""What `emulate` does not know."""


@dataclass
class EmulatedSlack(FakeSlack):
    """A workspace of Ann, Ben and the bot, in a channel `general`."""

    emulator: str = ""
    people: dict[str, str] = field(default_factory=dict)
    general: str = ""
    direct: str = ""
    refusals: list[str] = field(default_factory=list)
    """The words with which it refused what the bot asked."""

    async def begin(self) -> None:
        """Learn the ids that were given, and put the bot into the channel."""
        for name, token in TOKENS.items():
            told = await self.ask("auth.test", token)
            self.people[name], self.team = told["user_id"], told["team_id"]
        listed = (await self.ask("conversations.list", TOKENS["ann"]))["channels"]
        self.general = next(channel["id"] for channel in listed if channel["name"] == "office")
        await self.ask("conversations.invite", TOKENS["ann"], channel=self.general, users=BOT)
        self.direct = (await self.ask("conversations.open", TOKENS["ann"], users=BOT))["channel"]["id"]

    async def ask(self, method: str, token: str, **said: object) -> Json:
        """Call a method of the emulator as whoever holds the token; what it refuses is a fault of the test."""
        async with ClientSession() as session, session.post(
            f"{self.emulator}/api/{method}", json=said, headers={"Authorization": f"Bearer {token}"}
        ) as answer:  # fmt: skip
            told: Json = await answer.json()
        assert told["ok"], (method, told)
        return told

    async def say(self, text: str, *, chat: str = "", by: str = "ann", **more: object) -> Json:  # type: ignore[override]
        """Have a person write through the emulator, and tell the bot; return the event."""
        chat = chat or self.direct
        told = await self.ask("chat.postMessage", TOKENS[by], channel=chat, text=text, **more)
        event = {"type": "message", "channel": chat, "channel_type": "im" if chat == self.direct else "channel",
                 "user": self.people[by], "text": text, "ts": told["ts"], **more}  # fmt: skip
        await self.tell(event)
        return event

    async def send_file(self, name: str, data: bytes) -> None:
        """Have Ann send a file to the bot, and tell the bot of the message that the emulator makes of it."""
        told = await self.ask("files.getUploadURLExternal", TOKENS["ann"], filename=name, length=len(data))
        async with ClientSession() as session, session.post(told["upload_url"], data=data) as answer:
            assert answer.status == 200
        await self.ask("files.completeUploadExternal", TOKENS["ann"], files=[{"id": told["file_id"]}], channel_id=self.direct)
        (shared, *_older) = (await self.ask("conversations.history", TOKENS["ann"], channel=self.direct))["messages"]
        await self.tell({**shared, "channel": self.direct, "channel_type": "im"})

    async def history(self, chat: str, thread: str = "") -> list[Json]:
        """Return what the bot wrote there, oldest first, as the emulator keeps it."""
        method, more = ("conversations.replies", {"ts": thread}) if thread else ("conversations.history", {})
        told = await self.ask(method, TOKENS["ann"], channel=chat, include_all_metadata=True, **more)
        found: list[Json] = sorted(told["messages"], key=lambda one: float(one["ts"]))
        return [one for one in found if one["user"] == BOT]

    async def carried_out(self, method: str, said: Json, request: web.Request) -> Json:
        """Ask the emulator, but for what it does not know."""
        if method in OURS:
            return self._answer(method, said)
        told = await self._forwarded(request)
        answer: Json = json.loads(told.body)  # type: ignore[arg-type]
        if not answer["ok"]:
            self.refusals.append(answer["error"])
            return {"error": answer["error"]}
        return answer

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Hand files through as well."""
        if request.path.startswith(("/upload/v1/", "/files-pri/")):
            return await self._forwarded(request)
        return await super().handle(request)

    async def _forwarded(self, request: web.Request) -> web.Response:
        kept = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        async with ClientSession() as session, session.request(
            request.method, self.emulator + request.path_qs, data=await request.read() or None, headers=kept
        ) as answer:  # fmt: skip
            own = self.emulator.replace("127.0.0.1", "localhost")
            body = (await answer.read()).replace(own.encode(), self.base_url.encode())
            return web.Response(status=answer.status, body=body, content_type=answer.content_type)


def rights() -> list[str]:
    """Return the rights that the manifest asks for."""
    page = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
    found: list[str] = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])["oauth_config"]["scopes"]["bot"]
    return found


def installed() -> bool:
    """Say whether node and `emulate` are here."""
    return MODULE.is_file() and shutil.which("node") is not None


@contextmanager
def emulator() -> Iterator[str]:
    """Run `emulate` while the context lasts; give its address."""
    everything = [*rights(), "channels:write", "channels:manage", "groups:write", "im:read", "mpim:write", "reactions:read"]
    seed = {
        "strict_scopes": True,
        "users": [{"name": "ann", "real_name": "Ann"}, {"name": "ben", "real_name": "벤"}],
        "channels": [{"name": "office"}],
        "oauth_apps": [{"client_id": "1", "client_secret": "2", "name": "Paring", "redirect_uris": [], "scopes": rights(),
                        "app_id": "A1", "bot_id": BOT_ID, "bot_user_id": BOT, "bot_name": "paring"}],
        "tokens": [
            *({"token": token, "user": name, "scopes": everything} for name, token in TOKENS.items()),
            {"token": TOKEN, "user_id": BOT, "bot_id": BOT_ID, "bot_user_id": BOT, "app_id": "A1", "scopes": rights(), "type": "bot"},
        ],
    }  # fmt: skip
    node = shutil.which("node")
    assert node is not None
    process = subprocess.Popen(
        [node, str(Path(__file__).with_name("emulate.mjs")), str(MODULE), json.dumps(seed)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip().replace("localhost", "127.0.0.1")
    finally:
        process.kill()
        process.communicate()


@asynccontextmanager
async def emulated(url: str) -> AsyncIterator[EmulatedSlack]:
    """Serve the gaps before the emulator at `url`."""
    fake = EmulatedSlack(emulator=url)
    await fake.begin()
    async with slack(fake):
        yield fake
