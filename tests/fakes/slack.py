"""A Slack of our own on loopback: the Web API's methods that a bot calls, files, Socket Mode and signed requests, and faults on order.

Owns what stands in which conversation. It answers as Slack's reference says, in process, on the test's loop.

    async with slack() as fake:
        bot = Slack(fake.settings(), blobs=blobs)
        await fake.say("hello")                  # Ann writes to the bot
        fake.shown("D1")                         # what stands there

Source: https://docs.slack.dev/reference/methods
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import random
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from aiohttp import ClientSession, WSMsgType, web
from pydantic import SecretStr

from bot.config import SlackSettings
from fakes.waiting import LONGEST_S, until

TEAM, BOT, BOT_ID, ANN, BEN, DIRECT, GENERAL = "T1", "UBOT", "B1", "U1", "U2", "D1", "C1"
TOKEN, APP_TOKEN, SIGNING = "xoxb-1-contract", "xapp-1-contract", "8f742231b10e8888abcd99yyyzzz85a5"
PATIENCE_S = 3.0
"""So long Slack waits for an acknowledgement.

Source: https://docs.slack.dev/apis/events-api/#retries
"""
Json = dict[str, Any]
T = TypeVar("T")
LIES = {
    "html": "<!doctype html><title>Sign in</title>", "bare": '{"ok": true}', "list": "[1, 2]", "deep": "[" * 200_000,
    "strange": json.dumps({"ok": True, "ts": 5, "channel": [], "user": "U1", "team_id": {}, "messages": {"a": 1}, "members": "U1",
                           "file": [], "url": 7, "response_metadata": {"next_cursor": 3}, "view": None}),
}  # fmt: skip
_CALL = re.compile("&lt;([@#!][A-Za-z0-9^|]+)&gt;")


@dataclass
class Fault:
    """What happens to the next calls of a method."""

    method: str
    kind: str
    """ratelimited, cut (carried out, then no answer), hang (carried out, never answered), lost (cut before), 500, a lie, or an error's word.

    Lies, nothing carried out: html (a page of a proxy's), bare (ok, and nothing else), list (no object), strange (fields of other
    types), deep (lists without end).
    """
    times: int = 1
    retry_after: int = 1
    token: str = ""
    """Of the bot with this token alone, "" for any."""
    share: float = 1.0
    """So many of the calls; `times` -1 is for as long as the server lives."""


@dataclass
class FakeSlack:
    """The server's state; `calls` are (method, arguments) in their order."""

    base_url: str = ""
    calls: list[tuple[str, Json]] = field(default_factory=list)
    messages: dict[str, list[Json]] = field(default_factory=lambda: defaultdict(list))
    unseen: list[Json] = field(default_factory=list)
    files: dict[str, Json] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    members: dict[str, list[str]] = field(default_factory=lambda: {GENERAL: [ANN, BEN, BOT]})
    users: dict[str, Json] = field(default_factory=lambda: {ANN: {}, BEN: {}, BOT: {"is_bot": True}})
    """What users.info tells of each besides: {"is_restricted": True} of a guest."""
    closed: dict[str, Json] = field(default_factory=dict)
    """What conversations.info tells of a channel besides: {"is_private": True}."""
    page: int = 1000
    """As many messages and channels as a page holds at most."""
    acknowledged: dict[str, Json] = field(default_factory=dict)
    teams: dict[str, str] = field(default_factory=dict)
    """Workspaces beside TEAM, by the bot's token there."""
    directs: dict[str, str] = field(default_factory=lambda: {ANN: DIRECT, BEN: DIRECT})
    """People, and the direct chat of each with the bot."""
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    reactions: list[tuple[str, str]] = field(default_factory=list)
    team: str = TEAM
    restless: bool = False
    """Whether every socket is said to end as soon as it stands."""
    cursor: str = ""
    """Where a list of members is said to go on."""

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._sockets: list[web.WebSocketResponse] = []
        self._connected = asyncio.Event()
        self._acknowledged = asyncio.Event()
        self._called_now = asyncio.Event()

    def settings(self, **more: Any) -> SlackSettings:
        """Return settings for a bot here, over Socket Mode where nothing else is said."""
        given = {"app_token": SecretStr(APP_TOKEN), **more}
        return SlackSettings(bot_tokens=SecretStr(TOKEN), base_url=f"{self.base_url}/api/", **given)

    def ts(self) -> str:
        """Return the next message's id."""
        return f"{1700000000 + next(self._numbers)}.000100"

    def shown(self, chat: str) -> list[Json]:
        """Return what the bot wrote in a conversation."""
        return [message for message in self.messages[chat] if message.get("bot_id")]

    async def until(self, holds: Callable[[], T | None]) -> T:
        """Return what `holds` gives, asked after each call of the bot's, once that is something."""
        return await until(self._called_now, holds)

    def stands(self, text: str, *, chat: str = DIRECT, user: str = ANN, **more: Any) -> Json:
        """Have a person have written, which the bot is not told; `<@U1>` in it is a call of somebody."""
        text = _CALL.sub(r"<\1>", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
        event = {"type": "message", "channel": chat, "channel_type": "im" if chat.startswith("D") else "channel", "user": user,
                 "text": text, "ts": self.ts(), **more}  # fmt: skip
        self.messages[chat].append(event)
        return event

    async def say(self, text: str, **more: Any) -> Json:
        """Have a person write, and tell the bot; return the event once it was acknowledged. As `stands`."""
        event = self.stands(text, **more)
        await self.tell(event)
        return event

    async def tell(self, event: Json) -> Json:
        """Tell the bot of an event over the socket, again while it is not acknowledged; return once it was."""
        told = self.event(event)
        async with asyncio.timeout(LONGEST_S):
            while True:
                with suppress(TimeoutError):
                    return await self.envelope("events_api", told, within_s=PATIENCE_S)

    async def act(self, kind: str, payload: Json) -> None:
        """Have somebody press a button or type a command: it is told once, and they see that it failed where nothing acknowledges it."""
        with suppress(TimeoutError):
            await self.envelope(kind, payload, within_s=PATIENCE_S)

    def event(self, event: Json) -> Json:
        """Return the callback that holds an event."""
        return {"type": "event_callback", "team_id": self.team, "api_app_id": "A1", "event": event, "event_id": f"Ev{next(self._numbers)}",
                "authorizations": [{"team_id": self.team, "user_id": BOT, "is_bot": True}]}  # fmt: skip

    async def frame(self, said: Json | str) -> None:
        """Send anything over the newest socket."""
        await self.connected()
        await self._sockets[-1].send_str(said if isinstance(said, str) else json.dumps(said))

    @property
    def sockets(self) -> int:
        """How many sockets are open."""
        return len(self._sockets)

    async def envelope(self, kind: str, payload: Json, *, within_s: float = LONGEST_S) -> Json:
        """Send an envelope over the socket; return what it was acknowledged with. TimeoutError where it is not."""
        number = f"envelope-{next(self._numbers)}"
        await self.frame({"type": kind, "envelope_id": number, "payload": payload, "accepts_response_payload": False})
        async with asyncio.timeout(within_s):
            while number not in self.acknowledged:
                self._acknowledged.clear()
                await self._acknowledged.wait()
        return self.acknowledged[number]

    async def post(
        self, url: str, payload: Json, *, secret: str = SIGNING, at: float | None = None, form: bool = False, **headers: str
    ) -> int:
        """Post a signed request to the bot; return the status."""
        fields = {"payload": json.dumps(payload)} if payload.get("type") == "block_actions" else payload
        body = urlencode(fields) if form else json.dumps(payload)
        stamp = str(int(time.time() if at is None else at))
        made = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        signed = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={made}", **headers,
                  "Content-Type": "application/x-www-form-urlencoded" if form else "application/json"}  # fmt: skip
        async with ClientSession() as session, session.post(url, data=body.encode(), headers=signed) as answer:
            return answer.status

    def variables(self, **more: str) -> dict[str, str]:
        """Return the environment of a bot here."""
        return {"PARING_SLACK__BOT_TOKENS": TOKEN, "PARING_SLACK__APP_TOKEN": APP_TOKEN,
                "PARING_SLACK__BASE_URL": f"{self.base_url}/api/", "PARING_WEB__ENABLED": "false", **more}  # fmt: skip

    async def connected(self) -> None:
        """Return once the bot has opened a socket."""
        await asyncio.wait_for(self._connected.wait(), LONGEST_S)

    async def close_sockets(self) -> None:
        """End the sockets, as Slack does every few hours."""
        self._connected.clear()
        ended, self._sockets = self._sockets, []  # another one may be opened while a dead one is waited for
        await asyncio.gather(*(socket.close() for socket in ended))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        path = request.path
        if path == "/socket":
            return await self._socket(request)
        if path.startswith("/upload/"):
            self.bodies[path.rpartition("/")[2]] = await request.read()
            return web.Response(text="OK")
        if path.startswith("/files/"):
            known = request.headers.get("Authorization") == f"Bearer {TOKEN}"
            return (
                web.Response(body=self.bodies[path.split("/")[2]])
                if known
                else web.Response(text="<html>", content_type="text/html")
            )
        try:
            return await self._called(path.removeprefix("/api/"), await _arguments(request), request)
        finally:
            self._called_now.set()

    async def _called(self, method: str, said: Json, request: web.Request) -> web.StreamResponse:
        self.calls.append((method, said))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        may = (one for one in self.faults if one.method == method and one.times and one.token in {"", token})
        fault = next((one for one in may if one.share >= 1.0 or self.chance.random() < one.share), None)
        if fault is not None:
            fault.times -= 1
            if fault.kind == "ratelimited":
                headers = {"Retry-After": str(fault.retry_after)}
                return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
            if fault.kind in LIES:
                return web.Response(
                    text=LIES[fault.kind], content_type="text/html" if fault.kind == "html" else "application/json"
                )
            if fault.kind == "500":
                return web.Response(status=500, text="oops")
            if fault.kind == "cut":
                await self.carried_out(method, said, request)
            if fault.kind == "hang":  # carried out, and never answered
                await self.carried_out(method, said, request)
                self._called_now.set()
                await asyncio.Event().wait()
            if fault.kind in {"cut", "lost"}:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            return web.json_response({"ok": False, "error": fault.kind})
        answer = await self.carried_out(method, {**said, "token": token} if method == "auth.test" else said, request)
        return web.json_response(answer if "error" in answer else {"ok": True, **answer})

    async def carried_out(self, method: str, said: Json, _request: web.Request) -> Json:
        """Do what a method asks for; return what is answered, {"error": a word} for a refusal."""
        return self._answer(method, said)

    def _answer(self, method: str, said: Json) -> Json:
        known = getattr(self, "_" + method.replace(".", "_"), None)
        found: Json = known(said) if known is not None else {"error": "unknown_method"}
        return found

    def _auth_test(self, said: Json) -> Json:
        return {
            "team_id": self.teams.get(said["token"], TEAM),
            "user_id": BOT,
            "bot_id": BOT_ID,
            "url": "https://contract.slack.com/",
            "team": "Contract",
            "user": "paring",
        }

    def _apps_connections_open(self, _said: Json) -> Json:
        return {"url": self.base_url.replace("http", "ws") + "/socket"}

    def _conversations_open(self, said: Json) -> Json:
        who = str(said.get("users"))
        return {"channel": {"id": self.directs[who]}} if who in self.directs else {"error": "user_not_found"}

    def _chat_postMessage(self, said: Json) -> Json:  # noqa: N802 - Slack's name
        if said["channel"] not in {*self.directs.values(), *self.members}:
            return {"error": "channel_not_found"}
        if why := refused(said):
            return {"error": why}
        message = {**said, "ts": self.ts(), "user": BOT, "bot_id": BOT_ID}
        self.messages[said["channel"]].append(message)
        return {"ts": message["ts"], "channel": said["channel"], "message": message}

    def _chat_postEphemeral(self, said: Json) -> Json:  # noqa: N802 - as above
        self.unseen.append(said)
        return {"message_ts": self.ts()}

    def _chat_update(self, said: Json) -> Json:
        for message in self.messages[said["channel"]]:
            if message["ts"] == said["ts"] and message.get("bot_id"):
                if why := refused(said):
                    return {"error": why}
                message.update(said)
                return {"ts": said["ts"], "channel": said["channel"]}
        return {"error": "message_not_found"}

    def _conversations_history(self, said: Json) -> Json:
        if said["channel"] not in {*self.directs.values(), *self.members}:
            return {"error": "channel_not_found"}
        if said["channel"] in self.members and BOT not in self.members[said["channel"]]:
            return {"error": "not_in_channel"}
        whole = self.messages[said["channel"]]
        replies = [one["thread_ts"] for one in whole if one.get("thread_ts") not in {None, one["ts"]}]
        chat = [{**one, "reply_count": replies.count(one["ts"])} for one in whole if one.get("thread_ts") in {None, one["ts"]}]
        oldest, latest = float(said.get("oldest") or 0), float(said.get("cursor") or said.get("latest") or 1e12)
        chat = [one for one in reversed(chat) if oldest < float(one["ts"]) < latest]
        most = min(int(said.get("limit", 100)), self.page)
        more = len(chat) > most
        return {
            "messages": chat[:most],
            "has_more": more,
            "response_metadata": {"next_cursor": chat[most - 1]["ts"] if more else ""},
        }

    def _conversations_replies(self, said: Json) -> Json:
        thread = [one for one in self.messages[said["channel"]] if said["ts"] in {one["ts"], one.get("thread_ts")}]
        first = int(said.get("cursor") or 0)
        more = str(first + self.page) if first + self.page < len(thread) else ""
        shown = {
            "messages": thread[first : first + self.page],
            "has_more": bool(more),
            "response_metadata": {"next_cursor": more},
        }
        return shown if thread else {"error": "thread_not_found"}

    def _conversations_list(self, said: Json) -> Json:
        told = [self._conversations_info({"channel": name})["channel"] for name in self.members]
        first = int(said.get("cursor") or 0)
        more = str(first + self.page) if first + self.page < len(told) else ""
        shown = [one for one in told[first : first + self.page] if not one.get("is_private")]
        return {"channels": shown, "response_metadata": {"next_cursor": more}}

    def _conversations_join(self, said: Json) -> Json:
        if said["channel"] not in self.members or self.closed.get(said["channel"], {}).get("is_private"):
            return {"error": "channel_not_found"}
        if BOT not in self.members[said["channel"]]:
            self.members[said["channel"]].append(BOT)
        return {"channel": {"id": said["channel"]}}

    def _users_list(self, _said: Json) -> Json:
        return {"members": [self._users_info({"user": user})["user"] for user in self.users]}

    def _conversations_members(self, said: Json) -> Json:
        if said["channel"] not in self.members:
            return {"error": "channel_not_found"}
        return {"members": self.members[said["channel"]], "response_metadata": {"next_cursor": self.cursor}}

    def _conversations_info(self, said: Json) -> Json:
        known = {"id": said["channel"], "name": said["channel"].lower(), "is_channel": True}
        return (
            {"channel": {**known, **self.closed.get(said["channel"], {})}}
            if said["channel"] in self.members
            else {"error": "channel_not_found"}
        )

    def _users_info(self, said: Json) -> Json:
        name, locale = ("Ann", "en-US") if said["user"] == ANN else ("벤", "ko-KR")
        known = {"id": said["user"], "team_id": TEAM, "profile": {"display_name": name}, "locale": locale}
        return {"user": {**known, **self.users[said["user"]]}} if said["user"] in self.users else {"error": "user_not_found"}

    def _views_publish(self, said: Json) -> Json:
        return {"error": why} if (why := refused({"blocks": said["view"]["blocks"]})) else {"view": said["view"]}

    def _assistant_threads_setStatus(self, said: Json) -> Json:  # noqa: N802 - as above
        return {} if said.get("thread_ts") else {"error": "invalid_thread_ts"}

    def _assistant_threads_setSuggestedPrompts(self, said: Json) -> Json:  # noqa: N802 - as above
        return (
            {}
            if 0 < len(said["prompts"]) <= 4 and all(one["title"] and one["message"] for one in said["prompts"])
            else {"error": "x"}
        )

    def _reactions_add(self, said: Json) -> Json:
        self.reactions.append(("add", said["timestamp"]))
        return {}

    def _reactions_remove(self, said: Json) -> Json:
        self.reactions.append(("remove", said["timestamp"]))
        return {}

    def _files_info(self, said: Json) -> Json:
        return {"file": self.files[said["file"]]} if said["file"] in self.files else {"error": "file_not_found"}

    def _files_getUploadURLExternal(self, said: Json) -> Json:  # noqa: N802 - as above
        number = f"F{next(self._numbers)}"
        self.files[number] = {"id": number, "name": said["filename"], "size": int(said["length"])}
        return {"file_id": number, "upload_url": f"{self.base_url}/upload/{number}"}

    def _files_completeUploadExternal(self, said: Json) -> Json:  # noqa: N802 - as above
        return {"files": [self.files[one["id"]] for one in said["files"]]}

    def put(self, name: str, data: bytes, media_type: str) -> Json:
        """Return a file as an event names it."""
        number = f"F{next(self._numbers)}"
        self.bodies[number] = data
        self.files[number] = {"id": number, "name": name, "mimetype": media_type, "size": len(data), "mode": "hosted",
                              "url_private_download": f"{self.base_url}/files/{number}/{name}"}  # fmt: skip
        return self.files[number]

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        if self.restless:
            await socket.send_json({"type": "disconnect", "reason": "refresh_requested"})
        self._sockets.append(socket)
        self._connected.set()
        self._called_now.set()
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                said = json.loads(message.data)
                self.acknowledged[said["envelope_id"]] = said
                self._acknowledged.set()
        if socket in self._sockets:
            self._sockets.remove(socket)
        if not self._sockets:
            self._connected.clear()
        return socket


