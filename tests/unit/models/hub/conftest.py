"""A hub on loopback, and who asks it."""

import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from fakes.hub import FakeHub
from safetensors.numpy import save

from bot.config import Settings
from bot.models import hub_quarantine
from bot.models.hub import Hub
from bot.models.hub_listing import Listing
from bot.store.consents import Consents
from bot.store.database import Database
from bot.store.schema import upgrade

REPO = "owner/summary"


WEIGHTS = save({"w": np.arange(100_000, dtype=np.float32)})


FILES = {
    "config.json": b'{"model_type": "bart"}',
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"a pickle",
    "README.md": b"# It",
    "tokenizer.json": b"{}",
}


KEPT = ["README.md", "config.json", "model.safetensors", "tokenizer.json"]


class Waits(list[float]):
    """What was waited, in seconds, without waiting."""

    first: Callable[[], Awaitable[None]] | None = None
    """What happens at the first wait."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        if self.first is not None:
            first, self.first = self.first, None
            await first()


@pytest.fixture
async def hub_server() -> AsyncIterator[FakeHub]:
    async with FakeHub() as server:
        yield server


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at the newest schema, made once."""
    path = tmp_path_factory.mktemp("empty") / "paring.db"
    upgrade(path)
    return path


@pytest.fixture
async def database(empty: Path, tmp_path: Path) -> AsyncIterator[Database]:
    shutil.copy(empty, tmp_path / "paring.db")
    opened = Database(tmp_path / "paring.db")
    yield opened
    await opened.close()


@pytest.fixture
def consents(database: Database) -> Consents:
    return Consents(database)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    return port


@pytest.fixture
def hub(hub_server: FakeHub, settings: Settings, consents: Consents, waits: Waits, monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return Hub(settings, consents, endpoint=hub_server.url, sleep=waits)


async def agreed(hub: Hub, revision: str = "") -> Listing:
    listing = await hub.look(REPO, revision)
    await hub.second_yes(listing, "telegram:4711")
    return listing


def quarantine_of(settings: Settings) -> list[Path]:
    folder = settings.model_home / hub_quarantine.QUARANTINE
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]
