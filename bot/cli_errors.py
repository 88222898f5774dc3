"""What the command line says when a verb fails: a sentence on what failed, what was kept and what to do next.

Owns the sentences on what is no error of Paring's own: the disk, the system, a mistake in the code. Leaves to `bot.errors` the
others, and to `bot.cli` where they are printed.

    sentence_on(OSError(errno.ENOSPC, "")).to("en")   # "The disk is full. What was committed is kept; ..."
"""

from __future__ import annotations

import errno
import os

from bot.errors import ParingError
from bot.locale import Text, phrases

_ = phrases(__file__)


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


def _disk(error: OSError) -> Text:
    """Return the sentence on what the disk or the system refused."""
    why = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _("The disk is full. What was committed is kept; free some space and try again.")
    if error.filename is not None:
        return _("{file} cannot be used: {why}. What was committed is kept.", file=os.fsdecode(error.filename), why=why)
    return _("The system refused: {why}. What was committed is kept.", why=why)
