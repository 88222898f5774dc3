"""Telegram, as Ann and Ben have it: over the fake server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from fakes.telegram_bot_api.client import ANN, USERNAME, FakeTelegram, Json, running
from pydantic import SecretStr

from bot.channels.telegram import Telegram
from bot.config import Settings, TelegramSettings, WebSettings
from bot.contract import File, Harness, Shown, Trouble, Who
from bot.message import Address
from bot.skill import Blobs

TOKEN = "7:CONTRACT"
GROUP = -1001
PEOPLE: dict[Who, int] = {"ann": ANN, "ben": 43, "stranger": 44}
TOPICS = 20


class TelegramHarness(Harness):
    can_be_asked = False
    here = Address("telegram", "7", str(ANN))
    group = Address("telegram", "7", str(GROUP), kind="group")

    def __init__(self, fake: FakeTelegram, topics: Sequence[int]) -> None:
        self.fake = fake
        self._albums = iter(range(1_000_000))
        self._topics = iter(str(topic) for topic in topics)
        self.own = TelegramSettings(
            token=SecretStr(TOKEN), base_url=fake.base_url, base_file_url=fake.base_file_url,
            allowed_users=(str(PEOPLE["ben"]),), allowed_chats=(str(GROUP),),
        )  # fmt: skip

    def channel(self, blobs: Blobs) -> Telegram:
        return Telegram(self.own, blobs=blobs, poll_s=1)

    def settings(self, settings: Settings) -> Settings:
        chosen = {"telegram": self.own, "admins": (f"telegram:{ANN}",), "web": WebSettings(enabled=False)}
        return settings.model_copy(update=chosen)

    async def say(
        self, text: str, *, at: Address | None = None, by: Who = "ann", files: Sequence[File] = (), reply_to: str = "", called: bool = False
    ) -> str:  # fmt: skip
        chat = int(at.chat) if at else PEOPLE[by]
        told: Json = {"user": PEOPLE[by], "chat": chat}
        if reply_to:
            told["reply_to"] = int(reply_to)
        if at and at.thread:
            told["topic"] = int(at.thread)
        said = f"@{USERNAME} {text}".strip() if called else text
        if not files:
            return str((await self.fake.say(said, **told))["message_id"])
        album = {"media_group_id": f"album {next(self._albums)}"} if len(files) > 1 else {}
        captions = [{"caption": said} if said and not number else {} for number in range(len(files))]
        fields = [{**album, **await self._field(file)} for file in files]
        sent = [await self.fake.say(None, fields=one, **also, **told) for one, also in zip(fields, captions, strict=True)]
        return str(sent[0]["message_id"])

    async def _field(self, file: File) -> Json:
        kept = await self.fake.file(file.data, name=file.name)
        if file.media_type.startswith("image/"):
            return {"photo": [{**kept, "width": 640, "height": 480}]}
        return {"document": {**kept, "file_name": file.name, "mime_type": file.media_type}}

    async def thread(self) -> Address:
        return replace(self.group, thread=next(self._topics))

    async def shown(self, at: Address | None = None) -> Sequence[Shown]:
        return [_shown(message) for message in await self.fake.shown(int((at or self.here).chat))]

    async def press(self, shown: Shown, label: str, *, at: Address | None = None, by: Who = "ann") -> None:
        await self.fake.press(int(shown.id), user=PEOPLE[by], chat=int((at or self.here).chat), label=label)

    async def told(self) -> Sequence[str]:
        return [call["parameters"].get("text", "") for call in await self.fake.calls("answerCallbackQuery")]

    async def rewrite(self, message: str, text: str, *, at: Address | None = None) -> None:
        await self.fake.order("edit", chat=int((at or self.here).chat), message_id=int(message), text=text)

    async def again(self, message: str) -> None:
        standing = (await self.fake.ask("chat", chat=ANN))["messages"]
        told = next(one for one in standing if one["message_id"] == int(message))
        await self.fake.order("update", kind="message", content=told)

    async def signs(self) -> int:
        return len(await self.fake.calls("sendChatAction"))

    async def menu(self) -> Mapping[str, str]:
        menus = await self.fake.ask("commands")
        mine = next((menu for scope, menu in menus.items() if scope == f"chat:{ANN}"), [])
        return {command["command"]: command["description"] for command in mine}

    async def trouble(self, kind: Trouble) -> None:
        if kind == "gone":
            await self.fake.order("close_chat", chat=ANN)
        elif kind == "busy":
            await self.fake.fault("refuse", "sendMessage", parameters={"retry_after": 1})
        elif kind == "away":
            await self.fake.fault("refuse", times=3, code=502, description="Bad Gateway")
        else:
            await self.fake.fault("cut_after" if kind == "doubt" else "cut_before", "sendMessage")

    async def calm(self) -> None:
        await self.fake.order("clear_faults")
        await self.fake.order("close_chat", chat=ANN, description="")


def _shown(message: Json) -> Shown:
    text = message.get("text") or message.get("caption") or ""
    units = text.encode("utf-16-le")
    entities = message.get("entities") or message.get("caption_entities") or []

    def of(entity: Json) -> str:
        return units[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")

    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return Shown(
        str(message["message_id"]), text, tuple(button["text"] for row in rows for button in row),
        links=tuple(one.get("url") or of(one) for one in entities if one["type"] in {"text_link", "url"}),
        pictures=int("photo" in message), thread=str(message.get("message_thread_id", "")),
        quotes=str(message.get("reply_to_message", {}).get("message_id", "")),
        coded=tuple(of(one) for one in entities if one["type"] == "pre"),
    )  # fmt: skip


@asynccontextmanager
async def telegram(_folder: Path) -> AsyncIterator[TelegramHarness]:
    async with running(TOKEN, USERNAME) as fake:
        await fake.order("person", id=ANN, first_name="Ann", language_code="en")
        await fake.order("person", id=PEOPLE["ben"], first_name="Ben", language_code="en")
        members = {str(ANN): "member", str(PEOPLE["ben"]): "member"}
        group = await fake.order("group", id=GROUP, is_forum=True, topics=[f"topic {n}" for n in range(TOPICS)], members=members)
        yield TelegramHarness(fake, list(group["topics"].values()))
