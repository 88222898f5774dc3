"""What is told of the library: what it holds, and whether its derived parts agree with its text."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """What the library holds. `embedder` made its vectors; `live_embedder` is the one that questions are embedded with."""

    documents: int
    passages: int
    vectors: int
    without_vector: int
    generation: int
    embedder: str
    dimension: int
    live_embedder: str
    in_memory: int
    """Vectors in the index in memory."""
    database_bytes: int

    @property
    def searched_by_meaning(self) -> bool:
        """Whether questions and passages are of one embedder."""
        return self.embedder == self.live_embedder

    def as_json(self) -> dict[str, object]:
        """Return it for a machine."""
        return {**asdict(self), "searched_by_meaning": self.searched_by_meaning}

    def __str__(self) -> str:
        lines = [
            f"documents       {self.documents}",
            f"passages        {self.passages} ({self.without_vector} without a vector)",
            f"vectors         {self.vectors} of {self.embedder or 'no embedder yet'}, {self.dimension} dimensions, generation {self.generation}",
            f"database        {self.database_bytes / 1e6:.1f} MB",
        ]
        if self.passages and not self.searched_by_meaning:
            lines.append(
                f"The live embedder is {self.live_embedder or 'missing'}: only words are searched. `paring index rebuild` mends it."
            )
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a comparison of the derived parts with the passages found; all zeros and "" when they agree."""

    passages: int
    words_astray: int
    """Entries of the word index without their passage, and passages without their entry."""
    vectors_missing: int
    vectors_broken: int
    """Vectors of a wrong size or without unit length."""
    memory_astray: int
    """Passages that the index in memory lacks, has too many, or has with another vector."""
    database: str = ""
    """What SQLite's own check says, "" where it finds nothing."""

    @property
    def sound(self) -> bool:
        """Whether everything agrees."""
        return not (self.words_astray or self.vectors_missing or self.vectors_broken or self.memory_astray or self.database)

    def as_json(self) -> dict[str, object]:
        """Return it for a machine."""
        return {**asdict(self), "sound": self.sound}

    def __str__(self) -> str:
        if self.sound:
            return f"The index agrees with the database: {self.passages} passages."
        found = [
            f"{count} {what}"
            for count, what in (
                (self.words_astray, "entries of the word index astray"), (self.vectors_missing, "passages without a vector"),
                (self.vectors_broken, "vectors broken"), (self.memory_astray, "vectors in memory astray"),
            ) if count
        ]  # fmt: skip
        if self.database:
            found.append(f"the database itself: {self.database}")
        return "The index differs from the database: " + "; ".join(found) + ". `paring index rebuild` mends it."
