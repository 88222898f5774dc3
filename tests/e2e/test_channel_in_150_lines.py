"""The page docs/adding-a-channel.md: its example is installed as a stranger's package, keeps the contract, serves people on a real server."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import AsyncExitStack, closing
from pathlib import Path

import pytest
from fakes.program import Program, bot, paring
from fakes.waiting import LONGEST_S
from ircd import NGIRCD, Ircd, Person, ircd

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "paring-irc"
MODULE = EXAMPLE / "paring_irc" / "__init__.py"
TEAM = "#team"
ANN = "ann!~ann@127.0.0.1"
LINE_S = 0.04

needs_ngircd = pytest.mark.skipif(not NGIRCD.exists(), reason="ngircd is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder into which the package is installed, as `pip install ./paring-irc` does, with nothing fetched."""
    folder = tmp_path_factory.mktemp("irc")
    shutil.copytree(EXAMPLE, folder / "paring-irc", ignore=shutil.ignore_patterns("__pycache__", "tests", "build", "*.egg-info"))
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-build-isolation",
         "--target", folder / "site", folder / "paring-irc"],
        check=True, capture_output=True, timeout=LONGEST_S,
    )  # fmt: skip
    return folder / "site"


def settings(site: Path, server: Ircd, **more: str) -> dict[str, str]:
    return {
        "PYTHONPATH": f"{site}:{ROOT}", "PARING_WEB__ENABLED": "false", "PARING_ADMINS": f"irc:{ANN}",
        "PARING_CHANNELS__IRC__SERVER": "127.0.0.1", "PARING_CHANNELS__IRC__PORT": str(server.port),
        "PARING_CHANNELS__IRC__TLS": "false", "PARING_CHANNELS__IRC__CHANNELS": TEAM, "PARING_CHANNELS__IRC__ALLOWED_CHATS": TEAM,
        "PARING_CHANNELS__IRC__LINE_SECONDS": str(LINE_S),
    } | more  # fmt: skip


async def committed(home: Path, count: int) -> None:
    """Return once so many of Ann's orders are in the inbox."""
    async with asyncio.timeout(LONGEST_S):
        while True:
            with closing(sqlite3.connect(home / "paring.db")) as connection:
                query = "SELECT count(*) FROM inbox WHERE sender = ? AND message LIKE '%xq%'"
                if connection.execute(query, (ANN,)).fetchone()[0] >= count:
                    return
            await asyncio.sleep(0.01)


def test_the_channel_is_as_short_as_promised() -> None:
    assert len(MODULE.read_text(encoding="utf-8").splitlines()) <= 150


def test_what_the_page_quotes_stands_in_the_example() -> None:
    page = (ROOT / "docs" / "adding-a-channel.md").read_text(encoding="utf-8")
    files = [MODULE, EXAMPLE / "pyproject.toml", EXAMPLE / "tests" / "test_contract.py"]
    example = "\n".join(file.read_text(encoding="utf-8") for file in files)
    quoted = re.findall(r"```(?:python|toml)\n(.*?)```", page, re.DOTALL)
    assert len(quoted) > 5
    assert [code for code in quoted if code not in example] == []


@needs_ngircd
def test_the_example_keeps_the_contract(site: Path, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(EXAMPLE / "pyproject.toml", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"],
        cwd=tmp_path, env={"PYTHONPATH": f"{site}:{ROOT}", "PATH": "/usr/sbin:/usr/bin:/bin"},
        capture_output=True, text=True, timeout=2 * LONGEST_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\b(4\d|[5-9]\d) passed", done.stdout), done.stdout


async def greet(ann: Person, ben: Person, mallory: Person) -> None:
    """See that each is answered who may be, where they asked, in their language, and nobody else."""
    ann.say("paring", "!help")
    assert await ann.hears("!sum")
    ann.say("paring", "!도움말")
    assert await ann.hears("[가-힣]{2}")
    ben.say(TEAM, "shall we have lunch? !help")
    ben.say(TEAM, "Paring, !lang en")
    assert (await ben.hears("^ben: ")).startswith("ben: From now on I answer in English")
    mallory.say("paring", "where is the secret plan?")
    assert "mallory!~mallory@127.0.0.1" in await mallory.hears("I may not work for you")
    assert len([text for text in ben.said if text.startswith("ben: ")]) == 1


async def paced(ann: Person) -> None:
    """See that lines come no faster than they may, beside the first five."""
    await asyncio.sleep(6 * LINE_S)  # the pace itself is what is looked at
    before, begun = len(ann.said), time.monotonic()
    ann.say("paring", "!privacy")
    ann.say("paring", "!help")
    ann.say("paring", "!xqend")
    await ann.hears("xqend", after=before)
    lines = len(ann.said) - before
    assert lines > 8
    assert time.monotonic() - begun >= (lines - 6) * LINE_S


def answered(said: list[str], name: str) -> tuple[int, int]:
    """Return how often the order was answered, and how often of these it was said to be sent again."""
    at = [place for place, text in enumerate(said) if f"/{name}." in text or f"/{name} " in text or f"/{name}`" in text]
    return len(at), sum("Sent again" in text or "다시 보냈" in text for place in at for text in said[place : place + 2])


@needs_ngircd
async def test_the_whole_bot_serves_people_on_a_real_server(site: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with ircd(tmp_path) as server, AsyncExitStack() as people:
        given = settings(site, server)
        squatter = await people.enter_async_context(AsyncExitStack())
        await squatter.enter_async_context(server.person("paring", channel=TEAM))
        ann = await people.enter_async_context(server.person("ann", channel=TEAM))
        ben = await people.enter_async_context(server.person("ben", channel=TEAM))
        mallory = await people.enter_async_context(server.person("mallory"))

        async with bot(home, **given) as program:
            await ann.until(rf":paring_!\S+ JOIN :?{TEAM}")
            await squatter.aclose()
            await ann.until(r":paring_!\S+ NICK :?paring$")
            await greet(ann, ben, mallory)
            await paced(ann)
            orders = [f"xqkill{number}" for number in range(8)]
            for order in orders:
                ann.say("paring", f"!{order}")
            await committed(home, 1 + len(orders))
            program.kill()
            await program.process.wait()

        async with bot(home, **given) as program:
            await through(ann, orders)
            orders = [f"xqcut{number}" for number in range(8)]
            for order in orders:
                ann.say("paring", f"!{order}")
            await committed(home, 1 + 2 * len(orders))
            await server.end()
            await server.start()
            again = await people.enter_async_context(server.person("ann", channel=TEAM))
            await through(again, orders, before=ann)
            await ends(program)


async def through(ann: Person, orders: list[str], *, before: Person | None = None) -> None:
    """See that each order is answered, to whom she was `before` or is now; twice only where that is said."""

    def said() -> list[str]:
        return [*(before.said if before else []), *ann.said]

    async with asyncio.timeout(LONGEST_S):
        while not all(answered(said(), order)[0] for order in orders):
            await asyncio.sleep(0.02)
    await ann.settle()
    for order in orders:
        times, again = answered(said(), order)
        assert times - again <= 1, (order, [text for text in said() if order in text])


async def ends(program: Program) -> None:
    assert await program.stop() == 0


@needs_ngircd
async def test_a_password_that_is_wrong_is_told_and_never_shown(site: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with ircd(tmp_path, password="right") as server:
        given = settings(site, server, PARING_CHANNELS__IRC__PASSWORD="canary-wrong-password")
        exit_code, out, complaints = await paring(home, "run", **given)
    assert exit_code == 1
    assert "irc is off: The IRC server does not let the bot in" in complaints
    assert "canary" not in out + complaints
