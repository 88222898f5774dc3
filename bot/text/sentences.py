r"""The sentences of a text, in Korean and English, with their places.

Owns: the value `Sentence` and the one function that makes them. How lines and full stops are read stands in `bot.text.blocks`
and `bot.text.boundaries`.

    [sentence.said for sentence in split("민지: 몇 시에 봐? 늦지 마.\n준호: 3.5시쯤.")]   # "몇 시에 봐?", "늦지 마.", "3.5시쯤."
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.text.blocks import Block, Kind, blocks
from bot.text.boundaries import cut

__all__ = ["Kind", "Sentence", "split"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence and its place: `source[start:end] == text`. `paragraph` counts up from 0.

    In a chat, `speaker` says who talks ("" where nobody does), and the first `lead` characters of `text` name them.
    """

    text: str
    start: int
    end: int
    paragraph: int
    kind: Kind
    speaker: str = ""
    lead: int = 0

    @property
    def said(self) -> str:
        """The text without the speaker's name."""
        return self.text[self.lead :]


def split(text: str) -> list[Sentence]:
    """Return the sentences of `text` in order; whatever is no white space is in exactly one. Linear in the text's length.

    Code between fences is one sentence, however long; anything else is at most `bot.text.boundaries.LONGEST` characters,
    a speaker's name before it not counted.
    """
    return [sentence for block in blocks(text) for sentence in _sentences(text, block)]


def _sentences(text: str, block: Block) -> list[Sentence]:
    if block.kind in ("code", "heading"):
        ranges = [_stripped(text, block.start, block.end)]
    else:
        ranges = list(cut(text, block.start + block.lead, block.end))
    if block.lead:
        tag = _stripped(text, block.start, block.start + block.lead)
        ranges = [(tag[0], ranges[0][1]), *ranges[1:]] if ranges else [tag]
        lead = (block.start + block.lead) - tag[0]
    else:
        lead = 0
    return [
        Sentence(text[start:end], start, end, block.paragraph, block.kind, block.speaker, 0 if number else min(lead, end - start))
        for number, (start, end) in enumerate(ranges)
    ]


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))
