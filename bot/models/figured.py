"""What models were measured to be on this machine, kept so that the live one is not tried again at each swap.

Owns: when a measurement still holds: the same model, the same machine, the same embedder beside it, and the same golden cases.

    kept = Figured(settings.home / "figures")
    kept.of("summarise", "summarise.extract.v1", beside="embed.minilm.v1@53aa51172d14")
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from bot.models.memory import machine_mb
from bot.models.trial import Figures

if TYPE_CHECKING:
    from pydantic import TypeAdapter


class Figured:
    """Figures by slot and model, a small file each; what cannot be read is measured anew. Reads and writes the disk."""

    def __init__(self, folder: Path) -> None:
        """Keep them in `folder`."""
        self._folder = folder

    def of(self, slot: str, model: str, *, beside: str) -> Figures | None:
        """Return what `model` was measured to be with the embedder `beside`, None where that is not known."""
        try:
            return _adapter().validate_json(self._file(slot, model, beside).read_bytes())
        except (OSError, ValueError):
            return None

    def keep(self, slot: str, figures: Figures, *, beside: str) -> None:
        """Keep them; those of a model that failed are not kept: the next time it may not."""
        if figures.fault:
            return
        file = self._file(slot, figures.model, beside)
        aside = file.with_suffix(f".{os.getpid()}")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            aside.write_bytes(_adapter().dump_json(figures))
            aside.replace(file)
        except OSError:
            return

    def _file(self, slot: str, model: str, beside: str) -> Path:
        key = "\0".join((slot, model, beside, *_machine()))
        return self._folder / f"{slot}-{sha256(key.encode()).hexdigest()[:24]}.json"


def comparable(one: Figures, other: Figures) -> bool:
    """Say whether the two were measured by the same metric, on the same cases of the languages that both know."""
    shared = {case.language for case in one.scored} & {case.language for case in other.scored}
    return one.metric == other.metric and _cases(one, shared) == _cases(other, shared)


def _cases(figures: Figures, languages: Iterable[str]) -> set[str]:
    return {case.case for case in figures.scored if case.language in languages}


@cache
def _machine() -> tuple[str, ...]:
    """Return what tells this machine from another: its processor, how many cores, how much memory."""
    return (platform.machine(), platform.processor() or _processor(), str(os.cpu_count()), str(machine_mb()))


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


@cache
def _adapter() -> TypeAdapter[Figures]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - values stay importable without it

    return TypeAdapter(Figures)
