"""A model of a hub, swapped in through the whole bot: asked twice, fetched, tried, forced, and live at the next start without the hub."""

from pathlib import Path

import pytest
from fakes import tiny_models
from fakes.hub import Cut, FakeHub

from bot.app import App, opened
from bot.config import Settings
from bot.locale import Text
from bot.models.tasks import SUMMARISE, SummaryInput

ADMIN = "telegram:4711"


class Told(list[str]):
    """What was shown, in Korean."""

    async def __call__(self, text: Text) -> None:
        self.append(text.to("ko"))


async def test_a_model_of_a_hub_goes_live_and_stays_so_without_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, told = Settings(home=tmp_path / "home"), Told()
    made = tiny_models.bart(tmp_path / "made", says="fox")
    async with FakeHub() as hub:
        commit = hub.add("tiny/summary", made, card={"license": "cc-by-nc-4.0", "language": "en"})
        hub.next("model.safetensors", Cut(1000))
        word = f"hub:tiny/summary@{commit}"
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        async with opened(settings) as app:
            await swap_in(app, word, told)
        assert [asked.begin for asked in hub.asked if asked.to == "store"] == ["", "bytes=1000-"]

    async with opened(settings) as app:
        assert app.pool.live(SUMMARISE) == word
        (answer,) = await app.pool.run(SUMMARISE, [SummaryInput.of("The fox jumps. The dog sleeps.", language="en")])
        assert answer is not None
        back = await app.swapper.roll_back("summarise", by=ADMIN, tell=told)
        assert back.model == app.pool.live(SUMMARISE) == "summarise.extract.v1"


async def swap_in(app: App, word: str, told: Told) -> None:
    refused = await app.swapper.propose("summarise", "hub:tiny/summary", by=ADMIN, tell=told)
    assert (refused.state, "cc-by-nc-4.0" in refused.said["ko"]) == ("refused", True)
    assert not list(app.settings.model_home.glob("hub--*"))

    swap = await app.swapper.propose("summarise", "hub:tiny/summary", by=ADMIN, tell=told, yes=True)
    assert (swap.state, swap.model) == ("reported", word)
    assert swap.card is not None
    assert swap.card.new.licence == "cc-by-nc-4.0"
    assert any("tiny/summary" in line and "kB" in line for line in told)

    await app.swapper.promote(swap.id, by=ADMIN, tell=told, reason="a test")
    assert app.pool.live(SUMMARISE) == word
