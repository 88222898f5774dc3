"""A bot that is killed at any step of a swap: the next start has the model before (the new one once it was recorded), and says so."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from fakes.program import paring
from fakes.waiting import LONGEST_S

from bot.app import App, opened
from bot.config import Settings
from bot.locale import Text
from bot.models.tasks import SUMMARISE
from bot.models.trial import STEPS, Step, Swap

PROGRAM = """
import asyncio, os, signal, sys
from bot.app import opened
from bot.config_file import load_settings
from bot.models.trial import Figures, Scored

async def swap(step):
    async with opened(load_settings()) as app:
        async def reached(at):
            if at == step:
                os.kill(os.getpid(), signal.SIGKILL)
        async def tell(text):
            if step == "probe" and "of 40 cases" in text.to("en"):
                os.kill(os.getpid(), signal.SIGKILL)  # while the child is at it
        async def quick(place, *, embedder, report):
            scored = (Scored("a", "en", 0.5, "", ""),)
            return Figures(place.spec.identity, "ROUGE-1", scored, 0.1, 1, 2, 3, 0, "", ("ko", "en"), {})
        if step != "probe":
            app.swapper.reached = reached
            app.swapper._trying._probe = quick
        found = await app.swapper.propose("summarise", "lead", by="test:ann", tell=tell)
        await app.swapper.promote(found.id, by="test:ann", tell=tell, reason="to be killed at it")

asyncio.run(swap(sys.argv[1]))
"""
EXTRACT, LEAD = "summarise.extract.v1", "summarise.lead.v1"


async def killed_at(home: Path, step: Step) -> str:
    """Run a swap that is killed when `step` begins; return what it had told."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARING_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, step, env=environment | {"PARING_HOME": str(home)}, cwd=home.parent,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _none = await asyncio.wait_for(process.communicate(), LONGEST_S)
    assert process.returncode == -signal.SIGKILL
    return out.decode()


async def test_killed_at_every_step(tmp_path: Path) -> None:
    steps = [step for step in STEPS if step != "fetch"]  # nothing is fetched of what comes with the install
    two = asyncio.Semaphore(2)

    async def killed(step: Step) -> None:
        async with two:
            await killed_at(tmp_path / step, step)

    await asyncio.gather(*map(killed, steps))
    for step in steps:
        async with opened(Settings(home=tmp_path / step)) as app:
            recorded = step == "watch"
            assert (step, app.pool.live(SUMMARISE)) == (step, LEAD if recorded else EXTRACT)
            (swap,) = await app.swapper.history()
            assert (swap.state, swap.step) == ("watched" if recorded else "interrupted", step)
            assert await told(app) == (0 if recorded else 1)
    code, out, _complaints = await paring(tmp_path / "watch", "models", "--json")
    assert code == 0
    assert LEAD in out


async def told(app: App) -> int:
    """Return of how many swaps it is told that they were interrupted: at the second look, once."""
    heard: list[Text] = []

    async def notify(_swap: Swap, text: Text) -> None:
        heard.append(text)

    app.watching._notify = notify
    for _look in range(3):
        await app.watching.look()
    return len(heard)
