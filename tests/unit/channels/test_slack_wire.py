"""Files at Slack: what its file host answers, and what becomes of that."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from bot.channels.slack_wire import Wire
from bot.errors import ChannelError, RetryLaterError

PAGE = "text/html"


@asynccontextmanager
async def host(status: int, headers: Mapping[str, str]) -> AsyncIterator[str]:
    """Run a file host that answers so; give its address."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers, body=b"<p>hello</p>")

    app = web.Application()
    app.router.add_get("/file", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def fetched(into: Path, status: int, **headers: str) -> bytes:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with host(status, given) as url, ClientSession() as session:
        await Wire("t", base_url=url, session=session).download(f"{url}file", into, limit_bytes=99)
        return into.read_bytes()


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_file_that_cannot_be_had_now_is_asked_for_again(tmp_path: Path, status: int) -> None:
    with pytest.raises(RetryLaterError) as told:
        await fetched(tmp_path / "file", status, Retry_After="7", Content_Type=PAGE)
    if status == 429:
        assert told.value.retry_after_s == 7


async def test_a_page_that_somebody_sent_is_a_file_and_the_door_s_is_none(tmp_path: Path) -> None:
    sent = await fetched(tmp_path / "file", 200, Content_Type=PAGE, Content_Disposition='attachment; filename="report.html"')
    assert sent == b"<p>hello</p>"
    with pytest.raises(ChannelError, match="files:read"):
        await fetched(tmp_path / "other", 200, Content_Type=PAGE)
