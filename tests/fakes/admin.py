"""An admin skill over a real database and the real catalogue, and what is said to it as somebody in some channel."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from pathlib import Path

from bot.admin import Admin
from bot.admin_cards import Cards
from bot.admin_dead import Dead
from bot.admin_meant import Meant
from bot.admin_people import People
from bot.admin_search import Offering, Search
from bot.admin_sight import Sight
from bot.admin_swaps import Swaps
from bot.config import Settings, WebSettings
from bot.locale import Language, Text
from bot.message import Address, ChatKind, Message, Reply
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.models.tasks import EMBED, SUMMARISE
from bot.models.trial import Card, Tell
from bot.roles import Roles
from bot.skill import CommandSpec, Request, Skill
from bot.store.admins import Admins
from bot.store.audit import Audit
from bot.store.database import Database
from bot.store.dead import DeadLetters
from bot.store.traffic import Traffic
from bot.testing import MemoryBlobs, Told, make_message, make_request
from fakes.swapping import FakeSwapping, card

NAMED = "telegram:4711"
"""An admin by the settings."""


class Sum:
    name, title, summary = "summarise", Text("Summarise"), Text("I summarise.")
    slots, takes = (SUMMARISE, EMBED), frozenset()
    commands = (CommandSpec("sum", Text("-"), aliases=("요약", "tldr")),)

    def claims(self, message: Message) -> bool:
        return False

    async def answer(self, request: Request) -> Reply:
        return request.reply("")


class AdminHouse:
    def __init__(
        self, database: Database, home: Path, *, page: bool = True, skills: tuple[Skill, ...] = (), hub: Offering | None = None
    ) -> None:
        self.settings = Settings(home=home, admins=(NAMED, "telegram:-100500"), web=WebSettings(admin=page))
        self.roles, self.audit = Roles(self.settings, Admins(database)), Audit(database)
        self.catalogue = Catalogue(self.settings)
        self.pool = Pool(self.catalogue, self.settings)
        self.told = Told()
        self.swapping, self.blobs = FakeSwapping(), MemoryBlobs()
        meant = Meant(self.catalogue, lambda: skills, self.settings.model_home)
        search = Search(self.catalogue, lambda: skills, hub)
        sight = Sight(self.pool, self.catalogue, Traffic(database), lambda: skills, meant, search)
        swaps = Swaps(self.swapping, meant, Cards(written, drawn, self.blobs), measured)
        self.admin = Admin(
            self.roles,
            self.audit,
            [sight, swaps, People(self.roles, self.audit, zone=UTC), Dead(DeadLetters(database), zone=UTC)],
        )

    async def say(self, text: str, *, who: str = NAMED, kind: ChatKind = "direct", language: Language | None = None) -> Reply:
        return await self.admin.answer(make_request(said_by(who, text, kind=kind, language=language), progress=self.told))

    async def outcomes(self) -> list[tuple[str, str, str]]:
        """Return who ordered what and what came of it, the oldest first."""
        return [(entry.who, entry.command, entry.outcome) for entry in reversed(await self.audit.last(100))]


def written(card: Card, language: Language) -> str:
    return f"card of {card.new.model} in {language}"


def drawn(card: Card, language: Language) -> bytes:
    return f"picture of {card.new.model} in {language}".encode()


async def measured(slot: str, tell: Tell) -> Card:
    await tell(Text("probing"))
    return card(slot, f"{slot}.live.v1@r0")


def said_by(who: str, text: str, *, kind: ChatKind = "direct", language: Language | None = None) -> Message:
    """Return `text` as said by CHANNEL:USER, in their own chat with the bot or in a group."""
    channel, _colon, user = who.partition(":")
    message = make_message(text, sender=user, language=language)
    return replace(message, address=Address(channel, "bot", "-9" if kind == "group" else user or "1", kind=kind))
