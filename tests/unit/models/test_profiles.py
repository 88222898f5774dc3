"""Profiles name models that there are, which fit the machine they are for, and the largest that fits is proposed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.config import ModelSettings, Settings
from bot.errors import ModelError
from bot.locale import LANGUAGES
from bot.models.catalogue import Catalogue
from bot.models.memory import SHARE_OF_MACHINE
from bot.models.places import PINNED
from bot.models.pool import Pool
from bot.models.profiles import Profile, Proposed, fitting, peak_mb, proposed, read_profiles, wanting_cores

TORCH_MB = 450
"""What importing torch and transformers takes, once."""
OWN_MB = 400
"""What the pinned models of the install take together: 350 were measured."""


@pytest.fixture(scope="module")
def profiles() -> tuple[Profile, ...]:
    return read_profiles()


def test_there_is_one_for_each_usual_machine(profiles: tuple[Profile, ...]) -> None:
    assert [profile.memory_gb for profile in profiles] == [2, 4, 8, 16]
    assert all(profile.good_for[language] for profile in profiles for language in LANGUAGES)


def test_every_model_is_known_for_its_slot_free_to_use_and_of_known_size(profiles: tuple[Profile, ...], tmp_path: Path) -> None:
    catalogue = Catalogue(Settings(home=tmp_path))
    for profile in profiles:
        for slot, name in profile.models.items():
            spec = catalogue.find(name)
            assert spec.slot == slot
            assert spec.licence in {"Apache-2.0", "MIT", "BSD-3-Clause"}
            assert spec.size_mb or spec.source == "builtin"


def test_the_largest_model_of_each_fits_beside_those_that_stay(profiles: tuple[Profile, ...], tmp_path: Path) -> None:
    catalogue = Catalogue(Settings(home=tmp_path))
    for profile in profiles:
        others = [catalogue.find(name) for slot, name in profile.models.items() if slot not in PINNED]
        largest_mb = max(spec.size_mb * 1.3 + (TORCH_MB if spec.source == "hub" else 0) for spec in others)
        assert OWN_MB + largest_mb < profile.memory_gb * 1024 * SHARE_OF_MACHINE, profile.memory_gb


@pytest.mark.parametrize(
    ("memory_mb", "cores", "expected", "larger"),
    [(1000, 8, None, None), (1900, 1, 2, None), (7700, 2, 8, None), (24000, 2, 8, 16), (64000, 8, 16, None), (24000, 1, 2, 16)],
)
def test_the_largest_that_fits_memory_and_cores_is_taken(
    profiles: tuple[Profile, ...], memory_mb: int, cores: int, expected: int | None, larger: int | None
) -> None:
    found = fitting(profiles, memory_mb=memory_mb, cores=cores)
    wanting = wanting_cores(profiles, memory_mb=memory_mb, cores=cores)

    assert (found.memory_gb if found else None) == expected
    assert (wanting.memory_gb if wanting else None) == larger


def test_what_is_live_what_is_here_and_what_it_needs_is_told(catalogue_of: Callable[..., Catalogue], settings: Settings) -> None:
    models = """
default: [ocr.echo.v1]
models:
  - {name: ocr.echo.v1, slot: ocr, family: echo, source: builtin, ram_mb: 60}
  - {name: chat.echo.v1, slot: chat, family: echo, source: hub, location: a/b, size_mb: 1000}
"""
    changed = settings.model_copy(update={"models": ModelSettings(ram_mb=1000)})
    catalogue = catalogue_of(models, changed)

    rows = proposed(Profile(2, 1, {}, {"ocr": "ocr.echo.v1", "chat": "chat.echo.v1"}), catalogue, Pool(catalogue, changed))

    assert rows == (
        Proposed("ocr", "ocr.echo.v1", 60, live=True, here=True),
        Proposed("chat", "chat.echo.v1", 1239, live=False, here=False),
    )


def test_the_budget_must_hold_those_that_stay_and_the_largest_other() -> None:
    sizes = {"embed": 150, "summarise": 80, "chat": 1200, "caption": 900}

    assert peak_mb([Proposed(slot, "a", megabytes, live=True, here=True) for slot, megabytes in sizes.items()]) == 150 + 80 + 1200


@pytest.mark.parametrize(
    "text",
    [
        "profiles: 3",
        "profiles: [{memory_gb: 2}]",
        "profiles: [{memory_gb: 2, cores: 1, good_for: {en: a}, models: {}}]",
        "profiles: [{memory_gb: 2, cores: 1, good_for: {en: a, ko: b}, models: {ocr: 3}}]",
        "profiles: [{memory_gb: 2, cores: 1, good_for: {en: a, ko: b}, models: {}, disk: 3}]",
    ],
)
def test_a_file_that_is_not_right_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "profiles.yaml").write_text(text)

    with pytest.raises(ModelError, match=r"profiles\.yaml is not right"):
        read_profiles(tmp_path / "profiles.yaml")
