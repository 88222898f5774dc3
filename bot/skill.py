"""The contract a skill keeps, and what a skill is given.

A skill is an object of this shape, listed in the entry-point group `paring.skills`; the entry point names a callable
that takes a `Kit` and returns the skill. Its folder holds skill.py, utterances.yaml, golden/ and ko.po.

    class Shout:
        name = "shout"
        title = _("Say it louder")
        summary = _("I say it louder.")
        slots = ()
        takes = frozenset()
        commands = (CommandSpec("shout", _("Say it louder")),)

        def claims(self, message: Message) -> bool:
            return False

        async def answer(self, request: Request) -> Reply:
            return request.reply(request.text.upper())
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, runtime_checkable

from bot.locale import Language, Text
from bot.message import Attachment, AttachmentKind, Button, Command, Message, Picture, Receipt, Reply, Source
from bot.passage import Added, Held, Hit, Listing, Passage, Scope, Scopes
from bot.stopwatch import Stopwatch
from bot.talk import Said

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.sandbox import Json

In = TypeVar("In")
Out = TypeVar("Out")
In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Slot(Generic[In, Out]):
    """A place for one model, by task: `Slot[str, Vector]("embed")`. Its type says what goes in and what comes out."""

    name: str
    model: str = ""
    """The one model (`name@revision`) that is asked, whichever is live; "" for the live one."""

    def of(self, model: str) -> Slot[In, Out]:
        """Return the slot with `model` in it: whose vectors are kept must be asked for by name, for the live one may change."""
        return replace(self, model=model)


@runtime_checkable
class Model(Protocol[In_contra, Out_co]):
    """A loaded model: one method to write, batch first."""

    def predict(self, batch: Sequence[In_contra]) -> Sequence[Out_co]:
        """Return one output an input, in order; `[]` for `[]`. No I/O, no network; called from one worker thread at a time."""
        ...

    def close(self) -> None:
        """Release memory and handles; afterwards `predict` is not called again."""
        ...


class Models(Protocol):
    """The live models, by slot. Implemented by `bot.models.pool.Pool`."""

    async def run(self, slot: Slot[In, Out], batch: Sequence[In], *, bulk: bool = False) -> list[Out]:
        """Return the live model's outputs for `batch`, in order. `bulk` work (indexing) lets what people wait for go first.

        Raises:
            NoModelError: nothing is installed for the slot; its sentence says what an admin would type.
            ModelError: the model failed, or does not fit into the RAM budget.
        """
        ...

    def live(self, slot: Slot[In, Out]) -> str:
        """Return `name@revision` of the slot's live model, "" where there is none; of a slot with its model that, "" where it is not here."""
        ...


