"""Search: the passage that answers, its sentence marked, with sources; and keeping the documents that people send.

Owns: what is looked for, how the answer is shown, how sent documents are kept. Leaves finding to the library and where a
link leads to the channel.

    /search when does the office open?
    /search --count 10          (the button "More": the question is the message that it belongs to)
    /search --nearest           (the button where nothing was found: what comes nearest, whether or not it answers)
    and for the Seoul office?   (goes on from the question before it: `skills.search.follow`)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Final

from bot import lazy
from bot.errors import InputError
from bot.locale import Language, Text, phrases
from bot.message import PRIVATELY, Attachment, AttachmentKind, Button, Command, Message, Reply, Source
from bot.models.tasks import EMBED, READ, ReadInput, Vector, Verdict
from bot.passage import Added, Hit
from bot.refusing import refused
from bot.retrieval.slips import told
from bot.retrieval.spoken import asks_when
from bot.skill import Before, CommandSpec, Kit, Request, Slot
from bot.text.query import looked_for
from bot.text.quote import quoted
from bot.text.shown import isolated, literal, named
from skills.search import correct, follow, listing
from skills.search.said import answered, source

_ = phrases(__file__)

ASKING: Final = ("search", "find", "검색", "찾기")
COUNTS: Final = (1, 5, 10, 20)
"""How many sources are shown, by the buttons "fewer" and "more"."""
USUAL: Final = 5
MOST_TOLD: Final = 5
"""Documents of one message that are new, or here already, and told one by one."""
LEAST_SHARE: Final = 0.2
"""A source whose chance is below this share of the best one's is not worth a reader's time."""
LONGEST_QUESTION: Final = 2000
_IT_ITSELF = lazy.compile(
    r"(?:(?:so|and|hey|hi)[ ,]+)?(?:what(?:'s| is| are| does)?|explain|tell me(?: more)? about|describe) (?:this|that|it|these)"
    r"(?: (?:file|document|pdf|one|say|about))*[ .?!]*"
    r"|(?:이게|이건|이거|이것은|이것이|이 (?:파일|문서|자료)(?:는|은|가|이)?) ?(?:뭐|무엇|무슨 (?:파일|문서|자료|내용))"
    r"[가-힣]{0,6}(?: [가-힣]{1,6})?[ .?!~]*",
    re.IGNORECASE,
)
"""What asks of a document that came along nothing but what it is."""
_COUNT = lazy.compile(r"^\s*--count[ =](\d{1,3})\b\s*")
_NEAREST = "--nearest"
NEAREST: Final = 3
"""Passages that are shown where nothing was found, and the nearest are asked for."""
_AFTER = "--after"
"""The option of what goes on from the question of the message that is replied to …"""
_INSTEAD = "--instead"
"""… and of what corrects it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for, and how many sources are to be shown."""

    text: str
    count: int
    after: str = ""
    """The question that it goes on from, "" for none."""
    again: str = ""
    """What its buttons ask, where that is not what the message says."""
    correction: correct.Correction | None = None
    """What is meant in the place of something in the question before it."""
    nearest: bool = False
    """Whether what comes nearest is to be shown, whether or not it answers."""


class Search:
    """Finds passages."""

    name = "search"
    title = _("Search")
    summary = _("I find the answer in the documents that you sent or added, and show where it stands.")
    slots: tuple[Slot[str, Vector] | Slot[ReadInput, Verdict], ...] = (EMBED, READ)
    takes: frozenset[AttachmentKind] = frozenset({"document"})
    commands = (
        CommandSpec(ASKING[0], _("Find it in your documents"), aliases=ASKING[1:]),
        CommandSpec(listing.NAMES[0], _("Which documents there are"), aliases=listing.NAMES[1:]),
    )

    def __init__(self, kit: Kit) -> None:
        """Use the kit's library, blobs and models."""
        self._kit = kit

    def claims(self, message: Message) -> bool:
        """Claim documents that come without a word: they are kept, to be searched; and who asks which documents there are."""
        files = message.attachments
        if not files:
            return listing.asks_for_list(message.text) or bool(listing.topic_of_list(message.text))
        return not message.text.strip() and all(file.kind == "document" for file in files)

    def may_go_on(self, said: str) -> bool:
        """Say whether it may go on from a question, "and for the Seoul office?", or correct it, "no, Seoul"."""
        return follow.goes_on(correct.without_opening(said)) or correct.read(said) is not None

    def goes_on(self, said: str, before: Sequence[Before]) -> tuple[Command, Message] | None:
        """Return the order to look for `said` after the question that was looked for before it; None where none was."""
        base = before[-1]
        asked, command = base.message, base.message.command
        if base.skill != self.name or (command is not None and command.name not in ASKING) or not _question_of(asked).strip():
            return None
        if command is None and (listing.asks_for_list(asked.text) or listing.topic_of_list(asked.text)):
            return None
        latest, correction = before[0], correct.read(said)
        question, option = _as_it_stands(before), _AFTER
        last = latest.message.text if len(before) > 1 and correct.read(latest.message.text) is None else ""
        whole = f"{question.rstrip(' ?.!')} {last}" if last else question
        answered = latest.answer.text if latest.answer is not None else ""
        if correction is not None and correct.is_about(correction, whole, answered):
            if last and (instead := correct.exchanged(correction, last)) is not None:
                said = instead
            else:
                question, option = whole, _INSTEAD
        elif not follow.goes_on(said := correct.without_opening(said)):
            return None
        about = replace(asked, text=question, command=None, attachments=(), reply_to=None)
        return Command(self.name, f"{option} {said.strip()}"), about

    async def answer(self, request: Request) -> Reply:
        """Keep the documents that came along, then answer the question, where there is one."""
        command = request.message.command
        if command is not None and command.name in listing.NAMES:
            return await listing.listed(request, self._kit, request.text)
        if command is None and not request.files and listing.asks_for_list(request.text):
            return await listing.listed(request, self._kit, "")
        topic = listing.topic_of_list(request.text) if command is None and not request.files else ""
        if topic and (titled := await listing.listed_about(request, self._kit, topic)) is not None:
            return titled
        documents = [file for file in request.files if file.kind == "document" and file.blob]
        said = await self._kept(request, documents) if documents else []
        asked = self._asked(request)
        if documents and (not asked.text or _IT_ITSELF.fullmatch(" ".join(asked.text[:LONGEST_QUESTION].split()))):
            shorter = [Button(_("Make it short").to(request.language), Command("sum"))] if asked.text else []
            told = "\n".join(text.markdown(request.language) for text in said)
            return request.reply(told, skill=self.name, buttons=shorter)
        if not asked.text:
            hint = _("What shall I look for? Write it after the command, such as “/search holiday rules”.")
            return request.reply(hint, skill=self.name)
        new = said if request.message.attachments else []
        return await self._found(request, asked, new)

    def _asked(self, request: Request) -> Asked:
        """Return the question: the text, else the message that a button, or the answer to one, or a bare command belongs to."""
        count, text = USUAL, request.text
        if chosen := _COUNT.match(text):
            count, text = max(1, min(int(chosen.group(1)), COUNTS[-1])), text[chosen.end() :]
        nearest = text.split(maxsplit=1)[:1] == [_NEAREST]
        if nearest:
            text = text.partition(_NEAREST)[2]
        before = request.message.reply_to
        option, _space, said = text.partition(" ")
        if before is not None and option in (_AFTER, _INSTEAD):
            after = looked_for(_question_of(before)[:LONGEST_QUESTION])
            return Asked(looked_for(said), count, after=after, correction=correct.read(said) if option == _INSTEAD else None)
        while not text.strip() and before is not None:
            text = before.command.args if before.command is not None else before.text
            if before.command is not None and (again := _COUNT.match(text)):
                text = text[again.end() :]
            before = before.reply_to
        return Asked(listing.topic_of_list(text) or looked_for(text[:LONGEST_QUESTION]), count, nearest=nearest)

    async def _found(self, request: Request, asked: Asked, new: Sequence[Text]) -> Reply:
        with request.stopwatch("search"):
            hits, asked = await self._hits(request, asked)
        begun = [*_from_a_group(request, asked), *(text.markdown(request.language) for text in new)]
        model = self._kit.models.live(EMBED)
        if (
            not hits
            and not new
            and not asked.nearest
            and (named := await listing.called(replace(request, text=asked.text), self._kit)) is not None
        ):
            return named
        if not hits:
            nothing = "\n\n".join([*begun, _nothing(request.language)])
            buttons = [*_nearest(request, asked), *_alone(request)]
            return request.reply(nothing, skill=self.name, model=model, buttons=buttons)
        worth = [hit for hit in hits if hit.score >= LEAST_SHARE * hits[0].score]
        shown = worth[: asked.count]
        if (instead := told(shown[0].mended)) is not None:
            begun.append(instead.markdown(request.language))
        if asked.nearest:
            begun.append(_("I am not sure that any of these answers you; they come nearest.").markdown(request.language))
        answer = "\n\n".join([*begun, self._answer(shown[0], asked.text, request)])
        return request.reply(
            answer,
            skill=self.name,
            model=model,
            sources=[self._source(hit, request) for hit in shown],
            buttons=[*_buttons(asked, len(shown), more=len(worth) > asked.count, language=request.language), *_alone(request)],
        )

    async def _hits(self, request: Request, asked: Asked) -> tuple[Sequence[Hit], Asked]:
        """Return what is found, and what was asked with the question that it goes on from, where that is what is meant."""
        if asked.nearest:
            return await self._kit.library.nearest(asked.text, request.scopes, k=NEAREST), replace(asked, count=NEAREST)
        if asked.correction is not None:
            return await self._corrected(request, asked, asked.correction)
        hits = await self._kit.library.search(asked.text, request.scopes, k=asked.count + 1)
        if not asked.after:
            return hits, asked
        whole = f"{asked.after} {asked.text}"
        joined = await self._kit.library.search(whole, request.scopes, k=asked.count + 1)
        if joined and follow.is_meant(asked.text, joined[0].passage, hits[0].passage if hits else None):
            return joined, replace(asked, text=whole, again=whole)
        return hits, asked

    async def _corrected(self, request: Request, asked: Asked, correction: correct.Correction) -> tuple[Sequence[Hit], Asked]:
        """Return what is found for the last question asked anew: of the ways to ask it that whose best passage names what is meant."""
        best, found, asks = 0.0, list[Hit](), asked.text
        for question in correct.asked_anew(correction, asked.after):
            hits = await self._kit.library.search(question, request.scopes, k=asked.count + 1)
            worth = hits[0].score + correct.is_named(correction, hits[0].passage) if hits else 0.0
            if worth > best:
                best, found, asks = worth, hits, question
        return found, replace(asked, text=asks, again=asks)

    def _answer(self, hit: Hit, question: str, request: Request) -> str:
        """Return the best passage as a quote and where it stands, or, of what was said, who said it and when."""
        if hit.lines:
            return answered(hit, question, self._kit.settings.zone, request.language, when=asks_when(question))
        return _answer(hit, request.language)

    def _source(self, hit: Hit, request: Request) -> Source:
        if hit.lines:
            return source(hit, self._kit.settings.zone, request.language, here=hit.passage.scope == request.home)
        return _source(hit, request.language)

    async def _kept(self, request: Request, files: Sequence[Attachment]) -> list[Text]:
        """Keep `files` in the chat's scope; return a sentence on each, one on all that are new, or here already, where they are many."""
        said: list[Text] = []
        fresh: list[tuple[Added, Attachment]] = []
        known: list[tuple[Added, Attachment]] = []
        for number, file in enumerate(files, start=1):
            if len(files) > 1:
                told = _("I am reading {name} ({number} of {count}).", name=named(file.name), number=number, count=len(files))
                await request.tell(told)
            try:
                with request.stopwatch("read"):
                    added = await self._kit.library.add_file(
                        self._kit.blobs.path(file.blob), request.home, title=_name(file), sender=request.message.sender
                    )
            except InputError as error:
                if len(files) == 1:  # what is asked is about it
                    raise
                said.append(refused(file, error))
            else:
                if added.status == "replaced" or added.failed or added.files > 1:
                    said += [_became(added, file), *_not_read(added)]
                else:
                    (fresh if added.status == "added" else known).append((added, file))
        return [*_new(fresh), *said, *_known(known)]


