"""The composition root: the only file that knows all the parts.

    async with opened(settings) as app:
        await app.serve(channels_of(app), stop=stop)     # until `stop` is set
        replies = await app.say(message)                 # one message through the very same way

Owns: what is built with what. Leaves to `bot.host` what the whole does, everything else to the parts.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot import health
from bot.admin_desks import AdminHouse, admin_parts
from bot.admin_page import PageDesk
from bot.ageing import Ageing
from bot.crowd import Crowd
from bot.delivery import Delivery
from bot.dispatch import Dispatcher
from bot.duty import Duty
from bot.errors import ModelError
from bot.forgetting import Forgetting
from bot.front_door import FrontDoor, Listed
from bot.health import Health
from bot.health_counts import Counts
from bot.host import App
from bot.house import House
from bot.intake import Reception
from bot.learning import Learner
from bot.logs import Logger
from bot.loop_watch import LoopWatch
from bot.metrics import Metrics
from bot.models.catalogue import Catalogue, choosing
from bot.models.families import every
from bot.models.pool import Pool
from bot.models.publishing import assigned
from bot.models.tasks import EMBED
from bot.quota import Quotas
from bot.retrieval.access import Access
from bot.retrieval.library import Shelves
from bot.retrieval.links import Fetcher
from bot.roles import Roles
from bot.router import Router
from bot.sandbox import Sandbox
from bot.skill import Kit, Skill, Slot
from bot.store.admins import Admins
from bot.store.alone import used
from bot.store.assignments import Assignments
from bot.store.audiences import Audiences
from bot.store.audit import Audit
from bot.store.blobs import BlobStore
from bot.store.chats import Chats, Label
from bot.store.database import Database
from bot.store.dead import DeadLetters
from bot.store.documents import Documents
from bot.store.erasing import Eraser
from bot.store.gauges import Gauges
from bot.store.generations import Generations
from bot.store.guests import Guests
from bot.store.inbox import Inbox
from bot.store.lease import Lease
from bot.store.moving import Moves
from bot.store.outbox import Outbox
from bot.store.sessions import Sessions
from bot.store.swaps import Swaps
from bot.store.traffic import Traffic
from bot.store.transcript import Talk
from bot.store.usage import Usage
from bot.swapping import SwapHouse, swap_parts
from bot.worker import Worker

if TYPE_CHECKING:
    from bot.channels.channel import Channel
    from bot.config import Settings
    from bot.locale import Language
    from bot.message import Message
    from bot.router import Decision
    from bot.store.outbox import Parcel

__all__ = ["App", "channels_of", "load_skills", "opened", "session_key"]

log = Logger(__name__)

SKILLS = "paring.skills"
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
        yield await _assemble(settings, database, lease, sandbox, catalogue, pool, library)


def channels_of(app: App) -> list[Channel]:
    """Return the channels that the settings ask for."""
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
        from bot.channels.telegram import Telegram  # noqa: PLC0415 - and python-telegram-bot where there is a token

        channels.append(Telegram(app.settings.telegram, blobs=app.blobs))
    if app.settings.slack.bot_tokens.get_secret_value():
        from bot.channels.slack import Slack  # noqa: PLC0415 - and slack-bolt where there is a token

        channels.append(Slack(app.settings.slack, blobs=app.blobs))
    return channels


def load_skills(kit: Kit) -> list[Skill]:
    """Return every skill that is installed, in the order of the entry points: the project's own first."""
    points = sorted(
        (point for point in every() if point.group == SKILLS), key=lambda point: not point.value.startswith("skills.")
    )
    loaded = [(point, _load_skill(point, kit)) for point in points]
    return [skill for _point, skill in loaded if skill is not None]


def _load_skill(point: EntryPoint, kit: Kit) -> Skill | None:
    try:
        skill: Skill = point.load()(kit)
    except Exception:  # a stranger's broken skill must not stop the bot
        log.exception("a skill could not be loaded and is left out", skill=point.name, code=point.value)
        return None
    return skill


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


