"""Whisper of transformers: a recording in, what was said and in which language out.

Owns: windows of 30 seconds cut where it is quiet, the language, generation without loops. Leaves to `bot.audio`:
decoding; the file is WAV, 16 kHz, mono.

    model = load(spec, folder, LoadOptions(threads=2))
    model.predict([AudioFile(Path("voice.wav"))])
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.errors import ModelError
from bot.locale import phrases
from bot.models.runtimes.pytorch import SAFE, SAFE_TOKENIZER, available, begin, computing, reading, unloaded, use_threads
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import AudioFile, Transcript

__all__ = ["Whisper", "available", "load", "windows"]

_ = phrases(__file__)

RATE: Final = 16_000
WINDOW_SECONDS: Final = 30
"""What the encoder hears at once. Source: "Robust Speech Recognition via Large-Scale Weak Supervision", section 2.2."""
EARLIEST_CUT_SECONDS: Final = 20
QUIET_SECONDS: Final = 0.2
SILENCE_RMS: Final = 1e-3
"""-60 dB of full scale: over less than that Whisper makes up words."""
BATCH_WINDOWS: Final = 4
LOOP_NGRAM: Final = 5
ISO_OF_WHISPER: Final = {"jw": "jv"}
"""Where Whisper's code is not ISO 639-1's. Source: LANGUAGES in whisper/tokenizer.py."""

Samples = NDArray[np.float32]


def load(spec: ModelSpec, folder: Path, options: LoadOptions) -> Whisper:
    """Return the model in float32.

    Raises:
        UnsafeModelError: no safetensors.
        ModelError: files are missing or broken, or it is no Whisper.
    """
    begin(folder, options, spec=spec)
    import torch  # noqa: PLC0415 - heavy, and only in runtimes over it
    from transformers import WhisperForConditionalGeneration, WhisperProcessor  # noqa: PLC0415 - as above

    with reading(spec, folder):
        processor = WhisperProcessor.from_pretrained(folder, **SAFE_TOKENIZER)
        model: Any = WhisperForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, **SAFE)
        model.eval()
    return Whisper(spec.name, processor, model, threads=options.threads)


class Whisper:
    """One loaded Whisper. Recordings are heard one after another, their windows together."""

    def __init__(self, name: str, processor: Any, model: Any, *, threads: int) -> None:
        """Keep the model and its processor."""
        self._name = name
        self._processor = processor
        self._model = model
        self._threads = threads
        self._many_languages = bool(getattr(model.generation_config, "is_multilingual", False))

    def predict(self, batch: Sequence[AudioFile]) -> list[Transcript]:
        """Return the transcripts in order; "" for silence.

        Raises:
            ModelError: a file is no WAV of 16 kHz and one channel, or the model failed or was closed.
        """
        if self._model is None:
            raise unloaded(self._name)
        use_threads(self._threads)
        return [self._hear(_samples(item.path)) for item in batch]

    def close(self) -> None:
        """Release the weights."""
        self._model = None

    def _hear(self, samples: Samples) -> Transcript:
        import torch  # noqa: PLC0415 - already loaded

        heard = [window for window in windows(samples) if _rms(window) > SILENCE_RMS]
        if not heard:
            return Transcript("", "")
        with computing(self._name), torch.inference_mode():
            language = self._language(max(heard, key=_rms))
            said: list[str] = []
            for start in range(0, len(heard), BATCH_WINDOWS):
                said += self._words(heard[start : start + BATCH_WINDOWS], language)
        return Transcript(" ".join(filter(None, said)), ISO_OF_WHISPER.get(language, language))

    def _language(self, window: Samples) -> str:
        """Return Whisper's code of the language that is spoken in the loudest window."""
        if not self._many_languages:
            return "en"
        token = int(self._model.detect_language(input_features=self._features([window]))[0])
        return str(self._processor.tokenizer.convert_ids_to_tokens(token)).strip("<|>")

    def _words(self, parts: Sequence[Samples], language: str) -> list[str]:
        told = {"language": language, "task": "transcribe"} if self._many_languages else {}
        produced = self._model.generate(
            self._features(parts),
            max_new_tokens=int(self._model.config.max_target_positions) // 2,
            do_sample=False,
            num_beams=1,
            no_repeat_ngram_size=LOOP_NGRAM,
            return_timestamps=False,
            **told,
        )
        return [str(text).strip() for text in self._processor.batch_decode(produced, skip_special_tokens=True)]

    def _features(self, parts: Sequence[Samples]) -> Any:
        return self._processor.feature_extractor(list(parts), sampling_rate=RATE, return_tensors="pt")["input_features"]


def windows(samples: Samples) -> Iterator[Samples]:
    """Yield float32 (n,) of at most 30 s each, together all of `samples`, cut in the quietest fifth of a second after 20 s."""
    longest, earliest, quiet = WINDOW_SECONDS * RATE, EARLIEST_CUT_SECONDS * RATE, int(QUIET_SECONDS * RATE)
    while len(samples) > longest:
        energy = np.cumsum(np.concatenate([[0.0], np.square(samples[earliest:longest], dtype=np.float64)]))
        cut = earliest + int(np.argmin(energy[quiet:] - energy[:-quiet])) + quiet // 2
        yield samples[:cut]
        samples = samples[cut:]
    yield samples


def _rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def _samples(path: Path) -> Samples:
    import soundfile  # noqa: PLC0415 - loads libsndfile

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise ModelError(
            _("The recording was not decoded before it came to the model. Nothing was lost; please send it again.")
        ) from error
    if rate != RATE or samples.shape[1] != 1:
        raise ModelError(_("The recording was not decoded before it came to the model. Nothing was lost; please send it again."))
    return np.ascontiguousarray(samples[:, 0])
