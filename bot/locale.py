"""Sentences that people read, in Korean and English.

A folder keeps its Korean in a `ko.po` beside its code; English is the msgid itself. Owns: finding and filling a
sentence. Leaves to others: choosing the language (`bot.language`).

    _ = phrases(__file__)
    _("I read {count} pages.", count=3).to("ko")
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

Language = Literal["ko", "en"]
LANGUAGES: tuple[Language, ...] = ("ko", "en")

Value = str | int | float


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence that is not yet in a language: a msgid of one folder's catalogue and what fills its braces."""

    msgid: str
    values: tuple[tuple[str, Value | Text], ...] = ()
    folder: Path = field(default=Path(), compare=False, repr=False)

    def to(self, language: Language) -> str:
        """Return the sentence in `language`, its braces filled; English where the catalogue has no other."""
        sentence = self.msgid if language == "en" else _catalogue(self.folder, language).gettext(self.msgid)
        filled = {name: value.to(language) if isinstance(value, Text) else value for name, value in self.values}
        return sentence.format(**filled) if filled else sentence

    def __str__(self) -> str:
        return self.to("en")


def phrases(file: str) -> Callable[..., Text]:
    """Return the function that makes a Text of the catalogue beside `file`; by custom it is named `_`."""
    folder = Path(file).parent

    def make(msgid: str, **values: Value | Text) -> Text:
        return Text(msgid, tuple(values.items()), folder)

    return make


@cache
def _catalogue(folder: Path, language: Language) -> gettext.NullTranslations:
    source = folder / f"{language}.po"
    if not source.is_file():
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - an English reader never pays for it
    from babel.messages.pofile import read_po  # noqa: PLC0415

    compiled = io.BytesIO()
    with source.open("rb") as handle:
        write_mo(compiled, read_po(handle, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
