"""`paring backup` and `paring restore`: the whole home as one file, and back.

Owns what is typed and printed. Leaves the work to `bot.store.backup` and `bot.store.restore`.

    paring backup /mnt/nas/paring-monday.zip     # while the bot runs
    PARING_HOME=/srv/paring paring restore /mnt/nas/paring-monday.zip
"""

# ruff: noqa: PLC0415 - a verb imports what it needs: `paring --help` answers at once

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli_errors import UsageError
from bot.cli_verb import AsJson, a_file, dump, language_of, settings
from bot.locale import phrases

_ = phrases(__file__)


def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where the backup is written, such as paring.zip.")],
    with_keys: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--with-keys", help="Take along what signs people in to the page, so that they stay signed in.")
    ] = False,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Write everything that the bot keeps to one file, while it runs.

    Messages, documents, files that were sent, settings in the home, models of your own; not what can be fetched or made again.
    Only you can read it. A backup of that name is replaced once the new one is whole.
    """
    from bot.progress import bar
    from bot.store.backup import back_up, size_of

    place = _new_file(file)
    chosen = settings()
    language = language_of(chosen)
    with bar(_("backing up"), language) as report:
        made = back_up(chosen.home, place, report, with_keys=with_keys)
    said = {
        "file": str(made.file), "size_bytes": made.size_bytes, "files": len(made.manifest.files), "schema": made.manifest.schema,
        "made_at": made.manifest.made_at, "missing": made.manifest.missing,
    }  # fmt: skip
    typer.echo(dump(said) if as_json else size_of(made).to(language))
    if made.manifest.missing:
        lack = _("{count} files that messages name were not there any more.", count=made.manifest.missing)
        typer.echo(lack.to(language), err=True)


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", parser=a_file, help="What `paring backup` wrote.")],
    force: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--force", help="Also over what is there, which is kept in a folder beside it.")
    ] = False,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Put a backup back into PARING_HOME, while no bot runs over it.

    All of it or nothing. A backup of an older Paring is brought to the newest schema.
    """
    from bot.progress import bar
    from bot.store.restore import restore as put_back

    chosen = settings()
    language = language_of(chosen)
    with bar(_("restoring"), language) as report:
        restored = put_back(file, chosen.home, report, force=force)
    said = {
        "home": str(chosen.home), "made_at": restored.manifest.made_at, "files": len(restored.manifest.files),
        "schema": restored.schema, "before": str(restored.before or ""),
    }  # fmt: skip
    typer.echo(dump(said) if as_json else restored.text().to(language))


def _new_file(typed: str) -> Path:
    """Return the path that was typed. Raises UsageError where no file can be made there."""
    if not typed:
        raise UsageError(_("A path is empty, perhaps by a variable that is not set. Write the path of a file."))
    path = Path(typed)
    if path.is_dir():
        raise UsageError(_("{path} is a folder. Write the path of a file: {file}", path=typed, file=str(path / "paring.zip")))
    if not path.absolute().parent.is_dir():
        raise UsageError(_("There is no folder {folder}. Make it, or write another path.", folder=str(path.absolute().parent)))
    return path.absolute()
