from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from bot.channels.web_door import COOKIE, Door, MemorySessions
from bot.channels.web_guard import SAID_AT_ONCE, Guard, content_policy
from bot.errors import StoreError

OWN = {"x-paring": "en"}


async def inside(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("inside")(scope, receive, send)


def client(guard: Guard, *, base: str = "http://127.0.0.1:8080") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url=base)


@pytest.fixture
def opened() -> Guard:
    return Guard(inside, door=Door(), own_hosts_only=True)


@pytest.fixture(scope="module")
def door() -> Door:
    return Door("secret")


@pytest.fixture
def locked(door: Door) -> Guard:
    return Guard(inside, door=door, own_hosts_only=False)


@pytest.mark.parametrize(
    "others",
    ['theme={"dark": true}; {}', "a b=1; {}", 'x="unclosed; {}', "{}; bad cookie", "=v; {}", "flag; {}", "path=/; {}", "한글=1; {}",
     f"{COOKIE}=of-another-program; {{}}", f"{{}}; {COOKIE}=9999999999.tossed.signature", '{}; n="'],
)  # fmt: skip
async def test_what_other_programs_of_this_host_have_the_browser_send_shuts_nobody_out(
    locked: Guard, door: Door, others: str
) -> None:
    cookie = (await door.enter("secret", address="x")).cookie
    sent = others.replace("{}", f"{COOKIE}={cookie}").encode()
    async with client(locked) as browser:
        assert (await browser.get("/", headers=[(b"cookie", sent)])).text == "inside"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "127.0.0.2:8080", "localhost:9999", "[::1]:8080", "LOCALHOST"])
async def test_the_machines_own_names_are_answered(opened: Guard, host: str) -> None:
    async with client(opened) as browser:
        assert (await browser.get("/", headers={"host": host})).text == "inside"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[", "localhost.evil.example:8080"])
async def test_another_name_that_leads_here_is_refused(opened: Guard, host: str) -> None:
    async with client(opened) as browser:
        assert (await browser.get("/", headers={"host": host})).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", **OWN},
        {"origin": "null", **OWN},
        {"origin": "http://127.0.0.1:9999", **OWN},
        {"origin": "http://127.0.0.1:8080"},
        {},
    ],
)
async def test_a_post_from_another_page_is_refused(opened: Guard, headers: dict[str, str]) -> None:
    async with client(opened) as browser:
        assert (await browser.post("/api/say", headers=headers)).status_code == 403


@pytest.mark.parametrize("headers", [{"origin": "http://127.0.0.1:8080", **OWN}, OWN])
async def test_a_post_from_our_page_or_a_program_is_let_in(opened: Guard, headers: dict[str, str]) -> None:
    async with client(opened) as browser:
        assert (await browser.post("/api/say", headers=headers)).text == "inside"


async def test_another_site_cannot_embed_what_is_private(opened: Guard) -> None:
    async with client(opened) as browser:
        assert (await browser.get("/api/history", headers={"sec-fetch-site": "cross-site"})).status_code == 403
        assert (await browser.get("/", headers={"sec-fetch-site": "cross-site"})).text == "inside"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "http://127.0.0.1:9999"])
@pytest.mark.parametrize("path", ["/api/history", "/documents/1", "/_nicegui_ws/socket.io/?transport=polling"])
async def test_another_site_reads_nothing_either(opened: Guard, path: str, origin: str) -> None:
    async with client(opened) as browser:
        assert (await browser.get(path, headers={"origin": origin})).status_code == 403
        assert (await browser.get(path, headers={"origin": "http://127.0.0.1:8080"})).text == "inside"


@pytest.mark.parametrize("path", ["/administrator", "/_nicegui", "/docs", "/openapi.json", "/../etc", "/api"])
async def test_what_is_not_served_is_not_there(opened: Guard, path: str) -> None:
    async with client(opened) as browser:
        assert (await browser.get(path)).status_code == 404


async def test_the_page_leads_to_the_door_and_all_else_is_refused(locked: Guard) -> None:
    async with client(locked) as browser:
        page = await browser.get("/")
        assert (page.status_code, page.headers["location"]) == (303, "/sign-in")
        for path in ("/documents/12?near=0", "/messages/x"):  # an answer's link, opened when the session has ended
            assert (await browser.get(path)).headers["location"] == "/sign-in"
        for path in ("/api/history", "/blobs/x", "/_nicegui/x", "/_nicegui_ws/socket.io"):
            assert (await browser.get(path)).status_code == 401
        for path in ("/healthz", "/sign-in", "/assets/v/paring.css"):
            assert (await browser.get(path)).text == "inside"


async def test_a_session_opens_everything(locked: Guard, door: Door) -> None:
    cookie = (await door.enter("secret", address="x")).cookie
    async with client(locked) as browser:
        assert (await browser.get("/", headers={"cookie": f"a=b; {COOKIE}={cookie}"})).text == "inside"
        assert (await browser.get("/", headers={"cookie": f"{COOKIE}=x; \0="})).status_code == 303


