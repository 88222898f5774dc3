"""A model's health in words: ready, idle, missing, or failed and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.locale import Text, phrases

if TYPE_CHECKING:
    from bot.models.places import SlotStatus

_ = phrases(__file__)

HEALTH = {"ready": _("ready"), "idle": _("idle"), "missing": _("missing")}


def health_of(status: SlotStatus) -> Text:
    """Return a model's health for people."""
    if status.failure is not None:
        return _("failed: {why}", why=status.failure)
    return HEALTH[status.health]
