"""Secrets and sayings: whether any stands where it must not, after every way in which things fail; and whether what is forgotten is gone.

Owns: what fails. Leaves to `fakes.leaks` how a secret may be spelt, to `benchmarks.faults.forgetting` the row of /forget.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
from fakes import leaks
from fakes.leaks import MARK, SAYING, SAYING_KO, TOKEN
from fakes.program import paring
from fakes.telegram_bot_api.client import FakeTelegram, running

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.street import Bot, with_skill

PASSWORD = f"page {MARK}"
PROXY = f"http://user:proxy-{MARK}@127.0.0.1:9"
IRC = Path(__file__).parents[2] / "examples" / "paring-irc" / "paring_irc"
WAYS = ("raise", "chain", "log", "logging", "warn", "thread", "task", "del", "database", "group")
SKILL = """
import asyncio, logging, os, sqlite3, threading, warnings
from bot.locale import phrases
from bot.logs import Logger
from bot.skill import CommandSpec
_ = phrases(__file__)
KEPT = []
class Broken:
    def __init__(self, words): self.words = words
    def __del__(self): raise ValueError(self.words)
class Clumsy:
    name, title, summary, slots, takes = "clumsy", _("Clumsy"), _("I break."), (), frozenset()
    commands = (CommandSpec("break", _("Break")),)
    def claims(self, message): return False
    async def answer(self, request):
        way, _space, said = request.text.partition(" ")
        words = f"{said} {os.environ['PARING_TELEGRAM__TOKEN']} {os.environ['PARING_MODELS__CHAT_KEY']}"
        def fail(): raise ValueError(words)
        async def fails(): fail()
        if way == "raise": fail()
        if way == "chain":
            try: fail()
            except ValueError as error: raise RuntimeError(f"while {words}") from error
        if way == "group": raise ExceptionGroup(words, [ValueError(words), OSError(2, words, words)])
        if way == "database": sqlite3.connect(":memory:").execute("SELECT '" + words)
        if way == "log":
            try: fail()
            except ValueError as error: Logger(__name__).warning("it broke", why=error, message=request.message)
        if way == "logging":
            try: fail()
            except ValueError: logging.getLogger("stranger").exception(words)
            logging.getLogger("stranger").error("could not say %s", words)
        if way == "warn": warnings.warn(words, stacklevel=1)
        if way == "thread": threading.Thread(target=fail, name=words).start()
        if way == "task": KEPT.append(asyncio.create_task(fails(), name=words)); await asyncio.sleep(0); KEPT.clear()
        if way == "del": Broken(words)
        return request.reply("whole")
