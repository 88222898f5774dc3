"""How a message was routed: the value that `/why` explains and a receipt carries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pydantic import TypeAdapter

How = Literal["command", "attachment", "reply", "link", "words", "router", "found", "button", "silent", "follow"]


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


def pack_route(route: Route) -> str:
    """Return `route` as JSON, for the database."""
    return _adapter().dump_json(route, exclude_defaults=True).decode()


def unpack_route(text: str) -> Route:
    """Return the route that `pack_route` made JSON of."""
    return _adapter().validate_json(text)


@cache
def _adapter() -> TypeAdapter[Route]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - made once: making it costs 3 ms

    return TypeAdapter(Route)
