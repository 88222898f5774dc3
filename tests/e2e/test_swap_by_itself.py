"""The whole bot with a new summary model: taken back by itself where people call its answers bad, seen by nobody in the shadow."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.waiting import LONGEST_S

from bot.app import App, opened
from bot.config import ModelSettings, Settings
from bot.locale import Text
from bot.message import Press, Reply, pack
from bot.models.fetch import Place
from bot.models.tasks import SUMMARISE
from bot.models.trial import Figures, Scored, Swap, Tell
from bot.testing import NOON, make_message

EXTRACT, LEAD = "summarise.extract.v1", "summarise.lead.v1"
SAID = (
    "/sum The lease of the old office ends on 30 April. Notice is given three months before, in writing. The new office is by the river. "
    "Moving boxes are ordered by Dana. The canteen serves lunch from noon."
)
CHAT = make_message().address


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    settings = Settings(home=tmp_path, admins=("test:ann",), models=ModelSettings(probation_answers=50))
    async with opened(settings) as app:

        async def figures(place: Place, *, embedder: Place | None, report: Tell) -> Figures:
            return Figures(
                place.spec.identity, "ROUGE-1", (Scored("a", "en", 0.5, "", ""),), 0.1, 1, 2, 3, 0, "", ("ko", "en"), {}
            )

        app.swapper._trying._probe = figures  # the trial in its child process has tests of its own, and takes seconds
        yield app


async def asked(app: App, person: str) -> Reply:
    message = replace(make_message(SAID, sender=person, chat=person, id="1"))
    (reply,) = await app.say(message)
    return reply


async def pressed(app: App, reply: Reply, person: str) -> str:
    (button,) = [button for button in reply.buttons if button.label == "👎"]
    address = make_message(chat=person).address
    return (await app.intake.accept(Press(address, person, "p", button.token, "en", NOON))).note


async def proposed(app: App) -> Swap:
    return await app.swapper.propose("summarise", "lead", by="test:ann", origin=pack(CHAT), tell=told_nobody)


async def told_nobody(_text: Text) -> None:
    """Nobody reads it."""


async def test_answers_that_people_call_bad_take_a_model_back(app: App) -> None:
    before = await asked(app, "zoe")
    assert not [button for button in before.buttons if button.label == "👎"]
    swap = await proposed(app)
    await app.swapper.promote(swap.id, by="test:ann", tell=told_nobody)
    await app.watching.look()

    for person in ("bob", "eve", "joe"):
        assert app.pool.live(SUMMARISE) == LEAD
        reply = await asked(app, person)
        assert reply.text != before.text
        for _press in range(2):  # the second counts for nothing
            assert await pressed(app, reply, person) == "Thank you. It counts against the new model."
        await app.watching.look()

    assert app.pool.live(SUMMARISE) == EXTRACT
    assert (await app.swapper.one(swap.id)).state == "rolled back"
    assert (await asked(app, "kim")).text == before.text
    (parcel,) = await app.outbox.of(0)
    assert parcel.to == CHAT
    assert parcel.reply.text == (
        "**Swap summarise → lead** (number 1): Taken back by itself: People said of 3 of 3 answers that they were wrong. "
        "summarise.extract.v1 answers again."
    )


async def test_a_shadow_computes_admins_own_requests_and_nobody_sees_it(app: App) -> None:
    before = await asked(app, "zoe")
    swap = await proposed(app)
    await app.swapper.shadow(swap.id, 2, by="test:ann")
    await app.watching.look()
    shadows = app.watching._shadows

    assert (await asked(app, "bob")).text == before.text
    (run,) = shadows.runs()
    assert not run.waiting
    for chat in ("ann", "ann2"):
        (reply,) = await app.say(make_message(SAID, sender="ann", chat=chat, id=chat))
        assert (reply.text, reply.receipt and reply.receipt.model) == (before.text, EXTRACT)
    assert len(run.waiting) == 2
    await asyncio.wait_for(shadows.step(app.worker.idle), LONGEST_S)
    await app.watching.look()

    done = await app.swapper.one(swap.id)
    assert done.state == "reported"
    assert done.card is not None
    assert done.card.shadow is not None
    assert (done.card.shadow.done, done.card.shadow.failed) == (2, 0)
    assert 0 < done.card.shadow.agreed < 1
    (parcel,) = await app.outbox.of(0)
    assert "In the shadow of 2 requests" in parcel.reply.text
