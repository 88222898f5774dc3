"""The web page: a chat served by the bot itself, on this machine alone unless a password is set.

Owns the channel's contract and the server's life. Leaves to `web_page` NiceGUI, to `web_routes` HTTP, to `web_guard` and
`web_door` who may come in, to `web_render` and `assets/` how it looks, to a Transcript where the past lies.

    web = Web(settings.web, blobs=blobs, transcript=transcript)
    async with asyncio.TaskGroup() as group:
        group.create_task(web.run(intake))
        await web.ready.wait()
        print(web.url)                    # http://127.0.0.1:8080
"""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.channels.channel import Intake, Limits
from bot.channels.incoming import clean_text, parse_command
from bot.channels.web_transcript import PAGE_ENTRIES, Entry, Files, Transcript
from bot.config import MEBIBYTE, LimitSettings, WebSettings
from bot.errors import ChannelError, SettingsError, TooLargeError
from bot.locale import LANGUAGES, Language, phrases
from bot.message import Address, Attachment, Message, Press, Reply
from bot.skill import CommandSpec

if TYPE_CHECKING:
    import uvicorn
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from bot.channels.web_door import Door
    from bot.channels.web_page import Screens
    from bot.channels.web_render import Renderer, Shown

_ = phrases(__file__)

ME = "me"
"""The person on the page: one password is one identity."""
QUICKLY_RENDERED = 20_000
"""Characters of Markdown that take about a millisecond; longer texts are rendered on a thread."""
STOP_S = 2


