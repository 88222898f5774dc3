"""The page's own requests: say, press, upload, look back, fetch a file, open a source, sign in.

Owns HTTP: what is read of a request before it is trusted, and the answers. Leaves to `bot.channels.web` what becomes of
a message, to `bot.channels.web_guard` who may ask.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import parse_qs, unquote

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from bot import lazy
from bot.channels.health_port import HealthDesk
from bot.channels.incoming import clean_name, kind_of, media_type_of
from bot.channels.web_admin import AdminPages
from bot.channels.web_documents import DocumentPages
from bot.channels.web_door import COOKIE, COOKIE_LIFE_S, Door
from bot.channels.web_files import as_file
from bot.channels.web_guard import OWN_HEADER, content_policy, session_of
from bot.channels.web_render import ASSETS, BLOB, Renderer, Shown
from bot.channels.web_server import is_loopback
from bot.channels.web_transcript import PAGE_ENTRIES, Files
from bot.config import MEBIBYTE
from bot.errors import DeniedError, InputError, ParingError, TooLargeError
from bot.locale import Language, Text, phrases
from bot.logs import Logger
from bot.message import Attachment
from bot.recent import Recent

_ = phrases(__file__)
log = Logger(__name__)

BATCH_FILES = 2000
"""Files of one message: a folder that a person drops; each takes about 200 bytes of the message's JSON."""
NO_TELEMETRY: TelemetryConfig = {"auto_configure": False, "tracing": False, "metrics": False, "logs": False}
"""FastAPI can be told by variables of the environment to send what is asked of it to a collector: not here."""
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""What proxies add to what they hand on."""
FORM_BYTES = 8192
WRITE_BYTES = MEBIBYTE
UPLOADS_AT_ONCE = 4
UPLOADED = 10_000
"""Uploads that are remembered as this page's own, until a message names them."""
DISK_LEFT_BYTES = 256 * MEBIBYTE
"""What an upload leaves of the disk: the database wants to write, too."""
LANGUAGE_COOKIE = "paring-language"
ID = lazy.compile(r"[A-Za-z0-9_-]{8,64}")


class Desk(Protocol):
    """What the routes need of the channel. Implemented by `bot.channels.web.Web`."""

    async def say(self, id: str, text: str, files: list[Attachment], *, reply_to: str, language: Language) -> Shown:  # noqa: A002
        """Take a message in; return how it is shown. Raises InputError for what cannot be taken."""
        ...

    async def press(self, id: str, token: str, *, language: Language) -> str:  # noqa: A002
        """Take a press in; return the note for the one who pressed."""
        ...

    async def look_back(self, *, before: str) -> list[Shown]:
        """Return the newest entries before a place, oldest first."""
        ...


