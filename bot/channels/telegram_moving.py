"""Groups that Telegram gives another number, as it does to a group that becomes a supergroup.

Owns which number is whose, which messages stand in the new chat though they were sent to the old number, and that the intake is
told. Leaves to `telegram_sending` how one learns of it from a refusal, and to `telegram_taking` how from a service message.

    moves = Moves("7")
    moves.follow("-5", "-1005")
    moves.chat("-5")  # "-1005"

Source: https://core.telegram.org/bots/api#responseparameters and #message (migrate_to_chat_id, migrate_from_chat_id)
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.errors import StoreError
from bot.message import Address
from bot.recent import Recent

if TYPE_CHECKING:
    from bot.channels.channel import Intake

CHANNEL = "telegram"
KEPT = 4096
"""Messages that are remembered as sent to a new number."""
_log = logging.getLogger(__name__)


class Moves:
    """The groups of one account that have moved while it runs."""

    def __init__(self, account: str) -> None:
        """Begin with none."""
        self._account = account
        self._new: dict[str, str] = {}
        self._untold: dict[str, str] = {}
        self._there: Recent[tuple[str, str], None] = Recent(most=KEPT)
        self._intake: Intake | None = None

    def chat(self, number: str) -> str:
        """Return the number that the chat has now."""
        return self._new.get(number, number)

    def former(self, number: str) -> str:
        """Return the number that the chat had before, "" for none."""
        return next((old for old, new in self._new.items() if new == number), "")

    def follow(self, old: str, new: str) -> None:
        """Know that `old` is `new`; the intake is yet to be told."""
        if old != new and self._new.get(old) != new:
            self._new[old] = self._untold[old] = new

    def sent(self, number: str, message: str) -> None:
        """Remember that a message which was sent to `number` stands in the chat that it is now."""
        if number in self._new:
            self._there[number, message] = None

    def reaches(self, number: str, message: str) -> bool:
        """Say whether `message` stands where one now writes to: the messages of the old chat are not in the new one."""
        return number not in self._new or (number, message) in self._there

    async def begin(self, intake: Intake) -> None:
        """Tell `intake` from now on, first of what was learnt before."""
        self._intake = intake
        await self.report()

    async def tell(self) -> None:
        """Tell the intake what it does not know yet. Raises StoreError where it could not keep it; to be called again."""
        for old, new in list(self._untold.items()):
            if self._intake is None:
                return
            await self._intake.moved(self._group(old), self._group(new))
            self._untold.pop(old, None)
            _log.info("A group has become the supergroup %s; what is kept of it went along.", new)

    async def report(self) -> None:
        """Tell as `tell`; where it fails, it is told in the log and again at the next occasion."""
        try:
            await self.tell()
        except StoreError as error:
            _log.warning("What is kept of a group that has another number could not be carried over yet (%s).", error)

    def _group(self, number: str) -> Address:
        return Address(CHANNEL, self._account, number, kind="group")
