"""What a skill's tests are built with: a Kit of fakes, messages and requests. Public, for authors of skills.

Owns: small, honest stand-ins for the contracts of `bot.skill`; they keep what they are given and can be asked for it.
Leaves to `tests/` the real services. Nothing here touches the network, a database or a model.

    kit = fake_kit(tmp_path, models={"translate": lambda item: item.text.upper()})
    reply = await build(kit).answer(make_request("/tr en 안녕하세요"))
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import tempfile
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bot.config import Settings
from bot.errors import NoModelError, RefusedLinkError, UnreadableError
from bot.locale import Language, Text
from bot.message import Address, Attachment, AttachmentKind, ChatKind, Command, Message
from bot.passage import Added, Held, Hit, Listed, Listing, Passage, Scope, Scopes
from bot.skill import Kit, Model, Request, Slot
from bot.talk import Said

if TYPE_CHECKING:
    from bot.sandbox import Json

In = TypeVar("In")
Out = TypeVar("Out")

NOON = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
"""When a message is sent that says nothing else."""

Answerer = Callable[[Any], object] | Model[Any, Any]
"""What stands for a model: a function of one input, or a Model."""


def make_message(  # noqa: PLR0913 - a message has that many sides, and each test names one or two
    text: str = "",
    *,
    kind: ChatKind = "direct",
    chat: str = "1",
    thread: str = "",
    sender: str = "ann",
    id: str = "1",  # noqa: A002 - the field's own name
    language: Language | None = None,
    attachments: Sequence[Attachment] = (),
    reply_to: Message | None = None,
    by_bot: bool = False,
    sent_at: datetime = NOON,
) -> Message:
    """Return a message of the channel `test`; a text that begins with `/` carries its Command, Hangul makes it Korean."""
    spoken: Language = language or ("ko" if any("가" <= letter <= "힣" for letter in text) else "en")
    return Message(
        address=Address("test", "bot", chat, thread, kind),
        sender=sender,
        id=id,
        text=text,
        language=spoken,
        sent_at=sent_at,
        sender_name=sender.title(),
        attachments=tuple(attachments),
        reply_to=reply_to,
        command=_command(text),
        by_bot=by_bot,
    )


def make_request(
    message: Message | str = "", *, language: Language | None = None, scopes: Iterable[Scope] = (), progress: Told | None = None
) -> Request:
    """Return the request that dispatch would make of `message`: arguments or text, files of it or of what it replies to."""
    message = make_message(message) if isinstance(message, str) else message
    home = Scope.of(message.address)
    quoted = message.reply_to.attachments if message.reply_to else ()
    return Request(
        message=message,
        language=language or message.language,
        text=message.command.args if message.command else message.text,
        scopes=Scopes([home, *scopes]),
        home=home,
        files=message.attachments or quoted,
        progress=progress,
    )


def make_attachment(kit: Kit, kind: AttachmentKind, name: str, data: bytes, *, media_type: str = "") -> Attachment:
    """Keep `data` in the kit's blob store and return it as a file of a message."""
    return Attachment(kind, name, media_type or "application/octet-stream", len(data), blob=kit.blobs.keep(data))


def fake_kit(
    folder: Path | None = None,
    *,
    models: FakeModels | Mapping[str, Answerer] | None = None,
    library: FakeLibrary | None = None,
    history: Sequence[Message] = (),
    links: Mapping[str, Path] | None = None,
    settings: Settings | None = None,
) -> Kit:
    """Return a Kit of fakes. `folder` (a test's tmp_path) is needed where blobs are read as files.

    Args:
        folder: home of the settings and of the blobs.
        models: slot name to what stands for its live model; the slots that are not named have none.
        library: what may be searched; an empty one by default.
        history: earlier messages, oldest first.
        links: URL to the file that fetching it gives.
        settings: settings that differ from the defaults.
    """
    home = folder or Path("paring-home-that-does-not-exist")
    return Kit(
        settings=settings or Settings(home=home),
        models=models if isinstance(models, FakeModels) else FakeModels(models or {}),
        library=library or FakeLibrary(),
        history=FakeHistory(history),
        links=FakeLinks(links or {}),
        blobs=MemoryBlobs(folder),
        sandbox=InlineSandbox(),
    )


class FakeModels:
    """Live models by slot name; `calls` holds (slot name, batch) in order."""

    def __init__(self, answerers: Mapping[str, Answerer]) -> None:
        """Keep what stands for each slot's model."""
        self._answerers = dict(answerers)
        self.calls: list[tuple[str, list[object]]] = []

    async def run(self, slot: Slot[In, Out], batch: Sequence[In], *, bulk: bool = False) -> list[Out]:  # noqa: ARG002 - the contract
        """Answer each of `batch`. Raises NoModelError where the slot was not named, and what the stand-in raises."""
        self.calls.append((slot.name, list(batch)))
        answerer = self._answerers.get(slot.name)
        if answerer is None:
            msg = f"Nothing is installed for {slot.name}."
            raise NoModelError(msg)
        if isinstance(answerer, Model):
            return list(answerer.predict(batch))
        return [cast("Out", answerer(item)) for item in batch]

    def live(self, slot: Slot[In, Out]) -> str:
        """Return `fake-SLOT@0` for a slot that was named, "" for others."""
        return f"fake-{slot.name}@0" if slot.name in self._answerers else ""


