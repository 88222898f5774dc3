"""How a message was routed: the value that `/why` explains and a receipt carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

How = Literal["command", "attachment", "reply", "link", "router", "found", "button", "silent"]


@dataclass(frozen=True, slots=True)
class Route:
    """The skill that answers, and why. Scores are the router's, None where a rule decided."""

    skill: str
    how: How
    score: float | None = None
    runner_up: str = ""
    runner_up_score: float | None = None
    action: Literal["answer", "ask", "none"] = "answer"
    because: tuple[str, ...] = ()
    """What weighed most with the router: pieces of the text, strongest first."""
