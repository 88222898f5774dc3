"""The text that is to be summarised: pasted, quoted, in a file, behind a link, or said in the chat.

Owns: where a summary's text is looked for, in which order, and what of it is left out. Leaves fetching, parsing and history to the house.

    material = await find(order, request, kit)
    material.item.sentences
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from bot.language import detect
from bot.locale import Language, Text, phrases
from bot.message import Attachment, Message
from bot.models.tasks import SummaryInput
from bot.passage import Listed, Passage
from bot.skill import Kit, Request
from bot.text.shown import named
from skills.summarise.frame import body_of
from skills.summarise.kept import called
from skills.summarise.named import meant
from skills.summarise.order import LONGEST_ORDER, MOST_MESSAGES, Order, is_wish, option, read_order

_ = phrases(__file__)

USUAL_MESSAGES: Final = 50
"""What is taken where a chat is to be summarised and nobody says how much of it."""
LOOKED_BACK: Final = 5
"""Messages before a bare "summarise this" among which the text that is meant is looked for."""
LONG_ENOUGH: Final = 3
"""Sentences of a message that can be meant by "this"."""
MOST_SENTENCES: Final = 5000
MOST_PASSAGES: Final = 2000
"""Passages of a kept document that are read: more than MOST_SENTENCES."""


@dataclass(frozen=True, slots=True)
class Material:
    """A text in sentences, what to call it ("" for what the asker sees anyway), and where each sentence stands."""

    item: SummaryInput
    title: Text | str = ""
    passages: tuple[Passage, ...] = ()
    stands_in: tuple[int, ...] = ()
    """The passage of each sentence; () where there are no passages."""
    link: str = ""
    left_out: int = 0
    """Sentences after the first MOST_SENTENCES."""
    talk: bool = False
    said: tuple[Message, ...] = ()
    """The messages of the chat that it was taken from."""

    @property
    def arrived(self) -> float:
        """The share of a picture that arrived: under 1 where its file is cut off."""
        return min((passage.arrived for passage in self.passages), default=1.0)


@dataclass(frozen=True, slots=True)
class Which:
    """Documents that the order may mean, none of them by its whole name; of none, the file that it names is not there."""

    documents: tuple[Listed, ...]
    file: str = ""


async def find(order: Order, request: Request, kit: Kit, about: Message) -> Material | Which | None:
    """Return what `order` is about, None for nothing.

    That is what it names, else its own text, a link, a file, the quoted message, a document that it names, the talk before.

    Raises:
        UnreadableError, TooLargeError, RefusedLinkError: it is there and cannot be read.
    """
    if order.names_talk:
        return await _talk(order, kit, about, request.language)
    if order.text:
        return await _title(order, request, kit, about) or await _text(order.text, order)
    if order.url:
        return await _link(order.url, order, request, kit)
    if files := _readable(_files(about, request)):
        return await _file(files[0], order, request, kit)
    quoted = about.reply_to
    if quoted is not None and quoted.text.strip():
        return await _quoted(quoted, order, request, kit)
    return await _named(order, request, kit, about)


async def _named(order: Order, request: Request, kit: Kit, about: Message) -> Material | Which | None:
    """Return the document of the library that is called by its whole name, else what is meant in this chat, else one that may be meant."""
    found = await called(order.asked, request, kit)
    if found.one is not None:
        return await _kept(found.one, order, request, kit)
    if order.talk:
        return await _talk(order, kit, about, request.language)
    if len(found.several) <= 1 and (sent := await _sent(order, request, kit, about)):
        return sent
    if found.file and not found.several:
        return Which((), found.file)
    if before := await _before(order, request, kit, about):
        return before
    if len(found.several) == 1:
        return await _kept(found.several[0], order, request, kit)
    return Which(found.several) if found.several else None


async def _title(order: Order, request: Request, kit: Kit, about: Message) -> Material | None:
    """Return the document whose whole name stands after the command in place of a text."""
    if about.command is None or len(order.text) > LONGEST_ORDER or "\n" in order.text:
        return None
    found = await called(order.text, request, kit)
    document = found.one or found.headed
    return await _kept(document, order, request, kit) if document is not None else None


async def _kept(document: Listed, order: Order, request: Request, kit: Kit) -> Material:
    """Return a document of the library."""
    await request.tell(_("I am reading {name} …", name=named(document.title)))
    passages = await kit.library.whole(document.document, request.scopes, most=MOST_PASSAGES)
    return replace(await asyncio.to_thread(_of_passages, passages, order), title=document.title)


def _files(about: Message, request: Request) -> Sequence[Attachment]:
    quoted = about.reply_to.attachments if about.reply_to is not None else ()
    return about.attachments or quoted or (request.files if about is request.message else ())


def _readable(files: Sequence[Attachment]) -> Sequence[Attachment]:
    """Return the files that have a text, as far as one can tell: documents, then pictures."""
    return [file for kind in ("document", "image") for file in files if file.kind == kind and file.blob]


async def _text(text: str, order: Order) -> Material:
    return _capped(Material(await asyncio.to_thread(_item, text, order)))


async def _quoted(quoted: Message, order: Order, request: Request, kit: Kit) -> Material:
    said = quoted.command.args if quoted.command is not None else quoted.text
    inner = read_order(said, now=quoted.sent_at, commanded=quoted.command is not None)
    if inner.url:
        return await _link(inner.url, order, request, kit)
    return await _text(inner.text or said, order)


async def _link(url: str, order: Order, request: Request, kit: Kit) -> Material:
    await request.tell(_("I am reading {host} …", host=_host_of(url)))
    path, title = await kit.links.fetch(url)
    try:
        name = PurePosixPath(urlsplit(url).path).name
        passages = await kit.library.text_of(path, name=name if PurePosixPath(name).suffix else path.name)
    finally:
        await asyncio.to_thread(_remove, path)
    material = await asyncio.to_thread(_of_passages, passages, order)
    told = passages[0].title if passages and passages[0].title not in (name, path.name) else title
    return replace(material, title=told, link=url)


async def _file(file: Attachment, order: Order, request: Request, kit: Kit) -> Material:
    await request.tell(_("I am reading {name} …", name=file.name))
    passages = await kit.library.text_of(kit.blobs.path(file.blob), name=file.name)
    return replace(await asyncio.to_thread(_of_passages, passages, order), title=file.name)


async def _talk(order: Order, kit: Kit, about: Message, language: Language) -> Material | None:
    count = order.last or (MOST_MESSAGES if order.since is not None else USUAL_MESSAGES)
    more = min(MOST_MESSAGES, 2 * count + LOOKED_BACK)  # commands and wishes are among them
    past = await kit.history.last(about, count=more, since=order.since)
    said = [one for one in past if one.text.strip() and not (one.by_bot or is_wish(one.text) or option(one.text))]
    among_people = [
        one for one in said if not one.addressed
    ]  # what the bot was asked is none of a group's talk, where it hears that
    said = (among_people or said)[-count:]
    if not said:
        return None
    item = await asyncio.to_thread(_of_talk, said, order, language)
    title = _("{count} messages", count=len(said)) if len(said) > 1 else _("one message")
    return _capped(Material(item, title=title, talk=True, said=tuple(said)))


async def _sent(order: Order, request: Request, kit: Kit, about: Message) -> Material | None:
    """Return the document of this chat that is named: "summarise the handbook"."""
    past = await kit.history.last(about, count=MOST_MESSAGES)
    sent = [(file, said) for said in reversed(past) for file in said.attachments if file.kind == "document" and file.blob]
    said = about.command.args if about.command is not None else about.text
    place = meant(said, [file.name for file, _said in sent])
    if place is None:
        return None
    file, brought = sent[place]
    return replace(await _file(file, order, request, kit), said=(brought,))


async def _before(order: Order, request: Request, kit: Kit, about: Message) -> Material | None:
    """Return the newest long message before this one, or the file in it: what somebody means who pastes and then says "summarise this"."""
    for said in reversed(await kit.history.last(about, count=LOOKED_BACK)):
        if files := _readable(said.attachments):
            return replace(await _file(files[0], order, request, kit), said=(said,))
        words = said.command.args if said.command is not None else said.text
        text = read_order(words, now=said.sent_at, commanded=said.command is not None).text or words
        item = await asyncio.to_thread(_item, text, order)
        if len(item.sentences) >= LONG_ENOUGH:
            return _capped(Material(item, said=(said,)))
    return await _talk(order, kit, about, request.language) if about.address.kind == "group" else None


def _item(text: str, order: Order) -> SummaryInput:
    text = body_of(text)
    return SummaryInput.of(text, language=detect(text) or "en", length=order.length or "medium", count=order.count)


def _of_passages(passages: Sequence[Passage], order: Order) -> Material:
    """Join passages in reading order; what two of them share is told once."""
    sentences: list[str] = []
    speakers: list[str] = []
    places: list[int] = []
    fresh: set[str] = set()
    for place, passage in enumerate(passages):
        item = SummaryInput.of(body_of(passage.text), language=passage.language)
        before, fresh = fresh, set(item.sentences)
        for sentence, speaker in zip(item.sentences, item.speakers or ("",) * len(item.sentences), strict=True):
            if sentence not in before:
                sentences.append(sentence)
                speakers.append(speaker)
                places.append(place)
    text = "\n\n".join(passage.text for passage in passages)
    whole = SummaryInput(
        text, tuple(sentences), detect(text) or "en", order.length or "medium",
        speakers=tuple(speakers) if any(speakers) else (), count=order.count,
    )  # fmt: skip
    return _capped(Material(whole, passages=tuple(passages), stands_in=tuple(places)))


def _of_talk(said: Sequence[Message], order: Order, language: Language) -> SummaryInput:
    sentences: list[str] = []
    speakers: list[str] = []
    for one in said:
        item = SummaryInput.of(one.text, language=language)
        name = one.sender_name or one.sender
        sentences += item.sentences
        speakers += [speaker or name for speaker in item.speakers] if item.speakers else [name] * len(item.sentences)
    text = "\n".join(f"{speaker}: {sentence}" for speaker, sentence in zip(speakers, sentences, strict=True))
    several = len(set(speakers)) > 1
    return SummaryInput(
        text, tuple(sentences), detect(" ".join(sentences)) or language, order.length or "medium",
        speakers=tuple(speakers) if several else (), count=order.count,
    )  # fmt: skip


def _capped(material: Material) -> Material:
    item = material.item
    if len(item.sentences) <= MOST_SENTENCES:
        return material
    shorter = replace(item, sentences=item.sentences[:MOST_SENTENCES], speakers=item.speakers[:MOST_SENTENCES])
    places = material.stands_in[:MOST_SENTENCES]
    return replace(material, item=shorter, stands_in=places, left_out=len(item.sentences) - MOST_SENTENCES)


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or url
    except ValueError:  # no link, which is told by who fetches it
        return url


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
