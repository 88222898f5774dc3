"""What is told of the generations of vectors: which there are, how far they are, what a change would take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bot.locale import Language, Text, phrases
from bot.store.generations import Generation

_ = phrases(__file__)

ROW_BYTES: Final = 48
"""Of the database for a vector, besides its numbers: its key twice, page headers, and what pages leave free."""
MEGABYTE: Final = 1_000_000
_STATES: Final = {
    "live": _("live"), "building": _("being built"), "retired": _("retired, kept for the way back"), "dropped": _("being deleted"),
}  # fmt: skip


def bytes_of(vectors: int, dimension: int) -> int:
    """Return about how many bytes of disk vectors in half precision take."""
    return vectors * (2 * dimension + ROW_BYTES)


@dataclass(frozen=True, slots=True)
class Kept(Text):
    """A sentence that the database has kept, in every language."""

    said: tuple[tuple[Language, str], ...] = ()

    @classmethod
    def of(cls, said: Mapping[Language, str]) -> Kept:
        """Return the sentence that is kept as `said`."""
        return cls(said.get("en", ""), said=tuple(said.items()))

    def to(self, language: Language) -> str:
        """Return the sentence in `language`, in English where it was not kept in that."""
        return dict(self.said).get(language) or self.msgid


@dataclass(frozen=True, slots=True)
class Held:
    """A generation, and what it holds. `here` says whether its embedder can be asked on this machine."""

    generation: Generation
    vectors: int
    lacking: int
    size_bytes: int
    here: bool

    @property
    def seconds_left(self) -> float | None:
        """How long it takes to be whole at the rate that was measured last; None where nobody has measured."""
        return self.lacking / self.generation.rate if self.generation.rate else None

    def as_json(self) -> dict[str, object]:
        """Return it for a machine."""
        one = self.generation
        return {
            "generation": one.id, "embedder": one.embedder, "dimension": one.dimension, "state": one.state, "vectors": self.vectors,
            "lacking": self.lacking, "size_bytes": self.size_bytes, "rate": one.rate, "seconds_left": self.seconds_left,
            "live_at": one.live_at.isoformat() if one.live_at else None, "here": self.here,
        }  # fmt: skip

    def progress(self) -> Text:
        """Say how far the making of its vectors is."""
        return _("{done} of {total} passages embedded, {rate} a second{left}", done=self.vectors, total=self.vectors + self.lacking,
                 rate=round(self.generation.rate), left=_left(self.seconds_left))  # fmt: skip

    def to(self, language: Language) -> str:
        """Return it for a person: a line."""
        one = self.generation
        lines = [
            _("Generation {id}: {embedder}, {dimension} dimensions, {state}; {count} vectors, {size} MB",
              id=one.id, embedder=one.embedder, dimension=one.dimension, state=_STATES[one.state], count=self.vectors,
              size=f"{self.size_bytes / MEGABYTE:.1f}")
        ]  # fmt: skip
        if self.lacking and one.state == "building":
            done = 100 * self.vectors // (self.vectors + self.lacking)
            lines.append(_("{done} % done, {lacking} to go, {rate} a second{left}", done=done, lacking=self.lacking,
                           rate=round(one.rate), left=_left(self.seconds_left)))  # fmt: skip
        elif self.lacking:
            lines.append(_("{lacking} passages have no vector in it", lacking=self.lacking))
        if not self.here:
            lines.append(_("its embedder is not on this machine"))
        return "; ".join(line.to(language) for line in lines)


@dataclass(frozen=True, slots=True)
class Standing:
    """All generations, the embedder that is wished for ("" for none), and why the wish failed, by language ({}: it did not)."""

    generations: tuple[Held, ...]
    wish: str
    failure: Mapping[Language, str]

    @property
    def live(self) -> Generation | None:
        """The generation that searches use."""
        return next((held.generation for held in self.generations if held.generation.state == "live"), None)

    @property
    def settled(self) -> bool:
        """Whether what is live is what was wished for, and nothing is being built."""
        building = any(held.generation.state == "building" for held in self.generations)
        return not building and (not self.wish or (self.live is not None and self.live.embedder == self.wish))

    def as_json(self) -> dict[str, object]:
        """Return it for a machine."""
        return {
            "generations": [held.as_json() for held in self.generations], "wish": self.wish, "settled": self.settled,
            "failure": self.failure.get("en", ""),
        }  # fmt: skip

    def to(self, language: Language) -> str:
        """Return it for a person, a line a generation."""
        lines = [held.to(language) for held in self.generations]
        if self.failure:
            why = self.failure.get(language) or self.failure.get("en", "")
            lines.append(
                _("The change to {model} failed, and what was live stays live: {why}", model=self.wish, why=why).to(language)
            )
        elif not self.settled:
            lines.append(
                _("Wished for: {model}. A running `paring run` sees to it; so does `paring index rebuild`.", model=self.wish).to(
                    language
                )
            )
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change takes: of `passages`, `lacking` have no vector of the embedder yet; seconds are measured, bytes of disk are estimated."""

    embedder: str
    dimension: int
    passages: int
    lacking: int
    seconds: float
    need_bytes: int
    free_bytes: int
    rate: float = 0.0
    """Passages a second, as measured."""

    def as_json(self) -> dict[str, object]:
        """Return it for a machine."""
        return {
            "embedder": self.embedder, "dimension": self.dimension, "passages": self.passages, "lacking": self.lacking,
            "seconds": round(self.seconds, 1), "need_bytes": self.need_bytes, "free_bytes": self.free_bytes,
        }  # fmt: skip

    def to(self, language: Language) -> str:
        """Return it for a person: a sentence."""
        return self.text().to(language)

    def text(self) -> Text:
        """Return it for a person: a sentence."""
        if not self.lacking:
            return _("Every passage has a vector of {model}: it takes the place of the live one at once.", model=self.embedder)
        return _(
            "{model}: {lacking} of {passages} passages are to be embedded, {time}, {need} MB of disk ({free} MB are free). Until it is whole, "
            "searches go on as before.",
            model=self.embedder, lacking=self.lacking, passages=self.passages, time=_time(self.seconds),
            need=-(-self.need_bytes // MEGABYTE), free=self.free_bytes // MEGABYTE,
        )  # fmt: skip


def _left(seconds: float | None) -> Text:
    return Text("") if seconds is None else _(", {time} left", time=_time(seconds))


def _time(seconds: float) -> Text:
    """Return about how long that is."""
    if seconds < 90:  # noqa: PLR2004 - up to here seconds say more than minutes
        return _("about {count} s", count=max(1, round(seconds)))
    return _("about {count} min", count=round(seconds / 60))
