"""What the tests of the library are built with: scopes, and an embedder that hashes words."""

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bot.errors import NoModelError
from bot.models.tasks import Reading
from bot.passage import Scope
from bot.retrieval.fuse import Fusion
from bot.text.words import terms

ANN = Scope("dm", "web/local/ann")
TEAM = Scope("group", "web/local/team")


class WordEmbedder:
    """Vectors of hashed words: texts that share words are near. `name` tells two embedders apart."""

    def __init__(self, name: str = "words@1", dimension: int = 32) -> None:
        self.name, self.dimension = name, dimension
        self.embedded: list[str] = []
        self.ocr: Reading | None = None

    def live(self, slot: Any) -> str:
        if slot.name == "ocr":
            return "ocr@1" if self.ocr else ""
        return self.name

    async def run(self, slot: Any, batch: Sequence[Any], *, bulk: bool = False) -> list[Any]:
        if slot.name == "ocr":
            if self.ocr is None:
                raise NoModelError("no reader of pictures")
            return [self.ocr for _picture in batch]
        if not self.name or slot.model not in ("", self.name):
            raise NoModelError("no embedder")
        self.embedded += batch
        return [self.vector(text) for text in batch]

    def vector(self, text: str) -> np.ndarray:
        vector = np.full(self.dimension, 1e-3, np.float32)
        for term in terms(text):
            vector[int.from_bytes(hashlib.blake2b(term.encode(), digest_size=4).digest()) % self.dimension] += 1
        return vector / np.linalg.norm(vector)


class Embedders:
    """Several embedders, of dimensions of their own; the first is live in the slot. `asked` holds whose vectors were made, in order."""

    def __init__(self, **dimensions: int) -> None:
        self.known = {f"{name}@1": WordEmbedder(f"{name}@1", dimension) for name, dimension in dimensions.items()}
        self.first = next(iter(self.known))
        self.asked: list[str] = []
        self.spoilt: dict[str, Callable[[np.ndarray], np.ndarray]] = {}
        self.before: Callable[[str, bool], Any] = lambda _name, _bulk: None

    def live(self, slot: Any) -> str:
        return (slot.model or self.first) if (slot.model or self.first) in self.known else ""

    async def run(self, slot: Any, batch: Sequence[str], *, bulk: bool = False) -> list[np.ndarray]:
        name = self.live(slot)
        if not name:
            raise NoModelError("not here")
        if (waiting := self.before(name, bulk)) is not None:
            await waiting
        self.asked.append(name)
        spoil = self.spoilt.get(name, lambda vector: vector)
        return [spoil(self.known[name].vector(text)) for text in batch]


def by_words() -> Fusion:
    """Return the packaged combiner without its judges of few passages: they go by meaning, which hashed words have none of."""
    return dataclasses.replace(Fusion.packaged(), few=None)
