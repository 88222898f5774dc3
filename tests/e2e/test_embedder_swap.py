"""The embedder is swapped while questions are answered, and back in one word: the static one and MiniLM as they come with the install."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import opened
from bot.config import ModelSettings, Settings
from bot.locale import Text
from bot.message import Address, Reply, pack
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.models.tasks import EMBED
from bot.passage import PUBLIC, Scopes
from bot.retrieval.library import Shelves
from bot.retrieval.swapping import EmbedderPublisher
from bot.route import Route
from bot.store.database import Database
from bot.store.generations import Generations
from bot.store.inbox import Inbox
from bot.store.swaps import Swaps
from bot.testing import InlineSandbox, make_message

EVERYONE = Scopes([PUBLIC])
PASSAGES = 600
PEOPLE = ("Dana", "Minsu", "Hana", "Oskar", "Jiwoo", "Petra", "Yuna", "Felix", "Sora", "Anton")
THINGS = (
    "lamp",
    "projector",
    "bicycle",
    "heater",
    "camera",
    "printer",
    "ladder",
    "kettle",
    "piano",
    "drill",
    "tent",
    "microphone",
)
PLACES = ("cellar", "attic", "red cupboard", "garage", "meeting room")
ASKED = (3, 71, 205, 340, 599)


def passage(number: int) -> str:
    person, thing, place = (words[number // step % len(words)] for words, step in ((PEOPLE, 1), (THINGS, 10), (PLACES, 120)))
    return f"{person} keeps the {thing} in the {place}. Whoever takes it signs the list."


def question(number: int) -> str:
    person, thing, place = (words[number // step % len(words)] for words, step in ((PEOPLE, 1), (THINGS, 10), (PLACES, 120)))
    return f"Does {person} keep the {thing} in the {place}?"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "paring.db")
    yield opened
    await opened.close()


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[Pool]:
    settings = Settings(home=tmp_path, models=ModelSettings(threads=1, choose={"embed": "embed.static.v1"}))
    opened = Pool(Catalogue(settings), settings)
    yield opened
    await opened.close()


@pytest.fixture
async def library(tmp_path: Path, database: Database, pool: Pool) -> AsyncIterator[Shelves]:
    opened = Shelves(database, pool, InlineSandbox(), tmp_path, Settings(home=tmp_path).limits)  # type: ignore[arg-type]
    kept = (opened.add_text(passage(number), PUBLIC, title="", link="", key=str(number)) for number in range(PASSAGES))
    await asyncio.gather(*kept)
    yield opened
    await opened.close()


async def live(database: Database) -> str:
    generation = await Generations(database).live()
    return generation.embedder if generation else ""


async def ask(database: Database) -> None:
    inbox = Inbox(database)
    for number in ASKED:
        message = make_message(question(number), id=str(number))
        row = await inbox.accept(message)
        assert row is not None
        await inbox.finish(row, message, [Reply("here", "en")], route=Route("search", "router", 0.9))


@pytest.mark.timeout(240)
async def test_six_hundred_passages_are_embedded_anew_while_questions_are_answered_and_taken_back_in_one_word(
    library: Shelves, database: Database, pool: Pool
) -> None:
    static, minilm = map(Catalogue(pool.settings).find, ("embed.static.v1", "embed.minilm.v1"))
    publisher = EmbedderPublisher(library, database, pool)
    await ask(database)
    said: list[str] = []

    async def tell(text: Text) -> None:
        said.append(text.to("en"))

    takes, common = await publisher.notes(minilm)
    assert takes.to("en").startswith(f"{minilm.identity}: 600 of 600 passages are to be embedded")
    assert "5 of 5 were asked of both" in common.to("en")
    assert "in common." in common.to("en")

    answered: list[tuple[str, bool]] = []

    async def people() -> None:
        for number in itertools.cycle(ASKED):
            hits = await library.search(question(number), EVERYONE, 1)
            answered.append((await live(database), bool(hits) and hits[0].passage.text == passage(number)))

    asking = asyncio.create_task(people())
    await publisher.publish(minilm, by="ann", tell=tell)
    meanwhile = [who for who, _right in answered].count(static.identity)
    while answered[-1][0] == static.identity or len(answered) < len(ASKED):
        await asyncio.sleep(0)

    assert await live(database) == minilm.identity
    assert meanwhile > len(ASKED)
    assert any("of 600 passages embedded" in told for told in said)
    await publisher.publish(static, by="ann", tell=tell)
    asking.cancel()

    assert await live(database) == static.identity
    assert all(right for _who, right in answered)
    assert (await library.verify()).sound


@pytest.mark.timeout(120)
async def test_cut_off_by_the_end_of_the_bot_it_goes_on_at_the_next_start_and_tells_who_asked(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, models=ModelSettings(threads=1, choose={"embed": "embed.static.v1"}))
    static, minilm = (spec.identity for spec in map(Catalogue(settings).find, ("embed.static.v1", "embed.minilm.v1")))
    here = Address("telegram", "4711", "42")
    async with opened(settings) as app:
        kept = (app.library.add_text(passage(number), PUBLIC, title="", link="", key=str(number)) for number in range(100))
        await asyncio.gather(*kept)
        ended = Swaps(app.database, owner="ended")
        await ended.begin("embed", "minilm", by="telegram:42", origin=pack(here), state="publishing", model=minilm, before=static)
        await app.library.changeover.wish(minilm, by="telegram:42")
        assert await app.library.changeover.step()
        assert await live(app.database) == static

    async with opened(settings) as app:
        assert app.pool.live(EMBED) == static
        looking = asyncio.create_task(app.watching.run(app.worker.idle))
        while (swap := (await app.swapper.history("embed"))[0]).state == "publishing":
            await asyncio.sleep(0)
        assert (swap.state, swap.model) == ("watched", minilm)
        assert await live(app.database) == app.pool.live(EMBED) == minilm
        while not (told := await app.outbox.tickets({"telegram": ""})):
            await asyncio.sleep(0)
        looking.cancel()
        reply = (await app.outbox.one(told[0].id)).reply

    assert "embed" in reply.text
    assert "watched" in reply.text
