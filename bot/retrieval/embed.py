"""Pieces into what the database keeps: words cut, terms fingerprinted, vectors of title, heading and text.

Owns what exactly is embedded and what is indexed. Leaves to `bot.models` the embedder.

    drafts = draft(pieces, title="Holidays.md")
    vectors = await models.run(EMBED, [draft.embedded for draft in drafts], bulk=True)
    passages = [finish(draft, vector) for draft, vector in zip(drafts, vectors)]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from bot.language import detect
from bot.locale import Language
from bot.retrieval.chunk import Piece
from bot.retrieval.document import SUFFIXES
from bot.retrieval.features import Tokens, fingerprints, hangul_share
from bot.retrieval.mark import Sentences
from bot.store.passages import NewPassage
from bot.store.shelf import Candidate, Shown
from bot.text.sentences import split
from bot.text.words import terms

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


def finish(drafted: Draft, vector: NDArray[np.float32] | None) -> NewPassage:
    """Return the passage with its vector, float32 (d,) of unit length; None where there is no embedder."""
    piece = drafted.piece
    data = b"" if vector is None else pack_vector(vector)
    return NewPassage(
        piece.text, piece.heading, piece.page, piece.start, piece.end,
        drafted.language, drafted.hangul, drafted.words, drafted.terms, drafted.sentences, data,
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


def unpack_terms(candidates: Sequence[Candidate]) -> tuple[Tokens, Tokens, Tokens]:
    """Return (title, heading, body) terms of `candidates`, as `draft` packed them."""
    packed = np.frombuffer(b"".join([candidate.terms for candidate in candidates]), "<u4")
    lengths = np.array([len(candidate.terms) // 4 for candidate in candidates], np.int64)
    starts = np.cumsum(lengths) - lengths
    titles, headings = packed[starts].astype(np.int64), packed[starts + 1].astype(np.int64)
    bodies = lengths - 2 - titles - headings
    # Of each passage: two counts, title, heading, body. All cut at once: a loop over 80 passages took five times as long.
    sizes = np.stack([np.full(len(lengths), 2), titles, headings, bodies], axis=1)
    field = np.repeat(np.tile(np.arange(4), len(lengths)), sizes.ravel())
    places = np.arange(len(lengths))
    title, heading, body = (
        Tokens(packed[field == number], np.repeat(places, sizes[:, number]), sizes[:, number]) for number in (1, 2, 3)
    )
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
