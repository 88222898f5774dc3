"""What the command line says when a verb fails: a sentence on what failed, what was kept and what to do next.

Owns the sentences on what is no error of Paring's own (the disk, the system, a mistake in the code) and on a command line
that is wrong. Leaves to `bot.errors` the others, and to `bot.cli` where they are printed.

    sentence_on(OSError(errno.ENOSPC, "")).to("en")   # "The disk is full. What was committed is kept; ..."
"""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from typer.exceptions import TyperException

from bot.errors import ParingError, refusal
from bot.locale import Text, phrases

_ = phrases(__file__)

FAILED, MISTYPED = 1, 2
"""Exit codes: the verb failed, or it was not understood."""


class UsageError(ParingError):
    """What was typed is no command line of Paring's."""


def sentence_on(error: Exception) -> Text:
    """Return the sentence on `error`; of several that came together, on the first."""
    if isinstance(error, ExceptionGroup):
        return sentence_on(error.exceptions[0])
    if isinstance(error, ParingError):
        return error.text
    if isinstance(error, OSError):
        return _disk(error)
    return _(
        "something in me broke ({kind}: {why}). What was committed is kept. PARING_LOG_LEVEL=debug before the same command shows where.",
        kind=type(error).__name__, why=str(error),
    )  # fmt: skip


def exit_code(error: Exception) -> int:
    """Return what the process ends with because of `error`."""
    return MISTYPED if isinstance(error, UsageError) else FAILED


def not_understood(error: TyperException, *, command: str, usage: str, named: str, least: int | None = None) -> UsageError:
    """Return Typer's `error` on the options or arguments of `command` as one of Paring's.

    `named` is the parameter it is about, `least` the smallest number that it takes, None where it is no number.

    The kinds are told apart by their names: the classes stand in a private module of Typer's.
    """
    option = getattr(error, "option_name", "")
    match type(error).__name__:
        case "MissingParameter":
            return UsageError(_("{what} is missing. Write: {usage}", what=named, usage=usage))
        case "NoSuchOption":
            if near := getattr(error, "possibilities", None):  # the nearest first
                return UsageError(_("There is no option {option}. Did you mean {near}?", option=option, near=near[0]))
            return UsageError(_("There is no option {option}. `{command} --help` lists them.", option=option, command=command))
        case "BadOptionUsage":
            return UsageError(_("{option} is not written right. Write: {how}", option=option, how=named))
        case "BadParameter" if least is not None:
            return UsageError(
                _(
                    "{what} is to be a whole number, {least} or more. `{command} --help` shows how it is written.",
                    what=named.strip("[]"), least=least, command=command,
                )
            )  # fmt: skip
    return UsageError(_("{why} `{command} --help` shows how it is written.", why=error.format_message(), command=command))


def too_much(extra: str, *, command: str, values: Sequence[str]) -> UsageError:
    """Return the refusal of `extra`, a word more than `command` takes; `values` are all its words, that one among them."""
    if len(values) > 1:
        whole = f"{command} {shlex.quote(' '.join(values))}"
        return UsageError(_("“{extra}” is one word too many. What has spaces goes in quotes: {whole}", extra=extra, whole=whole))
    return UsageError(
        _("`{command}` takes no “{extra}”. `{command} --help` shows how it is written.", extra=extra, command=command)
    )


def unknown_verb(name: str, *, program: str, command: str, known: Iterable[str]) -> UsageError:
    """Return the refusal of a verb that `command` of `program` does not have, with what may have been meant."""
    if any(letter.isspace() or not letter.isascii() for letter in name):
        say = f"{program} say {shlex.quote(name)}"
        return UsageError(_("A text alone is no command. To ask it, write: {say}", say=say))
    typed = f"{command} {name}"
    if near := get_close_matches(name, list(known), n=1):
        return UsageError(_("There is no `{typed}`. Did you mean `{near}`?", typed=typed, near=f"{command} {near[0]}"))
    return UsageError(_("There is no `{typed}`. `{command} --help` lists what there is.", typed=typed, command=command))


def not_there(path: Path) -> UsageError:
    """Return the refusal of a path where nothing is, with the name next to it that may have been meant."""
    try:
        beside = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        beside = []
    if path.name in beside:  # a link
        return UsageError(_("{path} is a link to something that is not there.", path=str(path)))
    if near := get_close_matches(path.name, beside, n=1):
        return UsageError(_("There is no {path}. Did you mean {near}?", path=str(path), near=str(path.with_name(near[0]))))
    return UsageError(_("There is no {path}. Check the path and try again.", path=str(path.absolute())))


def _disk(error: OSError) -> Text:
    """Return the sentence on what the disk or the system refused."""
    why = refusal(error)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _("The disk is full. What was committed is kept; free some space and try again.")
    if error.filename is not None:
        return _("{file} cannot be used: {why}. What was committed is kept.", file=os.fsdecode(error.filename), why=why)
    return _("The system refused: {why}. What was committed is kept.", why=why)
