"""An admin skill over a real database and the real catalogue, and what is said to it as somebody in some channel."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from pathlib import Path

from bot.admin import Admin
from bot.admin_people import People
from bot.admin_sight import Sight
from bot.config import Settings, WebSettings
from bot.locale import Language
from bot.message import Address, ChatKind, Message, Reply
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.roles import Roles
from bot.skill import Skill
from bot.store.admins import Admins
from bot.store.audit import Audit
from bot.store.database import Database
from bot.store.traffic import Traffic
from bot.testing import Told, make_message, make_request

NAMED = "telegram:4711"
"""An admin by the settings."""


class AdminHouse:
    def __init__(self, database: Database, home: Path, *, page: bool = True, skills: tuple[Skill, ...] = ()) -> None:
        self.settings = Settings(home=home, admins=(NAMED, "telegram:-100500"), web=WebSettings(admin=page))
        self.roles, self.audit = Roles(self.settings, Admins(database)), Audit(database)
        self.catalogue = Catalogue(self.settings)
        self.pool = Pool(self.catalogue, self.settings)
        self.told = Told()
        sight = Sight(self.pool, self.catalogue, Traffic(database), lambda: skills)
        self.admin = Admin(self.roles, self.audit, [sight, People(self.roles, self.audit, zone=UTC)])

    async def say(self, text: str, *, who: str = NAMED, kind: ChatKind = "direct", language: Language | None = None) -> Reply:
        return await self.admin.answer(make_request(said_by(who, text, kind=kind, language=language), progress=self.told))

    async def outcomes(self) -> list[tuple[str, str, str]]:
        """Return who ordered what and what came of it, the oldest first."""
        return [(entry.who, entry.command, entry.outcome) for entry in reversed(await self.audit.last(100))]


def said_by(who: str, text: str, *, kind: ChatKind = "direct", language: Language | None = None) -> Message:
    """Return `text` as said by CHANNEL:USER, in their own chat with the bot or in a group."""
    channel, _colon, user = who.partition(":")
    message = make_message(text, sender=user, language=language)
    return replace(message, address=Address(channel, "bot", "-9" if kind == "group" else user or "1", kind=kind))
