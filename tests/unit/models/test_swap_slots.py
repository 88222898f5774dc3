"""The same verb for every slot: two readers of pictures and two heads of the router, as they are; the embedder by its publisher."""

import asyncio
from collections.abc import AsyncIterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from bot.errors import InputError, ModelError
from bot.locale import Text
from bot.models.runtimes.linear_head import Calibration, Head, write_head
from bot.models.spec import ModelSpec
from bot.models.tasks import EMBED, OCR, ROUTE, ImageFile, RouteInput
from bot.models.trial import Tell
from skills.ocr.golden.make import HERE

from .swapping import House, a_house

READERS = {"ocr": EntryPoint("ocr", "skills.ocr", "paring.presets")}
OWN = {"bot": EntryPoint("bot", "bot.models", "paring.presets")}
VECTOR = np.array([1.0, 0.0], np.float32)
MINILM, STATIC = "embed.minilm.v1@53aa51172d14", "embed.static.v1@53aa51172d14"


async def test_two_readers_of_pictures_take_turns(tmp_path: Path) -> None:
    async with a_house(tmp_path / "home", brings=READERS) as house:
        korean, english = ImageFile(HERE / "chat-ko.png"), ImageFile(HERE / "mixed-ko.png")
        assert (await house.pool.run(OCR, [korean]))[0].engine.startswith("tesseract")

        assert (await house.live_now("rapidocr", "ocr")).state == "watched"
        assert (await house.pool.run(OCR, [english]))[0].engine == "rapidocr"

        await house.swapper.roll_back("ocr", by="a", tell=house.tell)
        assert (await house.pool.run(OCR, [korean]))[0].engine.startswith("tesseract")


def a_head(folder: Path, name: str, says: str) -> None:
    """Make a head that says one thing to whatever it is asked."""
    folder.mkdir(parents=True)
    dense = np.zeros((3, 2), np.float32)
    dense[:, 0] = 2.0
    write_head(
        Head(
            (says, "none"), np.zeros(0, np.int32), np.zeros((0, 2), np.float32), dense,
            {"en": Calibration(1.0, 0.3, 0.1), "ko": Calibration(1.0, 0.3, 0.1)}, embedder="", made_of=name,
        ),
        folder,
    )  # fmt: skip
    (folder / "paring.yaml").write_text(
        f"name: {name}\nslot: route\nfamily: linear-head\nlanguages: [ko, en]\n", encoding="utf-8"
    )


async def test_two_heads_of_the_router_in_folders_take_turns(tmp_path: Path) -> None:
    for name, says in (("head-a", "search"), ("head-b", "chat")):
        a_head(tmp_path / "home" / "models" / name, name, says)
    async with a_house(tmp_path / "home", brings={}, choose={"route": "head-a"}) as house:

        async def label() -> str:
            return (await house.pool.run(ROUTE, [RouteInput("hello", "en", VECTOR)]))[0].ranked[0][0]

        assert await label() == "search"
        swap = await house.live_now("head-b", "route")
        assert swap.model.startswith("head-b@")
        assert await label() == "chat"
    async with a_house(tmp_path / "home", brings={}, choose={"route": "head-a"}) as house:
        assert house.pool.live(ROUTE) == swap.model
        await house.swapper.roll_back("route", by="a", tell=house.tell)
        assert house.pool.live(ROUTE).startswith("head-a@")


async def test_a_slot_that_was_empty_is_empty_again_after_the_way_back(tmp_path: Path) -> None:
    a_head(tmp_path / "home" / "models" / "head-a", "head-a", "search")
    async with a_house(tmp_path / "home", brings={}) as house:
        await house.live_now("head-a", "route")
        back = await house.swapper.roll_back("route", by="a", tell=house.tell)
        assert (back.model, house.pool.live(ROUTE)) == ("", "")
        assert await house.assignments.all() == {}


