import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bot.errors import ModelError
from bot.models.runtimes.openai_server import ANSWER_BYTES, Server, is_loopback, load
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import ChatInput, ChatTurn

KEY = "sk-canary-4711"
HELLO = ChatInput((ChatTurn("system", "Be brief."), ChatTurn("user", "안녕")), max_tokens=7)


@dataclass
class Fake:
    """An OpenAI-compatible server that answers as a test tells it."""

    url: str = ""
    status: int = 200
    body: bytes = b""
    hang: threading.Event | None = None
    seen: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)

    def say(self, text: str | None, **more: object) -> None:
        self.body = json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}], **more}).encode()


@pytest.fixture
def fake() -> Iterator[Fake]:
    told = Fake()
    told.say("Hello!", usage={"total_tokens": 21})

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.seen.append((self.path, self.headers.get("Authorization", ""), json.loads(body)))
            if told.hang is not None:
                told.hang.wait(30)
                return
            self.send_response(told.status)
            if told.status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield told
    if told.hang is not None:
        told.hang.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server(fake: Fake) -> Iterator[Server]:
    opened = load(
        ModelSpec("server", "chat", "openai-server", "server", fake.url, "qwen2.5"), Path(), LoadOptions(server_key=KEY)
    )
    yield opened
    opened.close()


def test_a_conversation_is_posted_and_the_answer_read(server: Server, fake: Fake) -> None:
    answers = server.predict([HELLO, HELLO])
    assert [(answer.text, answer.tokens, answer.bytes_sent_out) for answer in answers] == [("Hello!", 21, 0)] * 2
    path, key, body = fake.seen[0]
    assert (path, key) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert body["model"] == "qwen2.5"
    assert body["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "안녕"}]
    assert (body["max_tokens"], body["temperature"], body["stream"]) == (7, 0, False)
    assert server.predict([]) == []


def test_thoughts_are_cut_and_missing_usage_counts_as_none(server: Server, fake: Fake) -> None:
    fake.say("<think>hm</think> Hi.")
    assert (server.predict([HELLO])[0].text, server.predict([HELLO])[0].tokens) == ("Hi.", 0)
    fake.say(None)
    assert server.predict([HELLO])[0].text == ""


@pytest.mark.parametrize(
    ("status", "told"),
    [(401, "CHAT_KEY"), (404, "chat_model"), (413, "shorter"), (429, "busy"), (503, "busy"), (500, "failed"), (302, "failed")],
)
def test_each_refusal_has_its_sentence_in_both_languages(server: Server, fake: Fake, status: int, told: str) -> None:
    fake.status = status
    with pytest.raises(ModelError, match=told) as error:
        server.predict([HELLO])
    assert "127.0.0.1" in error.value.sentence("ko")
    assert error.value.sentence("ko") != error.value.sentence("en")
    assert len(fake.seen) == 1


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"choices": []}', b'{"choices": [{"message": {"content": 5}}]}', b"[" * 100_000]
)
def test_garbage_is_told_in_a_sentence(server: Server, fake: Fake, body: bytes) -> None:
    fake.body = body
    with pytest.raises(ModelError, match="no answer"):
        server.predict([HELLO])


def test_an_endless_answer_is_dropped(server: Server, fake: Fake) -> None:
    fake.body = b" " * (ANSWER_BYTES + 1)
    with pytest.raises(ModelError, match="more than an answer"):
        server.predict([HELLO])


def test_a_server_that_hangs_is_not_waited_for(fake: Fake) -> None:
    fake.hang = threading.Event()
    server = Server(fake.url, model="", seconds=0.05)
    with pytest.raises(ModelError, match="took too long"):
        server.predict([HELLO])
    server.close()


def test_a_server_that_is_down_is_told_in_a_sentence() -> None:
    server = Server("http://127.0.0.1:9", model="")
    with pytest.raises(ModelError, match="cannot be reached"):
        server.predict([HELLO])
    server.close()


def test_bytes_count_as_sent_out_only_where_the_server_is_another_machine(server: Server, fake: Fake) -> None:
    assert [is_loopback(host) for host in ("localhost", "127.0.0.2", "::1", "10.0.0.2", "models.example", "localhost.example")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
    server._local = False
    assert server.predict([HELLO])[0].bytes_sent_out == len(json.dumps(fake.seen[0][2]).encode())


def test_an_address_that_is_none_is_refused() -> None:
    for address in ("", "localhost:8080", "file:///etc/passwd", "http://"):
        with pytest.raises(ModelError, match="not a URL"):
            load(ModelSpec("server", "chat", "openai-server", "server", address), Path(), LoadOptions())


def test_the_key_is_nowhere_in_logs_errors_or_repr(server: Server, fake: Fake, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fake.status = 401
    with pytest.raises(ModelError) as error:
        server.predict([HELLO])
    shown = " ".join(
        [caplog.text, str(error.value), repr(server), repr(LoadOptions(server_key=KEY)), repr(error.value.__cause__)]
    )
    assert KEY not in shown
