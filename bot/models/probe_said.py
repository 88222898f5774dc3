"""What a child process on trial says, taken in: messages become a stage, figures, or the sentence for why there are none.

Owns: how far a trial is, the check of whatever comes, and the sentence for each way to fail. Nothing that the child says is believed beyond
its shape: figures are finite and in their range, text is cut and without controls. Leaves to `bot.models.probe` the process and its clock.

    stage = Stage(spec.name, memory_mb=2000)
    stage.take({"stage": "case", "case": 3, "of": 40})        # "Trying …: 3 of 40 cases.", or None where that is not worth telling
    raise stage.crashed("SIGSEGV")
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, cast

from bot.locale import LANGUAGES, Text, phrases
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.trial import Scored, Told, told
from bot.sandbox_wire import Json

_ = phrases(__file__)

MOST_SCORED: Final = 5_000
LONGEST_TEXT: Final = 400
LONGEST_FAULT: Final = 1_000
LONGEST_NAME: Final = 60
TOLD_STEPS: Final = 10
"""Into how many steps the telling of the golden cases is cut."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the parent wants tried: a model, where it lies, and the live embedder for gates that want vectors."""

    spec: ModelSpec
    folder: str
    options: LoadOptions
    embedder: ModelSpec | None = None
    embedder_folder: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured. `fault` says in every language what is wrong, {} where nothing is."""

    metric: str
    scored: tuple[Scored, ...]
    load_s: float
    p50_ms: float
    p95_ms: float
    ram_mb: int
    fault: Told = field(default_factory=dict)


class StoppedError(Exception):
    """The trial ends here, and why."""

    def __init__(self, why: Text | Told) -> None:
        """Keep the sentence in every language."""
        self.why = told(why) if isinstance(why, Text) else why
        super().__init__(self.why["en"])


@dataclass(slots=True)
class Stage:
    """How far a trial is."""

    model: str
    memory_mb: int
    name: str = "start"
    case: int = 0
    of: int = 0
    load_s: float = 0.0
    most_mb: int = 0
    """What was seen of the child's memory."""

    def take(self, message: Mapping[str, Json]) -> Text | None:
        """Take in how far the child is; return what is to be told of it. Raises StoppedError where it says that it failed."""
        if "fault" in message:
            raise StoppedError(sentence(message["fault"]))
        if "failed" in message:
            raise self._failed(plain(str(message["failed"]), LONGEST_NAME), plain(str(message.get("where", "")), LONGEST_NAME))
        self.name = str(message.get("stage", self.name))
        if isinstance(load_s := message.get("load_s"), float) and math.isfinite(load_s):
            self.load_s = load_s
        before, of_before = self.case, self.of
        case, of = message.get("case"), message.get("of")
        self.case, self.of = case if isinstance(case, int) else 0, of if isinstance(of, int) and of > 0 else 0
        if self.name == "load":
            return _("Loading {model} to try it.", model=self.model)
        if self.of and (self.of != of_before or self.case * TOLD_STEPS // self.of > before * TOLD_STEPS // self.of):
            return _("Trying {model}: {case} of {of} cases.", model=self.model, case=self.case, of=self.of)
        return None

    def during(self) -> Text:
        """Return when it was that something happened, as a part of a sentence."""
        if self.name in ("start", "load"):
            return _("while it was loaded")
        if self.of:
            return _("after {case} of {of} cases", case=self.case, of=self.of)
        return _("right after it was loaded")

    def garbled(self) -> StoppedError:
        """Return the error for what is no message."""
        return StoppedError(
            _("The process of {model} sent what is no answer, so it is damaged or made to do harm. It was ended {stage}.",
              model=self.model, stage=self.during())
        )  # fmt: skip

    def late(self, seconds: float) -> StoppedError:
        """Return the error for no answer in time."""
        return StoppedError(
            _("{model} was not done after {seconds} s; it was stopped {stage}.",
              model=self.model, seconds=round(seconds, 1), stage=self.during())
        )  # fmt: skip

    def too_large(self) -> StoppedError:
        """Return the error for more memory than is allowed, as it was seen."""
        return StoppedError(
            _("{model} took {taken} MiB of memory {stage}; it may take {limit} MiB. Its process was ended.",
              model=self.model, taken=self.most_mb, stage=self.during(), limit=self.memory_mb)
        )  # fmt: skip

    def killed(self) -> StoppedError:
        """Return the error for an end by the system."""
        return StoppedError(
            _("The system ended the process of {model} {stage}, most likely because memory ran out ({taken} MiB were taken).",
              model=self.model, stage=self.during(), taken=self.most_mb)
        )  # fmt: skip

    def crashed(self, how: str) -> StoppedError:
        """Return the error for an end by a signal (its name) or with a code."""
        return StoppedError(
            _("The process of {model} crashed {stage} ({how}). Nothing else was touched.",
              model=self.model, stage=self.during(), how=how)
        )  # fmt: skip

    def _failed(self, kind: str, where: str) -> StoppedError:
        if kind == "MemoryError":
            return StoppedError(
                _("{model} ran out of the {limit} MiB of memory that it may take, {stage}.",
                  model=self.model, limit=self.memory_mb, stage=self.during())
            )  # fmt: skip
        return StoppedError(
            _("{model} failed {stage} ({kind} in {where}).", model=self.model, stage=self.during(), kind=kind, where=where)
        )


def found_of(said: Json) -> Found:
    """Return what the child found, its text plain. Raises ValueError where that is no such thing, or a figure out of its range."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - costs start-up time

    found = TypeAdapter(Found).validate_python(said)
    figures = (found.load_s, found.p50_ms, found.p95_ms, found.ram_mb, *(one.score for one in found.scored))
    finite = all(math.isfinite(one) and one >= 0 for one in figures)
    if not finite or len(found.scored) > MOST_SCORED or any(one.score > 1 for one in found.scored):
        msg = "a figure is out of its range"
        raise ValueError(msg)
    fault = sentence(cast("Json", found.fault)) if found.fault else {}
    return replace(found, metric=plain(found.metric), scored=tuple(map(_shown, found.scored)), fault=fault)


def sentence(said: Json) -> Told:
    """Return the sentence that the child sent in both languages, as plain text. Raises ValueError where it is none."""
    if not isinstance(said, Mapping) or not all(isinstance(said.get(language), str) for language in LANGUAGES):
        msg = "expected a sentence in every language"
        raise ValueError(msg)
    return {language: plain(str(said[language]), LONGEST_FAULT) for language in LANGUAGES}


def plain(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return `text` cut, on one line, without controls."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:longest]).strip()


def _shown(one: Scored) -> Scored:
    return replace(one, case=plain(one.case), asked=plain(one.asked), answered=plain(one.answered))
