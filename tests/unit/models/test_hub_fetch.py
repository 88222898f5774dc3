"""What is fetched from a hub: resumed, hashed, verified, put in place at once; and what becomes of it when something goes wrong."""

import asyncio
import json
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from fakes.hub import Cut, Drip, FakeHub, Longer, Status, Whole, Wrong
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from bot.config import Settings
from bot.errors import ModelError, NoModelError, OfflineError, UnsafeModelError
from bot.models import hub_quarantine
from bot.models.catalogue import Catalogue
from bot.models.fetch import present, resolve
from bot.models.hub import Hub
from bot.models.hub_fetch import Progress
from bot.models.hub_listing import Listing
from bot.models.hub_patience import Patience
from bot.models.hub_wire import Wire
from bot.models.origin import MANIFEST, read_origin
from bot.models.spec import ModelFile, ModelSpec
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


async def test_a_model_is_fetched_whole_and_says_where_from(hub: Hub, hub_server: FakeHub, settings: Settings) -> None:
    commit = hub_server.add(REPO, FILES)

    folder = await hub.fetch(await agreed(hub))

    assert folder == settings.model_home / f"hub--owner--summary--{commit}"
    assert sorted(path.name for path in folder.iterdir()) == [*KEPT[:3], MANIFEST, KEPT[3]]
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    origin = read_origin(folder)
    assert origin is not None
    assert (origin.repo, origin.revision, origin.licence, origin.languages) == (REPO, commit, "apache-2.0", ("ko", "en"))
    assert quarantine_of(settings) == []


async def test_what_was_fetched_is_found_by_its_word_and_at_the_next_start(
    hub: Hub, hub_server: FakeHub, settings: Settings
) -> None:
    commit = hub_server.add(REPO, FILES)
    before = await hub.spec_of(f"hub:{REPO}", "summarise")
    await hub.fetch(await agreed(hub))
    hub_server.asked.clear()

    after = await hub.spec_of(before.identity, "summarise")
    catalogue = Catalogue(settings)

    assert before.identity == after.identity == f"hub:{REPO}@{commit}"
    assert all(len(file.sha256) == 64 for file in after.files)
    assert (after.family, after.licence, after.source) == ("seq2seq-summary", "apache-2.0", "hub")
    assert catalogue.identified("summarise", after.identity) == catalogue.named("summarise", after.identity) == after
    assert resolve(after, settings).spec == after
    assert hub_server.asked == []


async def test_two_revisions_lie_side_by_side(hub: Hub, hub_server: FakeHub, settings: Settings) -> None:
    old = hub_server.add(REPO, FILES)
    await hub.fetch(await agreed(hub))
    new = hub_server.add(REPO, {**FILES, "config.json": b'{"model_type": "bart", "new": 1}'})
    await hub.fetch(await agreed(hub))

    catalogue = Catalogue(settings)
    specs = [catalogue.identified("summarise", f"hub:{REPO}@{commit}") for commit in (old, new)]

    assert [spec.revision for spec in specs] == [old, new]
    assert resolve(specs[0], settings).folder != resolve(specs[1], settings).folder
    assert catalogue.named("summarise", f"hub:{REPO}").revision == new


async def test_what_is_here_is_not_fetched_again(hub: Hub, hub_server: FakeHub) -> None:
    hub_server.add(REPO, FILES)
    listing = await agreed(hub)
    first = await hub.fetch(listing)
    hub_server.asked.clear()

    assert await hub.fetch(listing) == first
    assert hub_server.asked == []


@pytest.mark.parametrize("trouble", [Cut(150_000), Whole()])
async def test_a_cut_is_gone_on_with_where_it_stopped(hub: Hub, hub_server: FakeHub, waits: Waits, trouble: Cut | Whole) -> None:
    hub_server.add(REPO, FILES)
    hub_server.next("model.safetensors", Cut(100_000), trouble, Cut(50_000))

    folder = await hub.fetch(await agreed(hub))

    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    begun = [asked.begin for asked in hub_server.asked if asked.to == "store"]
    if isinstance(trouble, Cut):
        assert begun == ["", "bytes=100000-", "bytes=250000-", "bytes=300000-"]
        assert hub_server.sent["model.safetensors"] == len(WEIGHTS)
        assert waits == [1.0, 1.0, 2.0]
    else:
        assert begun == ["", "bytes=100000-"]


