"""The parameters of one call, from a query, a form, a multipart body or JSON: the real server takes all four."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .answers import bad


@dataclass
class Upload:
    name: str
    content: bytes
    media_type: str


@dataclass
class Parameters:
    values: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name, default)
        return value if isinstance(value, str) else json.dumps(value)

    def integer(self, name: str, default: int = 0) -> int:
        value = self.values.get(name)
        if value in (None, ""):
            return default
        try:
            return int(value)
        except (TypeError, ValueError):
            raise bad(f"{name} must be an integer") from None

    def flag(self, name: str) -> bool:
        return str(self.values.get(name, "")).lower() in ("true", "1", "yes")

    def parsed(self, name: str, kind: type, what: str) -> Any:
        """Return a parameter that is JSON (as text, or already parsed in a JSON body); None where it is not given."""
        value = self.values.get(name)
        if value in (None, ""):
            return None
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise bad(f"can't parse {what} JSON object") from None
        if value is None:
            return None
        if not isinstance(value, kind):
            raise bad(f"object expected as {what}" if kind is dict else f"can't parse {what}: expected an Array")
        return value


async def read_parameters(request: web.Request) -> Parameters:
    parameters = Parameters(dict(request.query))
    kind = request.content_type
    if request.method != "POST":
        return parameters
    if kind == "application/json":
        body = await request.json()
        if not isinstance(body, dict):
            raise bad("can't parse JSON object")
        parameters.values.update(body)
    elif kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                parameters.files[name] = Upload(value.filename, value.file.read(), value.content_type)
            else:
                parameters.values[name] = value
    return parameters
