"""What a preset says is compared with a hub on loopback, by the real client: what differs is told, nothing is fetched."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from fakes.hub import FakeHub
from safetensors.numpy import save

from bot.config import Settings
from bot.errors import OfflineError
from bot.models.hub import Hub
from bot.models.hub_patience import Patience
from bot.models.spec import ModelFile, ModelSpec
from bot.models.truth import Finding, checked
from bot.store.consents import Consents
from bot.store.database import Database

REPO = "owner/model"
WEIGHTS = save({"w": np.zeros(1_000_000, np.float32)})
FILES = {"config.json": b'{"model_type": "bart"}', "model.safetensors": WEIGHTS}
PICKLED = {"config.json": b"{}", "pytorch_model.bin": b"a pickle"}


@pytest.fixture
async def server() -> AsyncIterator[FakeHub]:
    async with FakeHub() as opened:
        yield opened


@pytest.fixture
async def hub(server: FakeHub, database: Database, tmp_path: Path) -> Hub:
    return Hub(Settings(home=tmp_path), Consents(database), endpoint=server.url)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "paring.db")
    yield opened
    await opened.close()


def preset(
    *,
    revision: str = "",
    licence: str = "Apache-2.0",
    size_mb: int = 4,
    good_for: str = "Tests.",
    files: tuple[ModelFile, ...] = (),
    location: str = REPO,
) -> ModelSpec:
    return ModelSpec(
        "summarise.it.v1",
        "summarise",
        "seq2seq-summary",
        "hub",
        location,
        revision,
        files,
        licence,
        size_mb=size_mb,
        good_for=good_for,
    )


def wrong(finding: Finding) -> list[str]:
    return [text.to("en") for text in finding.wrong]


async def test_what_is_so_is_true_and_nothing_is_fetched(server: FakeHub, hub: Hub) -> None:
    commit = server.add(REPO, FILES)
    finding = await checked(preset(revision=commit), hub.look)
    assert (finding.true, finding.said) == (True, ())
    assert finding.to("en") == "✓ summarise.it.v1"
    assert not server.sent


@pytest.mark.parametrize("change", [{"licence": "MIT"}, {"licence": ""}, {"size_mb": 40}, {"size_mb": 1}])
async def test_a_licence_or_a_size_that_is_otherwise_is_told(server: FakeHub, hub: Hub, change: dict[str, object]) -> None:
    commit = server.add(REPO, FILES)
    finding = await checked(preset(revision=commit, **change), hub.look)  # type: ignore[arg-type]
    assert len(wrong(finding)) == 1
    assert next(iter(change)).partition("_")[0] in wrong(finding)[0]
    assert finding.wrong[0].to("ko") != wrong(finding)[0]


async def test_a_hub_that_names_no_licence_is_right_where_the_preset_names_none(server: FakeHub, hub: Hub) -> None:
    commit = server.add(REPO, FILES, card={"license": None})
    assert (await checked(preset(revision=commit, licence=""), hub.look)).true
    assert not (await checked(preset(revision=commit), hub.look)).true


@pytest.mark.parametrize(
    ("ours", "tag"), [("Gemma Terms of Use", "gemma"), ("CC-BY-NC-4.0", "cc-by-nc-4.0"), ("Its Own", "other")]
)
async def test_a_licence_may_be_written_out(server: FakeHub, hub: Hub, ours: str, tag: str) -> None:
    commit = server.add(REPO, FILES, card={"license": tag})
    assert (await checked(preset(revision=commit, licence=ours), hub.look)).true


async def test_a_revision_or_a_repository_that_is_gone_is_told(server: FakeHub, hub: Hub) -> None:
    server.add(REPO, FILES)
    assert not (await checked(preset(revision="0" * 40), hub.look)).true
    assert not (await checked(preset(location="owner/gone"), hub.look)).true


async def test_what_is_a_pickle_only_is_right_where_the_preset_says_so(server: FakeHub, hub: Hub) -> None:
    commit = server.add(REPO, PICKLED)
    assert not (await checked(preset(revision=commit), hub.look)).true
    told = await checked(preset(revision=commit, good_for="Tests. Its weights are a pickle; convert them first."), hub.look)
    assert (told.true, len(told.said)) == (True, 1)


async def test_another_file_than_the_pinned_one_is_told(server: FakeHub, hub: Hub) -> None:
    commit = server.add(REPO, FILES)
    pinned = ModelFile("model.safetensors", "ab" * 32, len(WEIGHTS))
    finding = await checked(preset(revision=commit, files=(pinned, ModelFile("gone.onnx", "", 1))), hub.look)
    assert len(wrong(finding)) == 2


async def test_what_is_not_pinned_or_gated_is_said_and_no_fault(server: FakeHub, hub: Hub) -> None:
    commit = server.add(REPO, FILES, gated="token")
    finding = await checked(preset(), hub.look)
    assert finding.true
    assert commit in finding.to("en")
    assert "terms" in finding.to("en")


async def test_without_a_hub_nothing_is_claimed(database: Database, tmp_path: Path) -> None:
    nobody = Hub(Settings(home=tmp_path), Consents(database), endpoint="http://127.0.0.1:9", patience=Patience(tries=1))
    with pytest.raises(OfflineError):
        await checked(preset(), nobody.look)


@pytest.mark.parametrize(
    ("names", "code"), [(["caption.florence-2-base.v1"], 0), (["caption.florence-2-base.v1", "embed.labse.v1"], 1)]
)
async def test_the_command_tells_it_and_exits_by_it(server: FakeHub, tmp_path: Path, names: list[str], code: int) -> None:
    server.add("florence-community/Florence-2-base", FILES, card={"license": "mit"})
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "models", "check", *names, "--json",
        env={**os.environ, "PARING_HOME": str(tmp_path), "HF_ENDPOINT": server.url}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _err = await child.communicate()
    found = json.loads(out)
    assert [one["name"] for one in found] == names
    assert [one["true"] for one in found] == [True, False][: len(names)]
    assert child.returncode == code
