"""More than can be answered: what comes beyond the limits is not taken, and the one who wrote it is told so.

Owns when that is, and the sentence. What is not taken waits nowhere: it is written down as said, with what was told of it, in one
transaction (`bot.store.inbox.Inbox.refuse`). Leaves to `bot.turns` what those are told who wait.

    crowd = Crowd(worker.waiting, delivery.waiting, chat_queue=2000, queue=10000)
    crowd.refusal(message)      # None: there is room
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.locale import Text, phrases

if TYPE_CHECKING:
    from bot.message import Address, Message

_ = phrases(__file__)

MOST_UNSENT: Final = 100
"""So many refusals wait to be sent in a chat; of what comes beyond nobody is told, but that this is so."""

Waiting = Callable[["Address"], tuple[int, int]]
"""How much waits in a chat, and in all together."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """That a message is not taken, and what is said of it (None: the chat is told often enough)."""

    said: Text | None


class Crowd:
    """Knows how full it is."""

    def __init__(self, unanswered: Waiting, unsent: Waiting, *, chat_queue: int, queue: int) -> None:
        """Take `chat_queue` messages that wait in one chat, `queue` in all; `unsent` counts the replies on their way."""
        self._unanswered = unanswered
        self._unsent = unsent
        self._chat_queue = chat_queue
        self._queue = queue
        self.coming = 0
        """Messages that are being committed, for the intake to count."""

    def refusal(self, message: Message) -> Refusal | None:
        """Return that `message` is not taken; None where there is room."""
        here, everywhere = self._unanswered(message.address)
        if here < self._chat_queue and everywhere + self.coming < self._queue:
            return None
        unsent_here, unsent = self._unsent(message.address)
        most = MOST_UNSENT if unsent < self._queue else 1
        if not message.addressed or unsent_here >= most:
            return Refusal(None)
        if unsent_here == most - 1:
            return Refusal(
                _("I did not take this message, nor what comes here until I am through: too much waits. Please try later.")
            )
        if here >= self._chat_queue:
            return Refusal(
                _(
                    "{count} messages of this chat wait for me already. I did not take this one; please send it again later.",
                    count=here,
                )
            )
        return Refusal(
            _("I am too busy: {count} messages wait. I did not take yours; please send it again in a while.", count=everywhere)
        )
