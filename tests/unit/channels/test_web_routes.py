from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from fakes.web import MemoryDocuments, MemoryTranscript

from bot.channels.web_documents import DocumentPages
from bot.channels.web_door import COOKIE, TRIES, Door
from bot.channels.web_guard import Guard
from bot.channels.web_render import Renderer, Shown
from bot.channels.web_routes import BATCH_FILES, Routes
from bot.config import MEBIBYTE
from bot.errors import StoreError
from bot.health import Looked
from bot.locale import Language
from bot.message import Address, Attachment
from bot.store.blobs import BlobStore

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
ID = "0123456789abcdef"
OWN = {"x-paring": "en"}
KOREAN = {"x-paring": "ko"}
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


@dataclass
class FakeDesk:
    said: list[tuple[str, str, list[Attachment], str, Language]] = field(default_factory=list)
    pressed: list[tuple[str, str]] = field(default_factory=list)
    asked_before: list[str] = field(default_factory=list)
    count: int = 0
    breaks: Exception | None = None

    async def say(self, id: str, text: str, files: list[Attachment], *, reply_to: str, language: Language) -> Shown:
        if self.breaks:
            raise self.breaks
        self.said.append((id, text, files, reply_to, language))
        return Shown(id, "<article></article>", "d", "")

    async def press(self, id: str, token: str, *, language: Language) -> str:
        self.pressed.append((id, token))
        return "noted"

    async def look_back(self, *, before: str) -> list[Shown]:
        self.asked_before.append(before)
        return [Shown(str(number), "<article></article>", "d", str(number)) for number in range(self.count)]


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer()


class FakeHealth:
    async def look(self, path: str) -> Looked | None:
        answers = {"/healthz": (200, '{"ok": true}'), "/readyz": (503, '{"ready": false}'), "/metrics": (200, "/metrics\n")}
        status, body = answers[path]
        return Looked(status, "application/json", body)


def serve(desk: FakeDesk, blobs: BlobStore, renderer: Renderer, door: Door, *, peer: str = "127.0.0.1") -> httpx.AsyncClient:
    here = Address("web", "local", "me")
    pages = DocumentPages(MemoryDocuments(), address=here, transcript=MemoryTranscript(), files=blobs, renderer=renderer)
    routes = Routes(desk, door=door, renderer=renderer, files=blobs, pages=pages, file_bytes=MEBIBYTE, text_bytes=4096)
    routes.health = FakeHealth()
    guard = Guard(routes.application(), door=door, own_hosts_only=not door.locked)
    return httpx.AsyncClient(transport=httpx.ASGITransport(guard, client=(peer, 40000)), base_url="http://127.0.0.1", headers=OWN)


@pytest.fixture
async def browser(desk: FakeDesk, blobs: BlobStore, renderer: Renderer) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(desk, blobs, renderer, Door()) as client:
        yield client


