"""Files of a message that are refused while others of it are not: their bytes are of no use any more once that is told.

Owns the way from the skill that reads the files to the worker, which writes the answer. Leaves what becomes of the files to
`bot.store.refused`. It follows the task that works on a message, and those that it starts.

    with noting() as blobs:                # whoever works on a message
        ...
    said = refused(file, error)            # whoever reads its files
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from bot.errors import InputError, TooLargeError, UnreadableError, of_file
from bot.locale import Text
from bot.message import Attachment

_NOTED: Final[ContextVar[set[str] | None]] = ContextVar("refused", default=None)


@contextmanager
def noting() -> Iterator[set[str]]:
    """Give what is refused within, by its sha256."""
    noted = set[str]()
    token = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(token)


def is_refusal(error: Exception) -> bool:
    """Say whether a file cannot be read, or is too large, however often it is tried."""
    return isinstance(error, UnreadableError | TooLargeError)


def refused(file: Attachment, error: InputError) -> Text:
    """Return what is told of one file among several, and have its bytes go where it is refused for good."""
    noted = _NOTED.get()
    if noted is not None and file.blob and is_refusal(error):
        noted.add(file.blob)
    return of_file(file.name, error)
