"""`/forget`: everything of one's own here or everywhere, one message or answer, one document.

Owns what is meant, and what is said of it. Leaves the passages to the library and all other rows, files and bytes to `bot.store.erasing`.

    /forget                 what I said and sent here
    /forget everything      in every chat with this bot
    /forget lease.pdf       that document
    /forget                 as a reply: that message, that file, that answer
"""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

from bot import lazy
from bot.errors import StoreError
from bot.kept_talk import key_of
from bot.locale import Text, phrases
from bot.logs import Logger
from bot.message import Message
from bot.passage import MESSAGE, PUBLIC, WITHIN, Held, Scope
from bot.retrieval.access import Others, no_others
from bot.store.passages import BEGUN
from bot.text.normal import normal
from bot.text.shown import named

if TYPE_CHECKING:
    from bot.message import Address, Reply
    from bot.skill import Library, Request
    from bot.store.erasing import Eraser
    from bot.store.history import History

_ = phrases(__file__)
log = Logger(__name__)

EVERYTHING = frozenset(
    {"everything", "all", "everywhere", "everything of mine", "all of it", "전부", "모두", "다", "모든 것", "내 것 전부"}
)
NEAR = 0.6
WIPED_AFTER_S = 60.0
"""A platform waits until it is told that a message is forgotten, and may tell of many at once."""
LONGEST_TITLE = 80
"""Characters of a document's title that are told."""


_FILE = r"[\"“'‘]?(?P<name>\S(?:[^\n\"”]{0,118}\S)?\.[A-Za-z][A-Za-z0-9]{1,4})[\"”'’]?"
_ENGLISH = lazy.compile(
    r"(?:please\s+)?(?:(?:can|could) you\s+(?:please\s+)?)?(?:delete|remove|forget|erase)\s+(?:(?:the|my|this|that)\s+)?"
    rf"(?:(?:file|document)\s+)?{_FILE}(?:\s+please)?\s*[.!?]?",
    re.IGNORECASE,
)
_KOREAN = lazy.compile(
    rf"{_FILE}\s?(?:파일|문서)?(?:을|를|은|는|도)?\s*(?:좀\s*)?(?:삭제|지워|잊어|제거|없애)\s?(?:해\s?)?(?:줘|줘요|주세요|줄래|줄래요|달라|주라)?\s*[.!?~]?"
)
LONGEST_WISH = 200
"""Characters of words that ask to forget a file."""


def file_to_forget(text: str) -> str:
    """Return the name of the file that `text` asks to delete in words, "" where it asks for nothing of the kind."""
    said = " ".join(text.split())
    found = (_ENGLISH.fullmatch(said) or _KOREAN.fullmatch(said)) if len(said) <= LONGEST_WISH else None
    return found["name"] if found else ""


class LeaveOut(Protocol):
    """Implemented by `bot.store.pasts.Pasts.leave_out`."""

    async def __call__(self, address: Address, *, sender: str = "", message: str = "", everywhere: bool = False) -> None:
        """Have what `sender` said, or one message, not be read in again."""
        ...


async def nothing_left_out(address: Address, *, sender: str = "", message: str = "", everywhere: bool = False) -> None:
    """Know of no past that is read."""
    del address, sender, message, everywhere


async def _nothing_to_stop(_number: int) -> None:
    """Know of no work."""


