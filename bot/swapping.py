"""How the parts of a live swap are put together, and how people are told of what happens by itself.

parts = swap_parts(house)
swap = await parts.swapper.propose("summarise", "lexrank", by="telegram:4711", tell=tell)
await parts.watching.run(worker.idle)      # until cancelled
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from bot.channels.channel import Channel
from bot.errors import InputError
from bot.locale import Text, phrases
from bot.logs import Logger
from bot.message import Address, Message, Reply, unpack
from bot.models.card import card_of
from bot.models.fetch import Place
from bot.models.hub import Hub
from bot.models.places import Heard
from bot.models.probation import Probation
from bot.models.probe import Limits, probe
from bot.models.publishing import Publishing
from bot.models.shadow import Shadows
from bot.models.swap import Swapper
from bot.models.tasks import EMBED, ROUTE
from bot.models.trial import Card, Figures, Swap, Tell
from bot.models.trying import Trying
from bot.models.watching import Watching
from bot.retrieval.swapping import EmbedderPublisher
from bot.roles import person_of
from bot.store.assignments import Assignments
from bot.store.consents import Consents
from bot.store.outbox import Outbox, Parcel
from bot.store.swaps import Swaps

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.models.catalogue import Catalogue
    from bot.models.pool import Pool
    from bot.retrieval.library import Shelves
    from bot.roles import Roles
    from bot.skill import Skill
    from bot.store.chats import Chats
    from bot.store.database import Database
    from bot.store.lease import Lease

_ = phrases(__file__)
log = Logger(__name__)

TELEGRAM: Final = "telegram"
SEARCH: Final = "search"


@dataclass(frozen=True, slots=True)
class SwapHouse:
    """What of the house a swap works with."""

    settings: Settings
    database: Database
    outbox: Outbox
    lease: Lease
    catalogue: Catalogue
    pool: Pool
    library: Shelves
    chats: Chats
    roles: Roles
    channels: Mapping[str, Channel]
    replied: Callable[[Sequence[Parcel]], None]
    """Sends what is in the outbox."""

    def allows(self, message: Message) -> bool:
        """Say whether a request of `message` may be computed by a model in the shadow, too."""
        if self.settings.models.shadow == "admins":
            return message.address.kind == "direct" and self.roles.settled(person_of(message))
        return self.settings.models.shadow == "everybody"


@dataclass(frozen=True, slots=True)
class SwapParts:
    """The parts that others use."""

    swapper: Swapper
    watching: Watching
    probation: Probation
    bench: Callable[[str, Tell], Awaitable[Card]]
    """Measures a slot's live model anew; its card has nothing beside it. Raises InputError, ModelError."""
    hub: Hub

    def watched(self, skill: Skill) -> str:
        """Return the slot of `skill` whose model is on probation and makes its answers, "" for none."""
        own = EMBED.name if skill.name == SEARCH else skill.name
        return own if self.probation.is_watched(own) and any(slot.name == own for slot in skill.slots) else ""


def swap_parts(house: SwapHouse) -> SwapParts:
    """Put the parts together, and have them hear what models are asked."""
    settings, pool = house.settings, house.pool
    swaps = Swaps(house.database, owner=house.lease.name)
    publishers = {EMBED.name: EmbedderPublisher(house.library, house.database, pool)}
    hub = Hub(settings, Consents(house.database))
    probation = Probation(
        answers=settings.models.probation_answers, minutes=settings.models.probation_minutes, complaints=partial(_labels, house.chats)
    )  # fmt: skip
    shadows = Shadows(pool, allows=house.allows)
    publishing = Publishing(
        swaps, Assignments(house.database), pool, house.catalogue, settings,
        publishers=publishers,
    )  # fmt: skip
    trying = Trying(
        house.catalogue, pool, settings, probe=partial(_probed, settings), compare=card_of, hub=hub, publishers=publishers
    )  # fmt: skip

    def heard(call: Heard) -> None:
        probation.heard(call)
        shadows.heard(call)

    pool.listen(heard)
    pool.when_switched(probation.switching)
    watching = Watching(
        swaps, publishing, probation, shadows, others=house.lease.others, notify=Announcer(house, house.replied).announce
    )  # fmt: skip
    swapper = Swapper(swaps, trying, publishing, watched_for=probation.watched_for)
    return SwapParts(swapper, watching, probation, partial(_measured, trying, pool), hub)


class Announcer:
    """Tells people what nobody asked just now: in the chat where the swap was asked for, and the admins in their own chats."""

    def __init__(self, house: SwapHouse, replied: Callable[[Sequence[Parcel]], None]) -> None:
        """Write into the outbox of `house`."""
        self._house = house
        self._replied = replied

    async def announce(self, swap: Swap, text: Text) -> None:
        """Put `text` into the outbox, once for each chat, in its language."""
        log.warning("a swap", slot=swap.slot, model=swap.model, state=swap.state, said=str(text))
        if swap.state == "reported":
            text = _("{said} `/card {number}` shows its card, and what may be done with it.", said=text, number=swap.id)
        parcels = [await self._put(address, text) for address in await self._addresses(swap)]
        self._replied([parcel for parcel in parcels if parcel.to.channel in self._house.channels])

    async def _addresses(self, swap: Swap) -> list[Address]:
        asked = [unpack(Address, swap.origin)] if swap.origin else []
        channel = self._house.channels.get(TELEGRAM)
        account = channel.account if channel is not None else ""
        people = await self._house.roles.of_channel(TELEGRAM) if account else ()
        alone = [Address(TELEGRAM, account, user) for user in sorted(people)]
        return list({(one.channel, one.account, one.chat): one for one in (*alone, *asked)}.values())

    async def _put(self, address: Address, text: Text) -> Parcel:
        language = (await self._house.chats.settings(address)).language or self._house.settings.language
        served = address.channel in self._house.channels
        outbox = self._house.outbox if served else Outbox(self._house.database)  # nobody's: whoever serves it next takes it
        return await outbox.say(address, Reply(text.markdown(language), language))


async def _measured(trying: Trying, pool: Pool, slot: str, tell: Tell) -> Card:
    """Return the card of a slot's live model as it is measured now."""
    spec = pool.spec(slot)
    if spec is None:
        raise InputError(_("No model is live in {slot}. `/swap {slot}` shows what there is.", slot=slot))
    place = await trying.verify(spec)
    figures = await trying.measured(slot, place, anew=True, tell=tell)
    room = await asyncio.to_thread(pool.room_for, spec, need_mb=figures.ram_mb)
    return card_of(slot, None, figures, room)


async def _probed(settings: Settings, place: Place, *, embedder: Place | None, report: Tell) -> Figures:
    beside = (embedder.spec, embedder.folder) if embedder else None
    return await probe(place.spec, place.folder, settings, embedder=beside, limits=Limits.of(settings), report=report)


async def _labels(chats: Chats, swap: Swap) -> int:
    """Return how many people said since that a message had gone to the wrong skill: of the router any, else of the slot's own skill."""
    return await chats.complaints(since=swap.changed_at, skill="" if swap.slot == ROUTE.name else swap.slot)
