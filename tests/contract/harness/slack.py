"""Slack, as Ann and Ben have it: over the fake server, by Socket Mode."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from fakes.slack import ANN, BEN, BOT, DIRECT, GENERAL, TEAM, FakeSlack, Fault, Json
from fakes.slack import slack as serving

from bot.channels.channel import Channel
from bot.channels.slack import Slack
from bot.config import Settings, WebSettings
from bot.contract import File, Harness, Shown, Trouble, Who
from bot.message import Address
from bot.skill import Blobs

PEOPLE: dict[Who, str] = {"ann": ANN, "ben": BEN, "stranger": "U9"}
FAULTS: dict[Trouble, str] = {"busy": "ratelimited", "lost": "lost", "doubt": "cut"}


class SlackHarness(Harness):
    here = Address("slack", TEAM, ANN)
    group = Address("slack", TEAM, GENERAL, kind="group")

    def __init__(self, fake: FakeSlack) -> None:
        self.fake = fake
        self.own = fake.settings(allowed_users=(ANN, BEN), allowed_chats=(GENERAL,), download_mb=1)
        self._events: dict[str, Json] = {}
        self._presses = iter(range(1, 1_000_000))

    def channel(self, blobs: Blobs) -> Slack:
        return Slack(self.own, blobs=blobs)

    def settings(self, settings: Settings) -> Settings:
        chosen = {"slack": self.own, "admins": (f"slack:{ANN}",), "web": WebSettings(enabled=False)}
        return settings.model_copy(update=chosen)

    async def ready(self, channel: Channel) -> None:
        await self.fake.connected()

    async def say(
        self, text: str, *, at: Address | None = None, by: Who = "ann", files: Sequence[File] = (), reply_to: str = "", called: bool = False
    ) -> str:  # fmt: skip
        more: Json = {"chat": at.chat if at else DIRECT if by != "stranger" else "D9", "user": PEOPLE[by]}
        if thread := reply_to or (at.thread if at else ""):
            more["thread_ts"] = thread
        if files:
            more |= {"files": [self.fake.put(file.name, file.data, file.media_type) for file in files], "subtype": "file_share"}
        said = f"<@{BOT}> {text}".strip() if called else text
        event = await self.fake.say(said, **more)
        self._events[event["ts"]] = event
        return str(event["ts"])

    async def thread(self) -> Address:
        root = await self.say("let us plan the move", at=self.group, by="ben")
        return replace(self.group, thread=root)

    async def shown(self, at: Address | None = None) -> Sequence[Shown]:
        return [_shown(message) for message in self.fake.shown(at.chat if at and at.kind == "group" else DIRECT)]

    async def press(self, shown: Shown, label: str, *, at: Address | None = None, by: Who = "ann") -> None:
        chat = at.chat if at and at.kind == "group" else DIRECT
        message = next(one for one in self.fake.shown(chat) if one["ts"] == shown.id)
        element = next(one for one in _elements(message) if one["text"]["text"] == label)
        place = {"type": "message", "channel_id": chat, "message_ts": shown.id, "thread_ts": message.get("thread_ts", "")}
        await self.fake.act("interactive", {
            "type": "block_actions", "team": {"id": TEAM}, "user": {"id": PEOPLE[by]}, "container": place,
            "actions": [{**element, "action_ts": f"{next(self._presses)}.1"}],
        })  # fmt: skip

    async def told(self) -> Sequence[str]:
        return [str(said.get("text", "")) for said in self.fake.unseen]

    async def rewrite(self, message: str, text: str, *, at: Address | None = None) -> None:
        before = self._events[message]
        after = {**before, "text": text, "edited": {"user": ANN, "ts": self.fake.ts()}}
        await self._changed(before, {"subtype": "message_changed", "message": after, "previous_message": before})

    async def take_back(self, message: str, *, at: Address | None = None) -> None:
        before = self._events[message]
        await self._changed(before, {"subtype": "message_deleted", "deleted_ts": message, "previous_message": before})

    async def _changed(self, before: Json, event: Json) -> None:
        place = {"type": "message", "channel": before["channel"], "channel_type": before["channel_type"], "ts": self.fake.ts()}
        await self.fake.tell({**place, **event})

    async def again(self, message: str) -> None:
        await self.fake.tell(self._events[message])

    async def signs(self) -> int:
        return sum(1 for what, _ts in self.fake.reactions if what == "add")

    async def trouble(self, kind: Trouble) -> None:
        if kind == "gone":
            self.fake.faults.append(Fault("chat.postMessage", "channel_not_found", times=1000))
        elif kind == "away":
            self.fake.faults.append(Fault("chat.postMessage", "500", times=3))
        else:
            self.fake.faults.append(Fault("chat.postMessage", FAULTS[kind]))

    async def calm(self) -> None:
        self.fake.faults.clear()


def _elements(message: Json) -> Iterator[Json]:
    for block in message.get("blocks") or []:
        if block["type"] == "actions":
            yield from block["elements"]


def _shown(message: Json) -> Shown:
    parts = [part for block in message.get("blocks") or [] if block["type"] == "rich_text" for part in block["elements"]]
    texts = ["".join(run.get("text", "") for run in part["elements"]) for part in parts]
    return Shown(
        message["ts"], "\n".join(texts) or message.get("text", ""), tuple(one["text"]["text"] for one in _elements(message)),
        links=tuple(run["url"] for part in parts for run in part["elements"] if run["type"] == "link"),
        pictures=sum(1 for block in message.get("blocks") or [] if block["type"] == "image"),
        thread=message.get("thread_ts") or "",
        coded=tuple(text for part, text in zip(parts, texts, strict=True) if part["type"] == "rich_text_preformatted"),
    )  # fmt: skip


@asynccontextmanager
async def slack(_folder: Path) -> AsyncIterator[SlackHarness]:
    async with serving() as fake:
        yield SlackHarness(fake)
