"""A conversation goes on: which message "and in three lines?" is about, and which skill it is for.

Owns what was asked before, and that what the bot says itself is said again in another language. Leaves what such words mean to the
skills (`bot.skill.GoesOn`). A thread is a conversation of its own; a reply is about the answer that it replies to.

    going_on = await GoingOn(skills, history.before, equipped=equipped).of(message)    # None: it stands for itself
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.language import asked_for
from bot.skill import Before, GoesOn, Skill

if TYPE_CHECKING:
    from bot.locale import Language
    from bot.message import Command, Message

LONGEST: Final = 80
"""Characters: what goes on from something says little."""
MOST_BACK: Final = 8
"""How often one goes on from what went on."""
TRANSLATE: Final = "translate"
OWN_WORDS: Final = frozenset({"help", "chat", "search"})
"""Skills whose answers are, beside what they quote, the bot's own words."""
WIDEST: Final = "search"
"""What goes on from a question may say almost anything: the others understand their own words first."""
SAID_AGAIN: Final = frozenset({"why", "왜", "quota", "한도", "privacy", "개인정보"})
"""The house's commands that change nothing: they may be answered anew."""

FindBefore = Callable[["Message"], Awaitable[Before | None]]


@dataclass(frozen=True, slots=True)
class Meant:
    """What such a message means: a command about a message for a skill, or, without one, that message again in `language`."""

    skill: Skill
    about: Message
    command: Command | None = None
    language: Language | None = None


class GoingOn:
    """Finds what a message goes on from."""

    def __init__(self, skills: Mapping[str, Skill], before: FindBefore, *, equipped: Callable[[Skill], bool]) -> None:
        """Use the skills by name; `before(message)` is what was said last in its conversation."""
        self._skills = skills
        self._before = before
        self._equipped = equipped

    async def of(self, message: Message) -> Meant | None:
        """Return what `message` means after what was said before it, None where it does not go on from anything."""
        said = message.text.strip()
        if not said or len(said) > LONGEST or message.command is not None or message.attachments or _names_another(message):
            return None
        language = asked_for(said)
        able = [skill for skill in self._skills.values() if isinstance(skill, GoesOn) and skill.may_go_on(said)]
        if language is None and not able:
            return None
        chain = await self._chain(message)
        if not chain:
            return None
        if language is not None and self._is_said_again(chain[-1], to=message.sender):
            return Meant(self._skills[chain[-1].skill], chain[-1].message, language=language)
        for skill in sorted(able, key=lambda skill: skill.name == WIDEST):
            if (made := skill.goes_on(said, chain)) is not None:
                return Meant(skill, made[1], made[0])
        return None

    async def _chain(self, message: Message) -> tuple[Before, ...]:
        """Return what was said before, the latest first, back to what stood for itself."""
        chain: list[Before] = []
        at = message
        while len(chain) < MOST_BACK and (before := await self._before(at)) is not None:
            chain.append(before)
            if not before.went_on:
                return tuple(chain)
            at = before.message
        return tuple(chain)

    def _is_said_again(self, base: Before, *, to: str) -> bool:
        """Say whether the bot answers it anew in another language: its own words need no translation, and nothing is done twice.

        What the house says is about who asked it, and said again to them alone.
        """
        if base.skill == "house":
            command = base.message.command
            return command is not None and command.name in SAID_AGAIN and base.message.sender == to
        translator = self._skills.get(TRANSLATE)
        translates = translator is not None and self._equipped(translator)
        return base.skill == "help" or (base.skill in OWN_WORDS and not translates and base.skill in self._skills)


def _names_another(message: Message) -> bool:
    """Say whether it replies to what a person said: that is meant, whatever was said before. A thread's first message is replied to by all."""
    quoted = message.reply_to
    return quoted is not None and not quoted.by_bot and quoted.id != message.address.thread
