"""The values that travel: what a person sent, and what they are answered. Frozen, and free of any platform's types.

A channel makes a Message; nothing after it sees a platform. A skill makes a Reply; a channel renders it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from bot.locale import Language

if TYPE_CHECKING:
    from pydantic import TypeAdapter

ChatKind = Literal["direct", "group"]
AttachmentKind = Literal["image", "document", "audio", "video", "sticker"]
UP, DOWN = "up", "down"
"""The hidden commands of the thumbs under an answer: their argument is the slot whose model is watched, "" for none."""
PRIVATELY = "--private"
"""The argument of a button's command that is answered to its presser alone, in their direct chat."""


@dataclass(frozen=True, slots=True)
class Address:
    """A place to which a reply goes: a chat of one account of one channel, and the thread or topic in it."""

    channel: str
    account: str
    chat: str
    thread: str = ""
    kind: ChatKind = "direct"


@dataclass(frozen=True, slots=True)
class Command:
    """An explicit order: `/sum 50` is Command("sum", "50"). `name` is lower case and has no slash."""

    name: str
    args: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message. `ref` is the platform's id until it is fetched; `blob` its sha256 in the blob store after."""

    kind: AttachmentKind
    name: str
    media_type: str
    size_bytes: int
    ref: str = ""
    blob: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that a person said, in one version of it. `sent_at` is aware, UTC."""

    address: Address
    sender: str
    id: str
    text: str
    language: Language
    sent_at: datetime
    sender_name: str = ""
    attachments: tuple[Attachment, ...] = ()
    reply_to: Message | None = None
    command: Command | None = None
    version: int = 0
    """0 as first sent; the platform's edit time (Unix seconds) after an edit."""
    addressed: bool = True
    """False for talk in a group that is not meant for the bot: never answered, kept only where `/index on` was said."""
    by_bot: bool = False
    """True for a quoted message that the bot itself had sent."""
    part_of: str = ""
    """What it is a part of, where one thing said comes bit by bit (an album behind a webhook); "" for what is whole."""


@dataclass(frozen=True, slots=True)
class Press:
    """A press on a button: the token that the channel got back, by whom and where."""

    address: Address
    sender: str
    id: str
    token: str
    language: Language
    sent_at: datetime
    alone: Address | None = None
    """The presser's own direct chat with the bot, None where the channel has none, or does not let them in there."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far an account of a channel was read, in its platform's own word."""

    channel: str
    account: str
    at: str


@dataclass(frozen=True, slots=True)
class Button:
    """A button that, when its owner presses it, sends `command` about the message that was answered."""

    label: str
    command: Command
    token: str = ""
    """Filled by the outbox: at most 32 ASCII characters, known to the database with owner and expiry."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an answer was read. `marked` is the half-open range of `text` that answers; `link` may be empty."""

    title: str
    text: str
    link: str
    score: float
    marked: tuple[int, int] | None = None
    passages: tuple[int, ...] = ()
    """The library's numbers of the passages whose text it holds: it is emptied when one of them is forgotten."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An image in a reply: its sha256 in the blob store, and words for those who do not see it."""

    blob: str
    alt: str
    media_type: str = "image/png"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an answer cost. `stages_ms` holds (stage, milliseconds) in the order they ran."""

    skill: str
    model: str = ""
    route_score: float | None = None
    runner_up: str = ""
    runner_up_score: float | None = None
    stages_ms: tuple[tuple[str, float], ...] = ()
    tokens: int = 0
    bytes_sent_out: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `text` is the Markdown subset of docs/design.md: **bold**, *italic*, `code`, fences, links, `- ` lists, `> ` quotes."""

    text: str
    language: Language
    images: tuple[Picture, ...] = ()
    buttons: tuple[Button, ...] = ()
    sources: tuple[Source, ...] = ()
    receipt: Receipt | None = None
    reply_to: str = ""
    """The platform's id of the message that is answered; a channel quotes it in a group."""
    made_of: tuple[str, ...] = ()
    """The platform's ids of the messages of its chat whose words it may hold: it is emptied when one of them is forgotten."""


Packed = TypeVar("Packed", Message, Reply, Press, Command, Address)
_PACKED: dict[str, type] = {kind.__name__: kind for kind in (Message, Reply, Press, Command, Address)}


def pack(value: Packed) -> str:
    """Return `value` as JSON, for the database."""
    return _adapter(type(value).__name__).dump_json(value, exclude_defaults=True).decode()


def unpack(kind: type[Packed], text: str) -> Packed:
    """Return the value that `pack` made JSON of. Raises pydantic.ValidationError where it is not one."""
    value: Packed = _adapter(kind.__name__).validate_json(text)
    return value


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - values stay importable without it

    return TypeAdapter(_PACKED[name])
