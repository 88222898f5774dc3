"""Which skill answers. Explicit before learned: commands, files, replies and links by rule; only what is left is routed.

Owns: the order of the rules, what is said when no skill serves or two are close. Leaves the weighing to `bot.router`,
to `bot.asking` what the asker may read, and the answer to the skill.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING
from unicodedata import normalize

from bot.asking import Asking, Progress, request_of
from bot.errors import InputError, ParingError
from bot.going_on import FindBefore, GoingOn
from bot.locale import Language, phrases
from bot.logs import Logger
from bot.message import Attachment, AttachmentKind, Button, Command, Message
from bot.plans import (
    PRESS,
    Answer,
    Plan,
    as_meant,
    by_claimant,
    check_size,
    files_of,
    joined,
    left_over,
    replies_of,
    say,
    title_of,
    with_receipt,
)
from bot.refusing import refused
from bot.retrieval.access import Access
from bot.route import How, Route
from bot.skill import CommandSpec, Skill
from bot.stopwatch import Stopwatch

if TYPE_CHECKING:
    from bot.router import Decision

_ = phrases(__file__)
log = Logger(__name__)

Decide = Callable[[str, Language], "Awaitable[Decision]"]
KeepLabel = Callable[[Message, str], Awaitable[None]]
AS = "as"
"""The hidden command of the buttons that send a message to another skill: its argument is the skill's name."""
SURE = 0.8
"""Below this, what the router names is asked of the documents first: an answer that stands there needs no routing."""
GOOD = 0.6
"""How well the documents must answer, 0..1, to go before a skill that the router is sure of …"""
CERTAIN = 0.97
"""… and not certain."""
VERY_GOOD = 0.8
"""The same where the router is certain that no skill serves: nobody asks the documents about the weather."""
NEAR = 0.05
"""How likely a skill must be, 0..1, to be offered by a button where none serves."""
HOUSE, ADMIN = "house", "admin"
"""The skills of the host's own commands."""


Heard = Callable[[Message, Answer | BaseException, float], None]
Charged = Callable[[str, Message], AbstractAsyncContextManager[str | None]]


