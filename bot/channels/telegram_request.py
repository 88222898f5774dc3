"""How python-telegram-bot reaches the Bot API here: over aiohttp, with errors that tell what is known of the request's fate.

Owns connections, time limits and the three things that can go wrong (never reached, no answer, refused). Leaves to
`telegram_errors` what they mean to the rest of the house. aiohttp takes 0.2 ms of processor a call where httpx takes 0.8 to
1.8, and it tells a connection that was never made from one that broke after the request had left.

No error and no log line of this file holds an address: the bot's token is part of it.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import aiohttp
from telegram._utils.defaultvalue import DefaultValue
from telegram._utils.types import ODVInput
from telegram.error import TelegramError
from telegram.request import BaseRequest, RequestData
from telegram.request._requestparameter import RequestParameter

from bot import lazy
from bot.channels.telegram_lenient import padded, told_message

CONNECT_S = 10.0
READ_S = 20.0
KEEP_ALIVE_S = 15.0
"""Shorter than any server's: a request must not leave on a connection that is being closed."""
ANSWER_BYTES = 32 * 1024 * 1024
"""What an answer may have: a hundred updates of the longest texts are far less."""
ANSWER_S = 60.0
"""How much longer a call may take in all than its answer may take to begin: one that drips for ever is none."""
FILE_S = 600.0
LONGEST_WAIT_S = 24 * 3600.0
"""A server that asks to wait for longer is not believed."""
_MOST = 2**53
"""Ids are smaller. Source: https://core.telegram.org/bots/api#chat"""
_SENDS = frozenset({"sendMessage", "sendPhoto", "sendDocument", "editMessageText"})
"""Methods of the bot's whose answer is a message."""
_SPARED = frozenset(
    {"editMessageText", "deleteMessage", "sendChatAction", "answerCallbackQuery", "setMyCommands", "deleteMyCommands"}
)
"""What a server of one's own may not have, and the bot does without."""
_LACKING = frozenset({404, 405, 501})
"""How a server says that it has no such method, be it in its framework's own words."""
_OF_PROXIES = frozenset({413, 429, 503})
"""What a proxy may rightly say in a server's place: too large, too many, unavailable."""
_CHUNK_BYTES = 256 * 1024
_HEAD_BYTES = 1024
_LONGEST_DESCRIPTION = 300
_WORD = lazy.compile(r"\w{3,}")
_RETRY_AFTER = lazy.compile(r"retry after (\d{1,6})", re.IGNORECASE)


class UnreachedError(TelegramError):
    """No connection, or none to a Bot API server: nothing was done."""


class UnansweredError(TelegramError):
    """The request left and no answer came that could be read: whether it was carried out is unknown."""


class TooLongError(UnansweredError):
    """The answer is longer than any; `head` is how it begins."""

    def __init__(self, head: bytes) -> None:
        """Keep the beginning."""
        super().__init__("the answer is too long to be one")
        self.head = head


class OverLimitError(TelegramError):
    """A file is longer than was allowed; what had come of it is gone."""


class RefusedError(TelegramError):
    """The server answered that it did not do it.

    Source: https://core.telegram.org/bots/api#making-requests
    """

    def __init__(self, code: int, description: str, *, heard: str = "", retry_after_s: float = 0.0, migrated_to: int = 0) -> None:
        """Keep the status, the description (to be told; as it was `heard`, it may quote people), and what the server said to do.

        That is to wait, or to take the group's new id.
        """
        super().__init__(description)
        self.code = code
        self.description = description
        self._heard = heard or description
        self.retry_after_s = retry_after_s
        self.migrated_to = migrated_to

    def says(self, *phrases: str) -> bool:
        """Say whether the description holds one of `phrases`."""
        return any(phrase in self._heard.lower().replace("_", " ") for phrase in phrases)