class FakePublisher:
    """Says what it was asked to make live, and makes it so when it is let."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.lets = asyncio.Event()
        self.reached = asyncio.Event()
        self.fails = False

    async def notes(self, spec: ModelSpec) -> tuple[Text, ...]:
        return (Text("vectors are made first"),)

    async def publish(self, spec: ModelSpec, *, by: str, tell: Tell) -> None:
        self.asked.append(spec.identity)
        self.reached.set()
        await self.lets.wait()
        if self.fails:
            raise ModelError("no vector came of it")


@pytest.fixture
async def publisher() -> FakePublisher:
    return FakePublisher()


@pytest.fixture
async def house(tmp_path: Path, publisher: FakePublisher) -> AsyncIterator[House]:
    async with a_house(
        tmp_path / "home", brings=OWN, publishers={"embed": publisher}, choose={"embed": "embed.minilm.v1"}
    ) as opened:
        yield opened


async def test_the_embedder_is_made_live_by_its_publisher(house: House, publisher: FakePublisher) -> None:
    publisher.lets.set()
    swap = await house.live_now("static", "embed")

    assert publisher.asked == [STATIC]
    assert swap.state == "watched"
    assert swap.card is not None
    assert swap.card.notes == ({"en": "vectors are made first", "ko": "vectors are made first"},)
    assert await house.assignments.all() == {}


async def test_an_embedder_that_fails_leaves_the_one_before(house: House, publisher: FakePublisher) -> None:
    publisher.lets.set()
    publisher.fails = True
    with pytest.raises(ModelError, match="no vector came of it"):
        await house.live_now("static", "embed")

    assert (await house.swapper.one(1)).state == "failed"
    assert house.pool.live(EMBED) == MINILM


async def test_without_its_publisher_the_embedder_is_not_swapped(tmp_path: Path) -> None:
    async with a_house(tmp_path / "home", brings=OWN) as house:
        with pytest.raises(InputError, match="paring index use"):
            await house.live_now("static", "embed")


async def test_a_change_of_embedder_goes_on_at_the_next_start_and_is_told_when_it_is_live(tmp_path: Path) -> None:
    first, second = FakePublisher(), FakePublisher()
    async with a_house(tmp_path / "home", owner="first", brings=OWN, publishers={"embed": first}) as house:
        asked = asyncio.create_task(house.live_now("static", "embed"))
        await first.reached.wait()
        house.swapper.leave()
        asked.cancel()
        await asyncio.wait([asked])
    async with a_house(tmp_path / "home", owner="second", brings=OWN, publishers={"embed": second}) as house:
        assert (await house.swapper.one(1)).state == "publishing"
        for _look in range(2):
            await house.watching.look()
        await second.reached.wait()
        second.lets.set()
        await asyncio.wait(house.watching._resumed)
        assert second.asked == [STATIC]
        assert (await house.swapper.one(1)).state == "watched"
        assert "It is live, and watched" in house.notified[0][1].to("en")


async def test_a_change_that_this_process_is_about_to_make_is_not_begun_twice(house: House, publisher: FakePublisher) -> None:
    publisher.lets.set()
    swap = await house.swapper.propose("embed", "static", by="test:ann", tell=house.tell)

    async def looked_at(text: Text) -> None:
        await house.tell(text)
        await house.watching.look()

    assert (await house.swapper.promote(swap.id, by="test:ann", tell=looked_at)).state == "watched"
    assert publisher.asked == [STATIC]
    assert house.notified == []


async def test_a_change_that_was_gone_on_with_ends_with_the_watch(tmp_path: Path) -> None:
    first, second = FakePublisher(), FakePublisher()
    async with a_house(tmp_path / "home", owner="first", brings=OWN, publishers={"embed": first}) as house:
        await house.swaps.begin("embed", "static", by="a", state="publishing", model=STATIC, before=MINILM)
    async with a_house(tmp_path / "home", owner="second", brings=OWN, publishers={"embed": second}) as house:
        watch = asyncio.create_task(house.watching.run(asyncio.Event().wait))  # type: ignore[arg-type]
        await second.reached.wait()
        (resumed,) = house.watching._resumed
        watch.cancel()
        await asyncio.wait([watch])

        assert resumed.cancelled()
        assert (await house.swapper.one(1)).state == "publishing"


async def test_a_way_back_that_was_gone_on_with_is_not_on_probation(tmp_path: Path) -> None:
    publisher = FakePublisher()
    publisher.lets.set()
    async with a_house(tmp_path / "home", owner="first", brings=OWN, publishers={"embed": publisher}) as house:
        await house.swaps.begin("embed", "rollback", by="a", origin="here", state="publishing", model=STATIC, before=MINILM)
    async with a_house(tmp_path / "home", owner="second", brings=OWN, publishers={"embed": publisher}) as house:
        await house.watching.look()
        await asyncio.wait(house.watching._resumed)

        assert (await house.swapper.one(1)).state == "live"
        assert "embed is back at embed.static.v1" in house.notified[0][1].to("en")
