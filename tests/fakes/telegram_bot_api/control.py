"""What a test tells the server: who says what, which faults strike; and what it asks: what was sent, when something is done.

Every order is a POST of JSON to /_control/<name>; every question a GET. A question that waits (calls, settled) is answered as
soon as it is so, or with 408 when its time is up: a test need never sleep.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from .answers import Json, Refusal
from .faults import Fault
from .texts import found_entities
from .world import Call, Chat, World, inside

WAIT_S = 120.0
ANONYMOUS = 99
"""Who puts the bot in or out where a test does not say who does."""


class Control:
    """The orders and questions of tests."""

    def __init__(self, world: World, faults: list[Fault]) -> None:
        self._world = world
        self._faults = faults

    def add_to(self, application: web.Application) -> None:
        orders: dict[str, Callable[[Json], Awaitable[Any]]] = {
            "reset": self._reset,
            "person": self._person,
            "group": self._group,
            "say": self._say,
            "edit": self._edit,
            "press": self._press,
            "update": self._update,
            "file": self._file,
            "close_chat": self._close_chat,
            "migrate": self._migrate,
            "member": self._member,
            "fault": self._fault,
            "clear_faults": self._clear_faults,
            "revoke": self._revoke,
            "hook": self._hook,
        }
        questions: dict[str, Callable[[Json], Awaitable[Any]]] = {
            "calls": self._calls,
            "settled": self._settled,
            "chat": self._chat,
            "shown": self._shown,
            "commands": self._commands,
            "state": self._state,
        }
        for name, order in orders.items():
            application.router.add_post(f"/_control/{name}", _handler(order, posted=True))
        for name, question in questions.items():
            application.router.add_get(f"/_control/{name}", _handler(question, posted=False))

    async def _reset(self, _told: Json) -> Json:
        """Forget everything that was said, sent and ordered; polls that are open end empty-handed."""
        self._faults.clear()
        self._world.reset()
        await self._world.tell()
        return {}

    async def _person(self, told: Json) -> Json:
        return self._world.person(told)

    async def _group(self, told: Json) -> Json:
        """Make a group: id, title, type (default supergroup), is_forum, members {user id: status}."""
        chat = Chat(told["id"], told.get("type", "supergroup"), told.get("title", "A group"), bool(told.get("is_forum")))
        chat.members = {int(user): status for user, status in told.get("members", {}).items()}
        chat.members.setdefault(self._world.bot["id"], "member")
        self._world.chats[chat.id] = chat
        for name in told.get("topics", []):
            root = self._world.put(chat, self._world.bot, {"forum_topic_created": {"name": name, "icon_color": 0}})
            chat.topics[root["message_id"]] = {"name": name, "closed": False, "root": root}
        return {**chat.told(), "topics": {topic["name"]: number for number, topic in chat.topics.items()}}

    async def _say(self, told: Json) -> Json:
        """Let a person say something: from, chat (default: privately), text or caption, reply_to, topic, and any further fields."""
        sender = self._world.person(told["from"])
        chat = self._world.chat(int(told.get("chat") or sender["id"]))
        content: Json = {name: told[name] for name in ("text", "caption") if name in told}
        for name, entities in (("text", "entities"), ("caption", "caption_entities")):
            found = told.get("entities", found_entities(told[name])) if name in told else []
            if found:
                content[entities] = found
        if quoted := chat.messages.get(told.get("reply_to", 0)):
            content["reply_to_message"] = {name: value for name, value in quoted.items() if name != "reply_to_message"}
        if topic := told.get("topic"):
            content |= {"message_thread_id": topic, "is_topic_message": True}
            content.setdefault("reply_to_message", chat.topics[topic]["root"])
        if chat.person is None:
            chat.members.setdefault(sender["id"], "member")  # who speaks in a group is in it
        message = self._world.put(chat, sender, {**content, **told.get("fields", {})})
        number = await self._world.happen("message", dict(message))
        return {**message, "update_id": number}

    async def _edit(self, told: Json) -> Json:
        """Let a person edit: chat, message_id, text, and any further fields."""
        message = self._world.chat(told["chat"]).messages[told["message_id"]]
        message.pop("entities", None)
        message.update({"text": told["text"], "edit_date": self._world.now(), **told.get("fields", {})})
        if found := found_entities(told["text"]):
            message["entities"] = found
        number = await self._world.happen("edited_message", dict(message))
        return {**message, "update_id": number}

    async def _press(self, told: Json) -> Json:
        """Let a person press: from, chat, message_id, and data or the label of the button. `old`: the message is inaccessible."""
        sender = self._world.person(told["from"])
        chat = self._world.chat(told["chat"])
        message: Json = chat.messages.get(told["message_id"], {"message_id": told["message_id"]})
        data = told.get("data")
        if data is None:
            rows = message.get("reply_markup", {}).get("inline_keyboard", [])
            buttons = {button["text"]: button["callback_data"] for row in rows for button in row}
            if told["label"] not in buttons:
                raise Refusal(404, f"There is no button {told['label']!r}; there are {sorted(buttons)}")
            data = buttons[told["label"]]
        if told.get("old"):
            message = {"message_id": told["message_id"], "chat": chat.told(), "date": 0}
        query = f"q{len(self._world.queries)}-{self._world.next_update}"
        self._world.queries.add(query)
        content = {"id": query, "from": sender, "message": message, "chat_instance": str(chat.id), "data": data}
        return {"id": query, "update_id": await self._world.happen("callback_query", content)}

    async def _update(self, told: Json) -> Json:
        """Queue any update at all: kind, content, and what else it says; what no server would send, too."""
        return {"update_id": await self._world.happen(told["kind"], told["content"], raw=True, also=told.get("also"))}

    async def _file(self, told: Json) -> Json:
        """Store a file that people send: content in base64, folder, name, and a size to claim instead of the true one."""
        content = base64.b64decode(told["content"])
        return self._world.keep_file(content, told.get("folder", "documents"), told.get("name", ""), size=told.get("size")).told()

    async def _close_chat(self, told: Json) -> Json:
        """Shut the bot out: chat, and the description of its 403 ("" lets it in again)."""
        self._world.chat(told["chat"]).closed_to_bot = told.get("description", "bot was blocked by the user")
        return {}

    async def _member(self, told: Json) -> Json:
        """Make somebody's status in a group another: chat, user, status, by (default: themselves).

        As the real server, it tells a bot of others only where that is an administrator, and shows joins and leaves as service
        messages (`shown`: false for the large groups that show none). The bot's own status is told it in any case.
        """
        chat, user = self._world.chat(told["chat"]), int(told["user"])
        person = self._world.bot if user == self._world.bot["id"] else self._world.person({"id": user})
        by = self._world.person({"id": told.get("by", ANONYMOUS if person is self._world.bot else user)})
        before = self._world.member(chat, user)
        chat.members[user] = told["status"]
        after = self._world.member(chat, user)
        change = {"chat": chat.told(), "from": by, "date": self._world.now(), "old_chat_member": before, "new_chat_member": after}
        if person is self._world.bot:
            chat.closed_to_bot = "" if inside(after) else "bot is not a member of the supergroup chat"
            return {"update_id": await self._world.happen("my_chat_member", change)}
        number = 0
        if chat.members.get(self._world.bot["id"]) in ("administrator", "creator"):
            number = await self._world.happen("chat_member", change)
        if told.get("shown", True) and inside(before) != inside(after):
            content = {"new_chat_members": [person]} if inside(after) else {"left_chat_member": person}
            number = await self._world.happen("message", self._world.put(chat, by, content))
        return {"update_id": number}

    async def _migrate(self, told: Json) -> Json:
        """Make a group a supergroup of a new id, and tell the bot of it by the two service messages."""
        old = self._world.chat(told["chat"])
        new = self._world.chats[told["to"]] = Chat(told["to"], "supergroup", old.title, members=dict(old.members))
        old.moved_to = new.id
        admin = self._world.person(told["from"])
        if told.get("announced", True):
            await self._world.happen("message", self._world.put(old, admin, {"migrate_to_chat_id": new.id}))
            await self._world.happen("message", self._world.put(new, admin, {"migrate_from_chat_id": old.id}))
        return new.told()

    async def _fault(self, told: Json) -> Json:
        self._faults.append(Fault(**told))
        return {"faults": len(self._faults)}

    async def _clear_faults(self, _told: Json) -> Json:
        self._faults.clear()
        return {}

    async def _revoke(self, told: Json) -> Json:
        """Give the bot another token: the old one is unauthorized from now on."""
        self._world.token = told["token"]
        return {}

    async def _hook(self, told: Json) -> Json:
        """Set a webhook behind the bot's back."""
        self._world.hook.url = told["url"]
        return {}

    async def _calls(self, asked: Json) -> list[Json]:
        """Return the calls of `method` (all where none is named), as soon as there are `count` of them; `tried`: refused ones too."""
        method, count, tried = asked.get("method", "").lower(), int(asked.get("count", 0)), bool(asked.get("tried"))

        def found() -> list[Call]:
            every = (call for call in self._world.calls if not method or call.method.lower() == method)
            return [call for call in every if call.ok or tried]

        await self._until(lambda: len(found()) >= count, asked)
        return [asdict(call) for call in found()]

    async def _settled(self, asked: Json) -> Json:
        """Return as soon as the bot has confirmed every update."""
        await self._until(lambda: not self._world.updates, asked)
        return {"next_update": self._world.next_update}

    async def _chat(self, asked: Json) -> Json:
        """Return a chat's messages as they stand, and what was edited away; `by_bot`: how many of the bot's to wait for."""
        chat = self._world.chat(int(asked["chat"]))
        await self._until(lambda: len(self._by_bot(chat)) >= int(asked.get("by_bot", 0)), asked)
        return {"messages": list(chat.messages.values()), "by_bot": self._by_bot(chat), "edits": chat.edits}

    async def _shown(self, asked: Json) -> dict[str, list[Json]]:
        """Return what the bot shows in each of `chats`, by their ids; `by_bot`: how many messages to wait for in each.

        With `done`, the last of them is no status either: what may still be cancelled becomes an answer.
        """
        chats = [self._world.chat(int(chat)) for chat in asked["chats"].split(",")]
        least, done = int(asked.get("by_bot", 0)), "done" in asked

        def so(shown: list[Json]) -> bool:
            return len(shown) >= least and not (done and shown and _may_be_cancelled(shown[-1]))

        await self._until(lambda: all(so(self._by_bot(chat)) for chat in chats), asked)
        return {str(chat.id): self._by_bot(chat) for chat in chats}

    def _by_bot(self, chat: Chat) -> list[Json]:
        return [message for message in chat.messages.values() if message["from"]["id"] == self._world.bot["id"]]

    async def _commands(self, _asked: Json) -> Json:
        return {f"{scope} {language}".strip(): menu for (scope, language), menu in self._world.commands.items()}

    async def _state(self, _asked: Json) -> Json:
        hook = asdict(self._world.hook)
        return {
            "waiting": self._world.updates,
            "allowed": self._world.allowed,
            "hook": hook,
            "queries": sorted(self._world.queries),
        }

    async def _until(self, so: Callable[[], bool], asked: Json) -> None:
        try:
            async with asyncio.timeout(float(asked.get("timeout", WAIT_S))), self._world.changed:
                await self._world.changed.wait_for(so)
        except TimeoutError:
            calls = [(call.method, call.error or ("done" if call.ok else "hit by a fault")) for call in self._world.calls[-20:]]
            raise Refusal(408, f"It did not come to be. The last calls were {calls}") from None


def _may_be_cancelled(message: Json) -> bool:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return any(button["text"] in ("Cancel", "취소") for row in rows for button in row)


def _handler(work: Callable[[Json], Awaitable[Any]], *, posted: bool) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            told = json.loads(await request.read()) if posted else dict(request.query)
            return web.json_response(await work(told))
        except Refusal as refusal:
            return web.json_response(refusal.body(), status=refusal.code)

    return handle