async def test_a_hub_that_gives_no_parts_begins_anew(hub: Hub, hub_server: FakeHub) -> None:
    hub_server.add(REPO, FILES)
    hub_server.next("model.safetensors", Cut(70_000), Whole())

    folder = await hub.fetch(await agreed(hub))

    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert hub_server.sent["model.safetensors"] == 70_000 + len(WEIGHTS)


async def test_cut_again_and_again_it_gives_up_and_a_later_fetch_goes_on(
    hub: Hub, hub_server: FakeHub, settings: Settings
) -> None:
    hub_server.add(REPO, FILES)
    listing = await agreed(hub)
    hub_server.next("model.safetensors", Cut(200_000), *[Cut(10)] * 4)

    with pytest.raises(ModelError, match="cut again and again"):
        await hub.fetch(listing)
    assert not list(settings.model_home.glob("hub--*"))
    hub_server.asked.clear()
    folder = await hub.fetch(listing)

    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert [asked.begin for asked in hub_server.asked if asked.to == "store"] == ["bytes=200040-"]
    assert hub_server.sent["model.safetensors"] == len(WEIGHTS)


async def test_a_fetch_that_is_cancelled_keeps_what_came(hub_server: FakeHub, settings: Settings, consents: Consents) -> None:
    hub = Hub(settings, consents, endpoint=hub_server.url, patience=Patience(tell_every_s=0.01))
    hub_server.add(REPO, FILES)
    listing = await agreed(hub)
    hub_server.next("model.safetensors", Drip(120_000))
    came = asyncio.Event()

    async def report(progress: Progress) -> None:
        if progress.done_bytes > 120_000:
            came.set()

    task = asyncio.create_task(hub.fetch(listing, report))
    await came.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    folder = await hub.fetch(listing)

    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert [asked.begin for asked in hub_server.asked if asked.to == "store"] == ["", "bytes=120000-"]


async def test_a_hub_that_drips_is_told_and_what_came_is_kept(
    hub_server: FakeHub, settings: Settings, consents: Consents, waits: Waits
) -> None:
    hub = Hub(settings, consents, endpoint=hub_server.url, sleep=waits, patience=Patience(answer_s=0.2, tries=2))
    hub_server.add(REPO, FILES)
    hub_server.next("model.safetensors", Drip(1000), Drip(1000))

    with pytest.raises(ModelError, match="cut again and again"):
        await hub.fetch(await agreed(hub))

    assert [path.stat().st_size for path in quarantine_of(settings) if path.suffix == ".part"] == [2000]


async def test_a_stream_that_is_too_slow_is_taken_for_cut(
    hub_server: FakeHub, settings: Settings, consents: Consents, waits: Waits
) -> None:
    patience = Patience(slow_s=0.0, slow_bytes=1 << 30, tries=2)
    hub = Hub(settings, consents, endpoint=hub_server.url, sleep=waits, patience=patience)
    hub_server.add(REPO, FILES)

    with pytest.raises(ModelError) as caught:
        await hub.fetch(await agreed(hub))

    assert "너무 느리게" in caught.value.sentence("ko")
    assert waits == [1.0]


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
async def test_other_bytes_than_were_told_are_refused_and_deleted(
    hub: Hub, hub_server: FakeHub, settings: Settings, file: str
) -> None:
    hub_server.add(REPO, FILES)
    hub_server.next(file, Wrong())

    with pytest.raises(UnsafeModelError, match=f"{file} of {REPO} came with other bytes"):
        await hub.fetch(await agreed(hub))

    assert quarantine_of(settings) == []
    assert not list(settings.model_home.glob("hub--*"))


