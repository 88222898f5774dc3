from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fakes.web import MemoryIntake, MemoryTranscript
from pydantic import SecretStr

from bot.channels.channel import Channel
from bot.channels.web import ME, Web
from bot.channels.web_server import is_loopback
from bot.config import LimitSettings, WebSettings
from bot.errors import ChannelError, SettingsError
from bot.locale import Text
from bot.message import Address, Attachment, Command, Picture, Press, Reply
from bot.skill import CommandSpec
from bot.store.blobs import BlobStore

ID = "0123456789abcdef"
HERE = Address("web", "local", ME)
OWN = {"x-paring": "en"}


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


@pytest.fixture
def transcript() -> MemoryTranscript:
    return MemoryTranscript()


@pytest.fixture
def intake(transcript: MemoryTranscript, blobs: BlobStore) -> MemoryIntake:
    return MemoryIntake(transcript, blobs)


@pytest.fixture
def web(transcript: MemoryTranscript, blobs: BlobStore) -> Web:
    return Web(WebSettings(port=0), blobs=blobs, transcript=transcript, sizes=LimitSettings(text_bytes=2000))


@asynccontextmanager
async def running(web: Web, intake: MemoryIntake) -> AsyncIterator[httpx.AsyncClient]:
    task = asyncio.create_task(web.run(intake))
    ready = asyncio.create_task(web.ready.wait())
    await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    if task.done():
        task.result()
    try:
        async with httpx.AsyncClient(base_url=web.url, headers=OWN) as client:
            yield client
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_it_is_a_channel(web: Web) -> None:
    channel: Channel = web
    assert (channel.name, channel.account) == ("web", "local")
    assert channel.limits.edits
    assert channel.limits.repeatable_sends


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "chat.example"])
def test_a_page_that_others_reach_needs_a_password(blobs: BlobStore, transcript: MemoryTranscript, host: str) -> None:
    with pytest.raises(SettingsError, match="PARING_WEB__PASSWORD") as caught:
        Web(WebSettings(host=host), blobs=blobs, transcript=transcript)
    assert host in caught.value.sentence("ko")


def test_with_a_password_any_address_may_be_served(blobs: BlobStore, transcript: MemoryTranscript) -> None:
    Web(WebSettings(host="0.0.0.0", password="secret"), blobs=blobs, transcript=transcript)


@pytest.mark.parametrize(
    ("host", "own"), [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("10.0.0.1", False)]
)
def test_loopback_is_known(host: str, *, own: bool) -> None:
    assert is_loopback(host) is own


async def test_the_server_says_where_it_is_and_stops_when_cancelled(web: Web, intake: MemoryIntake) -> None:
    async with running(web, intake) as client:
        assert web.url.startswith("http://127.0.0.1:")
        assert not web.url.endswith(":0")
        assert (await client.get("/healthz")).json() == {"ok": True}
        url = web.url
    assert not web.ready.is_set()
    async with httpx.AsyncClient() as late:
        with pytest.raises(httpx.ConnectError):
            await late.get(f"{url}/healthz")


async def test_the_page_can_be_served_again_in_the_same_process(web: Web, intake: MemoryIntake) -> None:
    for _time in range(2):
        async with running(web, intake) as client:
            page = await client.get("/")
            assert page.status_code == 200
            assert 'id="paring"' in page.text


async def test_the_page_shows_the_past_before_any_script_runs(web: Web, intake: MemoryIntake) -> None:
    intake.transcript.put("1", Reply("It is **here**.", "en"))
    async with running(web, intake) as client:
        page = await client.get("/")
    assert "It is <strong>here</strong>." in page.text
    assert "unsafe-eval" not in page.headers["content-security-policy"]
    nonce = page.headers["content-security-policy"].split("'nonce-")[1].split("'")[0]
    assert page.text.count("<script") == page.text.count(f'<script nonce="{nonce}"') + 2  # facts, and a file of our own
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text


async def test_the_page_opens_in_the_language_that_was_settled(web: Web, intake: MemoryIntake) -> None:
    intake.settled = "ko"
    async with running(web, intake) as client:
        assert 'data-language="ko"' in (await client.get("/", headers={"accept-language": "en"})).text
        assert 'data-language="en"' in (await client.get("/", headers={"cookie": "paring-language=en"})).text


async def test_no_variable_makes_it_send_anything_to_a_collector(
    web: Web, intake: MemoryIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://203.0.113.7:4318")
    async with running(web, intake) as client:  # FastAPI would look for its exporter, or use it
        assert (await client.get("/healthz")).status_code == 200


async def test_a_port_that_is_taken_is_told(blobs: BlobStore, transcript: MemoryTranscript, intake: MemoryIntake) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        web = Web(WebSettings(port=port), blobs=blobs, transcript=transcript)
        with pytest.raises(ChannelError, match=f"Port {port} is taken.*PARING_WEB__PORT={port + 1} paring run"):
            await web.run(intake)


async def test_an_address_that_is_not_this_machines_is_told(blobs: BlobStore, transcript: MemoryTranscript) -> None:
    web = Web(WebSettings(host="203.0.113.7", password=SecretStr("x")), blobs=blobs, transcript=transcript)
    with pytest.raises(ChannelError, match=r"cannot listen on 203\.0\.113\.7.*: it is no address of this machine\. Set"):
        await web.run(MemoryIntake(transcript, blobs))


async def test_a_message_is_committed_once_however_often_it_is_sent(web: Web, intake: MemoryIntake) -> None:
    async with running(web, intake) as client:
        answers = [await client.post("/api/say", json={"id": ID, "text": "/SUM 50"}) for _time in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.json()["digest"] for answer in answers}) == 1
    (message,) = intake.messages
    assert message.address == HERE
    assert (message.id, message.sender, message.text, message.command) == (ID, ME, "/SUM 50", Command("sum", "50"))
    assert message.sent_at.tzinfo is not None


