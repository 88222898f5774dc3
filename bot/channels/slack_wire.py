"""One workspace's line to Slack's Web API: a call, and what its end means as the house's own errors, each with a sentence.

Owns the token, the waits that Slack asks for (per method, and per method and channel where one is named) and the table of refusals.
Leaves what is said to `slack_sending`. Nothing is repeated here: slack_sdk's own retry, which posts twice after a reset
connection, is off.

    told = await wire.call("chat.postMessage", wait_for=chat, channel=chat, text="hi")    # the answer's JSON

Sources: https://docs.slack.dev/apis/web-api/rate-limits, https://docs.slack.dev/reference/methods/chat.postMessage
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.channels.waits import Waits
from bot.errors import AmbiguousSendError, ChannelError, GoneError, RetryLaterError, TooLargeError
from bot.locale import phrases

_ = phrases(__file__)

ANSWER_S: Final = 30.0
FILE_S: Final = 600.0
UNREACHED_RETRY_S: Final = 2.0
UNKNOWN_RETRY_S: Final = 30.0
"""Somebody has to set the right token: what waits is kept for then."""
ASKED_RETRY_S: Final = 1.0
"""Where a 429 names no time to wait."""
MOST_PAGES: Final = 1000
"""What tells on and on is no list."""
_FLOOD: Final = 429
_SERVER: Final = 500
_UNAVAILABLE: Final = 503
_TOKEN: Final = frozenset({"invalid_auth", "not_authed", "token_expired", "token_revoked", "account_inactive"})
_GONE: Final = frozenset(
    {
        "channel_not_found", "is_archived", "not_in_channel", "user_disabled", "user_not_found", "cannot_dm_bot",
        "restricted_action_read_only_channel", "restricted_action_thread_locked", "team_not_found", "channel_type_not_supported",
    }
)  # fmt: skip
"""What no later try changes: the place is closed to the bot."""
_IN_DOUBT: Final = frozenset({"fatal_error", "internal_error", "request_timeout"})
"""Slack's own words that some of it may have been carried out."""
_LATER: Final = frozenset({"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "message_limit_exceeded"})


class Wire:
    """One bot token. Its `repr` and its errors never hold it."""

    def __init__(self, token: str, *, base_url: str, session: aiohttp.ClientSession, waits: Waits | None = None) -> None:
        """Call the API at `base_url` (https://slack.com/api/) over `session`."""
        self._token = token
        self._base_url = base_url
        self._session = session
        self._waits = waits or Waits()
        self._client = AsyncWebClient(
            token,
            base_url,
            session=session,
            retry_handlers=[],
            ssl=_tls(base_url),
            trust_env_in_session=True,
            timeout=int(ANSWER_S),
        )

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
                answer = await self._client.api_call(method, **_body(said))
        except SlackApiError as error:
            house = self._refused(error, method, wait_for)
        except aiohttp.ClientConnectorError:
            house = _unreached()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            house = AmbiguousSendError(_("Slack did not answer. The message may have arrived or not."))
        else:
            if isinstance(answer.data, dict):
                return answer.data
            house = AmbiguousSendError(_("Slack did not answer. The message may have arrived or not."))
        if repeatable and isinstance(house, AmbiguousSendError):
            house = RetryLaterError(_("Slack did not answer. It is tried again by itself."), retry_after_s=ASKED_RETRY_S)
        raise house from None

    async def pages(self, method: str, **said: object) -> AsyncIterator[Mapping[str, object]]:
        """Yield the answers of a method that tells page by page. Raises as `call`."""
        cursor: object = None
        for _page in range(MOST_PAGES):
            told = await self.call(method, cursor=cursor, **said)  # type: ignore[arg-type]
            yield told
            more, before = told.get("response_metadata"), cursor
            cursor = more.get("next_cursor") if isinstance(more, dict) else None
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
            if answer.status != 200 or answer.content_type == "text/html":  # noqa: PLR2004 - Slack shows a login page, not an error
                sentence = _("Slack does not give this file. The bot needs the right “files:read”; nothing was kept.")
                raise ChannelError(sentence)
            got = 0
            with await asyncio.to_thread(into.open, "wb") as file:
                async for piece in answer.content.iter_chunked(1 << 16):
                    got += len(piece)
                    if got > limit_bytes:
                        raise too_large(limit_bytes)
                    await asyncio.to_thread(file.write, piece)

    def _is_of_slack(self, url: str) -> bool:
        """Say whether the token may be shown there: Slack's file host, or the host of an API of one's own."""
        there, api = urlsplit(url), urlsplit(self._base_url)
        if (there.scheme, there.netloc) == (api.scheme, api.netloc):
            return True
        host = (there.hostname or "").rstrip(".")
        return (
            there.scheme == "https" and (host == "files.slack.com" or host.endswith(".slack.com")) and there.port in (None, 443)
        )

    def _refused(self, error: SlackApiError, method: str, wait_for: str) -> ChannelError:
        told = error.response
        status = int(getattr(told, "status_code", 0) or getattr(told, "status", 0) or 0)
        data = getattr(told, "data", None)
        why = str(data.get("error", "")) if isinstance(data, dict) else ""
        if status == _FLOOD or why in _LATER:
            wait_s = _seconds(getattr(told, "headers", {})) or ASKED_RETRY_S
            self._waits.hold((method, wait_for), wait_s)
            return waited(wait_s)
        if status == _UNAVAILABLE:
            return _unreached()
        if status >= _SERVER or why in _IN_DOUBT or not why:
            return AmbiguousSendError(_("Slack did not answer. The message may have arrived or not."))
        return meant(why)

    def __repr__(self) -> str:
        """Return a name without the token."""
        return "Wire(Slack)"


def meant(why: str) -> ChannelError:
    """Return the house's error for a refusal in Slack's word, such as "is_archived"."""
    if why in _TOKEN:
        sentence = _("Slack does not know this token (any more). Set PARING_SLACK__BOT_TOKENS to what the app's page gives.")
        return RetryLaterError(sentence, retry_after_s=UNKNOWN_RETRY_S)
    if why in _GONE:
        return GoneError(_("Slack lets the bot write there no more: {reason}", reason=why))
    if why == "missing_scope":
        return ChannelError(
            _("The Slack app lacks a right. Put the manifest of docs/slack.md into its page and install it again.")
        )
    return ChannelError(_("Slack did not take it: {reason}", reason=why))


def waited(wait_s: float) -> RetryLaterError:
    """Return the error for a method that Slack asks to leave alone for so long."""
    sentence = _("Slack asks to wait. Nothing was sent; it is tried again by itself.")
    return RetryLaterError(sentence, retry_after_s=wait_s, asked=True)


def too_large(limit_bytes: int) -> TooLargeError:
    """Return the error for a file over the limit."""
    return TooLargeError(_("That file is over {limit} MB. Nothing was kept; please send a smaller one.", limit=limit_bytes >> 20))


def _unreached() -> RetryLaterError:
    sentence = _("Slack cannot be reached. Nothing was sent; it is tried again by itself.")
    return RetryLaterError(sentence, retry_after_s=UNREACHED_RETRY_S)


def _body(said: Mapping[str, object]) -> dict[str, Any]:
    """Return what is said as JSON where it nests, else as a form: methods that only read take no JSON."""
    given = {name: value for name, value in said.items() if value is not None}
    nests = any(isinstance(value, dict | list | tuple) for value in given.values())
    return {"json" if nests else "data": given}


def _seconds(headers: Mapping[str, str]) -> float:
    for name, value in dict(headers).items():
        if name.lower() == "retry-after" and str(value).isascii() and str(value).isdigit():
            return float(min(int(value), 3600))
    return 0.0


def _tls(base_url: str) -> ssl.SSLContext | None:
    return ssl.create_default_context() if base_url.startswith("https:") else None
