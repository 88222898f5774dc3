"""What the web channel's admin page needs of the house; see `bot.channels.web_admin.AdminDesk`.

Owns nothing: asks those who know.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.admin_sight import Sight
    from bot.models.catalogue import Catalogue
    from bot.models.places import SlotStatus
    from bot.models.pool import Pool
    from bot.models.trial import Swapping
    from bot.roles import Roles
    from bot.store.audit import Audit


@dataclass(frozen=True, slots=True)
class PageDesk:
    """Implements `AdminDesk`."""

    swaps: Swapping
    roles: Roles
    audit: Audit
    pool: Pool
    catalogue: Catalogue
    sight: Sight

    async def may(self, person: str) -> bool:
        """Say whether `person` is an admin now."""
        return await self.roles.admits(person)

    async def slots(self) -> Sequence[SlotStatus]:
        """Return what is told of each slot's live model."""
        return [status for status in await asyncio.to_thread(self.pool.status) if not status.beside]

    async def shares(self) -> Mapping[str, float]:
        """Return each slot's share of the messages that were answered lately."""
        return await self.sight.shares()

    def memory(self) -> tuple[int, int]:
        """Return the MiB that loaded models take, and the budget."""
        return self.pool.memory

    def choices(self, slot: str) -> Sequence[str]:
        """Return the names of the models that are known for `slot`."""
        return [spec.name for spec in self.catalogue.for_slot(slot)]
