"""The presets of the project's own packages: enough for each slot, in both languages, and nothing claimed that was not seen."""

import re
from pathlib import Path

import pytest

from bot.config import Settings
from bot.models.catalogue import WITH_THE_INSTALL, Catalogue
from bot.models.families import FAMILIES
from bot.models.spec import ModelSpec
from bot.plugins import installed

SLOTS = ("caption", "chat", "embed", "imagine", "ocr", "read", "route", "summarise", "transcribe", "translate")
FEWEST = {"read": 1}
"""Of a reader there is none but our own."""
CATALOGUE = Catalogue(Settings(home=Path("/nonexistent/paring")))
PRESETS = [spec for slot in SLOTS for spec in CATALOGUE.for_slot(slot)]
HUB = [spec for spec in PRESETS if spec.source == "hub"]
NO_WHOLE_SIZE_SEEN = {
    "caption.florence-2-base.v1", "chat.gemma-3-1b-it.v1", "chat.kanana-1.5-2.1b.v1",
    "imagine.bk-sdm-tiny.v1", "imagine.korean-sd.v1", "imagine.lcm-dreamshaper.v1", "imagine.sd-turbo.v1", "imagine.tiny-sd.v1",
}  # fmt: skip
COPIES = ("as pinned in public repositories", "as copied in public repositories", "a duplicate")


def test_all_slots_are_looked_at() -> None:
    assert CATALOGUE.slots() == SLOTS


@pytest.mark.parametrize("slot", SLOTS)
def test_each_slot_has_three_presets_and_something_for_korean_and_english(slot: str) -> None:
    presets = CATALOGUE.for_slot(slot)
    assert len(presets) >= FEWEST.get(slot, 3)
    assert {"ko", "en"} <= {language for spec in presets for language in spec.languages}


@pytest.mark.parametrize("spec", PRESETS, ids=lambda spec: spec.name)
def test_a_preset_says_what_a_person_chooses_by(spec: ModelSpec) -> None:
    assert re.fullmatch(rf"{spec.slot}\.[a-z0-9.-]+\.v\d+", spec.name)
    assert spec.family in installed(FAMILIES)
    assert spec.languages
    assert spec.good_for.endswith(".")
    assert re.search("[가-힣]", spec.told_for("ko"))
    assert spec.told_for("en") == spec.good_for
    assert spec.licence or "names no licence" in spec.good_for


@pytest.mark.parametrize("spec", HUB, ids=lambda spec: spec.name)
def test_what_is_claimed_of_a_models_files_names_a_public_place(spec: ModelSpec) -> None:
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", spec.location)
    assert not spec.revision or re.fullmatch(r"[0-9a-f]{40}", spec.revision)
    claims = bool(spec.revision or spec.size_mb or spec.files)
    places = spec.seen_at
    for copy in COPIES:
        places = re.sub(rf"\([^)]*{copy}[^)]*\)", "", places)
    assert all(re.fullmatch(r"https://\S+", place) for place in places.split())
    assert bool(places) or not claims
    assert not spec.ram_mb, "what a model takes is measured here"


def test_sizes_are_told_but_where_nobody_was_seen_to_say() -> None:
    assert {spec.name for spec in HUB if not spec.size_mb} == NO_WHOLE_SIZE_SEEN


def test_no_two_presets_are_the_same_model() -> None:
    assert len({spec.location for spec in HUB}) == len(HUB)


def test_a_slot_starts_with_what_comes_with_the_install_or_empty() -> None:
    defaults = [spec for slot in SLOTS if (spec := CATALOGUE.default(slot))]
    assert all(spec.source in WITH_THE_INSTALL for spec in defaults)
