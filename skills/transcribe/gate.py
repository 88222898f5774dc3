"""The gate of the models that hear: what nobody said must not be written down.

Owns: golden/sounds.jsonl and the making of its sounds (silence, a hum, a hiss, clicks), the same every time. Speech is not among them:
there are no recordings of our own yet, so quality on speech is not measured, and the metric says so by its name.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from bot.locale import Text, phrases
from bot.models.gates.golden import Case, read_cases, wanted
from bot.models.tasks import TRANSCRIBE, AudioFile, Transcript
from bot.models.trial import Embed, Predict, Scored

_ = phrases(__file__)

FILE: Final = Path(__file__).parent / "golden" / "sounds.jsonl"
RATE: Final = 16_000
LONGEST: Final = 200
"""Characters that may be heard in a canary, which nobody speaks in."""

Samples = NDArray[np.float32]


class TranscribeGate:
    """Tries models of the slot `transcribe`."""

    slot = TRANSCRIBE
    metric = "silence kept"
    tolerance = 0.05

    def canaries(self) -> Sequence[AudioFile]:
        """Return a hum and a hiss."""
        return [
            self._written({"id": "a", "sound": "tone", "hertz": 220, "seconds": 2.0}),
            self._written({"id": "b", "sound": "noise", "seconds": 2.0}),
        ]

    def fault(self, inputs: Sequence[AudioFile], outputs: Sequence[Transcript], _languages: Sequence[str]) -> Text | None:
        """Say what is wrong with the transcripts: no language, or a whole story where nobody speaks."""
        for _item, heard in zip(inputs, outputs, strict=True):
            if heard.text.strip() and not heard.language:
                return _("It did not say in which language it heard something.")
            if len(heard.text) > LONGEST:
                return _("It wrote down a long text where nobody speaks.")
        return None

    def count(self, languages: Sequence[str]) -> int:
        """Return how many sounds are heard."""
        return len(wanted(languages)[:1]) * len(read_cases(FILE))

    def evaluate(self, predict: Predict[AudioFile, Transcript], _embed: Embed, languages: Sequence[str]) -> list[Scored]:
        """Hear each sound; 1 where nothing was written down. It counts for every language that the model knows: silence has none."""
        scored: list[Scored] = []
        for case in read_cases(FILE):
            (heard,) = predict([self._written(case)])
            score = float(heard.text.strip() == str(case["text"]))
            scored += [
                Scored(f"{language}-{case['id']}", language, score, str(case["id"]), heard.text) for language in wanted(languages)
            ]
        return scored

    @cached_property
    def _folder(self) -> Path:
        """A folder for the sounds, which goes with the gate."""
        folder = Path(tempfile.mkdtemp(prefix="paring-sounds-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    def _written(self, case: Case) -> AudioFile:
        import soundfile  # noqa: PLC0415 - a leaf's library

        file = self._folder / f"{case['id']}.wav"
        soundfile.write(file, sound(case), RATE)
        return AudioFile(file)


def sound(case: Case) -> Samples:
    """Return the samples of a case, float32 (n,), mono at 16 kHz."""
    count = round(cast("float", case["seconds"]) * RATE)
    level = cast("float", case.get("level", 0.02))
    at = np.arange(count, dtype=np.float32) / RATE
    match case["sound"]:
        case "tone":
            made = level * np.sin(2 * np.pi * cast("float", case["hertz"]) * at)
        case "noise":
            made = np.random.default_rng(cast("int", case.get("seed", 1))).normal(0, level, count)
        case "clicks":
            made = np.where(np.arange(count) % (RATE // 4) < RATE // 500, level, 0)
        case _:
            made = np.zeros(count)
    return made.astype(np.float32)