def build(kit: Kit) -> Search:
    """Return the skill."""
    return Search(kit)


def _new(fresh: Sequence[tuple[Added, Attachment]]) -> list[Text]:
    if len(fresh) <= MOST_TOLD:
        return [_became(added, file) for added, file in fresh]
    passages = sum(added.passages for added, _file in fresh)
    return [_("I added {files} documents (passages: {count}). Ask me about them.", files=len(fresh), count=passages)]


def _known(known: Sequence[tuple[Added, Attachment]]) -> list[Text]:
    if len(known) <= MOST_TOLD:
        return [_became(added, file) for added, file in known]
    return [_("I have {count} of these documents already; nothing changed in them.", count=len(known))]


def _became(added: Added, file: Attachment) -> Text:
    name = named(_name(file))
    if added.status == "unchanged":
        if added.title != _name(file):
            return _("I have {name} already, as {title}; nothing changed.", name=name, title=named(added.title))
        return _("I have {name} already; nothing changed.", name=name)
    if added.files > 1 or added.failed:
        told = {"files": added.files, "count": added.passages, "name": name}
        if added.status == "replaced":
            return _("I read {name} anew: documents {files}, passages {count}. Ask me about them.", **told)
        return _("I added what is in {name}: documents {files}, passages {count}. Ask me about them.", **told)
    if added.status == "replaced":
        return _("I replaced {name} with what you sent (passages: {count}). Ask me about it.", name=name, count=added.passages)
    return _("I added {name} (passages: {count}). Ask me about it.", name=name, count=added.passages)


