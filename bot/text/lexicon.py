"""Words that stand for each other, in one language and across two: 휴무 for 쉬는 날, repair for 고치다.

Owns the list, as it is read. Leaves to `bot.text.words` what a term is, to `bot.retrieval.otherwise` which of them a search looks for.

    list(packaged().meanings(terms("쉬는 날이 언제야?")))    # [Meaning(("쉬", "날"), ("holiday", ...), ("휴무", "휴일", ...)), ...]

The list is made by `benchmarks/train_lexicon.py`: of a thesaurus and a dictionary that were written for it (`benchmarks/thesaurus.txt`,
`dictionary.txt`), and of which words come together in texts of both languages.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, NamedTuple, Self

FILE: Final = "lexicon.txt"
COLUMN: Final = "\t"
"""Between what stands in a line: terms that are said, what says the same in the other language, and in the same one."""


class Meaning(NamedTuple):
    """Terms of a text that stand side by side, and single terms that say the same as they do together, the likeliest first."""

    said: tuple[str, ...]
    across: tuple[str, ...]
    """In the other language."""
    alike: tuple[str, ...]
    """In the same one."""


class Lexicon:
    """Lines in the order of their letters, so that a term is found without taking all apart."""

    def __init__(self, lines: Sequence[str] = ()) -> None:
        """Take `lines`, sorted."""
        self._lines = lines

    @classmethod
    def read(cls, file: Path | Traversable) -> Self:
        """Read the lines of a file. Raises OSError."""
        return cls(file.read_text(encoding="utf-8").splitlines())

    def __len__(self) -> int:
        """Return how many words and phrases have a meaning."""
        return len(self._lines)

    def meanings(self, said: Sequence[str]) -> Iterator[Meaning]:
        """Yield what the terms of a text, as `bot.text.words.terms` makes them, stand for: each by itself, and phrases of them."""
        for at, term in enumerate(said):
            for meaning in self._beginning_with(term):
                if tuple(said[at : at + len(meaning.said)]) == meaning.said:
                    yield meaning

    def _beginning_with(self, term: str) -> Iterator[Meaning]:
        for place in range(bisect_left(self._lines, term + COLUMN), len(self._lines)):
            line = self._lines[place]
            if not line.startswith((term + COLUMN, term + " ")):
                return
            said, across, alike = (tuple(column.split()) for column in line.split(COLUMN))
            yield Meaning(said, across, alike)


NONE: Final = Lexicon()
"""A lexicon that knows nothing."""


@cache
def packaged() -> Lexicon:
    """Return the one that comes with Paring."""
    return Lexicon.read(files(__package__).joinpath(FILE))