async def test_a_message_may_reply_to_an_answer(web: Web, intake: MemoryIntake) -> None:
    blob = intake.keep(b"picture")
    intake.transcript.put("17", Reply("Look.", "en", images=(Picture(blob, "a chart"),)))
    async with running(web, intake) as client:
        await client.post("/api/say", json={"id": ID, "text": "tl;dr", "reply_to": "17"})
    quoted = intake.messages[0].reply_to
    assert quoted is not None
    assert (quoted.text, quoted.by_bot, quoted.attachments[0].blob) == ("Look.", True, blob)


async def test_a_quoted_message_does_not_drag_its_own_quotes_along(web: Web, intake: MemoryIntake) -> None:
    async with running(web, intake) as client:
        for id_, to in (("a" * 8, ""), ("b" * 8, "a" * 8), ("c" * 8, "b" * 8)):
            await client.post("/api/say", json={"id": id_, "text": id_, "reply_to": to})
    quoted = intake.messages[-1].reply_to
    assert quoted is not None
    assert quoted.reply_to is None


async def test_a_text_over_the_limit_is_told_and_not_taken(web: Web, intake: MemoryIntake) -> None:
    async with running(web, intake) as client:
        answer = await client.post("/api/say", json={"id": ID, "text": "가" * 700})
    assert answer.status_code == 413
    assert intake.accepted == []


async def test_what_no_database_takes_is_cleaned_away(web: Web, intake: MemoryIntake) -> None:
    async with running(web, intake) as client:
        await client.post("/api/say", content=b'{"id":"%s","text":"a\\u0000b\\ud800c"}' % ID.encode())
    assert intake.messages[0].text == "ab\ufffdc"


async def test_a_press_is_committed_and_its_note_returned(web: Web, intake: MemoryIntake) -> None:
    intake.note = "This button has expired."
    async with running(web, intake) as client:
        answer = await client.post("/api/press", json={"id": ID, "token": "tok"})
    assert answer.json() == {"note": "This button has expired."}
    (press,) = intake.presses
    assert isinstance(press, Press)
    assert (press.address, press.sender, press.token) == (HERE, ME, "tok")


async def test_a_send_without_a_browser_is_in_the_transcript_and_takes_its_key(web: Web) -> None:
    assert await web.send(Reply("hello", "en"), HERE, key="17") == "17"
    assert await web.edit("17", Reply("hello", "en"), HERE) == "17"
    await web.typing(HERE)


async def test_the_past_is_fetched_page_by_page(web: Web, intake: MemoryIntake) -> None:
    for number in range(70):
        intake.transcript.put(f"r{number}", Reply(f"answer {number}", "en"))
    seen: list[str] = []
    async with running(web, intake) as client:
        before, earlier = "", True
        while earlier:
            page = (await client.get("/api/history", params={"before": before})).json()
            seen = [entry["id"] for entry in page["entries"]] + seen
            before, earlier = page["entries"][0]["place"], page["earlier"]
    assert seen == [f"r{number}" for number in range(70)]


async def test_the_page_whose_person_is_no_admin_offers_no_admin_commands(
    transcript: MemoryTranscript, blobs: BlobStore, intake: MemoryIntake
) -> None:
    web = Web(WebSettings(port=0, admin=False), blobs=blobs, transcript=transcript)
    await web.publish_commands([CommandSpec("sum", Text("Summarise"))], [CommandSpec("swap", Text("Swap a model"))])
    async with running(web, intake) as client:
        page = (await client.get("/")).text
    assert '"name": "sum"' in page
    assert '"name": "swap"' not in page


async def test_the_menu_of_commands_comes_with_the_page(web: Web, intake: MemoryIntake) -> None:
    hidden = CommandSpec("debug", Text("Hidden"), listed=False)
    await web.publish_commands([CommandSpec("sum", Text("Summarise")), hidden], [CommandSpec("swap", Text("Swap a model"))])
    async with running(web, intake) as client:
        page = (await client.get("/")).text
    assert '"name": "sum"' in page
    assert '"name": "swap"' in page
    assert "debug" not in page.split('id="facts"')[1]


async def test_fetch_copies_the_blob(web: Web, intake: MemoryIntake, tmp_path: Path) -> None:
    blob = intake.keep(b"bytes")
    await web.fetch(Attachment("document", "a", "", 5, blob=blob), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"bytes"
    with pytest.raises(ChannelError, match="no longer here"):
        await web.fetch(Attachment("document", "a", "", 5, blob="ab" * 32), tmp_path / "out")


async def test_a_locked_page_leads_to_the_door(blobs: BlobStore, transcript: MemoryTranscript, intake: MemoryIntake) -> None:
    web = Web(WebSettings(port=0, password="secret"), blobs=blobs, transcript=transcript)
    async with running(web, intake) as client:
        assert (await client.get("/")).headers["location"] == "/sign-in"
        assert (await client.post("/api/say", json={"id": ID, "text": "a"})).status_code == 401
        await client.post("/sign-in", data={"password": "secret"})
        assert 'action="/sign-out"' in (await client.get("/")).text
    assert intake.accepted == []
