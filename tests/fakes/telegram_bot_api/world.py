"""What the server knows: one bot, people, chats, messages, files, and updates that wait to be fetched."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass, field

from .answers import Json, Refusal, bad

BY_DEFAULT_LEFT_OUT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass
class Chat:
    id: int
    type: str = "private"
    title: str = ""
    is_forum: bool = False
    person: Json | None = None
    members: dict[int, str] = field(default_factory=dict)
    """User id to status: creator, administrator, member, restricted (who is in it), restricted outside, left, kicked."""
    topics: dict[int, Json] = field(default_factory=dict)
    closed_to_bot: str = ""
    """The description of the 403 that the bot gets here, "" where it may write."""
    moved_to: int = 0
    messages: dict[int, Json] = field(default_factory=dict)
    edits: list[Json] = field(default_factory=list)
    next_id: int = 1

    def told(self) -> Json:
        if self.person is not None:
            names: Json = {name: self.person[name] for name in ("first_name", "last_name", "username") if name in self.person}
            return {"id": self.id, "type": "private", **names}
        return {"id": self.id, "type": self.type, "title": self.title, **({"is_forum": True} if self.is_forum else {})}


@dataclass
class StoredFile:
    id: str
    path: str
    content: bytes
    size: int

    @property
    def unique_id(self) -> str:
        return hashlib.sha256(self.id.encode()).hexdigest()[:12]

    def told(self) -> Json:
        return {"file_id": self.id, "file_unique_id": self.unique_id, "file_size": self.size}


@dataclass
class Call:
    """A call that came in. `ok`: it was carried out (its answer may have been cut off)."""

    method: str
    parameters: Json
    ok: bool = False
    error: str = ""
    files: Json = field(default_factory=dict)


@dataclass
class Hook:
    url: str = ""
    secret: str = ""
    last_error: str = ""


class World:
    def __init__(self, token: str, username: str) -> None:
        self._first_token = token
        self.bot: Json = {"id": int(token.partition(":")[0]), "is_bot": True, "first_name": username, "username": username}
        self.changed = asyncio.Condition()
        self.next_update = 1000
        self._clock = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything but the numbers that were given out."""
        self.token = self._first_token
        self.chats: dict[int, Chat] = {}
        self.people: dict[int, Json] = {}
        self.files: dict[str, StoredFile] = {}
        self.updates: list[Json] = []
        self.allowed: list[str] = []
        self.hook = Hook()
        self.queries: set[str] = set()
        self.commands: dict[tuple[str, str], list[Json]] = {}
        self.calls: list[Call] = []

    def now(self) -> int:
        """Return the time in Unix seconds; never the same twice, so that what came later is later."""
        self._clock = max(self._clock + 1, int(time.time()))
        return self._clock

    async def tell(self) -> None:
        """Wake whoever waits for something new."""
        async with self.changed:
            self.changed.notify_all()

    def person(self, told: Json) -> Json:
        """Return a person, made known by the first mention, with a private chat of the same id."""
        known = self.people.setdefault(told["id"], {"is_bot": False, "first_name": f"User {told['id']}"})
        known.update(told)
        if not known["is_bot"]:
            self.chats.setdefault(known["id"], Chat(known["id"])).person = known
        return known

    def chat(self, chat_id: int) -> Chat:
        chat = self.chats.get(chat_id)
        if chat is None:
            raise bad("chat not found")
        return chat

    def writable(self, chat_id: int) -> Chat:
        """Return a chat in which the bot may write. Raises Refusal as the real server refuses."""
        chat = self.chat(chat_id)
        if chat.moved_to:
            raise bad("group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": chat.moved_to})
        if chat.closed_to_bot:
            raise Refusal(403, f"Forbidden: {chat.closed_to_bot}")
        return chat

    def status(self, chat: Chat, user: int) -> str:
        return chat.members.get(user, "member" if chat.id == user else "left")

    def member(self, chat: Chat, user: int) -> Json:
        """Return what is told of `user` in `chat`. Raises Refusal for somebody who never was anywhere."""
        person = self.bot if user == self.bot["id"] else self.people.get(user)
        if person is None:
            raise bad("user not found")
        status = self.status(chat, user)
        also: Json = {"is_anonymous": False} if status == "creator" else {}
        if status.startswith("restricted"):
            also = {"is_member": status == "restricted"}
        return {"user": person, "status": status.split()[0], **also}

    def put(self, chat: Chat, sender: Json, content: Json) -> Json:
        """Store a message and return it."""
        message = {"message_id": chat.next_id, "from": sender, "chat": chat.told(), "date": self.now(), **content}
        chat.next_id += 1
        chat.messages[message["message_id"]] = message
        return message

    def keep_file(self, content: bytes, folder: str, name: str, *, size: int | None = None) -> StoredFile:
        file_id = f"F{len(self.files)}-{hashlib.sha256(content).hexdigest()[:16]}"
        path = f"{folder}/{name or f'file_{len(self.files)}'}"
        self.files[file_id] = StoredFile(file_id, path, content, len(content) if size is None else size)
        return self.files[file_id]

    async def happen(self, kind: str, content: object, *, raw: bool = False, also: Json | None = None) -> int:
        """Queue an update where the bot wants its kind; return its number (0 where it does not)."""
        wanted = kind in self.allowed if self.allowed else kind not in BY_DEFAULT_LEFT_OUT
        if not wanted and not raw:
            return 0
        number = self.next_update
        self.next_update += 1
        self.updates.append({"update_id": number, kind: content, **(also or {})})
        await self.tell()
        return number

    def confirm(self, offset: int) -> None:
        """Forget the updates before `offset`; a negative one keeps the last so many."""
        if offset < 0:
            del self.updates[: max(0, len(self.updates) + offset)]
        else:
            self.updates = [update for update in self.updates if update["update_id"] >= offset]


def inside(member: Json) -> bool:
    """Say whether what is told of somebody means that they are in the chat."""
    return member["status"] in ("creator", "administrator", "member") or bool(member.get("is_member"))