@dataclass
class FakeLibrary:
    """Passages in memory. `kept` holds what was added, by (scope, key or title)."""

    passages: list[Passage] = field(default_factory=list)
    kept: dict[tuple[Scope, str], str] = field(default_factory=dict)
    senders: dict[tuple[Scope, str], str] = field(default_factory=dict)
    said: dict[tuple[Scope, str], Said] = field(default_factory=dict)

    async def search(self, query: str, scopes: Scopes, k: int = 10) -> list[Hit]:
        """Return passages in `scopes` that share words with `query`; the score is the share of its words that are found."""
        words = set(query.lower().split())
        found = [
            Hit(passage, len(words & set(passage.text.lower().split())) / max(len(words), 1))
            for passage in self.passages
            if passage.scope in scopes
        ]
        return sorted((hit for hit in found if hit.score > 0), key=lambda hit: -hit.score)[:k]

    async def nearest(self, query: str, scopes: Scopes, k: int = 3) -> list[Hit]:
        """Return passages in `scopes`, those first that share words with `query`."""
        found = await self.search(query, scopes, len(self.passages))
        others = [one for one in self.passages if one.scope in scopes and one not in [hit.passage for hit in found]]
        return [*found, *(Hit(one, 0.01) for one in others)][:k]

    async def search_in(self, query: str, documents: Collection[int], scopes: Scopes, k: int = 10) -> list[Hit]:
        """Do the same in `documents`; a document's number is its only passage's."""
        return [hit for hit in await self.search(query, scopes, len(self.passages)) if hit.passage.id in documents][:k]

    async def add_file(self, path: Path, scope: Scope, *, title: str, link: str = "", sender: str = "") -> Added:
        """Keep a text file as one passage."""
        text = await asyncio.to_thread(_read, path)
        return await self.add_text(text, scope, title=title, link=link, key=title, sender=sender)

    async def add_text(
        self, text: str, scope: Scope, *, title: str, link: str, key: str, sender: str = "", said: Said | None = None
    ) -> Added:
        """Keep `text` as one passage under `key`; `sender` said it."""
        if said is not None:
            self.said[scope, key] = said
        before = self.kept.get((scope, key))
        if before is not None:
            await self.remove(scope, key=key)
        self.kept[scope, key] = text
        self.senders[scope, key] = sender
        passage = _passage(text, scope, title, link, number=len(self.passages) + 1)
        self.passages.append(passage)
        return Added(title, 1, "added" if before is None else "unchanged" if before == text else "replaced", passage.id)

    async def remove(self, scope: Scope, *, key: str) -> int:
        """Remove what was kept under `key`."""
        text = self.kept.pop((scope, key), None)
        self.passages = [passage for passage in self.passages if (passage.scope, passage.text) != (scope, text)]
        return 0 if text is None else 1

    async def forget(self, scope: Scope, *, sender: str | None = None, keys: Collection[str] | None = None) -> int:
        """Remove what `sender` said in `scope`, of that what is kept under `keys`; None: all of it."""
        mine = [held.key for held in await self.held(scope, sender=sender) if keys is None or held.key in keys]
        return sum([await self.remove(scope, key=key) for key in mine])

    async def forget_everywhere(self, channel: str, account: str, *, sender: str) -> int:
        """Remove what `sender` said in any chat of the account."""
        scopes = {scope for scope, _key in self.kept if scope.path.startswith(f"{channel}/{account}/")}
        return sum([await self.forget(scope, sender=sender) for scope in scopes])

    async def held(self, scope: Scope, *, sender: str | None = None) -> list[Held]:
        """Return what `sender` brought into `scope`, all of it for None; a document's title is its key."""
        mine = [key for place, key in self.kept if place == scope and sender in (None, self.senders[place, key])]
        return [Held(key, key, hashlib.sha256(self.kept[scope, key].encode()).hexdigest()) for key in reversed(mine)]

    async def listing(
        self, scopes: Scopes, *, words: Sequence[str] = (), first: int = 0, count: int = 20, headed: bool = False
    ) -> Listing:
        """Return what was added in `scopes` and is no message, the newest first; a document's number is its only passage's."""
        held = [one for one in reversed(self.passages) if one.scope in scopes]
        said = {self.kept[place] for place in self.said}
        named = [
            Listed(one.id, one.title, one.scope, 1, datetime(2026, 1, 1, tzinfo=UTC), one.heading if headed else "")
            for one in held
            if one.text not in said
            and all(word.lower() in f"{one.title} {one.heading if headed else ''}".lower() for word in words)
        ]
        return Listing(tuple(named[first : first + count]), len(named), sum(one.text in said for one in held))

    async def whole(self, document: int, scopes: Scopes, *, most: int) -> Sequence[Passage]:
        """Return the one passage of a document."""
        return [one for one in self.passages if one.id == document and one.scope in scopes][:most]

    async def text_of(self, path: Path, *, name: str) -> Sequence[Passage]:
        """Return a text file as one passage. Raises UnreadableError where it is not UTF-8."""
        return [_passage(await asyncio.to_thread(_read, path), Scope("public"), name, "", number=0)]


