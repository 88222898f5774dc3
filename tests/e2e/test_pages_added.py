"""`paring add` with a link, against a site on loopback."""

from __future__ import annotations

import json
from pathlib import Path

from aiohttp import web
from fakes.program import paring

PAGE = "<html><head><title>항구</title></head><body><nav>메뉴</nav><article><p>항구는 5월에 엽니다.</p></article></body></html>"


async def test_a_page_is_kept_by_its_link_where_links_may_be_fetched(tmp_path: Path) -> None:
    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    application = web.Application()
    application.router.add_get("/harbour", page)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    home = tmp_path / "home"
    try:
        code, out, complaint = await paring(
            home, "add", f"{url}/harbour#top", f"{url}/none", "--json", PARING_LINKS__ALLOWED_HOSTS="127.0.0.1"
        )
        done = json.loads(out)
        assert (code, done["added"], done["passages"], complaint) == (0, 1, 1, "")
        assert [(failed["path"], "answered with 404" in failed["reason"]) for failed in done["failed"]] == [(f"{url}/none", True)]
        code, out, _complaint = await paring(home, "add", f"{url}/harbour", LC_ALL="ko_KR.UTF-8")
        assert code == 1
        assert "포트" in out
    finally:
        await runner.cleanup()
    code, out, _complaint = await paring(home, "say", "/search 항구는 5월에 뭐 해?", "--json")
    assert json.loads(out)["sources"][0]["link"] == f"{url}/harbour"
