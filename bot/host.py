"""A bot with all its parts at work: takes in, answers, delivers, looks after itself, and ends in order.

    await app.serve(channels, stop=stop, hopeless=tell)     # until `stop` is set
    replies = await app.say(message)                        # one message through the very same way

Owns: in which order the parts start and stop, and what goes on by itself while they run. Leaves to `bot.app` what is built with what.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from bot.admin import Admin
from bot.admin_page import PageDesk
from bot.ageing import Ageing, Kept
from bot.background import in_background
from bot.backups import Backups, Plan
from bot.channels.channel import KnowsAdmins
from bot.channels.health_port import listening
from bot.delivery import Delivery
from bot.dispatch import Dispatcher
from bot.duty import Duty
from bot.errors import ChannelError, ModelError, RetryLaterError, SettingsError, StoreError
from bot.folders import Folders
from bot.forgetting import Forgetting
from bot.front_door import FrontDoor
from bot.health import Health
from bot.intake import Reception
from bot.learning import Learner
from bot.locale import Text, phrases
from bot.logs import Logger
from bot.message import Reply
from bot.models.catalogue import Catalogue, choosing
from bot.models.heads.build import HEADS, keep_feedback, prepared_head
from bot.models.pool import Pool
from bot.models.swap import Swapper
from bot.models.tasks import EMBED, READ, ROUTE
from bot.models.watching import Watching
from bot.notify import Notifier
from bot.passage import Scope
from bot.pasts import PastReader
from bot.quota import Quotas
from bot.retrieval.library import Shelves
from bot.roles import Roles
from bot.router import Feedback, Router, embeddable, relearn
from bot.store.audit import Audit
from bot.store.blobs import BlobStore
from bot.store.chats import Chats
from bot.store.database import Database
from bot.store.dead import DeadLetters
from bot.store.erasing import Eraser
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.store.posts import Posts
from bot.supervise import supervise
from bot.watchdog import watched
from bot.worker import Worker

if TYPE_CHECKING:
    from bot.channels.channel import Channel
    from bot.config import Settings
    from bot.locale import Language
    from bot.message import Address, Message
    from bot.progress import Report
    from bot.router import Decision

log = Logger(__name__)
_ = phrases(__file__)

GRACE_S = 4.0
"""How long answers that are being worked on at a stop may take; what is not done by then is done at the next start."""
SENDING_S = 1.5
"""How long what is answered by then may take to be sent."""
BEGUN_WITHIN_S, LOOK_EVERY_S = 60.0, 0.1
"""How long systemd is not told that all is up while a channel has not begun: a platform that is away must not keep the bot from starting."""
UPKEEP_EVERY_S = 24 * 3600.0
UNNAMED_LIFE = timedelta(days=7)
"""How long a file is kept that no message names: an upload that was never sent."""

Hopeless = Callable[[str, Text], None]
"""Called with a channel's name and the sentence that says why it cannot be used."""
StandsBy = Callable[[str], None]
"""Called with the name of a channel that another bot of the same home serves."""


