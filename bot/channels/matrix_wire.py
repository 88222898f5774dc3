"""One account's line to a Matrix homeserver: a call of its client-server API, and what its end means as the house's own errors.

Owns the token, the waits that the homeserver asks for, and the table of refusals. Leaves to `matrix_account` where the token comes from, to
`matrix_sending` what is said. Nothing is repeated here.

    told = await wire.call("GET", "/v3/account/whoami")        # the answer's JSON

Every send is a PUT under a transaction id, so that one whose fate is unknown may simply be repeated: no error here is "ambiguous".

Source: https://spec.matrix.org/v1.11/client-server-api/#standard-error-response
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote, urlsplit

import aiohttp

from bot.channels.downloads import PIECE_BYTES, too_large, written
from bot.channels.waits import Waits
from bot.errors import ChannelError, GoneError, RetryLaterError
from bot.locale import Text, phrases
from bot.logs import Logger

_ = phrases(__file__)
log = Logger(__name__)
T = TypeVar("T")

ANSWER_S: Final = 30.0
FILE_S: Final = 600.0
UNREACHED_RETRY_S: Final = 2.0
TOKEN_RETRY_S: Final = 5.0
ASKED_RETRY_S: Final = 1.0
"""Where a 429 names no time to wait."""
LONGEST_WAIT_S: Final = 3600.0
MOST_BYTES: Final = 128 * 1024 * 1024
"""Of one answer that is no file."""
QUICK_BYTES: Final = 256 * 1024
"""What is read beside the loop is longer."""
CLIENT: Final = "/_matrix/client"
_FLOOD: Final = 429
_SERVER: Final = 500
_FINE: Final = 300
_NOT_FOUND: Final = 404
_TOKEN: Final = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"})
_LATER: Final = frozenset(
    {"M_RESOURCE_LIMIT_EXCEEDED", "M_CONSENT_NOT_GIVEN", "M_USER_DEACTIVATED", "M_USER_SUSPENDED", "M_USER_LOCKED"}
)
"""What somebody has to put right at the homeserver; what waits is kept for then."""


class UnknownTokenError(RetryLaterError):
    """The homeserver does not know the token (any more)."""


class RefusedError(ChannelError):
    """The homeserver understood, and will not. `code` is its own word, such as M_FORBIDDEN."""

    def __init__(self, text: Text, *, code: str, status: int) -> None:
        """Keep the sentence and the homeserver's word."""
        super().__init__(text)
        self.code = code
        self.status = status


