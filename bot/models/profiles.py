"""Profiles: which model goes into which slot on a machine of so much memory, from a plain file, and what is still to be done for one.

Owns: reading profiles.yaml, which profile a machine is given, and what its models lack. Leaves the measuring to `bot.models.bench`.

    fitting(read_profiles(), memory_mb=machine_mb(), cores=4).models["chat"]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.errors import ModelError
from bot.locale import LANGUAGES, phrases
from bot.models import fetch
from bot.models.places import PINNED
from bot.models.presets import Yaml, read_yaml
from bot.models.trial import Told

if TYPE_CHECKING:
    from bot.models.catalogue import Catalogue
    from bot.models.pool import Pool

_ = phrases(__file__)

PROFILES: Final = Path(__file__).with_name("profiles.yaml")
ALMOST: Final = 0.9
"""A machine sold with 8 GB tells a little less: its firmware and its graphics take some."""
_GIBIBYTE_MB: Final = 1024


@dataclass(frozen=True, slots=True)
class Profile:
    """What a machine of `memory_gb` and `cores` can do with which models, by slot."""

    memory_gb: int
    cores: int
    good_for: Told
    models: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Proposed:
    """One slot of a profile: its model, what it needs, whether it is live in the slot, and whether it is on this machine."""

    slot: str
    model: str
    need_mb: int
    """0 where nothing is known of it."""
    live: bool
    here: bool


def read_profiles(file: Path = PROFILES) -> tuple[Profile, ...]:
    """Return the profiles of a file, the smallest first. Raises ModelError where it is not right."""
    said = read_yaml(file).get("profiles")
    if not isinstance(said, list):
        raise _wrong(file, "profiles must be a list")
    return tuple(sorted((_profile(file, one) for one in said), key=lambda profile: profile.memory_gb))


def fitting(profiles: Sequence[Profile], *, memory_mb: int, cores: int) -> Profile | None:
    """Return the largest profile for a machine of that memory and so many cores; None where there is none."""
    fit = [one for one in profiles if memory_mb >= ALMOST * one.memory_gb * _GIBIBYTE_MB and cores >= one.cores]
    return max(fit, key=lambda profile: profile.memory_gb, default=None)


def wanting_cores(profiles: Sequence[Profile], *, memory_mb: int, cores: int) -> Profile | None:
    """Return the largest profile for which there is the memory but not the cores; None where there is none larger than what fits."""
    largest = fitting(profiles, memory_mb=memory_mb, cores=max((one.cores for one in profiles), default=1))
    return largest if largest is not None and largest.cores > cores else None


def proposed(profile: Profile, catalogue: Catalogue, pool: Pool) -> tuple[Proposed, ...]:
    """Return what the profile wants, slot by slot. Reads the disk. Raises ModelError where it names a model that is not known."""
    rows = []
    for slot, name in profile.models.items():
        spec, live = catalogue.find(name), pool.spec(slot)
        is_live = live is not None and live.name == name
        measured = live if is_live and live is not None else spec
        here = fetch.present(spec, pool.settings)
        rows.append(Proposed(slot, name, pool.room_for(measured).need_mb, live=is_live, here=here))
    return tuple(rows)


def peak_mb(rows: Sequence[Proposed]) -> int:
    """Return what the models that stay loaded take together with the largest of the others: the least that the budget must hold."""
    pinned = sum(row.need_mb for row in rows if row.slot in PINNED)
    return pinned + max((row.need_mb for row in rows if row.slot not in PINNED), default=0)


def _profile(file: Path, said: Yaml) -> Profile:
    match said:
        case {"memory_gb": int(memory_gb), "cores": int(cores), "good_for": dict(good_for), "models": dict(models), **rest} if (
            not rest
        ):
            told = {language: str(good_for.get(language, "")) for language in LANGUAGES}
            if not all(told.values()) or not all(isinstance(one, str) for pair in models.items() for one in pair):
                raise _wrong(
                    file, f"good_for and models of the profile for {memory_gb} GB must be texts, good_for in every language"
                )
            return Profile(memory_gb, cores, told, dict(models))
    raise _wrong(file, "each profile must have memory_gb, cores, good_for and models, and nothing else")


def _wrong(file: Path, what: str) -> ModelError:
    return ModelError(_("{file} is not right: {what}. Mend it and start again.", file=file.name, what=what))
