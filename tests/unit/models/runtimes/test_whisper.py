from pathlib import Path

import numpy as np
import pytest
import soundfile
from fakes import tiny_models

from bot.errors import ModelError
from bot.models.runtimes.whisper import RATE, Whisper, load, windows
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import AudioFile, Transcript

SPEC = ModelSpec("tiny", "transcribe", "whisper", "folder")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Whisper:
    return load(SPEC, tiny_models.whisper(tmp_path_factory.mktemp("whisper") / "many"), LoadOptions())


def _noise(seconds: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, int(seconds * RATE)).astype(np.float32)


def _wav(folder: Path, samples: np.ndarray, name: str = "a.wav", rate: int = RATE) -> AudioFile:
    soundfile.write(folder / name, samples, rate, subtype="PCM_16")
    return AudioFile(folder / name)


def test_recordings_are_heard_in_order_each_in_its_language(model: Whisper, tmp_path: Path) -> None:
    batch = [
        _wav(tmp_path, _noise(1), "a.wav"),
        _wav(tmp_path, np.zeros(RATE, np.float32), "b.wav"),
        _wav(tmp_path, _noise(2, 2), "c.wav"),
    ]
    together = model.predict(batch)
    assert together == [model.predict([item])[0] for item in batch]
    assert together[1] == Transcript("", "")
    assert {together[0].language, together[2].language} <= {"en", "ko", "jv"}
    assert together[0].text
    assert model.predict([]) == []


def test_a_long_recording_is_cut_where_it_is_quiet_and_loses_nothing() -> None:
    samples = _noise(65)
    samples[24 * RATE : 25 * RATE] = 0
    parts = list(windows(samples))
    assert np.array_equal(np.concatenate(parts), samples)
    assert 24 <= len(parts[0]) / RATE <= 25
    assert max(len(part) for part in parts) <= 30 * RATE
    assert len(parts) == 3


def test_a_recording_over_a_window_is_heard_to_its_end(model: Whisper, tmp_path: Path) -> None:
    whole = _noise(40)
    whole[25 * RATE : 26 * RATE] = 0
    first, second = windows(whole)
    told = model._words([first, second], "ko")
    assert told == [model._words([first], "ko")[0], model._words([second], "ko")[0]]


def test_a_model_of_english_alone_says_english(tmp_path: Path) -> None:
    english = load(SPEC, tiny_models.whisper(tmp_path / "english", many_languages=False), LoadOptions())
    assert english.predict([_wav(tmp_path, _noise(1))])[0].language == "en"


def test_javanese_is_told_by_its_iso_code(model: Whisper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_language", lambda _window: "jw")
    assert model.predict([_wav(tmp_path, _noise(1))])[0].language == "jv"


def test_a_file_that_was_not_decoded_is_refused(model: Whisper, tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(b"no sound")
    for wrong in (AudioFile(tmp_path / "x.wav"), _wav(tmp_path, _noise(1), rate=8000)):
        with pytest.raises(ModelError, match="not decoded"):
            model.predict([wrong])


def test_a_closed_model_is_told_in_a_sentence(tmp_path: Path) -> None:
    closed = load(SPEC, tiny_models.whisper(tmp_path / "closed"), LoadOptions())
    closed.close()
    with pytest.raises(ModelError, match="unloaded"):
        closed.predict([_wav(tmp_path, _noise(1))])
