"""Paring in IRC: direct chats, and channels in which it answers who calls it by its nick.

What a channel of plain lines needs is Paring's (`bot.channels.text_channel`); here is the protocol alone. Who somebody is, is their mask
(nick!user@host): who takes over a nick is another person, is shown nothing of the former's, and is not answered in their place.

Sources: https://www.rfc-editor.org/rfc/rfc2812, https://modern.ircdocs.horse
"""

from __future__ import annotations

import re
import secrets
from typing import Final, NamedTuple

from pydantic import Field, SecretStr

from bot.channels.line_wire import LineWire
from bot.channels.pace import Pace
from bot.channels.spec import ChannelKit, ChannelSpec
from bot.channels.text_channel import Heard, TextChannel, called, gone
from bot.config_channels import ChannelSettings
from bot.config_section import Names
from bot.errors import AmbiguousSendError, ChannelError, RetryLaterError
from bot.locale import phrases
from bot.message import Address

_ = phrases(__file__)

LINE_BYTES: Final = 510
"""Of a line without its end, the sender's mask in front of it. Source: https://www.rfc-editor.org/rfc/rfc2812#section-2.3"""
USER, MASK_BYTES, BURST, MOST_NICKS = "paring", 34 + len("!~paring@") + 63, 5, 3
TAKEN, SHUT_OUT = frozenset({"433", "436", "437"}), frozenset({"432", "464", "465"})
NOT_SENT: Final = frozenset({"401", "403", "404", "407", "411", "412", "442", "477"})
NOT_JOINED: Final = frozenset({"403", "405", "471", "473", "474", "475", "476"})


class IrcSettings(ChannelSettings):
    """IRC. On where a server is set."""

    server: str = Field(pattern=r"^[^\s/]+$", description="Host of the IRC server.")
    port: int = Field(default=6697, ge=1, le=65535, description="Its port.")
    tls: bool = Field(default=True, description="Talk to it in TLS, and check its certificate.")
    nick: str = Field(default="paring", pattern=r"^[A-Za-z\[\]\\`_^{|}][\w\[\]\\`^{|}-]{0,29}$", description="The bot's nick.")
    password: SecretStr = Field(default=SecretStr(""), description="The server's password. Environment only.")
    channels: Names = Field(default=(), description="Channels to be in, such as #team.")
    line_seconds: float = Field(default=2.0, ge=0, description="Seconds between two lines, after the first five.")


class Line(NamedTuple):
    """What a server sends."""

    mask: str
    verb: str
    words: list[str]


