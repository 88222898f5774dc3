"""Where no network is: what was carried in is looked at, loaded and live, and nobody even tries to reach anything."""

import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fakes import tiny_models
from fakes.tiny_embedder import tiny_embedder

from bot.config import Settings
from bot.models.carried import take_in
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.skill import Slot

MODELS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "embedder": ("embed", tiny_embedder),
    "bart": ("summarise", tiny_models.bart),
    "marian": ("translate", tiny_models.marian),
    "qwen": ("chat", tiny_models.qwen),
    "whisper": ("transcribe", tiny_models.whisper),
    "diffusion": ("imagine", tiny_models.diffusion),
}


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[Pool]:
    settings = Settings(home=tmp_path / "home")
    opened = Pool(Catalogue(settings), settings)
    yield opened
    await opened.close()


def unplugged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Take the network away; return what is reached for from now on, by address or by name."""
    told: list[str] = []

    def refuse(*arguments: object, **_options: object) -> None:
        told.append(str(arguments[-2:]))
        raise OSError("there is no network")

    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    return told


@pytest.mark.parametrize("name", MODELS)
async def test_a_model_that_was_carried_in_is_live_without_a_network(
    tmp_path: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    slot, make = MODELS[name]
    folder = make(tmp_path / name)
    reached = unplugged(monkeypatch)

    arrived = take_in(folder, pool.settings, pool._catalogue, slot=slot, report=lambda *_told: None)
    await pool.publish(Slot(slot), pool._catalogue.named(slot, arrived.word))

    assert pool.live(Slot(slot)) == arrived.spec.identity
    assert reached == []
