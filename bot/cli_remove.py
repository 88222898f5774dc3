"""`paring remove`: what was added for the search is taken out of it; the files themselves stay.

paring remove /srv/old-team
paring remove https://example.org/page
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_errors import UsageError
from bot.cli_verb import AsJson, a_place, complain, dump, language_of, settings, with_app
from bot.errors import InputError
from bot.locale import phrases

if TYPE_CHECKING:
    from bot.app import App

_ = phrases(__file__)


def remove(
    path: Annotated[
        list[object],
        typer.Argument(metavar="PATH", parser=a_place, help="Files, folders and links that were added; they may be gone."),
    ],
    scope: Annotated[str, typer.Option(help="For whom they were added, as with `paring add`.")] = "public",
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Take files, folders and web pages out of the search index.

    They themselves stay. What was read from them is found no more, to the bytes, and answers that quote it are emptied. A folder
    that is followed is read again at the next start. Exit code 1 where nothing of them was in the index.
    """
    from bot.passage import Scope  # noqa: PLC0415 - `paring --help` answers at once

    try:
        audience = Scope.parse(scope)
    except InputError as error:
        raise UsageError(error.text) from error

    async def go(app: App) -> None:
        language = language_of(app.settings)
        paths, links = [one for one in path if isinstance(one, Path)], [one for one in path if isinstance(one, str)]
        gone = await app.folders.remove(paths, audience, links=links)
        if as_json:
            typer.echo(dump({"removed": gone}))
        elif gone:
            typer.echo(_("Removed from the search: {count} documents.", count=len(gone)).to(language))
        else:
            complain(_("Nothing in the search was read from there for {scope}.", scope=scope), language)
        if not gone:
            raise typer.Exit(1)

    with_app(settings(), go)
