import asyncio
import gzip
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from bot.config import LinkSettings
from bot.errors import RefusedLinkError, TooLargeError, UnreadableError
from bot.retrieval import links
from bot.retrieval.links import Fetcher, is_public

PAGE = "<title>Plan</title><p>We move in March.</p>"


@asynccontextmanager
async def site(**pages: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    application = web.Application()
    for name, page in pages.items():
        application.router.add_get("/robots.txt" if name == "robots" else f"/{name}", page)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://wiki.intra:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def at(*addresses: str) -> Callable[[str, int], Awaitable[list[str]]]:
    left = list(addresses)

    async def resolve(_host: str, _port: int) -> list[str]:
        return [left.pop(0) if len(left) > 1 else left[0]] if left else []

    return resolve


def fetcher(folder: Path, *addresses: str, allowed: tuple[str, ...] = ("wiki.intra",), **more: object) -> Fetcher:
    return Fetcher(LinkSettings(allowed_hosts=allowed, **more), resolve=at(*addresses or ("127.0.0.1",)), folder=folder)  # type: ignore[arg-type]


async def plain(_request: web.Request) -> web.Response:
    return web.Response(text=PAGE, content_type="text/html")


async def test_a_page_is_fetched_into_a_file(tmp_path: Path) -> None:
    async with site(page=plain) as url:
        path, title = await fetcher(tmp_path).fetch(f"{url}/page")
    assert path.read_text() == PAGE
    assert title == "wiki.intra/page"


async def test_it_says_who_it_is(tmp_path: Path) -> None:
    seen: list[str] = []

    async def page(request: web.Request) -> web.Response:
        seen.append(request.headers["User-Agent"])
        return await plain(request)

    async with site(page=page) as url:
        await fetcher(tmp_path).fetch(f"{url}/page")
    assert seen[0].startswith("Paring/")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255",
        "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "192.0.2.1",
        "fec0::1", "192.0.0.8", "192.88.99.1",
    ],
)  # fmt: skip
async def test_an_address_that_is_not_public_is_refused(tmp_path: Path, address: str) -> None:
    assert not is_public(address)
    with pytest.raises(RefusedLinkError, match="not on the public internet"):
        await fetcher(tmp_path, address, allowed=()).fetch("http://rebound.example/")


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d70e"])
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "127.1"]
)
async def test_this_machine_is_refused_however_it_is_written(tmp_path: Path, host: str) -> None:
    with pytest.raises(RefusedLinkError):
        await Fetcher(LinkSettings(), folder=tmp_path).fetch(f"http://{host}/")


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/", "file:///etc/passwd", "javascript:alert(1)", "https://ann:secret@example.org/",
     "http://example.org:22/", "http://", "no link", "http://[::1", "http://a:b:c/"],
)  # fmt: skip
async def test_other_links_are_refused_before_anything_is_asked(tmp_path: Path, url: str) -> None:
    async def nobody(_host: str, _port: int) -> list[str]:
        raise AssertionError("a name was looked up")

    with pytest.raises(RefusedLinkError):
        await Fetcher(LinkSettings(), resolve=nobody, folder=tmp_path).fetch(url)


async def test_a_redirect_into_the_house_is_refused(tmp_path: Path) -> None:
    async def away(_request: web.Request) -> web.Response:
        raise web.HTTPFound("http://inside.example/secret")

    async with site(page=away) as url:
        with pytest.raises(RefusedLinkError, match=r"inside\.example"):
            await fetcher(tmp_path).fetch(f"{url}/page")


