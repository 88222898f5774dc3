"""A chat model behind an OpenAI-compatible server of one's own: llama.cpp, Ollama, vLLM, LocalAI and kin.

Owns: one POST to `{base}/chat/completions` an input, its limits, and a sentence for each way to fail. `spec.location` is
the base URL (`http://127.0.0.1:11434/v1`), `spec.revision` the model's name on the server. A server on another host is
asked only because an admin wrote its address into the settings; what is sent to it is counted as having left the machine,
while loopback counts as nothing. Proxies of the environment are not used, redirects not followed; the key is sent in one
header and written nowhere.

    model = load(spec, Path(), LoadOptions(server_key="..."))
    model.predict([ChatInput((ChatTurn("user", "안녕"),))])

Source: the OpenAI API reference, "Create chat completion", as llama.cpp's server and Ollama document their versions of it.
"""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bot.errors import ModelError
from bot.locale import Text, phrases
from bot.models.runtimes.thoughts import spoken
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import ChatInput, ChatOutput

if TYPE_CHECKING:
    import httpx

_ = phrases(__file__)

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 180.0
"""How long the server may be silent: a small machine reads a long prompt for a minute or two."""
ANSWER_BYTES: Final = 4 * 1024 * 1024


def load(spec: ModelSpec, _folder: Path, options: LoadOptions) -> Server:
    """Return a client of the server at `spec.location`; nothing is sent yet.

    Raises:
        ModelError: the address is no http(s) URL.
    """
    parts = urlsplit(spec.location)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ModelError(
            _(
                "The chat server's address “{address}” is not a URL. Write one like http://127.0.0.1:11434/v1 into models.chat_url.",
                address=spec.location,
            )
        )
    return Server(spec.location, model=spec.revision, key=options.server_key)


class Server:
    """A client of one server. Conversations are sent one after another."""

    def __init__(self, base_url: str, *, model: str, key: str = "", seconds: float = ANSWER_SECONDS) -> None:
        """Keep the address; open the connection pool.

        Args:
            base_url: up to and with `/v1`.
            model: the model's name there; "" where the server has but one.
            key: sent as a bearer token where it is not "".
            seconds: how long the server may be silent.
        """
        import httpx  # noqa: PLC0415 - 60 ms, and only where a server is asked

        self.host = urlsplit(base_url).hostname or ""
        self._model = model
        self._seconds = seconds
        self._local = is_loopback(self.host)
        self._client = httpx.Client(
            base_url=base_url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS),
            trust_env=False,
            follow_redirects=False,
        )

    def predict(self, batch: Sequence[ChatInput]) -> list[ChatOutput]:
        """Return the next turns in order.

        Raises:
            ModelError: the server cannot be reached, refuses, takes too long, or answers what is no answer.
        """
        return [self._ask(item) for item in batch]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, item: ChatInput) -> ChatOutput:
        body = json.dumps(
            {
                **({"model": self._model} if self._model else {}),
                "messages": [{"role": turn.role, "content": turn.text} for turn in item.turns],
                "max_tokens": item.max_tokens,
                "temperature": 0,
                "seed": 0,
                "stream": False,
            },
            ensure_ascii=True,
        ).encode()
        text, tokens = self._read(self._post(body))
        return ChatOutput(text, tokens, 0 if self._local else len(body))

    def _post(self, body: bytes) -> bytes:
        import httpx  # noqa: PLC0415 - already loaded

        try:
            with self._client.stream(
                "POST", "chat/completions", content=body, headers={"Content-Type": "application/json"}
            ) as response:
                if response.status_code != httpx.codes.OK:
                    raise ModelError(_reason(response.status_code, self.host))
                return self._bounded(response)
        except httpx.ConnectError as error:
            raise ModelError(
                _("The chat server at {host} cannot be reached. Nothing was sent; start it, or ask an admin to.", host=self.host)
            ) from error
        except httpx.TimeoutException as error:
            raise self._late() from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise ModelError(
                _("The connection to the chat server at {host} broke before it had answered. Please ask again.", host=self.host)
            ) from error

    def _bounded(self, response: httpx.Response) -> bytes:
        answer, until = bytearray(), time.monotonic() + self._seconds
        for chunk in response.iter_bytes():
            answer += chunk
            if time.monotonic() > until:
                raise self._late()
            if len(answer) > ANSWER_BYTES:
                raise ModelError(
                    _("The chat server at {host} sent more than an answer can be, so it was dropped.", host=self.host)
                )
        return bytes(answer)

    def _late(self) -> ModelError:
        return ModelError(
            _(
                "The chat server at {host} took too long and was not waited for. Ask something shorter, or try again later.",
                host=self.host,
            )
        )

    def _read(self, answer: bytes) -> tuple[str, int]:
        try:
            value = json.loads(answer)
            text = _text(value["choices"][0]["message"]["content"])
            tokens = int((value.get("usage") or {}).get("total_tokens") or 0)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
            raise ModelError(
                _(
                    "The chat server at {host} sent what is no answer. Check that models.chat_url ends where its API begins, often in /v1.",
                    host=self.host,
                )
            ) from error
        return spoken(text), tokens


def is_loopback(host: str) -> bool:
    """Say whether `host` is this machine by its address alone; a name other than localhost is not trusted to be."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _text(content: object) -> str:
    """Return the answer's text; null stands for none. Raises TypeError for anything else."""
    if content is not None and not isinstance(content, str):
        raise TypeError
    return content or ""


def _reason(status: int, host: str) -> Text:
    if status in (401, 403):
        return _("The chat server at {host} wants another key. An admin sets it as PARING_MODELS__CHAT_KEY.", host=host)
    if status == 404:  # noqa: PLR2004 - an HTTP status
        return _(
            "The chat server at {host} knows no such address or model. Check models.chat_url and models.chat_model.", host=host
        )
    if status in (400, 413, 422):
        return _(
            "The chat server at {host} does not take this conversation ({status}). Start a new one, or ask something shorter.",
            host=host,
            status=status,
        )
    if status in (429, 503):
        return _("The chat server at {host} is busy. Please ask again in a minute.", host=host)
    return _(
        "The chat server at {host} failed ({status}). Nothing was lost; please ask again, or ask an admin to look.",
        host=host,
        status=status,
    )
