"""IRC keeps Paring's contract of a channel, over a real server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from ircd import NGIRCD, Ircd, Person, ircd
from paring_irc import Irc, IrcSettings

from bot.channels.channel import Channel
from bot.channels.spec import ChannelKit
from bot.config import Settings, WebSettings
from bot.contract import ChannelContract, File, Harness, Shown, Who
from bot.contract.harness import LINK
from bot.message import Address
from bot.skill import Blobs

if not NGIRCD.exists():
    pytest.skip("ngircd is not installed", allow_module_level=True)

TEAM = "#team"
MESSAGES = "https://www.rfc-editor.org/rfc/rfc2812#section-3.3"
IMPOSSIBLE = {
    "many_lines_come_in_as_they_stand": f"A message is one line: {MESSAGES}",
    "what_is_told_twice_comes_in_once": f"A line is told once, and has no number by which it could be told again: {MESSAGES}",
    "a_photo_comes_in": f"A message is text alone: {MESSAGES}",
    "a_photo_alone_comes_in": f"A message is text alone: {MESSAGES}",
    "a_file_comes_in": f"A message is text alone: {MESSAGES}",
    "a_hostile_name_is_made_harmless": f"A message is text alone: {MESSAGES}",
    "several_files_come_in": f"A message is text alone: {MESSAGES}",
    "a_call_with_a_photo_comes_in": f"A message is text alone: {MESSAGES}",
    "a_quote_is_taken_along": f"No message refers to another: {MESSAGES}",
    "an_edit_comes_in": f"What was said stands: {MESSAGES}",
    "a_deletion_comes_in": f"What was said stands; !forget has the bot forget it: {MESSAGES}",
    "a_thread_is_a_place_of_its_own": f"A channel has no threads: {MESSAGES}",
    "a_status_becomes_the_answer": f"What was said stands: {MESSAGES}",
}


class IrcHarness(Harness):
    here = Address("irc", "127.0.0.1", "ann!~ann@127.0.0.1")
    group = Address("irc", "127.0.0.1", TEAM, kind="group")
    orders = "!{name} {args}"

    def __init__(self, server: Ircd, people: dict[Who, Person], folder: Path) -> None:
        self._people, self._folder = people, folder
        self._settings = IrcSettings(
            server="127.0.0.1", port=server.port, tls=False, line_seconds=0, channels=(TEAM,),
            allowed_users=("ben!~ben@127.0.0.1",),
        )  # fmt: skip
        self._answers: dict[str, list[list[str]]] = {}

    def channel(self, blobs: Blobs) -> Irc:
        return Irc(self._settings, ChannelKit("irc", blobs, self._folder))

    def settings(self, settings: Settings) -> Settings:
        told = {"channels": {"irc": self._settings}, "admins": (f"irc:{self.here.chat}",), "web": WebSettings(enabled=False)}
        return settings.model_copy(update=told)

    async def ready(self, channel: Channel) -> None:
        await self._people["ann"].until(rf":paring!\S+ JOIN :?{TEAM}")

    async def say(
        self, text: str, *, at: Address | None = None, by: Who = "ann", files: Sequence[File] = (), reply_to: str = "", called: bool = False
    ) -> str:  # fmt: skip
        self._people[by].say(at.chat if at else "paring", f"paring: {text}" if called else text)
        return ""

    async def press(self, shown: Shown, label: str, *, at: Address | None = None, by: Who = "ann") -> None:
        await self.say(f"#{shown.buttons.index(label) + 1}", at=at, by=by, called=at is not None)

    async def shown(self, at: Address | None = None) -> Sequence[Shown]:
        """What came since it was asked before is one answer: its lines."""
        ann, where = self._people["ann"], at.chat if at else "ann"
        await ann.settle()
        answers = self._answers.setdefault(where, [])
        said = [text for target, text in ann.heard if target.lower() == where]
        if new := said[sum(map(len, answers)) :]:
            answers.append(new)
        return [_shown(str(number), lines) for number, lines in enumerate(answers)]


def _shown(number: str, lines: Sequence[str]) -> Shown:
    text = "\n".join(lines)
    buttons = re.findall(r"#\d+ (.+?)(?=   #|$)", text.partition("Write the number: ")[2])
    return Shown(number, text, tuple(buttons), tuple(LINK.findall(text)), text.count("[picture: "), coded=(text,))


@asynccontextmanager
async def irc(folder: Path) -> AsyncIterator[IrcHarness]:
    async with (
        ircd(folder) as server,
        server.person("ann", channel=TEAM) as ann,
        server.person("ben", channel=TEAM) as ben,
        server.person("mallory") as mallory,
    ):
        yield IrcHarness(server, {"ann": ann, "ben": ben, "stranger": mallory}, folder)


class TestIrc(ChannelContract):
    harness = staticmethod(irc)
    impossible = IMPOSSIBLE
