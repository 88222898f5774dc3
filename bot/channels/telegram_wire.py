"""The bot's line to its Bot API server: where it is, the token that opens it, and calls whose answers are read leniently.

Owns the addresses, of which the token is part: they leave this file only towards the server. Leaves connections to
`telegram_request`. Calls that write go through python-telegram-bot's Bot; those that read an answer of many parts (getMe,
getUpdates, getFile) through `call`, so that one part that no library knows cannot spoil the rest.

    wire = Wire("123:abc", TelegramSettings(), read_s=20)
    await wire.call("getMe")  # {"id": 123, "is_bot": True, ...}
"""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import quote, urlsplit

from telegram import Bot

from bot.channels.telegram_request import AiohttpRequest, RefusedError
from bot.config import TelegramSettings


class Wire:
    """One token at one server."""

    def __init__(self, token: str, settings: TelegramSettings, *, read_s: float) -> None:
        """Take the token, where the server is, and how long an answer may take."""
        logging.getLogger("telegram").setLevel(logging.INFO)  # its debug lines hold the token, and what people write
        api, files = _root(settings.base_url, "/bot"), _files_root(settings)
        self.request = AiohttpRequest(base_url=api, read_s=read_s)
        self.bot = Bot(token, base_url=api, base_file_url=files, request=self.request, get_updates_request=self.request)
        self._token = token
        self._files = files
        self._read_s = read_s

    async def call(self, method: str, *, read_s: float | None = None, **parameters: str | int | list[str]) -> object:
        """Return the `result` of one call, unparsed. Raises TelegramError."""
        return await self.request.call(f"{self.bot.base_url}/{method}", parameters, read_s=read_s or self._read_s)

    async def download(self, file_path: str, into: Path, *, limit_bytes: int, told_bytes: int = 0) -> None:
        """Stream the file that getFile told of, and of which size, into `into`. Raises TelegramError.

        A server of one's own may tell the file's place on its own disk; what follows the token in it is served all the same.
        """
        served = file_path.rpartition(f"{self._token}/")[2] if file_path.startswith("/") else file_path
        url = f"{self._files}{self._token}/{quote(served.lstrip('/'))}"
        await self.request.download(url, into, limit_bytes=limit_bytes, told_bytes=told_bytes)


def file_told(told: object) -> tuple[str, int]:
    """Return (path, size in bytes, 0 for unknown) of getFile's answer. Raises RefusedError where it names no file."""
    path = told.get("file_path") if isinstance(told, dict) else None
    if not isinstance(told, dict) or not isinstance(path, str) or not path:
        raise RefusedError(400, "Bad Request: the file is temporarily unavailable")
    size = told.get("file_size")
    return path, size if isinstance(size, int) else 0


def _files_root(settings: TelegramSettings) -> str:
    """Return where files are: where the settings say so, else beside the methods, as every Bot API server has them."""
    if "base_file_url" in settings.model_fields_set or "base_url" not in settings.model_fields_set:
        return _root(settings.base_file_url, "/file/bot")
    return _root(settings.base_url, "/bot").removesuffix("/bot") + "/file/bot"


def _root(url: str, otherwise: str) -> str:
    """Return a server's address as the token is joined to it: `https://host` alone means `https://host/bot`."""
    url = url.strip().rstrip("/")
    return url if urlsplit(url).path else url + otherwise