class AiohttpRequest(BaseRequest):
    """Between `initialize` and `shutdown` connections are kept; outside of that each call opens its own and closes it."""

    def __init__(self, *, base_url: str, connections: int = 64, read_s: float = READ_S) -> None:
        """Take how many connections may be open, and how long an answer may take. A proxy is not used towards loopback."""
        self._connections = connections
        self._read_s = read_s
        self._trust_env = not _is_loopback(base_url)
        self._kept: aiohttp.ClientSession | None = None
        self._in_use = 0
        self._closing = False

    @property
    def read_timeout(self) -> float:
        """Return how long an answer may take, in seconds."""
        return self._read_s

    async def initialize(self) -> None:
        """Keep connections from now on."""
        self._closing = False
        if self._kept is None:
            self._kept = self._session()

    async def shutdown(self) -> None:
        """Close the connections, those in use as soon as their calls are done."""
        self._closing = True
        await self._close_if_idle()

    async def call(self, url: str, parameters: Mapping[str, str | int | list[str]], *, read_s: float) -> object:
        """Post and return the `result` of the answer as JSON has it, padded. Raises as `do_request`."""
        data = RequestData([RequestParameter(name, value, None) for name, value in parameters.items()])
        return cast("object", await self.post(url, request_data=data, read_timeout=read_s))

    async def download(self, url: str, into: Path, *, limit_bytes: int, told_bytes: int = 0) -> None:
        """Stream what lies at `url` into the file `into`; the file is whole or not there.

        `told_bytes`: its size, believed where the answer itself does not say where it ends.

        Raises:
            OverLimitError: longer than `limit_bytes`.
            RefusedError, UnreachedError, UnansweredError: as `do_request`.
        """
        done = False
        try:
            timeout = self._timeout(self._read_s, whole_s=FILE_S)
            async with self._lease() as session, _told(), session.get(url, timeout=timeout, allow_redirects=False) as answer:
                if answer.status != 200:  # noqa: PLR2004 - HTTP's OK
                    raise _refusal(answer.status, await answer.content.read(_CHUNK_BYTES))
                taken = await _save(answer, into, limit_bytes)
                if taken < told_bytes and answer.content_length is None and "Transfer-Encoding" not in answer.headers:
                    msg = "the file is cut off"
                    raise UnansweredError(msg)
            done = True
        finally:
            if not done:
                await asyncio.to_thread(into.unlink, missing_ok=True)

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - aiohttp has none: reading covers it
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,  # noqa: ARG002 - connecting covers it
    ) -> tuple[int, bytes]:
        """Carry out one call and return (200, body).

        Raises:
            UnreachedError: nothing was sent.
            UnansweredError: sent, and its fate unknown.
            RefusedError: answered with another status than 2xx.
        """
        read_s = self._read_s if isinstance(read_timeout, DefaultValue) else read_timeout
        connect_s = CONNECT_S if isinstance(connect_timeout, DefaultValue) else connect_timeout
        whole_s = FILE_S if request_data is not None and request_data.contains_files else (read_s or 0.0) + ANSWER_S
        timeout = self._timeout(read_s, connect_s, whole_s=whole_s)
        async with (
            self._lease() as session,
            _told(),
            session.request(method, url, data=_body(request_data), timeout=timeout, allow_redirects=False) as answer,
        ):
            payload = await _read(answer)
        asked = url.rpartition("/")[2]
        if not 200 <= answer.status <= 299:  # noqa: PLR2004 - HTTP's success
            raise _refusal(answer.status, payload, given=request_data, asked=asked)
        return answer.status, _as_message(payload) if asked in _SENDS else payload

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, object]:
        """Return the answer's JSON object.

        Raises:
            UnansweredError: it is none, and tells nothing of the request's fate.
            RefusedError: it says that it was not done, though its HTTP status says all is well.
        """
        answer = _json_object(payload)
        if answer.get("ok") is False:
            raise _refusal(int(_number(answer.get("error_code"))) or 400, payload)
        if "result" not in answer:
            msg = "the answer is no Bot API answer"
            raise UnansweredError(msg)
        return {**answer, "result": padded(answer["result"])}

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[aiohttp.ClientSession]:
        if self._kept is None:
            async with self._session() as session:
                yield session
            return
        self._in_use += 1
        try:
            yield self._kept
        finally:
            self._in_use -= 1
            if self._closing:
                await self._close_if_idle()

    async def _close_if_idle(self) -> None:
        if self._in_use == 0 and self._kept is not None:
            session, self._kept = self._kept, None
            await session.close()

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=self._trust_env,
        )

    @staticmethod
    def _timeout(read_s: float | None, connect_s: float | None = CONNECT_S, *, whole_s: float) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=whole_s, connect=connect_s, sock_connect=connect_s, sock_read=read_s)


