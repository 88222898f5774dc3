"""What a hub is asked and what it answers: listings, searches, a second yes; and what is said where it answers nothing good."""

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from fakes.hub import Drip, FakeHub, Garbled, Longer, Status
from hypothesis import given
from hypothesis import strategies as st

from bot.config import Settings
from bot.errors import ModelError, NoModelError, OfflineError, UnsafeModelError
from bot.models import hub as hub_module
from bot.models.catalogue import Catalogue
from bot.models.hub import Hub
from bot.models.hub_patience import Patience
from bot.models.hub_wire import Wire
from bot.models.spec import ModelFile, ModelSpec
from bot.store.consents import Consents

from .conftest import FILES, REPO, WEIGHTS, Waits, agreed


@pytest.mark.parametrize(
    ("status", "headers", "waited"),
    [
        (429, {"Retry-After": "7"}, 7.0),
        (429, {"RateLimit": '"api";r=0;t=9', "Retry-After": "7"}, 9.0),
        (503, {}, 1.0),
        (500, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        (429, {"Retry-After": "9" * 400}, 1.0),
        (429, {"Retry-After": "Mon, 01 Jan 99999999999999 00:00:00 +0000"}, 1.0),
        (429, {"RateLimit": f'"api";r=0;t={"9" * 400}'}, 1.0),
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


@pytest.mark.parametrize("token", ["“hf_abc”", "토큰", "hf_abc\nhf_def"])
async def test_what_can_be_no_token_is_told_and_nothing_is_asked(
    hub_server: FakeHub, settings: Settings, consents: Consents, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    hub_server.add(REPO, FILES)
    monkeypatch.setenv("HF_TOKEN", token)

    with pytest.raises(ModelError) as caught:
        await Hub(settings, consents, endpoint=hub_server.url).look(REPO)

    assert "HF_TOKEN" in caught.value.sentence("ko")
    assert token not in caught.value.sentence("en")
    assert hub_server.asked == []


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


async def test_bytes_that_are_not_in_their_encoding_are_told(hub: Hub, hub_server: FakeHub) -> None:
    hub_server.add(REPO, FILES)
    listing = await agreed(hub)
    hub_server.next("models", *[Garbled()] * 2)
    hub_server.next("info", Garbled())
    hub_server.next("config.json", Garbled())

    for asked in (hub.search("summarise", ""), hub.look(REPO), hub.fetch(listing)):
        with pytest.raises(ModelError, match="does not answer as a model hub does"):
            await asked


async def test_what_comes_is_read_off_the_event_loop(hub: Hub, hub_server: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    read: dict[str, int] = {}
    for name in ("offers", "listed", "read_fetched"):
        whole = getattr(hub_module, name)

        def noted(*given: object, name: str = name, whole: Callable[..., object] = whole, **options: object) -> object:
            read[name] = threading.get_ident()
            return whole(*given, **options)

        monkeypatch.setattr(hub_module, name, noted)
    hub_server.add(REPO, FILES, pipeline_tag="summarization")

    await hub.search("summarise", "")
    listing = await agreed(hub)
    await hub.fetch(listing)
    await hub.spec_of(listing.word, "summarise")

    assert set(read) == {"offers", "listed", "read_fetched"}
    assert threading.get_ident() not in read.values()


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
