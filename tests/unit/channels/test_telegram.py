from __future__ import annotations

import ast
import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from telegram import Message as TelegramMessage
from telegram.error import TelegramError

from bot.channels.backoff import LONGEST_WAIT_S, Backoff
from bot.channels.telegram import Telegram
from bot.channels.telegram_errors import translated
from bot.channels.telegram_polling import Poller
from bot.channels.telegram_request import AiohttpRequest, RefusedError, TooLongError, UnansweredError, UnreachedError, _refusal
from bot.channels.telegram_wire import Wire, file_told
from bot.config import TelegramSettings
from bot.errors import AmbiguousSendError, ChannelError, GoneError, RetryLaterError, SettingsError, StoreError
from bot.locale import Text

CHANNELS = Path(__file__).parents[3] / "bot" / "channels"
LEAVES = sorted(CHANNELS.glob("telegram*.py"))


class NoBlobs:
    def path(self, blob: str) -> Path:
        return Path(blob)

    def keep(self, data: bytes) -> str:
        return ""


def settings(**given: object) -> TelegramSettings:
    return TelegramSettings.model_validate({"token": SecretStr("123:abc"), **given})


def test_the_account_is_the_tokens_number() -> None:
    assert Telegram(settings(token=SecretStr(" 4711:a-B_c \n")), blobs=NoBlobs()).account == "4711"


@pytest.mark.parametrize("token", ["", "abc", "123", "123:", ":abc", "123:a b", "١٢٣:abc"])
def test_what_is_no_token_is_told(token: str) -> None:
    with pytest.raises(SettingsError, match="PARING_TELEGRAM__TOKEN") as caught:
        Telegram(settings(token=SecretStr(token)), blobs=NoBlobs())
    assert "봇 토큰" in caught.value.sentence("ko")


@pytest.mark.parametrize("secret", ["", "a b", "비밀", "x" * 257])
def test_a_webhook_needs_a_secret_that_telegram_takes(secret: str) -> None:
    with pytest.raises(SettingsError, match="WEBHOOK_SECRET"):
        Telegram(settings(webhook_url="https://a.b/c", webhook_secret=SecretStr(secret)), blobs=NoBlobs())


@pytest.mark.parametrize(
    ("base", "root"),
    [
        ("https://api.telegram.org/bot", "https://api.telegram.org/bot123:abc"),
        ("http://127.0.0.1:8081/bot/", "http://127.0.0.1:8081/bot123:abc"),
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081/bot123:abc"),
        (" http://host/prefix/bot ", "http://host/prefix/bot123:abc"),
    ],
)
def test_a_servers_address_is_taken_in_all_its_spellings(base: str, root: str) -> None:
    assert Wire("123:abc", settings(base_url=base), read_s=1).bot.base_url == root


@pytest.mark.parametrize(
    ("given", "files"),
    [
        ({}, "https://api.telegram.org/file/bot"),
        ({"base_url": "http://127.0.0.1:8081/bot/"}, "http://127.0.0.1:8081/file/bot"),
        ({"base_url": "http://127.0.0.1:8081"}, "http://127.0.0.1:8081/file/bot"),
        ({"base_url": "http://127.0.0.1:8081", "base_file_url": "http://127.0.0.1:9/"}, "http://127.0.0.1:9/file/bot"),
    ],
)
def test_files_are_where_the_server_is_unless_the_settings_say_otherwise(given: dict[str, str], files: str) -> None:
    assert Wire("123:abc", settings(**given), read_s=1).bot.base_file_url == f"{files}123:abc"