async def test_every_answer_carries_the_headers(opened: Guard) -> None:
    async with client(opened) as browser:
        for path in ("/", "/nowhere"):
            headers = (await browser.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["x-frame-options"] == "DENY"
            assert "frame-ancestors 'none'" in headers["content-security-policy"]
            assert headers["referrer-policy"] == "same-origin"


def test_the_page_policy_knows_no_eval_and_no_foreign_host() -> None:
    policy = content_policy("127.0.0.1:8080", "abc")
    assert "unsafe-eval" not in policy
    assert "script-src 'self' 'nonce-abc'" in policy
    assert "connect-src 'self' ws://127.0.0.1:8080 wss://127.0.0.1:8080" in policy
    assert ";" not in content_policy("a; script-src *", "n").split("connect-src")[1].split("form-action")[0][:-2]


async def test_a_page_is_built_for_who_follows_a_link_and_not_for_a_page_that_embeds_it(opened: Guard) -> None:
    async with client(opened) as browser:
        for kind, status in (("document", 200), ("iframe", 403), ("image", 403), ("empty", 403)):
            headers = {"sec-fetch-site": "cross-site", "sec-fetch-dest": kind}
            assert (await browser.get("/", headers=headers)).status_code == status


async def test_many_ranges_are_refused(opened: Guard) -> None:
    async with client(opened) as browser:
        assert (await browser.get("/blobs/x", headers={"range": "bytes=0-1,4-5"})).status_code == 200
        assert (await browser.get("/blobs/x", headers={"range": "bytes=" + "0-1," * 1000})).status_code == 416


async def test_many_headers_are_refused(opened: Guard) -> None:
    async with client(opened) as browser:
        assert (await browser.get("/", headers={f"x-{number}": "1" for number in range(200)})).status_code == 431


async def test_by_https_a_browser_is_told_to_come_by_nothing_else(opened: Guard) -> None:
    async with client(opened, base="https://127.0.0.1:8080") as browser:
        assert "max-age" in (await browser.get("/")).headers["strict-transport-security"]
    async with client(opened) as browser:
        assert "strict-transport-security" not in (await browser.get("/")).headers


async def test_what_is_said_of_a_session_while_the_database_is_away_is_a_sentence() -> None:
    class Broken(MemorySessions):
        async def holds(self, token: str) -> bool:
            raise StoreError("The database is locked.")

    door = Door("secret", sessions=Broken())
    cookie = (await door.enter("secret", address="x")).cookie
    async with client(Guard(inside, door=door, own_hosts_only=False)) as browser:
        answer = await browser.get("/api/history", headers={"cookie": f"{COOKIE}={cookie}"})
    assert (answer.status_code, answer.text) == (503, "The database is locked.")


class Socket:
    """A socket that says what it is told to, before an application that listens until the end."""

    def __init__(self, guard: Guard) -> None:
        self.said: asyncio.Queue[Message] = asyncio.Queue()
        self.heard: list[Message] = []
        self.sent: list[Message] = []
        guard.app = self.listen
        raw = [(b"host", b"127.0.0.1:8080"), (b"origin", b"http://127.0.0.1:8080")]
        scope = {"type": "websocket", "path": "/_nicegui_ws/socket.io/", "headers": raw}
        self.serve = lambda cookie="": guard(
            scope | {"headers": [*raw, (b"cookie", f"{COOKIE}={cookie}".encode())]}, self.said.get, self.send
        )

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def listen(self, _scope: Scope, receive: Receive, _send: Send) -> None:
        while True:
            self.heard.append(await receive())
            if self.heard[-1]["type"] == "websocket.disconnect":
                return


CLOSED = {"type": "websocket.close", "code": 1008}


async def test_a_socket_that_floods_is_closed(opened: Guard) -> None:
    socket = Socket(opened)
    for _number in range(10 * SAID_AT_ONCE):
        socket.said.put_nowait({"type": "websocket.receive", "text": "2"})
    await socket.serve()
    assert socket.sent == [CLOSED]
    assert SAID_AT_ONCE <= len(socket.heard) < 2 * SAID_AT_ONCE


async def test_a_socket_ends_with_its_session(locked: Guard, door: Door) -> None:
    socket = Socket(locked)
    cookie = (await door.enter("secret", address="x")).cookie
    serving = asyncio.create_task(socket.serve(cookie))
    socket.said.put_nowait({"type": "websocket.receive", "text": "2"})
    while not socket.heard:
        await asyncio.sleep(0)
    await door.leave(cookie)
    await asyncio.wait_for(serving, 20)
    assert socket.sent == [CLOSED]


async def test_there_are_only_so_many_sockets(opened: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.web_guard.MOST_SOCKETS", 0)
    socket = Socket(opened)
    await socket.serve()
    assert (socket.heard, socket.sent) == ([], [CLOSED])


async def _socket(guard: Guard, headers: dict[str, str]) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await guard({"type": "websocket", "path": "/_nicegui_ws/socket.io/", "headers": raw}, receive, send)
    return sent


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:8080"},
        {"host": "127.0.0.1:8080", "origin": "http://evil.example"},
        {"host": "evil.example", "origin": "http://evil.example"},
    ],
)
async def test_a_socket_from_another_page_is_closed(opened: Guard, headers: dict[str, str]) -> None:
    assert await _socket(opened, headers) == [{"type": "websocket.close", "code": 1008}]


async def test_a_socket_without_a_session_is_closed(locked: Guard) -> None:
    assert await _socket(locked, {"host": "a", "origin": "http://a"}) == [{"type": "websocket.close", "code": 1008}]


def test_a_page_without_a_script_in_it_lets_none_run_by_any_nonce() -> None:
    assert "nonce" not in content_policy("127.0.0.1:8080")
    assert "script-src 'self';" in content_policy("127.0.0.1:8080")