@asynccontextmanager
async def _told() -> AsyncIterator[None]:
    """Say of each of aiohttp's errors what it means for the request. `from None`: the cause may hold the address."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
        raise UnreachedError(type(error).__name__) from None
    except TelegramError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a server makes the client stumble over, the call's fate is unknown
        raise UnansweredError(type(error).__name__) from None


def _body(data: RequestData | None) -> aiohttp.FormData | dict[str, str] | None:
    if data is None:
        return None
    if not data.contains_files:
        return data.json_parameters
    form = aiohttp.FormData(data.json_parameters)
    for name, (filename, content, media_type) in data.multipart_data.items():
        form.add_field(
            name, io.BytesIO(content) if isinstance(content, bytes) else content, filename=filename, content_type=media_type
        )
    return form


def _as_message(payload: bytes) -> bytes:
    """Return a send's answer as one that holds a message, whatever the server made of it: it said that it was sent."""
    answer = _json_object(payload)
    if answer.get("ok") is not True or "result" not in answer:
        return payload
    return json.dumps({"ok": True, "result": told_message(answer["result"])}).encode()


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """Return the body. Raises TooLongError where it is longer than any answer."""
    payload = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
        payload += chunk
        if len(payload) > ANSWER_BYTES:
            answer.close()
            raise TooLongError(bytes(payload[:_HEAD_BYTES]))
    return bytes(payload)


async def _save(answer: aiohttp.ClientResponse, into: Path, limit_bytes: int) -> int:
    taken = 0
    with await asyncio.to_thread(into.open, "wb") as file:
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            taken += len(chunk)
            if taken > limit_bytes:
                msg = "the file is longer than allowed"
                raise OverLimitError(msg)
            await asyncio.to_thread(file.write, chunk)
    return taken


def _refusal(status: int, payload: bytes, *, given: RequestData | None = None, asked: str = "") -> TelegramError:
    """Return the error that a status other than 2xx stands for. From a 5xx (but 503) one cannot know what was done.

    What the description quotes of what was `given` (tags, links, names that the server could not read) is left out of it.
    What does not speak as a Bot API server does, a proxy's page or a redirect, is not followed and refuses nothing for good; but the
    method that was `asked` for is one that the server lacks, where it says so and the bot does without.
    """
    try:
        answer = _json_object(payload)
    except UnansweredError:
        answer = {}
    raw = answer.get("parameters")
    parameters = raw if isinstance(raw, dict) else {}
    description = str(answer.get("description") or f"HTTP {status}")
    if status in _LACKING and asked in _SPARED:
        return RefusedError(404, _unquoted(description, given), heard=description)
    if status >= 500 and status != 503:  # noqa: PLR2004 - HTTP's server errors, and "service unavailable"
        return UnansweredError(f"HTTP {status}")
    if answer.get("ok") is not False and "description" not in answer and status not in _OF_PROXIES:
        return UnreachedError(f"HTTP {status}, and not by a Bot API server")
    return RefusedError(
        status,
        _unquoted(description, given),
        heard=description,
        retry_after_s=_wait(_number(parameters.get("retry_after"))) or _wait(_told_to_wait(description)),
        migrated_to=int(_number(parameters.get("migrate_to_chat_id"))),
    )


def _unquoted(description: str, given: RequestData | None) -> str:
    """Return the description without words that stand in what was said: it is logged, and what people say is not."""
    said = set() if given is None else {one for text in given.json_parameters.values() for one in _WORD.findall(text)}
    return _WORD.sub(lambda found: "…" if found[0] in said else found[0], description)[:_LONGEST_DESCRIPTION]


def _told_to_wait(description: str) -> float:
    """Return the seconds that stand in the words alone, where a server sends no parameters."""
    told = _RETRY_AFTER.search(description)
    return float(told[1]) if told else 0.0


def _json_object(payload: bytes) -> dict[str, object]:
    try:
        answer = json.loads(payload.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        msg = "the answer is no JSON object"
        raise UnansweredError(msg)
    return answer


def _wait(seconds: float) -> float:
    return seconds if 0 <= seconds <= LONGEST_WAIT_S else 0.0


def _number(value: object) -> float:
    """Return a number of which a clock or an id can be made; 0.0 for anything else, NaN and what no float holds among it."""
    return float(value) if isinstance(value, int | float) and -_MOST < value < _MOST else 0.0


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
