"""`paring bench`: how quick the live models are on this machine, how much memory they take, and which models would suit it.

paring bench summarise --json
"""

# ruff: noqa: PLC0415 - a verb imports what it needs: `paring --help` answers at once

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_verb import AsJson, dump, language_of, program, settings, with_app
from bot.errors import InputError
from bot.locale import Language, Text, phrases

if TYPE_CHECKING:
    from bot.app import App
    from bot.models.bench import Benched
    from bot.models.profiles import Profile, Proposed
    from bot.sandbox import Json

_ = phrases(__file__)


@dataclass(frozen=True, slots=True)
class Bench:
    """What was measured, the machine, and the profile that is proposed for it, None where none fits."""

    found: Sequence[Benched]
    memory_mb: int
    budget_mb: int
    cores: int
    profile: Profile | None
    rows: Sequence[Proposed]
    larger: Profile | None = None
    """The profile for which there would be memory, but not the cores."""
    alone: bool = False
    """Whether one slot alone was asked for: then nothing is proposed."""


def bench(
    slot: Annotated[str, typer.Argument(metavar="SLOT", help="One slot alone: summarise, embed, ocr, ...")] = "",
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Measure the live models on this machine, and propose models that suit it.

    Each is loaded in a process of its own and answers the golden cases of its slot: time to load, p50, p95, memory, answers a
    second. Nothing is changed. Exit code 1 where one of them failed.
    """

    async def go(app: App) -> None:
        result = await _measured(app, slot)
        language = language_of(app.settings)
        typer.echo(dump(as_rows(result)) if as_json else as_text(result, language))
        if any(one.failed for one in result.found):
            raise typer.Exit(1)

    with_app(settings(), go)


async def _measured(app: App, slot: str) -> Bench:
    """Raises InputError where there is no such slot, or nothing live in it."""
    import asyncio

    from bot.models.bench import bench as measure
    from bot.models.memory import cores, machine_mb
    from bot.models.profiles import fitting, proposed, read_profiles, wanting_cores
    from bot.progress import bar

    known = app.catalogue.slots()
    if slot and slot not in known:
        raise InputError(_("There is no slot “{slot}”. There are: {slots}.", slot=slot, slots=", ".join(known)))
    wanted = [one for one in ([slot] if slot else known) if app.pool.spec(one) is not None]
    if slot and not wanted:
        raise InputError(_("No model is live in the slot {slot}. `paring models` lists what there is.", slot=slot))
    with bar(_("measuring"), language_of(app.settings)) as report:
        found = await measure(wanted, app.pool, app.pool.settings, report)
    memory_mb, here = machine_mb(), cores()
    profiles = () if slot else read_profiles()
    profile = fitting(profiles, memory_mb=memory_mb, cores=here)
    rows = await asyncio.to_thread(proposed, profile, app.catalogue, app.pool) if profile else ()
    larger = wanting_cores(profiles, memory_mb=memory_mb, cores=here)
    return Bench(found, memory_mb, app.pool.memory[1], here, profile, rows, larger, alone=bool(slot))


def as_rows(result: Bench) -> dict[str, Json]:
    """Return the result for machines."""
    profile = result.profile
    return {
        "machine": {"memory_mb": result.memory_mb, "budget_mb": result.budget_mb, "cores": result.cores},
        "models": [_row(one) for one in result.found],
        "profile": None
        if profile is None
        else {
            "memory_gb": profile.memory_gb,
            "models": [
                {"slot": row.slot, "model": row.model, "need_mb": row.need_mb, "live": row.live, "here": row.here}
                for row in result.rows
            ],
        },
    }


def _row(one: Benched) -> dict[str, Json]:
    figures = one.figures
    return {
        "slot": one.slot, "model": one.model,
        "load_s": round(figures.load_s, 3) if figures else None, "p50_ms": round(figures.p50_ms, 3) if figures else None,
        "p95_ms": round(figures.p95_ms, 3) if figures else None, "ram_mb": figures.ram_mb if figures else None,
        "answers_per_s": round(one.per_second, 2) if one.per_second else None, "failed": one.failed.get("en", ""),
    }  # fmt: skip


def as_text(result: Bench, language: Language) -> str:
    """Return the result for people: a table, the machine, and what to type."""
    from bot.status import table

    heading = (_("slot"), _("model"), _("load s"), _("p50 ms"), _("p95 ms"), _("RAM MB"), _("answers/s"))
    keys = ("slot", "model", "load_s", "p50_ms", "p95_ms", "ram_mb", "answers_per_s")
    rows = [[_cell(_row(one)[key]) for key in keys] for one in result.found]
    parts = [table([[title.to(language) for title in heading], *rows])]
    parts += [f"{one.slot}: {one.failed.get(language, '')}" for one in result.found if one.failed]
    if result.profile is not None:
        parts += _proposal(result, result.profile, language)
    elif not result.alone:
        parts.append(_("There is no profile for so small a machine; what comes with the install works on it.").to(language))
    return "\n\n".join(parts)


def _proposal(result: Bench, profile: Profile, language: Language) -> list[str]:
    from bot.models.card_words import memory
    from bot.models.profiles import peak_mb
    from bot.status import table

    machine = _(
        "This machine has {memory} of memory and {cores} cores; {budget} are for models. The profile for {size} GB suits it:",
        memory=memory(result.memory_mb), cores=result.cores, budget=memory(result.budget_mb), size=profile.memory_gb,
    )  # fmt: skip
    rows = [[row.slot, row.model, str(row.need_mb or "-"), _todo(row).to(language)] for row in result.rows]
    heading = (_("slot"), _("model"), _("RAM MB"), _("what to type"))
    parts = [f"{machine.to(language)}\n{profile.good_for[language]}", table([[one.to(language) for one in heading], *rows])]
    if result.larger is not None:
        more = _("The profile for {size} GB wants {cores} cores.", size=result.larger.memory_gb, cores=result.larger.cores)
        parts.append(more.to(language))
    peak = peak_mb(result.rows)
    if peak > result.budget_mb:
        too_much = _(
            "By what is known, these need {peak}, more than the budget: leave the largest out, or raise models.ram_mb.",
            peak=memory(peak),
        )
        parts.append(too_much.to(language))
    if not all(row.here for row in result.rows):
        fetched = _(
            "What is not here is fetched from the hub by that command, which tells its size and asks before. Without a network, carry it in: "
            "{program} models import FILE",
            program=program(),
        )
        parts.append(fetched.to(language))
    return parts


def _todo(row: Proposed) -> Text:
    if row.live:
        return _("live already")
    command = f"{program()} swap {row.slot} {row.model}"
    return Text(command) if row.here else _("{command}   (not here yet)", command=command)


def _cell(value: Json) -> str:
    return "-" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