@pytest.fixture
async def visitor(desk: FakeDesk, blobs: BlobStore, renderer: Renderer) -> AsyncIterator[httpx.AsyncClient]:
    door = Door("secret", hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    async with serve(desk, blobs, renderer, door) as client:
        yield client


async def upload(browser: httpx.AsyncClient, data: bytes, name: str, media_type: str = "") -> httpx.Response:
    return await browser.post("/api/files", content=data, headers={"x-name": name, "content-type": media_type})


async def test_health_is_told(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/healthz")).json() == {"ok": True}


async def test_a_message_reaches_the_desk_and_is_shown(browser: httpx.AsyncClient, desk: FakeDesk) -> None:
    answer = await browser.post("/api/say", json={"id": ID, "text": "안녕", "reply_to": "7"}, headers=KOREAN)
    assert answer.json()["id"] == ID
    assert desk.said == [(ID, "안녕", [], "7", "ko")]


async def test_an_uploaded_file_goes_along_with_a_message(browser: httpx.AsyncClient, desk: FakeDesk, blobs: BlobStore) -> None:
    data = b"hello " * 400_00
    kept = (await upload(browser, data, "%EB%B3%B4%EA%B3%A0/a.pdf", "application/pdf")).json()
    assert kept.pop("seal")
    assert kept == {
        "blob": hashlib.sha256(data).hexdigest(), "name": "보고/a.pdf", "media_type": "application/pdf", "size_bytes": len(data)
    }  # fmt: skip
    await browser.post("/api/say", json={"id": ID, "text": "", "files": [kept | {"size_bytes": 1}]})
    (_id, _text, files, _reply_to, _language) = desk.said[0]
    assert files == [Attachment("document", "보고/a.pdf", "application/pdf", len(data), blob=kept["blob"])]
    assert blobs.path(kept["blob"]).read_bytes() == data


async def test_a_file_that_was_uploaded_before_a_restart_is_still_sent(
    desk: FakeDesk, blobs: BlobStore, renderer: Renderer
) -> None:
    async with serve(desk, blobs, renderer, Door(key=b"key")) as before:
        kept = (await upload(before, PNG, "a.png")).json()
    async with serve(desk, blobs, renderer, Door(key=b"key")) as after:
        answer = await after.post("/api/say", json={"id": ID, "text": "", "files": [kept]})
    assert answer.status_code == 200
    assert [file.blob for file in desk.said[0][2]] == [kept["blob"]]


@pytest.mark.parametrize("seal", ["", "x", "가", "\ud83d", None, 7])
async def test_no_seal_but_the_bot_s_own_opens_a_file(
    desk: FakeDesk, blobs: BlobStore, renderer: Renderer, seal: str | int | None
) -> None:
    blob = blobs.keep(b"of another channel")
    async with serve(desk, blobs, renderer, Door(key=b"other")) as other:
        foreign = (await upload(other, PNG, "a.png")).json()["seal"]
    async with serve(desk, blobs, renderer, Door(key=b"key")) as page:
        for tried in (seal, foreign, (await upload(page, b"another", "b.txt")).json()["seal"]):
            said = json.dumps({"id": ID, "text": "", "files": [{"blob": blob, "name": "a", "seal": tried}]}).encode()
            assert (await page.post("/api/say", content=said)).status_code == 400
    assert desk.said == []


async def test_nothing_is_left_aside_after_an_upload(browser: httpx.AsyncClient, blobs: BlobStore) -> None:
    await upload(browser, PNG, "a.png")
    assert _spooled(blobs) == []


async def test_a_file_over_the_limit_is_refused_by_its_declared_size(browser: httpx.AsyncClient) -> None:
    answer = await browser.post(
        "/api/files", content=b"", headers={"x-name": "big.iso", "content-length": str(MEBIBYTE + 1), **KOREAN}
    )
    assert answer.status_code == 413
    assert answer.json()["error"] == "big.iso 파일은 1MB보다 커서 빠졌어요. 나머지는 그대로 있어요."


async def test_a_file_over_the_limit_is_refused_while_it_comes(browser: httpx.AsyncClient, blobs: BlobStore) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    answer = await browser.post("/api/files", content=endless(), headers={"x-name": "endless"})
    assert answer.status_code == 413
    assert _spooled(blobs) == []


@pytest.mark.parametrize("blob", ["", "../../etc/passwd", "ab" * 32, "AB" * 32])
async def test_a_file_that_was_never_uploaded_is_not_sent(browser: httpx.AsyncClient, desk: FakeDesk, blob: str) -> None:
    answer = await browser.post("/api/say", json={"id": ID, "text": "see", "files": [{"blob": blob, "name": "a.pdf"}]})
    assert answer.status_code == 400
    assert answer.json()["error"] == "a.pdf is no longer here. Please drop it again."
    assert desk.said == []


async def test_a_message_holds_so_many_files_and_no_more(browser: httpx.AsyncClient, desk: FakeDesk) -> None:
    kept = (await upload(browser, b"x", "a.txt")).json()
    await browser.post("/api/say", json={"id": ID, "text": "", "files": [kept] * (BATCH_FILES + 5)})
    assert len(desk.said[0][2]) == BATCH_FILES


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"id":5}', b'{"id":"x","text":"a"}', b'{"id":"../../../..","text":"a"}', b"[" * 2000, b"\xff"],
)
async def test_garbage_is_told_and_taken_nowhere(browser: httpx.AsyncClient, desk: FakeDesk, body: bytes) -> None:
    answer = await browser.post("/api/say", content=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert desk.said == []


async def test_a_message_with_nothing_in_it_is_told(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/api/say", json={"id": ID, "text": "  \n"}, headers=KOREAN)
    assert answer.json()["error"] == "빈 메시지예요. 글을 쓰거나 파일을 놓아 주세요."


async def test_a_body_over_the_limit_is_not_read(browser: httpx.AsyncClient, desk: FakeDesk) -> None:
    answer = await browser.post("/api/say", json={"id": ID, "text": "x" * 5_000_000})
    assert answer.status_code == 413
    assert desk.said == []


async def test_a_store_that_fails_is_told_as_a_sentence(browser: httpx.AsyncClient, desk: FakeDesk) -> None:
    desk.breaks = StoreError("The disk is full. Nothing was kept.")
    answer = await browser.post("/api/say", json={"id": ID, "text": "a"})
    assert (answer.status_code, answer.json()) == (503, {"error": "The disk is full. Nothing was kept."})


async def test_a_press_reaches_the_desk_and_its_note_comes_back(browser: httpx.AsyncClient, desk: FakeDesk) -> None:
    answer = await browser.post("/api/press", json={"id": ID, "token": "tok"})
    assert answer.json() == {"note": "noted"}
    assert desk.pressed == [(ID, "tok")]


@pytest.mark.parametrize(("count", "earlier"), [(30, True), (29, False)])
async def test_history_tells_whether_there_is_more(
    browser: httpx.AsyncClient, desk: FakeDesk, count: int, *, earlier: bool
) -> None:
    desk.count = count
    answer = (await browser.get("/api/history", params={"before": "17"})).json()
    assert (len(answer["entries"]), answer["earlier"]) == (count, earlier)
    assert desk.asked_before == ["17"]


@pytest.mark.parametrize(
    ("data", "name", "media_type", "how"),
    [
        (PNG, "a.png", "image/png", "inline"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 20, "a.bin", "image/jpeg", "inline"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a.webp", "image/webp", "inline"),
        (b"%PDF-1.7\n", "보고서.pdf", "application/pdf", "inline"),
        (b"plain", "notes.txt", "text/plain; charset=utf-8", "inline"),
        (b"<svg onload=alert(1)>", "a.svg", "application/octet-stream", "attachment"),
        (b"<html><script>alert(1)</script>", "a.png", "application/octet-stream", "attachment"),
        (b"<html><script>alert(1)</script>", "a.html", "application/octet-stream", "attachment"),
    ],
)
async def test_a_file_opens_by_what_it_is_and_not_by_what_it_says(
    browser: httpx.AsyncClient, blobs: BlobStore, data: bytes, name: str, media_type: str, how: str
) -> None:
    kept = (await upload(browser, data, "any")).json()["blob"]
    answer = await browser.get(f"/blobs/{kept}", params={"name": name})
    assert answer.content == data
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"].startswith(how)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("blob", ["ab" * 32, "x", "..%2f..%2fetc%2fpasswd"])
async def test_a_file_that_is_not_there_is_404(browser: httpx.AsyncClient, blob: str) -> None:
    assert (await browser.get(f"/blobs/{blob}")).status_code == 404


async def test_assets_are_kept_by_the_browser_under_their_version(browser: httpx.AsyncClient, renderer: Renderer) -> None:
    answer = await browser.get(f"/assets/{renderer.version}/chat.js")
    assert "immutable" in answer.headers["cache-control"]
    assert (await browser.get(f"/assets/{renderer.version}/../web.py")).status_code == 404


async def test_signing_in_sets_a_cookie_no_script_reads(visitor: httpx.AsyncClient) -> None:
    page = await visitor.get("/sign-in", headers={"accept-language": "ko-KR,ko;q=0.9"})
    assert "비밀번호" in page.text
    assert "unsafe-eval" not in page.headers["content-security-policy"]
    answer = await visitor.post("/sign-in", data={"password": "secret"}, headers={"origin": "http://127.0.0.1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert (await visitor.get("/api/history")).status_code == 200


async def test_where_there_is_no_password_signing_in_leads_to_the_page(browser: httpx.AsyncClient) -> None:
    for answer in (await browser.get("/sign-in"), await browser.post("/sign-in", data={"password": "x"})):
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_a_wrong_password_is_told_on_the_page(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.post("/sign-in", data={"password": "<b>"}, headers={"origin": "http://127.0.0.1"})
    assert answer.status_code == 403
    assert "That password is not right." in answer.text
    assert "<b>" not in answer.text


async def test_a_sign_in_form_of_another_page_is_refused(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.post("/sign-in", data={"password": "secret"}, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_signing_out_takes_the_cookie_back(visitor: httpx.AsyncClient) -> None:
    await visitor.post("/sign-in", data={"password": "secret"})
    await visitor.post("/sign-out")
    assert (await visitor.get("/api/history")).status_code == 401


async def test_signing_out_ends_the_session_here_so_that_a_copied_cookie_is_of_no_use(visitor: httpx.AsyncClient) -> None:
    signed_in = await visitor.post("/sign-in", data={"password": "secret"})
    copied = {"cookie": signed_in.headers["set-cookie"].partition(";")[0]}
    answer = await visitor.post("/sign-out")
    assert '"cache"' in answer.headers["clear-site-data"]
    visitor.cookies.clear()
    assert (await visitor.get("/api/history", headers=copied)).status_code == 401


@pytest.mark.parametrize(("origin", "secure"), [("https://127.0.0.1", True), ("http://127.0.0.1", False)])
async def test_a_browser_that_came_by_https_keeps_the_cookie_to_it(
    visitor: httpx.AsyncClient, origin: str, *, secure: bool
) -> None:
    answer = await visitor.post("/sign-in", data={"password": "secret"}, headers={"origin": origin})
    assert ("; secure" in answer.headers["set-cookie"].lower()) is secure


async def test_a_cookie_that_somebody_set_before_is_not_taken_for_a_session(visitor: httpx.AsyncClient) -> None:
    fixed = {"cookie": f"{COOKIE}=9999999999.chosen.signature"}
    answer = await visitor.post("/sign-in", data={"password": "secret"}, headers=fixed)
    assert "chosen" not in answer.headers["set-cookie"]
    assert (await visitor.get("/api/history", headers=fixed)).status_code == 401


async def test_who_tried_too_often_is_told_when_to_come_again(visitor: httpx.AsyncClient) -> None:
    for _try in range(TRIES):
        await visitor.post("/sign-in", data={"password": "wrong"})
    answer = await visitor.post("/sign-in", data={"password": "secret"}, headers={"accept-language": "ko"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert "비밀번호" in answer.text
    assert "set-cookie" not in answer.headers


async def test_what_is_private_is_kept_by_no_cache(browser: httpx.AsyncClient) -> None:
    for path in ("/api/history", "/documents/1", "/messages/abcdefgh", "/blobs/x"):
        assert "no-store" in (await browser.get(path)).headers["cache-control"]


async def test_a_file_of_another_chat_is_neither_opened_nor_sent_by_who_knows_its_sha256(
    browser: httpx.AsyncClient, blobs: BlobStore, desk: FakeDesk
) -> None:
    secret = blobs.keep(b"sent to the bot in another chat")
    assert (await browser.get(f"/blobs/{secret}")).status_code == 404
    said = {"id": ID, "text": "summarise this", "files": [{"blob": secret, "name": "a.txt"}]}
    assert (await browser.post("/api/say", json=said)).status_code == 400
    assert desk.said == []


async def test_an_upload_that_would_fill_the_disk_is_refused_before_it_is_read(
    browser: httpx.AsyncClient, blobs: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.web_routes.DISK_LEFT_BYTES", 1 << 60)
    answer = await upload(browser, b"x", "a.txt")
    assert (answer.status_code, "room" in answer.json()["error"]) == (413, True)
    assert _spooled(blobs) == []


@pytest.mark.parametrize("told", ["-1", "1e9", "0x10", "٣", "1_0", "9" * 400, "nonsense"])
async def test_a_length_that_is_none_breaks_nothing(browser: httpx.AsyncClient, told: str) -> None:
    for path in ("/api/files", "/api/say", "/api/press", "/sign-in"):
        answer = await browser.post(path, content=b"x", headers=[(b"content-length", told.encode())])
        assert answer.status_code < 500


def _spooled(blobs: BlobStore) -> list[Path]:
    own = blobs.spool()
    own.unlink()
    return list(own.parent.iterdir())


async def test_whether_it_is_ready_is_told_to_everybody(desk: FakeDesk, blobs: BlobStore, renderer: Renderer) -> None:
    async with serve(desk, blobs, renderer, Door("secret", hasher=QUICK), peer="192.0.2.7") as stranger:
        answer = await stranger.get("/readyz", headers={"Host": "paring.example"})
        assert (answer.status_code, answer.json()) == (503, {"ready": False})
        assert (await stranger.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {"Host": "[::1]:8080"}, 200),
        ("127.0.0.1", {"Host": "localhost:8080"}, 200),
        ("127.0.0.1", {"Host": "paring.example"}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, 403),
        ("127.0.0.1", {"Via": "1.1 proxy"}, 403),
        ("192.0.2.7", {}, 403),
        ("192.0.2.7", {"X-Forwarded-For": "127.0.0.1"}, 403),
    ],
)
async def test_the_numbers_are_told_to_programs_of_this_machine(
    desk: FakeDesk, blobs: BlobStore, renderer: Renderer, peer: str, headers: dict[str, str], status: int
) -> None:
    async with serve(desk, blobs, renderer, Door("secret", hasher=QUICK), peer=peer) as client:
        assert (await client.get("/metrics", headers=headers)).status_code == status


async def test_who_is_signed_in_may_see_the_numbers_too(desk: FakeDesk, blobs: BlobStore, renderer: Renderer) -> None:
    door = Door("secret", hasher=QUICK)
    async with serve(desk, blobs, renderer, door, peer="192.0.2.7") as client:
        admission = await door.enter("secret", address="192.0.2.7")
        client.cookies.set(COOKIE, admission.cookie)
        assert (await client.get("/metrics")).text == "/metrics\n"


async def test_a_request_that_breaks_is_told_with_a_reference_and_no_words_of_the_error(
    desk: FakeDesk, browser: httpx.AsyncClient
) -> None:
    desk.breaks = RuntimeError("what Ann wrote")
    answer = await browser.post("/api/say", json={"id": ID, "text": "hello"})
    assert answer.status_code == 500
    assert "(ref " in answer.json()["error"]
    assert "Ann" not in answer.text
