"""The gate of the readers: questions beside passages, of which two in three answer by one sentence and the others are on the same subject.

Owns: golden/read.jsonl (our own texts; a few ask in one language of a passage in the other). The score of a case is 1 where a reader
is right: where a sentence answers, its odds are above 0 and that sentence has the highest number of all; where none does, its odds are 0
or less. So one that always says yes has what it marks rightly, and one that always says no the third without an answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

from bot.locale import Language, Text, phrases
from bot.models.gates.golden import Case, read_cases, shown, wanted
from bot.models.tasks import READ, ReadInput, Verdict
from bot.models.trial import Embed, Predict, Scored

_ = phrases(__file__)

FILE: Final = Path(__file__).parent / "golden" / "read.jsonl"


class ReadGate:
    """Tries models of the slot `read`."""

    slot = READ
    metric = "share right"
    tolerance = 0.05

    def canaries(self) -> Sequence[ReadInput]:
        """Return passages in both languages, no question, no text, a text longer than any room, and a letter that is none."""
        return [
            asked("When do we open?", "Hours", ("We open at nine.", "The key hangs in the hall.")),
            asked("몇 시에 열어요?", "이용 안내", ("아홉 시에 열어요.", "열쇠는 현관에 있어요.", "월요일에는 쉬어요.")),
            asked("", "Hours", ("We open at nine.",)),
            asked("Where is the key?", "", ()),
            asked("열쇠 where? " * 500, "Hours " * 500, ("The key hangs in the hall.", "열쇠는 현관에 있어요.") * 1000),
            asked("\ud800 key?", "\udfff", ("The \ud800 key.", "🙂")),
        ]

    def fault(self, inputs: Sequence[ReadInput], outputs: Sequence[Verdict], _languages: Sequence[str]) -> Text | None:
        """Say what is wrong with the verdicts: too few, other sentences than were asked about, no numbers, or the same of everything."""
        if len(outputs) != len(inputs):
            return _("It did not give one verdict for each passage.")
        if any(len(said.sentences) != len(item.sentences) for item, said in zip(inputs, outputs, strict=True)):
            return _("It did not give one number for each sentence of a passage.")
        if not all(math.isfinite(number) for said in outputs for number in (said.odds, *said.sentences)):
            return _("A verdict of it holds numbers that are none (NaN or infinite).")
        if len({said.odds for said in outputs}) == 1:
            return _("It says the same of every passage.")
        return None

    def count(self, languages: Sequence[str]) -> int:
        """Return how many passages are read."""
        return len(golden(languages))

    def evaluate(self, predict: Predict[ReadInput, Verdict], _embed: Embed, languages: Sequence[str]) -> list[Scored]:
        """Have each passage read; 1 where the verdict is right. The language of a case is that of its question."""
        cases = golden(languages)
        return [_scored(case, said) for case, said in zip(cases, predict([item_of(case) for case in cases]), strict=True)]


def golden(languages: Sequence[str]) -> list[Case]:
    """Return the golden cases in those of our languages that a model knows, those across two where it knows both."""
    known = wanted(languages)
    return [case for case in read_cases(FILE) if {case["language"], case["passage"]} <= set(known)]


def item_of(case: Case) -> ReadInput:
    """Return what a reader is given of a golden case."""
    return asked(str(case["question"]), str(case["title"]), sentences_of(case))


def sentences_of(case: Case) -> tuple[str, ...]:
    """Return the sentences of a golden case's passage."""
    return tuple(cast("list[str]", case["sentences"]))


def asked(question: str, title: str, sentences: Sequence[str]) -> ReadInput:
    """Return a question beside a passage of `sentences`, which a space parts."""
    ranges, start = [], 0
    for one in sentences:
        ranges.append((start, start + len(one)))
        start += len(one) + 1
    return ReadInput(question, title, " ".join(sentences), tuple(ranges))


def right(said: Verdict, answer: int | None) -> bool:
    """Say whether a verdict is right where the sentence `answer` answers, or none does."""
    if answer is None:
        return said.odds <= 0
    others = (number for at, number in enumerate(said.sentences) if at != answer)
    return said.odds > 0 and answer < len(said.sentences) and all(number < said.sentences[answer] for number in others)


def _scored(case: Case, said: Verdict) -> Scored:
    answer, sentences = cast("int | None", case["answer"]), sentences_of(case)
    place = max(range(len(said.sentences)), key=lambda at: said.sentences[at], default=0)
    marked = sentences[place] if said.odds > 0 and place < len(sentences) else "–"
    wanted_one = "–" if answer is None else sentences[answer]
    return Scored(
        str(case["id"]), cast("Language", case["language"]), float(right(said, answer)), shown(f"{case['question']} ({wanted_one})"),
        shown(f"{said.odds:.1f} {marked}"),
    )  # fmt: skip