class Library(Protocol):
    """Documents and messages that may be searched. Implemented by `bot.retrieval.library.Shelves`."""

    async def search(self, query: str, scopes: Scopes, k: int = 10) -> list[Hit]:
        """Return the best `k` passages in `scopes`, best first; `[]` where nothing is good enough to be an answer."""
        ...

    async def nearest(self, query: str, scopes: Scopes, k: int = 3) -> list[Hit]:
        """Return the `k` passages in `scopes` that fit best, best first, whether or not they answer; `[]` where there is nothing."""
        ...

    async def search_in(self, query: str, documents: Collection[int], scopes: Scopes, k: int = 10) -> list[Hit]:
        """Do the same in `documents` alone, those of them that are in `scopes`."""
        ...

    async def add_file(self, path: Path, scope: Scope, *, title: str, link: str = "", sender: str = "") -> Added:
        """Read a file and keep its passages in `scope`; the same bytes twice are one document, a changed file replaces its old self.

        `sender` sent it.

        Raises:
            UnreadableError, TooLargeError: the file cannot be read; nothing was kept.
        """
        ...

    async def add_text(
        self, text: str, scope: Scope, *, title: str, link: str, key: str, sender: str = "", said: Said | None = None
    ) -> Added:
        """Keep `text` in `scope` under `key` (unique in the scope): again with the same key replaces it. `sender` said it.

        `said` tells of a message by whom, when and where.
        """
        ...

    async def remove(self, scope: Scope, *, key: str) -> int:
        """Remove what was kept under `key` in `scope`; return how many passages went."""
        ...

    async def forget(self, scope: Scope, *, sender: str | None = None, keys: Collection[str] | None = None) -> int:
        """Remove what `sender` said in `scope`, of that what is kept under `keys`; None: all of it. Return how many passages went.

        It is found no more from the commit on; answers that were given and quote it are emptied.
        """
        ...

    async def forget_everywhere(self, channel: str, account: str, *, sender: str) -> int:
        """Remove what `sender` said in any chat of the account, as `forget` does; return how many passages went."""
        ...

    async def held(self, scope: Scope, *, sender: str | None = None) -> Sequence[Held]:
        """Return the documents in `scope` that `sender` brought, all of them for None, the newest first."""
        ...

    async def listing(
        self, scopes: Scopes, *, words: Sequence[str] = (), first: int = 0, count: int = 20, headed: bool = False
    ) -> Listing:
        """Return `count` of the documents in `scopes` whose titles hold all of `words`, from the place `first`, the newest first.

        `headed`, whose titles and the headings that they begin with do, together. Messages are no documents; how many there are is told.
        """
        ...

    async def whole(self, document: int, scopes: Scopes, *, most: int) -> Sequence[Passage]:
        """Return the first `most` passages of a document in reading order; none where it is in none of `scopes`."""
        ...

    async def text_of(self, path: Path, *, name: str) -> Sequence[Passage]:
        """Return the passages of a file without keeping them (id 0), in reading order. Raises as `add_file`."""
        ...


@dataclass(frozen=True, slots=True)
class Before:
    """What was said before in a conversation: the message, the skill that answered it, and the answer (None where it is gone)."""

    message: Message
    skill: str
    answer: Message | None = None
    went_on: bool = False
    """True where it went on itself from what was before it."""


@runtime_checkable
class GoesOn(Protocol):
    """A skill that understands what is said after an answer and does not stand for itself: "and in three lines?"."""

    def may_go_on(self, said: str) -> bool:
        """Say whether `said` could be such words. Pure and quick."""
        ...

    def goes_on(self, said: str, before: Sequence[Before]) -> tuple[Command, Message] | None:
        """Return the command that `said` is, and the message that it is about; None where it is none.

        `before` holds what was said before, the latest first, and last what stood for itself; never empty.
        """
        ...


class History(Protocol):
    """What was said before in a chat. Implemented by `bot.store.history.History`."""

    async def last(
        self, message: Message, *, count: int | None = None, since: datetime | None = None, whole_thread: bool = False
    ) -> list[Message]:
        """Return messages of the same chat and thread that came before `message`, oldest first."""
        ...


class Links(Protocol):
    """Fetches what a link points to, public addresses only. Implemented by `bot.retrieval.links.Fetcher`."""

    async def fetch(self, url: str) -> tuple[Path, str]:
        """Return (file, title) of the page. Raises RefusedLinkError, TooLargeError, UnreadableError."""
        ...


class Blobs(Protocol):
    """Bytes by their sha256, on disk. Implemented by `bot.store.blobs.BlobStore`."""

    def path(self, blob: str) -> Path:
        """Return the file that holds `blob`."""
        ...

    def keep(self, data: bytes) -> str:
        """Write the bytes (aside, fsynced, renamed) and return their sha256."""
        ...


class Sandbox(Protocol):
    """Parses foreign bytes in a child process with limits. Implemented by `bot.sandbox.Sandbox`."""

    @property
    def folder(self) -> Path:
        """The only folder that a child may write into."""
        ...

    async def call_as(self, kind: type[Out], function: str, arguments: Mapping[str, Json]) -> Out:
        """Run `package.module:name` in a child with `arguments` as keywords; return its result as `kind`.

        Raises:
            UnreadableError, TooLargeError: the file crashed its parser, or went over a limit; and what the function raised.
        """
        ...


