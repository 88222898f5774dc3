"""A Telegram that lies: it answers with garbage, with less or more than it says, never, elsewhere, or that it did what it did not.

Owns what is told on the wire, byte by byte. Underneath lies an honest server of a few methods, which knows what was really shown.

    async with Liar(random.Random(1)).listening() as liar:
        liar.say(7, 1, "/echo q000001")
        liar.base_url
"""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from fakes.leaks import TOKEN

Json = dict[str, object]
BOT: Json = {"id": 7, "is_bot": True, "first_name": "Par", "username": "ParBot"}
POLL_S = 2.0
HUGE_BYTES = 40 * 2**20
DRIP_S = 0.02


@dataclass
class Liar:
    """A server that lies on a share of its calls, until it is told to be honest."""

    chance: random.Random
    share: float = 0.5
    elsewhere: str = ""
    """Where redirects lead: to another host, which must never be called."""
    shown: dict[tuple[int, int], str] = field(default_factory=dict)
    """What stands in the chats, by chat and number."""
    told: set[str] = field(default_factory=set)
    """Which lies were told."""
    waiting: list[Json] = field(default_factory=list)
    base_url: str = ""
    _next_update: int = 5000
    _next_message: int = 100
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _serving: set[asyncio.Task[object]] = field(default_factory=set)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Liar]:
        """Listen on loopback while the context lasts."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/bot"
        try:
            yield self
        finally:
            server.close()
            for serving in (left := list(self._serving)):
                serving.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    def say(self, chat: int, text: str) -> None:
        """Let somebody write in their direct chat."""
        self._next_message += 1
        person: Json = {"id": chat, "is_bot": False, "first_name": "Ann"}
        place: Json = {"id": chat, "type": "private", "first_name": "Ann"}
        entities = [{"type": "bot_command", "offset": 0, "length": text.index(" ")}]
        message: Json = {"message_id": self._next_message, "date": 1_800_000_000, "from": person, "chat": place, "text": text}
        self.waiting.append({"update_id": self._next_update, "message": message | {"entities": entities}})
        self._next_update += 1
        self._news.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._answer(*await _asked(reader), writer):
                    pass
        finally:
            writer.close()
            self._serving.discard(serving)

    async def _answer(self, method: str, asked: dict[str, str], writer: asyncio.StreamWriter) -> bool:
        """Answer one call; return whether the connection stays open."""
        lies = self._lies_before() if self.chance.random() < self.share else []
        if lies and self.chance.random() < 0.5:
            return await self._lie(writer, lies)
        body = await self._done(method, asked)
        after = self._lies_after(method, body) if lies else []
        if after:
            return await self._lie(writer, after)
        await _send(writer, json.dumps(body).encode(), 200 if body["ok"] else int(str(body["error_code"])))
        return True

    async def _lie(self, writer: asyncio.StreamWriter, lies: list[tuple[str, bytes]]) -> bool:
        name, raw = self.chance.choice(lies)
        self.told.add(name)
        if name == "drip":
            for byte in raw:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(DRIP_S)
        elif name == "hang":
            await asyncio.sleep(1)
        else:
            writer.write(_raw(b" " * HUGE_BYTES + raw) if name == "huge" else raw)
            await writer.drain()
        return False

    def _lies_before(self) -> list[tuple[str, bytes]]:
        """Return what may be said of a call that is not carried out."""
        lies: list[tuple[str, bytes]] = [
            ("closed", b""),
            ("hang", b""),
            ("no HTTP", b"SSH-2.0-OpenSSH\r\n\r\n"),
            ("proxy's page", _raw(b"<html>blocked</html>", status=403, headers="Content-Type: text/html\r\n")),
            ("proxy's not found", _raw(b"<html>nginx</html>", status=404, headers="Content-Type: text/html\r\n")),
            ("bad gateway", _raw(b"<html>502</html>", status=502)),
            ("unauthorized for a moment", _raw(_refused(401, "Unauthorized"))),
        ]
        lies += [
            (f"redirect {status}", _raw(b"", status=status, headers=f"Location: {self.elsewhere}/bot{TOKEN}/sendMessage\r\n"))
            for status in (301, 302, 303, 307, 308)
        ]
        waits: tuple[object, ...] = (-1, 0, 0.1, "abc", float("nan"), float("-inf"), None, [], {"a": 1}, True, -(10**30))
        for wait in waits:
            body = _refused(429, "Too Many Requests", parameters={"retry_after": wait})
            lies += [(f"retry after {wait}", _raw(body, status=429)), ("refused with 200", _raw(body))]
        return lies

    def _lies_after(self, method: str, body: Json) -> list[tuple[str, bytes]]:
        """Return what may be said of a call that was carried out, as it truly answers `body`."""
        true = json.dumps(body).encode()
        lies: list[tuple[str, bytes]] = [
            ("garbage", _raw(b"{]")),
            ("no object", _raw(b"[1]")),
            ("no result", _raw(b'{"ok": true}')),
            ("cut", _raw(true)[: -len(true) // 2]),
            ("cut gzip", _raw(gzip.compress(true)[:-6], headers="Content-Encoding: gzip\r\n")),
            ("no gzip", _raw(true, headers="Content-Encoding: gzip\r\n")),
            ("nothing", _raw(b"", status=204)),
            ("deep", _raw(b"[" * 100_000)),
            ("HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\n" + true),
            ("drip", _raw(true)),
            ("huge", true),  # made when it is told, for its size
            ("endless headers", b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n"),
        ]
        result = body.get("result")
        if isinstance(result, dict) and "message_id" in result:
            lies += [(f"wrong {wrong}", _raw(_ok(result | wrong))) for wrong in _WRONG]
            lies.append(("wrong chat", _raw(_ok(result | {"chat": {"id": 1, "type": "private"}}))))
            lies += [(f"result {other}", _raw(_ok(other))) for other in (True, None, [], "sent", 5, {})]
        if method == "getupdates" and isinstance(result, list):
            lies += [(f"{name} updates", _raw(_ok(changed(result)))) for name, changed in _CHANGED.items()]
            far = {"update_id": self.chance.randrange(2**28, 2**31)}
            lies += [("far updates", _raw(_ok([*result, far])))] if result else []
        return lies

    async def _done(self, method: str, asked: dict[str, str]) -> Json:
        if method == "getupdates":
            offset = int(asked.get("offset", "0"))
            if offset < 0:
                del self.waiting[: max(0, len(self.waiting) + offset)]
            self.waiting = [update for update in self.waiting if int(str(update["update_id"])) >= offset]
            if not self.waiting:
                self._news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), min(POLL_S, float(asked.get("timeout", "0"))))
            return {"ok": True, "result": self.waiting[:20]}
        if method == "getme":
            return {"ok": True, "result": BOT}
        if method in ("sendmessage", "editmessagetext"):
            return self._shown(asked)
        return {"ok": True, "result": True}

    def _shown(self, asked: dict[str, str]) -> Json:
        chat, number = int(asked["chat_id"]), int(asked.get("message_id", "0"))
        if number and (chat, number) not in self.shown:
            return {"ok": False, "error_code": 400, "description": "Bad Request: message to edit not found"}
        if number and self.shown[chat, number] == asked["text"]:
            return {"ok": False, "error_code": 400, "description": "Bad Request: message is not modified"}
        if not number:
            self._next_message += 1
            number = self._next_message
        self.shown[chat, number] = asked["text"]
        place: Json = {"id": chat, "type": "private", "first_name": "Ann"}
        return {
            "ok": True,
            "result": {"message_id": number, "date": 1_800_000_000, "chat": place, "from": BOT, "text": asked["text"]},
        }


_WRONG: tuple[Json, ...] = (
    *({"message_id": number} for number in (10**30, "abc", -5, None)),
    {"date": 10**30},
    {"from": 5},
)


def _changed_ids(change: Callable[[int], object]) -> Callable[[list[Json]], object]:
    return lambda updates: [*updates, {"update_id": change(int(str(updates[-1]["update_id"])) if updates else 5000)}]


_CHANGED: dict[str, Callable[[list[Json]], object]] = {
    "reversed": lambda updates: updates[::-1],
    "repeated": lambda updates: updates * 3,
    "null": lambda _updates: None,
    "an object of": lambda updates: {"0": updates},
    "strange": lambda updates: [None, 5, "x", {}, {"update_id": "7"}, {"update_id": None}, *updates],
    "empty": lambda _updates: [],
    "huge numbers of": _changed_ids(lambda _last: 10**18),
    "negative": _changed_ids(lambda _last: -5),
    "zero": _changed_ids(lambda _last: 0),
    "lower": _changed_ids(lambda last: last - 100),
    "fractions of": _changed_ids(lambda last: last + 0.5),
    "yes and no": _changed_ids(lambda _last: True),
}


async def _asked(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    """Return the method that is called, and its parameters."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
    asked = {name: values[0] for name, values in parse_qs((await reader.readexactly(length)).decode()).items()}
    return head.split(b" ")[1].decode().rpartition("/")[2].lower(), asked


def _raw(body: bytes, *, status: int = 200, headers: str = "Content-Type: application/json\r\n") -> bytes:
    return f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _ok(result: object) -> bytes:
    return json.dumps({"ok": True, "result": result}).encode()


def _refused(code: int, description: str, **more: object) -> bytes:
    return json.dumps({"ok": False, "error_code": code, "description": description, **more}).encode()


async def _send(writer: asyncio.StreamWriter, body: bytes, status: int) -> None:
    writer.write(_raw(body, status=status))
    await writer.drain()
