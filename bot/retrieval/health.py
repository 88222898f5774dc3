"""What is told of the library: what it holds, and whether its derived parts agree with its text."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bot.locale import Language, Text, phrases

_ = phrases(__file__)


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

    def to(self, language: Language) -> str:
        """Return it for a person, a line a thing."""
        lines = [
            _("Documents: {count}", count=self.documents),
            _("Passages: {count}, {without} of them without a vector", count=self.passages, without=self.without_vector),
            _(
                "Vectors: {count} of {embedder}, {dimension} dimensions, generation {generation}",
                count=self.vectors, embedder=self.embedder, dimension=self.dimension, generation=self.generation,
            ) if self.embedder else _("Vectors: none yet"),
            _("Database: {size} MB", size=f"{self.database_bytes / 1e6:.1f}"),
        ]  # fmt: skip
        if self.passages and not self.searched_by_meaning:
            live = self.live_embedder
            lines.append(
                _("The live embedder is {live}: only words are searched. `paring index rebuild` mends it.", live=live)
                if live
                else _("No embedder is live: only words are searched. `paring doctor` says what is missing.")
            )
        return "\n".join(line.to(language) for line in lines)


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
    in_file: int = 0
    """Passages that were in the index file when it was read; 0 where there is none."""
    file_astray: int = 0
    """Passages that the file, brought to the database's state, lacks, has too many, or has with another vector."""
    unfit: Text | None = None
    """Why the file was set aside just now; None where it was not."""
    set_aside: int = 0
    """Index files that did not fit at any time, and are kept to be looked at."""

    @property
    def sound(self) -> bool:
        """Whether everything agrees."""
        astray = self.words_astray or self.vectors_missing or self.vectors_broken or self.memory_astray or self.file_astray
        return not (astray or self.database or self.unfit)

    def as_json(self) -> dict[str, object]:
        """Return it for a machine."""
        return {**asdict(self), "unfit": str(self.unfit or ""), "sound": self.sound}

    def to(self, language: Language) -> str:
        """Return it for a person: what was found, and what there is on disk."""
        return "\n".join(line.to(language) for line in (self._found(language), *self._files()))

    def _files(self) -> list[Text]:
        if not self.in_file:
            lines = [_("There is no index file; the bot writes one while it runs, and `paring index rebuild` at once.")]
        elif self.in_file == self.passages:
            lines = [_("The index file holds them all.")]
        else:
            lines = [_("The index file holds {count} of them; a start reads the others from the database.", count=self.in_file)]
        if self.set_aside:
            lines.append(_("Index files that did not fit lie in index/set-aside: {count}", count=self.set_aside))
        return lines

    def _found(self, language: Language) -> Text:
        if self.sound:
            return _("The index agrees with the database: {count} passages.", count=self.passages)
        found = [
            what.to(language)
            for count, what in (
                (self.words_astray, _("entries of the word index astray: {count}", count=self.words_astray)),
                (self.vectors_missing, _("passages without a vector: {count}", count=self.vectors_missing)),
                (self.vectors_broken, _("vectors broken: {count}", count=self.vectors_broken)),
                (self.memory_astray, _("vectors in memory astray: {count}", count=self.memory_astray)),
                (self.file_astray, _("passages in the index file astray: {count}", count=self.file_astray)),
                (self.unfit, _("the index file did not fit and was set aside: {why}", why=self.unfit or "")),
                (self.database, _("the database itself: {why}", why=self.database)),
            ) if count
        ]  # fmt: skip
        return _("The index differs from the database; {found}. `paring index rebuild` mends it.", found=", ".join(found))