async def nobody(message: Message) -> bool:
    """Know no admin."""
    del message
    return False


@dataclass(frozen=True, slots=True)
class Kit:
    """What every skill is built with: the house's services, by their contracts."""

    settings: Settings
    models: Models
    library: Library
    history: History
    links: Links
    blobs: Blobs
    sandbox: Sandbox
    skills: Callable[[], Sequence[Skill]] = tuple
    """All skills, asked at each use: they may come and go."""
    is_admin: Callable[[Message], Awaitable[bool]] = nobody
    """Whether who said a message is an admin now."""


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command that belongs to a skill: `/name`, what the menu says, and whether the menu shows it.

    `admin`: it is shown to admins alone. Whoever carries it out asks `Kit.is_admin` and refuses others.
    """

    name: str
    summary: Text
    listed: bool = True
    aliases: tuple[str, ...] = ()
    admin: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One message to be answered, and what the answer may use.

    `text` is what was asked: the command's arguments, or the message's text. `files` are the attachments of the message
    or, where it has none, of the message that it replies to; each is in the blob store by now.
    """

    message: Message
    language: Language
    text: str
    scopes: Scopes
    home: Scope
    files: tuple[Attachment, ...] = ()
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    progress: Callable[[Text], Awaitable[None]] | None = None
    by_files: bool = False
    """True where the skill was chosen by the files that came along, whatever is said with them; else by what is said."""

    @property
    def quoted(self) -> str:
        """The text of the message that this one replies to, "" where there is none."""
        return self.message.reply_to.text if self.message.reply_to else ""

    async def tell(self, text: Text) -> None:
        """Show `text` as the state of a long piece of work."""
        if self.progress is not None:
            await self.progress(text)

    def reply(  # noqa: PLR0913 - each is one thing that a reply may have
        self,
        text: str | Text,
        *,
        skill: str = "",
        model: str = "",
        images: Sequence[Picture] = (),
        buttons: Sequence[Button] = (),
        sources: Sequence[Source] = (),
        tokens: int = 0,
        bytes_sent_out: int = 0,
        made_of: Sequence[Message] = (),
    ) -> Reply:
        """Return a Reply in the request's language with a receipt; dispatch adds to it what the routing cost.

        `made_of` are the messages of this chat whose words it holds: nothing is left of it where one of them is forgotten.
        """
        receipt = Receipt(skill, model, stages_ms=self.stopwatch.stages(), tokens=tokens, bytes_sent_out=bytes_sent_out)
        said = text.markdown(self.language) if isinstance(text, Text) else text
        ids = tuple(dict.fromkeys(one.id for one in made_of if not one.by_bot))
        return Reply(said, self.language, tuple(images), tuple(buttons), tuple(sources), receipt, made_of=ids)

    def about(self, text: str) -> Request:
        """Return this request with another `text`."""
        return replace(self, text=text)


class Skill(Protocol):
    """What answers one kind of message."""

    @property
    def name(self) -> str:
        """Its label: what the router says, what receipts show."""
        ...

    @property
    def title(self) -> Text:
        """Two or three words for a button: "Search", "Read the text"."""
        ...

    @property
    def summary(self) -> Text:
        """One sentence in the first person, for /help."""
        ...

    @property
    def slots(self) -> tuple[Slot[Any, Any], ...]:
        """The slots that it cannot work without, and those that make it better."""
        ...

    @property
    def commands(self) -> tuple[CommandSpec, ...]:
        """Its commands, the first one the most usual."""
        ...

    @property
    def takes(self) -> frozenset[AttachmentKind]:
        """The kinds of attachment on which it works when it is asked to in words: "translate this" with a document.

        Who takes documents is given pictures, too: `Library.text_of` reads the text in both.
        """
        ...

    def claims(self, message: Message) -> bool:
        """Say whether `message`, which has no command, is this skill's by rule. Pure and quick: no I/O, no model."""
        ...

    async def answer(self, request: Request) -> Reply:
        """Answer. A ParingError that is raised reaches the person as its sentence."""
        ...
