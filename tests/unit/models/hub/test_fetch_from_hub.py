"""What is fetched from a hub: resumed, hashed, verified, put in place at once; and what becomes of it when something goes wrong."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes.hub import Cut, Drip, FakeHub, Longer, Status, Whole, Wrong
from safetensors.numpy import save

from bot.config import Settings
from bot.errors import ModelError, OfflineError, UnsafeModelError
from bot.models import hub_quarantine
from bot.models.catalogue import Catalogue
from bot.models.fetch import present, resolve
from bot.models.hub import Hub
from bot.models.hub_fetch import Progress
from bot.models.hub_patience import Patience
from bot.models.origin import MANIFEST, read_origin
from bot.store.consents import Consents

from .conftest import FILES, KEPT, REPO, WEIGHTS, Waits, agreed, quarantine_of


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


async def test_a_part_that_begins_nowhere_is_told(hub: Hub, hub_server: FakeHub) -> None:
    hub_server.add(REPO, FILES)
    hub_server.next("config.json", Status(206, {"Content-Range": f"bytes {'9' * 5000}-"}))

    with pytest.raises(ModelError, match="does not answer as a model hub does"):
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
