"""A channel that keeps what it is sent and fails as it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.channels.channel import Intake, Limits
from bot.message import Address, Attachment, Reply
from bot.passage import Scope
from bot.skill import CommandSpec


class FakeChannel:
    name = "test"
    account = "bot"
    groups = True

    def __init__(self, *, repeatable: bool = False, edits: bool = True, failures: Sequence[Exception] = ()) -> None:
        self.limits = Limits(4096, 1 << 20, 1 << 20, edits=edits, repeatable_sends=repeatable)
        self.sent: list[tuple[str, Reply]] = []
        self.edited: list[tuple[str, Reply]] = []
        self.typed = 0
        self.failures = list(failures)
        self.arrived = asyncio.Event()
        self.members: dict[Scope, set[str]] = {}
        self.asked: list[tuple[str, Scope]] = []

    async def run(self, intake: Intake) -> None:
        await asyncio.Event().wait()

    async def send(self, reply: Reply, to: Address, *, key: str) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((key, reply))
        self.arrived.set()
        return f"m{len(self.sent)}"

    async def edit(self, sent: str, reply: Reply, to: Address) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.edited.append((sent, reply))
        self.arrived.set()
        return sent

    async def typing(self, to: Address) -> None:
        self.typed += 1

    async def member(self, person: str, scope: Scope) -> bool | None:
        self.asked.append((person, scope))
        return person in self.members[scope] if scope in self.members else None

    async def workspace(self, chat: str) -> Scope | None:
        return None

    async def fetch(self, attachment: Attachment, into: Path) -> None:
        into.write_bytes(attachment.ref.encode())

    async def publish_commands(self, commands: Sequence[CommandSpec], admin_commands: Sequence[CommandSpec]) -> None:
        return
