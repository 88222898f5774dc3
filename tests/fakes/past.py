"""What `/index` stands on, over a real database: nobody's platform, nobody an admin but by the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from bot.config import Settings
from bot.indexing import Indexing
from bot.pasts import PastReader
from bot.roles import Roles
from bot.store.admins import Admins
from bot.store.audit import Audit
from bot.store.chats import Chats
from bot.store.database import Database
from bot.store.pasts import Pasts

if TYPE_CHECKING:
    from bot.locale import Language, Text
    from bot.message import Address
    from bot.retrieval.library import Shelves


def indexing_of(
    database: Database, chats: Chats, library: object, *, channels: Mapping[str, object] | None = None,
    said: list[tuple[str, str]] | None = None, admins: tuple[str, ...] = (), **more: Any,
) -> Indexing:  # fmt: skip
    """Return it; what groups are told is put into `said` as (chat, text)."""

    async def say(group: Address, text: Text, language: Language) -> None:
        if said is not None:
            said.append((group.chat, text.to(language)))

    pasts, shelves, known = Pasts(database), cast("Shelves", library), channels or {}
    reader = PastReader(pasts, shelves, chats, say, **more)
    roles = Roles(Settings(admins=admins), Admins(database), known)
    return Indexing(chats, pasts, reader, shelves, roles, Audit(database), known)