async def test_more_bytes_than_were_told_are_refused(hub: Hub, hub_server: FakeHub, settings: Settings) -> None:
    hub_server.add(REPO, FILES)
    hub_server.next("model.safetensors", Longer())

    with pytest.raises(UnsafeModelError, match="other bytes"):
        await hub.fetch(await agreed(hub))


async def test_the_same_revision_with_other_hashes_is_refused(
    hub: Hub, hub_server: FakeHub, settings: Settings, consents: Consents
) -> None:
    hub_server.add(REPO, FILES)
    listing = await agreed(hub)
    await consents.seen(listing.word, {"tokenizer.json": "0" * 64})

    with pytest.raises(UnsafeModelError, match=r"tokenizer\.json of hub:owner/summary@.* not the file that was seen before"):
        await hub.fetch(listing)

    assert quarantine_of(settings) == []
    assert not list(settings.model_home.glob("hub--*"))


async def test_what_was_seen_first_is_remembered_for_ever(hub: Hub, hub_server: FakeHub, consents: Consents) -> None:
    commit = hub_server.add(REPO, FILES)
    await hub.fetch(await agreed(hub))

    consent = await consents.of(f"hub:{REPO}@{commit}")

    assert consent is not None
    assert consent.by == "telegram:4711"
    assert sorted(consent.files) == KEPT


async def test_a_hub_that_moves_a_commit_is_refused_before_a_byte_comes(hub: Hub, hub_server: FakeHub) -> None:
    commit = hub_server.add(REPO, FILES)
    listing = await agreed(hub)
    await hub.fetch(listing)
    hub_server.asked.clear()
    other = replace(listing, files=tuple(replace(file, sha256="1" * 64 if file.sha256 else "") for file in listing.files))
    for left in (hub._home / f"hub--owner--summary--{commit}").iterdir():
        left.unlink()

    with pytest.raises(UnsafeModelError, match="not the file that was seen before"):
        await hub.fetch(other)
    assert hub_server.asked == []


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("config.json", b'{"auto_map": {"AutoModel": "evil.Model"}}', "auto_map"),
        ("tokenizer_config.json", b'{"deep": [{"trust_remote_code": true}]}', "trust_remote_code"),
        ("modules.json", b'[{"type": "evil.Module", "path": ""}]', "evil.Module"),
        ("vocab.txt", b"cos\nsystem\n(S'true'\ntR.", "not the text that its name says"),
    ],
)
async def test_what_may_not_be_loaded_is_refused_before_the_weights_come(
    hub: Hub, hub_server: FakeHub, settings: Settings, file: str, content: bytes, why: str
) -> None:
    hub_server.add(REPO, {**FILES, file: content})

    with pytest.raises(UnsafeModelError, match=why):
        await hub.fetch(await agreed(hub))

    assert [asked for asked in hub_server.asked if asked.to == "store"] == []
    assert quarantine_of(settings) == []
    assert not list(settings.model_home.glob("hub--*"))


async def test_weights_that_lie_are_never_put_in_place(hub: Hub, hub_server: FakeHub, settings: Settings) -> None:
    hub_server.add(REPO, {**FILES, "model.safetensors": (10**11).to_bytes(8, "little") + b"{}"})

    with pytest.raises(UnsafeModelError, match="header"):
        await hub.fetch(await agreed(hub))

    assert quarantine_of(settings) == []
    assert not list(settings.model_home.glob("hub--*"))


async def test_a_repository_cannot_name_itself_a_model_of_the_installs(hub: Hub, hub_server: FakeHub, settings: Settings) -> None:
    hub_server.add(REPO, {**FILES, "paring.yaml": b"{name: summarise.extract.v1, slot: summarise, family: x}", MANIFEST: b"{}"})

    folder = await hub.fetch(await agreed(hub))

    assert not (folder / "paring.yaml").exists()
    assert Catalogue(settings).find("summarise.extract.v1").source == "builtin"


