"""The pictures of the page in the README: the real bot, asked in Chromium.

python -m benchmarks.screenshots   # writes docs/img/page-*.png; needs chromium and the test extras
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "img"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
FILES = {
    "office-move.md": "# Office move\n\nThe team moves to the Mapo office on 3 March. Minji orders the boxes by 14 February.\n\n"
    "## Lease\n\nThe old lease ends on 30 April 2027. Notice must be given in writing, three months before.\n",
    "휴가-규정.txt": "휴가 규정\n\n연차는 매년 15일이며 3월 1일에 새로 부여됩니다. 병가를 쓰려면 진단서가 있어야 합니다. "
    "남은 연차는 다음 해 2월 말까지 쓸 수 있습니다.\n",
    "expenses.csv": "item,limit,who approves\ntaxi,30000 won,team lead\nhotel,150000 won a night,finance\n"
    "lunch with guests,25000 won a person,team lead\n",
}


@dataclass(frozen=True)
class Shot:
    """One picture: its name, the questions asked, the colour scheme, the language of the browser, and the size in pixels."""

    name: str
    questions: tuple[str, ...]
    scheme: str
    locale: str
    size: tuple[int, int]


TRIED_MS = 180_000
"""How long a model may take to be tried."""

SHOTS = (
    Shot("page-light", ("When does the old lease end?",), "light", "en-GB", (1100, 860)),
    Shot("page-dark", ("Who approves a hotel?",), "dark", "en-GB", (1100, 860)),
    Shot("page-phone-ko", ("연차는 며칠이야?",), "light", "ko-KR", (390, 844)),
)


async def main() -> None:
    """Take every picture, each of a bot with a fresh home."""
    sys.path.insert(0, str(ROOT / "tests"))
    from fakes.program import bot

    PICTURES.mkdir(parents=True, exist_ok=True)
    for shot in SHOTS:
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / name for name in FILES]
            for file in files:
                file.write_text(FILES[file.name], encoding="utf-8")
            async with bot(Path(folder) / "home") as program, async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
                await take(browser, program.url, shot, files)
                await browser.close()
    await take_models()


async def take_models() -> None:
    """Try the lead of a text in place of its summary, on the admin page of a fresh bot; save the page with the report card."""
    from fakes.program import bot

    with tempfile.TemporaryDirectory() as folder:
        async with bot(Path(folder) / "home") as program, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
            page = await browser.new_page(viewport={"width": 1100, "height": 960}, locale="en-GB")
            await page.goto(f"{program.url}/admin")
            form = page.locator("form[data-verb=try][data-slot=summarise]")
            await form.locator("input").fill("summarise.lead.v1")
            await form.locator("button.pill").first.click()
            await page.locator("#section-work article.card").wait_for(timeout=TRIED_MS)
            await page.evaluate("scrollTo(0, 0)")
            await page.screenshot(path=PICTURES / "admin.png")
            await browser.close()


async def take(browser: Browser, url: str, shot: Shot, files: list[Path]) -> None:
    """Drop the files, ask the questions, open the first source, save the picture; of the first page, too, before anything."""
    width, height = shot.size
    page = await browser.new_page(
        viewport={"width": width, "height": height}, color_scheme="dark" if shot.scheme == "dark" else "light", locale=shot.locale,
        device_scale_factor=2 if width < 500 else 1,
    )  # fmt: skip
    await page.goto(url)
    if shot.name == "page-light":
        await page.screenshot(path=PICTURES / "page-first.png")
    await page.locator("input[type=file]").first.set_input_files(files)
    await asyncio.sleep(1)
    await page.locator("textarea").first.press("Enter")
    await settled(page, answers=1)
    for number, question in enumerate(shot.questions, 2):
        await page.locator("textarea").first.fill(question)
        await page.locator("textarea").first.press("Enter")
        await settled(page, answers=number)
        await page.locator(".entry.bot").last.locator(".source summary").first.click()
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(500)
    await page.screenshot(path=PICTURES / f"{shot.name}.png")


async def settled(page: Page, *, answers: int) -> None:
    """Wait until there are that many answers, the last one whole: with its receipt."""
    await page.locator(".entry.bot").nth(answers - 1).locator(".how").wait_for(timeout=60_000)


if __name__ == "__main__":
    asyncio.run(main())
