"""What a channel's author writes so that the channel can be tested: the other side of its platform.

Owns the questions that the suites ask of a platform. What a harness does not answer, its suite must name as impossible there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.channels.channel import Channel
    from bot.config import Settings
    from bot.host import App
    from bot.message import Address
    from bot.skill import Blobs


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of the bot's as a person sees it: without markup."""

    id: str
    text: str
    buttons: tuple[str, ...] = ()
    """Their labels."""
    links: tuple[str, ...] = ()
    pictures: int = 0
    thread: str = ""


class Harness(ABC):
    """One platform with one person who may talk to the bot; it is up while its context lasts, longer than the channel.

    `here` is the address of the person's own chat with the bot.
    """

    here: Address
    waits_for_answers = False
    """True where a person can say nothing more before they are answered."""

    @abstractmethod
    def channel(self, blobs: Blobs) -> Channel:
        """Return the channel, not running yet, on this platform."""

    def channel_in(self, app: App) -> Channel:
        """Return the channel for a whole bot."""
        return self.channel(app.blobs)

    def settings(self, settings: Settings) -> Settings:
        """Return `settings` as a whole bot on this platform needs them: the person is its admin."""
        return settings

    async def ready(self, channel: Channel) -> None:
        """Return once `channel`, which is running, hears what is said."""
        del channel

    @abstractmethod
    async def say(self, text: str) -> str:
        """Have the person write to the bot in their own chat; return the platform's id of it, "" where it has none."""

    async def shown(self) -> Sequence[Shown]:
        """Return what the bot shows in the person's own chat, as it stands now, oldest first."""
        raise self.unknown("what is shown")

    def unknown(self, what: str) -> NotImplementedError:
        """Return the error that says what the harness lacks."""
        return NotImplementedError(
            f"{type(self).__name__} does not say {what}: answer it, or name the behaviour in `impossible` of its suite"
        )