class Forgetting:
    """Does what an order to forget says."""

    def __init__(
        self,
        history: History,
        library: Library,
        eraser: Eraser,
        *,
        leave_out: LeaveOut = nothing_left_out,
        others: Others = no_others,
    ) -> None:
        """Use the stores; `leave_out` is told what is not to be read in again from a group's past, `others` tells a person's other accounts."""
        self._history = history
        self._library = library
        self._eraser = eraser
        self._leave_out = leave_out
        self._others = others
        self.withdraw: Callable[[int], Awaitable[None]] = _nothing_to_stop
        """Ends the work on a message of the inbox (`Worker.withdraw`): what it is about to keep is to be forgotten, too."""
        self._wiping: asyncio.Task[None] | None = None

    async def answer(self, request: Request) -> Reply:
        """Forget, then leave of the order that it was given."""
        message, said = request.message, " ".join(request.text.split())
        if said and said.lower() not in EVERYTHING:
            told = await self._document(message, said)
        elif message.reply_to is not None:
            told = await self._one(message, message.reply_to)
        else:
            told = await self._all(message, everywhere=bool(said))
        await self._eraser.hush(message)
        await self._eraser.wipe()
        return request.reply(told)

    async def removed(self, at: Address, number: str) -> None:
        """Forget a message that its writer took back, with its answer; it was theirs, whoever tells of it."""
        message = Message(at, "", number, "", "en", datetime.now(UTC))
        if at.kind == "group":
            await self._leave_out(at, message=number)
        await self._stop(at, number)
        keys = await self._keys(Scope.of(at), message, await self._history.files_of_it_alone(at, number))
        await self._library.forget(Scope.of(at), sender=None, keys=keys)
        await self._eraser.forget_message(at, number, sender=None)
        if self._wiping is None:
            self._wiping = asyncio.create_task(self._wipe_later())

    async def close(self) -> None:
        """Wipe at once what waits to be."""
        waiting, self._wiping = self._wiping, None
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait([waiting])
            await self._wipe()

    async def _wipe_later(self) -> None:
        """Leave no byte of what was taken back: once for all of a minute, for the whole database is written anew by it."""
        await asyncio.sleep(WIPED_AFTER_S)
        self._wiping = None
        await self._wipe()

    async def _wipe(self) -> None:
        try:
            await self._eraser.wipe()
        except StoreError as error:
            log.warning("pieces of what was taken back stay on the disk until the next time", why=str(error))

    async def _all(self, message: Message, *, everywhere: bool) -> Text:
        at, whose = message.address, _whose(message)
        if everywhere or at.kind == "group":
            await self._leave_out(at, sender=message.sender, everywhere=everywhere)
        passages = await self._library.forget(Scope.of(at), sender=whose)
        if everywhere:
            passages += await self._library.forget_everywhere(at.channel, at.account, sender=message.sender)
            messages = await self._eraser.forget_everywhere(at, message.sender)
            for other in await self._others(at.channel, at.account, message.sender) if at.kind == "direct" else ():
                await self._leave_out(other.direct, sender=other.user, everywhere=True)
                passages += await self._library.forget(Scope.of(other.direct), sender=None)
                passages += await self._library.forget_everywhere(other.channel, other.account, sender=other.user)
                messages += await self._eraser.forget_everywhere(other.direct, other.user)
        else:
            messages = await self._eraser.forget(at, message.sender)
        return _("Forgotten: {messages} messages of yours with their answers, and {passages} passages that could be searched.",
                 messages=messages, passages=passages)  # fmt: skip

    async def _one(self, message: Message, quoted: Message) -> Text:
        """Forget the message that is replied to, or the answer."""
        at, whose = message.address, _whose(message)
        if quoted.by_bot:
            gone = await self._eraser.forget_answer(at, quoted.id, sender=whose)
            if gone is None:
                return _("That answer was given to somebody else, who alone can have it forgotten.")
            return _("Forgotten: that answer.") if gone else _("I keep nothing of that answer.")
        if whose is not None and quoted.sender != whose:
            return _("Somebody else said that, who alone can have it forgotten.")
        if at.kind == "group":
            await self._leave_out(at, message=quoted.id)
        await self._stop(at, quoted.id)
        keys = await self._keys(Scope.of(at), quoted, await self._history.files_of_it_alone(at, quoted.id))
        passages = await self._library.forget(Scope.of(at), sender=whose, keys=keys)
        messages = await self._eraser.forget_message(at, quoted.id, sender=whose)
        if not messages and not passages:
            return _("I keep nothing of that message.")
        return _("Forgotten: that message with its answer, and {passages} passages that could be searched.", passages=passages)

    async def _stop(self, at: Address, number: str) -> None:
        """Have nothing more be done with a message that waits or is worked on."""
        for one in await self._history.unanswered(at, number):
            await self.withdraw(one)

    async def _document(self, message: Message, name: str) -> Text:
        """Forget the document of this chat that is called so."""
        at, whose, scope = message.address, _whose(message), Scope.of(message.address)
        held = [one for one in await self._library.held(scope, sender=whose) if not one.key.startswith(MESSAGE)]
        meant = [one for one in held if _is_called(one.title, name)]
        if not meant:
            return await self.for_all(message, name) or _not_here(name, held)
        meant = _with_members(meant, held)
        passages = await self._library.forget(scope, sender=whose, keys=[one.key for one in meant])
        names = [PurePosixPath(one.title).name for one in meant]
        before = await self._history.files_called(at, lambda file: any(_is_called(file, one) for one in names), sender=whose)
        await self._eraser.forget_files(at, sorted({*before, *(blob for one in meant for blob in _blobs(one))}), sender=whose)
        return _(
            "Forgotten: {name} ({passages} passages that could be searched).", name=_short(meant[0].title), passages=passages
        )

    async def for_all(self, message: Message, name: str) -> Text | None:
        """Say that the document `name` is everybody's, where this chat has none of its own that is called so; else None."""
        own = await self._library.held(Scope.of(message.address), sender=_whose(message))
        if any(_is_called(one.title, name) for one in own):
            return None
        meant = next((one for one in await self._library.held(PUBLIC) if _is_called(one.title, name)), None)
        if meant is None:
            return None
        return _("{name} is there for everybody, so nothing was forgotten. An admin takes it out of the search: `paring remove` with its path.",
                 name=_short(meant.title))  # fmt: skip

    async def _keys(self, scope: Scope, message: Message, blobs: Sequence[str]) -> list[str]:
        """Return under which keys that is kept which came with a message: its words, its files, what was seen and heard in them."""
        own = {key_of(message), *(f"{kind}:{blob}" for kind in ("image", "audio") for blob in blobs)}
        held = await self._library.held(scope)
        meant = [
            one for one in held if one.key in own or (one.sha256.removeprefix(BEGUN) in blobs and not one.key.startswith(MESSAGE))
        ]
        return [one.key for one in _with_members(meant, held)]


