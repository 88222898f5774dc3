from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fakes.web import MemoryDocuments, MemoryTranscript
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.channels.web_documents import DocumentPages, source_link
from bot.channels.web_render import Renderer
from bot.contract.hostile_texts import HOSTILE
from bot.message import Address, Message, Source
from bot.passage import Scope
from bot.store.blobs import BlobStore
from bot.store.documents import digest_of

HERE = Address("web", "local", "me")
LEASE = "Rent is due. Notice: 3 months. End."


@dataclass
class House:
    documents: MemoryDocuments
    transcript: MemoryTranscript
    blobs: BlobStore
    client: httpx.AsyncClient


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    documents, transcript, blobs = MemoryDocuments(), MemoryTranscript(), BlobStore(tmp_path / "blobs")
    pages = DocumentPages(documents, address=HERE, transcript=transcript, files=blobs, renderer=Renderer())

    async def show(request: Request) -> Response:
        return await pages.show(request, "en")

    async def original(request: Request) -> Response:
        return await pages.original(request, "en")

    async def message(request: Request) -> Response:
        return await pages.message(request, "ko")

    app = Starlette(
        routes=[
            Route("/documents/{number}", show),
            Route("/documents/{number}/original", original),
            Route("/messages/{id}", message),
        ]
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield House(documents, transcript, blobs, client)


@pytest.mark.parametrize(
    ("link", "opens"),
    [
        ("document:12", f"/documents/12?near={digest_of(LEASE)}&mark=13-30#found"),
        ("document:12#page=4", f"/documents/12?near={digest_of(LEASE)}&mark=13-30#found"),
        ("message:web/local/me/abc_-9", "/messages/abc_-9"),
        ("https://example.org/a", "https://example.org/a"),
        ("/blobs/x", "/blobs/x"),
        ("message:telegram/bot/7/5", ""),
        ("message:web/local/me/../../x", ""),
        ("document:12/../../x", ""),
        ("document:x", ""),
        ("javascript:alert(1)", ""),
        ("", ""),
    ],
)
def test_what_a_source_opens(link: str, opens: str) -> None:
    assert source_link(Source("t", LEASE, link, 0.5, (13, 30))) == opens


async def test_the_page_of_a_document_marks_the_sentence_that_answered(house: House) -> None:
    house.documents.put(12, "folder/lease.txt", "before", LEASE, page=4)
    page = (await house.client.get(source_link(Source("t", LEASE, "document:12#page=4", 0.5, (13, 30))))).text
    assert 'id="found"' in page
    assert "Rent is due. <mark>Notice: 3 months.</mark> End." in page
    assert "<h1><bdi>lease.txt</bdi></h1>" in page
    assert page.count("Page 4") == 1
    assert "has changed" not in page


async def test_a_passage_that_is_there_no_more_is_told(house: House) -> None:
    house.documents.put(12, "lease.txt", "all new")
    page = await house.client.get("/documents/12?near=0123456789abcdef&mark=0-5")
    assert page.status_code == 200
    assert "has changed since that answer" in page.text
    assert "all new" in page.text
    assert "<mark>" not in page.text


async def test_a_mark_that_does_not_fit_marks_nothing(house: House) -> None:
    house.documents.put(12, "lease.txt", LEASE)
    for mark in ("5-5000", "9-2", "x", "-1-4", "1-2-3"):
        page = await house.client.get(f"/documents/12?near={digest_of(LEASE)}&mark={mark}")
        assert "<mark>" not in page.text
        assert 'id="found"' in page.text


@pytest.mark.parametrize(
    "path", ["/documents/7", "/documents/x", "/documents/99999999999999999999999", "/documents/%00", "/messages/x"]
)
async def test_what_is_not_there_is_a_sentence(house: House, path: str) -> None:
    answer = await house.client.get(path)
    assert answer.status_code == 404
    assert "not here any more" in answer.text or "이제 여기에 없어요" in answer.text


async def test_a_document_of_another_chat_is_not_shown(house: House) -> None:
    house.documents.put(12, "secret.txt", "secret", scope=Scope("dm", "telegram/bot/7"))
    assert (await house.client.get("/documents/12")).status_code == 404
    assert (await house.client.get("/documents/12/original")).status_code == 404


async def test_a_long_document_leads_on(house: House) -> None:
    house.documents.put(12, "long.txt", *(f"passage {number}" for number in range(5)))
    page = (await house.client.get("/documents/12?from=3")).text
    assert "passage 3" in page
    assert "passage 2" not in page
    assert 'href="?from=0"' in page


async def test_headings_skip_no_level(house: House) -> None:
    house.documents.put(12, "plan.md", LEASE, heading="Lease")
    assert '<h2 dir="auto">Lease</h2>' in (await house.client.get("/documents/12")).text
    house.documents.put(13, "plan.pdf", LEASE, heading="Lease", page=4)
    page = (await house.client.get("/documents/13")).text
    assert ('<h2 class="page">' in page, '<h3 dir="auto">Lease</h3>' in page) == (True, True)


async def test_the_original_is_the_file_that_was_uploaded(house: House) -> None:
    blob = house.blobs.keep(b"%PDF-1.7 lease")
    house.documents.put(12, "a/lease.pdf", LEASE, page=4, sha256=blob)
    page = (await house.client.get(f"/documents/12?near={digest_of(LEASE)}")).text
    assert f'href="/blobs/{blob}?name=lease.pdf#page=4"' in page


async def test_the_original_of_a_recording_is_the_recording(house: House) -> None:
    blob = house.blobs.keep(b"RIFF")
    house.documents.put(12, "note.ogg", "what was said", sha256="0" * 64, key=f"audio:{blob}")
    assert f"/blobs/{blob}" in (await house.client.get("/documents/12")).text


async def test_the_original_of_an_added_file_is_the_file_while_it_is_the_same(house: House, tmp_path: Path) -> None:
    file = tmp_path / "plan.md"
    file.write_bytes(b"# Plan")
    sha256 = hashlib.sha256(b"# Plan").hexdigest()
    house.documents.put(12, "plan.md", "Plan", sha256=sha256, key=f"path:{file}", size_bytes="6")
    assert 'href="/documents/12/original"' in (await house.client.get("/documents/12")).text
    answer = await house.client.get("/documents/12/original")
    assert (answer.content, answer.headers["content-type"]) == (b"# Plan", "text/plain; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    file.write_bytes(b"# Nalp")  # as long, and another
    assert (await house.client.get("/documents/12/original")).status_code == 404
    file.unlink()
    assert (await house.client.get("/documents/12/original")).status_code == 404
    assert "original" not in (await house.client.get("/documents/12")).text


async def test_only_what_was_added_is_ever_read_from_the_disk(house: House, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"x")
    for key in (f"file:{file}", str(file), "path:relative", "path:"):
        house.documents.put(12, "t", "text", sha256=hashlib.sha256(b"x").hexdigest(), key=key, size_bytes="1")
        assert (await house.client.get("/documents/12/original")).status_code == 404


async def test_one_message_is_shown_whole(house: House) -> None:
    text = "word " * 4000 + "end"
    house.transcript.put("m1", Message(HERE, "me", "m1", text, "en", datetime.now(UTC)))
    page = (await house.client.get("/messages/m1")).text
    assert text in page
    assert "대화로 돌아가기" in page


async def test_no_hostile_text_becomes_markup(house: House) -> None:
    for number, text in enumerate(HOSTILE):
        house.documents.put(number, text, text, kind=text)
        page = (await house.client.get(f"/documents/{number}")).text
        assert "<script>" not in page.replace('<script src="', "")
        assert "<img" not in page


async def test_a_page_lets_nothing_run_that_is_not_ours(house: House) -> None:
    house.documents.put(12, "t", "text")
    policy = (await house.client.get("/documents/12")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