class FakeHistory:
    """A chat's past: the messages it was made with."""

    def __init__(self, messages: Sequence[Message]) -> None:
        """Keep `messages`, oldest first."""
        self._messages = list(messages)

    async def last(
        self, message: Message, *, count: int | None = None, since: datetime | None = None, whole_thread: bool = False
    ) -> list[Message]:
        """Return those of the same chat and thread before `message`, oldest first; the bot's own with `whole_thread` alone."""
        same = [
            past
            for past in self._messages
            if past.address == message.address
            and past.id != message.id
            and (since is None or past.sent_at >= since)
            and (whole_thread or not past.by_bot)
        ]
        return same if count is None else same[-count:] if count else []


class FakeLinks:
    """The part of the web that a test has."""

    def __init__(self, pages: Mapping[str, Path]) -> None:
        """Keep URL to file."""
        self._pages = dict(pages)

    async def fetch(self, url: str) -> tuple[Path, str]:
        """Return (file, title). Raises RefusedLinkError for any other URL."""
        if url not in self._pages:
            msg = f"{url} is not fetched."
            raise RefusedLinkError(msg)
        return self._pages[url], self._pages[url].stem


class MemoryBlobs:
    """Bytes by their sha256, in memory; written to `folder` when one asks for the file."""

    def __init__(self, folder: Path | None = None) -> None:
        """Begin empty."""
        self._folder = folder
        self.data: dict[str, bytes] = {}

    def path(self, blob: str) -> Path:
        """Return the file that holds `blob`. Raises ValueError where the kit was made without a folder."""
        if self._folder is None:
            msg = "this kit has no folder for blobs: expected fake_kit(tmp_path)"
            raise ValueError(msg)
        file = self._folder / blob
        if not file.exists():
            file.write_bytes(self.data[blob])
        return file

    def keep(self, data: bytes) -> str:
        """Keep the bytes and return their sha256."""
        blob = hashlib.sha256(data).hexdigest()
        self.data[blob] = data
        return blob


class InlineSandbox:
    """Runs a parser in the test's own process: its result and its errors, without its limits. One at a time, as a child works."""

    _turn = threading.Lock()
    """Of the whole process: PDFium is not made for two threads."""

    @property
    def folder(self) -> Path:
        """Where files of a moment lie."""
        return Path(tempfile.gettempdir())

    async def call(self, function: str, arguments: Mapping[str, Json]) -> Json:
        """Run `package.module:name` on a thread; its result is made JSON, as the real one does."""
        from pydantic_core import to_jsonable_python  # noqa: PLC0415 - as in the real one, paid when used

        module, _colon, name = function.partition(":")
        work = getattr(importlib.import_module(module), name)

        def alone() -> object:
            with self._turn:
                return work(**arguments)

        return cast("Json", to_jsonable_python(await asyncio.to_thread(alone)))

    async def call_as(self, kind: type[Out], function: str, arguments: Mapping[str, Json]) -> Out:
        """Run as `call` does and return the result as `kind`."""
        from pydantic import TypeAdapter  # noqa: PLC0415 - as above

        return TypeAdapter(kind).validate_python(await self.call(function, arguments))


class Told(list[Text]):
    """A request's `progress` that remembers what was shown."""

    async def __call__(self, text: Text) -> None:
        """Remember `text`."""
        self.append(text)


def conversation(*lines: str, chat: str = "1", thread: str = "", bot_every: int = 2) -> list[Message]:
    """Return a past of `lines`, one a minute until NOON; every `bot_every`th was said by the bot (0: none)."""
    count = len(lines)
    return [
        replace(
            make_message(line, chat=chat, thread=thread, id=f"past-{number}", sent_at=NOON - timedelta(minutes=count - number)),
            by_bot=bot_every > 0 and number % bot_every == bot_every - 1,
        )
        for number, line in enumerate(lines)
    ]


def _command(text: str) -> Command | None:
    if not text.startswith("/"):
        return None
    name, _space, args = text[1:].partition(" ")
    return Command(name.lower(), args.strip())


def _passage(text: str, scope: Scope, title: str, link: str, *, number: int) -> Passage:
    language: Language = "ko" if any("가" <= letter <= "힣" for letter in text) else "en"
    return Passage(number, scope, title, "", text, link, language)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path.name} is no text. Nothing was kept."
        raise UnreadableError(msg) from error
