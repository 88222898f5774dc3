"""What is told to whoever waits, by parts of the house that do not know them: "Loading the caption model, about 4 s …".

Owns: the way from a part deep below (the pool) to what keeps the asker company. Leaves to `bot.company` what is shown, and when. It
follows the task that works on a message, and those that it starts.

    with telling(company.meanwhile):                 # whoever works on a message
        ...
    async with meanwhile(_("Loading the model …")):  # whoever makes it wait
        await loading
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Final

from bot.locale import Text

Show = Callable[[Text], AbstractAsyncContextManager[None]]

_SHOW: Final[ContextVar[Show | None]] = ContextVar("meanwhile", default=None)


@contextmanager
def telling(show: Show) -> Iterator[None]:
    """Have what is told within be shown by `show`."""
    token = _SHOW.set(show)
    try:
        yield
    finally:
        _SHOW.reset(token)


def meanwhile(what: Text) -> AbstractAsyncContextManager[None]:
    """Tell whoever waits, if anybody does, that `what` goes on until this is left."""
    show = _SHOW.get()
    return nullcontext() if show is None else show(what)
