"""The gate of the readers of text in pictures: drawn pictures in both languages, of many sizes, colours and slants.

Owns: golden/cases.yaml with its pictures, and its measure, 1 - character error rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from bot.locale import Language, Text, phrases
from bot.models.gates.golden import has_hangul, shown, wanted
from bot.models.gates.measures import character_accuracy
from bot.models.tasks import OCR, ImageFile, Reading
from bot.models.trial import Embed, Predict, Scored
from skills.ocr.golden.make import HERE, Case, cases

_ = phrases(__file__)

CANARIES = ("price-en.png", "price-ko.png", "blank.png")


class OcrGate:
    """Tries models of the slot `ocr`."""

    slot = OCR
    metric = "character accuracy"
    tolerance = 0.01

    def canaries(self) -> Sequence[ImageFile]:
        """Return a picture in each language, and one without text."""
        return [ImageFile(HERE / name) for name in CANARIES]

    def fault(self, inputs: Sequence[ImageFile], outputs: Sequence[Reading], languages: Sequence[str]) -> Text | None:
        """Say what is wrong with the readings: no text where there is some, the wrong script, text where there is none."""
        for item, reading in zip(inputs, outputs, strict=True):
            if not 0 <= reading.confidence <= 1:
                return _("The confidence that it gave is not between 0 and 1.")
            language = "ko" if item.path.stem.endswith("ko") else "en"
            if item.path.name == "blank.png":
                if reading.text.strip():
                    return _("It read text in a picture that holds none.")
            elif language in wanted(languages):
                if not reading.text.strip():
                    return _("It read nothing in a picture that holds text.")
                if has_hangul(reading.text) != (language == "ko"):
                    return _("What it read in a picture is not in the script of the picture.")
        return None

    def count(self, languages: Sequence[str]) -> int:
        """Return how many pictures are read."""
        return len(golden(languages))

    def evaluate(self, predict: Predict[ImageFile, Reading], _embed: Embed, languages: Sequence[str]) -> list[Scored]:
        """Read each golden picture; the score is 1 - the share of wrong characters."""
        scored: list[Scored] = []
        for case in golden(languages):
            (reading,) = predict([ImageFile(HERE / case.file)])
            score = character_accuracy(reading.text, case.text)
            scored.append(Scored(case.file, cast("Language", case.language), score, shown(case.text), shown(reading.text)))
        return scored


def golden(languages: Sequence[str]) -> list[Case]:
    """Return the golden cases in those of our languages that a model knows."""
    return [case for case in cases() if case.language in wanted(languages)]
