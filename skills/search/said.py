"""What was said in a chat, as an answer: who said it and when, and the few lines around, the answering one bold.

Owns the look. Leaves to the library which message answers, and to the channel where a link leads.

    answered(hit, "who fixes it?", UTC, "en", when=False)

    **Dan**, Mon 23 Nov 2026, 09:38 UTC:

    > Ben: who fixes it?
    > **Dan: I do**
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Final

from bot.locale import Language, phrases
from bot.message import Source
from bot.moment import told
from bot.passage import Hit
from bot.retrieval.cues import kinds
from bot.talk import Line
from bot.text.shown import isolated, literal

_ = phrases(__file__)

LONGEST_AROUND: Final = 160
"""Characters of a line around that are shown."""
LONGEST: Final = 600
"""The same, of the one that answers."""


def answered(hit: Hit, question: str, zone: tzinfo | None, language: Language, *, when: bool) -> str:
    """Return the exchange as an answer to `question`; where it asks `when` and the words name no time, that begins with it."""
    best = next(line for line in hit.lines if line.best)
    who, at = plain(best.who) or _("You").to(language), told(best.at, zone, language)
    time_first = when and not kinds(question, [best.text]).any()
    head = f"**{at}**, {who}:" if time_first else f"**{who}**, {at}:"
    said = [_quoted(line, language) for line in hit.lines]
    return f"{head}\n\n" + "\n".join(said)


def source(hit: Hit, zone: tzinfo | None, language: Language, *, here: bool) -> Source:
    """Return the exchange as a source; its title tells who, when, and whether it is `here` in this chat."""
    best = next(line for line in hit.lines if line.best)
    who, at = best.who or _("You").to(language), told(best.at, zone, language)
    place = _("{who}, {when}, in this chat", who=who, when=at) if here else _("{who}, {when}, in a group", who=who, when=at)
    text, marked = "", (0, 0)
    for line in hit.lines:
        said = f"{line.who or _('You').to(language)}: {line.text}"
        if line.best:
            marked = (len(text), len(text) + len(said))
        text += f"{said}\n"
    return Source(place.to(language), text.rstrip("\n"), hit.passage.link, hit.score, marked, hit.read)


def plain(text: str) -> str:
    """Return `text` on one line, as it stands: names and words are others'."""
    return literal(isolated(" ".join(text.split())))


def _quoted(line: Line, language: Language) -> str:
    said = " ".join(line.text.split())
    most = LONGEST if line.best else LONGEST_AROUND
    said = said if len(said) <= most else f"{said[: most - 1].rstrip()}…"
    whole = f"{plain(line.who) or _('You').to(language)}: {plain(said)}"
    return f"> **{whole}**" if line.best else f"> {whole}"
