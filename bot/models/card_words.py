"""The words of a report card that its reasons, its text and its picture share: durations, memory, languages, what becomes of room.

room_sentence(card.room).to("en")      # "needs 1.4 GB; evicts caption; its next answer +3.8 s"
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final

from bot.locale import LANGUAGES, Language, Text, phrases
from bot.models.trial import Room, Told

_ = phrases(__file__)

LANGUAGE_NAMES: Final[dict[Language, Text]] = {"ko": _("Korean"), "en": _("English")}
_GIBIBYTE_MB: Final = 1024
_MEGABYTE: Final = 1_000_000
_SHORT_MS: Final = 10
_LONG_MS: Final = 1000


def duration(milliseconds: float) -> Text:
    """Return "840 ms", "3.8 s"."""
    if milliseconds >= _LONG_MS:
        return _("{number} s", number=f"{milliseconds / 1000:.1f}")
    return _("{number} ms", number=f"{milliseconds:.1f}" if milliseconds < _SHORT_MS else f"{milliseconds:.0f}")


def memory(megabytes: int) -> str:
    """Return "340 MB" or "1.4 GB" for MiB; a system's own figures count so, too."""
    return f"{megabytes} MB" if megabytes < _GIBIBYTE_MB else f"{megabytes / _GIBIBYTE_MB:.1f} GB"


def signed(value: float) -> str:
    """Return "+0.031", "−0.200"; what is not seen in three digits has no sign."""
    shown = f"{abs(value):.3f}"
    return shown if float(shown) == 0 else f"{'−' if value < 0 else '+'}{shown}"


def disk(size_bytes: int) -> str:
    """Return "0 MB", "0.4 MB", "91 MB", "1.8 GB", in decimal units as disks and hubs count."""
    megabytes = size_bytes / _MEGABYTE
    if megabytes >= _LONG_MS:
        return f"{megabytes / 1000:.1f} GB"
    return f"{megabytes:.1f} MB" if 0 < megabytes < _SHORT_MS else f"{megabytes:.0f} MB"


def room_sentence(room: Room) -> Text:
    """Return what becomes of memory, in one line."""
    parts = [_("needs {need}", need=memory(room.need_mb))]
    if not room.fits:
        parts.append(_("does not fit into {budget}", budget=memory(room.budget_mb)))
    elif not room.beside:
        parts.append(_("the live model is unloaded first"))
    for one in room.evicts:
        if one.load_s > 0:
            parts.append(_("evicts {slot}; its next answer +{seconds} s", slot=one.slot, seconds=f"{one.load_s:.1f}"))
        else:
            parts.append(_("evicts {slot}", slot=one.slot))
    if room.fits and room.beside and not room.evicts:
        parts.append(_("fits beside what is loaded"))
    return joined(parts, "; ")


def joined(parts: Sequence[Text], sign: str) -> Text:
    """Return `parts`, at least one, with `sign` between them."""
    return reduce(lambda before, after: Text("{before}" + sign + "{after}", (("before", before), ("after", after))), parts)


def about(sentence: Text, **told: Told) -> Told:
    """Return `sentence` in every language, each `<name>` in it replaced by what was told in that language."""
    said = {}
    for language in LANGUAGES:
        text = sentence.to(language)
        for name, value in told.items():
            text = text.replace(f"<{name}>", value.get(language, ""))
        said[language] = text
    return said