@dataclass(frozen=True, slots=True)
class App:
    """All the parts, put together."""

    settings: Settings
    database: Database
    inbox: Inbox
    outbox: Outbox
    chats: Chats
    blobs: BlobStore
    catalogue: Catalogue
    pool: Pool
    library: Shelves
    router: Router
    dispatcher: Dispatcher
    intake: Reception
    worker: Worker
    delivery: Delivery
    learner: Learner
    eraser: Eraser
    ageing: Ageing
    folders: Folders
    channels: dict[str, Channel]
    roles: Roles
    audit: Audit
    swapper: Swapper
    watching: Watching
    page: PageDesk
    admin: Admin
    duty: Duty
    door: FrontDoor
    health: Health
    dead: DeadLetters
    quotas: Quotas
    pasts: PastReader
    forgetting: Forgetting

    async def serve(
        self,
        channels: Sequence[Channel],
        *,
        stop: asyncio.Event,
        hopeless: Hopeless,
        stands_by: StandsBy = lambda _name: None,
    ) -> None:
        """Take in, answer and deliver on all `channels` until `stop` is set or none runs any more; then end what is being answered.

        A channel that another bot of the same home serves is stood by for, and served when that one has ended.
        """
        if not channels:
            raise SettingsError(
                _(
                    "There is nothing to serve: web.enabled is false and no account of Telegram, Slack or Matrix is set. Set one of them."
                )
            )
        self.channels.update({channel.name: channel for channel in channels})
        notifier = Notifier.of(os.environ)
        self.health.watch.start()
        async with asyncio.TaskGroup() as group:
            start = partial(_start, group)
            parts = [start(name, run) for name, run in self._beside_the_channels(notifier).items()]
            running = []
            for channel in channels:
                run = partial(self._on_duty, channel, stands_by)
                running.append(start(channel.name, run, hopeless=partial(hopeless, channel.name)))
                parts.append(start(f"{channel.name} menu", partial(self._publish, channel)))
                parts.append(start(f"{channel.name} past", partial(self._read_past, channel)))
            await _first_of(stop, running)
            notifier.say("STOPPING=1")
            self.library.changeover.leaving = True
            self.swapper.leave()
            await self.worker.finish(within_s=GRACE_S)
            await self.delivery.finish(within_s=SENDING_S)
            for part in (*parts, *running):
                part.cancel()
        self.health.watch.stop()

    def _beside_the_channels(self, notifier: Notifier) -> Mapping[str, Callable[[], object]]:
        """Return what runs as long as the bot does, by its name in the log."""
        settings = self.settings
        kept = Kept(settings.retention.days, settings.retention.audit_days)
        plan = Plan(settings.backup.every_h, settings.backup.keep, settings.backups)
        return {
            "worker": self.worker.run,
            "delivery": self.delivery.run,
            "warm": self._warm,
            "upkeep": self._keep_up,
            "ageing": partial(self.ageing.run, kept),
            "backups": Backups(settings.home, plan, Posts(settings.home)).run,
            "watch": self._watch,
            "index": self.library.keep_saved,
            "generations": self._change,
            "swaps": partial(self.watching.run, self.worker.idle),
            "front door": partial(self.door.run, self.tell),
            "health": self._show_health,
            "systemd": partial(self._notify, notifier),
        }

    async def _on_duty(self, channel: Channel, stands_by: StandsBy) -> None:
        """Run the channel where no other bot of this home does; what one that ended left is answered before what comes now."""
        async with self.duty.of(channel, standing_by=stands_by):
            await self.delivery.take_up()
            await self.worker.take_up()
            await watched(channel, partial(channel.run, self.intake), stuck=self.health.counts.stuck)

    async def _show_health(self) -> None:
        """Serve how the bot is on a port of its own, where the settings name one."""
        if port := self.settings.metrics.port:
            async with listening(port, self.health):
                await asyncio.Event().wait()

    async def _notify(self, notifier: Notifier) -> None:
        """Tell systemd when all channels have begun, and that the loop goes on, as often as it asks to be told."""
        if not notifier.wanted:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(BEGUN_WITHIN_S):
                while not self.health.begun:  # noqa: ASYNC110 - what it waits for is many parts
                    await asyncio.sleep(LOOK_EVERY_S)
        notifier.say("READY=1", "STATUS=serving")
        while notifier.every_s is not None:
            notifier.say("WATCHDOG=1")
            await asyncio.sleep(notifier.every_s)

    async def say(self, message: Message) -> list[Reply]:
        """Send one message through inbox, dispatch, skill and outbox; return what came out, marked as sent."""
        number = await self.intake.commit(message)
        if number is None:
            return []
        await self.worker.handle(await self.inbox.one(number))
        parcels = await self.outbox.of(number)
        for parcel in parcels:
            await self.outbox.sent(parcel.id, "")
        return [parcel.reply for parcel in parcels]

    async def _watch(self) -> None:
        """Watch the folders of the settings; one that comes later, a drive that is mounted, is read then."""

        def tell(what: Text, *, trouble: bool) -> None:
            (log.warning if trouble else log.info)("watched folder", what=str(what))

        if folders := self.settings.watch.folders:
            done, watcher = await self.folders.watched(folders, Scope.parse(self.settings.watch.scope), _untold, tell)
            tell(done.text(), trouble=False)
            await watcher.run()

    async def prepare(self, report: Report) -> None:
        """Make, once, what the models that come with the install need; `report` is told what, how much of it, of how much."""
        await self.pool.prepare(report=lambda text, part: report(text, round(100 * part), 100))
        await self.decide("Where is the plan?", "en")

    async def _warm(self) -> None:
        """Load what the first question will need, before it comes; then learn what people say, as they say it."""
        try:
            await self.decide("Where is the plan?", "en")
            await self.library.ready()
            if self.pool.live(READ):
                async with self.pool.lease(READ):
                    pass
        except (ModelError, StoreError) as error:
            log.warning("the first answer will be slower", why=str(error))
        await self.learner.run()

    async def _keep_up(self) -> None:
        """Clear away, once a day, what nobody can use any more: expired buttons, files that no message names."""
        while True:
            await self.chats.drop_expired_buttons()
            await self.quotas.drop_old()
            if gone := await self.eraser.sweep(kept_until=datetime.now(UTC) - UNNAMED_LIFE):
                log.info("files that no message names were deleted", files=gone)
            await asyncio.sleep(UPKEEP_EVERY_S)

    async def tell(self, address: Address, text: Text, language: Language) -> None:
        """Tell somebody what they did not ask for, where a channel that runs reaches them."""
        if address.channel in self.channels:
            self.delivery.hand([await self.outbox.say(address, Reply(text.to(language), language))])

    async def learn(self) -> None:
        """Teach the router what people have said since it was trained; the head that is live answers meanwhile."""
        if not (head := self._head()):
            return
        labels = await self._feedback()
        try:
            if await relearn(labels, self.pool, self.catalogue.find(head), self.pool.settings):
                log.info("the router has learnt", labels=len(labels))
        except ModelError as error:
            log.warning("the router could not learn; the old one goes on", why=str(error))

    async def unlearn(self) -> None:
        """Take labels that were deleted out of what is learnt from."""
        await asyncio.to_thread(keep_feedback, self.settings.home, await self._feedback())
        self.learner.notice()

    async def _feedback(self) -> list[Feedback]:
        return [Feedback(label.text, label.language, label.label) for label in await self.chats.labels()]

    async def decide(self, text: str, language: Language) -> Decision:
        """Route `text`: embed it, weigh it. Raises ModelError where a model failed."""
        embedder = self.pool.live(EMBED)
        (vector,) = await self.pool.run(EMBED.of(embedder), [embeddable(text)])
        return await self.router.decide(text, language, vector, embedder=embedder)

    async def _change(self) -> None:
        """Follow wishes for another embedder, the settings' own among them, while nobody waits for an answer."""
        chosen = self.settings.models.choose.get(EMBED.name, "")
        try:
            asked = (await asyncio.to_thread(self.catalogue.named, EMBED.name, chosen)).identity if chosen else ""
            await self.library.changeover.settle(asked, by="paring.toml")
        except ModelError as error:
            log.error("the embedder of the settings cannot be used", why=str(error))
        await self.library.changeover.run(self.worker.idle)

    async def route_by(self, embedder: str) -> None:
        """Train the router for an embedder that is about to be live, where it is the one that is trained here."""
        if not (head := self._head()):
            return
        try:
            spec = await asyncio.to_thread(self.catalogue.identified, EMBED.name, embedder)
            await in_background(partial(prepared_head, choosing(self.pool.settings, spec), head))
        except ModelError as error:
            log.warning("the router could not learn for another embedder; it goes on by words", why=str(error))

    async def embed_by(self, embedder: str) -> None:
        """Put the embedder that became live into its slot, and the router's head for it into its own."""
        try:
            await self.pool.publish(EMBED, await asyncio.to_thread(self.catalogue.identified, EMBED.name, embedder))
            if head := self._head():
                await self.pool.publish(ROUTE, self.catalogue.find(head))
        except ModelError as error:
            log.error("the embedder that is live for searches is not for the rest", embedder=embedder, why=str(error))

    def _head(self) -> str:
        """Return which of the heads that are trained here is live, "" for none."""
        name = self.pool.live(ROUTE).partition("@")[0]
        return name if name in HEADS else ""

    async def _read_past(self, channel: Channel) -> None:
        """Read in what was said before the bot came, where that was ordered, while the channel is served here."""
        await self.duty.begun(channel)
        await self.pasts.run(channel, channel.name, self.worker.idle)

    async def _publish(self, channel: Channel) -> None:
        """Set the channel's menus while it is served here; where it knows its admins, again whenever these are others."""
        await self.duty.begun(channel)
        while True:
            admins = await self.roles.of_channel(channel.name)
            if isinstance(channel, KnowsAdmins):
                channel.admins_are(admins)
            try:
                await channel.publish_commands(self.dispatcher.commands, self.dispatcher.admin_commands)
            except RetryLaterError as error:
                await asyncio.sleep(error.retry_after_s)
                continue
            except ChannelError as error:  # the door follows its admins all the same
                log.error("a menu could not be set", channel=channel.name, why=str(error))
            if not isinstance(channel, KnowsAdmins):
                return
            await self.roles.other_than(channel.name, admins)


def _untold(_now: str | Text, _done: float, _total: int, *, passages: int = 0) -> None:
    """Draw no bar."""


def _start(
    group: asyncio.TaskGroup, name: str, work: Callable[[], object], *, hopeless: Callable[[Text], None] | None = None
) -> asyncio.Task[None]:
    return group.create_task(supervise(name, work, hopeless=hopeless), name=name)  # type: ignore[arg-type]


async def _first_of(stop: asyncio.Event, running: Sequence[asyncio.Task[None]]) -> None:
    """Return when `stop` is set or all of `running` have ended."""
    stopping = asyncio.ensure_future(stop.wait())
    ending = asyncio.ensure_future(asyncio.wait(running))
    await asyncio.wait([stopping, ending], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    ending.cancel()
