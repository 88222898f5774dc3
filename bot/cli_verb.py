"""What every verb stands on: the settings, the app around its work, what it prints.

Owns: opening and closing the app for one verb, the paths and flags that several verbs take, the language of what is printed.
Leaves the work itself to the verbs.

    with_app(settings(), show)    # show(app) is awaited; Ctrl-C ends it with a sentence and exit code 130
"""

# ruff: noqa: PLC0415 - a verb imports what it needs: `paring --help` answers at once

from __future__ import annotations

import gc
import json
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.cli_errors import UsageError, not_there
from bot.errors import InputError
from bot.language import spoken
from bot.locale import Language, Text, phrases

if TYPE_CHECKING:
    from bot.app import App
    from bot.config import Settings
    from bot.leaving import Leaving
    from bot.skill import Slot

_ = phrases(__file__)

T = TypeVar("T")

NAME = "paring"
INTERRUPTED = 130
"""The exit code after Ctrl-C."""
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for a machine.")]


def program() -> str:
    """Return what a person types to start this program: `paring` where the shell finds it by that name, else its path."""
    typed = Path(sys.argv[0])
    if typed.name != NAME or not typed.is_file():
        return NAME  # python -m bot
    found = shutil.which(NAME)
    return NAME if found is not None and typed.samefile(found) else shlex.quote(os.path.relpath(typed))


def with_app(settings: Settings, work: Callable[[App], Coroutine[Any, Any, T]], *, ahead: Sequence[Slot[Any, Any]] = ()) -> T:
    """Open the app, its models of the slots `ahead` loading meanwhile; run `work` with it, close it."""
    import asyncio

    from bot.app import opened
    from bot.cores import leave_no_core
    from bot.leaving import Leaving
    from bot.logs import catch_the_rest, configure_logs

    _warn_root(settings)
    leave_no_core()
    configure_logs(settings)
    catch_the_rest()

    leaving = Leaving(asyncio.Event(), end=lambda _code: os._exit(INTERRUPTED))

    async def go() -> T:
        _end_when_interrupted(leaving)
        async with opened(settings, ahead=ahead) as app:
            gc.freeze()
            gc.enable()
            return await work(app)

    try:
        return asyncio.run(go())
    except (KeyboardInterrupt, asyncio.CancelledError):
        complain(_("stopped; what was done is kept."), language_of(settings))
        raise typer.Exit(INTERRUPTED) from None
    finally:
        leaving.left()


def _warn_root(settings: Settings) -> None:
    """Tell root, over a home of another user, that the bot cannot write what root writes there."""
    if os.name == "nt" or os.geteuid() or not settings.home.is_dir() or not (owner := settings.home.stat().st_uid):
        return
    warned = _(
        "You are root, and {home} belongs to another user (number {owner}): a bot that runs as that user cannot write what you leave there. "
        "Run this as that user; docs/deploy.md says how.",
        home=str(settings.home), owner=owner,
    )  # fmt: skip
    complain(warned, language_of(settings))


def _end_when_interrupted(leaving: Leaving) -> None:
    """Have Ctrl-C cancel the current task; `leaving` ends the process where that takes too long, or at a second Ctrl-C."""
    import asyncio

    task = asyncio.current_task()

    def interrupted() -> None:
        leaving.ask()
        if task is not None:
            task.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted)


def settings() -> Settings:
    """Return the settings in force."""
    from bot.config_file import load_settings

    return load_settings()


def language_of(settings: Settings) -> Language:
    """Return the language of the terminal: the setting where it was made, else the locale's."""
    return settings.language if "language" in settings.model_fields_set else spoken(os.environ)


def complain(what: Text, language: Language) -> None:
    """Print a sentence on stderr."""
    from bot.logs import struck

    typer.echo(struck(f"paring: {what.to(language)}"), err=True)


def dump(value: object, *, indent: int | None = 2) -> str:
    """Return `value` as JSON for stdout."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


def stdin() -> IO[str]:
    """Return the standard input. Raises InputError where it was closed."""
    if sys.stdin is None:
        raise InputError(_("There is no input: stdin was closed. Pipe something in, or write the text on the command line."))
    return sys.stdin


def a_name(typed: str) -> str:
    """Return the name of a chat or a person that was typed. Raises UsageError where there is none."""
    if not typed.strip():
        raise UsageError(_("A name is empty, perhaps by a variable that is not set. Write one, or leave the option away."))
    return typed


def anything(typed: str) -> Path:
    """Return the path that was typed. Raises UsageError where nothing is there."""
    if not typed:
        raise UsageError(_("A path is empty, perhaps by a variable that is not set. Write . for this folder."))
    path = Path(typed)
    if not path.exists():
        raise not_there(path)
    return path


def anything_or_link(typed: str) -> Path | str:
    """Return the path that was typed, or the link, without what stands behind its #. Raises UsageError where nothing is there."""
    if typed.lower().startswith(("http://", "https://")):
        return typed.partition("#")[0]
    if ("://" in typed or typed.lower().startswith("www.")) and not Path(typed).exists():
        raise UsageError(_("{typed} is no file, and no link that is fetched: those begin with http:// or https://.", typed=typed))
    return anything(typed)


def a_place(typed: str) -> Path | str:
    """Return the path that was typed, of what may be gone, or the link, without what stands behind its #."""
    if typed.lower().startswith(("http://", "https://")):
        return typed.partition("#")[0]
    return Path(typed).resolve() if typed else anything(typed)


def a_file(typed: str) -> Path:
    """Return the path that was typed. Raises UsageError where it is no file."""
    path = anything(typed)
    if path.is_dir():
        raise UsageError(_("{path} is a folder. Write the path of a file.", path=typed))
    return path


def a_folder(typed: str) -> Path:
    """Return the path that was typed. Raises UsageError where it is no folder."""
    path = anything(typed)
    if not path.is_dir():
        raise UsageError(_("{path} is a file. Write the path of its folder: {folder}", path=typed, folder=str(path.parent)))
    return path
