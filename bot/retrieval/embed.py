"""Pieces into what the database keeps: words cut, terms fingerprinted, vectors of title, heading and text.

Owns what exactly is embedded and what is indexed. Leaves to `bot.models` the embedder.

    drafts = draft(pieces, title="Holidays.md")
    vectors = await models.run(EMBED, [draft.embedded for draft in drafts], bulk=True)
    passages = [finish(draft, vector) for draft, vector in zip(drafts, vectors)]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bot.errors import ModelError
from bot.language import detect
from bot.locale import Language, phrases
from bot.models.tasks import EMBED
from bot.retrieval.chunk import Piece
from bot.retrieval.document import SUFFIXES
from bot.retrieval.features import hangul_share
from bot.retrieval.mark import Sentences
from bot.retrieval.tokens import Tokens, fingerprints
from bot.store.passages import NewPassage
from bot.store.shelf import Candidate, Shown
from bot.text.sentences import split
from bot.text.words import terms

if TYPE_CHECKING:
    from bot.skill import Models

_ = phrases(__file__)

UNIT_TOLERANCE = 0.01
"""How far from 1 the square of a vector's length may be."""
SENTENCE_BYTES = 12
"""What the database keeps of one sentence: where it begins, where it ends, how many terms it has; int32 each."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A passage that lacks its vector alone."""

    piece: Piece
    embedded: str
    """What the embedder is given."""
    language: Language
    hangul: float
    words: tuple[str, str, str]
    terms: bytes
    sentences: bytes


def draft(pieces: Sequence[Piece], *, title: str) -> list[Draft]:
    """Return the drafts of `pieces`, which are of one document. Takes a CPU: call it from a worker thread."""
    titled = terms(readable(title))
    return [_draft(piece, title, titled) for piece in pieces]


async def embedded(
    models: Models, embedder: str, texts: Sequence[str], *, dimension: int = 0, bulk: bool = False
) -> list[NDArray[np.float32]]:
    """Return float32 (d,), unit length, for each of `texts`, made by `embedder` (`name@revision`) and no other.

    Raises:
        NoModelError: it is not here.
        ModelError: it failed, or made what is no vector: not finite, not of unit length, not of `dimension` (0: of any).
    """
    vectors = await models.run(EMBED.of(embedder), texts, bulk=bulk)
    for vector in vectors:
        if dimension and len(vector) != dimension:
            raise ModelError(
                _("The embedder {model} made a vector of {found} numbers, where its others have {dimension}. It is not used.",
                  model=embedder, found=len(vector), dimension=dimension)
            )  # fmt: skip
        if not abs(float(vector @ vector) - 1) <= UNIT_TOLERANCE:  # so that NaN is refused too
            raise ModelError(
                _(
                    "The embedder {model} made something that is no unit vector. It is not used; the log tells when.",
                    model=embedder,
                )
            )
    return vectors


def finish(
    drafted: Draft, vector: NDArray[np.float32] | None, others: Mapping[int, NDArray[np.float32]] | None = None
) -> NewPassage:
    """Return the passage with its vector, float32 (d,) of unit length (None where there is no embedder), and its `others` by generation."""
    piece = drafted.piece
    data = b"" if vector is None else pack_vector(vector)
    return NewPassage(
        piece.text, piece.heading, piece.page, piece.start, piece.end,
        drafted.language, drafted.hangul, drafted.words, drafted.terms, drafted.sentences, data,
        tuple((generation, pack_vector(other)) for generation, other in (others or {}).items()),
    )  # fmt: skip


def embedded_text(text: str, *, title: str, heading: str) -> str:
    """Return what the embedder is given of a passage: what names it, then its text; a name that begins the text is not said twice."""
    names = [name for name in (readable(title), heading) if name and not text.startswith(name)]
    return "\n".join([*names, text])


def readable(title: str) -> str:
    """Return a title as words: a file's name without folder and suffix, underscores as spaces."""
    path = PurePath(title)
    name = path.stem if path.suffix.lstrip(".").lower() in SUFFIXES else title
    return name.replace("_", " ").strip()


def pack_vector(vector: NDArray[np.float32]) -> bytes:
    """Return a vector as the database keeps it: float16, little-endian."""
    return np.asarray(vector, "<f2").tobytes()


def unpack_terms(candidates: Sequence[Candidate | Shown]) -> tuple[Tokens, Tokens, Tokens]:
    """Return (title, heading, body) terms of `candidates`, as `draft` packed them."""
    packed = np.frombuffer(b"".join([candidate.terms for candidate in candidates]), "<u4")
    lengths = np.array([len(candidate.terms) // 4 for candidate in candidates], np.int64)
    starts = np.cumsum(lengths) - lengths
    titles, headings = packed[starts].astype(np.int64), packed[starts + 1].astype(np.int64)
    # Of each passage: two counts, title, heading, body. All cut at once: a loop over 80 passages took five times as long.
    title, heading = Tokens.within(packed, starts + 2, titles), Tokens.within(packed, starts + 2 + titles, headings)
    body = Tokens.within(packed, starts + 2 + titles + headings, lengths - 2 - titles - headings)
    return title, heading, body


def unpack_sentences(shown: Sequence[Shown]) -> Sentences:
    """Return the sentences of passages with their terms, as `draft` packed them, one passage after the other."""
    packed = [np.frombuffer(one.terms, "<u4") for one in shown]
    bodies = [2 + int(terms[0]) + int(terms[1]) for terms in packed]
    table = np.frombuffer(b"".join([one.sentences for one in shown]), "<i4").reshape(-1, 3).astype(np.int64)
    counts = tuple(len(one.sentences) // SENTENCE_BYTES for one in shown)
    body = np.concatenate([terms[begin:] for terms, begin in zip(packed, bodies, strict=True)])
    terms_of = Tokens(body, np.repeat(np.arange(len(table)), table[:, 2]), table[:, 2])
    return Sentences(table[:, :2], terms_of, counts, packed[0][2 : bodies[0]])


def _draft(piece: Piece, title: str, titled: Sequence[str]) -> Draft:
    headed = terms(piece.heading)
    sentences = split(piece.text)
    said = [terms(sentence.text) for sentence in sentences]
    body = [term for sentence in said for term in sentence]
    packed = np.array([len(titled), len(headed)], "<u4")
    marks = np.concatenate([packed, fingerprints([*titled, *headed, *body])]).astype("<u4")
    table = [(sentence.start, sentence.end, len(own)) for sentence, own in zip(sentences, said, strict=True)]
    return Draft(
        piece,
        embedded_text(piece.text, title=title, heading=piece.heading),
        detect(piece.text) or detect(title) or "en",
        hangul_share(piece.text),
        (" ".join(titled), " ".join(headed), " ".join(body)),
        marks.tobytes(),
        np.array(table, "<i4").tobytes(),
    )
