"""Updates that are one thing said: the pictures of an album, and the pieces into which Telegram's apps cut a long text.

Owns which updates belong together. Leaves to `telegram_polling` how long one waits for the rest, and to `bot.parts` how their
messages become one. Telegram tells neither how many pictures an album has nor that a text goes on, so that a bundle is open until
nothing more of it comes.

    bundles(updates)        # [Bundle([update, update], open=True), Bundle([update])]
    series.part_of(update)  # "album 13", where updates come one by one: behind a webhook

Source: https://core.telegram.org/bots/api#message (media_group_id), and its apps, which cut what they send at 4,096 units.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from bot.channels.rich_split import TEXT_UNITS
from bot.channels.rich_text import units
from bot.recent import Recent

Update = Mapping[str, object]

CUT_UNITS = 3_600
"""An app cuts at the last border of a paragraph, a sentence or a word: a piece that another follows is nearly full."""
CUT_GAP_S = 3
"""The most seconds between the pieces of one text."""
SPEAKERS = 4096
"""People whose last message is remembered."""


@dataclass(slots=True)
class Bundle:
    """Updates that are one thing said, in their order. `open`: more of it may come."""

    updates: list[Update]
    open: bool = False

    @property
    def chat(self) -> object:
        """The chat's id, of an edit too: it waits for what it edits; None for what is no message."""
        update = self.updates[0]
        return _id(_part(_said(update) or _part(update, "edited_message"), "chat"))


def bundles(updates: Sequence[Update]) -> list[Bundle]:
    """Return the updates in bundles, each at the place of its first one."""
    found: list[Bundle] = []
    last: dict[Hashable, Bundle] = {}
    for update in updates:
        said = _said(update)
        album = album_of(update)
        key = album or _speaker(said)
        home = last.get(key) if said else None
        if home is not None and (album or _goes_on(_said(home.updates[-1]), said)):
            home.updates.append(update)
        else:
            home = Bundle([update])
            found.append(home)
        home.open = bool(album) or _is_cut(said)
        last[key] = last[_speaker(said)] = home
    return found


class Series:
    """Names what updates that come one by one are parts of."""

    def __init__(self) -> None:
        """Begin with none."""
        self._last: Recent[Hashable, tuple[Mapping[str, object], str]] = Recent(most=SPEAKERS)

    def part_of(self, update: Update) -> str:
        """Return the same name for all parts of one thing, "" for what is whole."""
        said = _said(update)
        if not said:
            return ""
        if album := album_of(update):
            return f"album {album[1]}"
        speaker = _speaker(said)
        before, name = self._last.get(speaker, ({}, ""))
        again = bool(name) and before.get("message_id") == said.get("message_id")  # it could not be kept, and comes again
        if not again and not (name and _goes_on(before, said)):
            name = f"text {said.get('message_id')}" if _is_cut(said) else ""
        self._last[speaker] = said, name
        return name


def album_of(update: Update) -> tuple[object, str] | None:
    """Return (chat id, album id) of a picture that came in an album, None for all else."""
    said = _said(update)
    group = said.get("media_group_id")
    return (_id(_part(said, "chat")), str(group)) if group else None


def whole(updates: Sequence[Update]) -> Update:
    """Return the pieces of one text as one update, with the entities of all of them."""
    first = dict(_said(updates[0]))
    for update in updates[1:]:
        said = _said(update)
        before = str(first["text"])
        text = before + ("" if units(before) % TEXT_UNITS == 0 else "\n")
        at = units(text)
        moved = [{**entity, "offset": entity["offset"] + at} for entity in _entities(said)]
        first |= {"text": text + str(said["text"]), "entities": [*_entities(first), *moved]}
    return {**updates[0], "message": first}


def _goes_on(before: Mapping[str, object], said: Mapping[str, object]) -> bool:
    text = said.get("text")
    return (
        _is_cut(before)
        and isinstance(text, str)
        and not text.startswith("/")
        and "reply_to_message" not in said
        and ("forward_origin" in before) == ("forward_origin" in said)
        and abs(_number(said.get("date")) - _number(before.get("date"))) <= CUT_GAP_S
    )


def _is_cut(said: Mapping[str, object]) -> bool:
    text = said.get("text")
    return isinstance(text, str) and len(text) <= TEXT_UNITS and CUT_UNITS <= units(text) <= TEXT_UNITS


def _speaker(said: Mapping[str, object]) -> tuple[object, ...]:
    who = _id(_part(said, "from")) or _id(_part(said, "sender_chat"))
    return ("text", _id(_part(said, "chat")), who, str(said.get("message_thread_id")))


def _said(update: Update) -> Mapping[str, object]:
    return _part(update, "message")


def _part(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _id(value: Mapping[str, object]) -> int | None:
    """Return the id of a chat or a person; None for what is none, which nothing could be kept under."""
    number = value.get("id")
    return number if isinstance(number, int) else None


def _entities(said: Mapping[str, object]) -> list[dict[str, int]]:
    entities = said.get("entities")
    kept = entities if isinstance(entities, list) else []
    return [entity for entity in kept if isinstance(entity, dict) and isinstance(entity.get("offset"), int)]


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0.0
