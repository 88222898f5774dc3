"""`paring doctor --health URL`: asks a running bot whether it is ready, for a container's or a supervisor's health check.

    checked = check("http://127.0.0.1:8080")
    checked.ready, str(checked.said)

It speaks to the address that it is given and to nothing else: no proxy, no redirect.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bot.errors import InputError
from bot.locale import Text, phrases

_ = phrases(__file__)

PATH: Final = "/readyz"
WITHIN_S: Final = 8.0
MOST_BYTES: Final = 1 << 16
OK: Final = 200


@dataclass(frozen=True, slots=True)
class Checked:
    """What a bot said of itself."""

    ready: bool
    said: Text


def check(url: str) -> Checked:
    """Ask the bot whose page, or health port, is at `url`. Raises InputError where that is no http address."""
    host, port = _place(url)
    try:
        line = http.client.HTTPConnection(host, port, timeout=WITHIN_S)
        try:
            line.request("GET", PATH)
            answer = line.getresponse()
            status, body = answer.status, answer.read(MOST_BYTES)
        finally:
            line.close()
    except (OSError, http.client.HTTPException) as error:
        return Checked(ready=False, said=_("No Paring answers at {url} ({why}).", url=url, why=type(error).__name__))
    parts = _parts(body)
    if parts is None:
        return Checked(ready=False, said=_("What answers at {url} is no Paring (HTTP {status}).", url=url, status=status))
    broken = ", ".join(f"{name}: {state}" for name, state in parts.items() if state != "ok")
    if status == OK and not broken:
        return Checked(ready=True, said=_("Paring at {url} is ready.", url=url))
    return Checked(ready=False, said=_("Paring at {url} is not ready ({parts}).", url=url, parts=broken or f"HTTP {status}"))


def _place(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme != "http":
        raise InputError(_("{url} is no address of a Paring: expected http://127.0.0.1:8080 or the like.", url=url))
    return host, port or 80


def _parts(body: bytes) -> dict[str, str] | None:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    parts = told.get("parts") if isinstance(told, dict) else None
    return {str(name): str(state) for name, state in parts.items()} if isinstance(parts, dict) else None