async def test_a_name_that_resolves_differently_the_second_time_is_checked_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first answer (for robots.txt) passes, the second (for the page) is refused; loopback stands for the public internet."""
    monkeypatch.setattr(links, "is_public", lambda address: address == "127.0.0.1")
    asked: list[str] = []

    async def page(request: web.Request) -> web.Response:
        asked.append(request.path)
        return await plain(request)

    async with site(robots=page, page=page) as url:
        monkeypatch.setitem(links.PORTS, "http", int(url.rpartition(":")[2]))
        with pytest.raises(RefusedLinkError, match=r"wiki\.intra"):
            await fetcher(tmp_path, "127.0.0.1", "127.0.0.2", allowed=()).fetch(f"{url}/page")
    assert asked == ["/robots.txt"]


async def test_an_address_that_cannot_be_reached_gives_way_to_the_next(tmp_path: Path) -> None:
    async def resolve(_host: str, _port: int) -> list[str]:
        return ["127.0.0.3", "127.0.0.1"]

    async with site(page=plain) as url:
        reader = Fetcher(LinkSettings(allowed_hosts=("wiki.intra",)), resolve=resolve, folder=tmp_path)
        assert (await reader.fetch(f"{url}/page"))[0].read_text() == PAGE


async def test_redirects_without_end_are_told(tmp_path: Path) -> None:
    async def round_and_round(request: web.Request) -> web.Response:
        raise web.HTTPFound(str(request.url.path))

    async with site(page=round_and_round) as url:
        with pytest.raises(UnreadableError, match="without end"):
            await fetcher(tmp_path).fetch(f"{url}/page")


async def test_a_page_over_the_limit_is_told_and_nothing_written(tmp_path: Path) -> None:
    async def large(_request: web.Request) -> web.Response:
        return web.Response(text="x" * (2 << 20), content_type="text/html")

    async with site(page=large) as url:
        with pytest.raises(TooLargeError):
            await fetcher(tmp_path, page_mb=1).fetch(f"{url}/page")
    assert list(tmp_path.iterdir()) == []


async def test_a_page_that_grows_when_unpacked_is_stopped(tmp_path: Path) -> None:
    async def bomb(_request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(bytes(64 << 20)), content_type="text/html", headers={"Content-Encoding": "gzip"})

    async with site(page=bomb) as url:
        with pytest.raises(TooLargeError):
            await fetcher(tmp_path).fetch(f"{url}/page")


async def test_a_packed_page_is_unpacked(tmp_path: Path) -> None:
    async def packed(_request: web.Request) -> web.Response:
        return web.Response(body=gzip.compress(PAGE.encode()), content_type="text/html", headers={"Content-Encoding": "gzip"})

    async with site(page=packed) as url:
        path, _title = await fetcher(tmp_path).fetch(f"{url}/page")
    assert path.read_text() == PAGE


async def test_a_kind_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    async def film(_request: web.Request) -> web.Response:
        return web.Response(body=b"\0", content_type="video/mp4")

    async with site(page=film) as url:
        with pytest.raises(UnreadableError, match="video/mp4"):
            await fetcher(tmp_path).fetch(f"{url}/page")


async def test_a_missing_page_is_told(tmp_path: Path) -> None:
    async with site(page=plain) as url:
        with pytest.raises(UnreadableError, match="404"):
            await fetcher(tmp_path).fetch(f"{url}/other")


async def test_robots_are_respected(tmp_path: Path) -> None:
    async def robots(_request: web.Request) -> web.Response:
        return web.Response(text="User-agent: *\nDisallow: /page\n")

    async with site(page=plain, robots=robots) as url:
        with pytest.raises(RefusedLinkError, match="does not want programs"):
            await fetcher(tmp_path).fetch(f"{url}/page")


async def test_a_name_that_is_none_is_told(tmp_path: Path) -> None:
    async def nowhere(_host: str, _port: int) -> list[str]:
        return []

    with pytest.raises(UnreadableError, match="no site called"):
        await Fetcher(LinkSettings(), resolve=nowhere, folder=tmp_path).fetch("https://nowhere.example/")


async def test_a_site_that_never_answers_is_given_up(tmp_path: Path) -> None:
    async def silent(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(UnreadableError, match="did not answer"):
        await Fetcher(LinkSettings(seconds=0.01), resolve=silent, folder=tmp_path).fetch("https://slow.example/")


async def test_a_page_for_which_nobody_waits_any_more_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, written = threading.Event(), threading.Event(), Fetcher._written

    def slowly(*given: object) -> tuple[Path, str]:
        begun.set()
        go_on.wait(60)
        return written(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(Fetcher, "_written", slowly)
    async with site(page=plain) as url:
        fetching = asyncio.create_task(fetcher(tmp_path).fetch(f"{url}/page"))
        await asyncio.to_thread(begun.wait, 60)
        fetching.cancel()
        await asyncio.gather(fetching, return_exceptions=True)
    go_on.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    await asyncio.sleep(0)
    assert list(tmp_path.iterdir()) == []


async def test_switched_off_it_fetches_nothing(tmp_path: Path) -> None:
    with pytest.raises(RefusedLinkError, match="switched off"):
        await Fetcher(LinkSettings(enabled=False), folder=tmp_path).fetch("https://example.org/")
