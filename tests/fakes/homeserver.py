"""A real Matrix homeserver on loopback: Synapse, started as a program over a folder of its own, and faults in front of it on order.

Owns the program, its configuration and who is registered. Leaves to `fakes.matrix_person` what people do there.

    with homeserver() as server:                      # in tests: the fixture `homeserver`, one for the whole run
        account = await server.register("paring")     # a name of its own each time: @paring1:localhost
        async with server.door() as door:             # the same server behind faults
            door.faults.append(Fault("PUT", "/send/", "cut"))
            door.url

Source: https://element-hq.github.io/synapse/latest/usage/configuration/config_documentation.html
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import importlib.util
import itertools
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import ClientConnectionError, ClientSession, ClientTimeout, web
from multidict import CIMultiDict

from fakes.waiting import LONGEST_S, until

SERVER_NAME = "localhost"
SECRET = "registration"
APPSERVICE_TOKEN = "appservice-token"
APPSERVICE_USER = f"@paring_bot:{SERVER_NAME}"
"""In the service's namespace: the service's own user, its sender, may not ask Synapse what came."""
PASSWORD = "correct horse"
Json = dict[str, Any]
T = TypeVar("T")
_NOT_LIMITED = {"per_second": 100_000, "burst_count": 100_000}
_HOPS = {"connection", "content-length", "host", "keep-alive", "transfer-encoding"}


@dataclass(frozen=True, slots=True)
class Account:
    """Who is registered."""

    user: str
    token: str
    device: str
    password: str = PASSWORD

    def variables(self, url: str, **more: str) -> dict[str, str]:
        """Return the environment of a bot that is this account, logged in by its password."""
        return {"PARING_MATRIX__HOMESERVER": url, "PARING_MATRIX__USER": self.user, "PARING_MATRIX__PASSWORD": self.password,
                "PARING_WEB__ENABLED": "false", "PARING_FRONT_DOOR": "everybody", **more}  # fmt: skip


class Homeserver:
    """One Synapse over one folder; it may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._configure()

    def start(self) -> None:
        """Return once it answers."""
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(os.fspath(ready))
            told.settimeout(LONGEST_S)
            with (self.folder / "said.log").open("ab") as said:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "synapse.app.homeserver", "-c", os.fspath(self.folder / "homeserver.yaml")],
                    cwd=self.folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                    env={**os.environ, "NOTIFY_SOCKET": os.fspath(ready), "SYNAPSE_CACHE_FACTOR": "0.5"},
                )  # fmt: skip
            try:
                while b"READY=1" not in told.recv(4096):
                    pass
            except TimeoutError:
                self.kill()
                raise AssertionError((self.folder / "said.log").read_text(encoding="utf-8")) from None

    def kill(self) -> None:
        """End it at once: its folder goes with it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def register(self, name: str, *, admin: bool = False) -> Account:
        """Return an account of a name of its own that begins with `name`, and of one device."""
        user = f"{name}{next(self._numbers)}"
        url = f"{self.url}/_synapse/admin/v1/register"
        async with ClientSession() as session:
            async with session.get(url) as answer:
                nonce = (await answer.json())["nonce"]
            said = "\0".join((nonce, user, PASSWORD, "admin" if admin else "notadmin"))
            body = {"nonce": nonce, "username": user, "password": PASSWORD, "admin": admin, "displayname": name.capitalize(),
                    "mac": hmac.new(SECRET.encode(), said.encode(), hashlib.sha1).hexdigest()}  # fmt: skip
            async with session.post(url, json=body) as answer:
                made = await answer.json()
        return Account(made["user_id"], made["access_token"], made["device_id"])

    async def login(self, account: Account) -> Account:
        """Return another device of an account."""
        body = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": account.user},
            "password": account.password,
        }
        async with ClientSession() as session, session.post(f"{self.url}/_matrix/client/v3/login", json=body) as answer:
            made = await answer.json()
        return Account(made["user_id"], made["access_token"], made["device_id"], account.password)

    @asynccontextmanager
    async def door(self) -> AsyncIterator[Door]:
        """Serve it on another port too, behind the faults that are ordered there."""
        door = Door(self.url)
        runner = web.AppRunner(door.application(), access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        door.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield door
        finally:
            await runner.cleanup()

    def _configure(self) -> None:
        """Write what it reads at its start: one listener for clients alone, nothing that reaches out, nothing that is limited."""
        service = {"id": "paring", "url": None, "as_token": APPSERVICE_TOKEN, "hs_token": "unused", "rate_limited": False,
                   "sender_localpart": "paring_service",
                   "namespaces": {"users": [{"exclusive": True, "regex": APPSERVICE_USER}]}}  # fmt: skip
        log = {"version": 1, "disable_existing_loggers": False, "root": {"level": "WARNING", "handlers": ["said"]},
               "handlers": {"said": {"class": "logging.StreamHandler"}}}  # fmt: skip
        listener = {"port": self.port, "bind_addresses": ["127.0.0.1"], "type": "http", "tls": False, "x_forwarded": False,
                    "resources": [{"names": ["client"], "compress": False}]}  # fmt: skip
        settings: Json = {
            "server_name": SERVER_NAME, "public_baseurl": self.url, "pid_file": self._path("pid"), "listeners": [listener],
            "database": {"name": "sqlite3", "args": {"database": self._path("homeserver.db")}}, "media_store_path": self._path("media"),
            "signing_key_path": self._path("signing.key"), "log_config": self._path("log.yaml"), "report_stats": False,
            "registration_shared_secret": SECRET, "macaroon_secret_key": "macaroon", "form_secret": "form", "bcrypt_rounds": 4,
            "trusted_key_servers": [], "federation_domain_whitelist": [], "presence": {"enabled": False},
            "app_service_config_files": [self._path("appservice.yaml")], "max_upload_size": "64M",
        }  # fmt: skip
        names = ("message", "registration", "admin_redaction", "joins_per_room", "third_party_invite", "room_creation", "media_create",
                 "key_requests", "3pid_validation", "registration_token_validity", "reports")  # fmt: skip
        for name in names:
            settings[f"rc_{name}"] = _NOT_LIMITED
        for name, kinds in (("login", ("address", "account", "failed_attempts")), ("joins", ("local", "remote")),
                            ("invites", ("per_room", "per_user", "per_issuer")), ("presence", ("per_user",))):  # fmt: skip
            settings[f"rc_{name}"] = dict.fromkeys(kinds, _NOT_LIMITED)
        # JSON is YAML: what Synapse reads needs no library of ours to be written.
        for file, content in (("homeserver.yaml", settings), ("log.yaml", log), ("appservice.yaml", service)):
            (self.folder / file).write_text(json.dumps(content), encoding="utf-8")
        (self.folder / "signing.key").write_text(f"ed25519 a_test {'A' * 43}\n", encoding="utf-8")

    def _path(self, name: str) -> str:
        return os.fspath(self.folder / name)


def installed() -> bool:
    """Say whether there is a Synapse to start."""
    return importlib.util.find_spec("synapse") is not None


@contextmanager
def homeserver() -> Iterator[Homeserver]:
    """Run one over a fresh folder while the context lasts: about 2 s and 120 MB."""
    folder = Path(tempfile.mkdtemp(prefix="paring-homeserver-"))
    server = Homeserver(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def served() -> AsyncIterator[Homeserver]:
    """As `homeserver`, for a loop that is not to wait while it starts."""
    context = homeserver()
    server = await asyncio.to_thread(context.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


@dataclass
class Fault:
    """What happens to the next calls whose method is `method` ("" for any) and whose path the pattern `path` is found in."""

    method: str
    path: str
    kind: str
    """limited (429), a status (not carried out), lost (cut before), cut (carried out, then cut), done-502 (carried out, then 502), hang
    (carried out, never answered), twice (carried out twice), late (carried out once `until` is set), lie (`change` makes the answer)."""
    times: int = 1
    retry_after_ms: int = 50
    change: Callable[[Json], Json] = dict
    until: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked for."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    token: str

    @property
    def said(self) -> Json:
        """The JSON that came with it."""
        found: Json = json.loads(self.body or b"{}")
        return found


@dataclass
class Door:
    """A proxy before the server; `calls` are in their order, those that met a fault too."""

    server: str
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._called_now = asyncio.Event()
        self._session: ClientSession | None = None

    def application(self) -> web.Application:
        """Return what is served."""
        application = web.Application(client_max_size=1 << 27)
        application.router.add_route("*", "/{path:.*}", self._handle)
        application.on_cleanup.append(self._close)
        return application

    def asked(self, method: str, path: str) -> list[Call]:
        """Return the calls of a method (`""`: of any) in whose path the pattern is found."""
        return [call for call in self.calls if method in {"", call.method} and re.search(path, call.path)]

    async def until(self, holds: Callable[[], T | None]) -> T:
        """Return what `holds` gives, asked after each call, once that is something."""
        return await until(self._called_now, holds)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        call = Call(request.method, request.path, dict(request.query), await request.read(), token)
        self.calls.append(call)
        fault = next((one for one in self.faults if one.times and one.method in {"", call.method}
                      and re.search(one.path, call.path)), None)  # fmt: skip
        try:
            if fault is None:
                return await self._carried_out(request, call)
            fault.times -= 1
            return await self._faulty(request, call, fault)
        except ClientConnectionError:  # the server is down
            return web.Response(status=502, text="<html>bad gateway</html>", content_type="text/html")
        finally:
            self._called_now.set()

    async def _faulty(self, request: web.Request, call: Call, fault: Fault) -> web.StreamResponse:
        if fault.kind == "limited":
            said = {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": fault.retry_after_ms}
            return web.json_response(said, status=429)
        if fault.kind.isdigit():
            return web.Response(status=int(fault.kind), text="<html>bad gateway</html>", content_type="text/html")
        if fault.kind == "late":
            await fault.until.wait()
        answer = None if fault.kind == "lost" else await self._carried_out(request, call)
        if fault.kind == "hang":
            self._called_now.set()
            await asyncio.Event().wait()
        if fault.kind in {"lost", "cut"}:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault.kind == "done-502":
            return web.Response(status=502, text="<html>bad gateway</html>", content_type="text/html")
        if fault.kind == "twice":
            return await self._carried_out(request, call)
        assert answer is not None
        if fault.kind == "lie":
            return web.json_response(fault.change(json.loads(answer.body or b"{}")))  # type: ignore[arg-type]
        return answer

    async def _carried_out(self, request: web.Request, call: Call) -> web.Response:
        if self._session is None:
            self._session = ClientSession(auto_decompress=False, timeout=ClientTimeout(total=None))
        headers = CIMultiDict((name, value) for name, value in request.headers.items() if name.lower() not in _HOPS)
        async with self._session.request(
            call.method, self.server + request.raw_path, headers=headers, data=call.body, allow_redirects=False
        ) as answer:
            kept = CIMultiDict((name, value) for name, value in answer.headers.items() if name.lower() not in _HOPS)
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    async def _close(self, _application: web.Application) -> None:
        if self._session is not None:
            await self._session.close()
