"""Who is in a Telegram group, as the platform tells it.

Owns what a status means, and which updates tell that somebody came or left. Telegram sends `chat_member` to a bot that is an
administrator of the group; the service messages of a join or leave come to every bot in it.

Read as JSON: what a member may do is long, changes with each version, and says nothing here.

Source: https://core.telegram.org/bots/api#chatmember
"""

from __future__ import annotations

from collections.abc import Mapping

INSIDE = frozenset({"creator", "administrator", "member"})
EVERYBODY = ""


def is_member(told: object) -> bool:
    """Say whether what getChatMember told is a member: one who is restricted may be in the group or not."""
    status = _part(told, "status") if isinstance(told, dict) else None
    return status in INSIDE or (status == "restricted" and _part(told, "is_member") is True)


def came_or_left(update: Mapping[str, object]) -> tuple[str, tuple[str, ...]] | None:
    """Return (group, people) of whom the update tells that they came or left, EVERYBODY where it is the bot itself; None for all else."""
    for kind in ("chat_member", "my_chat_member"):
        change = update.get(kind)
        if isinstance(change, dict):
            who = EVERYBODY if kind == "my_chat_member" else _number(_part(_part(change, "new_chat_member"), "user"))
            chat = _number(_part(change, "chat"))
            return (chat, (who,)) if chat else None
    said = update.get("message")
    if not isinstance(said, dict) or not ("left_chat_member" in said or "new_chat_members" in said):
        return None
    came = said.get("new_chat_members")
    people = [*(came if isinstance(came, list) else []), said.get("left_chat_member")]
    chat = _number(said.get("chat"))
    if not chat:
        return None
    return chat, tuple(_number(person) for person in people if isinstance(person, dict))


def _part(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _number(value: object) -> str:
    """Return the id of a chat or a person; where it cannot be read, everybody is meant."""
    number = _part(value, "id")
    return str(number) if isinstance(number, int) else EVERYBODY
