"""The contract that every channel keeps.

A channel owns its platform's types, its splitting and its escaping. It turns what comes in into a Message or a Press and
hands it to `accept`, which returns only when the database has it; only then may the platform be told so. It renders
Replies. It never decides what is answered.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from bot.errors import AmbiguousSendError, ChannelError, GoneError, RetryLaterError
from bot.locale import Language
from bot.message import Address, Attachment, Button, Message, Position, Press, Reply
from bot.passage import Scope
from bot.pulse import Pulse
from bot.skill import CommandSpec

__all__ = [
    "AmbiguousSendError",
    "Beats",
    "Channel",
    "ChannelError",
    "GoneError",
    "HasHistory",
    "HasOpenGroups",
    "Intake",
    "KnowsAdmins",
    "KnowsRoles",
    "Limits",
    "LinksMessages",
    "OpenGroup",
    "Past",
    "Position",
    "RetryLaterError",
    "ShowsState",
    "Taken",
]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform takes. Text in the platform's own unit; files in bytes."""

    text_units: int
    download_bytes: int
    upload_bytes: int
    edits: bool
    """True where a sent message can be edited, and repeating an edit does no harm."""
    repeatable_sends: bool
    """True where sending the same reply twice with the same key shows it once."""
    finds_sent: bool = False
    """True where the channel, told that a send is in doubt, looks whether it was shown before it repeats it."""
    thumbs: bool = False
    """True where every answer of a model has a row of thumbs; elsewhere one down while the model is on probation."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of something that came in: `note` is for the one who pressed a button alone ("this button has expired").

    Of a message it is said where that was said (a stranger is turned away), outside of the outbox; "" for nothing.
    """

    fresh: bool
    """False for what the inbox already had, or did not want (talk in a group that is not for the bot)."""
    note: str = ""


class Intake(Protocol):
    """What a channel is given for what comes in. Implemented by `bot.intake.Reception`."""

    async def accept(self, item: Message | Press) -> Taken:
        """Commit `item` to the inbox; return once it is on disk. The same id and version again changes nothing.

        Who may not talk to the bot is turned away here (`bot.front_door`): a channel asks nobody else.
        """
        ...

    async def accept_all(self, items: Sequence[Message | Press], *, read_to: Position) -> Sequence[Taken]:
        """Commit `items` as `accept` does, in their order, and in the same transaction that the account was read up to `read_to`.

        For platforms that are asked what came since: a bot that is killed then asks from where all is kept.
        """
        ...

    async def position(self, channel: str, account: str) -> str:
        """Return how far the account was read, "" where that was never kept."""
        ...

    async def offered(self, address: Address, person: str) -> Sequence[Button]:
        """Return the buttons under the last answer to `person` in the chat: where they are pressed by writing their number."""
        ...

    async def joined(self, group: Address, by: str, language: Language) -> str:
        """Know that the user `by` put the bot into `group`; return what it says there, "" for the channel's own greeting."""
        ...

    async def language(self, address: Address, text: str, platform_language: str) -> Language:
        """Return the language to answer in: as `/lang` set it, else the text's, else the platform's."""
        ...

    def keep(self, data: bytes) -> str:
        """Put bytes that came with a message into the blob store; return their sha256."""
        ...

    async def moved(self, old: Address, new: Address) -> None:
        """Carry all that is kept of the chat `old` over to `new`, the number that its platform gives it now; again changes nothing.

        Raises:
            StoreError: nothing was carried over.
        """
        ...

    async def removed(self, address: Address, message: str) -> None:
        """Forget the message that its writer took back, with its answer and what could be searched of it; again changes nothing.

        Raises:
            StoreError: it is to be told again.
        """
        ...

    def members_changed(self, group: Address, person: str = "") -> None:
        """Know that `person` came to `group` or left it, everybody for "" (the bot itself came or went): who may read what is asked anew."""
        ...


