"""The live models are measured one after another; what they take is remembered, and one that fails stops no other."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.config import Settings
from bot.errors import ModelError
from bot.locale import Text
from bot.models.bench import bench
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.models.spec import ModelSpec
from bot.models.trial import Figures

MODELS = """
default: [embed.echo.v1, chat.echo.v1, ocr.echo.v1]
models:
  - {name: embed.echo.v1, slot: embed, family: echo, source: builtin}
  - {name: chat.echo.v1, slot: chat, family: echo, source: builtin}
  - {name: ocr.echo.v1, slot: ocr, family: echo, source: builtin}
  - {name: caption.echo.v1, slot: caption, family: echo, source: builtin}
"""
HUNG = {"en": "It hung.", "ko": "멈췄어요."}


async def test_each_live_model_is_measured_and_the_empty_slots_left_out(
    catalogue_of: Callable[..., Catalogue], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []
    told: list[str] = []

    async def probe(spec: ModelSpec, _folder: Path, _settings: Settings, *, embedder, limits, report) -> Figures:
        asked.append((spec.name, embedder[0].name if embedder else ""))
        await report(Text("Loading it …"))
        if spec.slot == "chat":
            raise ModelError(Text("No child process can be started."))
        return Figures(spec.identity, "ROUGE-1", (), load_s=1.0, p50_ms=20.0, p95_ms=30.0, ram_mb=777, disk_bytes=0, licence="",
                       languages=(), fault=HUNG if spec.slot == "ocr" else {})  # fmt: skip

    monkeypatch.setattr("bot.models.bench.probe", probe)
    pool = Pool(catalogue_of(MODELS, settings), settings)

    found = await bench(
        ("caption", "chat", "embed", "ocr"),
        pool,
        settings,
        lambda now, done, total, **_more: told.append(f"{now} {done}/{total}"),
    )

    assert asked == [("chat.echo.v1", "embed.echo.v1"), ("embed.echo.v1", ""), ("ocr.echo.v1", "embed.echo.v1")]
    assert told == [f"{name}.echo.v1: Loading it … {number}/3" for number, name in enumerate(("chat", "embed", "ocr"))]
    chat, embed, ocr = found
    assert (chat.figures, chat.per_second, chat.failed["en"]) == (None, None, "No child process can be started.")
    assert (embed.per_second, embed.failed) == (50.0, {})
    assert ocr.failed == HUNG
    assert pool.room_for(pool._catalogue.find("embed.echo.v1")).need_mb == 777
