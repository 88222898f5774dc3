"""The gate of the translators: golden sentences both ways with references.

Owns: golden/ko-en.jsonl and en-ko.jsonl (our own texts), their measure (chrF2), and what any translation must be. The language of a case
is the one that is translated into. A model of one direction is tried in that direction: what it refuses with a DirectionError is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from bot.errors import DirectionError
from bot.locale import Language, Text, phrases
from bot.models.gates.golden import Case, has_hangul, has_latin, read_cases, shown, wanted
from bot.models.gates.measures import chrf
from bot.models.tasks import TRANSLATE, TranslationInput
from bot.models.trial import Embed, Predict, Scored

_ = phrases(__file__)

FOLDER: Final = Path(__file__).parent / "golden"


class TranslateGate:
    """Tries models of the slot `translate`."""

    slot = TRANSLATE
    metric = "chrF2"
    tolerance = 0.03

    def canaries(self) -> Sequence[TranslationInput]:
        """Return a sentence in each direction, of those that are no golden case."""
        return [
            TranslationInput("The door is open.", "en", "ko"),
            TranslationInput("문이 열려 있습니다.", "ko", "en"),
        ]

    def fault(self, inputs: Sequence[TranslationInput], outputs: Sequence[str], languages: Sequence[str]) -> Text | None:
        """Say what is wrong with the translations: none, the source itself, or another script than the target's."""
        for item, made in zip(inputs, outputs, strict=True):
            if item.target not in wanted(languages) or item.source not in wanted(languages):
                continue
            if not made.strip():
                return _("It gave no translation of a sentence.")
            if made.strip() == item.text:
                return _("It gave a sentence back as it was.")
            if not (has_hangul(made) if item.target == "ko" else has_latin(made) and not has_hangul(made)):
                return _("A translation of it is not in the script of the language into which it was asked to translate.")
        return None

    def count(self, languages: Sequence[str]) -> int:
        """Return how many sentences are translated."""
        return len(golden(languages))

    def evaluate(self, predict: Predict[TranslationInput, str], _embed: Embed, languages: Sequence[str]) -> list[Scored]:
        """Translate each golden sentence of the model's directions; the score is chrF2 against the best of its references."""
        scored: list[Scored] = []
        for case in golden(languages):
            source, target = str(case["source"]), cast("Language", case["target"])
            try:
                (made,) = predict([TranslationInput(str(case["text"]), source, target)])
            except DirectionError:
                continue
            score = chrf(made, cast("list[str]", case["references"]))
            scored.append(Scored(str(case["id"]), target, score, shown(str(case["text"])), shown(made)))
        return scored


def golden(languages: Sequence[str]) -> list[Case]:
    """Return the golden cases whose two languages a model knows."""
    known = wanted(languages)
    return [case for case in read_cases(*sorted(FOLDER.glob("*.jsonl"))) if case["source"] in known and case["target"] in known]
