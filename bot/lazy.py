r"""Regular expressions that are compiled when they are first used: of some 350, a start uses two dozen.

_WORD = lazy.compile(r"[^\W_]+")                     # as re.compile
_MARKS = lazy.compile_regex(r"\p{M}+")               # as regex.compile; `regex` itself is imported then
_WORD.findall("a b")                                  # compiled here, once
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, AnyStr, Generic, cast

if TYPE_CHECKING:
    import regex

_OWN = ("search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer", "flags", "groups", "groupindex")


class Pattern(Generic[AnyStr]):
    """Has what a compiled pattern has. Once it is compiled, its methods are the compiled one's own, and cost no more than those."""

    def __init__(self, library: str, pattern: AnyStr, flags: int) -> None:
        """Take what will be compiled, and the module that does it."""
        self._library = library
        self._flags = flags
        self.pattern: AnyStr = pattern

    def __getattr__(self, name: str) -> object:
        if name not in _OWN:
            raise AttributeError(f"a pattern has no {name}")
        made = self.compiled()
        vars(self).update({own: getattr(made, own) for own in _OWN})
        return getattr(made, name)

    def __repr__(self) -> str:
        return f"{self._library}.compile({self.pattern!r}, {int(self._flags)})"

    def compiled(self) -> re.Pattern[AnyStr] | regex.Pattern[AnyStr]:
        """Return the pattern itself, for what takes no other. Raises the library's error where it is none."""
        made = import_module(self._library).compile(self.pattern, self._flags)
        return cast("re.Pattern[AnyStr] | regex.Pattern[AnyStr]", made)


def compile(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:  # noqa: A001 - as `re.compile`
    """Return what `re.compile` returns, not compiled yet."""
    return cast("re.Pattern[AnyStr]", Pattern("re", pattern, flags))


def compile_regex(pattern: AnyStr, flags: int = 0) -> regex.Pattern[AnyStr]:
    """Return what `regex.compile` returns, not compiled yet."""
    return cast("regex.Pattern[AnyStr]", Pattern("regex", pattern, flags))
