"""One workspace's line to Slack's Web API: a call, and what its end means as the house's own errors, each with a sentence.

Owns the token, the waits that Slack asks for (per method, and per method and channel where one is named), the table of refusals, and how
much of an answer is read. Leaves what is said to `slack_sending`. Nothing is repeated here, and no library stands between: slack_sdk reads
answers of any length, and posts twice after a reset connection.

    told = await wire.call("chat.postMessage", wait_for=chat, channel=chat, text="hi")    # the answer's JSON

Sources: https://docs.slack.dev/apis/web-api/rate-limits, https://docs.slack.dev/reference/methods/chat.postMessage
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Final, TypedDict
from urllib.parse import urlsplit

import aiohttp

from bot.channels.downloads import PIECE_BYTES, written
from bot.channels.waits import Waits
from bot.config import MEBIBYTE
from bot.errors import AmbiguousSendError, ChannelError, GoneError, RetryLaterError
from bot.locale import phrases

_ = phrases(__file__)

ANSWER_S: Final = 30.0
FILE_S: Final = 600.0
UNREACHED_RETRY_S: Final = 2.0
UNKNOWN_RETRY_S: Final = 30.0
"""Somebody may have to set the right token: what waits is kept for then, REFUSED_S long."""
REFUSED_S: Final = 600.0
"""How long Slack may call a token unknown before it is believed."""
MOST_BYTES: Final = 32 * MEBIBYTE
"""Of an answer: a thousand messages with all their blocks are a tenth of it."""
QUICK_BYTES: Final = 256 * 1024
"""What is read beside the loop is longer."""
MOST_PAGES: Final = 1000
"""What tells on and on is no list."""
ASKED_RETRY_S: Final = 1.0
"""Where a 429 names no time to wait."""
_REDIRECT: Final = 300
_FLOOD: Final = 429
_SERVER: Final = 500
_UNAVAILABLE: Final = 503
_TOKEN: Final = frozenset({"invalid_auth", "not_authed", "token_expired", "not_allowed_token_type"})
_WITHDRAWN: Final = frozenset({"account_inactive", "token_revoked"})
"""The app was taken out of the workspace, or the token called back: no later try changes that."""
_GONE: Final = frozenset(
    {
        "channel_not_found", "is_archived", "not_in_channel", "user_disabled", "user_not_found", "cannot_dm_bot",
        "restricted_action_read_only_channel", "restricted_action_thread_locked", "team_not_found", "channel_type_not_supported",
        "user_not_in_channel",
    }
)  # fmt: skip
"""What no later try changes: the place is closed to the bot."""
_IN_DOUBT: Final = frozenset({"fatal_error", "internal_error", "request_timeout"})
"""Slack's own words that some of it may have been carried out."""
_LATER: Final = frozenset({"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "message_limit_exceeded"})


class _Body(TypedDict, total=False):
    json: Mapping[str, object]
    data: Mapping[str, str]


class Wire:
    """One token. Its `repr` and its errors never hold it."""

    def __init__(
        self,
        token: str,
        *,
        base_url: str,
        session: aiohttp.ClientSession,
        setting: str = "PARING_SLACK__BOT_TOKENS",
        waits: Waits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Call the API at `base_url` (https://slack.com/api/) over `session`; `setting` is where the token was set."""
        self._token = token
        self._base_url = base_url
        self._session = session
        self._setting = setting
        self._waits = waits or Waits()
        self._clock = clock
        self._refused_since: float | None = None
        self.lost = False
        """Whether Slack takes the token for good no more."""

    async def call(self, method: str, *, wait_for: str = "", repeatable: bool = True, **said: object) -> Mapping[str, object]:
        """Return what Slack answers. `repeatable` is False for what must not be done twice: there, not to know is told apart.

        Raises:
            RetryLaterError: Slack asks to wait, or cannot be reached; nothing was done.
            AmbiguousSendError: it may have been done (never where `repeatable`).
            GoneError, ChannelError: refused.
        """
        if left_s := self._waits.left_s((method, wait_for)):
            raise waited(left_s)
        try:
            async with asyncio.timeout(ANSWER_S):
                status, headers, told = await self._asked(method, said)
        except aiohttp.ClientConnectorError:
            house: ChannelError = _unreached()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, RecursionError):
            house = _in_doubt()
        else:
            if status < _REDIRECT and told.get("ok") is True:
                self._refused_since, self.lost = None, False
                return told
            house = self._refused(status, headers, told, (method, wait_for))
        if repeatable and isinstance(house, AmbiguousSendError):
            house = RetryLaterError(_("Slack did not answer. It is tried again by itself."), retry_after_s=ASKED_RETRY_S)
        raise house from None

    async def _asked(self, method: str, said: Mapping[str, object]) -> tuple[int, Mapping[str, str], Mapping[str, object]]:
        """Return the status, the headers and the JSON, {} for what is none. Raises as aiohttp, and ValueError where it is too long."""
        headers = {"Authorization": f"Bearer {self._token}"}
        url = f"{self._base_url.rstrip('/')}/{method}"
        async with self._session.post(url, headers=headers, allow_redirects=False, **_body(said)) as answer:
            pieces, got = [], 0
            async for piece in answer.content.iter_chunked(PIECE_BYTES):
                pieces.append(piece)
                got += len(piece)
                if got > MOST_BYTES:
                    raise ValueError("too long")
            whole = b"".join(pieces)
            told = await asyncio.to_thread(_read, whole) if got > QUICK_BYTES else _read(whole)
            return answer.status, answer.headers, told

    async def pages(self, method: str, **said: object) -> AsyncIterator[Mapping[str, object]]:
        """Yield the answers of a method that tells page by page. Raises as `call`."""
        cursor: str | None = None
        for _page in range(MOST_PAGES):
            told = await self.call(method, cursor=cursor, **said)  # type: ignore[arg-type]
            yield told
            more, before = told.get("response_metadata"), cursor
            following = more.get("next_cursor") if isinstance(more, dict) else None
            cursor = following if isinstance(following, str) else None
            if not cursor or cursor == before:
                return

    async def download(self, url: str, into: Path, *, limit_bytes: int) -> None:
        """Write the file at `url` (one of Slack's own) into the file `into`. The token goes to no other host, and along no redirect.

        Raises:
            TooLargeError: over `limit_bytes`.
            RetryLaterError, ChannelError: it cannot be had now, or at all.
        """
        if not self._is_of_slack(url):
            raise ChannelError(_("This file does not lie at Slack. Nothing was kept; please upload it here."))
        try:
            await asyncio.wait_for(self._fetched(url, into, limit_bytes), FILE_S)
        except (aiohttp.ClientError, TimeoutError, OSError):
            sentence = _("The file did not come from Slack. Nothing was kept; please send it once more.")
            raise RetryLaterError(sentence, retry_after_s=ASKED_RETRY_S) from None

    async def upload(self, url: str, data: bytes) -> None:
        """Put bytes where `files.getUploadURLExternal` says. Raises RetryLaterError: nothing is seen of it before it is completed."""
        try:
            async with asyncio.timeout(FILE_S), self._session.post(url, data=data, allow_redirects=False) as answer:
                if answer.status < 300:  # noqa: PLR2004 - HTTP's own border
                    return
        except (aiohttp.ClientError, TimeoutError, OSError):
            pass
        raise _unreached()

    async def _fetched(self, url: str, into: Path, limit_bytes: int) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._session.get(url, headers=headers, allow_redirects=False) as answer:
            if answer.status == _FLOOD:
                raise waited(_seconds(answer.headers) or ASKED_RETRY_S)
            if answer.status >= _SERVER:
                raise _unreached()
            page = answer.content_type == "text/html" and "attachment" not in answer.headers.get("Content-Disposition", "")
            if answer.status != 200 or page:  # noqa: PLR2004 - Slack shows a login page, not an error
                sentence = _("Slack does not give this file. The bot needs the right “files:read”; nothing was kept.")
                raise ChannelError(sentence)
            await written(answer.content.iter_chunked(PIECE_BYTES), into, limit_bytes=limit_bytes)

    def opens(self, url: str) -> bool:
        """Say whether `url` is a socket of Slack's, or of the API of one's own."""
        there, api = urlsplit(url), urlsplit(self._base_url)
        host = (there.hostname or "").rstrip(".")
        own = (
            there.scheme in {"ws", "wss"}
            and there.hostname == api.hostname
            and (there.scheme == "wss") == (api.scheme == "https")
        )
        return own or (there.scheme == "wss" and host.endswith(".slack.com"))

    def _is_of_slack(self, url: str) -> bool:
        """Say whether the token may be shown there: Slack's file host, or the host of an API of one's own."""
        there, api = urlsplit(url), urlsplit(self._base_url)
        if (there.scheme, there.netloc) == (api.scheme, api.netloc):
            return True
        host = (there.hostname or "").rstrip(".")
        return (
            there.scheme == "https" and (host == "files.slack.com" or host.endswith(".slack.com")) and there.port in (None, 443)
        )

    def _refused(
        self, status: int, headers: Mapping[str, str], told: Mapping[str, object], waiting: tuple[str, str]
    ) -> ChannelError:
        word = told.get("error")
        why = word if isinstance(word, str) else ""
        if status == _FLOOD or why in _LATER:
            wait_s = _seconds(headers) or ASKED_RETRY_S
            self._waits.hold(waiting, wait_s)
            return waited(wait_s)
        if why in _TOKEN or why in _WITHDRAWN:
            return self._unknown(why)
        if status == _UNAVAILABLE:
            return _unreached()
        if status >= _SERVER or why in _IN_DOUBT or not why:
            return _in_doubt()
        return meant(why)

    def _unknown(self, why: str) -> ChannelError:
        """Return the error for a token that Slack does not take; for good where it was withdrawn, or is refused for long."""
        now = self._clock()
        self._refused_since = now if self._refused_since is None else self._refused_since
        self.lost = self.lost or why in _WITHDRAWN or now - self._refused_since >= REFUSED_S
        if why in _WITHDRAWN:
            return withdrawn()
        sentence = _(
            "Slack does not know this token (any more). Set {setting} to what the app's page gives.", setting=self._setting
        )
        return GoneError(sentence) if self.lost else RetryLaterError(sentence, retry_after_s=UNKNOWN_RETRY_S)

    def __repr__(self) -> str:
        """Return a name without the token."""
        return "Wire(Slack)"


def meant(why: str) -> ChannelError:
    """Return the house's error for a refusal in Slack's word, such as "is_archived"."""
    if why in _GONE:
        return GoneError(_("Slack lets the bot write there no more: {reason}", reason=why))
    if why == "missing_scope":
        return ChannelError(
            _("The Slack app lacks a right. Put the manifest of docs/slack.md into its page and install it again.")
        )
    return ChannelError(_("Slack did not take it: {reason}", reason=why))


def withdrawn() -> GoneError:
    """Return the error for a workspace that has taken the app out, or called its token back."""
    return GoneError(
        _(
            "The app was taken out of this Slack workspace. Install it again, set its new token and start me anew; nothing was sent."
        )
    )


def waited(wait_s: float) -> RetryLaterError:
    """Return the error for a method that Slack asks to leave alone for so long."""
    sentence = _("Slack asks to wait. Nothing was sent; it is tried again by itself.")
    return RetryLaterError(sentence, retry_after_s=wait_s, asked=True)


def _unreached() -> RetryLaterError:
    sentence = _("Slack cannot be reached. Nothing was sent; it is tried again by itself.")
    return RetryLaterError(sentence, retry_after_s=UNREACHED_RETRY_S)


def _in_doubt() -> AmbiguousSendError:
    return AmbiguousSendError(_("Slack did not answer. The message may have arrived or not."))


def _body(said: Mapping[str, object]) -> _Body:
    """Return what is said as JSON where it nests, else as a form: methods that only read take no JSON."""
    given = {name: value for name, value in said.items() if value is not None}
    if any(isinstance(value, dict | list | tuple) for value in given.values()):
        return {"json": given}
    return {"data": {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}}


def _read(body: bytes) -> Mapping[str, object]:
    """Return the JSON object, {} for anything else: a page of a proxy's. Raises RecursionError where it is nested without end."""
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _seconds(headers: Mapping[str, str]) -> float:
    for name, value in dict(headers).items():
        if name.lower() == "retry-after" and str(value).isascii() and str(value).isdigit():
            return float(min(int(value), 3600))
    return 0.0
