"""Recordings: what a child of the sandbox does with them, so that a model gets plain 16 kHz mono.

Owns: decoding (ogg, opus, mp3, wav, flac, aiff: what libsndfile reads), the length cap, mixing and resampling, block by
block. Leaves to `bot.sandbox` the limits on memory and time, and to a skill what is done with the recording.

    recording = await sandbox.call_as(Recording, "bot.audio:decode", {"path": ..., "into": ..., "minutes": 10.0})
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from bot.errors import TooLargeError, UnreadableError
from bot.locale import Text, phrases

if TYPE_CHECKING:
    from soundfile import SoundFile

_ = phrases(__file__)

RATE: Final = 16_000
"""Samples a second. Source: preprocessor_config.json of openai/whisper-*, sampling_rate."""
SLOWEST_RATE: Final = 4_000
FASTEST_RATE: Final = 384_000
MOST_CHANNELS: Final = 16
BLOCK_SECONDS: Final = 10
_MAGIC: Final = (
    (4, b"ftyp", "M4A/MP4"),
    (0, b"\x1aE\xdf\xa3", "WebM"),
    (0, b"#!AMR", "AMR"),
    (0, b"\xff\xf1", "AAC"),
    (0, b"\xff\xf9", "AAC"),
)
"""(offset, bytes, name) of formats that people send and libsndfile does not read."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recording:
    """A decoded recording: a WAV file of 16 kHz, mono, 16 bit; its length, and its loudest sample, 0..1."""

    path: Path
    seconds: float
    peak: float


def decode(path: str, into: str, minutes: float) -> Recording:
    """Decode the recording at `path` into the WAV file `into`. Runs in a child of the sandbox.

    Raises:
        TooLargeError: it is longer than `minutes`; what was written so far is of no use.
        UnreadableError: no recording, a format that is not read, a broken one, or an empty one.
    """
    import soundfile  # noqa: PLC0415 - loads libsndfile, and only in the child

    try:
        with soundfile.SoundFile(path) as sound:
            _check(sound)
            return _write(_resampled(_mono(sound, minutes), sound.samplerate), Path(into))
    except (soundfile.SoundFileError, RuntimeError, TypeError, ValueError) as error:
        raise UnreadableError(_unreadable(Path(path))) from error


def _check(sound: SoundFile) -> None:
    if not SLOWEST_RATE <= sound.samplerate <= FASTEST_RATE or not 1 <= sound.channels <= MOST_CHANNELS:
        raise UnreadableError(
            _(
                "This recording says that it has {channels} channels of {rate} samples a second, which is not sound that I can read. "
                "Nothing was kept; please send it as ogg, mp3, wav or flac.",
                channels=sound.channels,
                rate=sound.samplerate,
            )
        )


def _mono(sound: SoundFile, minutes: float) -> Iterator[Samples]:
    """Yield blocks of float32 (n,), the mean of all channels; a header may lie about the length, so that it is counted."""
    left = int(minutes * 60 * sound.samplerate)
    while True:
        block = sound.read(BLOCK_SECONDS * sound.samplerate, dtype="float32", always_2d=True)
        if not len(block):
            return
        left -= len(block)
        if left < 0:
            raise TooLargeError(
                _(
                    "This recording is longer than {minutes} minutes. Nothing was kept; please send it in parts.",
                    minutes=f"{minutes:g}",
                )
            )
        yield np.nan_to_num(block.mean(axis=1, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def _resampled(blocks: Iterator[Samples], rate: int) -> Iterator[Samples]:
    """Yield the blocks at 16 kHz. Each is filtered with its neighbours' edges, so that the seams are not heard."""
    divisor = math.gcd(RATE, rate)
    up, down = RATE // divisor, rate // divisor
    if up == down:
        yield from blocks
        return
    from scipy.signal import resample_poly  # noqa: PLC0415 - 60 MB, and only in the child

    edge = down * math.ceil((10 * max(up, down) / up + 1) / down)  # resample_poly's filter reaches so far to each side
    pending, taken, given = np.zeros(edge, np.float32), 0, 0
    for block in blocks:
        taken += len(block)
        pending = np.concatenate([pending, block])
        ready = (len(pending) - 2 * edge) // down * down
        if ready > 0:
            done = resample_poly(pending[: ready + 2 * edge], up, down)[edge * up // down : (edge + ready) * up // down]
            given += len(done)
            yield done.astype(np.float32, copy=False)
            pending = pending[ready:]
    last = resample_poly(np.concatenate([pending, np.zeros(edge + down, np.float32)]), up, down)[edge * up // down :]
    yield last[: math.ceil(taken * up / down) - given].astype(np.float32, copy=False)


def _write(blocks: Iterator[Samples], into: Path) -> Recording:
    import soundfile  # noqa: PLC0415 - as above

    count, peak = 0, 0.0
    with soundfile.SoundFile(into, "w", samplerate=RATE, channels=1, subtype="PCM_16", format="WAV") as target:
        for block in blocks:
            if len(block):
                peak = max(peak, float(np.abs(block).max()))
                target.write(np.clip(block, -1.0, 1.0))
                count += len(block)
    if not count:
        raise UnreadableError(_("This recording holds no sound. Nothing was kept; please record it again."))
    return Recording(into, count / RATE, min(peak, 1.0))


def _unreadable(path: Path) -> Text:
    with path.open("rb") as file:
        head = file.read(16)
    for offset, magic, name in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return _(
                "Recordings in {format} cannot be read here. Nothing was kept; please send it as ogg, mp3, wav or flac.",
                format=name,
            )
    return _("This recording is broken, or none at all. Nothing was kept; please send it as ogg, mp3, wav or flac.")
