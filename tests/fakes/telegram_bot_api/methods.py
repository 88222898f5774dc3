"""The methods of the Bot API that write and edit messages, and those about the bot itself."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from .answers import Json, bad
from .markup import taken_markup
from .parameters import Parameters
from .texts import CAPTION_UNITS, TEXT_UNITS, found_entities, taken_text
from .world import Chat, StoredFile, World

Method = Callable[[Parameters], Awaitable[Any]]
DOWNLOAD_BYTES = 20 * 1024 * 1024
PHOTO_BYTES = 10 * 1024 * 1024
UPLOAD_BYTES = 50 * 1024 * 1024
_ACTIONS = frozenset(
    {
        "typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
        "choose_sticker", "find_location", "record_video_note", "upload_video_note",
    }
)  # fmt: skip
_REACTIONS = frozenset(
    "👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕😈😴😭🤓👻👀🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾🤷😡"
)
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM")


class Methods:
    """Each method takes the parameters of a call and returns its `result`, or raises a Refusal."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.by_name: dict[str, Method] = {
            "getme": self._get_me,
            "sendmessage": self._send_message,
            "sendphoto": self._send_photo,
            "senddocument": self._send_document,
            "sendvoice": self._send_voice,
            "sendchataction": self._send_chat_action,
            "editmessagetext": self._edit_text,
            "editmessagecaption": self._edit_caption,
            "editmessagereplymarkup": self._edit_markup,
            "deletemessage": self._delete_message,
            "setmessagereaction": self._set_reaction,
            "answercallbackquery": self._answer_query,
            "getfile": self._get_file,
            "getchat": self._get_chat,
            "getchatmember": self._get_chat_member,
            "createforumtopic": self._create_topic,
            "closeforumtopic": self._close_topic,
            "deleteforumtopic": self._delete_topic,
            "setmycommands": self._set_commands,
            "getmycommands": self._get_commands,
            "deletemycommands": self._delete_commands,
        }

    async def _get_me(self, _parameters: Parameters) -> Json:
        rights = {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}
        return {**self._world.bot, **rights}

    async def _send_message(self, parameters: Parameters) -> Json:
        chat, place = self._place(parameters)
        text, entities = taken_text(parameters, "text", "entities", TEXT_UNITS)
        if not text:
            raise bad("message text is empty")
        return self._put(chat, parameters, {**place, "text": text, **({"entities": entities} if entities else {})})

    async def _send_photo(self, parameters: Parameters) -> Json:
        def told(file: StoredFile) -> Json:
            if len(file.content) > PHOTO_BYTES:
                raise bad("PHOTO_SAVE_FILE_INVALID")
            if not file.content.startswith(_PICTURES):
                raise bad("IMAGE_PROCESS_FAILED")
            small = {**file.told(), "file_id": f"{file.id}-s", "width": 90, "height": 60}
            return {"photo": [small, {**file.told(), "width": 800, "height": 600}]}

        return await self._send_file(parameters, "photo", told)

    async def _send_document(self, parameters: Parameters) -> Json:
        def told(file: StoredFile) -> Json:
            return {"document": {**file.told(), "file_name": file.path.rpartition("/")[2]}}

        return await self._send_file(parameters, "document", told)

    async def _send_voice(self, parameters: Parameters) -> Json:
        def told(file: StoredFile) -> Json:
            return {"voice": {**file.told(), "duration": 1, "mime_type": "audio/ogg"}}

        return await self._send_file(parameters, "voice", told)

    async def _send_file(self, parameters: Parameters, name: str, told: Callable[[StoredFile], Json]) -> Json:
        chat, place = self._place(parameters)
        caption, entities = taken_text(parameters, "caption", "caption_entities", CAPTION_UNITS)
        content = told(self._uploaded(parameters, name))
        if caption:
            content["caption"] = caption
        if entities:
            content["caption_entities"] = entities
        return self._put(chat, parameters, {**place, **content})

    def _uploaded(self, parameters: Parameters, name: str) -> StoredFile:
        given = parameters.text(name)
        part = (
            parameters.files.get(given.removeprefix("attach://")) if given.startswith("attach://") else parameters.files.get(name)
        )
        if part is None and given in self._world.files:
            return self._world.files[given]
        if part is None:
            raise bad(f"there is no {name} in the request")
        if not part.content:
            raise bad("file must be non-empty")
        if len(part.content) > UPLOAD_BYTES:
            raise bad("file is too big")
        return self._world.keep_file(part.content, f"{name}s", part.name)

    def _place(self, parameters: Parameters) -> tuple[Chat, Json]:
        """Return the chat that is written to, and what a message says of its place in it."""
        if not parameters.text("chat_id"):
            raise bad("chat_id is empty")
        chat = self._world.writable(parameters.integer("chat_id"))
        place: Json = {}
        if thread := parameters.integer("message_thread_id"):
            topic = chat.topics.get(thread)
            if topic is None:
                raise bad("message thread not found")
            if topic["closed"]:
                raise bad("TOPIC_CLOSED")
            place |= {"message_thread_id": thread, "is_topic_message": True}
        reply = parameters.parsed("reply_parameters", dict, "reply parameters")
        if reply:
            quoted = chat.messages.get(int(reply.get("message_id", 0)))
            if quoted is not None:
                place["reply_to_message"] = {name: value for name, value in quoted.items() if name != "reply_to_message"}
            elif not reply.get("allow_sending_without_reply"):
                raise bad("message to be replied not found")
        return chat, place

    def _put(self, chat: Chat, parameters: Parameters, content: Json) -> Json:
        if "text" in content:
            kept = content.get("entities", [])
            found = [entity for entity in found_entities(content["text"]) if not _covered(entity, kept)]
            if kept or found:
                content["entities"] = sorted([*kept, *found], key=lambda entity: (entity["offset"], -entity["length"]))
        markup = taken_markup(parameters)
        if markup:
            content["reply_markup"] = markup
        return self._world.put(chat, self._world.bot, content)

    async def _send_chat_action(self, parameters: Parameters) -> bool:
        self._place(parameters)
        if parameters.text("action") not in _ACTIONS:
            raise bad("wrong parameter action in request")
        return True

    async def _edit_text(self, parameters: Parameters) -> Json:
        chat, message = self._own_message(parameters, "edit")
        if "text" not in message:
            raise bad("there is no text in the message to edit")
        text, entities = taken_text(parameters, "text", "entities", TEXT_UNITS)
        if not text:
            raise bad("message text is empty")
        found = [entity for entity in found_entities(text) if not _covered(entity, entities)]
        entities = sorted([*entities, *found], key=lambda entity: (entity["offset"], -entity["length"]))
        return self._edited(chat, message, {"text": text, "entities": entities, "reply_markup": taken_markup(parameters)})

    async def _edit_caption(self, parameters: Parameters) -> Json:
        chat, message = self._own_message(parameters, "edit")
        caption, entities = taken_text(parameters, "caption", "caption_entities", CAPTION_UNITS)
        new = {"caption": caption, "caption_entities": entities, "reply_markup": taken_markup(parameters)}
        return self._edited(chat, message, new)

    async def _edit_markup(self, parameters: Parameters) -> Json:
        chat, message = self._own_message(parameters, "edit")
        return self._edited(chat, message, {"reply_markup": taken_markup(parameters)})

    def _edited(self, chat: Chat, message: Json, new: Json) -> Json:
        if all((message.get(name) or None) == (value or None) for name, value in new.items()):
            raise bad(
                "message is not modified: specified new message content and reply markup are exactly the same as a current "
                "content and reply markup of the message"
            )
        chat.edits.append({name: message.get(name) for name in ("message_id", "text", "caption", "reply_markup")})
        for name, value in new.items():
            message.pop(name, None)
            if value:
                message[name] = value
        message["edit_date"] = self._world.now()
        return message

    def _own_message(self, parameters: Parameters, verb: str) -> tuple[Chat, Json]:
        chat = self._world.writable(parameters.integer("chat_id"))
        message = chat.messages.get(parameters.integer("message_id"))
        if message is None:
            raise bad(f"message to {verb} not found")
        if message["from"]["id"] != self._world.bot["id"] and verb == "edit":
            raise bad("message can't be edited")
        return chat, message

    async def _delete_message(self, parameters: Parameters) -> bool:
        chat, message = self._own_message(parameters, "delete")
        del chat.messages[message["message_id"]]
        return True

    async def _set_reaction(self, parameters: Parameters) -> bool:
        _chat, message = self._own_message(parameters, "react")
        reactions = parameters.parsed("reaction", list, "reaction") or []
        for reaction in reactions:
            if not isinstance(reaction, dict) or reaction.get("type") not in ("emoji", "custom_emoji"):
                raise bad("can't parse ReactionType")
            if reaction["type"] == "custom_emoji" or str(reaction.get("emoji", ""))[:1] not in _REACTIONS:  # bots have no premium
                raise bad("REACTION_INVALID")
        if len(reactions) > 1:
            raise bad("REACTIONS_TOO_MANY")
        message["reactions"] = reactions
        return True

    async def _answer_query(self, parameters: Parameters) -> bool:
        query = parameters.text("callback_query_id")
        if query not in self._world.queries:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        if len(parameters.text("text")) > 200:
            raise bad("MESSAGE_TOO_LONG")
        self._world.queries.discard(query)
        return True

    async def _get_file(self, parameters: Parameters) -> Json:
        file = self._world.files.get(parameters.text("file_id"))
        if file is None:
            raise bad("wrong file_id or the file is temporarily unavailable")
        if file.size > DOWNLOAD_BYTES:
            raise bad("file is too big")
        return {**file.told(), "file_path": file.path}

    async def _get_chat(self, parameters: Parameters) -> Json:
        chat = self._world.chat(parameters.integer("chat_id"))
        return {**chat.told(), "accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": {}}

    async def _get_chat_member(self, parameters: Parameters) -> Json:
        chat = self._world.writable(parameters.integer("chat_id"))
        return self._world.member(chat, parameters.integer("user_id"))

    async def _create_topic(self, parameters: Parameters) -> Json:
        chat = self._world.writable(parameters.integer("chat_id"))
        if not chat.is_forum:
            raise bad("the chat is not a forum")
        name = parameters.text("name")
        if not 1 <= len(name) <= 128:
            raise bad("TOPIC_TITLE_EMPTY" if not name else "TOPIC_TITLE_TOO_LONG")
        created = {"name": name, "icon_color": 0x6FB9F0}
        root = self._world.put(chat, self._world.bot, {"forum_topic_created": created, "is_topic_message": True})
        root["message_thread_id"] = root["message_id"]
        chat.topics[root["message_id"]] = {"name": name, "closed": False, "root": root}
        return {"message_thread_id": root["message_id"], **created}

    async def _close_topic(self, parameters: Parameters) -> bool:
        self._topic(parameters)["closed"] = True
        return True

    async def _delete_topic(self, parameters: Parameters) -> bool:
        self._topic(parameters)
        del self._world.chat(parameters.integer("chat_id")).topics[parameters.integer("message_thread_id")]
        return True

    def _topic(self, parameters: Parameters) -> Json:
        topic = self._world.writable(parameters.integer("chat_id")).topics.get(parameters.integer("message_thread_id"))
        if topic is None:
            raise bad("message thread not found")
        return topic

    async def _set_commands(self, parameters: Parameters) -> bool:
        commands = parameters.parsed("commands", list, "commands") or []
        if len(commands) > 100:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not isinstance(command, dict) or not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command", ""))):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self._world.commands[self._menu(parameters)] = commands
        return True

    async def _get_commands(self, parameters: Parameters) -> list[Json]:
        return self._world.commands.get(self._menu(parameters), [])

    async def _delete_commands(self, parameters: Parameters) -> bool:
        self._world.commands.pop(self._menu(parameters), None)
        return True

    def _menu(self, parameters: Parameters) -> tuple[str, str]:
        scope = parameters.parsed("scope", dict, "BotCommandScope") or {"type": "default"}
        kind = str(scope.get("type"))
        if kind in ("chat", "chat_administrators", "chat_member"):
            self._world.chat(int(scope.get("chat_id", 0)))
            kind = f"{kind}:{scope['chat_id']}"
        elif kind not in ("default", "all_private_chats", "all_group_chats", "all_chat_administrators"):
            raise bad("can't parse BotCommandScope: unsupported type specified")
        language = parameters.text("language_code")
        if language and not re.fullmatch(r"[a-z]{2}", language):
            raise bad("invalid language code specified")
        return kind, language


def _covered(entity: Json, others: list[Json]) -> bool:
    """Say whether what the server found lies in code or a link, where nothing is looked for, or across another's border."""
    start, end = entity["offset"], entity["offset"] + entity["length"]
    for other in others:
        other_start, other_end = other["offset"], other["offset"] + other["length"]
        if start < other_end and end > other_start:
            inside = other_start <= start and end <= other_end
            if other["type"] in ("pre", "code", "text_link") or not inside:
                return True
    return False