def build(kit): return Clumsy()
"""


async def secrets(plan: Plan) -> Row:
    """Break a bot in every way while it holds secrets and is told sayings; look through all that comes out of it."""
    found, looked = list[str](), list[str]()

    def look(what: str, output: bytes | str, *, private: bool = False) -> None:
        looked.append(what)
        found.extend(leaks.heard(output, what, private=private))

    leaks.said(SAYING)
    leaks.said(SAYING_KO)
    async with running() as telegram, echoing() as server:
        settings = {
            "PARING_WEB__PASSWORD": PASSWORD, "PARING_MODELS__CHAT_URL": f"{server}/v1", "PARING_MODELS__CHAT_MODEL": "m",
            "PARING_LOG_LEVEL": "debug", "HTTPS_PROXY": PROXY, "ALL_PROXY": PROXY, "HF_ENDPOINT": server, "PYTHONFAULTHANDLER": "1",
            **with_skill(plan.scratch / "clumsy", "clumsy", SKILL), **_others(plan.scratch / "clumsy", server),
        }  # fmt: skip
        bot = Bot.on(telegram, plan.scratch / "home", page=True, **settings)
        await bot.spawn()
        while not bot.url:  # who is there first differs
            await bot.ready()
        answers = await _break(telegram, plan)
        look("answers", answers)
        for path in ("/", "/admin", "/metrics", "/readyz", "/healthz", "/nowhere"):
            look(path, await _page(bot.url.rstrip("/") + path))
        for what, output in _of_processes(bot.pid):
            look(what, output)
        cores = _cores(bot.pid)
        os.kill(bot.pid, signal.SIGABRT if plan.seed % 2 else signal.SIGSEGV)
        await bot.kill()
        look("its log", bot.log.read_bytes(), private=True)
        for words, stdin in VERBS[: plan.times(len(VERBS), least=0)]:
            more = settings | {"PARING_TELEGRAM__TOKEN": TOKEN + (" no token" if words[-1] == "--wrong" else "")}
            _code, out, told = await paring(bot.home, *(word for word in words if word != "--wrong"), stdin=stdin, **more)
            look(f"paring {words[0]}", out)
            look(f"paring {words[0]}, stderr", told, private=True)
        found += leaks.looked_through(plan.scratch / "home") + leaks.looked_through(plan.scratch / "temp")
    return Row(
        len(looked), "outputs", leaked=len(found), failed=len(cores) + ("not be answered" in answers),
        note="; ".join([*found, *cores][:2])
        or f"{len(WAYS)} ways to break a skill, {len(VERBS)} verbs; {bot.log.stat().st_size:,} bytes of log at level debug",
    )  # fmt: skip


VERBS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("doctor",), ""),
    (("run", "--wrong"), ""),
    (("models", "search", "zq7"), ""),
    (("doctor", "--json"), ""),
    (("chat",), f"/chat {SAYING}\n/break raise {SAYING_KO}\n/break chain {SAYING}\n"),
    (("say", f"/break raise {SAYING}"), ""),
    (("say", f"/break group {SAYING_KO}", "--json"), ""),
    (("say", f"/chat {SAYING_KO}", "--json"), ""),
    (("swap", "summarise", "hub:zq7/zq7"), ""),
    (("audit",), ""),
    (("index",), ""),
)


def _others(site: Path, server: str) -> dict[str, str]:
    """Install the channel of another package beside the skill; return the settings of channels whose servers quote what they are told."""
    shutil.copytree(IRC, site / "paring_irc", ignore=shutil.ignore_patterns("__pycache__"))
    described = site / "paring_irc-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: paring-irc\nVersion: 1.0\n", encoding="utf-8")
    (described / "entry_points.txt").write_text("[paring.channels]\nirc = paring_irc:SPEC\n", encoding="utf-8")
    port = server.rpartition(":")[2]
    return {
        "PARING_SLACK__BOT_TOKENS": f"xoxb-1-{MARK}, xoxb-2-{MARK}-of-another", "PARING_SLACK__APP_TOKEN": f"xapp-1-{MARK}",
        "PARING_SLACK__BASE_URL": f"{server}/api/", "PARING_MATRIX__HOMESERVER": server, "PARING_MATRIX__TOKEN": f"syt_{MARK}",
        "PARING_CHANNELS__IRC__SERVER": "127.0.0.1", "PARING_CHANNELS__IRC__PORT": port, "PARING_CHANNELS__IRC__TLS": "false",
        "PARING_CHANNELS__IRC__PASSWORD": f"irc {MARK}",
    }  # fmt: skip


async def _break(telegram: FakeTelegram, plan: Plan) -> str:
    """Have everything fail once; return what people were answered."""
    quoting = f"Bad Request: bot{TOKEN}/sendMessage {SAYING}"
    asked = 0
    for number, way in enumerate(WAYS * plan.times(5)):
        await telegram.say(f"/break {way} {SAYING_KO if number % 2 else SAYING}")
        asked += 1
    for said in (f"/chat {SAYING}", f"/search {SAYING_KO}", "/privacy", "/why", f"/forget {SAYING}"):
        await telegram.say(said)
        asked += 1
    await telegram.say(SAYING, document=await telegram.file(SAYING_KO.encode() * 9, folder="documents", name=f"{SAYING}.pdf"))
    shown = str(await telegram.shown(by_bot=asked))
    for code in (400, 401, 403, 429, 500):
        await telegram.fault("refuse", "sendMessage", code=code, description=quoting)
        await telegram.say(f"/break raise {SAYING}")
    for kind in ("garbage_after", "cut_before", "cut_after")[: plan.times(3)]:
        await telegram.fault(kind, "getUpdates")
        await telegram.fault(kind, "sendMessage")
        await telegram.say(f"/break raise {SAYING_KO}")
    await telegram.settled()
    await telegram.order("revoke", token=f"8:{'x' * 30}")
    await telegram.say(SAYING)
    return shown


async def _page(url: str) -> str:
    async with aiohttp.ClientSession(trust_env=False) as session, session.get(url) as answer:
        return f"{dict(answer.headers)} {await answer.text()}"


def _of_processes(pid: int) -> list[tuple[str, str]]:
    """Return what `ps` shows of the bot and its children, and the environment of the children."""
    parent = psutil.Process(pid)
    children = parent.children(recursive=True)
    shown = [("command lines", " ".join(word for one in (parent, *children) for word in one.cmdline()))]
    return shown + [(f"environment of {child.name()}", str(child.environ())) for child in children]


def _cores(pid: int) -> list[str]:
    """Return what is wrong with how little the system may write down of the bot where it crashes."""
    limits = Path(f"/proc/{pid}/limits").read_text(encoding="ascii")
    allowed = next(line.split()[4] for line in limits.splitlines() if line.startswith("Max core file size"))
    kept = int(Path(f"/proc/{pid}/coredump_filter").read_text(encoding="ascii"), 16)
    return [f"a core of {allowed} bytes is allowed"] * (allowed != "0") + ["a core holds memory"] * (kept != 0)


@asynccontextmanager
async def echoing() -> AsyncIterator[str]:
    """Serve what quotes in its refusal all that it was asked, by HTTP (as Slack and Matrix refuse) and in lines of IRC."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readline()
        if head.startswith((b"PASS", b"NICK")):  # IRC
            writer.write(b":irc.example 464 paring :Password incorrect: %s\r\nERROR :%s\r\n" % (head.strip(), head.strip()))
        else:
            head += await reader.readuntil(b"\r\n\r\n")
            length = next(
                (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0
            )
            said = (head + await reader.readexactly(length)).decode("latin-1")
            body = json.dumps({"ok": False, "error": said, "errcode": "M_UNKNOWN_TOKEN", "needed": said}).encode()
            writer.write(
                b"HTTP/1.1 401 No\r\nConnection: close\r\nContent-Type: application/json\r\nX-Error-Message: %s\r\nContent-Length: %d\r\n\r\n"
                % (head[:20].replace(b"\r\n", b" "), len(body))
                + body
            )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


FAULTS: tuple[Fault, ...] = (
    Fault(
        "secrets", "secrets",
        "One with secrets breaks in every way (platforms that quote them, a token revoked, a crash, verbs); its words are looked through",
        secrets, 120,
    ),
)  # fmt: skip
