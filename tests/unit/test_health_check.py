import json
from dataclasses import dataclass

import pytest
from fakes.program import paring

from bot.channels.health_port import Answer, listening
from bot.errors import InputError
from bot.health import Looked
from bot.health_check import Checked, check


@dataclass
class Desk:
    looked: Looked

    async def look(self, path: str) -> Answer | None:
        return self.looked if path == "/readyz" else None


def ready(**parts: str) -> Looked:
    broken = any(state != "ok" for state in parts.values())
    return Looked(503 if broken else 200, "application/json", json.dumps({"ready": not broken, "parts": parts}))


async def asked(looked: Looked) -> tuple[Checked, str]:
    import asyncio

    async with listening(0, Desk(looked)) as port:
        url = f"http://127.0.0.1:{port}"
        return await asyncio.to_thread(check, url), url


async def test_a_bot_that_is_ready_is_told_to_be() -> None:
    checked, url = await asked(ready(database="ok", web="ok"))
    assert (checked.ready, str(checked.said)) == (True, f"Paring at {url} is ready.")


async def test_the_part_that_is_not_is_named_in_both_languages() -> None:
    checked, _url = await asked(ready(database="not writable", web="ok"))
    assert not checked.ready
    for language in ("en", "ko"):
        assert "database: not writable" in checked.said.to(language)  # type: ignore[arg-type]


@pytest.mark.parametrize("body", ["", "[]", "nonsense", '{"parts": 1}', "[" * 100_000])
async def test_what_is_no_paring_is_told_to_be_none(body: str) -> None:
    checked, _url = await asked(Looked(200, "text/html", body))
    assert not checked.ready
    assert "is no Paring" in str(checked.said)


def test_where_nobody_listens_it_is_not_ready() -> None:
    assert not check("http://127.0.0.1:9").ready


@pytest.mark.parametrize("url", ["", "8080", "https://127.0.0.1", "http://", "http://[::1", "ftp://127.0.0.1", "http://h:port"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        check(url)


async def test_the_command_ends_with_the_code_that_a_health_check_reads(tmp_path) -> None:
    async with listening(0, Desk(ready(web="ok"))) as port:
        code, said, _complaints = await paring(tmp_path / "home", "doctor", "--health", f"http://127.0.0.1:{port}")
        assert (code, said.strip()) == (0, f"Paring at http://127.0.0.1:{port} is ready.")
        _code, said, _complaints = await paring(tmp_path / "home", "doctor", "--health", f"http://127.0.0.1:{port}", "--json")
        assert json.loads(said)["ready"] is True
    code, _said, complaints = await paring(
        tmp_path / "home", "doctor", "--health", "http://127.0.0.1:9", LANG="ko_KR.UTF-8", LC_ALL=""
    )
    assert code == 1
    assert "대답하지 않아요" in complaints
    code, said, complaints = await paring(tmp_path / "home", "doctor", "--health", "http://127.0.0.1:9", "--json")
    assert (code, json.loads(said)["ready"], complaints) == (1, False, "")
    assert not (tmp_path / "home").exists()
