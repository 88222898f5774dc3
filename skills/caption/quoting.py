"""A question answered by the text in a picture: the sentence that answers, in what stands around it, and where it was read.

Owns the look. Leaves the finding to `skills.caption.skill`.

    quote(seen, hit, text_part(seen, hit), "en")     # "> Dear tenant, **rent is due on the 1st.**", and where that stands
"""

from __future__ import annotations

from bot.images import cut_off
from bot.locale import Language, phrases
from bot.message import Source
from bot.passage import Hit
from bot.retrieval.decode import clean
from bot.retrieval.slips import told
from bot.text.quote import quoted
from skills.caption.words import ENGINES, KEPT, Seen

_ = phrases(__file__)


def text_part(seen: Seen, hit: Hit) -> tuple[int, int] | None:
    """Return where in the hit the picture's text stands; None where the sentence that answers is none of it: a captioner's words."""
    text = clean(seen.text).strip()
    begin = hit.passage.text.find(text) if text else -1
    if begin < 0 or hit.marked is None:
        return None
    end = begin + len(text)
    return (begin, end) if begin <= hit.marked[0] and hit.marked[1] <= end else None


def quote(seen: Seen, hit: Hit, part: tuple[int, int], language: Language) -> str:
    """Return the answer: the `part` of the hit, its answering sentence bold, and how it was read."""
    text, marked = _marked(hit, part)
    reading = seen.reading
    place = _(
        "{title}, read by {engine}, confidence {percent} %",
        title=hit.passage.title,
        engine=ENGINES.get(reading.engine, reading.engine) if reading else "",
        percent=round(100 * reading.confidence) if reading else 0,
    )
    parts = [f"{quoted(text, marked)}\n\n— {place.markdown(language)}"]
    if (instead := told(hit.mended)) is not None:
        parts.insert(0, instead.markdown(language))
    if seen.picture.arrived < 1:
        parts.append(cut_off(seen.picture.arrived).to(language))
    return "\n\n".join([*parts, KEPT.to(language)])


def source(hit: Hit, part: tuple[int, int]) -> Source:
    """Return the picture's text as a source."""
    text, marked = _marked(hit, part)
    return Source(hit.passage.title, text, hit.passage.link, hit.score, marked, hit.read)


def _marked(hit: Hit, part: tuple[int, int]) -> tuple[str, tuple[int, int] | None]:
    begin, end = part
    return hit.passage.text[begin:end], (hit.marked[0] - begin, hit.marked[1] - begin) if hit.marked else None
