"""Who may read what: a scope, a reader's scopes, a passage, and a hit.

Owns the types that make a search without scopes impossible to write. Leaves to `bot.retrieval` how one searches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Self

from bot.errors import InputError
from bot.locale import Language, Text, phrases
from bot.message import Address
from bot.talk import Line

_ = phrases(__file__)

WITHIN = "//"
"""In a document's key between an archive and the path of a file in it: no path of a machine's own has it."""
MESSAGE = "message:"
"""What the keys, and the links, of messages begin with."""
ScopeKind = Literal["dm", "group", "workspace", "public"]
_PARTS: Mapping[str, int] = {"dm": 3, "group": 3, "workspace": 2, "public": 0}
"""Of how many names a scope's path is made: channel, account, chat."""


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """One audience: `dm:telegram/parbot/42`, `group:telegram/parbot/-100`, `workspace:slack/T01`, `public`.

    Raises ValueError where it is made of something else: a chat is always one of an account of a channel.
    """

    kind: ScopeKind
    path: str = ""

    def __post_init__(self) -> None:
        """Refuse what names no audience."""
        parts = self.path.split("/", 2) if self.path else []  # a chat's number alone may have slashes of its own
        if not all(parts) or len(parts) != _PARTS.get(self.kind, -1):
            msg = f"a scope is public, workspace:CHANNEL/ACCOUNT, dm: or group:CHANNEL/ACCOUNT/CHAT, not {self.kind}:{self.path}"
            raise ValueError(msg)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the scope that `text` names. Raises InputError where it names none."""
        kind, _colon, path = text.partition(":")
        try:
            return cls(kind, path)  # type: ignore[arg-type]  # looked at above
        except ValueError:
            raise InputError(
                _("“{text}” is no scope. Write public, dm:CHANNEL/ACCOUNT/CHAT or group:CHANNEL/ACCOUNT/CHAT.", text=text)
            ) from None

    @classmethod
    def of(cls, address: Address) -> Self:
        """Return the scope of the chat at `address`. Raises ValueError where its account could be read as another's chat."""
        if "/" in address.channel + address.account:
            msg = f"the names of a channel and of an account have no slash: {address.channel!r}, {address.account!r}"
            raise ValueError(msg)
        return cls("dm" if address.kind == "direct" else "group", f"{address.channel}/{address.account}/{address.chat}")

    @property
    def chat(self) -> str:
        """The platform's number of the chat, "" where it is the audience of none."""
        return self.path.split("/", 2)[2] if self.kind in ("dm", "group") else ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.path}" if self.path else self.kind


PUBLIC = Scope("public")


class Scopes:
    """The scopes that one reader may read, here and now: never empty, never changed."""

    __slots__ = ("_scopes",)

    def __init__(self, scopes: Iterable[Scope]) -> None:
        """Keep the scopes. Raises ValueError for none, or for what is no Scope: a search without scopes must not exist."""
        self._scopes = frozenset(scopes)
        if not self._scopes or not all(isinstance(scope, Scope) for scope in self._scopes):
            msg = "a reader without scopes reads nothing: expected at least one Scope, and nothing else"
            raise ValueError(msg)

    def __iter__(self) -> Iterator[Scope]:
        return iter(sorted(self._scopes))

    def __contains__(self, scope: object) -> bool:
        return scope in self._scopes

    def __len__(self) -> int:
        return len(self._scopes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scopes) and self._scopes == other._scopes

    def __hash__(self) -> int:
        return hash(self._scopes)

    def within(self, others: Scopes) -> bool:
        """Say whether a reader of `others` may read all of these."""
        return self._scopes <= others._scopes

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
    arrived: float = 1.0
    """The share of a picture that its text was read of: under 1 where the file is cut off. What is kept does not tell."""


class Mended(NamedTuple):
    """A mistyped word of a question, and the word that was looked for instead, as it stands in a passage that was found."""

    said: str
    meant: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found. `score` is calibrated to 0..1: the chance that it answers; `marked` the range of its text that does."""

    passage: Passage
    score: float
    marked: tuple[int, int] | None = None
    lines: tuple[Line, ...] = ()
    """Of a message: the exchange that it stands in, oldest first, itself among them."""
    mended: tuple[Mended, ...] = ()
    """The mistyped words of the question that it has, in order; of others nothing is told."""

    @property
    def read(self) -> tuple[int, ...]:
        """The numbers of all passages whose text is in it."""
        return tuple(sorted({self.passage.id, *(line.passage for line in self.lines)}))


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that was not kept, and the sentence that says why."""

    path: str
    reason: Text
    passing: bool = False
    """True where it may go better another time: it could not be opened, or a model failed."""


@dataclass(frozen=True, slots=True)
class Held:
    """A document as a list names it: the key under which it is kept in its scope, its title, the sha256 of its bytes."""

    key: str
    title: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A document as a reader is told of it: its number, its title, who may read it, how many passages it has, and since when."""

    document: int
    title: str
    scope: Scope
    passages: int
    updated_at: datetime
    heading: str = ""
    """The heading that it begins with, where it was looked for by that as well."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Some of the documents that a reader may read, the newest first, of `total`; `messages` is how many messages there are beside."""

    documents: tuple[Listed, ...]
    total: int
    messages: int = 0


@dataclass(frozen=True, slots=True)
class Added:
    """What became of one file or text that was given to the library. Of an archive: of the files in it, together."""

    title: str
    passages: int
    status: Literal["added", "replaced", "unchanged"]
    document: int
    files: int = 1
    """How many documents it is: of an archive as many as were read in it."""
    failed: tuple[Failed, ...] = ()
    """The files in it that could not be read."""
