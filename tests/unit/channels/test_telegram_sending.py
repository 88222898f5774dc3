"""Sending to Telegram: a status that can be edited no more, and an answer of which nobody knows whether it came."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from bot.channels.channel import Limits
from bot.channels.telegram_moving import Moves
from bot.channels.telegram_request import RefusedError, UnansweredError
from bot.channels.telegram_sending import Sending
from bot.channels.waits import Waits
from bot.delivery import Delivery
from bot.feed import Turn
from bot.message import Address, Reply
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.outbox import Outbox
from bot.testing import make_message


class Telegram:
    """Telegram's side: the status is deleted, and the first send ends in a 502 after it was shown."""

    limits = Limits(4096, 1, 1, edits=True, repeatable_sends=False)

    def __init__(self, outbox: Outbox) -> None:
        self.shown: list[str] = []
        self.states: list[str] = []
        self.number = 0
        self._outbox = outbox
        self._sending = Sending(self, None, Moves("7"), Waits())  # type: ignore[arg-type]

    async def send_parts(
        self, reply: Reply, to: Address, *, key: str, edits: str, sent: Sequence[str], went_out: Any, in_doubt: bool = False
    ) -> str:
        del key
        return await self._sending.edit(edits, reply, to, sent=sent, went_out=went_out, in_doubt=in_doubt)

    async def edit_message_text(self, *_what: object, **_more: object) -> None:
        raise RefusedError(400, "Bad Request: message to edit not found")

    async def send_message(self, _chat: object, text: str, **_more: object) -> object:
        self.shown.append(text)
        self.states.append((await self._outbox.one(self.number)).state)
        if len(self.shown) == 1:
            raise UnansweredError("HTTP 502")
        return SimpleNamespace(message_id=100)


async def test_an_answer_whose_status_is_gone_is_sent_anew_as_any_other(database: Database) -> None:
    inbox, outbox = Inbox(database), Outbox(database)
    message = make_message("q", id="5")
    number = await inbox.accept(message)
    assert number is not None
    (parcel,) = await inbox.finish(number, message, [Reply("the answer", "en")], edits="77")
    telegram = Telegram(outbox)
    telegram.number = parcel.id
    delivery, turn = Delivery(outbox, {"test": telegram}), Turn(parcel.id, parcel)  # type: ignore[dict-item]

    while await delivery.take(turn) is not None:
        pass

    first, again = telegram.shown
    assert first == "the answer"
    assert again != first
    assert again.endswith(first) or again.startswith(first)
    assert telegram.states[0] == "sending"
