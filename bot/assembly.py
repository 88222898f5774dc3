"""What is built with what: the parts of a bot over an open database, put together.

    app = await assemble(Ground(settings, database, lease, sandbox, catalogue, pool, library))

Leaves to `bot.app` what is opened first and closed last, to `bot.host` what the whole does, everything else to the parts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from bot import health
from bot.admin_desks import AdminHouse, admin_parts
from bot.admin_page import PageDesk
from bot.ageing import Ageing
from bot.crowd import Crowd
from bot.delivery import Delivery
from bot.dispatch import Dispatcher
from bot.duty import Duty
from bot.folders import Folders
from bot.foresight import Foresight
from bot.forgetting import Forgetting
from bot.front_door import FrontDoor, Listed
from bot.health import Health
from bot.health_counts import Counts
from bot.host import App
from bot.house import House
from bot.indexing import Indexing
from bot.intake import Reception
from bot.learning import Learner
from bot.linking import Linking
from bot.logs import Logger
from bot.loop_watch import LoopWatch
from bot.metrics import Metrics
from bot.models.tasks import EMBED
from bot.pasts import PastReader
from bot.plugins import every
from bot.quota import Quotas
from bot.retrieval.access import Access
from bot.retrieval.links import Fetcher
from bot.roles import PAGE, Roles
from bot.router import Router
from bot.skill import Kit, Skill
from bot.store.admins import Admins
from bot.store.audiences import Audiences
from bot.store.audit import Audit
from bot.store.blobs import BlobStore
from bot.store.chats import Chats, Label
from bot.store.dead import DeadLetters
from bot.store.erasing import Eraser
from bot.store.gauges import Gauges
from bot.store.guests import Guests
from bot.store.history import History
from bot.store.inbox import Inbox
from bot.store.linked import Linked
from bot.store.moving import Moves
from bot.store.outbox import Outbox
from bot.store.pasts import Pasts
from bot.store.traffic import Traffic
from bot.store.usage import Usage
from bot.swapping import SwapHouse, SwapParts, swap_parts
from bot.worker import Worker

if TYPE_CHECKING:
    from bot.admin import Admin
    from bot.channels.channel import Channel
    from bot.config import Settings
    from bot.locale import Language, Text
    from bot.message import Address, Message
    from bot.models.catalogue import Catalogue
    from bot.models.pool import Pool
    from bot.retrieval.library import Shelves
    from bot.router import Decision
    from bot.sandbox import Sandbox
    from bot.store.database import Database
    from bot.store.lease import Lease
    from bot.store.outbox import Parcel

log = Logger(__name__)

SKILLS = "paring.skills"


@dataclass(frozen=True, slots=True)
class Ground:
    """What is opened first and closed last."""

    settings: Settings
    database: Database
    lease: Lease
    sandbox: Sandbox
    catalogue: Catalogue
    pool: Pool
    library: Shelves


async def assemble(ground: Ground) -> App:
    """Return the app over `ground`."""
    made: list[App] = []
    shared = _Shared.of(ground, app=lambda: made[0])
    library, pool, catalogue = ground.library, ground.pool, ground.catalogue
    parts = swap_parts(
        SwapHouse(
            ground.settings, ground.database, shared.outbox, ground.lease, catalogue, pool, library, shared.chats, shared.roles,
            shared.channels, shared.delivery.hand,
        )
    )  # fmt: skip
    admin, sight = admin_parts(
        AdminHouse(
            shared.kit, shared.roles, shared.audit, pool, catalogue, Traffic(ground.database), parts.swapper, parts.bench, parts.hub,
            shared.door, shared.dead, shared.quotas,
        )
    )  # fmt: skip
    talk = _Talk.of(ground, shared, app=lambda: made[0])
    shared.skills.extend([*await asyncio.to_thread(load_skills, shared.kit), _house(ground, shared, talk), admin])
    dispatcher = _dispatcher(ground, shared, parts, app=lambda: made[0])
    worker = _worker(ground, shared, dispatcher)
    app = App(
        settings=ground.settings, database=ground.database, inbox=shared.inbox, outbox=shared.outbox, chats=shared.chats,
        blobs=shared.blobs, catalogue=catalogue, pool=pool, library=library, router=shared.router, dispatcher=dispatcher,
        intake=_reception(ground, shared, parts, worker, admin, talk),
        worker=worker, delivery=shared.delivery, learner=shared.learner,
        eraser=shared.eraser, ageing=Ageing(library, shared.eraser, shared.audit), channels=shared.channels,
        roles=shared.roles, audit=shared.audit, swapper=parts.swapper, watching=parts.watching,
        page=PageDesk(parts.swapper, shared.roles, shared.audit, pool, catalogue, sight), admin=admin, duty=shared.duty,
        folders=Folders(ground.database, library, shared.links, shared.eraser),
        door=shared.door, dead=shared.dead, quotas=shared.quotas, health=_health(ground, shared), pasts=talk.reader, forgetting=talk.forgetting,
    )  # fmt: skip
    made.append(app)
    library.changeover.before_flip, library.changeover.flipped = app.route_by, app.embed_by
    library.changeover.needed = partial(pool.keep_only, EMBED)
    return app


def channel_lists(settings: Settings) -> dict[str, Listed]:
    """Return whom the settings let in, by channel. In Slack a workspace's people are no strangers, unless the settings say so."""
    strangers = {name: Listed.of(one.allowed_users, one.allowed_chats) for name, one in settings.channels.items()}
    own = {"telegram": settings.telegram, "matrix": settings.matrix}
    listed = strangers | {name: Listed.of(one.allowed_users, one.allowed_chats) for name, one in own.items()}
    if settings.slack.allowed_users or settings.slack.allowed_chats or settings.front_door != "auto":
        listed["slack"] = Listed.of(settings.slack.allowed_users, settings.slack.allowed_chats)
    return listed


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


