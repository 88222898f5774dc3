"""`paring index`: what the search index holds, whether it is right, making it anew, and by another model.

Exit code 1 of `verify` says that something differs.
"""

# ruff: noqa: PLC0415 - a verb imports what it needs: `paring --help` answers at once

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_help import Verb, Verbs
from bot.cli_verb import AsJson, dump, language_of, settings, with_app
from bot.locale import phrases

if TYPE_CHECKING:
    from bot.app import App
    from bot.retrieval.standing import Plan

_ = phrases(__file__)

index = typer.Typer(cls=Verbs, help="Say what the search index holds and whether it is right; make it anew, or by another model.")


@index.command("status", cls=Verb)
def index_status(as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Say what the index holds, of which models its vectors are, and how far a change of the model is."""

    async def show(app: App) -> None:
        status, standing = await app.library.status(), await app.library.changeover.standing()
        language = language_of(app.settings)
        told = "\n".join(part for part in (status.to(language), standing.to(language)) if part)
        typer.echo(dump({**status.as_json(), **standing.as_json()}) if as_json else told)

    with_app(settings(), show)


@index.command("verify", cls=Verb)
def index_verify(as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Compare the index with the database. Exit code 1 where they differ."""

    async def compare(app: App) -> bool:
        found = await app.library.verify()
        typer.echo(dump(found.as_json()) if as_json else found.to(language_of(app.settings)))
        return found.sound

    if not with_app(settings(), compare):
        raise typer.Exit(1)


@index.command("rebuild", cls=Verb)
def index_rebuild(as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Make the index anew from the database's text."""
    from bot.progress import bar

    async def rebuild(app: App) -> None:
        language = language_of(app.settings)
        with bar(_("rebuilding"), language) as report:
            status = await app.library.rebuild(report=report)
        typer.echo(dump(status.as_json()) if as_json else status.to(language))

    with_app(settings(), rebuild)


Wait = Annotated[bool, typer.Option("--wait", help="Do it here and now, or wait for the bot that is at it.")]


@index.command("use", cls=Verb)
def index_use(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An embedder that `paring models` lists, or its folder.")],
    wait: Wait = False,  # noqa: FBT002 - a flag of the command line
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Change the model by which is searched, while the bot runs.

    Its vectors are made beside the live ones in the background of `paring run`; when all are there, it takes over at once. Until
    then nothing changes. The vectors before are kept for `paring index rollback`.
    """
    import asyncio

    async def change(app: App) -> None:
        spec = await asyncio.to_thread(app.catalogue.named, "embed", name)
        plan = await app.library.changeover.plan(spec.identity)
        _tell(plan, app, as_json=as_json and not wait, later=not wait)
        await app.library.changeover.ask(plan, by="terminal")
        if wait:
            await _finish(app, as_json=as_json)

    with_app(settings(), change)


@index.command("rollback", cls=Verb)
def index_rollback(
    wait: Wait = False,  # noqa: FBT002 - a flag of the command line
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Go back to the model by which was searched before.

    At once where no passage came since; else these are embedded first, in the background of `paring run`.
    """

    async def back(app: App) -> None:
        plan = await app.library.changeover.roll_back(by="terminal")
        _tell(plan, app, as_json=as_json and not wait, later=not wait)
        if wait:
            await _finish(app, as_json=as_json)

    with_app(settings(), back)


@index.command("drop", cls=Verb)
def index_drop(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The embedder whose vectors are deleted; none: of all that are retired.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Delete vectors that are kept for the way back. There is none to them any more then."""

    async def drop(app: App) -> None:
        vectors = await app.library.changeover.drop(name or "")
        closed = _("Vectors deleted: {count}. The way back to them is closed.", count=vectors)
        gone = closed if vectors else _("Nothing is retired: no vectors were deleted.")
        typer.echo(dump({"vectors": vectors}) if as_json else gone.to(language_of(app.settings)))

    with_app(settings(), drop)


async def _finish(app: App, *, as_json: bool) -> None:
    """See the wish through, with a bar; exit code 1 where it failed."""
    from bot.progress import bar

    language = language_of(app.settings)
    with bar(_("embedding"), language) as report:
        await app.library.changeover.complete(report)
    standing = await app.library.changeover.standing()
    typer.echo(dump(standing.as_json()) if as_json else standing.to(language))
    if standing.failure:
        raise typer.Exit(1)


def _tell(plan: Plan, app: App, *, as_json: bool, later: bool) -> None:
    """Say what a change takes; of one that is made `later`, by whom."""
    if as_json:
        typer.echo(dump(plan.as_json()))
        return
    language = language_of(app.settings)
    typer.echo(plan.to(language), err=True)
    if later and plan.lacking:
        typer.echo(_("`paring run` does it in the background; `--wait` behind this does it here and now.").to(language), err=True)
