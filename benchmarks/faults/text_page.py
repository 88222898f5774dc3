"""Texts that try to run in the page: in every place where it shows others' words, in Chromium, with and without its policy."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from fakes.web_house import House
from playwright.async_api import Browser, Page, Response, async_playwright

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.text_texts import CALLING, vectors
from bot.locale import Text
from bot.message import Attachment, Button, Command, Message, Receipt, Reply, Source
from bot.models.trial import told
from bot.testing import make_message

A_PAGE = 12
"""Vectors a page: each stands in a message of a person's and in an answer."""
WAIT_MS = 100
LOOK = """() => {
    const foreign = /^(script|iframe|object|embed|style|link|base|meta|form|math|template|video|audio|marquee)$/i;
    const acts = (one) => [...one.attributes].some((held) => /^on/i.test(held.name));
    const ours = (one) => one.closest("[data-verb], header") !== null;
    const all = [...document.querySelectorAll("#log *, main *, #admin *")];
    return {
        hit: Boolean(window.hit) || document.title === "hit",
        made: all.filter((one) => (foreign.test(one.localName) && !ours(one)) || acts(one)).map((one) => one.outerHTML.slice(0, 90)),
        links: [...document.querySelectorAll("a[href]")].map((one) => one.href).filter((href) => !/^(https?:|mailto:)/.test(href)),
    };
}"""


@dataclass
class Seen:
    """What went wrong."""

    tried: int = 0
    ran: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    policies: list[str] = field(default_factory=list)


async def corpus(plan: Plan) -> Row:
    """Run it in a process of its own: one has one page."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.faults.text_page", str(plan.scratch), str(plan.scale), stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    said, _none = await child.communicate()
    return Row(**json.loads(said.splitlines()[-1]))


async def _tried(folder: Path, scale: float) -> Row:
    every = [*vectors(), *CALLING]
    chosen = every if scale >= 1 else every[:: round(1 / scale)][:A_PAGE]
    house, seen = House(folder), Seen()
    await house.start()
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            await _look(house, browser, chosen[:A_PAGE], seen, bare=scale < 1)
            for start in range(0, len(chosen) if scale >= 1 else 0, A_PAGE):
                await _look(house, browser, chosen[start : start + A_PAGE], seen, bare=True)
            await browser.close()
    finally:
        await house.stop()
    loose = sorted({policy for policy in seen.policies if _loose(policy)})
    return Row(
        seen.tried, "texts in places", leaked=len(seen.ran) + len(seen.asked), failed=len(loose) + (not seen.policies),
        note="; ".join([*seen.ran, *seen.asked, *loose][:2])
        or f"{len(chosen)} texts; nothing ran, nothing was asked for elsewhere, by a browser that was told to ignore the page's policy",
    )  # fmt: skip


async def _look(house: House, browser: Browser, texts: Sequence[str], seen: Seen, *, bare: bool) -> None:
    house.clear()
    for number, text in enumerate(texts):
        house.transcript.put(f"m{number}", _message(number, text))
        house.transcript.put(f"r{number}", _reply(text))
        house.documents.put(number + 1, text, text, kind="text")
    await _order(house, texts[0])
    context = await browser.new_context(bypass_csp=bare)
    page = await context.new_page()
    _listen(page, house, seen)
    for path in PATHS:
        answer = await page.goto(f"{house.web.url}{path}")
        await _judge(page, answer, seen, f"{path} of {texts[0]!a:.60}")
        seen.tried += len(texts) if path == "/" else 1
    await context.close()


def _loose(policy: str) -> bool:
    """Say whether a policy lets anything in from elsewhere, or any script that the page did not bring or name by a number of its own."""
    said = {name: set(values) for name, *values in (part.split() for part in policy.split(";") if part.strip())}
    scripts = {re.sub(r"'nonce-[\w-]{20,}'", "'nonce'", value) for value in said.get("script-src", {"*"})}
    closed = {
        "default-src": {"'none'"},
        "base-uri": {"'none'"},
        "form-action": {"'self'"},
        "frame-ancestors": {"'none'"},
        "img-src": {"'self'", "blob:", "data:"},
    }
    return not scripts <= {"'self'", "'nonce'"} or any(said.get(name) != values for name, values in closed.items())


PATHS = ("/", "/admin", "/admin/swaps/1", "/messages/m0", "/documents/1", "/documents/2")


def _message(number: int, text: str) -> Message:
    file = Attachment("document", f"{text[:80]}/{text[:80]}.pdf", "application/pdf", 9)
    said = replace(make_message(text), attachments=(file,), sender_name=text, reply_to=make_message(text), by_bot=number % 2 == 1)
    return replace(said, command=Command("search", text)) if number % 3 == 0 else said


def _reply(text: str) -> Reply:
    said = Text("{name} is cut off.", (("name", text),)).markdown("en")
    source = Source(text, text, text, 0.5, (0, len(text)))
    receipt = Receipt(text, text, 0.5, text, 0.4, ((text, 1.0),))
    return Reply(f"{text}\n\n{said}", "en", (), (Button(text, Command("x", text), "t"),), (source,), receipt)


async def _order(house: House, text: str) -> None:
    """Have the admin page show `text` wherever others' words stand: what was typed, a model's name, a card's reasons."""

    async def tell(_text: Text) -> None:
        pass

    words = told(Text("{why}", (("why", text),)))
    house.desk.swaps.gives = replace(house.desk.swaps.gives, reasons=(words,))
    await house.desk.swaps.propose("summarise", text, by=text, tell=tell)
    house.desk.swaps.made[-1] = replace(house.desk.swaps.made[-1], model=text, before=text, reason=text, said=words)


def _listen(page: Page, house: House, seen: Seen) -> None:
    own = (house.web.url, house.web.url.replace("http", "ws", 1), "data:", "blob:")
    page.on("pageerror", lambda error: seen.ran.append(f"error: {error}"))
    page.on(
        "console", lambda said: seen.ran.append(f"console: {said.text[:150]}") if "Content Security Policy" in said.text else None
    )
    page.on("request", lambda request: seen.asked.append(request.url) if not request.url.startswith(own) else None)

    async def dismissed(dialog: object) -> None:
        seen.ran.append("a dialog")
        await dialog.dismiss()  # type: ignore[attr-defined]

    page.on("dialog", dismissed)


async def _judge(page: Page, answer: Response | None, seen: Seen, where: str) -> None:
    assert answer is not None
    assert answer.ok, f"{answer.status} {where}"
    seen.policies.append((await answer.all_headers()).get("content-security-policy", "none"))
    await page.wait_for_timeout(WAIT_MS)
    found = await page.evaluate(LOOK)
    if found["hit"] or found["made"] or found["links"]:
        seen.ran.append(f"{where}: {found}")


FAULTS: tuple[Fault, ...] = (
    Fault(
        "xss-corpus",
        "text",
        "texts that try to run, as messages, answers, titles, links, names of files, people and models, errors, cards and orders, in Chromium",
        corpus,
        most_s=240,
    ),
)

if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_tried(Path(sys.argv[1]), float(sys.argv[2]))))))
