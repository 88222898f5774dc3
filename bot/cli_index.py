"""`paring index`: what the search index holds, whether it is right, and making it anew.

Exit code 1 of `verify` says that something differs.
"""

# ruff: noqa: PLC0415 - a verb imports what it needs: `paring --help` answers at once

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bot.cli_help import Verb, Verbs
from bot.cli_verb import AsJson, dump, language_of, settings, with_app
from bot.locale import phrases

if TYPE_CHECKING:
    from bot.app import App

_ = phrases(__file__)

index = typer.Typer(cls=Verbs, help="Say what the search index holds and whether it is right; make it anew.")


@index.command("status", cls=Verb)
def index_status(as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Say what the index holds and of which model its vectors are."""

    async def show(app: App) -> None:
        status = await app.library.status()
        typer.echo(dump(status.as_json()) if as_json else status.to(language_of(app.settings)))

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