@pytest.mark.parametrize(
    ("error", "kind", "retry_after_s"),
    [
        (RefusedError(429, "Too Many Requests: retry after 5", retry_after_s=5), RetryLaterError, 5),
        (RefusedError(429, "Too Many Requests"), RetryLaterError, 1),
        (_refusal(429, b'{"description": "Too Many Requests: retry after 17"}'), RetryLaterError, 17),
        (RefusedError(503, "Service Unavailable"), RetryLaterError, 2),
        (UnreachedError("ClientConnectorError"), RetryLaterError, 2),
        (UnansweredError("ServerDisconnectedError"), AmbiguousSendError, None),
        (RefusedError(403, "Forbidden: bot was blocked by the user"), GoneError, None),
        (RefusedError(400, "Bad Request: chat not found"), GoneError, None),
        (RefusedError(400, "Bad Request: PEER_ID_INVALID"), GoneError, None),
        (RefusedError(400, "Bad Request: message is too long"), ChannelError, None),
        (RefusedError(413, "Request Entity Too Large"), ChannelError, None),
        (RefusedError(401, "Unauthorized"), RetryLaterError, 30),
        (RefusedError(409, "Conflict: terminated by other getUpdates request"), RetryLaterError, 2),
        *(
            (_refusal(429, b'{"ok": false, "parameters": {"retry_after": %s}}' % wait), RetryLaterError, 1)
            for wait in (b"-1", b"1e9", b'"abc"', b"NaN", b"-Infinity", b"1e400", b"null", b"[]", b"-" + b"9" * 400)
        ),
        (TelegramError("odd"), ChannelError, None),
    ],
)
def test_every_refusal_is_one_of_the_houses_errors(error: TelegramError, kind: type, retry_after_s: float | None) -> None:
    house = translated(error)
    assert type(house) is kind
    assert getattr(house, "retry_after_s", None) == retry_after_s
    assert any("가" <= sign <= "힣" for sign in house.sentence("ko"))


@pytest.mark.parametrize(
    ("status", "payload", "kind"),
    [
        (500, b'{"ok":false,"error_code":500,"description":"Internal Server Error: restart"}', UnansweredError),
        (502, b"<html>Bad Gateway</html>", UnansweredError),
        (503, b"", RefusedError),
        (400, b"\xff", UnreachedError),
        (403, b"<html>Blocked by your provider</html>", UnreachedError),
        (403, b'{"ok":false,"description":"Forbidden: bot was kicked"}', RefusedError),
        (302, b"", UnreachedError),
        (413, b"<html>nginx</html>", RefusedError),
        (400, b'{"ok":false,"description":"x","parameters":{"migrate_to_chat_id":Infinity}}', RefusedError),
        (429, b'{"parameters": []}', RefusedError),
        (404, b'{"description": 3}', RefusedError),
    ],
)
def test_an_answer_that_is_no_answer_tells_what_is_known_of_the_request(status: int, payload: bytes, kind: type) -> None:
    assert type(_refusal(status, payload)) is kind


@pytest.mark.parametrize(("status", "kind"), [(404, UnreachedError), (405, UnreachedError), (501, UnansweredError)])
def test_a_page_in_a_methods_place_says_that_there_is_none_only_where_the_bot_does_without(status: int, kind: type) -> None:
    page = b'{"detail":"Not Found"}'
    assert type(_refusal(status, page, asked="sendMessage")) is kind
    lacking = _refusal(status, page, asked="sendChatAction")
    assert isinstance(lacking, RefusedError)
    assert lacking.code == 404