class Wire:
    """One account. Its `repr` and its errors never hold the token."""

    def __init__(self, base_url: str, *, session: aiohttp.ClientSession, waits: Waits | None = None) -> None:
        """Call the API at `base_url` (https://matrix.example.org) over `session`."""
        self.base_url = base_url.rstrip("/")
        self.token = ""
        self.limited = False
        """True once the homeserver asked to wait: what is not needed is not sent any more."""
        self._session = session
        self._waits = waits or Waits()

    async def call(
        self,
        method: str,
        path: str,
        *,
        said: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
        wait_for: str = "",
        within_s: float = ANSWER_S,
        token: str | None = None,
    ) -> Mapping[str, object]:
        """Return what the homeserver answers. `path` is below /_matrix/client; `wait_for` is what a 429 holds up, with it the next calls.

        Raises:
            UnknownTokenError: another token is needed.
            RetryLaterError: it asks to wait, or cannot be reached; it may be done again.
            RefusedError: it will not.
        """
        self._may_ask(wait_for)
        data = None if said is None else json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")
        headers = self._headers(token) | ({} if data is None else {"Content-Type": "application/json"})
        try:
            async with (
                asyncio.timeout(within_s),
                self._session.request(
                    method, self.base_url + CLIENT + path, params=query, data=data, headers=headers, allow_redirects=False
                ) as answer,
            ):
                body = await whole(answer)
                status = answer.status
                asked_s = _seconds(answer.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise unreached() from None
        return await self._understood(status, body, asked_s, wait_for)

    async def upload(self, data: bytes, *, name: str, media_type: str) -> str:
        """Put a file into the homeserver's store; return its mxc:// address. Raises as `call`: nothing is seen of it before it is sent."""
        self._may_ask("upload")
        try:
            async with (
                asyncio.timeout(FILE_S),
                self._session.post(
                    f"{self.base_url}/_matrix/media/v3/upload",
                    params={"filename": name},
                    data=data,
                    headers=self._headers(None) | {"Content-Type": media_type},
                    allow_redirects=False,
                ) as answer,
            ):
                body, status = await whole(answer), answer.status
                asked_s = _seconds(answer.headers.get("Retry-After", ""))
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise unreached() from None
        address = (await self._understood(status, body, asked_s, "upload")).get("content_uri")
        if not isinstance(address, str) or not address.startswith("mxc://"):
            raise unreached()
        return address

    async def download(self, address: str, into: Path, *, limit_bytes: int) -> None:
        """Write the file at `address` (mxc://server/id) into the file `into`. The token goes along no redirect.

        Raises:
            TooLargeError: over `limit_bytes`.
            RetryLaterError, ChannelError: it cannot be had now, or at all.
        """
        server, _slash, number = address.removeprefix("mxc://").partition("/")
        if not address.startswith("mxc://") or not server or not number or "/" in number:
            raise ChannelError(_("This file has no address that I know. Nothing was kept; please send it once more."))
        self._may_ask("download")
        place = f"{quote(server, safe='')}/{quote(number, safe='')}"
        try:
            async with asyncio.timeout(FILE_S):
                found = await self._fetched(f"{CLIENT}/v1/media/download/{place}", into, limit_bytes)
                if not found:  # a homeserver from before authenticated media
                    found = await self._fetched(f"/_matrix/media/v3/download/{place}", into, limit_bytes)
        except (aiohttp.ClientError, TimeoutError, OSError):
            sentence = _("The file did not come from the homeserver. It is tried again by itself.")
            raise RetryLaterError(sentence, retry_after_s=ASKED_RETRY_S) from None
        if not found:
            raise ChannelError(
                _("The homeserver does not have this file (any more). Nothing was kept; please send it once more.")
            )

    async def _fetched(self, path: str, into: Path, limit_bytes: int) -> bool:
        """Write what is at `path`; return False where there is nothing."""
        async with self._session.get(self.base_url + path, headers=self._headers(None), allow_redirects=False) as answer:
            if answer.status >= _FINE:
                body, asked_s = await whole(answer), _seconds(answer.headers.get("Retry-After", ""))
                if answer.status == _NOT_FOUND:
                    return False
                await self._understood(answer.status, body, asked_s, "download")
                return False
            if (answer.content_length or 0) > limit_bytes:
                raise too_large(limit_bytes)
            await written(answer.content.iter_chunked(PIECE_BYTES), into, limit_bytes=limit_bytes)
        return True

    def _may_ask(self, what: str) -> None:
        """Raise what the homeserver's wish to wait means, while that lasts."""
        if left_s := self._waits.left_s(what):
            raise waited(left_s)

    def _headers(self, token: str | None) -> dict[str, str]:
        given = self.token if token is None else token
        return {"Authorization": f"Bearer {given}"} if given else {}

    async def _understood(self, status: int, body: bytes, asked_s: float, wait_for: str) -> Mapping[str, object]:
        """Return the JSON of an answer. Raises what its status means."""
        told = await asyncio.to_thread(_json, body) if len(body) > QUICK_BYTES else _json(body)
        if status < _FINE and told is not None:
            return told
        code = told.get("errcode") if told is not None else None
        why = told.get("error") if told is not None else None
        if status == _FLOOD or code == "M_LIMIT_EXCEEDED":
            after_ms = told.get("retry_after_ms") if told is not None else None
            named_s = after_ms / 1000 if isinstance(after_ms, int | float) and math.isfinite(after_ms) and after_ms > 0 else 0.0
            wait_s = min(asked_s or named_s or ASKED_RETRY_S, LONGEST_WAIT_S)
            self.limited = self.limited or wait_for == "send"
            self._waits.hold(wait_for, wait_s)
            raise waited(wait_s)
        if status >= _SERVER or not isinstance(code, str):
            raise unreached()
        if code in _TOKEN:
            raise unknown_token()
        said = why if isinstance(why, str) and why else code
        if code in _LATER:
            sentence = _("The Matrix homeserver keeps the bot's account from speaking: {reason}", reason=said[:200])
            raise RetryLaterError(sentence, retry_after_s=UNREACHED_RETRY_S * 15)
        raise RefusedError(_("The Matrix homeserver did not take it: {reason}", reason=said[:200]), code=code, status=status)

    def __repr__(self) -> str:
        """Return a name without the token."""
        return f"Wire({urlsplit(self.base_url).hostname})"


def path(*parts: str) -> str:
    """Return a path of the API with each part safe in it: `/v3/rooms/%21abc/join`."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def closed(error: RefusedError) -> ChannelError:
    """Return what a refused send means: the place is closed to the bot, or the message was not taken."""
    if error.code in {"M_FORBIDDEN", "M_NOT_FOUND", "M_UNKNOWN_ROOM"} or error.status == _NOT_FOUND:
        return GoneError(_("The bot may write there no more: {reason}", reason=str(error)))
    return error


def waited(wait_s: float) -> RetryLaterError:
    """Return the error for what the homeserver asks to leave alone for so long."""
    sentence = _("The Matrix homeserver asks to wait. Nothing was sent; it is tried again by itself.")
    return RetryLaterError(sentence, retry_after_s=wait_s, asked=True)


def unreached() -> RetryLaterError:
    """Return the error for a homeserver that does not answer."""
    sentence = _("The Matrix homeserver cannot be reached. It is tried again by itself.")
    return RetryLaterError(sentence, retry_after_s=UNREACHED_RETRY_S)


async def asked(ask: Callable[[], Awaitable[T]], otherwise: T, *, patient: bool) -> T:
    """Return what the homeserver says; `otherwise` where it will not, or, unless `patient`, does not now. Raises RetryLaterError."""
    try:
        return await ask()
    except RefusedError:
        return otherwise
    except RetryLaterError:
        if patient:
            raise
        log.warning("the homeserver does not tell of an event of a room what is asked; it is done without")
        return otherwise


def unknown_token() -> UnknownTokenError:
    """Return the error for a token that is good no more."""
    sentence = _(
        "The Matrix homeserver does not know this token (any more). Set PARING_MATRIX__TOKEN to a new one, or a password."
    )
    return UnknownTokenError(sentence, retry_after_s=TOKEN_RETRY_S)


async def whole(answer: aiohttp.ClientResponse, *, most_bytes: int = MOST_BYTES) -> bytes:
    """Return the body, b"" where it is longer than any that is meant well."""
    pieces: list[bytes] = []
    got = 0
    async for piece in answer.content.iter_chunked(PIECE_BYTES):
        got += len(piece)
        if got > most_bytes:
            return b""
        pieces.append(piece)
    return b"".join(pieces)


def _json(body: bytes) -> Mapping[str, object] | None:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0.0  # noqa: PLR2004 - no number that overflows