def _whose(message: Message) -> str | None:
    """Return whose words may be forgotten: in a group those of who orders it, in a direct chat all that is there."""
    return None if message.address.kind == "direct" else message.sender


def _with_members(meant: Sequence[Held], held: Sequence[Held]) -> list[Held]:
    """Return `meant`, and what of `held` came in an archive among them."""
    inner = tuple(one.key + WITHIN for one in meant)
    return [*meant, *(one for one in held if one.key.startswith(inner) and one not in meant)]


def _is_called(title: str, name: str) -> bool:
    """Say whether a document is meant: by its whole title, or by the name of its file without its folders."""
    return _same(name) in (_same(title), _same(PurePosixPath(title).name))


def _same(name: str) -> str:
    return " ".join(normal("NFC", name).casefold().strip("“”\"'`").split())


def _blobs(held: Held) -> list[str]:
    """Return under which names the file of a document may lie on the disk."""
    sha256 = held.sha256.removeprefix(BEGUN)
    return [blob for blob in (sha256, held.key.partition(":")[2]) if len(blob) == len(sha256) and blob.isalnum()]


def _not_here(name: str, held: Sequence[Held]) -> Text:
    """Say that no document is called so. What is named are this person's own, in this chat."""
    by_name = {_same(PurePosixPath(one.title).name): one.title for one in held}
    near = difflib.get_close_matches(_same(name), by_name, n=1, cutoff=NEAR)
    if near:
        return _("You have no document {name} here, and nothing was forgotten. Did you mean {near}?",
                 name=_short(name), near=_short(by_name[near[0]]))  # fmt: skip
    return _("You have no document {name} here, and nothing was forgotten. /forget alone forgets all that you said and sent here.",
             name=_short(name))  # fmt: skip


def _short(title: str) -> str:
    return named(title)[:LONGEST_TITLE]
