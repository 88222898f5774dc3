"""The web page: a chat served by the bot itself, on this machine alone unless a password is set.

Owns the channel's contract. Leaves to `web_server` the server's life, to `web_page` NiceGUI, to `web_routes` HTTP, to
`web_guard` and `web_door` who may come in, to `web_documents` what sources open, to `web_render` and `assets/` how it looks,
to a Transcript where the past lies.

    web = Web(settings.web, blobs=blobs, transcript=transcript)
    async with asyncio.TaskGroup() as group:
        group.create_task(web.run(intake))
        await web.ready.wait()
        print(web.url)                    # http://127.0.0.1:8080
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.channels.channel import Intake, Limits
from bot.channels.imports import OF_NICEGUI, without
from bot.channels.incoming import clean_text, parse_command
from bot.channels.web_server import address_of, is_loopback, listen, serve
from bot.channels.web_transcript import PAGE_ENTRIES, Entry, Files, Transcript
from bot.config import MEBIBYTE, LimitSettings, WebSettings
from bot.errors import ChannelError, SettingsError, TooLargeError
from bot.locale import LANGUAGES, Language, phrases
from bot.message import Address, Attachment, Message, Press, Reply, pack
from bot.passage import Scope
from bot.skill import CommandSpec

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from bot.channels.health_port import HealthDesk
    from bot.channels.web_admin import AdminDesk, AdminPages
    from bot.channels.web_documents import DocumentPages, Documents
    from bot.channels.web_door import Door, Sessions
    from bot.channels.web_page import Screens
    from bot.channels.web_render import Renderer, Shown

_ = phrases(__file__)

ME = "me"
"""The person on the page: one password is one identity."""
QUICKLY_RENDERED = 20_000
"""Characters of Markdown that take about a millisecond; longer texts are rendered on a thread."""


class Web:
    """The chat page as a channel. One person, one direct chat: `Address("web", "local", "me")`."""

    name = "web"
    account = "local"
    groups = False

    def __init__(
        self,
        settings: WebSettings,
        *,
        blobs: Files,
        transcript: Transcript,
        sizes: LimitSettings | None = None,
        session_key: bytes = b"",
        documents: Documents | None = None,
        admin: AdminDesk | None = None,
        sessions: Sessions | None = None,
    ) -> None:
        """Prepare to serve `transcript`, `blobs`, `documents` and `admin`.

        `sessions` outlive the process with the same `session_key`.

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
        self.post = f"{self.name} {settings.host}:{settings.port}" if settings.port else ""
        self.ready = asyncio.Event()
        self.url = ""
        self._blobs = blobs
        self._transcript = transcript
        self._session_key = session_key
        self._sessions = sessions
        self._documents = documents
        self._admin = admin
        self.health: HealthDesk | None = None
        """Who knows how the bot is; to be set before it runs."""
        self._admin_pages: AdminPages | None = None
        self._pages: DocumentPages | None = None
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
        listener = listen(self._settings.host, self._settings.port)
        try:
            application = await self._application()
            self.url = address_of(listener, self._settings.host)
            await serve(application, listener, ready=self.ready, proxies=self._settings.proxies)
            raise ChannelError(_("The web page stopped by itself. Please start me again; nothing that was said is lost."))
        finally:
            listener.close()
            self.ready.clear()
            if self._admin_pages:
                await self._admin_pages.close()
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

    async def member(self, person: str, scope: Scope) -> bool:
        """Say no: every chat here has one reader."""
        del person, scope
        return False

    async def workspace(self, chat: str) -> None:
        """Name none: there are no groups here."""

    async def fetch(self, attachment: Attachment, into: Path) -> None:
        """Copy an uploaded file from the blob store into `into`."""
        try:
            await asyncio.to_thread(shutil.copyfile, self._blobs.path(attachment.blob), into)
        except (OSError, ValueError) as error:
            raise ChannelError(_("{name} is no longer here. Please drop it again.", name=attachment.name)) from error

    async def publish_commands(self, commands: Sequence[CommandSpec], admin_commands: Sequence[CommandSpec]) -> None:
        """Offer the listed commands where one types a slash; the admin's too, unless the person here is to be none."""
        offered = (*commands, *admin_commands) if self._settings.admin else commands
        self._commands = [command for command in offered if command.listed]
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
        door, renderer = await asyncio.to_thread(_load, self._password, self._session_key, self._sessions)
        from bot.channels.web_admin import AdminPages  # noqa: PLC0415 - loaded on a thread by now, as the five below
        from bot.channels.web_documents import DocumentPages  # noqa: PLC0415
        from bot.channels.web_guard import Guard  # noqa: PLC0415
        from bot.channels.web_page import Screens  # noqa: PLC0415
        from bot.channels.web_routes import Routes  # noqa: PLC0415

        self._pages = DocumentPages(
            self._documents, address=self.address, transcript=self._transcript, files=self._blobs, renderer=renderer
        )  # fmt: skip
        self._admin_pages = (
            AdminPages(self._admin, person=f"{self.name}:{ME}", origin=pack(self.address), renderer=renderer)
            if self._admin
            else None
        )
        routes = Routes(
            self, door=door, renderer=renderer, files=self._blobs, pages=self._pages, admin=self._admin_pages,
            file_bytes=self.limits.download_bytes, text_bytes=self._sizes.text_bytes,
        )  # fmt: skip
        routes.health = self.health
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
            "documents": await self._pages.count() if self._pages else 0,
            "admin": self._admin is not None and await self._admin.may(f"{self.name}:{ME}"),
            "limits": {"file_mb": self._sizes.file_mb, "batch_files": BATCH_FILES, "text_bytes": self._sizes.text_bytes},
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


def _load(password: str, session_key: bytes, sessions: Sessions | None) -> tuple[Door, Renderer]:
    """Import what the page needs and make what takes long: most of a second, on a thread."""
    with without(*OF_NICEGUI):
        import bot.channels.web_page  # noqa: F401, PLC0415 - NiceGUI is the longest import of all
    from bot.channels.web_door import Door  # noqa: PLC0415
    from bot.channels.web_render import Renderer  # noqa: PLC0415

    renderer = Renderer()
    facts = {"documents": 0, "admin": False, "limits": {"file_mb": 1, "batch_files": 1}}
    renderer.page(
        [Entry("", Reply("…", "en"), datetime.now(UTC))], "en", facts=facts, signed_in=False
    )  # the first one takes 0.1 s
    return Door(password, key=session_key, sessions=sessions), renderer


def _event(shown: Shown, *, side: str) -> dict[str, object]:
    return {"kind": "entry", "side": side, "id": shown.id, "html": shown.html, "digest": shown.digest, "place": shown.place}