async def test_what_is_changed_after_it_was_fetched_is_not_loaded(hub: Hub, hub_server: FakeHub, settings: Settings) -> None:
    hub_server.add(REPO, FILES)
    listing = await agreed(hub)
    folder = await hub.fetch(listing)
    spec = await hub.spec_of(listing.word, "summarise")
    (folder / "config.json").write_text("{}")

    with pytest.raises(UnsafeModelError, match=r"config\.json of hub:owner/summary is not as it was fetched"):
        resolve(spec, settings)
    assert await hub.fetch(listing) == folder
    assert resolve(spec, settings).spec == spec


async def test_a_disk_without_room_is_told_with_numbers_before_a_byte_comes(
    hub: Hub, hub_server: FakeHub, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_server.add(REPO, FILES)
    listing = await agreed(hub)
    hub_server.asked.clear()
    monkeypatch.setattr(hub_quarantine, "SPARE_BYTES", 1 << 60)

    with pytest.raises(ModelError, match=r"needs 401 kB of disk, and .* GB are to stay free; .* are free"):
        await hub.fetch(listing)
    assert hub_server.asked == []


async def test_a_disk_that_fills_up_is_told_and_what_came_is_kept(
    hub: Hub, hub_server: FakeHub, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_server.add(REPO, FILES)
    listing = await agreed(hub)
    rename = Path.rename

    def full(self: Path, target: Path) -> Path:
        if self.name == "model.safetensors.part":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", full)
        with pytest.raises(ModelError, match="disk is full"):
            await hub.fetch(listing)
    hub_server.asked.clear()
    folder = await hub.fetch(listing)

    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert [asked.path for asked in hub_server.asked if asked.to == "store"] == []


async def test_two_do_not_fetch_the_same_at_once(hub: Hub, hub_server: FakeHub, settings: Settings) -> None:
    hub_server.add(REPO, FILES)
    listing = await agreed(hub)
    quarantine = settings.model_home / hub_quarantine.QUARANTINE / f"hub--owner--summary--{listing.revision}"

    with hub_quarantine.taken(quarantine, listing), pytest.raises(ModelError, match="being fetched already"):
        await hub.fetch(listing)


async def test_the_way_is_told(hub: Hub, hub_server: FakeHub) -> None:
    hub_server.add(REPO, FILES)
    told: list[Progress] = []

    async def report(progress: Progress) -> None:
        told.append(progress)

    await hub.fetch(await agreed(hub), report)

    assert (told[0].done_bytes, told[0].left_s) == (0, None)
    assert told[-1].done_bytes == told[-1].total_bytes == sum(len(FILES[name]) for name in KEPT)
    half = Progress("a/b", 200_000_000, 1_000_000_000, 11_000_000.0)
    assert half.text().to("en") == "a/b: 200 MB of 1.0 GB, 11 MB/s, 73 s left"
    assert half.text().to("ko") == "a/b: 1.0 GB 중 200 MB, 초당 11 MB, 73초 남음"
    assert replace(half, bytes_a_second=1.0).text().to("en") == "a/b: 200 MB of 1.0 GB"


@pytest.mark.parametrize(
    ("status", "headers", "waited"),
    [
        (429, {"Retry-After": "7"}, 7.0),
        (429, {"RateLimit": '"api";r=0;t=9', "Retry-After": "7"}, 9.0),
        (503, {}, 1.0),
        (500, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
    ],
)
async def test_a_busy_hub_is_asked_again_when_it_says(
    hub: Hub, hub_server: FakeHub, waits: Waits, status: int, headers: dict[str, str], waited: float
) -> None:
    hub_server.add(REPO, FILES)
    hub_server.next("info", Status(status, headers))
    hub_server.next("model.safetensors", Status(status, headers))

    await hub.fetch(await agreed(hub))

    assert waits == [waited, waited]


async def test_a_hub_that_asks_to_wait_long_is_not_waited_for(hub: Hub, hub_server: FakeHub, waits: Waits) -> None:
    hub_server.add(REPO, FILES)
    hub_server.next("info", Status(429, {"Retry-After": "3600"}))

    with pytest.raises(ModelError) as caught:
        await hub.look(REPO)

    assert "60분" in caught.value.sentence("ko")
    assert waits == []


async def test_a_hub_that_stays_broken_is_told(hub: Hub, hub_server: FakeHub, waits: Waits) -> None:
    hub_server.add(REPO, FILES)
    hub_server.next("info", *[Status(500)] * 5)

    with pytest.raises(ModelError, match="HTTP 500"):
        await hub.look(REPO)
    assert waits == [1.0, 2.0, 4.0, 8.0]


async def test_a_gated_model_says_what_to_do(hub: Hub, hub_server: FakeHub) -> None:
    hub_server.add(REPO, FILES, gated="a-token")

    with pytest.raises(ModelError) as caught:
        await hub.fetch(await agreed(hub))

    assert "HF_TOKEN" in caught.value.sentence("ko")


async def test_a_token_is_sent_to_the_hub_alone(
    hub_server: FakeHub, settings: Settings, consents: Consents, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub_server.add(REPO, FILES, gated="a-token")
    monkeypatch.setenv("HF_TOKEN", "a-token")
    hub = Hub(settings, consents, endpoint=hub_server.url)

    await hub.fetch(await agreed(hub))

    assert {(asked.to, asked.token) for asked in hub_server.asked} == {("hub", "Bearer a-token"), ("store", "")}
    assert {asked.agent for asked in hub_server.asked} == {"paring"}


async def test_without_a_token_none_is_sent_whatever_lies_on_the_machine(
    hub: Hub, hub_server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("another's")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    hub_server.add(REPO, FILES)

    await hub.fetch(await agreed(hub))

    assert {asked.token for asked in hub_server.asked} == {""}


@pytest.mark.parametrize(
    ("repo", "revision", "said"),
    [
        ("owner/nothing", "", "There is no model owner/nothing"),
        (REPO, "v9", "has no revision “v9”"),
        (REPO, "f" * 40, "has no revision"),
        ("owner/../../etc", "", "names no model of a hub"),
        (REPO, "../main", "names no model of a hub"),
    ],
)
async def test_what_does_not_exist_is_told(hub: Hub, hub_server: FakeHub, repo: str, revision: str, said: str) -> None:
    hub_server.add(REPO, FILES)

    with pytest.raises(ModelError, match=said):
        await hub.look(repo, revision)


@pytest.mark.parametrize("path", ["../evil.json", "/etc/evil.json", "a\\..\\evil.json", "a/../../evil.json"])
async def test_names_outside_the_folder_are_refused(hub: Hub, hub_server: FakeHub, path: str) -> None:
    hub_server.add(REPO, {**FILES, path: b"{}"})

    with pytest.raises(UnsafeModelError, match="outside its folder"):
        await hub.look(REPO)


async def test_two_names_that_are_one_elsewhere_are_refused(hub: Hub, hub_server: FakeHub) -> None:
    hub_server.add(REPO, {**FILES, "Config.json": b"{}"})

    with pytest.raises(UnsafeModelError, match="take for one"):
        await hub.look(REPO)


async def test_pickles_alone_are_refused(hub: Hub, hub_server: FakeHub) -> None:
    hub_server.add(REPO, {"config.json": b"{}", "pytorch_model.bin": b"pickle"})

    with pytest.raises(UnsafeModelError, match="no weights as safetensors or ONNX"):
        await hub.look(REPO)


async def test_where_no_hub_is_it_says_so_and_how_to_carry_one_in(
    settings: Settings, consents: Consents, unused_port: int, waits: Waits
) -> None:
    hub = Hub(settings, consents, endpoint=f"http://127.0.0.1:{unused_port}", sleep=waits)

    with pytest.raises(OfflineError) as caught:
        await hub.look(REPO)
    with pytest.raises(OfflineError):
        await hub.search("embed", "e5")

    assert "paring models import" in caught.value.sentence("en")
    assert "paring models import" in caught.value.sentence("ko")
    assert waits == []


async def test_a_hub_that_never_answers_counts_as_none(hub_server: FakeHub, settings: Settings, consents: Consents) -> None:
    hub = Hub(settings, consents, endpoint=hub_server.url, patience=Patience(answer_s=0.1))
    hub_server.next("info", Drip())

    with pytest.raises(OfflineError):
        await hub.look(REPO)


async def test_a_switched_off_hub_is_not_asked(hub: Hub, hub_server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)

    with pytest.raises(OfflineError, match="HF_HUB_OFFLINE"):
        await hub.look(REPO)
    assert hub_server.asked == []


async def test_the_hub_is_where_hf_endpoint_says(
    hub_server: FakeHub, settings: Settings, consents: Consents, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub_server.add(REPO, FILES)
    monkeypatch.setenv("HF_ENDPOINT", hub_server.url + "/")

    assert (await Hub(settings, consents).look(REPO)).revision == commit


async def test_a_page_that_is_no_hub_is_told(hub: Hub, hub_server: FakeHub) -> None:
    hub_server.next("models", *[Longer()] * 4)

    with pytest.raises(ModelError, match="does not answer as a model hub does"):
        await hub.search("embed", "")


@pytest.mark.parametrize("endpoint", ["nonsense", "ftp://127.0.0.1", "http://[::1", "http://127.0.0.1:port"])
async def test_an_address_that_is_none_is_told(settings: Settings, consents: Consents, endpoint: str) -> None:
    with pytest.raises(ModelError, match="HF_ENDPOINT"):
        await Hub(settings, consents, endpoint=endpoint).look(REPO)


async def test_a_password_in_the_address_is_not_told(settings: Settings, consents: Consents, unused_port: int) -> None:
    hub = Hub(settings, consents, endpoint=f"http://bot:secret@127.0.0.1:{unused_port}")

    with pytest.raises(OfflineError) as caught:
        await hub.look(REPO)
    assert f"at 127.0.0.1:{unused_port} " in caught.value.sentence("en")
    assert "secret" not in caught.value.sentence("en")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    "id",
    "sha",
    "siblings",
    "cardData",
    "config",
    "tags",
    "safetensors",
    "downloads",
    "lastModified",
    "gated",
    "pipeline_tag",
)


@given(strange=st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1, max_size=3), file=st.none() | VALUES)
def test_whatever_a_hub_answers_is_a_listing_or_a_told_error(strange: dict[str, object], file: object) -> None:
    sibling = {
        "rfilename": "model.safetensors",
        "size": 1,
        "blobId": "b",
        "lfs": {"sha256": "1" * 64, "size": 1, "pointerSize": 1},
    }
    fine = {"id": REPO, "sha": "a" * 40, "siblings": [sibling if file is None else {**sibling, "size": file, "lfs": file}]}
    hub = Hub(Settings(home=Path("/nonexistent/paring")), None)  # type: ignore[arg-type]
    wire = Wire("http://127.0.0.1:1", Patience())
    hub._wire = wire

    async def said(*_asked: object, **_named: object) -> object:
        return fine | strange

    async def listed(*_asked: object, **_named: object) -> object:
        return [fine | strange]

    for answer, ask in ((said, lambda: hub.look(REPO)), (listed, lambda: hub.search("embed", ""))):
        wire._json = answer  # type: ignore[method-assign]
        with suppress(ModelError):
            asyncio.run(ask())


async def test_first_hashes_and_a_licence_that_is_not_open_want_a_second_yes(hub: Hub, hub_server: FakeHub) -> None:
    hub_server.add(REPO, FILES, card={"license": "cc-by-nc-4.0"})
    listing = await hub.look(REPO)

    wants = await hub.needs_yes(listing)
    with pytest.raises(UnsafeModelError):
        await hub.fetch(listing)
    await hub.second_yes(listing, "web:admin")

    assert len(wants) == 2
    assert listing.revision in wants[0].to("ko")
    assert "cc-by-nc-4.0" in wants[1].to("ko")
    assert await hub.needs_yes(listing) == ()


async def test_a_licence_that_is_not_told_wants_a_second_yes(hub: Hub, hub_server: FakeHub) -> None:
    hub_server.add(REPO, FILES, card={"license": None})

    wants = await hub.needs_yes(await hub.look(REPO))

    assert "tells no licence" in wants[1].to("en")


async def test_hashes_that_a_preset_pins_need_no_yes(hub: Hub, hub_server: FakeHub) -> None:
    commit = hub_server.add(REPO, FILES)
    file = ModelFile("model.safetensors", sha256(WEIGHTS).hexdigest(), len(WEIGHTS))
    preset = ModelSpec("summarise.it.v1", "summarise", "seq2seq-summary", "hub", location=REPO, revision=commit, files=(file,))

    listing = await hub.look(REPO, commit, preset=preset)
    folder = await hub.fetch(listing)

    assert await hub.needs_yes(listing) == ()
    assert folder.is_dir()
    other = replace(preset, files=(replace(file, sha256="0" * 64),))
    with pytest.raises(UnsafeModelError):
        await hub.fetch(replace(listing, known=other.files, revision="a" * 40))


async def test_the_hubs_own_word_does_not_vouch_for_itself(hub: Hub, hub_server: FakeHub) -> None:
    hub_server.add(REPO, FILES)
    spec = await hub.spec_of(f"hub:{REPO}", "summarise")

    assert await hub.needs_yes(await hub.look(REPO, spec.revision, preset=spec))


async def test_a_preset_of_the_hub_is_found_where_it_was_fetched(
    hub: Hub, hub_server: FakeHub, settings: Settings, catalogue_of: Callable[[str, Settings], Catalogue]
) -> None:
    commit = hub_server.add(REPO, FILES)
    yaml = f"models: [{{name: summarise.it.v1, slot: summarise, family: echo, source: hub, location: {REPO}}}]"
    preset = catalogue_of(yaml, settings).find("summarise.it.v1")
    listing = await hub.look(REPO, preset=preset)
    await hub.second_yes(listing, "telegram:4711")

    assert not present(preset, settings)
    folder = await hub.fetch(listing)
    found = catalogue_of(yaml, settings).named("summarise", "summarise.it.v1")

    assert found.identity == f"summarise.it.v1@{commit}"
    assert resolve(found, settings).folder == folder
    assert catalogue_of(yaml, settings).identified("summarise", found.identity) == found


async def test_a_folder_that_was_carried_in_is_not_taken_for_one_that_was_fetched(
    hub: Hub, hub_server: FakeHub, settings: Settings
) -> None:
    commit = hub_server.add(REPO, FILES)
    carried = settings.model_home / "hub--owner--summary"
    carried.mkdir(parents=True)
    (carried / "model.safetensors").write_bytes(WEIGHTS)
    spec = await hub.spec_of(f"hub:{REPO}@{commit}", "summarise")

    assert not present(spec, settings)
    await hub.fetch(await agreed(hub))
    assert present(spec, settings)
    assert Catalogue(settings).named("summarise", f"hub:{REPO}").revision == commit


async def test_a_hub_that_goes_away_midway_is_told_and_what_came_is_kept(
    hub: Hub, hub_server: FakeHub, settings: Settings, waits: Waits
) -> None:
    hub_server.add(REPO, FILES)
    listing = await agreed(hub)
    hub_server.next("model.safetensors", Cut(90_000))
    waits.first = hub_server.__aexit__

    with pytest.raises(OfflineError):
        await hub.fetch(listing)

    assert len(waits) == 4
    assert [path.stat().st_size for path in quarantine_of(settings) if path.suffix == ".part"] == [90_000]


async def test_a_bot_that_is_killed_midway_leaves_nothing_that_looks_whole_and_its_next_start_goes_on(
    hub: Hub, hub_server: FakeHub, settings: Settings, tmp_path: Path
) -> None:
    weights = save({"w": np.zeros(1_000_000, np.float32)})
    hub_server.add(REPO, {**FILES, "model.safetensors": weights})
    listing = await agreed(hub)
    hub_server.next("model.safetensors", Drip(3 << 20))
    program = f"""
import asyncio
from pathlib import Path
from bot.config import Settings
from bot.models.hub import Hub
from bot.store.consents import Consents
from bot.store.database import Database
from bot.store.schema import upgrade

async def main():
    database = await Database.open(Path({str(tmp_path / "paring.db")!r}))
    hub = Hub(Settings(home=Path({str(settings.home)!r})), Consents(database), endpoint={hub_server.url!r})
    await hub.fetch(await hub.look({REPO!r}))

asyncio.run(main())
"""
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    part = settings.model_home / hub_quarantine.QUARANTINE / f"hub--owner--summary--{listing.revision}" / "model.safetensors.part"
    while not part.exists() or part.stat().st_size < 2 << 20:
        await asyncio.sleep(0)
    child.kill()
    await child.wait()
    assert not list(settings.model_home.glob("hub--*"))
    have = part.stat().st_size
    hub_server.asked.clear()

    folder = await hub.fetch(listing)

    assert (folder / "model.safetensors").read_bytes() == weights
    assert [asked.begin for asked in hub_server.asked if asked.to == "store"] == [f"bytes={have}-"]
    assert 2 << 20 <= have <= 3 << 20


async def test_a_model_for_another_slot_is_told(hub: Hub, hub_server: FakeHub) -> None:
    hub_server.add(REPO, FILES, config={"model_type": "bart"})
    hub_server.add("owner/onnx", {"config.json": b"{}", "onnx/model.onnx": b"x"})

    with pytest.raises(ModelError, match="is a model for summarise, not for translate"):
        await hub.spec_of(f"hub:{REPO}", "translate")
    with pytest.raises(ModelError, match="ONNX alone"):
        await hub.spec_of("hub:owner/onnx", "embed")
    with pytest.raises(ModelError, match="do not come from a hub"):
        await hub.spec_of(f"hub:{REPO}", "ocr")


async def test_a_word_that_was_never_fetched_is_told(settings: Settings) -> None:
    with pytest.raises(NoModelError, match=r"/swap summarise hub:owner/summary"):
        Catalogue(settings).named("summarise", f"hub:{REPO}")


async def test_a_search_says_what_could_be_loaded(hub: Hub, hub_server: FakeHub) -> None:
    files = {"config.json": b"{}", "model.safetensors": WEIGHTS}
    numbers = {"safetensors": {"parameters": {"F32": 100_000}, "total": 100_000}}
    hub_server.add("a/e5", {**files, "modules.json": b"[]"}, pipeline_tag="sentence-similarity", downloads=5, **numbers)
    hub_server.add("a/e5-code", files, pipeline_tag="sentence-similarity", downloads=900, tags=["custom_code"])
    hub_server.add("a/e5-onnx", {"model.onnx": b"x"}, pipeline_tag="feature-extraction", downloads=800)
    hub_server.add("a/e5-pickle", {"pytorch_model.bin": b"x"}, pipeline_tag="feature-extraction", downloads=9000)
    hub_server.add("a/e5-bart", files, pipeline_tag="feature-extraction", downloads=700, config={"model_type": "bart"}, gated="x")
    hub_server.add("a/other", files, pipeline_tag="sentence-similarity", downloads=9999)

    offers = await hub.search("embed", "E5")

    assert [(one.repo, one.loadable) for one in offers] == [
        ("a/e5", True),
        ("a/e5-code", False),
        ("a/e5-onnx", False),
        ("a/e5-bart", False),
    ]
    first = offers[0]
    assert (first.licence, first.downloads, first.size_bytes, first.gated) == ("apache-2.0", 5, 400_000, False)
    assert first.changed_at is not None
    assert first.changed_at.year == 2025
    assert offers[3].gated
    assert [str(one.obstacle) for one in offers[1:]] == [
        "it brings code of its own",
        "it has no safetensors",
        "it is a model for summarise",
    ]
    assert json.dumps([one.word for one in offers[:1]]) == '["hub:a/e5"]'
