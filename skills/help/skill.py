"""Help: what can be done, told by the skills themselves, in the asker's language.

`/help` lists every skill with its commands; `/help sum` tells of one. Who wants deleted what is kept of them is told in `kept`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.locale import phrases
from bot.message import AttachmentKind, Button, Command, Message, Reply
from bot.skill import CommandSpec, Kit, Request, Skill, Slot
from skills.help.kept import asks_to_delete, deleting_told

_ = phrases(__file__)

FIRST = ("search", "summarise", "ocr", "caption", "translate", "transcribe", "imagine", "chat")
TRY = (
    _("Drop a file here, then ask what stands in it."),
    _("Paste a long text with “summarise this in three lines”."),
    _("Send a photo, and ask what it says."),
)


class Help:
    """Tells what the bot can do."""

    name = "help"
    title = _("Help")
    summary = _("I tell what I can do.")
    slots: tuple[Slot[object, object], ...] = ()
    takes: frozenset[AttachmentKind] = frozenset()
    commands = (
        CommandSpec("help", _("What I can do"), aliases=("도움말", "도움")),
        CommandSpec("start", _("Begin"), listed=False, aliases=("시작",)),
    )

    def __init__(self, kit: Kit) -> None:
        """Ask `kit.skills` at each answer: skills may come and go."""
        self._skills: Callable[[], Sequence[Skill]] = kit.skills
        self._models = kit.models
        self._is_admin = kit.is_admin

    def claims(self, message: Message) -> bool:
        """Claim who wants deleted what is kept; for help in general one asks."""
        return not message.attachments and message.reply_to is None and asks_to_delete(message.text)

    async def answer(self, request: Request) -> Reply:
        """List the skills, tell of the one that is named, or how what is kept is deleted."""
        if request.message.command is None and asks_to_delete(request.text):
            return request.reply(deleting_told(request.language))
        asked = request.text.strip().lstrip("/").lower() if request.message.command else ""
        shown = self._skills() if await self._is_admin(request.message) else list(filter(_for_all, self._skills()))
        skills = sorted(shown, key=lambda skill: FIRST.index(skill.name) if skill.name in FIRST else len(FIRST))
        named = next((skill for skill in skills if asked and asked in _names(skill)), None)
        if named is not None:
            return request.reply(self._tell(named, request))
        hello = request.message.command is not None and request.message.command.name in ("start", "시작")
        return request.reply(self._list(skills, request, hello=hello), buttons=_languages(request))

    def _list(self, skills: Sequence[Skill], request: Request, *, hello: bool) -> str:
        language = request.language
        lines = [_("Hello! I am Paring.").to(language)] if hello else []
        lines.append(
            _("I give each message to a small model that is good at just that. Everything stays on this machine.").to(language)
        )
        lines.append("")
        for skill in skills:
            if skill.name == self.name:
                continue
            commands = " ".join(f"/{spec.name}" for spec in skill.commands if spec.listed)
            missing = "" if self._can(skill) else f" — {_('no model is installed for it yet').to(language)}"
            lines.append(f"- **{skill.title.to(language)}** {commands}: {skill.summary.to(language)}{missing}")
        lines += ["", *(f"> {one.to(language)}" for one in TRY)]
        return "\n".join(lines)

    def _tell(self, skill: Skill, request: Request) -> str:
        language = request.language
        lines = [f"**{skill.title.to(language)}**: {skill.summary.to(language)}", ""]
        lines += [f"- /{spec.name}: {spec.summary.to(language)}" for spec in skill.commands if spec.listed]
        models = [f"{slot.name}: {self._models.live(slot) or '–'}" for slot in skill.slots]
        if models:
            lines += ["", _("Its models: {models}", models=", ".join(models)).to(language)]
        return "\n".join(lines)

    def _can(self, skill: Skill) -> bool:
        own = [slot for slot in skill.slots if slot.name == skill.name]
        return all(self._models.live(slot) for slot in own) or skill.name == "caption"


def build(kit: Kit) -> Help:
    """Return the skill."""
    return Help(kit)


def _for_all(skill: Skill) -> bool:
    """Say whether a skill is more than admin commands."""
    return not skill.commands or not all(spec.admin for spec in skill.commands)


def _names(skill: Skill) -> set[str]:
    return {skill.name, *(name for spec in skill.commands for name in (spec.name, *spec.aliases))}


def _languages(request: Request) -> tuple[Button, ...]:
    if request.message.command is None or request.message.command.name not in ("start", "시작"):
        return ()
    return (Button("한국어", Command("lang", "ko")), Button("English", Command("lang", "en")))
