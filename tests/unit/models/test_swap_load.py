"""Fifty people ask for summaries while the real models behind them take turns: nobody is refused, and nobody is answered twice."""

import asyncio
from collections import Counter
from pathlib import Path

from bot.models.places import Heard
from bot.models.tasks import SUMMARISE, SummaryInput

from .swapping import EXTRACT, LEAD, LEXRANK, a_house

ASKERS = 50


def text_of(number: int, asked: int) -> SummaryInput:
    said = (
        f"The lease of office {number} ends in April. The canteen serves lunch from noon. The lease is ended in writing. "
        f"Moving boxes are ordered by Dana. This is request {asked}. The new office is by the river."
    )
    return SummaryInput.of(said, language="en", length="short")


async def test_a_swap_under_fifty_askers_drops_and_doubles_nothing(tmp_path: Path) -> None:
    async with a_house(tmp_path / "home") as house:
        heard: list[Heard] = []
        house.pool.listen(heard.append)
        await house.pool.run(SUMMARISE, [text_of(0, 0)])
        stop = asyncio.Event()

        async def ask(number: int) -> int:
            asked = 0
            while not stop.is_set():
                asked += 1
                (summary,) = await house.pool.run(SUMMARISE, [text_of(number, asked)])
                assert summary.picked
            return asked

        async with asyncio.TaskGroup() as group:
            askers = [group.create_task(ask(number)) for number in range(ASKERS)]
            for name, model in (("lead", LEAD), ("lexrank", LEXRANK), ("lead", LEAD)):
                assert (await house.live_now(name)).state == "watched"
                assert house.pool.live(SUMMARISE) == model
                await house.pool.run(SUMMARISE, [text_of(0, 0)])
            await house.swapper.roll_back("summarise", by="a", tell=house.tell)
            await house.pool.run(SUMMARISE, [text_of(0, 0)])
            stop.set()

    asked = sum(asker.result() for asker in askers) + 5
    by_model = Counter(call.model for call in heard)
    texts = Counter(str(one.text) for call in heard for one in call.inputs if isinstance(one, SummaryInput))
    assert all(call.outputs is not None for call in heard)
    assert by_model.total() == asked
    assert set(by_model) == {EXTRACT, LEAD, LEXRANK}
    assert max(count for text, count in texts.items() if "request 0." not in text) == 1
