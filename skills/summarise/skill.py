"""Summarise: a text, a message, a document, a page or a chat made short, in three lengths or as many lines as are asked for.

Owns: the answer's frame, its buttons and sources. What is asked stands in `order`, what it is about in `material`, the models in `model`.

    /sum 50          /sum today          /sum --length short
    summarise this in three lines: ...
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from bot.images import cut_off
from bot.locale import Language, Text, phrases
from bot.message import AttachmentKind, Button, Command, Message, Reply, Source
from bot.models.tasks import EMBED, SUMMARISE, Summary, SummaryInput, Vector
from bot.skill import Before, CommandSpec, Kit, Request, Slot
from bot.text.links import held_links_only
from bot.text.shown import literal, named
from skills.summarise.choose import joined, tidy
from skills.summarise.material import Material, Which, find
from skills.summarise.order import LENGTHS, Order, asks_only, option, read_order
from skills.summarise.vectors import with_vectors

_ = phrases(__file__)

TOO_SHORT: Final = 2
"""Sentences of a text that needs no summary."""
LONG_WORK: Final = 150
"""Sentences from which on it is told that work goes on."""
MOST_SOURCES: Final = 5
LONGEST_BACK: Final = 3000
"""Characters of a text that is given back as it is."""


class Summarise:
    """Makes things short."""

    name = "summarise"
    title = _("Summary")
    summary = _("I make a text, a document, a web page or this chat short.")
    slots: tuple[Slot[SummaryInput, Summary] | Slot[str, Vector], ...] = (SUMMARISE, EMBED)
    takes: frozenset[AttachmentKind] = frozenset({"document"})
    commands = (
        CommandSpec("sum", _("Make it short: a text, a file, a link, the last 50 messages"), aliases=("summary", "tldr", "요약")),
    )

    def __init__(self, kit: Kit) -> None:
        """Use the kit's models, library, history, links and blobs."""
        self._kit = kit

    def claims(self, message: Message) -> bool:
        """Claim a bare link, and the shortest forms of asking: `tl;dr`, `요약해줘`."""
        return asks_only(message.text) and not any(file.kind != "document" for file in message.attachments)

    def may_go_on(self, said: str) -> bool:
        """Say whether it only asks for another length: "and in three lines?"."""
        return bool(option(said))

    def goes_on(self, said: str, before: Sequence[Before]) -> tuple[Command, Message] | None:
        """Return the order to make short, in that length, what was made short before, or what was answered."""
        base = before[-1]
        about = base.message if base.skill == self.name else before[0].answer
        return (Command("sum", option(said)), about) if about is not None else None

    async def answer(self, request: Request) -> Reply:
        """Find what is meant and make it short."""
        order, about = self._order(request)
        with request.stopwatch("read"):
            material = await find(order, request, self._kit, about)
        if isinstance(material, Which):
            return _which(material, request, self.name)
        if material is None or not material.item.sentences:
            return request.reply(_nothing(order), skill=self.name)
        if len(material.item.sentences) <= max(TOO_SHORT, material.item.count):
            given, kept = _given_back(material, request.language), tuple(one.id for one in material.passages if one.id)
            sources = [replace(_source(material, 0, request.language), passages=kept)] if kept else []
            return request.reply(given, skill=self.name, sources=sources, made_of=material.said)
        if len(material.item.sentences) >= LONG_WORK:
            await request.tell(_("I am reading {count} sentences …", count=len(material.item.sentences)))
        with request.stopwatch("embed"):
            item = await with_vectors(material.item, self._kit.models)
        with request.stopwatch("summarise"):
            [made] = await self._kit.models.run(SUMMARISE, [item])
        return request.reply(
            "\n\n".join(_frame(material, made, request.language)),
            skill=self.name,
            model=self._kit.models.live(SUMMARISE),
            buttons=_buttons(item, request.language),
            sources=_sources(material, made, request.language),
            made_of=material.said,
        )

    def _order(self, request: Request) -> tuple[Order, Message]:
        """Return what is asked for and the message that asks; a button asks about the message that it stood under."""
        message, said = request.message, request.text
        order = read_order(said, now=message.sent_at, commanded=message.command is not None)
        if not said.strip().startswith("--"):
            return order, message
        about = message
        while _is_option(about) and about.reply_to is not None:
            about = about.reply_to
        if about is message:
            return order, message
        said = about.command.args if about.command is not None else about.text
        asked = read_order(said, now=about.sent_at, commanded=about.command is not None)
        return replace(asked, length=order.length or asked.length, count=order.count), about


