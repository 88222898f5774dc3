"""The slots that come with Paring, and what goes into and comes out of the models in them.

A runtime (`bot.models.runtimes`) or a skill's own model.py implements `Model` for one of these pairs. A stranger's
skill may declare a Slot of its own beside its code.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from bot.locale import Language
from bot.skill import Slot
from bot.text.sentences import split

Vector = NDArray[np.float32]
"""float32 (d,), unit length."""

SummaryLength = Literal["short", "medium", "long"]


@dataclass(frozen=True, slots=True)
class RouteScores:
    """Calibrated probabilities (they sum to 1) by label, best first, and the limits that the head found for the text's language."""

    ranked: tuple[tuple[str, float], ...]
    none_below: float = 0.0
    """A best skill less probable than this serves nobody."""
    ask_within: float = 0.0
    """Two skills nearer to each other than this are asked about."""
    because: tuple[str, ...] = ()
    """Pieces of the text that weighed most, strongest first."""


@dataclass(frozen=True, slots=True)
class RouteInput:
    """A message's text for the router, its language, its embedding (float32 (d,), unit), and whose that is (`name@revision`)."""

    text: str
    language: Language
    vector: Vector
    embedder: str = ""
    """"" where nobody says: then it is taken for the head's own."""


@dataclass(frozen=True, slots=True)
class SummaryInput:
    """A text to shorten: its sentences in order, who says each, and how long the result may be."""

    text: str
    sentences: tuple[str, ...]
    language: Language
    length: SummaryLength
    vectors: NDArray[np.float32] | None = None
    """float32 (n sentences, d), unit rows; None where the live model does not ask for them."""
    speakers: tuple[str, ...] = ()
    """Who says each sentence, "" for nobody; () where nobody speaks. The sentences themselves do not name them."""
    count: int = 0
    """How many sentences the result is to have; 0: as many as `length` asks for."""

    @classmethod
    def of(cls, text: str, *, language: Language, length: SummaryLength = "medium", count: int = 0) -> Self:
        """Return the input for `text`. Headings and code are no sentences of it, unless there is nothing else."""
        found = split(text)
        told = [one for one in found if one.kind not in ("heading", "code") and one.said.strip()] or found
        speakers = tuple(one.speaker for one in told)
        return cls(
            text,
            tuple(one.said.strip() or one.text for one in told),
            language,
            length,
            speakers=speakers if any(speakers) else (),
            count=count,
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """A shorter text. `picked` are the indices of its sentences in the input, () for an abstractive model."""

    text: str
    picked: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadInput:
    """A question, and a passage that may answer it: what it is called, its text, and where its sentences stand in that."""

    question: str
    title: str
    text: str
    sentences: tuple[tuple[int, int], ...]
    """Half-open ranges of `text`, in order."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reader says of a passage: the odds that it answers (logarithm), and for each of its sentences how much it is the one that does."""

    odds: float
    sentences: tuple[float, ...]
    """Comparable with each other alone; one that the reader did not come to has NOT_READ."""


NOT_READ = -100.0


@dataclass(frozen=True, slots=True)
class Caption:
    """What an image-text model says a picture shows."""

    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Text read in a picture. `confidence` is 0..1, the mean over words weighted by length; 0 where nothing was read."""

    text: str
    confidence: float
    engine: str
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TranslationInput:
    """A text and the languages (ISO 639-1) from and into which it is translated."""

    text: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in a recording, and in which language (ISO 639-1)."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class ChatInput:
    """A conversation to go on with; `max_tokens` bounds the answer."""

    turns: tuple[ChatTurn, ...]
    max_tokens: int = 512


@dataclass(frozen=True, slots=True)
class ChatOutput:
    """The next turn, the tokens it took, and the bytes that left the process for it (a server of one's own counts)."""

    text: str
    tokens: int
    bytes_sent_out: int = 0


@dataclass(frozen=True, slots=True)
class DrawingInput:
    """What to draw, its size in pixels, and the seed that makes it repeatable."""

    prompt: str
    width: int = 512
    height: int = 512
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ImageFile:
    """A picture on disk that has passed the pixel cap (`bot.sandbox`)."""

    path: Path


@dataclass(frozen=True, slots=True)
class AudioFile:
    """A recording on disk that has passed the length cap."""

    path: Path


EMBED: Slot[str, Vector] = Slot("embed")
ROUTE: Slot[RouteInput, RouteScores] = Slot("route")
READ: Slot[ReadInput, Verdict] = Slot("read")
SUMMARISE: Slot[SummaryInput, Summary] = Slot("summarise")
CAPTION: Slot[ImageFile, Caption] = Slot("caption")
OCR: Slot[ImageFile, Reading] = Slot("ocr")
TRANSLATE: Slot[TranslationInput, str] = Slot("translate")
TRANSCRIBE: Slot[AudioFile, Transcript] = Slot("transcribe")
CHAT: Slot[ChatInput, ChatOutput] = Slot("chat")
IMAGINE: Slot[DrawingInput, bytes] = Slot("imagine")
"""Its output is a PNG file's bytes."""
