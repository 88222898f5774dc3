"""One skill is asked: with what the asker may read just then, and with the thumbs by which people say how its answer was.

    reply = await asking.of(skill, request_of(message, message.text, message), message)

Owns that what leaves was allowed when it left. Leaves to `bot.dispatch` which skill is asked, to `bot.retrieval.access` who may read what.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from bot.errors import InputError
from bot.locale import Text, phrases
from bot.message import DOWN, UP, Attachment, Button, Command, Message, Reply
from bot.passage import Scope
from bot.retrieval.access import Access, reader_scopes
from bot.skill import Request, Skill
from bot.stopwatch import Stopwatch

_ = phrases(__file__)

Progress = Callable[[Text], Awaitable[None]]
"""Shows what is being done meanwhile."""
MOST_TRIES: Final = 3


def request_of(
    about: Message, text: str, asked: Message, *, files: tuple[Attachment, ...] = (), stopwatch: Stopwatch | None = None,
    progress: Progress | None = None,
) -> Request:  # fmt: skip
    """Return what a skill is given, with the least that may be read."""
    at, scopes = Scope.of(asked.address), reader_scopes(asked)
    return Request(about, asked.language, text, scopes, at, files, stopwatch or Stopwatch(), progress)


class Asking:
    """Asks skills for those who may read more or less."""

    def __init__(self, access: Access | None, watched: Callable[[Skill], str]) -> None:
        """Take who knows who may read what, and which slot of a skill is on probation; see `Dispatcher`."""
        self._access = access
        self._watched = watched
        self.thumbs: Callable[[str], bool] = lambda _channel: False
        """Says whether a channel shows a row of thumbs under every answer of a model; to be set."""

    async def of(self, skill: Skill, request: Request, asked: Message) -> Reply:
        """Have `skill` answer with what the asker may read now; again where that has become less before the answer was there."""
        if self._access is None:
            return self._rated(skill, await skill.answer(request), asked)
        for _try in range(MOST_TRIES):
            before, scopes = self._access.changes, await self._access.scopes_of(asked)
            reply = await skill.answer(replace(request, scopes=scopes))
            if before == self._access.changes or scopes.within(await self._access.scopes_of(asked)):
                return self._rated(skill, reply, asked)
        raise InputError(_("Who may read what has changed while I was looking, again and again. Please ask once more."))

    def _rated(self, skill: Skill, reply: Reply, asked: Message) -> Reply:
        """Return a model's answer with thumbs, where the platform has a row for them, else one down while the model is on probation."""
        if reply.receipt is None or not reply.receipt.model:
            return reply
        slot, up, down = self._watched(skill), "👍", "👎"
        if self.thumbs(asked.address.channel):
            return replace(reply, buttons=(*reply.buttons, Button(up, Command(UP, slot)), Button(down, Command(DOWN, slot))))
        return replace(reply, buttons=(*reply.buttons, Button(down, Command(DOWN, slot)))) if slot else reply