class Web:
    """The chat page as a channel. One person, one direct chat: `Address("web", "local", "me")`."""

    name = "web"
    account = "local"

    def __init__(
        self,
        settings: WebSettings,
        *,
        blobs: Files,
        transcript: Transcript,
        sizes: LimitSettings | None = None,
        session_key: bytes = b"",
    ) -> None:
        """Prepare to serve `transcript` and `blobs`; sessions outlive the process where the same `session_key` is given.

        Raises:
            SettingsError: an address that others reach, and no password.
        """
        self._settings = settings
        self._sizes = sizes or LimitSettings()
        self._password = settings.password.get_secret_value()
        if not self._password and not is_loopback(settings.host):
            raise SettingsError(
                _(
                    "The web page would be open to everybody who reaches {host}. Set PARING_WEB__PASSWORD, or web.host to 127.0.0.1.",
                    host=settings.host,
                )
            )
        self.limits = Limits(
            self._sizes.text_bytes, self._sizes.file_mb * MEBIBYTE, self._sizes.file_mb * MEBIBYTE, edits=True, repeatable_sends=True
        )  # fmt: skip
        self.address = Address(self.name, self.account, ME)
        self.ready = asyncio.Event()
        self.url = ""
        self._blobs = blobs
        self._transcript = transcript
        self._session_key = session_key
        self._commands: Sequence[CommandSpec] = ()
        self._intake: Intake | None = None
        self._screens: Screens | None = None
        self._renderer: Renderer | None = None

    async def run(self, intake: Intake) -> None:
        """Serve until cancelled; see the contract. One page a process, because NiceGUI has one application.

        Raises:
            ChannelError: the port is taken, or the server ended by itself.
        """
        self._intake = intake
        listener = self._listen()
        try:
            application = await self._application()
            self.url = f"http://{_shown_host(self._settings.host)}:{listener.getsockname()[1]}"
            server = _server(application, self.ready)
            serving = asyncio.ensure_future(server.serve(sockets=[listener]))
            try:
                await asyncio.shield(serving)
            finally:
                server.should_exit = True
                await asyncio.shield(serving)
            raise ChannelError(_("The web page stopped by itself. Please start me again; nothing that was said is lost."))
        finally:
            listener.close()
            self.ready.clear()
            self._screens = None

    async def send(self, reply: Reply, to: Address, *, key: str) -> str:
        """Show `reply` to the browsers that are open; others read it in the transcript. Returns `key`: the same one shows once."""
        return await self.edit(key, reply, to)

    async def edit(self, sent: str, reply: Reply, to: Address) -> str:
        """Show `reply` in the place of the entry `sent`."""
        if to.chat == ME and self._screens:
            await self._push_entry(Entry(sent, reply, datetime.now(UTC)))
        return sent

    async def typing(self, to: Address) -> None:
        """Show the dots for a few seconds."""
        if to.chat == ME and self._screens:
            await self._screens.push({"kind": "typing"})

    async def fetch(self, attachment: Attachment, into: Path) -> None:
        """Copy an uploaded file from the blob store into `into`."""
        try:
            await asyncio.to_thread(shutil.copyfile, self._blobs.path(attachment.blob), into)
        except (OSError, ValueError) as error:
            raise ChannelError(_("{name} is no longer here. Please drop it again.", name=attachment.name)) from error

    async def publish_commands(self, commands: Sequence[CommandSpec], admin_commands: Sequence[CommandSpec]) -> None:
        """Offer the listed commands where one types a slash; the admin's too, who is the only one here."""
        self._commands = [command for command in (*commands, *admin_commands) if command.listed]
        if self._screens:
            await self._screens.push({"kind": "commands", "commands": self._menu()})

    # ------------------------------------------------------------------ what the routes ask for (web_routes.Desk)

    async def say(self, id: str, text: str, files: list[Attachment], *, reply_to: str, language: Language) -> Shown:  # noqa: A002
        """Commit a message and return how it is shown; to send it again with its id changes nothing."""
        said = clean_text(text).strip()
        if len(said.encode()) > self._sizes.text_bytes:
            raise TooLargeError(_("That text is too long to send. Save it as a file and drop it here."))
        quoted = await self._transcript.find(self.address, reply_to) if reply_to else None
        message = Message(
            self.address, ME, id, said, await self._live_intake.language(self.address, said, language), datetime.now(UTC),
            attachments=tuple(files), reply_to=self._as_message(quoted) if quoted else None, command=parse_command(said),
        )  # fmt: skip
        entry = Entry(id, message, message.sent_at)
        shown = await self._show(entry)
        if (await self._live_intake.accept(message)).fresh and self._screens:
            await self._screens.push(_event(shown, side="own"))
        return shown

    async def press(self, id: str, token: str, *, language: Language) -> str:  # noqa: A002
        """Commit a press and return the note for the one who pressed."""
        press = Press(self.address, ME, id, token, language, datetime.now(UTC))
        return (await self._live_intake.accept(press)).note

    async def look_back(self, *, before: str) -> list[Shown]:
        """Return the newest entries before a place, oldest first."""
        entries = await self._transcript.page(self.address, before=before, count=PAGE_ENTRIES)
        return [await self._show(entry) for entry in entries]

    # ------------------------------------------------------------------ the page

    async def _application(self) -> ASGIApp:
        """Put the parts together."""
        door, renderer = await asyncio.to_thread(_load, self._password, self._session_key)
        from bot.channels.web_guard import Guard  # noqa: PLC0415 - loaded on a thread by now, as the three below
        from bot.channels.web_page import Screens  # noqa: PLC0415
        from bot.channels.web_routes import Routes  # noqa: PLC0415

        routes = Routes(
            self, door=door, renderer=renderer, files=self._blobs,
            file_bytes=self.limits.download_bytes, text_bytes=self._sizes.text_bytes,
        )  # fmt: skip
        app = routes.application()
        self._renderer, self._screens = renderer, Screens(renderer)
        self._screens.mount(app, self._body)
        return Guard(app, door=door, own_hosts_only=not door.locked)

    async def _body(self, request: Request) -> str:
        """Return the page's body for a request: the newest entries, and what the script must know."""
        from bot.channels.web_routes import BATCH_FILES, LANGUAGE_COOKIE, page_language  # noqa: PLC0415
        from bot.channels.web_words import words  # noqa: PLC0415

        entries = await self._transcript.page(self.address, count=PAGE_ENTRIES)
        language = page_language(request)
        if LANGUAGE_COOKIE not in request.cookies:
            language = await self._live_intake.language(self.address, "", language or "")
        facts = {
            "words": {each: words(each) for each in LANGUAGES},
            "commands": self._menu(),
            "earlier": len(entries) >= PAGE_ENTRIES,
            "limits": {"file_mb": self._sizes.file_mb, "batch_files": BATCH_FILES},
        }
        renderer = self._live_renderer
        return await asyncio.to_thread(renderer.page, entries, language or "en", facts=facts, signed_in=bool(self._password))

    async def _push_entry(self, entry: Entry) -> None:
        if self._screens:
            await self._screens.push(_event(await self._show(entry), side="bot"))

    async def _show(self, entry: Entry) -> Shown:
        renderer = self._live_renderer
        if len(entry.said.text) < QUICKLY_RENDERED:
            return renderer.entry(entry)
        return await asyncio.to_thread(renderer.entry, entry)

    def _as_message(self, entry: Entry) -> Message:
        """Return what an entry says as a quoted message."""
        said = entry.said
        if isinstance(said, Message):
            return replace(said, reply_to=None)
        pictures = tuple(Attachment("image", picture.alt, picture.media_type, 0, blob=picture.blob) for picture in said.images)
        return Message(self.address, "", entry.id, said.text, said.language, entry.at, attachments=pictures, by_bot=True)

    def _menu(self) -> list[dict[str, object]]:
        return [
            {"name": command.name, "summary": {each: command.summary.to(each) for each in LANGUAGES}}
            for command in self._commands
        ]

    @property
    def _live_intake(self) -> Intake:
        if self._intake is None:
            msg = "the page is not running: call run first"
            raise RuntimeError(msg)
        return self._intake

    @property
    def _live_renderer(self) -> Renderer:
        if self._renderer is None:
            msg = "the page is not running: call run first"
            raise RuntimeError(msg)
        return self._renderer

    def _listen(self) -> socket.socket:
        """Return a socket that listens. Raises ChannelError where it cannot."""
        family = socket.AF_INET6 if ":" in self._settings.host else socket.AF_INET
        try:
            return socket.create_server((self._settings.host, self._settings.port), family=family)
        except OSError as error:
            raise ChannelError(
                _(
                    "The web page cannot listen on {host}, port {port}: {why}. Stop what uses it, or set PARING_WEB__PORT.",
                    host=self._settings.host,
                    port=self._settings.port,
                    why=error.strerror or str(error),
                )
            ) from error


