"""What a channel's author writes so that the channel can be tested: the other side of its platform.

Owns the questions that the suites ask of a platform. What a harness does not answer, its suite must name as impossible there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from bot import lazy

if TYPE_CHECKING:
    from bot.channels.channel import Channel
    from bot.config import Settings
    from bot.host import App
    from bot.message import Address
    from bot.skill import Blobs

Trouble = Literal["busy", "lost", "doubt", "away", "gone"]
"""busy: told to wait a moment. lost: cut before it was carried out. doubt: carried out, and the answer lost. away: nobody answers for a
while. gone: the person's chat is closed to the bot from now on. Of a send, and once, but for the last two."""
Who = Literal["ann", "ben", "stranger"]
"""ann: the admin whose chat it is. ben: somebody who may talk to the bot, in the group. stranger: nobody whom the bot knows."""


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
    quotes: str = ""
    """The id of the message that it quotes, where the platform shows that."""
    coded: tuple[str, ...] = ()
    """What stands in blocks of code."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that a person sends."""

    name: str
    data: bytes
    media_type: str = "application/octet-stream"


class Harness(ABC):
    """One platform with Ann on it, who may talk to the bot; it is up while its context lasts, longer than the channel.

    `here` is the address of Ann's own chat with the bot, `group` of one in which are both, and Ben.
    """

    here: Address
    group: Address | None = None
    can_be_asked = True
    """False where nobody can be asked whether a send of which nobody knows was carried out: it may be shown twice, and says so."""
    waits_for_answers = False
    """True where a person can say nothing more before they are answered."""
    orders: str = "/{name} {args}"
    """How a command is typed."""

    @abstractmethod
    def channel(self, blobs: Blobs) -> Channel:
        """Return the channel, not running yet, on this platform; called anew where the bot is started again."""

    def channel_in(self, app: App) -> Channel:
        """Return the channel for a whole bot."""
        return self.channel(app.blobs)

    def settings(self, settings: Settings) -> Settings:
        """Return `settings` as a whole bot on this platform needs them: Ann is its admin, Ben may talk to it, others may not."""
        return settings

    async def ready(self, channel: Channel) -> None:
        """Return once `channel`, which is running, hears what is said."""
        del channel

    @abstractmethod
    async def say(
        self, text: str, *, at: Address | None = None, by: Who = "ann", files: Sequence[File] = (), reply_to: str = "", called: bool = False
    ) -> str:  # fmt: skip
        """Have somebody write to the bot, `at` a place other than their own chat; return the platform's id of it, "" where it has none.

        `reply_to` is the id of the message that is replied to; `called`: the bot is mentioned, as people do there.

        Raises:
            ValueError: they are told at once that it is not taken; it says what they are told.
        """

    async def thread(self) -> Address:
        """Return a thread, another one each time, that was begun in the group."""
        raise self.unknown("how a thread is begun")

    async def shown(self, at: Address | None = None) -> Sequence[Shown]:
        """Return what the bot shows in a chat (Ann's own), as it stands now, oldest first; of many at least the last thirty."""
        raise self.unknown("what is shown")

    async def press(self, shown: Shown, label: str, *, at: Address | None = None, by: Who = "ann") -> None:
        """Have somebody press a button."""
        raise self.unknown("how a button is pressed")

    async def told(self) -> Sequence[str]:
        """Return what people were told beside the messages: the notes after a press."""
        return ()

    async def rewrite(self, message: str, text: str, *, at: Address | None = None) -> None:
        """Have Ann change what she wrote."""
        raise self.unknown("how a message is edited")

    async def take_back(self, message: str, *, at: Address | None = None) -> None:
        """Have Ann delete what she wrote."""
        raise self.unknown("how a message is deleted")

    async def again(self, message: str) -> None:
        """Have the platform tell the bot once more of what Ann wrote in her own chat."""
        raise self.unknown("how something is told twice")

    async def signs(self) -> int:
        """Return how often it was shown so far that the bot is at work: typing, or a reaction."""
        raise self.unknown("how it is shown that the bot is at work")

    async def menu(self) -> Mapping[str, str]:
        """Return the commands that Ann is offered, and what is said of each."""
        raise self.unknown("which commands are offered")

    async def trouble(self, kind: Trouble) -> None:
        """Have something go wrong, from now on."""
        raise self.unknown(f"how something goes wrong ({kind})")

    async def calm(self) -> None:
        """Have everything go well again."""

    def order(self, name: str, args: str = "") -> str:
        """Return how a command is typed there."""
        return self.orders.format(name=name, args=args).strip()

    def unknown(self, what: str) -> NotImplementedError:
        """Return the error that says what the harness lacks."""
        return NotImplementedError(
            f"{type(self).__name__} does not say {what}: answer it, or name the behaviour in `impossible` of its suite"
        )


LINK: Final = lazy.compile(r"https?://[^\s<>\"')\]]+")
"""A link that stands in a text as it is."""