def _not_read(added: Added) -> list[Text]:
    """Return a sentence on each file of an archive that could not be read; on those beyond some, one."""
    told = [_("Not read: {path}: {reason}", path=named(failed.path), reason=failed.reason) for failed in added.failed[:MOST_TOLD]]
    more = len(added.failed) - MOST_TOLD
    return [*told, _("{count} more of them could not be read.", count=more)] if more > 0 else told


def _nothing(language: Language) -> str:
    nothing = _("I found nothing about this in what you may read here.").to(language)
    hint = _("Try other words, or send me the document that it stands in.").to(language)
    return f"{nothing} {hint}"


def _answer(hit: Hit, language: Language) -> str:
    """Return the best passage as a quote, its answering sentence bold, and where it stands."""
    return f"{quoted(hit.passage.text, hit.marked)}\n\n— {literal(isolated(named(_place(hit, language))))}"


def _place(hit: Hit, language: Language) -> str:
    """Return the title with heading and page."""
    passage = hit.passage
    outer, within, inner = passage.title.partition(" › ")  # of a file in an archive its path there is told
    place = _without_folders(outer) + within + inner if "/" in outer and not outer.startswith("http") else passage.title
    if passage.heading and passage.heading != passage.title:
        place = f"{place} › {passage.heading}" if place else passage.heading
    if passage.page is not None:
        return _("{place}, page {page}", place=place, page=passage.page).to(language)
    return place