def is_loopback(host: str) -> bool:
    """Say whether only this machine reaches `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _load(password: str, session_key: bytes) -> tuple[Door, Renderer]:
    """Import what the page needs and make what takes long: most of a second, on a thread."""
    import bot.channels.web_page  # noqa: F401, PLC0415 - NiceGUI is the longest import of all
    from bot.channels.web_door import Door  # noqa: PLC0415
    from bot.channels.web_render import Renderer  # noqa: PLC0415

    renderer = Renderer()
    renderer.page([Entry("", Reply("…", "en"), datetime.now(UTC))], "en", facts={}, signed_in=False)  # the first one takes 0.1 s
    return Door(password, key=session_key), renderer


def _server(application: ASGIApp, ready: asyncio.Event) -> uvicorn.Server:
    """Return a server that leaves signals to the process and says when it listens."""
    import uvicorn  # noqa: PLC0415 - only a process that serves pays for it

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            ready.set()

    return Server(
        uvicorn.Config(
            application, log_config=None, access_log=False, lifespan="on", ws="websockets-sansio", server_header=False,
            timeout_graceful_shutdown=STOP_S,
        )
    )  # fmt: skip


def _event(shown: Shown, *, side: str) -> dict[str, object]:
    return {"kind": "entry", "side": side, "id": shown.id, "html": shown.html, "digest": shown.digest, "place": shown.place}


def _shown_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
