"""The composition root: what is opened first and closed last, and which channels there are.

    async with opened(settings) as app:
        await app.serve(channels_of(app), stop=stop)     # until `stop` is set
        replies = await app.say(message)                 # one message through the very same way

Leaves to `bot.assembly` what is built with what, to `bot.host` what the whole does.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.assembly import Ground, assemble, load_skills
from bot.channels.imports import OF_TELEGRAM, without
from bot.channels.spec import ChannelKit, built
from bot.errors import ModelError, SettingsError
from bot.host import App, Hopeless
from bot.locale import Text
from bot.logs import Logger
from bot.models.catalogue import Catalogue, choosing
from bot.models.pool import Pool
from bot.models.publishing import assigned
from bot.models.tasks import EMBED
from bot.retrieval.library import Shelves
from bot.sandbox import Sandbox
from bot.skill import Slot
from bot.store.alone import used
from bot.store.assignments import Assignments
from bot.store.database import Database
from bot.store.documents import Documents
from bot.store.generations import Generations
from bot.store.lease import Lease
from bot.store.sessions import Sessions
from bot.store.swaps import Swaps
from bot.store.transcript import Talk

if TYPE_CHECKING:
    from bot.channels.channel import Channel
    from bot.config import Settings

__all__ = ["App", "channels_of", "load_skills", "opened", "session_key"]

log = Logger(__name__)

MOST_CHILDREN = 4
"""Files that are parsed at the same time, as far as there are cores; a child is started when there is work for it."""


@asynccontextmanager
async def opened(settings: Settings, *, ahead: Sequence[Slot[Any, Any]] = ()) -> AsyncIterator[App]:
    """Give the app, its database at the newest schema; close everything after.

    The models of the slots `ahead` are loaded meanwhile, for a command that will need them at once.

    Raises:
        ParingError: it cannot be opened; the sentence says why.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(used(settings.home))
        database = await Database.open(settings.database)
        lease = stack.enter_context(Lease.taken(settings.home))
        stack.push_async_callback(database.close)
        sandbox = Sandbox.of(settings.limits, children=min(MOST_CHILDREN, os.cpu_count() or 1))
        stack.push_async_callback(sandbox.close)
        catalogue = Catalogue(settings)
        await Swaps(database, owner=lease.name).interrupt(lease.others(), but=(EMBED.name,))
        held = await assigned(settings, catalogue, Assignments(database), but=(EMBED.name,))
        pool = Pool(catalogue, await _as_live(held, catalogue, database))
        stack.push_async_callback(pool.close)
        loading = [asyncio.create_task(_load(pool, slot)) for slot in ahead]
        stack.callback(lambda: [task.cancel() for task in loading])
        library = Shelves(
            database, pool, sandbox, settings.home, settings.limits, now=lambda: datetime.now(UTC).astimezone(settings.zone)
        )
        await library.open()
        stack.push_async_callback(library.close)
        app = await assemble(Ground(settings, database, lease, sandbox, catalogue, pool, library))
        stack.push_async_callback(app.forgetting.close)
        yield app


def _left_out(name: str, why: Text) -> None:
    log.error("a channel cannot be used and is left out", channel=name, why=str(why))


def channels_of(app: App, *, hopeless: Hopeless = _left_out) -> list[Channel]:
    """Return the channels that the settings ask for; `hopeless` is told of one of another package's that cannot be used."""
    channels: list[Channel] = []
    if app.settings.web.enabled:
        from bot.channels.web import Web  # noqa: PLC0415 - NiceGUI is loaded only where the page is served

        web = Web(
            app.settings.web, blobs=app.blobs, transcript=Talk(app.database), documents=Documents(app.database),
            sizes=app.settings.limits, session_key=session_key(app.settings.home), admin=app.page, sessions=Sessions(app.database),
        )  # fmt: skip
        web.health = app.health
        channels.append(web)
    if app.settings.telegram.token.get_secret_value():
        with without(*OF_TELEGRAM):
            from bot.channels.telegram import Telegram  # noqa: PLC0415 - and python-telegram-bot where there is a token

        channels.append(Telegram(app.settings.telegram, blobs=app.blobs))
    if app.settings.slack.bot_tokens.get_secret_value():
        from bot.channels.slack import Slack  # noqa: PLC0415 - and slack-bolt where there is a token

        channels.append(Slack(app.settings.slack, blobs=app.blobs))
    if app.settings.matrix.enabled:
        from bot.channels.matrix import Matrix  # noqa: PLC0415 - and its neighbours where there is an account
        from bot.channels.matrix_crypto import seal  # noqa: PLC0415 - as above

        made = seal(app.settings.matrix, app.settings.home)
        channels.append(Matrix(app.settings.matrix, blobs=app.blobs, home=app.settings.home, seal=made))
    for name, told in app.settings.channels.items():
        try:
            channels.append(built(told, ChannelKit(name, app.blobs, app.settings.home / "channels" / name)))
        except SettingsError as error:  # a stranger's package must not stop the bot
            hopeless(name, error.text)
    return channels


async def _as_live(settings: Settings, catalogue: Catalogue, database: Database) -> Settings:
    """Return `settings` as if they chose the embedder by which is searched; another that they name is a wish, followed in the background."""
    live = await Generations(database).live()
    if live is not None:
        with suppress(ModelError):  # it is not here any more: the settings' own then, and words alone are searched
            settings = choosing(settings, await asyncio.to_thread(catalogue.identified, EMBED.name, live.embedder))
            catalogue.follow(settings)
    return settings


async def _load(pool: Pool, slot: Slot[Any, Any]) -> None:
    """Load the slot's model; what is wrong with it is told to whoever asks it."""
    with suppress(ModelError):
        async with pool.lease(slot):
            pass


def session_key(home: Path) -> bytes:
    """Return the key that signs the web page's sessions; made once, readable by the bot's user alone."""
    file = home / "session.key"
    if not file.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError), os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
            handle.write(secrets.token_bytes(32))
    return file.read_bytes()
