"""IRC, as Ann and Ben have it: over a real ngircd, and for the bot through a door that breaks as it is told."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

from irc_door import Door, door
from ircd import Person, ircd
from paring_irc import Irc, IrcSettings

from bot.channels import text_channel
from bot.channels.channel import Channel
from bot.channels.spec import ChannelKit
from bot.config import Settings, WebSettings
from bot.contract import File, Harness, Shown, Trouble, Who
from bot.contract.harness import LINK
from bot.message import Address, Reply
from bot.skill import Blobs

WentOut = Callable[[Sequence[str]], Awaitable[None]]

TEAM = "#team"
_OFFERED = re.compile("Write the number: |번호를 적어 주세요: ")


class Watched(Irc):
    """IRC tells nobody where an answer ends: here that is written down."""

    def __init__(self, settings: IrcSettings, kit: ChannelKit, harness: IrcHarness) -> None:
        super().__init__(settings, kit)
        self._harness = harness

    async def send_parts(
        self, reply: Reply, to: Address, *, key: str, edits: str, sent: Sequence[str], went_out: WentOut, in_doubt: bool = False
    ) -> str:  # fmt: skip
        async with self._harness.answering(to):
            return await super().send_parts(reply, to, key=key, edits=edits, sent=sent, went_out=went_out, in_doubt=in_doubt)


class IrcHarness(Harness):
    here = Address("irc", "127.0.0.1", "ann!~ann@127.0.0.1")
    group = Address("irc", "127.0.0.1", TEAM, kind="group")
    orders = "!{name} {args}"
    can_be_asked = False

    def __init__(self, door: Door, people: dict[Who, Person], folder: Path) -> None:
        self._door, self._people, self._folder = door, people, folder
        self._settings = IrcSettings(
            server="127.0.0.1", port=door.port, tls=False, line_seconds=0, channels=(TEAM,),
            allowed_users=("ben!~ben@127.0.0.1",), allowed_chats=(TEAM,),
        )  # fmt: skip
        self._ends: dict[str, list[int]] = {}
        """After how many of the lines that Ann was sent in a place each answer ended."""
        self._under_way: Counter[str] = Counter()
        self._started = 0
        self._kept_s = text_channel.KEPT_ABSENT_S

    def channel(self, blobs: Blobs) -> Irc:
        self._started = len(self._people["ann"].lines)
        return Watched(self._settings, ChannelKit("irc", blobs, self._folder), self)

    def settings(self, settings: Settings) -> Settings:
        told = {"channels": {"irc": self._settings}, "admins": (f"irc:{self.here.chat}",), "web": WebSettings(enabled=False)}
        return settings.model_copy(update=told)

    async def ready(self, channel: Channel) -> None:
        await self._people["ann"].until(rf":paring!\S+ JOIN :?{TEAM}", after=self._started)

    async def say(
        self, text: str, *, at: Address | None = None, by: Who = "ann", files: Sequence[File] = (), reply_to: str = "", called: bool = False
    ) -> str:  # fmt: skip
        self._people[by].say(at.chat if at else "paring", f"paring: {text}".strip() if called else text)
        return ""

    async def press(self, shown: Shown, label: str, *, at: Address | None = None, by: Who = "ann") -> None:
        await self.say(f"#{shown.buttons.index(label) + 1}", at=at, by=by, called=at is not None)

    async def shown(self, at: Address | None = None) -> Sequence[Shown]:
        where = _where(at)
        await self._people["ann"].settle()
        said = self._said(where)
        ends = [*self._ends.get(where, []), *([] if self._under_way[where] else [len(said)])]
        cut = list(dict.fromkeys([0, *ends]))
        return [_shown(str(number), said[begin:end]) for number, (begin, end) in enumerate(pairwise(cut))]

    @asynccontextmanager
    async def answering(self, to: Address) -> AsyncIterator[None]:
        """Know where an answer begins, and where it ends."""
        where, ann = _where(to), self._people["ann"]
        self._ends.setdefault(where, []).append(len(self._said(where)))
        self._under_way[where] += 1
        try:
            yield
        finally:
            await ann.settle()
            self._ends[where].append(len(self._said(where)))
            self._under_way[where] -= 1

    def _said(self, where: str) -> list[str]:
        return [text for target, text in self._people["ann"].heard if target.lower() == where]

    async def trouble(self, kind: Trouble) -> None:
        ann = self._people["ann"]
        match kind:
            case "gone":  # what waits for who is away is kept for a day: here for no moment
                text_channel.KEPT_ABSENT_S = -1.0  # type: ignore[misc]
                ann.write("NICK elsewhere")
                await ann.settle()
            case "lost" | "doubt" | "away":
                self._door.fault = kind
            case "busy":
                await super().trouble(kind)

    async def calm(self) -> None:
        text_channel.KEPT_ABSENT_S = self._kept_s  # type: ignore[misc]
        self._door.fault = ""
        ann = self._people["ann"]
        ann.write("NICK ann")
        await ann.settle()


def _where(at: Address | None) -> str:
    return at.chat if at and at.kind == "group" else "ann"


def _shown(number: str, lines: Sequence[str]) -> Shown:
    text = "\n".join(lines)
    buttons = re.findall(r"#\d+ (.+?)(?=   #|$)", _OFFERED.split(text, maxsplit=1)[-1]) if _OFFERED.search(text) else []
    return Shown(number, text, tuple(buttons), tuple(LINK.findall(text)), text.count("[picture: "), coded=(text,))


@asynccontextmanager
async def irc(folder: Path) -> AsyncIterator[IrcHarness]:
    async with (
        ircd(folder) as server,
        door(server.port) as through,
        server.person("ann", channel=TEAM) as ann,
        server.person("ben", channel=TEAM) as ben,
        server.person("mallory") as mallory,
    ):
        yield IrcHarness(through, {"ann": ann, "ben": ben, "stranger": mallory}, folder)
