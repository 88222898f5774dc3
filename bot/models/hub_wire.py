"""Speaks to a model hub: the only file that imports huggingface_hub, whose session, addresses, values and errors it uses.

Owns: one request at a time with a limit on every wait, repeated where the hub asks for that, and the sentences for what goes wrong.
Leaves to `bot.models.hub` what is asked, to `bot.models.hub_fetch` what is done with the bytes.

huggingface_hub's own `list_models` waits without a limit and sleeps as long as a hub tells it to, and its `hf_hub_download` deletes
what it has when it is cut off (2.4: file_download.py, _download_to_tmp_and_move). So its asynchronous session is used directly:
every wait can be cancelled, and bytes that came are kept.

    wire = Wire("https://huggingface.co", Patience())
    info = await wire.info("intfloat/e5", "main")
    async with wire.bytes_of("intfloat/e5", info.sha, "config.json", start=0) as body: ...
"""

from __future__ import annotations

import asyncio
import email.utils
import json
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlsplit

import httpx2
from huggingface_hub import ModelInfo, get_async_session, hf_hub_url, hf_raise_for_status
from huggingface_hub.errors import (
    DisabledRepoError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils._http import parse_ratelimit_headers

from bot import lazy
from bot.errors import ModelError, NoModelError, OfflineError
from bot.locale import Text, phrases
from bot.models.hub_patience import CutError, Patience, Sleep

_ = phrases(__file__)

Query = Mapping[str, str | int | bool | Sequence[str]]

TOKEN: Final = "HF_TOKEN"  # noqa: S105 - the variable's name
ENDPOINT: Final = "HF_ENDPOINT"
SENDABLE: Final = lazy.compile("[!-~]*")
"""What a header takes of a token, and what tokens are made of."""
AGENT: Final = "paring"
ASK_AGAIN: Final = frozenset({408, 429, 500, 502, 503, 504})
DENIED: Final = frozenset({401, 403})
LARGEST_ANSWER_BYTES: Final = 32 << 20


@dataclass(frozen=True, slots=True)
class Body:
    """An answer that is being read: which byte of the file it begins with, and its parts as they come."""

    start: int
    parts: AsyncIterator[bytes]


class Wire:
    """A hub at `endpoint`. Nothing is contacted before something is asked."""

    def __init__(self, endpoint: str, patience: Patience, *, sleep: Sleep = asyncio.sleep) -> None:
        """Take where the hub is; a token is sent only where HF_TOKEN is set, and to the endpoint alone.

        Raises:
            ModelError: what HF_TOKEN is set to cannot be a token.
        """
        self.host = _host_of(endpoint)
        self._endpoint = endpoint
        self._patience = patience
        self._sleep = sleep
        token = os.environ.get(TOKEN, "").strip()
        if not SENDABLE.fullmatch(token):
            raise ModelError(
                _(
                    "{variable} is set to what no token can be: it has spaces or letters that none has. Nothing was asked. Copy the "
                    "token into it again, and start the bot again.",
                    variable=TOKEN,
                )
            )
        self._headers = {"user-agent": AGENT, "accept-encoding": "identity"} | (
            {"authorization": f"Bearer {token}"} if token else {}
        )

    async def models(self, query: Query) -> list[ModelInfo]:
        """Return the models that the hub finds. Source: https://huggingface.co/docs/hub/api, GET /api/models.

        Raises:
            OfflineError: the hub cannot be reached.
            ModelError: it did not answer as a hub does.
        """
        said = await self._json("/api/models", query, repo="")
        if not isinstance(said, list):
            raise self.no_hub()
        return [self._info(one) for one in said]

    async def info(self, repo: str, revision: str) -> ModelInfo:
        """Return what the hub says of `repo` at `revision` ("": its newest), every file's size and hash with it. Raises as `models`."""
        at = f"/revision/{quote(revision, safe='')}" if revision else ""
        return self._info(await self._json(f"/api/models/{repo}{at}", {"blobs": True}, repo=repo, revision=revision))

    @asynccontextmanager
    async def bytes_of(self, repo: str, revision: str, path: str, *, start: int) -> AsyncIterator[Body]:
        """Give the bytes of a file from `start` on; from 0 where the hub gives no parts of files.

        Raises:
            CutError: the connection broke; also while the body is read.
            OfflineError: the hub cannot be reached.
            ModelError: it refuses, or has no such file.
        """
        url = hf_hub_url(repo, path, revision=revision, endpoint=self._endpoint)
        begin = {"range": f"bytes={start}-"} if start else {}
        async with self._asked(url, {}, begin, repo=repo, revision=revision) as response:
            first = response.history[0] if response.history else response
            commit = first.headers.get("x-repo-commit", revision)
            if commit != revision:
                raise self.no_hub()
            at = _first_byte(response) if response.status_code == httpx2.codes.PARTIAL_CONTENT else 0
            if at not in (0, start):
                raise self.no_hub()
            yield Body(at, self._parts(response))

    async def _parts(self, response: httpx2.Response) -> AsyncIterator[bytes]:
        try:
            async for part in response.aiter_bytes():
                yield part
        except httpx2.TransportError as error:
            raise self._cut() from error

    async def _json(self, path: str, query: Query, *, repo: str, revision: str = "") -> object:
        async with self._asked(self._endpoint + path, query, {}, repo=repo, revision=revision) as response:
            came = bytearray()
            try:
                async for part in response.aiter_bytes():
                    came += part
                    if len(came) > LARGEST_ANSWER_BYTES:
                        raise self.no_hub()
            except httpx2.TransportError as error:
                raise self._offline() from error
        try:
            said: object = json.loads(came)
        except (ValueError, RecursionError) as error:
            raise self.no_hub() from error
        return said

    def _info(self, said: object) -> ModelInfo:
        try:
            return ModelInfo(**said)  # type: ignore[arg-type, no-untyped-call]
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise self.no_hub() from error

    @asynccontextmanager
    async def _asked(
        self, url: str, query: Query, headers: Mapping[str, str], *, repo: str, revision: str
    ) -> AsyncIterator[httpx2.Response]:
        """Give the hub's answer to a GET, once it is neither busy nor broken."""
        patience = self._patience
        limits = httpx2.Timeout(patience.answer_s, connect=patience.connect_s)
        try:
            async with get_async_session() as client:
                request = client.build_request(
                    "GET", url, params=dict(query), headers={**self._headers, **headers}, timeout=limits
                )
                for tried in range(1, patience.tries + 1):
                    response = await client.send(request, stream=True, follow_redirects=True)
                    if response.status_code not in ASK_AGAIN or tried == patience.tries:
                        break
                    await response.aclose()
                    await self._sleep(self._wait_s(response, tried))
                try:
                    self._refuse(response, repo, revision)
                    yield response
                finally:
                    await response.aclose()
        except OfflineModeIsEnabled as error:
            raise self._switched_off() from error
        except (httpx2.TooManyRedirects, httpx2.UnsupportedProtocol, httpx2.InvalidURL, httpx2.DecodingError) as error:
            raise self.no_hub() from error
        except httpx2.TransportError as error:
            raise self._offline() from error

    def _wait_s(self, response: httpx2.Response, tried: int) -> float:
        """Return how long to wait before it is asked again: as long as the hub says, where it says so."""
        asked_s = _retry_after_s(response.headers)
        if asked_s is None:
            return self._patience.pause(tried)
        if asked_s > self._patience.longest_wait_s:
            raise self._busy(_("it asks to wait {minutes} minutes", minutes=max(1, round(asked_s / 60))))
        return asked_s

    def _refuse(self, response: httpx2.Response, repo: str, revision: str) -> None:
        """Raise what a status of 400 or more means."""
        try:
            hf_raise_for_status(response)
        except GatedRepoError as error:
            raise self._gated(repo) from error
        except RevisionNotFoundError as error:
            raise NoModelError(
                _("{repo} has no revision “{revision}” on {host}. Nothing was changed; look at its page for those that it has.",
                  repo=repo, revision=revision, host=self.host)
            ) from error  # fmt: skip
        except RemoteEntryNotFoundError as error:
            raise NoModelError(
                _("{repo} lacks a file that {host} had listed. Nothing was changed; please try again.", repo=repo, host=self.host)
            ) from error
        except (RepositoryNotFoundError, DisabledRepoError) as error:
            raise self._no_such(repo) from error
        except HfHubHTTPError as error:
            status = response.status_code
            if status in DENIED:
                raise self._gated(repo) from error
            if status in ASK_AGAIN:
                raise self._busy(Text("HTTP {status}", (("status", status),))) from error
            raise self._no_such(repo) if status == httpx2.codes.NOT_FOUND and repo else self.no_hub() from error

    def _no_such(self, repo: str) -> NoModelError:
        return NoModelError(
            _(
                "There is no model {repo} on {host}, or it is not public. Check the spelling of OWNER/NAME.",
                repo=repo,
                host=self.host,
            )
        )

    def _gated(self, repo: str) -> ModelError:
        return ModelError(
            _(
                "{repo} is given only to those who accept its terms. Accept them on its page at {host}, set {token} for the bot to a token "
                "of that account, start the bot again, and ask once more; or choose another model.",
                repo=repo,
                host=self.host,
                token=TOKEN,
            )
        )

    def _busy(self, why: Text) -> ModelError:
        return ModelError(
            _("The hub at {host} is too busy or broken ({why}). What came is kept; try again later.", host=self.host, why=why)
        )

    def _cut(self) -> CutError:
        return CutError(
            _(
                "The connection to {host} was cut again and again. What came is kept; ask again, and it goes on there.",
                host=self.host,
            )
        )

    def no_hub(self) -> ModelError:
        """Return the error for an answer that no hub would give."""
        return ModelError(
            _(
                "{host} does not answer as a model hub does. Check {variable}; nothing was changed.",
                host=self.host,
                variable=ENDPOINT,
            )
        )

    def _offline(self) -> OfflineError:
        return OfflineError(
            _(
                "The model hub at {host} cannot be reached from this machine. Everything that is here goes on. Fetch the model on another "
                "machine and carry it in: paring models import FILE",
                host=self.host,
            )
        )

    def _switched_off(self) -> OfflineError:
        return OfflineError(
            _(
                "HF_HUB_OFFLINE is set, so no model hub is asked. Everything that is here goes on. Unset it, or carry the model in: "
                "paring models import FILE"
            )
        )


def _host_of(endpoint: str) -> str:
    """Return host and port of an address, for people: without what may stand before them, a name and a password."""
    try:
        parts = urlsplit(endpoint)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ENDPOINT
    return f"{parts.hostname}{port}" if parts.hostname else endpoint[:80]


def _first_byte(response: httpx2.Response) -> int:
    """Return which byte a partial answer begins with. Source: RFC 9110, 14.4."""
    begin = response.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
    return int(begin[:20]) if begin.isdecimal() else 0  # 20 digits are more than a file has


def _retry_after_s(headers: httpx2.Headers) -> float | None:
    """Return the seconds that a hub asks to wait, None where it asks for none, or for what is no time.

    Source: RFC 9110, 10.2.3, and RateLimit headers.
    """
    try:
        limit = parse_ratelimit_headers(headers)
        if limit is not None and limit.remaining == 0:
            return float(limit.reset_in_seconds)
        said = headers.get("retry-after", "").strip()
        if said.isdecimal():
            return float(int(said))
        until = email.utils.parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
