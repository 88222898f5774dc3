r"""White space in what people type, before patterns look at it.

A pattern with several `\s*` in a row tries every way to share out a run of white space among them: of a few hundred signs
that takes seconds, of a few thousand hours.

    narrowed("where   is\n\nit")     # "where is\nit"
"""

from __future__ import annotations

from bot import lazy

_RUN = lazy.compile(r"(\s)\s+")


def narrowed(text: str) -> str:
    """Return `text` with one sign, the first, in the place of each run of white space."""
    return _RUN.sub(r"\1", text)