class Channel(Protocol):
    """One account on one platform. What only one process may do of it at a time, it names as its `post` (see `bot.duty`)."""

    name: str
    account: str
    limits: Limits
    groups: bool
    """False where every chat has one reader: nothing is asked of its members then."""

    async def run(self, intake: Intake) -> None:
        """Take in messages until cancelled. Raises ChannelError on what cannot be healed by trying again (a port that is taken)."""
        ...

    async def send(self, reply: Reply, to: Address, *, key: str) -> str:
        """Send `reply` (split where it must be) and return the platform's id of its first message.

        `key` is the outbox's, the same when a send is repeated.
        A chat to which the platform gives a new id is followed, and told to `Intake.moved`.

        Raises:
            RetryLaterError: nothing was sent; wait that long for this chat.
            AmbiguousSendError: carried out or not is unknown.
            GoneError: never again.
            ChannelError: refused, nothing was sent.
        """
        ...

    async def edit(self, sent: str, reply: Reply, to: Address) -> str:
        """Make the message `sent` show `reply` (what does not fit follows as new messages). Raises as `send`."""
        ...

    async def typing(self, to: Address) -> None:
        """Show that an answer is being worked on; lasts a few seconds. Never raises."""
        ...

    async def member(self, person: str, scope: Scope) -> bool | None:
        """Say whether `person` is in the group or workspace `scope` now, asked of the platform; None: not known. Never raises."""
        ...

    async def workspace(self, chat: str) -> Scope | None:
        """Return the workspace in which everybody is who reads the group `chat`; None: there is none, or not known. Never raises."""
        ...

    async def fetch(self, attachment: Attachment, into: Path) -> None:
        """Download what `attachment.ref` names into the file `into`. Raises TooLargeError, ChannelError, RetryLaterError."""
        ...

    async def publish_commands(self, commands: Sequence[CommandSpec], admin_commands: Sequence[CommandSpec]) -> None:
        """Show the command menu in both languages, where the platform has one."""
        ...


@runtime_checkable
class KnowsAdmins(Protocol):
    """A channel whose menu, or whose door, is another for admins."""

    def admins_are(self, users: Collection[str]) -> None:
        """Know which of its users are admins from now on; told before `publish_commands`."""
        ...


@runtime_checkable
class KnowsRoles(Protocol):
    """A channel whose platform has roles of its own, and whose settings make some of them the bot's admins."""

    async def role(self, person: str, *, anew: bool) -> str:
        """Return which of the platform's roles makes `person` an admin now ("admin of the workspace"), "" for none. Never raises.

        What is not known in time is none; never one for guests, for people of another organisation or for bots. `anew`: what was
        told a moment ago is not believed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Past:
    """Some of what was said in a group, and from where its past goes on: "" where there is no more."""

    messages: Sequence[Message]
    before: str = ""
    aside: bool = False
    """Whether it is of a thread that began in a page before, not the group's next older page."""


@runtime_checkable
class HasHistory(Protocol):
    """A channel whose platform gives a bot what was said before it came. Not Telegram: https://core.telegram.org/bots/api."""

    history_pause_s: float
    """How long one leaves the platform alone between two pages."""

    async def history(self, group: Address, before: str) -> Past:
        """Return a page of `group` with the threads that began in it, the newest first; `before` is the former page's, "" for the end.

        Messages of people alone, as they stand now; what was taken back is not in it, what nobody can read is left out.

        Raises:
            RetryLaterError: the same page again, later.
            GoneError, ChannelError: the bot may not read it (any more).
        """
        ...


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """A group that every full member of its workspace may read. `outside`: people of other organisations write in it, too."""

    name: str
    outside: bool = False
    archived: bool = False


@runtime_checkable
class HasOpenGroups(Protocol):
    """A channel whose accounts are workspaces: some of their groups are open to every full member, who need not be in them."""

    async def open_groups(self, account: str) -> Mapping[str, OpenGroup] | None:
        """Return the open groups of a workspace by their ids; None: not known. Never raises."""
        ...

    async def enter(self, group: Address) -> None:
        """Come into an open group, to read in it; again changes nothing. Raises as `Channel.send`."""
        ...


@runtime_checkable
class LinksMessages(Protocol):
    """A channel whose messages have addresses that open anywhere."""

    def address_of(self, link: str) -> str:
        """Return the address of the message that `message:CHANNEL/ACCOUNT/CHAT/ID` names, "" where it has none."""
        ...


@runtime_checkable
class Beats(Protocol):
    """A channel that tells how it goes on: see `bot.pulse` and `bot.watchdog`. Others are believed to."""

    pulse: Pulse


@runtime_checkable
class ShowsState(Protocol):
    """A channel that cannot edit a message, and shows in another way what is being done."""

    def state(self, said: str, to: Address) -> None:
        """Show what is being done for the chat; the answer takes its place."""
        ...
