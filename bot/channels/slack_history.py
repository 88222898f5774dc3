"""What was said in a Slack channel before the bot came, page by page, each with the threads that began in it.

Owns the mark from which a past goes on. Leaves what counts as said to `slack_incoming` (no bots, no service messages), pace and consent to
`bot.pasts`.

    past = await page(wire, people, me, chat, "")
    past.before      # '{"until": "1700000000.000100", "threads": ["1699999999.000100"], "cursor": ""}'

The threads of a page are read before the page that is older. Slack tells the last messages first, and of a thread the first ones.

Sources: https://docs.slack.dev/reference/methods/conversations.history, https://docs.slack.dev/reference/methods/conversations.replies
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

from bot.channels.channel import Past
from bot.channels.slack_incoming import Me, is_ts, of_event
from bot.channels.slack_people import People
from bot.channels.slack_wire import Wire
from bot.errors import ChannelError, GoneError, RetryLaterError
from bot.message import Message

A_PAGE: Final = 200
"""As many as Slack recommends; what it gives to some apps is 15, once a minute."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a past goes on: what is older than `until`, after the rest of the threads of the page before."""

    until: str = ""
    threads: tuple[str, ...] = ()
    cursor: str = ""
    """Where the first of the threads goes on."""
    last: bool = False
    """Whether nothing is older than that page."""

    @classmethod
    def read(cls, before: str) -> Self:
        """Return what `str` wrote; the end of the channel for anything else."""
        try:
            told = json.loads(before or "{}")
            threads = tuple(one for one in told.get("threads", ()) if isinstance(one, str))
            return cls(str(told.get("until", "")), threads, str(told.get("cursor", "")), last=told.get("last") is True)
        except (ValueError, AttributeError, TypeError):
            return cls()

    def __str__(self) -> str:
        if self.last and not self.threads:
            return ""
        return json.dumps({"until": self.until, "threads": self.threads, "cursor": self.cursor, "last": self.last})


async def page(wire: Wire, people: People, me: Me, chat: str, before: str) -> Past:
    """Return the next page; see `HasHistory.history`."""
    mark = Mark.read(before)
    listed, after = await (_replies(wire, chat, mark) if mark.threads else _history(wire, chat, mark))
    messages = [message for one in listed if (message := await _message(one, people, me, chat)) is not None]
    return Past(messages, str(after), aside=bool(mark.threads))


async def _history(wire: Wire, chat: str, mark: Mark) -> tuple[Sequence[Mapping[str, object]], Mark]:
    told = await wire.call("conversations.history", channel=chat, latest=mark.until or None, inclusive=False, limit=A_PAGE)
    listed = _messages(told)
    stamps = sorted((ts for one in listed if is_ts(ts := str(one.get("ts", "")))), key=float)
    older = [ts for ts in stamps if not mark.until or float(ts) < float(mark.until)]
    threads = tuple(str(one["ts"]) for one in listed if one.get("ts") in older and one.get("reply_count"))
    last = told.get("has_more") is not True or not older  # a page that goes no further back is the last one
    return listed, Mark(older[0] if older else mark.until, threads, last=last)


async def _replies(wire: Wire, chat: str, mark: Mark) -> tuple[Sequence[Mapping[str, object]], Mark]:
    first = mark.threads[0]
    try:
        told = await wire.call("conversations.replies", channel=chat, ts=first, cursor=mark.cursor or None, limit=A_PAGE)
    except (RetryLaterError, GoneError):
        raise
    except ChannelError:  # the thread was deleted meanwhile
        return [], replace(mark, threads=mark.threads[1:], cursor="")
    more = told.get("response_metadata")
    cursor = more.get("next_cursor") if isinstance(more, dict) else None
    if isinstance(cursor, str) and cursor and cursor != mark.cursor:
        return _messages(told), replace(mark, cursor=cursor)
    return _messages(told), replace(mark, threads=mark.threads[1:], cursor="")


async def _message(said: Mapping[str, object], people: People, me: Me, chat: str) -> Message | None:
    message = of_event({**said, "channel": chat, "channel_type": "channel"}, me)
    if not isinstance(message, Message):
        return None
    edited = said.get("edited")
    when = str(edited.get("ts", "")) if isinstance(edited, dict) else ""
    version = int(float(when)) if is_ts(when) else 0
    return replace(message, version=version, sender_name=(await people.who(message.sender)).name)


def _messages(told: Mapping[str, object]) -> list[Mapping[str, object]]:
    listed = told.get("messages")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
