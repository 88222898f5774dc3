"""What a hostile client does to the page and to the webhook of the real program, by HTTP, and what it gets for it."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from fakes.program import bot, telegram_settings
from fakes.telegram_bot_api.client import ANN, running

from benchmarks.faults import Plan, Row

PASSWORD = "correct horse"  # noqa: S105 - of a bot that lives for a minute
CANARY = "canary-77e2-said-on-the-page"
OWN = {"x-paring": "en"}
ANSWER_S = 30.0
HALF_REQUESTS = 300
PATHS = (
    "/assets/../../paring.db", "/assets/..%2f..%2f..%2f..%2fetc%2fpasswd", "/assets/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "//etc/passwd", "/blobs/../paring.db", "/blobs/..%2f..%2fparing.db", "/blobs/%00", "/documents/..%2f1",
    "/documents/1/original", "/documents/99999999999999999999", "/documents/%D9%A1", "/messages/..%2f..%2fparing.db",
    "/_nicegui/../../etc/passwd", "/_nicegui/%2e%2e/%2e%2e/etc/passwd", "/_nicegui/3.0/resources/..%2f..%2f..%2fetc%2fpasswd",
    "/admin/../api/history", "/admin/swaps/1", "/api/history?before=%00", "/healthz/../api/history", "/sign-in/../api/history",
    "/;/api/history", "/api%2fhistory", "/openapi.json", "/docs",
    "/blobs/" + "a" * 64, "/messages/" + "x" * 64, "/api/history?before=" + "9" * 500,
)  # fmt: skip
SECRETS = ("root:", "SQLite format 3", CANARY, PASSWORD)


@dataclass
class Count:
    """What was tried, and what was wrong with it."""

    tried: int = 0
    leaked: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    worst_s: float = 0.0

    def expect(self, what: str, answer: bytes, *statuses: int) -> None:
        """Count an answer: of these statuses and without a secret; b"" for a connection that was ended."""
        self.tried += 1
        status = int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0
        if any(secret.encode() in answer for secret in SECRETS):
            self.leaked.append(what)
        if status not in statuses:
            self.failed.append(f"{what}: {status or 'no answer'}")

    def row(self, what: str, note: str) -> Row:
        worst = "; ".join([*self.leaked, *self.failed][:3])
        return Row(
            self.tried, what, leaked=len(self.leaked), failed=len(self.failed), worst_wait_s=self.worst_s, note=worst or note
        )


def request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return a request as bytes, just as it is said."""
    length = {} if "content-length" in headers or "transfer-encoding" in headers else {"content-length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**headers, **length}.items())]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body


async def said(port: int, request: bytes) -> bytes:
    """Return all that is answered until the connection ends, b"" for nothing."""
    answer = b""
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                with suppress(ConnectionError):
                    writer.write(request)
                    await writer.drain()
                with suppress(ConnectionError):
                    while piece := await reader.read(1 << 16):
                        answer += piece
            finally:
                writer.close()
    except TimeoutError:
        return answer or b"HANGS"
    return answer


async def hostile_page(plan: Plan) -> Row:
    """Sign in as the owner does; then try everything without, with a foreign, with an ended session, and with broken requests."""
    count, home, chance = Count(), plan.scratch / "home", random.Random(plan.seed)  # noqa: S311 - seeded cases
    async with bot(home, PARING_WEB__PASSWORD=PASSWORD, PARING_LIMITS__FILE_MB="1") as program:
        port = int(program.url.rpartition(":")[2])
        async with httpx.AsyncClient(base_url=program.url, headers=OWN, timeout=ANSWER_S) as owner:
            await owner.post("/sign-in", data={"password": PASSWORD})
            session = "; ".join(f"{name}={value}" for name, value in owner.cookies.items())
            await owner.post("/api/say", json={"id": "0123456789abcdef", "text": f"/lang en {CANARY}"})
            if CANARY not in (await owner.get("/api/history")).text:
                count.failed.append("the owner is not served")
            base = {"host": f"127.0.0.1:{port}", "connection": "close", **OWN}
            await _without_a_session(count, port, base, session, chance, plan.times(300))
            await _with_one(count, port, base, session, home)
            await _half_requests(count, port, owner, plan.times(HALF_REQUESTS, least=30))
            await _ended(count, port, base, session, owner)
    spooled = [*(home / "blobs").glob("spool/*")]
    count.failed += [f"left behind: {path.name}" for path in spooled]
    return count.row("requests", "nothing of the page was seen without its session; the owner was served meanwhile")


async def _without_a_session(
    count: Count, port: int, base: dict[str, str], session: str, chance: random.Random, times: int
) -> None:
    refused = (400, 401, 403, 404, 405, 303, 416, 421)
    for path in PATHS:
        count.expect(path, await said(port, request("GET", path, base)), *refused)
    for method in ("HEAD", "OPTIONS", "TRACE", "CONNECT", "PUT", "DELETE", "PATCH", "PROPFIND", "X" * 50):
        more = {"x-http-method-override": "GET", "x-original-url": "/api/history", "x-rewrite-url": "/api/history"}
        count.expect(method, await said(port, request(method, "/api/history", base | more)), *refused)
    name, _equals, cookie = session.partition("=")
    until, token, signature = cookie.split(".")
    forged = ["", ".", "..", f"{until}.{token}.", f"{int(until) + 9}.{token}.{signature}", f"{until}..{signature}", cookie[:-1], cookie + "A",
              cookie.swapcase(), f"{until}.{token}.{token}", "admin", "\xff" * 40, "x" * 5000]  # fmt: skip
    forged += ["".join(chance.sample(cookie, len(cookie))) for _time in range(times)]
    for value in forged:
        headers = base | {"cookie": f"{name}={value}"}
        count.expect(f"session {value[:40]!r}", await said(port, request("GET", "/api/history", headers)), *refused)


async def _with_one(count: Count, port: int, base: dict[str, str], session: str, home: Path) -> None:
    signed = base | {"cookie": session}
    text = json.dumps({"id": "fedcba9876543210", "text": "/help"}).encode()
    for origin in (
        "https://evil.example",
        "null",
        f"http://127.0.0.1:{port}.evil.example",
        f"http://localhost:{port}",
        "http://127.0.0.1:1",
    ):
        headers = signed | {"origin": origin, "content-type": "application/json"}
        count.expect(f"origin {origin}", await said(port, request("POST", "/api/say", headers, text)), 403)
        socket_ = signed | {"origin": origin, "connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13",
                            "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
        count.expect(
            f"socket {origin}",
            await said(port, request("GET", "/_nicegui_ws/socket.io/?EIO=4&transport=websocket", socket_)),
            403,
        )
    from bot.store.blobs import BlobStore  # a file that came in another chat

    other = BlobStore(home / "blobs").keep(f"another chat's {PASSWORD}".encode())
    count.expect("a file of another chat", await said(port, request("GET", f"/blobs/{other}", signed)), 404)
    big = b"x" * (2 << 20)
    bodies = {
        "longer than said": ({"content-length": "3"}, big, (200, 400)),
        "said to be too long": ({"content-length": str(10**12)}, b"x", (413,)),
        "of no length": ({"content-length": "-5"}, b"x", (400,)),
        "of two lengths": ({"content-length": "1\r\ncontent-length: 2"}, b"xx", (400,)),
        "in parts that are none": ({"transfer-encoding": "chunked"}, b"zz\r\n", (400,)),
        "in parts without end": ({"transfer-encoding": "chunked"}, (b"10000\r\n" + b"x" * 65536 + b"\r\n") * 40, (413,)),
        "of both kinds": ({"transfer-encoding": "chunked", "content-length": "5"}, b"0\r\n\r\nGET /api/history HTTP/1.1\r\n\r\n", (200, 400)),
    }  # fmt: skip
    for what, (more, body, statuses) in bodies.items():
        count.expect(
            f"a body {what}",
            await said(port, request("POST", "/api/files", signed | {"x-name": "a.txt"} | more, body)),
            *statuses,
        )
    for what, bad in {
        "a head of 200 KB": request("GET", "/", signed | {"x-long": "x" * 200_000}),
        "an address of 200 KB": request("GET", "/" + "x" * 200_000, signed),
        "5,000 heads": request("GET", "/", signed | {f"x-{number}": "1" for number in range(5000)}),
        "deep JSON": request("POST", "/api/say", signed, b"[" * 100_000),
        "a thousand ranges": request("GET", f"/blobs/{other}", signed | {"range": "bytes=" + "0-0," * 1000}),
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100 + b"\r\n\r\n",
    }.items():
        count.expect(what, await said(port, bad), 400, 413, 416, 431)


async def _half_requests(count: Count, port: int, owner: httpx.AsyncClient, many: int) -> None:
    """Hold connections with half a request; the owner is answered all the same."""
    half = [
        request("GET", "/healthz", {"host": "a"})[:-4],
        b"POST /sign-in HTTP/1.1\r\nHost: a\r\nX-Paring: en\r\nContent-Length: 99\r\n\r\npass",
        b"",
    ]
    held = []
    for number in range(many):
        with suppress(OSError):
            held.append(await asyncio.open_connection("127.0.0.1", port))
            held[-1][1].write(half[number % len(half)])
    begun = time.monotonic()
    for _time in range(5):
        count.tried += 1
        try:
            if (await owner.get("/api/history")).status_code != httpx.codes.OK:
                count.failed.append("half requests: the owner is refused")
        except httpx.HTTPError as error:
            count.failed.append(f"half requests: the owner waits in vain ({type(error).__name__})")
    count.worst_s = max(count.worst_s, time.monotonic() - begun)
    count.tried += len(held)
    for _reader, writer in held:
        writer.close()


async def _ended(count: Count, port: int, base: dict[str, str], session: str, owner: httpx.AsyncClient) -> None:
    """Sign out, and guess on: the session is of no use to who copied it, and guessing comes to a pause whatever address is claimed."""
    await owner.post("/sign-out")
    count.expect("a copied session", await said(port, request("GET", "/api/history", base | {"cookie": session})), 401)
    form = base | {"content-type": "application/x-www-form-urlencoded"}
    tries = [
        request("POST", "/sign-in", form | {"x-forwarded-for": f"10.0.0.{number}"}, b"password=wrong") for number in range(20)
    ]
    answers = await asyncio.gather(*(said(port, one) for one in tries))
    for answer in answers:
        count.expect("a wrong password", answer, 403, 429)
    right = request("POST", "/sign-in", form | {"x-forwarded-for": "10.9.9.9"}, b"password=correct+horse")
    count.expect("the right one after too many wrong ones", await said(port, right), 429)
    looked_at = sum(answer.startswith(b"HTTP/1.1 403") for answer in answers)
    if looked_at > 5:
        count.failed.append(f"{looked_at} wrong passwords were looked at")


@asynccontextmanager
async def _hooked(plan: Plan) -> AsyncIterator[tuple[int, object]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with running() as telegram:
        settings = telegram_settings(telegram) | {
            "PARING_WEB__ENABLED": "false",
            "PARING_TELEGRAM__WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
            "PARING_TELEGRAM__WEBHOOK_PORT": str(port),
            "PARING_TELEGRAM__WEBHOOK_SECRET": SECRET,
        }
        async with bot(plan.scratch / "home", **settings):
            await telegram.order("person", id=ANN, first_name="Ann", language_code="en")
            await telegram.calls("setWebhook", count=1, timeout=ANSWER_S)
            yield port, telegram


SECRET = "s3cret_of-the-webhook"  # noqa: S105 - as above
HEADER = "x-telegram-bot-api-secret-token"


async def hostile_webhook(plan: Plan) -> Row:
    """Post updates with every wrong secret, and broken ones with the right one; then one that is right is answered."""
    count, chance = Count(), random.Random(plan.seed)  # noqa: S311 - seeded cases
    update = {"update_id": 1, "message": {"message_id": 1, "date": 1, "chat": {"id": ANN, "type": "private"},
              "from": {"id": ANN, "is_bot": False, "first_name": "A"}, "text": f"/help {CANARY}"}}  # fmt: skip
    body, base = json.dumps(update).encode(), {"host": "a", "content-type": "application/json", "connection": "close"}
    async with _hooked(plan) as (port, telegram):
        secrets = [
            None, "", " ", SECRET[:-1], SECRET + "x", SECRET.upper(), SECRET[::-1], "x" * 4000, "x" * 60_000, "\xff\xfe", "\xeb\xb9\x84\xeb",
            SECRET + f"\r\n{HEADER}: wrong", f"wrong\r\n{HEADER}: {SECRET}", f"{SECRET},{SECRET}", f'"{SECRET}"',
        ]  # fmt: skip
        secrets += ["".join(chance.choices(SECRET, k=chance.randint(1, 40))) for _time in range(plan.times(1500))]
        for secret in secrets:
            headers = base if secret is None else base | {HEADER: secret}
            count.expect(f"secret {str(secret)[:30]!r}", await said(port, request("POST", "/telegram", headers, body)), 401)
        for _time in range(plan.times(500)):
            broken = bytearray(body)
            for _place in range(chance.randint(1, 6)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            changed = bytes(broken).replace(CANARY.encode(), b"broken")
            count.expect(
                "a broken update", await said(port, request("POST", "/telegram", base | {HEADER: SECRET}, changed)), 200, 400, 503
            )
        left = (await telegram.ask("chat", chat=ANN))["by_bot"]  # type: ignore[attr-defined]
        count.leaked += ["an update without the secret was answered"] if any(CANARY in str(one) for one in left) else []
        begun = time.monotonic()
        await telegram.say("/lang")  # type: ignore[attr-defined]
        await telegram.ask("chat", chat=ANN, by_bot=len(left) + 1, timeout=str(ANSWER_S))  # type: ignore[attr-defined]
        count.worst_s = time.monotonic() - begun
    held = [file.read_bytes() for file in (plan.scratch / "home").glob("paring.db*")]
    count.leaked += ["an update without the secret was kept"] if any(CANARY.encode() in data for data in held) else []
    return count.row("posts", "each without the secret was answered 401; the right one after them is answered")
