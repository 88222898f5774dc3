"""What was said in a chat, as values: by whom, when and in which thread; and a line of an exchange as it is shown.

Owns the values. Leaves to `bot.retrieval.exchange` which lines belong together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Said:
    """Who said a message (as the platform shows the name), when (aware, UTC), in which thread, and what it replies to."""

    who: str
    at: datetime
    thread: str = ""
    answers: str = ""
    """The key of the message that it replies to, "" for none."""


@dataclass(frozen=True, slots=True)
class Line:
    """One message of an exchange. `best`: the one that answers."""

    who: str
    at: datetime
    text: str
    link: str
    best: bool = False
    passage: int = 0
    """The number of the passage that it is."""
