"""The gate of the summaries: golden texts with a person's summary each, in both languages.

Owns: golden/en.jsonl and ko.jsonl (our own texts), their measure (ROUGE-1), and what any summary must be. Leaves to
`bot.evaluate.summarise` data sets of one's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

from bot.locale import Language, Text, phrases
from bot.models.gates.golden import Case, has_hangul, has_latin, read_cases, shown, wanted
from bot.models.gates.measures import rouge
from bot.models.tasks import SUMMARISE, Summary, SummaryInput, SummaryLength
from bot.models.trial import Embed, Predict, Scored
from skills.summarise.vectors import reads

_ = phrases(__file__)

FOLDER: Final = Path(__file__).parent / "golden"
CANARIES: Final[tuple[tuple[Language, str], ...]] = (
    (
        "en",
        "The council closed the old bridge to cars on Tuesday. Buses may cross it. Repairs cost sixty million. A meeting is in March.",
    ),
    (
        "ko",
        "시의회는 화요일에 옛 다리의 자동차 통행을 금지했다. 버스는 다닐 수 있다. 보수에는 800억 원이 든다. 설명회는 3월에 열린다.",
    ),
)


class SummariseGate:
    """Tries models of the slot `summarise`."""

    slot = SUMMARISE
    metric = "ROUGE-1"
    tolerance = 0.02
    wants_vectors = True

    def canaries(self) -> Sequence[SummaryInput]:
        """Return a text in each language, one sentence, and nothing."""
        short = [SummaryInput.of("The dam broke at noon.", language="en"), SummaryInput.of("", language="en")]
        return [*(SummaryInput.of(text, language=language, length="short") for language, text in CANARIES), *short]

    def fault(self, inputs: Sequence[SummaryInput], outputs: Sequence[Summary], languages: Sequence[str]) -> Text | None:
        """Say what is wrong with the summaries: none, longer than the text, or in another script than the text's."""
        for item, made in zip(inputs, outputs, strict=True):
            if item.language not in wanted(languages):
                continue
            if item.sentences and not made.text.strip():
                return _("It gave no summary of a text.")
            if len(made.text) > max(200, 2 * len(item.text)):
                return _("A summary of it is longer than the text.")
            if item.sentences and not (has_hangul(made.text) if item.language == "ko" else has_latin(made.text)):
                return _("A summary of it is not in the language of the text.")
        return None

    def count(self, languages: Sequence[str]) -> int:
        """Return how many texts are summarised."""
        return len(golden(languages))

    def evaluate(self, predict: Predict[SummaryInput, Summary], embed: Embed, languages: Sequence[str]) -> list[Scored]:
        """Summarise each golden text; the score is ROUGE-1 against a person's summary."""
        scored: list[Scored] = []
        for case in golden(languages):
            (made,) = predict([_with_vectors(item_of(case), embed)])
            scored.append(_scored(case, made))
        return scored


def golden(languages: Sequence[str]) -> list[Case]:
    """Return the golden cases in those of our languages that a model knows."""
    return read_cases(*(FOLDER / f"{language}.jsonl" for language in wanted(languages)))


def item_of(case: Case) -> SummaryInput:
    """Return what a model is given of a case."""
    language = cast("Language", case["language"])
    return SummaryInput.of(str(case["text"]), language=language, length=cast("SummaryLength", case["length"]))


def _with_vectors(item: SummaryInput, embed: Embed) -> SummaryInput:
    if not item.sentences or not reads(str(getattr(embed, "identity", "")), item.language):
        return item
    return replace(item, vectors=embed(item.sentences))


def _scored(case: Case, made: Summary) -> Scored:
    references = cast("list[str]", case["summaries"])
    score = rouge(made.text, references)["rouge1"]
    return Scored(str(case["id"]), cast("Language", case["language"]), score, shown(str(case["text"])), shown(made.text))
