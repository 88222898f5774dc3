"""The gate of the models that hear: silence is kept, and sounds are the same every time."""

from collections.abc import Sequence
from statistics import fmean

import numpy as np
import pytest
import soundfile

from bot.locale import LANGUAGES
from bot.models.gates.golden import read_cases
from bot.models.tasks import AudioFile, Transcript
from skills.transcribe.gate import FILE, RATE, TranscribeGate, sound

GATE = TranscribeGate()


def nothing(texts: Sequence[str]) -> np.ndarray:  # type: ignore[type-arg]
    return np.zeros((len(texts), 0), np.float32)


def test_whoever_writes_nothing_has_all_and_whoever_thanks_for_watching_nothing() -> None:
    assert fmean(one.score for one in GATE.evaluate(lambda batch: [Transcript("", "")] * len(batch), nothing, ())) == 1.0
    thanks = GATE.evaluate(lambda batch: [Transcript("Thank you for watching!", "en")] * len(batch), nothing, ())
    assert fmean(one.score for one in thanks) == 0.0
    assert {one.language for one in thanks} == set(LANGUAGES)


def test_the_sounds_are_files_of_the_length_that_they_say() -> None:
    lengths: list[float] = []

    def predict(batch: Sequence[AudioFile]) -> list[Transcript]:
        for one in batch:
            samples, rate = soundfile.read(one.path)
            assert (rate, samples.ndim) == (RATE, 1)
            lengths.append(len(samples) / rate)
        return [Transcript("", "")] * len(batch)

    GATE.evaluate(predict, nothing, ["ko"])
    assert lengths == [case["seconds"] for case in read_cases(FILE)]


@pytest.mark.parametrize("case", read_cases(FILE), ids=lambda case: case["id"])
def test_a_sound_is_the_same_every_time_and_loud_only_where_it_is_one(case: dict[str, object]) -> None:
    assert np.array_equal(sound(case), sound(case))
    assert bool(np.abs(sound(case)).max() > 0) == (case["sound"] != "silence")


@pytest.mark.parametrize(
    ("heard", "said"),
    [(Transcript("", ""), None), (Transcript("hm", ""), "which language"), (Transcript("so " * 200, "en"), "long text")],
)
def test_what_is_no_transcript_is_told(heard: Transcript, said: str | None) -> None:
    fault = GATE.fault(GATE.canaries(), [heard, heard], LANGUAGES)
    assert fault is None if said is None else fault is not None and said in fault.to("en")
