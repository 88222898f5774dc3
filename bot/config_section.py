"""What a part of the settings is: frozen, strict about its keys, its lists written with commas.

    class LinkSettings(Section):
        allowed_hosts: Names = Field(default=(), description="Hosts that may be fetched.")

Leaves to `bot.config` which parts there are.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_settings import NoDecode

from bot import lazy

PREFIX = "PARING_"
PERSON = lazy.compile(r"(?P<channel>[a-z][a-z0-9_-]{0,30}):(?P<user>[^\s:,]{1,200}|@[^\s:,]{1,200}:[^\s,]{1,200})")
"""How a person is named: CHANNEL:USER, the user without a colon, but for Matrix: `matrix:@ann:example.org`."""


class Section(BaseModel):
    """A part of the tree: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def listed(value: object) -> object:
    """Return the parts of a text with commas between them, or of a JSON list; anything else as it is."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        with suppress(ValueError):
            return tuple(json.loads(value))
    return tuple(part.strip() for part in value.split(",") if part.strip())


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(listed)]
"""Texts: a list in the file, comma-separated in the environment."""


def variable(key: str) -> str:
    """Return the environment variable of a dotted key: `web.port` is PARING_WEB__PORT."""
    return PREFIX + key.replace(".", "__").upper()
