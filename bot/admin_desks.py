"""The admin skill with all its desks, put together for `bot.app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.admin import Admin
from bot.admin_cards import Cards
from bot.admin_dead import Dead
from bot.admin_guests import GuestBook
from bot.admin_meant import Meant
from bot.admin_people import People
from bot.admin_quotas import QuotaBook
from bot.admin_search import Offering, Search
from bot.admin_sight import Sight
from bot.admin_swaps import Bench, Swaps
from bot.models.card_text import card_text

if TYPE_CHECKING:
    from bot.front_door import FrontDoor
    from bot.locale import Language
    from bot.models.catalogue import Catalogue
    from bot.models.pool import Pool
    from bot.models.trial import Card, Swapping
    from bot.quota import Quotas
    from bot.roles import Roles
    from bot.skill import Kit
    from bot.store.audit import Audit
    from bot.store.dead import DeadLetters
    from bot.store.traffic import Traffic


@dataclass(frozen=True, slots=True)
class AdminHouse:
    """What of the house the admin commands work with."""

    kit: Kit
    roles: Roles
    audit: Audit
    pool: Pool
    catalogue: Catalogue
    traffic: Traffic
    swapping: Swapping
    bench: Bench
    hub: Offering | None = None
    door: FrontDoor | None = None
    dead: DeadLetters | None = None
    quotas: Quotas | None = None


def admin_parts(house: AdminHouse) -> tuple[Admin, Sight]:
    """Return the skill, and the desk of what is seen, for the page."""
    kit, settings = house.kit, house.kit.settings
    meant = Meant(house.catalogue, kit.skills, settings.model_home)
    search = Search(house.catalogue, kit.skills, house.hub)
    sight = Sight(house.pool, house.catalogue, house.traffic, kit.skills, meant, search)
    swaps = Swaps(house.swapping, meant, Cards(card_text, drawn, kit.blobs), house.bench)
    people = People(house.roles, house.audit, zone=settings.zone)
    guests = [GuestBook(house.door, house.roles, zone=settings.zone)] if house.door is not None else []
    dead = [Dead(house.dead, zone=settings.zone)] if house.dead is not None else []
    given = [QuotaBook(house.quotas)] if house.quotas is not None else []
    return Admin(house.roles, house.audit, [sight, swaps, people, *guests, *dead, *given]), sight


def drawn(card: Card, language: Language) -> bytes:
    """Return a card as a PNG."""
    from bot.models.card_picture import card_picture  # noqa: PLC0415 - only who asks for a card pays

    return card_picture(card, language)
