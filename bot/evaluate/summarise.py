"""How good summaries are: ROUGE against people's, with lead and LexRank beside in the same run.

Owns: reading the set, the one rule of length for all, the scores. All three systems give their `short` summary: about 2.5 words for each
square root of the text's words (`skills.summarise.choose`), from the same sentences, filled and written by the same code. ROUGE is that
of the rouge-score package: English words stemmed, Korean as morphemes; of several references the best counts.

    result = await evaluate_summaries(Path("dev.jsonl"), pool)
    result.as_json()["rouge1"]
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bot.errors import InputError
from bot.language import detect
from bot.locale import phrases
from bot.models.gates.measures import ROUGES
from bot.models.gates.measures import rouge as rouge_of
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import SUMMARISE, Summary, SummaryInput, SummaryLength
from bot.skill import Model, Models
from skills.summarise.model import load_lead, load_lexrank
from skills.summarise.vectors import with_vectors

_ = phrases(__file__)

LENGTH: Final[SummaryLength] = "short"
BATCH: Final = 16
_BASELINE: Final = ModelSpec("", "summarise", "", "builtin")

Json = dict[str, str | int | float | dict[str, float]]
Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Case:
    """A text and the summaries that people wrote of it, at least one."""

    id: str
    text: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rouge:
    """Mean F1 in percent."""

    rouge1: float
    rouge2: float
    rougeL: float  # noqa: N815 - its name in the field


@dataclass(frozen=True, slots=True)
class SummaryScores:
    """What a set of n texts gave: the live model's scores, and those of the two that everybody has."""

    model: str
    n: int
    own: Rouge
    lead: Rouge
    lexrank: Rouge

    def as_json(self) -> Json:
        """Return {rouge1, rouge2, rougeL, model, n, length, lead: {...}, lexrank: {...}}."""
        return {
            **asdict(self.own),
            "model": self.model,
            "n": self.n,
            "length": LENGTH,
            "lead": asdict(self.lead),
            "lexrank": asdict(self.lexrank),
        }


async def evaluate_summaries(file: Path, models: Models, *, report: Report | None = None) -> SummaryScores:
    """Return how the live model, lead and LexRank do on `file`: JSON lines with id, text, and summaries or summary.

    Raises:
        InputError: a line is no such record.
        NoModelError, ModelError: the live model cannot answer.
    """
    cases = await asyncio.to_thread(read_cases, file)
    items = await asyncio.to_thread(lambda: [_input(case.text) for case in cases])
    made: list[Summary] = []
    for start in range(0, len(items), BATCH):
        batch = [await with_vectors(item, models, bulk=True) for item in items[start : start + BATCH]]
        made += await models.run(SUMMARISE, batch, bulk=True)
        if report is not None:
            report(cases[start].id, len(made), len(cases))
    own = await asyncio.to_thread(rouge, made, cases)
    lead, lexrank = [
        await asyncio.to_thread(_baseline, load(_BASELINE, Path(), LoadOptions()), items, cases)
        for load in (load_lead, load_lexrank)
    ]
    return SummaryScores(models.live(SUMMARISE), len(cases), own, lead, lexrank)


def read_cases(file: Path) -> list[Case]:
    """Return the records of `file`. Raises InputError, with the line's number, for one that is none, and for an empty file."""
    cases = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            cases.append(_case(line, number, file))
    if not cases:
        raise InputError(_("{file} holds no texts. Each line is to be JSON with id, text and summaries.", file=file.name))
    return cases


def rouge(made: Sequence[Summary], cases: Sequence[Case]) -> Rouge:
    """Return the mean F1, in percent, of each summary against the best of its references."""
    totals = dict.fromkeys(ROUGES, 0.0)
    for summary, case in zip(made, cases, strict=True):
        for name, value in rouge_of(summary.text, case.references).items():
            totals[name] += value
    means = {name: round(100 * total / len(cases), 3) for name, total in totals.items()}
    return Rouge(means["rouge1"], means["rouge2"], means["rougeL"])


def _baseline(model: Model[SummaryInput, Summary], items: Sequence[SummaryInput], cases: Sequence[Case]) -> Rouge:
    return rouge(model.predict(items), cases)


def _input(text: str) -> SummaryInput:
    return SummaryInput.of(text, language=detect(text) or "en", length=LENGTH)


def _case(line: str, number: int, file: Path) -> Case:
    try:
        said = json.loads(line)
    except json.JSONDecodeError:
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("text"), str):
        raise InputError(
            _(
                "Line {number} of {file} is no JSON object with a text. Mend the line and try again.",
                number=number,
                file=file.name,
            )
        )
    references = said.get("summaries", said.get("summary"))
    references = [references] if isinstance(references, str) else references
    if not isinstance(references, list) or not references or not all(isinstance(one, str) for one in references):
        raise InputError(
            _("Line {number} of {file} has no summaries. Mend the line and try again.", number=number, file=file.name)
        )
    return Case(str(said.get("id", number)), said["text"], tuple(references))