def build(kit: Kit) -> Summarise:
    """Return the skill."""
    return Summarise(kit)


def _is_option(message: Message) -> bool:
    return message.command is not None and bool(re.fullmatch(r"\s*--(?:length|lines)[ =]\w+\s*", message.command.args))


def _which(which: Which, request: Request, skill: str) -> Reply:
    """Ask which document is meant, each as a button; of a file that is not there say so."""
    if not which.documents:
        return request.reply(
            _("I have no document {name} that you may read here. /files lists those that I have.", name=named(which.file)),
            skill=skill,
        )
    titles = list(dict.fromkeys(one.title for one in which.documents))
    buttons = [Button(named(title), Command("sum", title)) for title in titles]
    return request.reply(_("Which of these shall I make short?"), skill=skill, buttons=buttons)


def _nothing(order: Order) -> Text:
    if order.since is None and (order.last or order.talk):
        return _("I know of no messages in this chat yet, so there is nothing to summarise.")
    if order.since is not None:
        return _("I know of no messages from then in this chat, so there is nothing to summarise.")
    return _(
        "What shall I make short? Paste a text after the command, reply to a message with /sum, send a document or a link, "
        "or write /sum 50 for the last 50 messages. A document that I have is named: /sum lease.pdf."
    )


def _given_back(material: Material, language: Language) -> str:
    short = _("This is short already; I would not cut it further:").to(language)
    text = "\n".join(literal(tidy(sentence, alone=False)) for sentence in material.item.sentences)
    shown = f"{text[:LONGEST_BACK]}{' …' if len(text) > LONGEST_BACK else ''}"
    return "\n\n".join([short, shown, *_cut(material, language)])


def _frame(material: Material, made: Summary, language: Language) -> Iterator[str]:
    """Yield the paragraphs of the answer."""
    title = material.title.to(language) if isinstance(material.title, Text) else material.title
    if title:
        yield f"**{literal(title).replace(chr(10), ' ')}**"
    yield (
        _listed(material.item, made)
        if made.picked and (material.item.count > 1 or material.talk)
        else literal(held_links_only(made.text, material.item.sentences))
    )
    if material.left_out:
        read = len(material.item.sentences)
        yield _(
            "This covers the first {read} sentences of {all}; send the rest as a file of its own.",
            read=read,
            all=read + material.left_out,
        ).to(language)
    yield from _cut(material, language)


def _cut(material: Material, language: Language) -> list[str]:
    """Return what is said of a picture that is cut off."""
    return [cut_off(material.arrived).to(language)] if material.arrived < 1 else []


def _listed(item: SummaryInput, made: Summary) -> str:
    """Return the picked sentences as a list, those of one turn on one line unless lines were counted."""
    lines: list[str] = []
    before = -2
    for index in made.picked:
        speaker = item.speakers[index] if item.speakers else ""
        sentence = literal(tidy(item.sentences[index], alone=index != before + 1, followed=index + 1 in made.picked))
        same = bool(lines) and not item.count and bool(speaker) and item.speakers[before] == speaker
        if same:
            lines[-1] = joined(lines[-1], sentence)
        else:
            lines.append(f"- {literal(speaker)}: {sentence}" if speaker else f"- {sentence}")
        before = index
    return "\n".join(lines)


def _buttons(item: SummaryInput, language: Language) -> Sequence[Button]:
    place = LENGTHS.index(item.length)
    labels = ((place - 1, _("Shorter")), (place + 1, _("Longer")))
    return [
        Button(label.to(language), Command("sum", f"--length {LENGTHS[other]}"))
        for other, label in labels
        if 0 <= other < len(LENGTHS) and not (item.count == 1 and other < place)
    ]


def _sources(material: Material, made: Summary, language: Language) -> list[Source]:
    """Return the passages that the picked sentences stand in, in reading order; of an abstractive model's, the text's first."""
    if not material.passages:
        return []
    places = list(dict.fromkeys(material.stands_in[index] for index in made.picked)) or [0]
    held = tuple(material.passages[place].id for place in (places if made.picked else range(len(material.passages))))
    sources = [_source(material, place, language) for place in places[:MOST_SOURCES]]
    return [replace(sources[0], passages=tuple(filter(None, held))), *sources[1:]]  # the answer is emptied when one is forgotten


def _source(material: Material, place: int, language: Language) -> Source:
    passage = material.passages[place]
    title = str(material.title) or passage.title
    if passage.page is not None:
        title = _("{title}, page {page}", title=title, page=passage.page).to(language)
    return Source(title, passage.text, passage.link or material.link, 1.0)
