"""The error tree. Every error carries a sentence that a user may read: what failed, what was kept, what to do next.

ParingError
├── SettingsError        paring.toml or the environment is wrong
├── InputError           what a person sent cannot be worked on
│   ├── TooLargeError    over a limit, in bytes, pixels or pages
│   ├── UnreadableError  a broken, locked or foreign file
│   └── RefusedLinkError a link that is not fetched
├── ModelError           a model cannot answer
│   ├── NoModelError     nothing is installed for the slot
│   ├── UnsafeModelError its files are refused (hash, format)
│   ├── OfflineError     no model hub can be reached
│   ├── DirectionError   it does not translate in this direction
│   └── MemoryBudgetError does not fit into the RAM budget
├── DeniedError          this person may not do this
├── ChannelError         a platform did not take what was sent
│   ├── RetryLaterError  told to wait (carries `retry_after_s`)
│   ├── AmbiguousSendError  carried out or not: unknown
│   └── GoneError        blocked, kicked, deleted: never again
└── StoreError           the database cannot be used

raise UnreadableError(_("{name} is cut off. Nothing was kept; please send it again.", name=name))
"""

from __future__ import annotations

import errno
import os

from bot.locale import Language, Text, phrases
from bot.text.shown import named

_ = phrases(__file__)

LONGEST_NAME = 80
"""Characters of a file's name that are told before a sentence."""


class ParingError(Exception):
    """Base of all errors that Paring raises; `text` is the sentence for people."""

    def __init__(self, text: Text | str) -> None:
        """Keep the sentence; a plain str is for what no person reads."""
        self.text = text if isinstance(text, Text) else Text(text.replace("{", "{{").replace("}", "}}"))
        super().__init__(str(self.text) if isinstance(text, Text) else text)

    def sentence(self, language: Language) -> str:
        """Return the sentence in `language`."""
        return self.text.to(language)


class SettingsError(ParingError):
    """paring.toml or the environment is wrong."""


class InputError(ParingError):
    """What a person sent cannot be worked on."""


class TooLargeError(InputError):
    """Over a limit, in bytes, pixels or pages."""


class UnreadableError(InputError):
    """A broken, locked or foreign file."""


class RefusedLinkError(InputError):
    """A link that is not fetched."""


class ModelError(ParingError):
    """A model cannot answer."""


class NoModelError(ModelError):
    """Nothing is installed for the slot."""


class UnsafeModelError(ModelError):
    """The files of a model are refused: hash, size or format."""


class OfflineError(ModelError):
    """No model hub can be reached from here."""


class DirectionError(ModelError):
    """The model translates, but not from this language into that."""


class MemoryBudgetError(ModelError):
    """The model does not fit into the RAM budget."""


class DeniedError(ParingError):
    """This person may not do this."""


class ChannelError(ParingError):
    """A platform did not take what was sent."""


class RetryLaterError(ChannelError):
    """Wait `retry_after_s` seconds; nothing was sent. `asked`: the platform itself asks for it, by a 429 or the like."""

    def __init__(self, text: Text | str, *, retry_after_s: float, asked: bool = False) -> None:
        """Keep the sentence and the seconds to wait."""
        super().__init__(text)
        self.retry_after_s = retry_after_s
        self.asked = asked


class AmbiguousSendError(ChannelError):
    """The connection broke after the request left: carried out or not is unknown."""


class GoneError(ChannelError):
    """Blocked, kicked or deleted: nothing can ever be sent there again."""


class StoreError(ParingError):
    """The database cannot be used."""


def of_file(name: str, error: InputError) -> Text:
    """Return the error's sentence, after the name of the one file among several that it is about, where it does not tell it itself."""
    plain = named(name)[:LONGEST_NAME]
    if not plain or plain in str(error.text):
        return error.text
    return Text("**{name}**: {why}", (("name", plain), ("why", error.text)))


def refusal(error: OSError) -> Text:
    """Return why the system refused, for a sentence; in the system's own English where it is none of the common reasons."""
    if error.errno in _REFUSALS:
        return _REFUSALS[error.errno]
    said = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error) or type(error).__name__
    return Text("{said}", (("said", said),))


_REFUSALS: dict[int | None, Text] = {
    errno.ENOENT: _("it is not there"),
    errno.EACCES: _("permission denied"),
    errno.EPERM: _("it is not permitted"),
    errno.EISDIR: _("it is a folder"),
    errno.ENOTDIR: _("a part of its path is no folder"),
    errno.EROFS: _("the disk is read-only"),
    errno.ENOSPC: _("the disk is full"),
    errno.ENAMETOOLONG: _("its name is too long"),
    errno.EMFILE: _("too many files are open"),
    errno.EADDRNOTAVAIL: _("it is no address of this machine"),
    errno.EIO: _("the disk has an error"),
}
