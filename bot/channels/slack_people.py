"""Who people are in one workspace: their names and their languages, asked of Slack once an hour each.

Owns that nobody waits for it: a name that does not come within KNOWN_WITHIN_S is left out, and is there the next time.

Source: https://docs.slack.dev/reference/methods/users.info
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bot.channels.incoming import clean_text
from bot.channels.slack_wire import Wire
from bot.errors import ChannelError
from bot.recent import Recent

KNOWN_WITHIN_S: Final = 0.7
BELIEVED_S: Final = 3600.0
AGAIN_S: Final = 60.0
"""How long nobody is asked again of whom Slack told nothing."""
MOST: Final = 20_000
LONGEST_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class Person:
    """What Slack tells of somebody; "" where it told nothing (yet)."""

    name: str = ""
    language: str = ""


class People:
    """The people of one workspace."""

    def __init__(self, wire: Wire, clock: Callable[[], float] = time.monotonic) -> None:
        """Ask over `wire`; `clock` counts seconds."""
        self._wire = wire
        self._clock = clock
        self._known: Recent[str, tuple[Person, float]] = Recent(most=MOST)
        self._asking: dict[str, asyncio.Task[Person]] = {}

    async def who(self, user: str) -> Person:
        """Return what is known of `user`; what is not known in time comes the next time. Never raises."""
        person, until = self._known.get(user, (Person(), 0.0))
        if until > self._clock():
            return person
        if user in self._asking:  # one waits for an answer; a burst of somebody's messages does not wait for it each
            return person
        self._asking[user] = asyncio.create_task(self._ask(user))
        done, _late = await asyncio.wait([self._asking[user]], timeout=KNOWN_WITHIN_S)
        return done.pop().result() if done else person

    async def _ask(self, user: str) -> Person:
        try:
            told = (await self._wire.call("users.info", user=user, include_locale=True)).get("user")
            person, believed_s = _person(told), BELIEVED_S
        except ChannelError:
            person, believed_s = self._known.get(user, (Person(), 0.0))[0], AGAIN_S
        finally:
            del self._asking[user]
        self._known[user] = person, self._clock() + believed_s
        return person


def _person(told: object) -> Person:
    user = told if isinstance(told, dict) else {}
    profile = user.get("profile")
    names = profile if isinstance(profile, dict) else {}
    name = names.get("display_name") or names.get("real_name") or user.get("real_name") or user.get("name")
    locale = user.get("locale")
    shown = clean_text(name)[:LONGEST_NAME] if isinstance(name, str) else ""
    return Person(shown, locale if isinstance(locale, str) else "")
