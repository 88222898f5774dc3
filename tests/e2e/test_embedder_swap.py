"""The embedder is swapped while questions are answered, and back in one word: the static one and MiniLM as they come with the install."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import App, opened
from bot.config import ModelSettings, Settings
from bot.locale import Text
from bot.message import Address, Reply, pack
from bot.models.catalogue import Catalogue
from bot.models.tasks import EMBED
from bot.passage import PUBLIC, Scopes
from bot.route import Route
from bot.store.database import Database
from bot.store.generations import Generations
from bot.store.outbox import Outbox
from bot.store.swaps import Swaps
from bot.testing import make_message

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
async def app(tmp_path: Path) -> AsyncIterator[App]:
    settings = Settings(home=tmp_path, models=ModelSettings(threads=1, choose={"embed": "embed.static.v1"}))
    async with opened(settings) as house:
        yield house


async def fill(app: App, count: int) -> None:
    kept = (app.library.add_text(passage(number), PUBLIC, title="", link="", key=str(number)) for number in range(count))
    await asyncio.gather(*kept)


async def live(database: Database) -> str:
    generation = await Generations(database).live()
    return generation.embedder if generation else ""


async def ask(app: App) -> None:
    for number in ASKED:
        message = make_message(question(number), id=str(number))
        row = await app.inbox.accept(message)
        assert row is not None
        await app.inbox.finish(row, message, [Reply("here", "en")], route=Route("search", "router", 0.9))


async def test_six_hundred_passages_are_embedded_anew_while_questions_are_answered_and_taken_back_in_one_word(app: App) -> None:
    await fill(app, PASSAGES)
    await ask(app)
    static, minilm = (app.catalogue.find(name).identity for name in ("embed.static.v1", "embed.minilm.v1"))
    told: list[str] = []

    async def tell(text: Text) -> None:
        told.append(text.to("en"))

    swap = await app.swapper.propose("embed", "minilm", by="test:ann", tell=tell)

    assert swap.card is not None
    assert (swap.state, swap.before, swap.card.passed) == ("reported", static, True)
    notes = " ".join(note["en"] for note in swap.card.notes)
    assert f"{minilm}: 600 of 600 passages are to be embedded" in notes
    assert "5 of 5 were asked of both" in notes

    answered: list[tuple[str, bool]] = []

    async def people() -> None:
        for number in itertools.cycle(ASKED):
            hits = await app.library.search(question(number), EVERYONE, 1)
            answered.append((await live(app.database), bool(hits) and hits[0].passage.text == passage(number)))

    asking = asyncio.create_task(people())
    swap = await app.swapper.promote(swap.id, by="test:ann", tell=tell)
    meanwhile = [who for who, _right in answered].count(static)
    while answered[-1][0] == static or len(answered) < len(ASKED):
        await asyncio.sleep(0)

    assert swap.state == "watched"
    assert await live(app.database) == app.pool.live(EMBED) == minilm
    assert meanwhile > len(ASKED)
    assert any("of 600 passages embedded" in line for line in told)

    back = await app.swapper.roll_back("embed", by="test:ann", tell=tell)
    asking.cancel()

    assert back.state == "live"
    assert await live(app.database) == app.pool.live(EMBED) == static
    assert (await app.swapper.one(swap.id)).state == "rolled back"
    assert all(right for _who, right in answered)
    assert (await app.library.verify()).sound


async def test_cut_off_by_the_end_of_the_bot_it_goes_on_at_the_next_start_and_tells_who_asked(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, models=ModelSettings(threads=1, choose={"embed": "embed.static.v1"}))
    static, minilm = (spec.identity for spec in map(Catalogue(settings).find, ("embed.static.v1", "embed.minilm.v1")))
    here = Address("telegram", "4711", "42")
    async with opened(settings) as app:
        await fill(app, 100)
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
        left = Outbox(app.database, owner="")  # no channel of that chat runs here: it is left to whoever serves it next
        while not (told := await left.tickets({"telegram": ""})):
            await asyncio.sleep(0)
        looking.cancel()
        reply = (await app.outbox.one(told[0].id)).reply

    assert "embed" in reply.text
    assert "watched" in reply.text
