"""Which messages of a chat can be found again, and as what they are kept: as they are said, and as they were.

Owns that orders for a bot, and questions to this one, are no answers to anything. Leaves to `bot.house` and `bot.pasts` where they come from.

    talk_of(message)       # Talk("The roof leaks.", "message:17", "Ann", "message:slack/T1/C1/17", …), None: it tells nothing
"""

from __future__ import annotations

import re

from bot import lazy
from bot.message import Message
from bot.passage import MESSAGE
from bot.retrieval.shelving import Talk
from bot.retrieval.spoken import tells
from bot.talk import Said

_ORDER = lazy.compile(r"\s*/[a-z가-힣][\w]*(?:@\w+)?(?:\s|$)", re.IGNORECASE)
"""An order for a bot, this one or another."""


def talk_of(message: Message) -> Talk | None:
    """Return the message as it is kept; None where it tells nothing."""
    if message.command is not None or not message.text.strip() or _ORDER.match(message.text):
        return None
    if message.addressed and not tells(message.text):
        return None
    return Talk(message.text, key_of(message), message.sender_name, _link(message), message.sender, _said(message))


def key_of(message: Message) -> str:
    """Return under which key a message is kept in its chat's scope."""
    return f"{MESSAGE}{message.id}"


def _said(message: Message) -> Said:
    answered = message.reply_to.id if message.reply_to is not None else ""
    return Said(message.sender_name, message.sent_at, message.address.thread, f"{MESSAGE}{answered}" if answered else "")


def _link(message: Message) -> str:
    at = message.address
    link = f"{MESSAGE}{at.channel}/{at.account}/{at.chat}/{message.id}"
    return f"{link}?thread={at.thread}" if at.thread else link