async def _assemble(
    settings: Settings, database: Database, lease: Lease, sandbox: Sandbox, catalogue: Catalogue, pool: Pool, library: Shelves
) -> App:
    inbox, outbox, chats = Inbox(database, owner=lease.name), Outbox(database, owner=lease.name), Chats(database)
    blobs, moves = BlobStore(settings.home / "blobs"), Moves(database, chats)
    channels: dict[str, Channel] = {}
    skills: list[Skill] = []
    links = Fetcher(settings.links)
    roles, audit = Roles(settings, Admins(database)), Audit(database)
    listed = {"telegram": Listed.of(settings.telegram.allowed_users, settings.telegram.allowed_chats)}
    if settings.slack.allowed_users or settings.slack.allowed_chats or settings.front_door != "auto":
        listed["slack"] = Listed.of(settings.slack.allowed_users, settings.slack.allowed_chats)
    door = FrontDoor(settings.front_door, listed, roles=roles, guests=Guests(database), moves=moves)
    kit = Kit(
        settings, pool, library, inbox, links, blobs, sandbox, skills=lambda: tuple(skills), is_admin=roles.admits_sender
    )  # fmt: skip
    learner = Learner(lambda: app.learn())  # noqa: PLW0108 - the app is put together last
    eraser = Eraser(database, blobs, unlearn=lambda: app.unlearn())  # noqa: PLW0108 - as above
    router, access = Router(pool), Access(Audiences(database), channels, admits=door.admits_sender)
    counts, duty = Counts(Metrics()), Duty(settings.home)
    pool.listen(counts.asked)
    quotas = Quotas(
        settings.quotas, Usage(database), roles, zone=settings.zone, skills=lambda: tuple(skills), counted=counts.over_quota
    )  # fmt: skip
    delivery = Delivery(outbox, channels, ended=lease.ended, heard=counts.sent)
    dead = DeadLetters(database)

    parts = swap_parts(
        SwapHouse(settings, database, outbox, lease, catalogue, pool, library, chats, roles, channels, delivery.hand)
    )
    admin, sight = admin_parts(
        AdminHouse(
            kit, roles, audit, pool, catalogue, Traffic(database), parts.swapper, parts.bench, parts.hub, door, dead, quotas
        )
    )
    house = House(inbox, chats, library, eraser, str(settings.home), quotas=quotas, kept_days=settings.retention.days)
    skills += [*await asyncio.to_thread(load_skills, kit), house, admin]

    async def decide(text: str, language: Language) -> Decision:
        return await app.decide(text, language)

    async def keep_label(message: Message, skill: str) -> None:
        route = await inbox.route_of(message)
        await chats.keep_label(Label(message.text, message.language, skill, route.skill if route else ""))
        learner.notice()

    def equipped(skill: Skill) -> bool:
        return all(pool.live(slot) for slot in skill.slots if slot.name == skill.name)

    def not_taken(message: Message, parcels: Sequence[Parcel]) -> None:
        counts.refused(message.address.channel)
        delivery.hand(parcels)

    dispatcher = Dispatcher(
        skills, decide, text_bytes=settings.limits.text_bytes, keep_label=keep_label, equipped=equipped, access=access,
        watched=parts.watched,
    )  # fmt: skip
    dispatcher.heard, dispatcher.charged = counts.heard, quotas.charged
    worker = Worker(
        inbox, dispatcher, blobs, channels, limits=settings.limits, replied=delivery.hand, ended=lease.ended, moves=moves,
        is_through=delivery.is_through, quotas=quotas,
    )  # fmt: skip
    intake = Reception(
        inbox, chats, blobs, moves, arrived=worker.hand, stop=worker.stop, default=settings.language,
        text_bytes=settings.limits.text_bytes, members_changed=access.changed, refused=admin.refused_press,
        complained=parts.probation.complained, door=door, not_taken=not_taken,
        crowd=Crowd(worker.waiting, delivery.waiting, chat_queue=settings.limits.chat_queue, queue=settings.limits.queue),
        removed=Forgetting(inbox, library, eraser).removed,
    )  # fmt: skip
    app = App(
        settings=settings, database=database, inbox=inbox, outbox=outbox, chats=chats, blobs=blobs, catalogue=catalogue, pool=pool,
        library=library, router=router, dispatcher=dispatcher, intake=intake, worker=worker, delivery=delivery, learner=learner,
        eraser=eraser, ageing=Ageing(library, eraser, audit), links=links, channels=channels, roles=roles, audit=audit,
        swapper=parts.swapper, watching=parts.watching,
        page=PageDesk(parts.swapper, roles, audit, pool, catalogue, sight), admin=admin, duty=duty, door=door, dead=dead,
        quotas=quotas,
        health=Health(health.House(settings.home, Gauges(database), library, pool, channels, duty), counts, LoopWatch()),
    )  # fmt: skip
    library.changeover.before_flip, library.changeover.flipped = app.route_by, app.embed_by
    library.changeover.needed = partial(pool.keep_only, EMBED)
    return app


def session_key(home: Path) -> bytes:
    """Return the key that signs the web page's sessions; made once, readable by the bot's user alone."""
    file = home / "session.key"
    if not file.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError), os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
            handle.write(secrets.token_bytes(32))
    return file.read_bytes()