class Dispatcher:
    """Chooses a skill for each message and has it answer."""

    def __init__(
        self,
        skills: Sequence[Skill],
        decide: Decide,
        *,
        text_bytes: int,
        keep_label: KeepLabel,
        equipped: Callable[[Skill], bool] = lambda _skill: True,
        fallback: str = "search",
        access: Access | None = None,
        watched: Callable[[Skill], str] = lambda _skill: "",
    ) -> None:
        """Use `skills` in the order in which they may claim; `decide(text, language)` is the router.

        `keep_label(message, skill)` keeps a person's word that `message` belongs to `skill`; `equipped(skill)` says whether it
        has the model without which it can only say so. `access` knows who may read what; without it a chat reads its own alone.
        `watched(skill)` is the slot of it whose model is on probation, "" for none: people are asked about its answers.
        """
        self._skills = {skill.name: skill for skill in skills}
        self._decide = decide
        self._text_bytes = text_bytes
        self._keep_label = keep_label
        self._equipped = equipped
        self._fallback = self._skills.get(fallback)
        self.asking = Asking(access, watched)
        self.heard: Heard = lambda _message, _answer, _seconds: None
        """Told of each message, its answer or what was raised instead, and the seconds; to be set."""
        self.charged: Charged = lambda _skill, _message: nullcontext()
        """Gives what is said instead of an answer of the skill's ("" for nothing) where that would be one too many; to be set."""
        self.before: FindBefore = _nothing_before
        """Finds what was said before in a conversation; to be set."""
        self._by_command = {
            name: skill for skill in skills for spec in skill.commands for name in (spec.name, *spec.aliases)
        }  # fmt: skip

    @property
    def skills(self) -> Mapping[str, Skill]:
        """The skills by name."""
        return self._skills

    @property
    def commands(self) -> tuple[CommandSpec, ...]:
        """Every command that everybody's menu shows, in the order of the skills."""
        return tuple(spec for skill in self._skills.values() for spec in skill.commands if spec.listed and not spec.admin)

    @property
    def admin_commands(self) -> tuple[CommandSpec, ...]:
        """Every command that only an admin's menu shows."""
        return tuple(spec for skill in self._skills.values() for spec in skill.commands if spec.listed and spec.admin)

    def wants_files(self, message: Message) -> bool:
        """Say whether files are of any use to what will answer: not to the house's own commands."""
        return not self.is_of_the_house(message)

    def is_of_the_house(self, message: Message) -> bool:
        """Say whether `message` is one of the house's own commands, or an admin's order."""
        skill = self._by_command.get(message.command.name) if message.command is not None else None
        return skill is not None and skill.name in {HOUSE, ADMIN}

    def takes_long(self, message: Message) -> bool:
        """Say whether `message` is an admin's order: its chat does not wait for the end of a swap."""
        skill = self._by_command.get(message.command.name) if message.command is not None else None
        return skill is not None and skill.name == ADMIN

    async def answer(self, message: Message, *, progress: Progress | None = None) -> Answer:
        """Route `message` and return what its skill answers. Raises ParingError with a sentence for the person.

        `heard` is told of nothing else that is raised: whether that is the end of it, the caller decides, who may try again.
        """
        begun = time.perf_counter()
        if message.version and message.addressed:  # what it said before is found no more, whatever becomes of the answer
            await self._keep(replace(message, text="", command=None, attachments=()))
        try:
            answer = await self._part(message, progress)
        except ParingError as error:
            self.heard(message, error, time.perf_counter() - begun)
            raise
        self.heard(message, answer, time.perf_counter() - begun)
        return answer

    async def _part(self, message: Message, progress: Progress | None) -> Answer:
        if not message.addressed:
            return await self._overhear(message)
        answer = await self._answered(message, progress)
        if message.command is None and message.text.strip() and not message.attachments:
            await self._keep(message)
        return answer

    async def _answered(self, message: Message, progress: Progress | None) -> Answer:
        parts = by_claimant(message, self._skills.values(), last=self._fallback)
        if len(parts) > 1:
            return joined([await self._told(part, progress) for part in parts])
        stopwatch = Stopwatch()
        with stopwatch("route"):
            plan = await self._plan(message)
        if isinstance(plan, Answer):
            return plan
        left = left_over(plan, message)
        before = [await self._told(left, progress)] if left is not None else []
        asked = replace(message, language=plan.language) if plan.language else message
        request = request_of(plan.message, plan.text, asked, files=plan.files, stopwatch=stopwatch, progress=progress)
        request = replace(request, by_files=plan.route.how in {"attachment", "reply"})
        async with self.charged(plan.skill.name, message) as too_much:
            if too_much is not None:
                return joined([*before, Answer(replies_of(too_much, message), plan.route)], route=plan.route)
            with stopwatch("answer"):
                reply = await self.asking.of(plan.skill, request, message)
        return joined([*before, Answer((with_receipt(reply, plan, stopwatch),), plan.route)], route=plan.route)

    async def _told(self, message: Message, progress: Progress | None) -> Answer:
        """Answer a part of a message; what fails is told in its place, so that it does not cost the other parts their answer."""
        try:
            return await self._part(message, progress)
        except InputError as error:
            alone = message.attachments[0] if len(message.attachments) == 1 else None
            return say(refused(alone, error) if alone else error.text, message)
        except ParingError as error:
            return say(error.text, message)

    async def _plan(self, message: Message) -> Plan | Answer:
        check_size(message, self._text_bytes)
        if message.command is not None:
            return await self._commanded(message, message.command)
        if any(file.kind == "sticker" for file in message.attachments):
            return say(_("Nice one! I cannot read stickers, but I can read text, photos, documents and voice notes."), message)
        if (meant := await GoingOn(self._skills, self.before, equipped=self._equipped).of(message)) is not None:
            return as_meant(meant, message)
        files = files_of(message)
        if not message.text.strip() and not files:
            return say(
                _("There was nothing in this that I can read. Send text, a photo, a document or a voice note; /help shows more."),
                message,
            )
        claimed = next((skill for skill in self._skills.values() if skill.claims(message)), None)
        if not message.text.strip():
            if claimed is None:
                return say(
                    _("I have no skill for this kind of file. Photos, documents and voice notes are what I can read."), message
                )
            return Plan(claimed, message, "", Route(claimed.name, "attachment"), files)
        if claimed is not None and not (files and claimed.takes):
            how: How = "link" if "://" in message.text else "words"
            return Plan(claimed, message, message.text, Route(claimed.name, how))
        return await self._routed(message, files, claimed)

    async def _commanded(self, message: Message, command: Command) -> Plan:
        files = files_of(message)
        if command.name == AS and message.reply_to is not None:
            return await self._redirected(message.reply_to, command.args)
        skill = self._by_command.get(command.name)
        if skill is None:
            letters = {normalize("NFD", name): name for name in self._by_command}  # of a syllable, most may be right
            # The beginning is seldom mistyped.
            alike = [name for name, written in letters.items() if written[0] == command.name[0]]
            typed = normalize("NFD", command.name)
            near = difflib.get_close_matches(typed, alike) or difflib.get_close_matches(typed, letters)
            raise InputError(
                _("There is no /{name}. Did you mean /{near}?", name=command.name, near=letters[near[0]])
                if near
                else _("There is no /{name}. /help shows what there is.", name=command.name)
            )
        how: Route = Route(skill.name, "button" if message.id.startswith(PRESS) else "command")
        return Plan(skill, message, command.args, how, files)

    async def _redirected(self, message: Message, name: str) -> Plan:
        skill = self._skills.get(name)
        if skill is None:
            raise InputError(_("That skill is gone. Please ask again."))
        await self._keep_label(message, name)
        files = files_of(message)
        return Plan(skill, replace(message, command=None), message.text, Route(skill.name, "button"), files)

    async def _routed(self, message: Message, files: tuple[Attachment, ...], claimed: Skill | None) -> Plan | Answer:
        decision = await self._decide(message.text, message.language)
        route = Route(
            decision.skill,
            "router",
            decision.score,
            decision.runner_up,
            decision.runner_up_score,
            decision.action,
            decision.because,
        )
        chosen = self._skills.get(decision.skill)
        if files:
            takes = chosen is not None and any(file.kind in self._read_by(chosen) for file in files)
            skill = chosen if takes and decision.action == "answer" else claimed or self._taker(files) or chosen
            if skill is not None:
                how: How = "router" if skill is chosen else "attachment" if message.attachments else "reply"
                return Plan(skill, message, message.text, replace(route, skill=skill.name, how=how, action="answer"), files)
        if decision.action == "answer" and chosen is not None:
            least = self._doubt(chosen, decision.score)
            if found := await self._found(message, route, least=least):
                return found
            near = self._fallback is self._skills.get(decision.runner_up) and decision.runner_up_score >= NEAR
            if least == 0.0 and near and not chosen.slots:  # what it says is the same whatever is asked
                return await self._asked_back(message, decision, route)
            buttons = self._wrong_skill(decision, message)
            if least == 0.0:  # any answer would have gone before
                buttons = tuple(
                    button for button in buttons if self._fallback is None or button.command.args != self._fallback.name
                )
            return Plan(chosen, message, message.text, route, files, buttons)
        if decision.action == "ask":
            return await self._asked_back(message, decision, route)
        return await self._unserved(message, route)

    def _read_by(self, chosen: Skill) -> frozenset[AttachmentKind]:
        """Return what it works on when it is asked to: who takes documents takes a picture too, by the text in it, but who searches."""
        pictures = "document" in chosen.takes and chosen is not self._fallback
        return chosen.takes | {"image"} if pictures else chosen.takes

    def _taker(self, files: Sequence[Attachment]) -> Skill | None:
        """Return who works on one of them, where the words name nobody: a document is asked, as the documents are in any such case."""
        first = () if self._fallback is None else (self._fallback,)
        return next(
            (skill for skill in (*first, *self._skills.values()) if any(file.kind in skill.takes for file in files)), None
        )

    async def _asked_back(self, message: Message, decision: Decision, route: Route) -> Plan | Answer:
        looked = await self._looked(message, route)
        if looked is not None and looked.replies[0].sources:
            return looked
        names = [name for name in (decision.skill, decision.runner_up) if name in self._skills]
        said = _("I am not sure what you would like. Which of these?")
        if looked is not None and self._fallback is not None and self._fallback.name in names:  # it has been asked
            names = [name for name in names if name != self._fallback.name and self._equipped(self._skills[name])]
            if not names:
                return looked
            said = _("I found nothing about this in what you may read here. Did you mean something else?")
        buttons = tuple(Button(title_of(self._skills[name], message), Command(AS, name)) for name in names)
        return say(said, message, route=route, buttons=buttons)

    async def _unserved(self, message: Message, route: Route) -> Plan | Answer:
        certain = (route.score or 0.0) >= CERTAIN
        if found := await self._found(message, route, least=VERY_GOOD if certain else 0.0):
            return found
        said = _("None of my skills does that. I search, summarise, read pictures and more; /help shows all of it.")
        if not certain and self._fallback is not None:
            said = _(
                "None of my skills does that, and I found nothing about it in what you may read here. Try other words, or send me the "
                "document that it stands in; /help shows what I can do."
            )
        near = self._skills.get(route.runner_up) if (route.runner_up_score or 0.0) >= NEAR else None
        offered = near is not None and near is not self._fallback and self._equipped(near)
        buttons = (Button(title_of(near, message), Command(AS, near.name)),) if near is not None and offered else ()
        return say(said, message, route=route, buttons=buttons)

    def _doubt(self, chosen: Skill, score: float) -> float | None:
        """Return how well the documents must answer (0..1) to go before the routed skill, None where they are not asked.

        Any answer goes before a doubtful route; a good one before a skill that answers out of itself (talk, help) or reads a
        picture or a recording where none came, unless the router is certain: people ask a bot about their documents as they ask it
        about itself. Before one that would answer out of itself, and lacks its model, any answer goes, a very good one where the
        router is certain; what is to be translated is no question, with a model or without.
        """
        if chosen is self._fallback:
            return None
        if score < SURE:
            return 0.0
        if not chosen.takes and not self._equipped(chosen):
            return VERY_GOOD if score >= CERTAIN else 0.0
        return None if chosen.takes == {"document"} or score >= CERTAIN else GOOD

    async def _found(self, message: Message, route: Route, *, least: float | None) -> Answer | None:
        """Return what the documents say, where they answer at least so well: an answer that is found needs no routing."""
        looked = await self._looked(message, route) if least is not None else None
        if looked is None or not (sources := looked.replies[0].sources) or sources[0].score < (least or 0.0):
            return None
        return looked

    async def _looked(self, message: Message, route: Route) -> Answer | None:
        """Return what the documents say, also where that is nothing; None where no skill asks them."""
        if self._fallback is None:
            return None
        stopwatch = Stopwatch()
        request = request_of(message, message.text, message, stopwatch=stopwatch)
        reply = await self.asking.of(self._fallback, request, message)
        how: How = "found" if reply.sources else route.how
        plan = Plan(self._fallback, message, message.text, replace(route, skill=self._fallback.name, how=how))
        return Answer((with_receipt(reply, plan, stopwatch),), plan.route)

    def _wrong_skill(self, decision: Decision, message: Message) -> tuple[Button, ...]:
        other = self._skills.get(decision.runner_up)
        if other is None or not self._equipped(other):
            return ()
        label = _("Wrong skill? → {skill}", skill=title_of(other, message)).to(message.language)
        return (Button(label, Command(AS, other.name)),)

    async def _overhear(self, message: Message) -> Answer:
        """Keep talk that was not meant for the bot, in a chat that said `/index on`; say nothing."""
        keeper = self._by_command.get("index")
        if keeper is not None:
            await keeper.answer(request_of(message, message.text, message, files=message.attachments))
        return Answer((), Route(keeper.name if keeper else "", "silent"))

    async def _keep(self, message: Message) -> None:
        """Keep what was told to the bot, where the chat wants that; where it fails, the answer is there all the same."""
        keeper = self._by_command.get("index")
        if keeper is not None:
            try:
                await keeper.answer(request_of(message, message.text, message))
            except ParingError as error:
                log.warning("what was said is not indexed", why=str(error))


async def _nothing_before(_message: Message) -> None:
    """Know of nothing."""
