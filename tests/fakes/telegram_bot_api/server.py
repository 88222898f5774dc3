"""The HTTP side: /bot<token>/<method>, /file/bot<token>/<path>, and /_control/ for tests."""

from __future__ import annotations

import asyncio
import re

from aiohttp import web

from .answers import NOT_FOUND, UNAUTHORIZED, Json, Refusal, bad
from .control import Control
from .faults import Fault
from .methods import Method, Methods
from .parameters import Parameters, read_parameters
from .updates import Updates
from .world import Call, World

_TOKEN = re.compile(r"\d+:[\w-]+", re.ASCII)
MAX_BODY_BYTES = 64 * 1024 * 1024


class Server:
    """One world behind HTTP."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._updates = Updates(world)
        self._methods: dict[str, Method] = {
            **Methods(world).by_name,
            "getupdates": self._updates.get,
            "setwebhook": self._updates.set_webhook,
            "deletewebhook": self._updates.delete_webhook,
            "getwebhookinfo": self._updates.webhook_info,
        }
        self.faults: list[Fault] = []

    def application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_route("*", "/bot{token}/{method}", self._call)
        application.router.add_get("/file/bot{token}/{path:.+}", self._file)
        Control(self._world, self.faults).add_to(application)
        application.on_cleanup.append(self._close)
        return application

    async def _close(self, _application: web.Application) -> None:
        await self._updates.close()

    async def _call(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        try:
            method = self._method(request.match_info["token"], name)
            parameters = await read_parameters(request)
        except Refusal as refusal:
            return web.json_response(refusal.body(), status=refusal.code)
        except (ValueError, UnicodeDecodeError):
            return web.json_response(bad("can't parse the request").body(), status=400)
        call = Call(name, parameters.values, files={name: len(file.content) for name, file in parameters.files.items()})
        self._world.calls.append(call)
        fault = next((fault for fault in self.faults if fault.strikes(name.lower(), parameters.text("chat_id"))), None)
        if fault is None:
            body, status = await self._answer(call, method, parameters)
            await self._world.tell()
            return web.json_response(body, status=status)
        if fault.kind == "refuse":
            call.error = fault.description
            await self._world.tell()
            return web.json_response(Refusal(fault.code, fault.description, fault.parameters).body(), status=fault.code)
        if fault.kind == "page":
            call.error = fault.description
            await self._world.tell()
            return web.json_response({"detail": fault.description}, status=fault.code)
        if fault.kind.endswith("_after"):
            await self._answer(call, method, parameters)
        await self._world.tell()
        return await self._broken(fault.kind, request)

    def _method(self, token: str, name: str) -> Method:
        self._check(token)
        method = self._methods.get(name.lower())
        if method is None:
            raise Refusal(*NOT_FOUND)
        return method

    async def _broken(self, kind: str, request: web.Request) -> web.StreamResponse:
        """Answer with garbage, cut the connection, or keep it open and say nothing until the other side has gone."""
        if kind.startswith("garbage"):
            return web.Response(text="<html>not JSON</html>", content_type="text/html")
        if kind.startswith("hang"):
            await asyncio.Event().wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _answer(self, call: Call, method: Method, parameters: Parameters) -> tuple[Json, int]:
        try:
            result = await method(parameters)
        except Refusal as refusal:
            call.error = refusal.description
            return refusal.body(), refusal.code
        call.ok = True
        return {"ok": True, "result": result}, 200

    async def _file(self, request: web.Request) -> web.Response:
        try:
            self._check(request.match_info["token"])
        except Refusal as refusal:
            return web.json_response(refusal.body(), status=refusal.code)
        path = request.match_info["path"]
        file = next((file for file in self._world.files.values() if file.path == path), None)
        if file is None:
            return web.json_response(Refusal(*NOT_FOUND).body(), status=404)
        return web.Response(body=file.content, content_type="application/octet-stream")

    def _check(self, token: str) -> None:
        if not _TOKEN.fullmatch(token):
            raise Refusal(*NOT_FOUND)
        if token != self._world.token:
            raise Refusal(*UNAUTHORIZED)