@pytest.mark.parametrize("payload", [b'{"ok": false, "error_code": 429, "parameters": {"retry_after": 3}}'])
def test_a_refusal_is_one_whatever_its_http_status(payload: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        AiohttpRequest.parse_json_payload(payload)
    assert (caught.value.code, caught.value.retry_after_s) == (429, 3.0)


def test_a_sent_message_needs_no_more_than_its_number() -> None:
    answer: Any = AiohttpRequest.parse_json_payload(b'{"ok": true, "result": {"message_id": 5}}')
    assert TelegramMessage.de_json(answer["result"], None).message_id == 5


def test_the_answers_parameters_are_read() -> None:
    body = {"description": "d", "parameters": {"retry_after": 3, "migrate_to_chat_id": -1001234567890123}}
    error = _refusal(400, json.dumps(body).encode())
    assert isinstance(error, RefusedError)
    assert (error.retry_after_s, error.migrated_to) == (3.0, -1001234567890123)


@pytest.mark.parametrize("told", [None, [], {}, {"file_path": ""}, {"file_path": 3}])
def test_a_file_without_a_path_cannot_be_had(told: object) -> None:
    with pytest.raises(RefusedError, match="unavailable"):
        file_told(told)


@pytest.mark.parametrize(("told_bytes", "whole"), [(3, True), (0, True), (10, False)])
async def test_a_file_whose_answer_tells_no_end_is_measured_by_what_was_told(
    tmp_path: Path, told_bytes: int, whole: bool
) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc")
        await writer.drain()
        writer.close()

    into = tmp_path / "file"
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/file"
        with nullcontext() if whole else pytest.raises(UnansweredError, match="cut off"):
            await AiohttpRequest(base_url=url).download(url, into, limit_bytes=100, told_bytes=told_bytes)
    assert into.exists() == whole


async def test_connections_in_use_outlive_a_shutdown_and_are_closed_after() -> None:
    request = AiohttpRequest(base_url="http://127.0.0.1:9/bot")
    await request.initialize()
    async with request._lease() as first, request._lease() as second:
        assert first is second
        await request.shutdown()
        assert not first.closed
    assert first.closed
    async with request._lease() as alone:
        assert alone is not first
    assert alone.closed
    await request.initialize()
    async with request._lease() as again:
        pass
    assert not again.closed
    await request.shutdown()
    assert again.closed


async def test_waits_grow_to_a_limit_and_begin_anew() -> None:
    waits: list[float] = []

    async def pause(seconds: float) -> None:
        waits.append(seconds)

    backoff = Backoff(pause, random.Random(0))
    for _failure in range(12):
        await backoff.wait()
    assert all(0.5 * min(0.5 * 2**n, LONGEST_WAIT_S) <= wait <= min(0.5 * 2**n, LONGEST_WAIT_S) for n, wait in enumerate(waits))
    assert backoff.succeeded()
    assert not backoff.succeeded()
    await backoff.wait(at_least_s=7.0)
    assert waits[-1] == 7.0
    await backoff.wait(at_least_s=1e9)
    assert waits[-1] == 300.0


@pytest.mark.parametrize("order", [(7, 5, 6, 5), (5, 6, 7, 7), (5, 6, 7, -5, 2**31, 2**52, 10**18, True)])
async def test_updates_out_of_order_and_twice_are_taken_once_in_their_order_and_no_false_number_confirms_any(
    order: Sequence[int],
) -> None:
    taken: list[object] = []
    asked: list[object] = []

    class Api:
        async def call(self, method: str, *, read_s: float = 0, **parameters: str | int | list[str]) -> object:
            asked.append(parameters.get("offset"))
            if len(asked) > 1:
                raise RefusedError(401, "Unauthorized")
            return [{"update_id": number} for number in order]

    async def take(updates: Sequence[object]) -> None:
        taken.extend(updates)

    await Poller(Api(), take, poll_s=0).run()
    assert taken == [{"update_id": number} for number in (5, 6, 7)]
    assert asked == [None, 8]


@pytest.mark.parametrize("step", [1, -1])
async def test_of_an_update_that_is_told_twice_the_one_that_says_more_is_taken(step: int) -> None:
    told: list[dict[str, object]] = [{"update_id": 5}, {"update_id": 5, "message": {"message_id": 1}}]
    taken: list[object] = []

    class Api:
        async def call(self, method: str, *, read_s: float = 0, **parameters: str | int | list[str]) -> object:
            if "offset" in parameters:
                raise RefusedError(401, "Unauthorized")
            return told[::step]

    async def take(updates: Sequence[object]) -> None:
        taken.extend(updates)

    await Poller(Api(), take, poll_s=0).run()
    assert taken == [told[1]]


async def test_the_offset_moves_only_past_what_was_taken() -> None:
    asked: list[object] = []
    taken: list[object] = []

    class Api:
        async def call(self, method: str, *, read_s: float = 0, **parameters: str | int | list[str]) -> object:
            asked.append(parameters.get("offset"))
            if len(asked) > 4:
                raise RefusedError(401, "Unauthorized")
            return [{"update_id": 5}, "odd", {"update_id": "7"}, {"update_id": 6}] if len(asked) < 3 else {"no": "list"}

    async def take(updates: Sequence[object]) -> None:
        taken.extend(updates)
        if taken == [{"update_id": 5}, {"update_id": 6}]:
            raise StoreError("full")

    async def pause(_seconds: float) -> None:
        pass

    await Poller(Api(), take, poll_s=0, backoff=Backoff(pause)).run()
    assert asked == [None, 6, 7, 7, 7]
    assert taken == [{"update_id": number} for number in (5, 6, 5, 6)]


async def polled(*answers: object) -> tuple[list[int], list[object]]:
    """Return which updates were taken, and what was asked for, offset and limit, where Telegram answers so."""
    asked: list[object] = []
    taken: list[int] = []

    class Api:
        async def call(self, method: str, *, read_s: float = 0, **parameters: str | int | list[str]) -> object:
            asked.append((parameters.get("offset"), parameters.get("limit")))
            answer = answers[len(asked) - 1] if len(asked) <= len(answers) else RefusedError(401, "Unauthorized")
            if isinstance(answer, Exception):
                raise answer
            return [{"update_id": number} for number in answer]  # type: ignore[attr-defined]

    async def take(updates: Sequence[Mapping[str, object]]) -> None:
        taken.extend(int(str(update["update_id"])) for update in updates)

    async def pause(_seconds: float) -> None:
        pass

    await Poller(Api(), take, poll_s=0, backoff=Backoff(pause)).run()
    return taken, asked


async def test_a_number_far_past_the_others_confirms_nothing_until_it_comes_twice() -> None:
    made_up, jumped = 2**30, 2**29
    taken, asked = await polled([5, made_up], [6, made_up + 1], [jumped], [jumped], [jumped + 1])
    assert taken == [5, 6, jumped, jumped + 1]
    assert [offset for offset, _limit in asked] == [None, 6, 7, 7, jumped + 1, jumped + 2]


@pytest.mark.parametrize("first", [0, 2**31 - 1, 1_780_000_000_000])
async def test_a_server_may_count_its_updates_from_anywhere(first: int) -> None:
    taken, asked = await polled([first], [first, first + 1])
    assert taken == [first, first, first + 1]
    assert [offset for offset, _limit in asked] == [None, first + 1, first + 2]


async def test_updates_too_long_to_be_read_are_asked_for_one_by_one_and_only_such_a_one_is_left_out() -> None:
    long = TooLongError(b'{"ok":true,"result":[{"update_id":7,"message":{"text":"aaa')
    taken, asked = await polled([6], long, long, long, [8])
    assert taken == [6, 8]
    assert asked == [(None, None), (7, None), (7, 10), (7, 1), (8, 1), (9, None)]


def test_every_sentence_has_its_korean() -> None:
    sentences = [
        str(node.args[0].value)
        for leaf in LEAVES
        for node in ast.walk(ast.parse(leaf.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "_"
        and isinstance(node.args[0], ast.Constant)
    ]
    assert len(sentences) > 10
    untranslated = [sentence for sentence in sentences if Text(sentence, (), CHANNELS).to("ko") == sentence]
    assert untranslated == []


def test_the_channel_brings_no_model_library_and_nobody_else_brings_the_platforms() -> None:
    program = (
        "import bot.channels.telegram, sys; print([n for n in ('torch', 'transformers', 'numpy', 'PIL') if n in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
    package = CHANNELS.parents[0]
    others = [path for path in package.rglob("*.py") if path not in LEAVES]
    assert not [path for path in others if "\nfrom telegram " in path.read_text(encoding="utf-8")]
