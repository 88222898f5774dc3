"""A library over a real database, with an embedder that hashes words."""

import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from retrieval_fakes import Embedders, WordEmbedder, by_words

from bot.config import LimitSettings
from bot.retrieval import changeover
from bot.retrieval.changeover import Changeover
from bot.retrieval.library import Shelves
from bot.store.database import Database
from bot.testing import InlineSandbox


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
async def library(database: Database, embedder: WordEmbedder, tmp_path: Path) -> AsyncIterator[Shelves]:
    opened = Shelves(database, embedder, InlineSandbox(), tmp_path, LimitSettings(), fusion=by_words())  # type: ignore[arg-type]
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def embedders() -> Embedders:
    return Embedders(a=32, b=16, c=48)


@pytest.fixture
async def embedders_library(database: Database, embedders: Embedders, tmp_path: Path) -> AsyncIterator[Shelves]:
    opened = Shelves(database, embedders, InlineSandbox(), tmp_path, LimitSettings())  # type: ignore[arg-type]
    yield opened
    await opened.close()


@pytest.fixture
def change(embedders_library: Shelves, monkeypatch: pytest.MonkeyPatch) -> Changeover:
    """Of two passages a piece."""
    monkeypatch.setattr(changeover, "FEWEST", 2)
    monkeypatch.setattr(changeover, "MOST", 2)
    return embedders_library.changeover


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(b"".join(b"\0" + b"\xff\0" * 4 for _row in range(8)))
    file = tmp_path / "sign.png"
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
    return file
