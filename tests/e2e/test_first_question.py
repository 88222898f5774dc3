"""What the first question will need is loaded before it comes."""

from pathlib import Path

import pytest

from bot.app import opened
from bot.config import ModelSettings, Settings


async def _nothing_to_learn() -> None:
    """Stand in for what goes on as long as the bot runs."""


async def test_the_embedder_the_router_and_the_reader_are_loaded_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(Settings(home=tmp_path, models=ModelSettings(threads=1))) as app:
        monkeypatch.setattr(app.learner, "run", _nothing_to_learn)

        await app._warm()

        assert {"embed", "route", "read"} <= {status.slot for status in app.pool.status() if status.loaded}
