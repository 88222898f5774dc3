"""`paring watch`: folders are read and followed until Ctrl-C."""

# ruff: noqa: PLC0415 - a verb imports what it needs: `paring --help` answers at once

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_errors import UsageError
from bot.cli_verb import a_folder, complain, language_of, settings, with_app
from bot.errors import InputError
from bot.locale import Text, phrases

if TYPE_CHECKING:
    from bot.app import App

_ = phrases(__file__)


def watch(
    folder: Annotated[list[Path], typer.Argument(metavar="FOLDER", parser=a_folder, help="Folders to be searched and followed.")],
    scope: Annotated[
        str, typer.Option(help="Who may find them: public (all who may talk to the bot), or dm:… group:… of one chat.")
    ] = "public",
) -> None:
    """Read folders into the search index and follow them until Ctrl-C.

    What is new, changed, renamed or deleted there reaches the index within seconds; a bot that runs meanwhile finds it at once. To let
    the bot itself do it: watch.folders in paring.toml.
    """
    import asyncio

    from bot.passage import Scope
    from bot.progress import bar

    try:
        audience = Scope.parse(scope)
    except InputError as error:
        raise UsageError(error.text) from error

    async def follow(app: App) -> None:
        language = language_of(app.settings)

        def tell(what: Text, *, trouble: bool) -> None:
            complain(what, language) if trouble else typer.echo(what.to(language))

        with bar(_("reading"), language) as report:
            done, watcher = await app.folders.watched(folder, audience, report, tell)
        typer.echo(done.to(language))
        typer.echo(_("Watching. Ctrl-C ends it.").to(language), err=True)
        await watcher.run()

    async def until_stopped(app: App) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)  # ends it as Ctrl-C does
        try:
            await follow(app)
        except asyncio.CancelledError:
            typer.echo(_("I watch no longer; what was read is kept.").to(language_of(app.settings)), err=True)

    with_app(settings(), until_stopped)
