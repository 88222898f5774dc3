"""Who may read what: a scope, a reader's scopes, a passage, and a hit.

Owns the types that make a search without scopes impossible to write. Leaves to `bot.retrieval` how one searches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Self

from bot.errors import InputError
from bot.locale import Language, phrases
from bot.message import Address

_ = phrases(__file__)

ScopeKind = Literal["dm", "group", "workspace", "public"]


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """One audience: `dm:telegram/parbot/42`, `group:telegram/parbot/-100`, `workspace:slack/T01`, `public`."""

    kind: ScopeKind
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the scope that `text` names. Raises InputError where it names none."""
        kind, _colon, path = text.partition(":")
        if kind == "public" and not path:
            return cls("public")
        parts = 2 if kind == "workspace" else 3
        if kind in ("dm", "group", "workspace") and len([part for part in path.split("/", parts - 1) if part]) == parts:
            return cls(kind, path)  # type: ignore[arg-type]  # narrowed by the test above
        raise InputError(
            _("“{text}” is no scope. Write public, dm:CHANNEL/ACCOUNT/CHAT or group:CHANNEL/ACCOUNT/CHAT.", text=text)
        )

    @classmethod
    def of(cls, address: Address) -> Self:
        """Return the scope of the chat at `address`."""
        return cls("dm" if address.kind == "direct" else "group", f"{address.channel}/{address.account}/{address.chat}")

    def __str__(self) -> str:
        return f"{self.kind}:{self.path}" if self.path else self.kind


PUBLIC = Scope("public")


class Scopes:
    """The scopes that one reader may read, here and now: never empty, never changed."""

    __slots__ = ("_scopes",)

    def __init__(self, scopes: Iterable[Scope]) -> None:
        """Keep the scopes. Raises ValueError for none: a search without scopes must not exist."""
        self._scopes = frozenset(scopes)
        if not self._scopes:
            msg = "a reader without scopes reads nothing: expected at least one Scope"
            raise ValueError(msg)

    def __iter__(self) -> Iterator[Scope]:
        return iter(sorted(self._scopes))

    def __contains__(self, scope: object) -> bool:
        return scope in self._scopes

    def __len__(self) -> int:
        return len(self._scopes)

    def __repr__(self) -> str:
        return f"Scopes({', '.join(map(str, self))})"


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document or a message, as it is read from the database. `id` is the database's and never reused."""

    id: int
    scope: Scope
    title: str
    heading: str
    text: str
    link: str
    language: Language
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found. `score` is calibrated to 0..1: the chance that it answers; `marked` the range of its text that does."""

    passage: Passage
    score: float
    marked: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """What became of one file or text that was given to the library."""

    title: str
    passages: int
    status: Literal["added", "replaced", "unchanged"]
    document: int