class Routes:
    """The requests of one page."""

    def __init__(
        self, desk: Desk, *, door: Door, renderer: Renderer, files: Files, pages: DocumentPages, file_bytes: int, text_bytes: int,
        admin: AdminPages | None = None,
    ) -> None:  # fmt: skip
        """Serve `desk`, `pages`, and `admin` where there is one.

        Takes files of up to `file_bytes` and texts of up to `text_bytes` bytes of UTF-8.
        """
        self._pages = pages
        self._admin = admin
        self.health: HealthDesk | None = None
        self._desk = desk
        self._door = door
        self._renderer = renderer
        self._files = files
        self._file_bytes = file_bytes
        self._say_bytes = text_bytes * 6 + BATCH_FILES * 2048  # JSON may write a character as six
        self._uploads = asyncio.Semaphore(UPLOADS_AT_ONCE)
        self._uploaded: Recent[str, None] = Recent(most=UPLOADED)

    def application(self) -> FastAPI:
        """Return the application with all routes."""
        app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, telemetry=NO_TELEMETRY)
        for path, method, answer in (
            ("/healthz", "GET", self._health),
            ("/readyz", "GET", self._health),
            ("/metrics", "GET", self._metrics),
            ("/sign-in", "GET", self._ask_password),
            ("/sign-in", "POST", self._sign_in),
            ("/sign-out", "POST", self._sign_out),
            ("/api/say", "POST", self._say),
            ("/api/press", "POST", self._press),
            ("/api/files", "POST", self._take_file),
            ("/api/history", "GET", self._history),
            ("/blobs/{blob}", "GET", self._blob),
            ("/documents/{number}", "GET", self._opening(self._pages.show)),
            ("/documents/{number}/original", "GET", self._opening(self._pages.original)),
            ("/messages/{id}", "GET", self._opening(self._pages.message)),
            *(self._admin.routes(_language) if self._admin else ()),
        ):
            app.router.add_route(path, _told(answer), methods=[method])
        app.mount(f"/assets/{self._renderer.version}", _Assets(directory=ASSETS), name="assets")
        return app

    @staticmethod
    def _opening(page: Callable[[Request, Language], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return await page(request, page_language(request) or "en")

        return answer

    async def _health(self, request: Request) -> Response:
        """Answer whether the bot lives, and whether it is ready: to everybody, for neither tells anything of anybody."""
        if self.health is None:
            return JSONResponse({"ok": True})
        looked = await self.health.look(request.url.path)
        if looked is None:
            return Response(status_code=404)
        return Response(looked.body, looked.status, media_type=looked.media_type, headers={"Cache-Control": "no-store"})

    async def _metrics(self, request: Request) -> Response:
        """Answer the numbers, to programs of this machine and to who is signed in."""
        signed_in = self._door.locked and await self._door.admits(session_of(request, self._door))
        if not (signed_in or _is_local(request)):
            return Response("Metrics are for this machine alone.", 403, media_type="text/plain")
        return await self._health(request)

    async def _say(self, request: Request) -> Response:
        asked = await read_json(request, self._say_bytes)
        listed = asked.get("files")
        files = [await self._attachment(one) for one in (listed if isinstance(listed, list) else [])[:BATCH_FILES]]
        text = _string(asked, "text")
        if not text.strip() and not files:
            raise InputError(_("There was nothing in that message. Write something, or drop a file."))
        shown = await self._desk.say(_id(asked), text, files, reply_to=_string(asked, "reply_to"), language=_language(request))
        return JSONResponse(_as_json(shown))

    async def _press(self, request: Request) -> Response:
        asked = await read_json(request, FORM_BYTES)
        return JSONResponse({"note": await self._desk.press(_id(asked), _string(asked, "token"), language=_language(request))})

    async def _history(self, request: Request) -> Response:
        shown = await self._desk.look_back(before=request.query_params.get("before", ""))
        return JSONResponse({"entries": [_as_json(one) for one in shown], "earlier": len(shown) >= PAGE_ENTRIES})

    async def _take_file(self, request: Request) -> Response:
        """Stream one file to disk, its size checked before and while it comes."""
        name = clean_name(unquote(request.headers.get("x-name", "")))
        told_bytes = _told_bytes(request)
        self._check_size(name, told_bytes)
        async with self._uploads:
            spooled = await asyncio.to_thread(self._files.spool)
            try:
                await asyncio.to_thread(_check_room, spooled, told_bytes or self._file_bytes)
                size_bytes = await self._receive(request, spooled, name)
                blob = await asyncio.to_thread(self._files.keep_file, spooled)
            finally:
                await asyncio.to_thread(spooled.unlink, missing_ok=True)
        self._uploaded[blob] = None
        media_type = media_type_of(name, declared=request.headers.get("content-type", ""))
        seal = self._door.seal(blob)
        return JSONResponse({"blob": blob, "name": name, "media_type": media_type, "size_bytes": size_bytes, "seal": seal})

    async def _receive(self, request: Request, into: Path, name: str) -> int:
        size_bytes = 0
        waiting = bytearray()
        file: IO[bytes] = await asyncio.to_thread(into.open, "wb")
        try:
            async for piece in request.stream():
                size_bytes += len(piece)
                self._check_size(name, size_bytes)
                waiting += piece
                if len(waiting) >= WRITE_BYTES:
                    await asyncio.to_thread(file.write, bytes(waiting))
                    waiting.clear()
            await asyncio.to_thread(file.write, bytes(waiting))
        finally:
            await asyncio.to_thread(file.close)
        return size_bytes

    def _check_size(self, name: str, size_bytes: int) -> None:
        if size_bytes > self._file_bytes:
            limit = self._file_bytes // MEBIBYTE
            raise TooLargeError(
                _("{name} is larger than {limit} MB and was left out. Everything else is kept.", name=name, limit=limit)
            )

    async def _attachment(self, asked: object) -> Attachment:
        """Return a file that was uploaded before; its size is what lies on the disk, whatever the page says.

        By its seal it is known as uploaded here also to a bot that was started again since.
        """
        described = asked if isinstance(asked, dict) else {}
        blob, name = _string(described, "blob"), clean_name(_string(described, "name"))
        gone = InputError(_("{name} is no longer here. Please drop it again.", name=name))
        if not (self._door.sealed(blob, _string(described, "seal")) or await self._may_open(blob)):
            raise gone
        try:
            status = await asyncio.to_thread(self._files.path(blob).stat)
        except OSError as error:
            raise gone from error
        media_type = media_type_of(name, declared=_string(described, "media_type"))
        return Attachment(kind_of(media_type, name=name), name, media_type, status.st_size, blob=blob)

    async def _blob(self, request: Request) -> Response:
        blob = request.path_params["blob"]
        file = self._files.path(blob) if await self._may_open(blob) else Path("/nonexistent")
        return await as_file(file, name=request.query_params.get("name", ""), kept=True)

    async def _may_open(self, blob: str) -> bool:
        """Say whether a file was uploaded here, or belongs to what this chat may read: knowing its sha256 opens no other's."""
        return BLOB.fullmatch(blob) is not None and (blob in self._uploaded or await self._pages.holds(blob))

    async def _ask_password(self, request: Request) -> Response:
        if not self._door.locked:
            return RedirectResponse("/", 303)
        return self._door_page(request)

    async def _sign_in(self, request: Request) -> Response:
        if not self._door.locked:
            return RedirectResponse("/", 303)
        form = parse_qs((await _body(request, FORM_BYTES)).decode("utf-8", "replace"))
        address = request.client.host if request.client else ""
        admission = await self._door.enter("".join(form.get("password", [])[:1]), address=address)
        if admission.trouble:
            return self._door_page(request, trouble=admission.trouble, wait_s=admission.wait_s)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            COOKIE, admission.cookie, max_age=COOKIE_LIFE_S, httponly=True, samesite="strict", secure=_is_secure(request)
        )  # fmt: skip
        return answer

    async def _sign_out(self, request: Request) -> Response:
        """End the session here, and what the browser has kept of it."""
        await self._door.leave(session_of(request, self._door))
        answer = RedirectResponse("/sign-in", 303, headers={"Clear-Site-Data": '"cache", "storage"'})
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    def _door_page(self, request: Request, *, trouble: Text | None = None, wait_s: int = 0) -> Response:
        language = page_language(request) or "en"
        said = trouble.to(language) if trouble else ""
        policy = content_policy(request.headers.get("host", ""))
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        status = HTTPStatus.TOO_MANY_REQUESTS if wait_s else HTTPStatus.FORBIDDEN if trouble else HTTPStatus.OK
        if wait_s:
            headers["Retry-After"] = str(wait_s)
        return HTMLResponse(self._renderer.sign_in(language, trouble=said), status, headers=headers)


class _Assets(StaticFiles):
    """Files under a path that changes with them: kept by the browser for ever."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response: Response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # handed on as they came
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def page_language(request: Request) -> Language | None:
    """Return the language chosen on the page, else the browser's first one that we have, else None."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    wanted = [chosen, *(part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(","))]
    for tag in wanted:
        head = tag.lower().partition("-")[0]
        if head in ("ko", "en"):
            return "ko" if head == "ko" else "en"
    return None


def _told(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Turn an error into its sentence."""

    async def tell(request: Request) -> Response:
        try:
            return await answer(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except TooLargeError as error:
            return JSONResponse({"error": error.sentence(_language(request))}, 413, headers={"Connection": "close"})
        except DeniedError as error:
            return JSONResponse({"error": error.sentence(_language(request))}, 403)
        except InputError as error:
            return JSONResponse({"error": error.sentence(_language(request))}, 400)
        except ParingError as error:
            return JSONResponse({"error": error.sentence(_language(request))}, 503)
        except Exception:  # the page must outlive any of its requests
            reference = secrets.token_hex(3)
            log.exception("a request of the page broke", reference=reference)
            said = _(
                "Something in me broke over this (ref {reference}). Please try again, or tell the admin.", reference=reference
            )
            return JSONResponse({"error": said.to(_language(request))}, 500)

    return tell


def _is_local(request: Request) -> bool:
    """Say whether a program of this machine asks, and no proxy of this machine for somebody else."""
    return (
        request.client is not None
        and is_loopback(request.client.host)
        and is_loopback(request.url.hostname or "")
        and not any(name in request.headers for name in FORWARDED)
    )


def _language(request: Request) -> Language:
    told = request.headers.get(OWN_HEADER, "")
    return "ko" if told == "ko" else "en" if told == "en" else page_language(request) or "en"


async def _body(request: Request, most: int) -> bytes:
    """Return the body. Raises TooLargeError as soon as it is known to be over `most` bytes."""
    body = bytearray()
    too_large = TooLargeError(_("That text is too long to send. Save it as a file and drop it here."))
    if _told_bytes(request) > most:
        raise too_large
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise too_large
    return bytes(body)


def _told_bytes(request: Request) -> int:
    """Return how long the body is said to be, 0 where that is not said in figures; it is counted all the same."""
    told = request.headers.get("content-length", "")
    return int(told[:20]) if told.isascii() and told.isdigit() else 0


def _check_room(beside: Path, size_bytes: int) -> None:
    """Raise TooLargeError where a file of this size would fill the disk on which `beside` lies; it is there twice for a moment."""
    if shutil.disk_usage(beside.parent).free < 2 * size_bytes + DISK_LEFT_BYTES:
        raise TooLargeError(
            _("There is too little room left on the disk for this file. Nothing was kept; whoever runs me can make some.")
        )


def _is_secure(request: Request) -> bool:
    """Say whether the browser came by https: by what a trusted proxy says of it, or by the origin that the browser itself names."""
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")


async def read_json(request: Request, most: int) -> dict[str, object]:
    """Return the mapping that the page sent, {} where it is none. Raises InputError, TooLargeError."""
    body = await _body(request, most)
    try:
        asked = json.loads(body) if len(body) < MEBIBYTE else await asyncio.to_thread(json.loads, body)
    except (ValueError, RecursionError) as error:
        raise InputError(_("The page sent something that cannot be read. Please reload it.")) from error
    return asked if isinstance(asked, dict) else {}


def _string(asked: dict[str, object], key: str) -> str:
    value = asked.get(key, "")
    return value if isinstance(value, str) else ""


def _id(asked: dict[str, object]) -> str:
    told = _string(asked, "id")
    if not ID.fullmatch(told):
        raise InputError(_("The page sent something that cannot be read. Please reload it."))
    return told


def _as_json(shown: Shown) -> dict[str, str]:
    return {"id": shown.id, "html": shown.html, "digest": shown.digest, "place": shown.place}
