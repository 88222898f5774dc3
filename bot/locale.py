"""Sentences that people read, in Korean and English.

A folder keeps its Korean in a `ko.po` (gettext's format) beside its code; English is the msgid itself. Owns: finding and
filling a sentence. Leaves to others: choosing the language (`bot.language`).

    _ = phrases(__file__)
    _("I read {count} pages.", count=3).to("ko")
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from bot import lazy
from bot.text.shown import in_code, isolated, literal

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = ("ko", "en")

Value = str | int | float
_CODE = lazy.compile(r"(```.*?```|`[^`]*`)", re.DOTALL)


class Marked(str):
    """A value that is Markdown of ours, and stays that in a sentence."""

    __slots__ = ()


def _filling(value: Value, written: Callable[[str], str] = str) -> Value:
    """Return what fills a brace: others' words as `written` makes them, turning nothing behind; numbers and our own Markdown as they are."""
    return written(isolated(value)) if isinstance(value, str) and not isinstance(value, Marked) else value


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence that is not yet in a language: a msgid of one folder's catalogue and what fills its braces."""

    msgid: str
    values: tuple[tuple[str, Value | Text], ...] = ()
    folder: Path = field(default=Path(), compare=False, repr=False)

    def to(self, language: Language) -> str:
        """Return the sentence in `language`, its braces filled; English where the catalogue has no other.

        A value turns the direction of nothing behind it: names are others' words.
        """
        sentence = self._sentence(language)
        filled = {name: value.to(language) if isinstance(value, Text) else _filling(value) for name, value in self.values}
        return sentence.format(**filled) if filled else sentence

    def markdown(self, language: Language) -> str:
        """Return the sentence as Markdown: what fills its braces is shown as it stands, in code as elsewhere."""
        sentence = self._sentence(language)
        if not self.values:
            return sentence
        shown = {
            name: value.markdown(language) if isinstance(value, Text) else _filling(value, literal) for name, value in self.values
        }
        coded = {name: value.to(language) if isinstance(value, Text) else _filling(value, in_code) for name, value in self.values}
        pieces = _CODE.split(sentence)
        return "".join(piece.format(**(coded if number % 2 else shown)) for number, piece in enumerate(pieces))

    def _sentence(self, language: Language) -> str:
        return self.msgid if language == "en" else catalogue(self.folder, language).get(self.msgid, self.msgid)

    def __str__(self) -> str:
        return self.to("en")


def phrases(file: str) -> Callable[..., Text]:
    """Return the function that makes a Text of the catalogue beside `file`; by custom it is named `_`."""
    folder = Path(file).parent

    def make(msgid: str, **values: Value | Text) -> Text:
        return Text(msgid, tuple(values.items()), folder)

    return make


@cache
def catalogue(folder: Path, language: Language) -> Mapping[str, str]:
    """Return what `folder` says in `language`: msgid to msgstr, empty where it has no catalogue.

    Reads what the project writes of gettext's format: msgid, msgstr, comments, quoted lines. babel reads all of it, and takes
    40 ms of every start in Korean (a test compares the two).
    Source: https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html
    """
    source = folder / f"{language}.po"
    if not source.is_file():
        return {}
    pairs: list[dict[str, str]] = []
    part = ""
    for line in source.read_text(encoding="utf-8").splitlines():
        keyword, quote, rest = line.partition('"')
        if not quote or keyword.startswith("#"):
            continue
        if keyword.strip():
            part = keyword.strip()
            if part == "msgid":
                pairs.append({"msgid": "", "msgstr": ""})
        pairs[-1][part] += json.loads(quote + rest)
    return {pair["msgid"]: pair["msgstr"] for pair in pairs if pair["msgid"] and pair["msgstr"]}