def refused(said: Mapping[str, Any]) -> str:
    """Return Slack's word for a message that it does not take."""
    blocks = said.get("blocks") or []
    if len(blocks) > 50:
        return "invalid_blocks"
    for block in blocks:
        if block["type"] == "rich_text":
            texts = [run.get("text", "") for part in block["elements"] for run in part["elements"]]
            if not block["elements"] or not all(texts) or sum(map(len, texts)) > 3000:
                return "invalid_blocks"
        if block["type"] == "context_actions":
            for row in block["elements"]:
                both = [row["positive_button"], row["negative_button"]] if row["type"] == "feedback_buttons" else []
                if not both or any(not one["value"] or not 0 < len(one["accessibility_label"]) <= 75 for one in both):
                    return "invalid_blocks"
        if block["type"] == "actions" and (
            len(block["elements"]) > 25 or any(len(one["text"]["text"]) > 75 for one in block["elements"])
        ):
            return "invalid_blocks"
    if not blocks and not said.get("text"):
        return "no_text"
    return "msg_too_long" if len(said.get("text") or "") > 40_000 else ""


async def _arguments(request: web.Request) -> Json:
    if request.content_type == "application/json":
        found: Json = await request.json()
        return found
    return dict(await request.post()) | dict(request.query)


@asynccontextmanager
async def slack(fake: FakeSlack | None = None) -> AsyncIterator[FakeSlack]:
    """Serve on a free port of loopback while the context lasts."""
    fake = fake or FakeSlack()
    application = web.Application(client_max_size=1 << 26)
    application.router.add_route("*", "/{path:.*}", fake.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await fake.close_sockets()
        await runner.cleanup()