def _without_folders(title: str) -> str:
    """Return a file's name without its folders; of a page that calls itself something, what it is called and its file's name."""
    called, opens, file = title.rpartition(" (")
    if opens and file.endswith(")") and ("/" in file or "." in file):
        return f"{called} ({PurePath(file[:-1]).name})"
    return PurePath(title).name


def _source(hit: Hit, language: Language) -> Source:
    return Source(_place(hit, language), hit.passage.text, hit.passage.link, hit.score, hit.marked, hit.read)


def _nearest(request: Request, asked: Asked) -> list[Button]:
    """Return, in a direct chat where nothing was found, the button that shows what comes nearest, whether there is anything or not."""
    if asked.nearest or request.message.address.kind != "direct":
        return []
    whole = f"{asked.after} {asked.text}" if asked.after else asked.again
    return [Button(_("Show what comes nearest").to(request.language), Command("search", f"{_NEAREST} {whole}".rstrip()))]


def _buttons(asked: Asked, shown: int, *, more: bool, language: Language) -> list[Button]:
    buttons: list[Button] = []
    if asked.nearest:
        return buttons
    if fewer := [count for count in COUNTS if count < min(asked.count, shown)]:
        buttons.append(Button(_("Fewer").to(language), Command("search", f"--count {fewer[-1]} {asked.again}".rstrip())))
    if more and (larger := [count for count in COUNTS if count > asked.count]):
        buttons.append(Button(_("More").to(language), Command("search", f"--count {larger[0]} {asked.again}".rstrip())))
    return buttons


def _question_of(message: Message) -> str:
    """Return what `message` asks, without the options of a button."""
    return message.text if message.command is None else _COUNT.sub("", message.command.args)


def _as_it_stands(before: Sequence[Before]) -> str:
    """Return the question that stood for itself, with what was corrected in it since."""
    question, last = _question_of(before[-1].message), ""
    for one in reversed(before[:-1]):
        if (correction := correct.read(one.message.text)) is None:
            last = one.message.text
        elif not last or correct.exchanged(correction, last) is None:
            question = correct.asked_anew(correction, question)[0]
    return question


def _alone(request: Request) -> list[Button]:
    """Return, in a group, the button that looks in all that the asker may read: always, so that it says nothing of what is there."""
    if request.message.address.kind == "direct":
        return []
    return [Button(_("Look in all that I may read").to(request.language), Command("search", PRIVATELY))]


def _from_a_group(request: Request, asked: Asked) -> list[str]:
    """Return what is answered here privately that was asked in a group."""
    before = request.message.reply_to
    if before is None or (request.message.address.kind, before.address.kind) != ("direct", "group"):
        return []
    return [_("You asked in a group: {question}", question=named(asked.text)).markdown(request.language)]


def _name(file: Attachment) -> str:
    return file.name.strip() or "document"
