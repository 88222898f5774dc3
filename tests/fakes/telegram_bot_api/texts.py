"""Text as the server treats it: counted in UTF-16 units, cleaned, trimmed, its entities checked, its mentions found."""

from __future__ import annotations

import re

from .answers import Json, bad
from .parameters import Parameters

TEXT_UNITS = 4096
CAPTION_UNITS = 1024
KINDS = frozenset(
    {
        "mention", "hashtag", "cashtag", "bot_command", "url", "email", "phone_number", "bold", "italic", "underline",
        "strikethrough", "spoiler", "blockquote", "expandable_blockquote", "code", "pre", "text_link", "text_mention",
        "custom_emoji", "date_time",
    }
)  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\u2028-\u202e]")
_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"]+)"
    r"|(?<![\w/])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)(?![\w/])"
    r"|(?<![\w@])(?P<mention>@[A-Za-z][A-Za-z0-9_]{2,31})(?![A-Za-z0-9_])"
    r"|(?<!\w)(?P<hashtag>#\w{1,256})"
)


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def found_entities(text: str) -> list[Json]:
    """Return what the server itself finds in a person's text."""
    return [
        {"type": match.lastgroup, "offset": units(text[: match.start()]), "length": units(match[0])}
        for match in _FOUND.finditer(text)
    ]


def taken_text(parameters: Parameters, name: str, entities_name: str, limit: int) -> tuple[str, list[Json]]:
    """Return (text, entities) as they would be stored. Raises Refusal for what the real server refuses."""
    if parameters.text("parse_mode"):
        raise bad("can't parse entities: this server knows no parse mode; send entities")
    text = _CONTROL.sub(lambda match: "" if match[0] >= "\u2028" else " ", parameters.text(name).replace("\r", ""))
    entities = parameters.parsed(entities_name, list, entities_name) or []
    checked = [_checked(entity, text) for entity in entities]
    trimmed = text.lstrip()
    shift = units(text) - units(trimmed)
    trimmed = trimmed.rstrip()
    if units(trimmed) > limit:
        raise bad("message is too long" if name == "text" else "message caption is too long")
    return trimmed, _kept(checked, shift, units(trimmed))


def _checked(entity: object, text: str) -> Json:
    if not isinstance(entity, dict):
        raise bad("can't parse MessageEntity: expected an Object")
    kind, offset, length = entity.get("type"), entity.get("offset"), entity.get("length")
    if not isinstance(offset, int) or not isinstance(length, int):
        raise bad('can\'t parse MessageEntity: field "offset" must be a valid Number')
    if kind not in KINDS:
        raise bad("can't parse MessageEntity: unsupported type specified")
    if kind == "text_link" and not str(entity.get("url", "")):
        raise bad("can't parse MessageEntity: can't find field \"url\"")
    if offset < 0 or length < 0 or offset + length > units(text):
        raise bad(f"can't parse entities: entity of type {kind} at {offset} of length {length} is out of the text")
    _check_borders(text, offset, offset + length)
    return dict(entity)


def _check_borders(text: str, start: int, end: int) -> None:
    raw = text.encode("utf-16-le", "surrogatepass")
    for place in (start, end):
        if 0 < 2 * place < len(raw) and 0xDC <= raw[2 * place + 1] <= 0xDF:
            raise bad(f"entity beginning at UTF-16 offset {start} ends in a middle of a UTF-16 symbol at byte offset {2 * place}")


def _kept(entities: list[Json], shift: int, length: int) -> list[Json]:
    """Return the entities clipped to the trimmed text; `pre` and `code` keep nothing else in them, quotes no quotes."""
    kept: list[Json] = []
    for entity in sorted(entities, key=lambda entity: (entity["offset"], -entity["length"])):
        start = max(entity["offset"] - shift, 0)
        end = min(entity["offset"] - shift + entity["length"], length)
        if start < end and not any(_refuses(outer, entity["type"], start, end) for outer in kept):
            kept.append({**entity, "offset": start, "length": end - start})
    return kept[:100]


def _refuses(outer: Json, kind: str, start: int, end: int) -> bool:
    outer_end = outer["offset"] + outer["length"]
    if start >= outer_end:
        return False
    quotes = ("blockquote", "expandable_blockquote")
    return outer["type"] in ("pre", "code") or (outer["type"] in quotes and kind in quotes) or end > outer_end
