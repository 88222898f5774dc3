"""`paring models`: what is live, and models that are carried from machine to machine without a network.

Exit code 1: the model was refused, or could not be packed; nothing was changed.
"""

# ruff: noqa: PLC0415 - a verb imports what it needs: `paring --help` answers at once

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_errors import UsageError
from bot.cli_help import ListingVerbs, Verb
from bot.cli_verb import INTERRUPTED, AsJson, anything, complain, dump, language_of, settings, with_app
from bot.errors import InputError
from bot.locale import Text, phrases

if TYPE_CHECKING:
    from bot.app import App
    from bot.locale import Language
    from bot.models.carried import Arrived
    from bot.models.fetch import Place
    from bot.models.parcel import Parcel
    from bot.models.spec import ModelSpec
    from bot.progress import Report
    from bot.sandbox import Json

_ = phrases(__file__)

models = typer.Typer(cls=ListingVerbs, invoke_without_command=True)


@models.callback()
def list_models(context: typer.Context, as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """List the live model of each slot.

    With its size, measured memory, licence and health, and the others that are known by name.
    """
    if context.invoked_subcommand is not None:
        if as_json:
            raise UsageError(_("Write --json behind the verb: paring models {verb} ... --json", verb=context.invoked_subcommand))
        return
    import asyncio

    from bot.status import model_rows, model_table

    async def show(app: App) -> None:
        found = await asyncio.to_thread(app.pool.status)
        known = {
            status.slot: [spec.name for spec in app.catalogue.for_slot(status.slot) if spec.identity != status.model]
            for status in found
        }
        typer.echo(dump(model_rows(found)) if as_json else model_table(found, known, language_of(app.settings)))

    with_app(settings(), show)


@models.command("import", cls=Verb)
def import_model(
    source: Annotated[Path, typer.Argument(metavar="FILE", parser=anything, help="A .tar, .tar.gz or .zip, or a folder.")],
    name: Annotated[str, typer.Option("--name", help="What it is called here, where its own name will not do.")] = "",
    slot: Annotated[
        str, typer.Option("--slot", help="What it is for, where its files do not say: summarise, translate, ...")
    ] = "",
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Take in a model that was carried here, from an archive or a folder.

    It is unpacked aside, looked at file by file and hashed before it is put in place; what could run code is refused.
    No network is needed. `paring models export` makes such an archive on another machine.
    """
    from bot.models.carried import take_in
    from bot.models.catalogue import Catalogue
    from bot.progress import bar

    chosen = settings()
    language, catalogue = language_of(chosen), Catalogue(chosen)
    if slot and slot not in (slots := catalogue.slots()):
        raise UsageError(_("There is no slot “{slot}”. There are: {slots}.", slot=slot, slots=", ".join(slots)))
    with stoppable(_("stopped; nothing was taken in."), language), bar(_("taking in"), language) as report:
        arrived = take_in(source, chosen, catalogue, name=name, slot=slot, report=in_mebibytes(report))
    typer.echo(dump(arrived_json(arrived)) if as_json else arrived_text(arrived).to(language))


@models.command("export", cls=Verb)
def export_model(
    word: Annotated[
        str, typer.Argument(metavar="SLOT_OR_NAME", help="A slot, for the model that is live in it, or a model's name.")
    ],
    file: Annotated[Path | None, typer.Option("-o", metavar="FILE", help="The archive; else NAME.tar in this folder.")] = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Pack a model into one file, to be carried to another machine.

    With what it is, its licence, and the hash of each file; there, `paring models import` makes the same model of it.
    """
    import asyncio

    from bot.models.parcel import file_name, find, pack
    from bot.progress import bar

    chosen = settings()
    language = language_of(chosen)

    async def locate(app: App) -> Place:
        return await asyncio.to_thread(find, word, app.catalogue, app.pool, app.settings)

    place = with_app(chosen, locate)
    with stoppable(_("stopped; no archive was written."), language), bar(_("packing"), language) as report:
        parcel = pack(place, file or Path(file_name(place.spec)), in_mebibytes(report))
    typer.echo(dump(parcel_json(parcel)) if as_json else parcel_text(parcel).to(language))


@models.command("check", cls=Verb)
def check_presets(
    name: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="The presets that are compared; none: all of a hub.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Compare what the presets say with what the hub says: revisions, licences, sizes and hashes.

    Nothing is fetched. Exit code 1 where something differs. HF_ENDPOINT names a mirror.
    """
    from bot.models.hub import Hub
    from bot.models.truth import checked
    from bot.store.consents import Consents

    async def compare(app: App) -> bool:
        language, hub = language_of(app.settings), Hub(app.settings, Consents(app.database))
        every = [spec for slot in app.catalogue.slots() for spec in app.catalogue.for_slot(slot) if spec.source == "hub"]
        findings = []
        for spec in [_of_a_hub(app.catalogue.find(word)) for word in name] if name else every:
            findings.append(await checked(spec, hub.look))
            if not as_json:
                typer.echo(findings[-1].to(language))
        if as_json:
            typer.echo(dump([finding.as_json() for finding in findings]))
        return all(finding.true for finding in findings)

    if not with_app(settings(), compare):
        raise typer.Exit(1)


def _of_a_hub(spec: ModelSpec) -> ModelSpec:
    """Return `spec`. Raises InputError where no hub has it."""
    if spec.source != "hub":
        raise InputError(
            _("{model} comes from no hub, so there is nothing to compare it with. Leave its name out to compare all that do.", model=spec.name)
        )  # fmt: skip
    return spec


@contextmanager
def stoppable(what: Text, language: Language) -> Iterator[None]:
    """Turn Ctrl-C into `what` and its exit code."""
    try:
        yield
    except KeyboardInterrupt:
        complain(what, language)
        raise typer.Exit(INTERRUPTED) from None


@models.command("search", cls=Verb)
def search_models(
    words: Annotated[list[str], typer.Argument(metavar="WORDS", help="A slot and what it should know: summarise korean news.")],
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Look for models that fit a slot: those that are known here, and what a model hub offers.

    The hub is asked only now. Where none is reached, that is said, and what is known here is listed all the same.
    """
    from bot.cli_swap import run

    run("models", ["search", *words], as_json=as_json)


def in_mebibytes(report: Report) -> Callable[[str, int, int], None]:
    """Return what tells `report` of bytes in MiB."""
    return lambda name, done, whole: report(name, done >> 20, max(1, whole >> 20))


def arrived_json(arrived: Arrived) -> dict[str, Json]:
    """Return what became of an import, for a machine."""
    spec = arrived.spec
    return {
        "name": spec.name, "slot": spec.slot, "identity": spec.identity, "folder": str(arrived.folder), "licence": spec.licence,
        "files": len(spec.files), "size_bytes": arrived.size_bytes, "known": arrived.known, "next": next_step(arrived),
    }  # fmt: skip


def arrived_text(arrived: Arrived) -> Text:
    """Return what became of an import, for people."""
    spec = arrived.spec
    values = {
        "model": spec.identity, "count": len(spec.files), "size": f"{arrived.size_bytes / 1e6:.1f}",
        "licence": spec.licence or _("unknown"), "step": next_step(arrived),
    }  # fmt: skip
    if arrived.known:
        return _("{model} was here already, the same to the byte. To use it: {step}", **values)
    return _("{model} is here: {count} files, {size} MB, licence {licence}. To use it: {step}", **values)


def next_step(arrived: Arrived) -> str:
    """Return what an admin types to put the model to work."""
    return f"paring swap {arrived.spec.slot or 'SLOT'} {arrived.word}"


def parcel_json(parcel: Parcel) -> dict[str, Json]:
    """Return what became of an export, for a machine."""
    return {
        "file": str(parcel.file), "sha256": parcel.sha256, "size_bytes": parcel.size_bytes, "identity": parcel.spec.identity,
        "licence": parcel.spec.licence,
    }  # fmt: skip


def parcel_text(parcel: Parcel) -> Text:
    """Return what became of an export, for people."""
    return _(
        "{model} is packed: {file}, {size} MB, sha256 {sha256}. On the other machine: paring models import {file}",
        model=parcel.spec.identity, file=str(parcel.file), size=f"{parcel.size_bytes / 1e6:.1f}", sha256=parcel.sha256,
    )  # fmt: skip
