"""What there is for a slot, and which model it starts with."""

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from safetensors.numpy import save_file

from bot.config import ModelSettings, Settings
from bot.errors import ModelError, NoModelError
from bot.models.catalogue import Catalogue
from bot.models.families import Families
from bot.models.fetch import resolve

from .conftest import Shop

MODELS = """
default: ocr.first.v1
models:
  - {name: ocr.second.v1, slot: ocr, family: other, source: builtin}
  - {name: ocr.first.v1, slot: ocr, family: echo, source: builtin}
  - {name: ocr.hub.v1, slot: ocr, family: other, source: hub, location: a/b}
  - {name: translate.hub.v1, slot: translate, family: echo, source: hub, location: a/c}
"""

Made = Callable[[str, Settings], Catalogue]


@pytest.fixture
def families(shop: Shop) -> Families:
    return Families(
        {
            "echo": EntryPoint("echo", "a_family:load", "paring.families"),
            "other": EntryPoint("other", "bot.models.runtimes.minilm:load", "paring.families"),
        }
    )


def choosing(settings: Settings, **models: object) -> Settings:
    return settings.model_copy(update={"models": ModelSettings.model_validate(models)})


def own_folder(settings: Settings, name: str, **files: str) -> Path:
    folder = settings.model_home / name
    folder.mkdir(parents=True)
    for file, text in files.items():
        (folder / file.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


def test_a_slot_starts_with_its_default(catalogue_of: Made, settings: Settings) -> None:
    spec = catalogue_of(MODELS, settings).default("ocr")

    assert spec is not None
    assert spec.name == "ocr.first.v1"


def test_where_the_default_cannot_work_here_the_next_of_the_install_does(
    catalogue_of: Made, settings: Settings, shop: Shop
) -> None:
    shop.works_here = False

    spec = catalogue_of(MODELS, settings).default("ocr")

    assert spec is not None
    assert spec.name == "ocr.second.v1"


def test_a_slot_without_a_default_starts_empty(catalogue_of: Made, settings: Settings) -> None:
    catalogue = catalogue_of(MODELS, settings)

    assert catalogue.default("translate") is None
    assert catalogue.default("no-such-slot") is None


def test_models_of_a_slot_come_in_the_order_of_the_file(catalogue_of: Made, settings: Settings) -> None:
    catalogue = catalogue_of(MODELS, settings)

    assert [spec.name for spec in catalogue.for_slot("ocr")] == ["ocr.second.v1", "ocr.first.v1", "ocr.hub.v1"]
    assert catalogue.slots() == ("ocr", "translate")


def test_an_unknown_name_is_told(catalogue_of: Made, settings: Settings) -> None:
    with pytest.raises(NoModelError, match=r"no model “ocr\.third\.v1”"):
        catalogue_of(MODELS, settings).find("ocr.third.v1")


def test_a_model_is_chosen_by_its_name(catalogue_of: Made, settings: Settings) -> None:
    spec = catalogue_of(MODELS, choosing(settings, choose={"ocr": "ocr.second.v1"})).default("ocr")

    assert spec is not None
    assert spec.name == "ocr.second.v1"


def test_a_model_is_chosen_by_its_folder_and_hashed(catalogue_of: Made, settings: Settings) -> None:
    folder = own_folder(settings, "kobart", config__json='{"model_type": "bart"}')
    settings = choosing(settings, choose={"summarise": "kobart"})

    first = catalogue_of(MODELS, settings).default("summarise")
    again = catalogue_of(MODELS, settings).default("summarise")
    (folder / "config.json").write_text('{"model_type": "bart", "changed": 1}', encoding="utf-8")
    changed = catalogue_of(MODELS, settings).default("summarise")

    assert first is not None
    assert changed is not None
    assert (first.slot, first.family, first.source, first.location) == ("summarise", "seq2seq-summary", "folder", "kobart")
    assert len(first.revision) == 12
    assert again == first
    assert changed.revision != first.revision


def test_a_folder_that_describes_itself_is_listed(catalogue_of: Made, settings: Settings) -> None:
    own_folder(settings, "mine", paring__yaml="{name: ocr.mine.v1, slot: ocr, family: echo, licence: MIT, languages: [ko]}")

    spec = catalogue_of(MODELS, settings).find("ocr.mine.v1")

    assert (spec.source, spec.location, spec.licence, spec.languages) == ("folder", "mine", "MIT", ("ko",))


@pytest.mark.parametrize(
    ("files", "slot", "family"),
    [
        ({"modules__json": "[]"}, "embed", "sentence-transformers"),
        ({"model_index__json": "{}"}, "imagine", "diffusers"),
        ({"config__json": '{"model_type": "marian"}'}, "translate", "seq2seq-translation"),
        ({"config__json": '{"model_type": "whisper"}'}, "transcribe", "whisper"),
        ({"config__json": '{"model_type": "blip"}'}, "caption", "image-text"),
        ({"config__json": '{"model_type": "qwen2"}'}, "chat", "causal"),
    ],
)
def test_a_folder_is_known_by_its_files_or_by_the_slot_that_it_is_chosen_for(
    catalogue_of: Made, settings: Settings, files: dict[str, str], slot: str, family: str
) -> None:
    folder = own_folder(settings, "mine", **files)
    save_file({}, folder / "model.safetensors")

    spec = catalogue_of(MODELS, choosing(settings, choose={slot: "mine"})).default(slot)

    assert spec is not None
    assert (spec.slot, spec.family) == (slot, family)


def test_a_folder_for_another_slot_is_refused(catalogue_of: Made, settings: Settings) -> None:
    own_folder(settings, "whisper", config__json='{"model_type": "whisper"}')

    with pytest.raises(ModelError, match="it is a model for transcribe"):
        catalogue_of(MODELS, choosing(settings, choose={"chat": "whisper"})).default("chat")


def test_a_choice_that_does_not_exist_is_told(catalogue_of: Made, settings: Settings) -> None:
    with pytest.raises(NoModelError, match="no such folder in HOME/models"):
        catalogue_of(MODELS, choosing(settings, choose={"ocr": "nowhere"})).default("ocr")


def test_a_chat_server_of_ones_own_fills_the_slot(catalogue_of: Made, settings: Settings) -> None:
    settings = choosing(settings, chat_url="http://127.0.0.1:11434/v1", chat_model="qwen2.5:3b")

    catalogue = catalogue_of(MODELS, settings)
    spec = catalogue.default("chat")

    assert spec is not None
    assert (spec.family, spec.source, spec.location, spec.revision) == (
        "openai-server",
        "server",
        "http://127.0.0.1:11434/v1",
        "qwen2.5:3b",
    )
    assert "chat" in catalogue.slots()


def test_two_models_of_one_name_are_refused(catalogue_of: Made, settings: Settings) -> None:
    own_folder(settings, "mine", paring__yaml="{name: ocr.first.v1, slot: ocr, family: echo}")

    with pytest.raises(ModelError, match="Two models have the name"):
        catalogue_of(MODELS, settings)


def test_a_default_that_is_not_in_the_list_is_refused(catalogue_of: Made, settings: Settings) -> None:
    with pytest.raises(NoModelError, match="nothing"):
        catalogue_of("default: nothing", settings)


def test_a_package_that_is_not_there_brings_nothing(families: Families, settings: Settings) -> None:
    gone = {"gone": EntryPoint("gone", "no_such_package.deeper", "paring.presets")}

    assert Catalogue(settings, families=families, packages=gone).slots() == ()


def test_every_model_that_is_installed_can_be_read(settings: Settings) -> None:
    catalogue = Catalogue(settings)
    embed = catalogue.default("embed")

    assert embed is not None
    assert embed.identity == "embed.minilm-ko.v3@53aa51172d14-134153da"
    assert len([spec for spec in catalogue.for_slot("embed") if spec.source == "hub" and "ko" in spec.languages]) >= 3


def test_what_is_pinned_says_where_it_was_seen(settings: Settings) -> None:
    catalogue = Catalogue(settings)
    hub = [spec for slot in catalogue.slots() for spec in catalogue.for_slot(slot) if spec.source == "hub"]

    for spec in hub:
        assert spec.location.count("/") == 1
        assert not spec.revision or (len(spec.revision) == 40 and spec.seen_at.startswith("https://")), spec.name


def test_looking_at_what_there_is_loads_no_heavy_library() -> None:
    heavy = (
        "torch",
        "transformers",
        "sentence_transformers",
        "onnxruntime",
        "openvino",
        "tokenizers",
        "sklearn",
        "PIL",
        "structlog",
    )
    program = f"""
import sys
from pathlib import Path
from bot.config import Settings
from bot.models.catalogue import Catalogue
catalogue = Catalogue(Settings(home=Path("/nonexistent/paring")))
catalogue.default("embed")
print([name for name in {heavy!r} if name in sys.modules])
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [".quarantine/hub--own--er", ".carried-x/unpacked"])
def test_what_was_not_looked_at_yet_is_no_model(settings: Settings, catalogue_of: Callable[..., Catalogue], name: str) -> None:
    folder = settings.model_home / name
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "bart"}')

    with pytest.raises(ModelError, match="hidden folder"):
        catalogue_of("models: []", settings).named("summarise", name)


def test_what_is_made_here_is_found_by_its_name_whichever_revision_it_had(catalogue_of: Made, settings: Settings) -> None:
    catalogue = catalogue_of(MODELS, settings)

    assert catalogue.identified("ocr", "ocr.first.v1@of-yesterday").identity == "ocr.first.v1"
    with pytest.raises(NoModelError):
        catalogue.identified("translate", "ocr.first.v1@of-yesterday")


def test_a_server_of_ones_own_can_be_named_and_come_back_to(catalogue_of: Made, settings: Settings) -> None:
    changed = choosing(settings, chat_url="http://127.0.0.1:1", chat_model="small")
    catalogue = catalogue_of(MODELS, changed)

    assert catalogue.named("chat", "chat.server.v1").location == "http://127.0.0.1:1"
    assert catalogue.identified("chat", "chat.server.v1@small").identity == "chat.server.v1@small"
    with pytest.raises(NoModelError):
        catalogue_of(MODELS, settings).named("chat", "chat.server.v1")


@pytest.mark.parametrize("folder", ["wonju", "mine/wonju"])
def test_a_folder_that_was_laid_down_since_the_start_is_found_by_what_it_is(settings: Settings, folder: str) -> None:
    """A swap that was tried is followed and gone back from by its identity."""
    running = Catalogue(settings)
    there = settings.model_home / folder
    there.mkdir(parents=True)
    (there / "config.json").write_text('{"model_type": "bart"}')
    (there / "paring.yaml").write_text("name: summarise.wonju.v1\nslot: summarise\nfamily: seq2seq-summary\n")
    identity = resolve(running.named("summarise", folder), settings).spec.identity
    assert identity.startswith("summarise.wonju.v1@")

    assert running.identified("summarise", identity).identity == identity
    with pytest.raises(NoModelError):
        running.identified("summarise", "summarise.wonju.v1@other")