class Irc(TextChannel):
    """One nick on one server."""

    def __init__(self, settings: IrcSettings, kit: ChannelKit) -> None:
        pace = Pace(burst=BURST, every_s=settings.line_seconds)
        super().__init__(kit, account=settings.server, line_bytes=LINE_BYTES // 2, pace=pace)
        self._settings, self._nick = settings, settings.nick
        self._wire: LineWire | None = None

    async def connected(self) -> None:
        """Log in and read; see the contract."""
        settings, password = self._settings, self._settings.password.get_secret_value()
        async with LineWire.opened(settings.server, settings.port, tls=settings.tls) as wire:
            self._wire, self._nick = wire, settings.nick
            wire.write(*([f"PASS :{password}"] if password else []), f"NICK {self._nick}", f"USER {USER} 0 * :Paring")
            async for line in wire.lines(asking="PING :paring"):
                self.alive()
                if (told := parsed(line)).verb == "PING":
                    wire.write(f"PONG :{told.words[-1]}")
                else:
                    await (self._on if self.begun.is_set() else self._greeted)(wire, told)

    async def put(self, line: str, to: Address) -> None:
        """Send a line, to nobody but whom it is for; see the contract."""
        target = to.chat.partition("!")[0] if to.kind == "direct" else to.chat
        if to.kind == "direct":
            told = [one.words[-1] for one in await self._ask(f"USERHOST {target}") if one.verb == "302"]
            if not told or f"{target}!{told[0].partition('=')[2].strip().lstrip('+-')}" != to.chat:
                raise self.absent(to, f"{to.chat} is not here")
        for answer in await self._ask(f"PRIVMSG {target} :{line}", sends=True):
            if answer.verb in NOT_SENT:
                raise gone(answer.words[-1]) if to.kind == "group" else self.absent(to, answer.words[-1])

    def room_bytes(self, to: Address) -> int:
        """Return what is left of a line beside the longest mask that the bot may have, and the target."""
        return LINE_BYTES - MASK_BYTES - len(f": PRIVMSG {to.chat} :".encode())

    async def is_in(self, person: str, group: str) -> bool:
        """Ask the server who is in the channel."""
        told = [one.words for one in await self._ask(f"WHO {group}") if one.verb == "352" and len(one.words) > 5]  # noqa: PLR2004
        return person in {f"{words[5]}!{words[2]}@{words[3]}" for words in told}

    async def _ask(self, command: str, *, sends: bool = False) -> list[Line]:
        """Return what the server says to `command`: all of it has come once it answers the PING that follows."""
        token = secrets.token_hex(8)
        if self._wire is None or not self.begun.is_set():
            raise RetryLaterError(_("IRC cannot be reached. Nothing was sent; it is tried again by itself."), retry_after_s=2.0)
        try:
            return [parsed(line) for line in await self._wire.asked(command, f"PING :{token}", ends=token)]
        except (EOFError, TimeoutError):
            sentence = _("IRC did not answer. The line may have arrived or not.")
            raise (AmbiguousSendError(sentence) if sends else RetryLaterError(sentence, retry_after_s=2.0)) from None

    async def _greeted(self, wire: LineWire, line: Line) -> None:
        if line.verb == "001":
            self._nick = line.words[0]
            wire.write(*(f"JOIN {channel}" for channel in self._settings.channels))
            self.up()
        elif line.verb in TAKEN:
            if len(self._nick) > len(self._settings.nick) + MOST_NICKS:
                raise EOFError(line.words[-1])
            self._nick += "_"
            wire.write(f"NICK {self._nick}")
        elif line.verb in SHUT_OUT or (line.verb == "ERROR" and "password" in line.words[-1].lower()):
            raise ChannelError(_("The IRC server does not let the bot in: {reason}", reason=line.words[-1]))

    async def _on(self, wire: LineWire, line: Line) -> None:
        nick = line.mask.partition("!")[0]
        if line.verb == "NICK" and nick == self._nick:
            self._nick = line.words[0]
        elif line.verb in {"JOIN", "PART", "KICK", "QUIT", "NICK"}:
            for channel in self._settings.channels:
                self.members_changed(channel.lower())
            if nick == self._settings.nick != self._nick and line.verb in {"QUIT", "NICK"}:
                wire.write(f"NICK {nick}")  # somebody had it when the bot came
        elif line.verb in NOT_JOINED:
            self.not_in(*line.words[-2:])
        elif line.verb == "PRIVMSG" and nick != self._nick and len(line.words) > 1 and not line.words[1].startswith("\x01"):
            target, text = line.words[:2]
            group = target[:1] in {"#", "&"}
            said = called(text, self._nick) if group else text
            here = Address(self.name, self.account, target.lower() if group else line.mask, kind="group" if group else "direct")
            await self.hear(Heard(here, line.mask, text if said is None else said, name=nick, addressed=said is not None))


def parsed(line: str) -> Line:
    """Return what the server's `line` says; its tags are passed over."""
    found = re.match(r"(?:@\S* +)?(?::(\S+) +)?(\S*)(.*)", line)
    mask, verb, rest = found.groups("") if found else ("", "", "")
    head, colon, last = rest.partition(" :")
    return Line(mask, verb, [*head.split(), *([last] if colon else [])] or [""])


SPEC = ChannelSpec("IRC", IrcSettings, build=Irc, hosts=lambda settings: [settings.server])
