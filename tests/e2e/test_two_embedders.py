"""MiniLM (of eight bits too) and the static embedder take turns as they come; and a change that is killed at any moment leaves one whole."""

import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from bot.app import opened
from bot.config import LimitSettings, ModelSettings, Settings
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.models.tasks import EMBED
from bot.passage import PUBLIC, Scopes
from bot.retrieval.library import Shelves
from bot.store.database import Database
from bot.store.generations import Generations
from bot.testing import InlineSandbox

EVERYONE = Scopes([PUBLIC])
MINILM, STATIC = "embed.minilm-ko.v3@53aa51172d14-134153da", "embed.static.v1@53aa51172d14"
INT8 = "embed.minilm-int8.v1@53aa51172d14"
TEXTS = {
    "lease": "The lease of the old office ends on 30 April. Notice is given three months before, in writing.",
    "boxes": "Moving boxes are ordered by Dana; each desk gets four of them.",
    "wifi": "Guests get the password of the wireless network at the front desk.",
    "lunch": "The canteen serves lunch from half past eleven until two.",
    "leave": "Everyone has 25 days of paid leave a year; unused days expire in March.",
    "server": "The backup of the database runs at night; restoring it takes an hour.",
}
QUESTIONS = {"lease": "when does the lease end?", "boxes": "who orders the moving boxes?", "wifi": "wireless password for guests"}


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[Pool]:
    settings = Settings(home=tmp_path, models=ModelSettings(threads=1))
    opened = Pool(Catalogue(settings), settings)
    yield opened
    await opened.close()


@pytest.fixture
async def library(tmp_path: Path, pool: Pool) -> AsyncIterator[Shelves]:
    database = await Database.open(tmp_path / "paring.db")
    opened = Shelves(database, pool, InlineSandbox(), tmp_path, LimitSettings())  # type: ignore[arg-type]
    for key, text in TEXTS.items():
        await opened.add_text(text, PUBLIC, title="", link="", key=key)
    yield opened
    await opened.close()
    await database.close()


async def answered(library: Shelves) -> bool:
    hits = {key: await library.search(question, EVERYONE, 1) for key, question in QUESTIONS.items()}
    return all(found and found[0].passage.text == TEXTS[key] for key, found in hits.items())


@pytest.mark.parametrize(("other", "dimension"), [(STATIC, 256), (INT8, 384)])
async def test_two_embedders_of_the_install_take_turns(library: Shelves, pool: Pool, other: str, dimension: int) -> None:
    change = library.changeover
    assert (await library.status()).dimension == 384
    assert await answered(library)

    plan = await change.plan(other)
    assert (plan.dimension, plan.lacking) == (dimension, len(TEXTS))
    await change.ask(plan, by="ann")
    assert await change.step()
    await library.add_text("The bicycle shed is locked at nine.", PUBLIC, title="", link="", key="shed")
    await change.complete()

    status = await library.status()
    assert (status.embedder, status.dimension, status.without_vector) == (other, dimension, 0)
    assert await answered(library)
    assert (await library.verify()).sound
    held = {one.generation.embedder: one for one in (await change.standing()).generations}
    assert (held[MINILM].vectors, held[other].vectors) == (len(TEXTS) + 1, len(TEXTS) + 1)

    assert (await change.roll_back(by="ann")).lacking == 0
    assert (await library.status()).embedder == MINILM
    assert await answered(library)
    assert (await library.verify()).sound


@pytest.mark.parametrize("before", ["embed.minilm-ko.v1", "embed.minilm-ko.v2"])
async def test_a_home_from_before_goes_on_with_what_it_was_made_with(tmp_path: Path, before: str) -> None:
    made_with = Catalogue(Settings(home=tmp_path)).find(before).identity
    async with opened(Settings(home=tmp_path, models=ModelSettings(threads=1, choose={"embed": before}))) as app:
        for key, text in TEXTS.items():
            await app.library.add_text(text, PUBLIC, title="", link="", key=key)

    async with opened(Settings(home=tmp_path, models=ModelSettings(threads=1))) as app:
        assert app.pool.live(EMBED) == made_with
        assert not await app.library.changeover.step()
        status = await app.library.status()
        assert (status.embedder, status.without_vector) == (made_with, 0)
        assert await answered(app.library)  # type: ignore[arg-type]


async def test_a_question_is_the_live_ones_whichever_the_pool_holds(library: Shelves, pool: Pool) -> None:
    await library.changeover.wish(STATIC, by="ann")
    await library.changeover.complete()

    found = await library.rank("when does the lease end?", EVERYONE, count=1, leg="vectors")
    (vector,) = await pool.run(EMBED.of(STATIC), ["when does the lease end?"])

    assert pool.live(EMBED) == MINILM
    assert len(found.ids) == 1
    assert len(vector) == 256
    assert np.isclose(np.linalg.norm(vector), 1, atol=1e-5)


CHANGING = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from retrieval_fakes import WordEmbedder
from bot.config import LimitSettings
from bot.retrieval import changeover
from bot.retrieval.library import Shelves
from bot.store.database import Database
from bot.testing import InlineSandbox
changeover.FEWEST = changeover.MOST = 3

class Two:
    known = {"a@1": WordEmbedder("a@1", 32), "b@1": WordEmbedder("b@1", 16)}
    def live(self, slot):
        return slot.model or "a@1"
    async def run(self, slot, batch, *, bulk=False):
        return [self.known[self.live(slot)].vector(text) for text in batch]

async def main():
    home = Path(sys.argv[1])
    database = await Database.open(home / "paring.db")
    library = Shelves(database, Two(), InlineSandbox(), home, LimitSettings())
    from bot.passage import PUBLIC
    if not (await library.status()).passages:
        for number in range(40):
            await library.add_text(f"note {number} on elephants", PUBLIC, title="", link="", key=str(number))
    wish = sys.argv[3]
    await library.changeover.wish(wish, by="ann")
    print("begun", flush=True)
    number = 40
    while await library.changeover.step():
        print("piece", flush=True)
        await library.add_text(f"note {number} of {wish}", PUBLIC, title="", link="", key=f"{number % 45}")
        number += 1
    print("done", flush=True)
    await library.close()
    await database.close()

asyncio.run(main())
"""


def changed(home: Path, wish: str, *, kill_after: int | None) -> bool:
    """Run a change in a process of its own; kill it after so many lines. Return whether it came to its end."""
    command = [sys.executable, "-c", CHANGING, str(home), str(Path(__file__).parents[1]), wish]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for seen, line in enumerate(child.stdout or ()):
            if seen == kill_after:
                child.send_signal(signal.SIGKILL)
                return False
            if line == "done\n":
                return True
    msg = f"the child ended by itself with {child.returncode}"
    raise AssertionError(msg)


async def test_killed_at_any_moment_one_generation_is_live_and_whole(tmp_path: Path) -> None:
    chance = random.Random(7)
    for wish in ("b@1", "a@1", "b@1"):
        changed(tmp_path, wish, kill_after=chance.randrange(1, 12))
        database = await Database.open(tmp_path / "paring.db")
        generations = Generations(database)
        live = await generations.live()
        assert live is not None
        assert (await generations.counts(live.id))[1] == 0
        assert len(await generations.written()) <= 2
        await database.close()
    assert changed(tmp_path, "b@1", kill_after=None)
    database = await Database.open(tmp_path / "paring.db")
    states = {one.embedder: one.state for one in await Generations(database).all()}
    assert states["b@1"] == "live"
    assert (await Generations(database).counts((await Generations(database).live()).id))[1] == 0  # type: ignore[union-attr]
    await database.close()
