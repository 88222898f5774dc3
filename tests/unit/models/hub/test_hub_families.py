"""A model of every family that a hub may give: made by transformers itself, fetched over loopback, answered by the pool."""

import hashlib
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fakes import tiny_models
from fakes.hub import FakeHub
from fakes.tiny_embedder import tiny_embedder
from PIL import Image

from bot.config import Settings
from bot.models.catalogue import Catalogue
from bot.models.hub import Hub
from bot.models.pool import Pool
from bot.models.tasks import (
    CAPTION,
    CHAT,
    EMBED,
    IMAGINE,
    SUMMARISE,
    TRANSCRIBE,
    TRANSLATE,
    AudioFile,
    ChatInput,
    ChatTurn,
    DrawingInput,
    ImageFile,
    SummaryInput,
    TranslationInput,
)
from bot.skill import Slot
from bot.store.consents import Consents
from bot.store.database import Database


def _blip(folder: Path) -> Path:
    from fakes.tiny_captioners import make_blip

    return make_blip(folder)


def _picture(folder: Path) -> ImageFile:
    Image.new("RGB", (32, 32), "red").save(folder / "a.png")
    return ImageFile(folder / "a.png")


def _recording(folder: Path) -> AudioFile:
    samples = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)
    soundfile.write(folder / "a.wav", samples, 16_000, subtype="PCM_16")
    return AudioFile(folder / "a.wav")


@dataclass(frozen=True)
class Family:
    slot: Slot[Any, Any]
    make: Callable[[Path], Path]
    ask: Callable[[Path], object]


SUMMARY = SummaryInput.of("The fox jumps. The dog sleeps. 회의는 화요일이에요.", language="en")
FAMILIES = {
    "sentence-transformers": Family(EMBED, tiny_embedder, lambda _folder: "a question"),
    "seq2seq-summary": Family(SUMMARISE, tiny_models.bart, lambda _folder: SUMMARY),
    "seq2seq-translation": Family(
        TRANSLATE, partial(tiny_models.marian, pair=("en", "ko")), lambda _folder: TranslationInput("Where is it?", "en", "ko")
    ),
    "image-text": Family(CAPTION, _blip, _picture),
    "whisper": Family(TRANSCRIBE, tiny_models.whisper, _recording),
    "causal": Family(CHAT, tiny_models.qwen, lambda _folder: ChatInput((ChatTurn("user", "안녕"),), max_tokens=4)),
    "diffusers": Family(IMAGINE, tiny_models.diffusion, lambda _folder: DrawingInput("a red fox", 64, 64, seed=1)),
}


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Callable[[], Pool]]:
    opened: list[Pool] = []

    def start() -> Pool:
        opened.append(Pool(Catalogue(settings), settings))
        return opened[-1]

    yield start
    for one in opened:
        await one.close()


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Return the ports to which a connection was opened."""
    ports: set[int] = set()
    connect = socket.socket.connect

    def noted(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            ports.add(address[1])
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    return ports


@pytest.mark.parametrize("name", sorted(FAMILIES))
async def test_a_model_of_the_family_is_fetched_and_answers_after_a_start(
    name: str, settings: Settings, tmp_path: Path, pool: Callable[[], Pool], reached: set[int]
) -> None:
    family = FAMILIES[name]
    made = family.make(tmp_path / "made")
    database = await Database.open(tmp_path / "paring.db")
    async with FakeHub() as server:
        commit = server.add("tiny/model", made)
        hub = Hub(settings, Consents(database), endpoint=server.url)
        spec = await hub.spec_of("hub:tiny/model", family.slot.name)
        listing = await hub.look("tiny/model", spec.revision)
        await hub.second_yes(listing, "telegram:4711")
        folder = await hub.fetch(listing)
        spec = await hub.spec_of(spec.identity, family.slot.name)
        here = {server.url.rpartition(":")[2], *(str(one.port) for one in server._servers)}
    await database.close()
    assert {str(port) for port in reached} == here

    live = pool()
    await live.publish(family.slot, spec)
    (answer,) = await live.run(family.slot, [family.ask(tmp_path)])
    again = pool()
    named = family.slot.of(spec.identity)
    (same,) = await again.run(named, [family.ask(tmp_path)])

    assert spec.identity == live.live(family.slot) == f"hub:tiny/model@{commit}"
    assert spec.family == name
    assert {file.path: file.sha256 for file in spec.files} == {
        path.relative_to(made).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in made.rglob("*")
        if path.is_file() and path.suffix != ".md"
    }
    assert folder.name == f"hub--tiny--model--{commit}"
    assert np.array_equal(answer, same) if isinstance(answer, np.ndarray) else answer == same