@dataclass(frozen=True, slots=True)
class _Shared:
    """What several of the parts stand on."""

    inbox: Inbox
    history: History
    outbox: Outbox
    chats: Chats
    blobs: BlobStore
    moves: Moves
    roles: Roles
    audit: Audit
    door: FrontDoor
    links: Fetcher
    kit: Kit
    skills: list[Skill]
    channels: dict[str, Channel]
    router: Router
    access: Access
    learner: Learner
    eraser: Eraser
    counts: Counts
    duty: Duty
    quotas: Quotas
    delivery: Delivery
    dead: DeadLetters
    linked: Linked

    @classmethod
    def of(cls, ground: Ground, *, app: Callable[[], App]) -> Self:
        """Build it; `app` is put together last."""
        settings, database, lease = ground.settings, ground.database, ground.lease
        channels: dict[str, Channel] = {}
        skills: list[Skill] = []
        inbox, outbox, chats = Inbox(database, owner=lease.name), Outbox(database, owner=lease.name), Chats(database)
        history = History(database)
        blobs, moves = BlobStore(settings.home / "blobs"), Moves(database, chats)
        roles, links = Roles(settings, Admins(database), channels), Fetcher(settings.links)
        door = FrontDoor(settings.front_door, channel_lists(settings), roles=roles, guests=Guests(database), moves=moves)
        kit = Kit(
            settings, ground.pool, ground.library, history, links, blobs, ground.sandbox,
            skills=lambda: tuple(skills), is_admin=roles.admits_sender,
        )  # fmt: skip
        linked = Linked(database, apart="" if settings.web.admin else PAGE)
        counts = Counts(Metrics())
        ground.pool.listen(counts.asked)
        quotas = Quotas(
            settings.quotas,
            Usage(database),
            roles,
            zone=settings.zone,
            skills=lambda: tuple(skills),
            counted=counts.over_quota,
            one=linked.one,
        )
        return cls(
            inbox=inbox, history=history, outbox=outbox, chats=chats, blobs=blobs, moves=moves, roles=roles, audit=Audit(database),
            door=door, links=links, kit=kit, skills=skills, channels=channels, router=Router(ground.pool),
            access=Access(Audiences(database), channels, admits=door.admits_sender, others=linked.others),
            learner=Learner(lambda: app().learn()),
            eraser=Eraser(database, blobs, unlearn=lambda: app().unlearn()), counts=counts, duty=Duty(settings.home), quotas=quotas,
            delivery=Delivery(outbox, channels, ended=lease.ended, heard=counts.sent), dead=DeadLetters(database), linked=linked,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Talk:
    """What is kept of what people say, and what they may do about it."""

    pasts: Pasts
    reader: PastReader
    forgetting: Forgetting
    linking: Linking

    @classmethod
    def of(cls, ground: Ground, shared: _Shared, *, app: Callable[[], App]) -> Self:
        """Build it."""
        settings, pasts = ground.settings, Pasts(ground.database)

        async def tell(group: Address, text: Text, language: Language) -> None:
            await app().tell(group, text, language)

        reader = PastReader(
            pasts, ground.library, shared.chats, tell, kept_days=settings.retention.days, admits=shared.door.admits,
        )  # fmt: skip
        forgetting = Forgetting(
            shared.history, ground.library, shared.eraser, leave_out=pasts.leave_out, others=shared.linked.others,
        )  # fmt: skip
        return cls(pasts, reader, forgetting, Linking(shared.linked, tell, shared.access.linked, page=settings.web.admin))


def _house(ground: Ground, shared: _Shared, talk: _Talk) -> House:
    indexing = Indexing(shared.chats, talk.pasts, talk.reader, ground.library, shared.roles, shared.audit, shared.channels)
    return House(
        shared.history, shared.chats, ground.library, talk.forgetting, str(ground.settings.home), quotas=shared.quotas,
        kept_days=ground.settings.retention.days, linking=talk.linking, indexing=indexing, links=ground.settings.links.enabled,
        server=urlsplit(ground.settings.models.chat_url).hostname or "",
    )  # fmt: skip


def _dispatcher(ground: Ground, shared: _Shared, parts: SwapParts, *, app: Callable[[], App]) -> Dispatcher:
    async def decide(text: str, language: Language) -> Decision:
        return await app().decide(text, language)

    async def keep_label(message: Message, skill: str) -> None:
        route = await shared.history.route_of(message)
        await shared.chats.keep_label(Label(message.text, message.language, skill, route.skill if route else ""))
        shared.learner.notice()

    def equipped(skill: Skill) -> bool:
        return all(ground.pool.live(slot) for slot in skill.slots if slot.name == skill.name)

    dispatcher = Dispatcher(
        shared.skills, decide, text_bytes=ground.settings.limits.text_bytes, keep_label=keep_label, equipped=equipped,
        access=shared.access, watched=parts.watched,
    )  # fmt: skip
    dispatcher.before = shared.history.before
    dispatcher.heard, dispatcher.charged = shared.counts.heard, shared.quotas.charged
    dispatcher.asking.thumbs = lambda channel: channel in shared.channels and shared.channels[channel].limits.thumbs
    return dispatcher


def _worker(ground: Ground, shared: _Shared, dispatcher: Dispatcher) -> Worker:
    return Worker(
        shared.inbox, dispatcher, shared.blobs, shared.channels, limits=ground.settings.limits, replied=shared.delivery.hand,
        ended=ground.lease.ended, moves=shared.moves, is_through=shared.delivery.is_through, quotas=shared.quotas,
        take_up_sending=shared.delivery.take_up, unnamed=shared.eraser.let_go,
    )  # fmt: skip


def _reception(ground: Ground, shared: _Shared, parts: SwapParts, worker: Worker, admin: Admin, talk: _Talk) -> Reception:
    def not_taken(message: Message, parcels: Sequence[Parcel]) -> None:
        shared.counts.refused(message.address.channel)
        shared.delivery.hand(parcels)

    limits = ground.settings.limits
    crowd = Crowd(worker.waiting, shared.delivery.waiting, chat_queue=limits.chat_queue, queue=limits.queue)

    def nobody_waits(address: Address) -> bool:
        return not crowd.coming and not worker.waiting(address)[1]

    searches = {
        name
        for skill in shared.skills
        if skill.name == "search"
        for spec in skill.commands
        for name in (spec.name, *spec.aliases)
    }
    talk.forgetting.withdraw = worker.withdraw
    return Reception(
        shared.inbox, shared.chats, shared.blobs, shared.moves, arrived=worker.hand, stop=worker.stop,
        default=ground.settings.language, text_bytes=limits.text_bytes, members_changed=shared.access.changed,
        refused=admin.refused_press, complained=parts.probation.complained, rated=shared.counts.rated, door=shared.door, not_taken=not_taken,
        crowd=crowd,
        removed=talk.forgetting.removed, linking=talk.linking, offered=shared.outbox.offered,
        foresee=Foresight(ground.pool, searches=searches, idle=nobody_waits),
    )  # fmt: skip


def _health(ground: Ground, shared: _Shared) -> Health:
    house = health.House(ground.settings.home, Gauges(ground.database), ground.library, ground.pool, shared.channels, shared.duty)
    return Health(house, shared.counts, LoopWatch())
