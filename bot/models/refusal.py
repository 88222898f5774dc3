"""The sentence of a refused model: which file, and why."""

from __future__ import annotations

from bot.errors import UnsafeModelError
from bot.locale import Text, phrases

_ = phrases(__file__)

LONGEST_NAME = 80


def refused(file: str, why: Text) -> UnsafeModelError:
    """Return the error that says that the model was refused because of `file`."""
    return UnsafeModelError(
        _(
            "The model was refused and nothing of it was loaded. {file}: {why}. Carry in a version of the model that is safe.",
            file=plain(file),
            why=why,
        )
    )


def plain(name: str) -> str:
    """Return a foreign name as it may be shown: nothing that moves a cursor or turns the writing, and not without end."""
    return "".join(sign if sign.isprintable() else "?" for sign in name)[:LONGEST_NAME]
