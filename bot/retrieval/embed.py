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
    fields: tuple[list[NDArray[np.uint32]], ...] = ([], [], [])
    for candidate in candidates:
        packed = np.frombuffer(candidate.terms, "<u4")
        title, heading = int(packed[0]), int(packed[1])
        fields[0].append(packed[2 : 2 + title])
        fields[1].append(packed[2 + title : 2 + title + heading])
        fields[2].append(packed[2 + title + heading :])
    return Tokens.of(fields[0]), Tokens.of(fields[1]), Tokens.of(fields[2])


def unpack_sentences(shown: Shown) -> Sentences:
    """Return the sentences of a passage with their terms, as `draft` packed them."""
    packed = np.frombuffer(shown.terms, "<u4")
    table = np.frombuffer(shown.sentences, "<i4").reshape(-1, 3).astype(np.int64)
    named = 2 + int(packed[0]) + int(packed[1])
    owners = np.repeat(np.arange(len(table)), table[:, 2])
    return Sentences(table[:, :2], Tokens(packed[named:], owners, table[:, 2]), packed[2:named])


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
