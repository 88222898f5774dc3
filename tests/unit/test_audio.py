from pathlib import Path

import numpy as np
import pytest
import soundfile

from bot.audio import RATE, Recording, decode
from bot.errors import TooLargeError, UnreadableError
from bot.sandbox import Sandbox


def _tone(seconds: float, rate: int, pitch: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def _decode(path: Path, minutes: float = 1.0) -> tuple[Recording, np.ndarray]:
    recording = decode(str(path), str(path.with_suffix(".out.wav")), minutes)
    samples, rate = soundfile.read(recording.path, dtype="float32")
    assert rate == RATE
    return recording, samples


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("a.wav", {}),
        ("a.flac", {}),
        ("a.mp3", {}),
        ("a.ogg", {"format": "OGG", "subtype": "VORBIS"}),
        ("voice.oga", {"format": "OGG", "subtype": "OPUS"}),
    ],
)
@pytest.mark.parametrize("rate", [48_000, 24_000])
def test_each_format_becomes_16_khz_mono_of_the_same_length_and_sound(
    tmp_path: Path, name: str, settings: dict[str, str], rate: int
) -> None:
    tone = _tone(1.5, rate)
    soundfile.write(tmp_path / name, np.stack([tone, tone], axis=1), rate, **settings)
    recording, samples = _decode(tmp_path / name)
    assert recording.seconds == pytest.approx(1.5, abs=0.1)
    assert samples.ndim == 1
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) / len(samples) * RATE == pytest.approx(440, abs=3)
    assert recording.peak == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_blocks_are_joined_without_a_seam(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", _tone(25, rate), rate, subtype="FLOAT")
    recording, samples = _decode(tmp_path / "a.wav")
    assert len(samples) == 25 * RATE
    assert recording.seconds == 25
    middle = slice(RATE // 2, -RATE // 2)
    assert np.abs(samples - _tone(25, RATE))[middle].max() < 0.005


def test_a_recording_at_16_khz_is_kept_as_it_is_and_clipped_not_wrapped(tmp_path: Path) -> None:
    tone = _tone(1, RATE) * 4
    soundfile.write(tmp_path / "a.wav", tone, RATE, subtype="FLOAT")
    recording, samples = _decode(tmp_path / "a.wav")
    assert np.abs(samples - np.clip(tone, -1, 1)).max() < 1e-3
    assert recording.peak == 1.0


def test_a_long_recording_is_refused_with_the_limit(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", _tone(7, 8000), 8000)
    with pytest.raises(TooLargeError, match=r"0\.1 minutes"):
        _decode(tmp_path / "a.wav", minutes=0.1)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "broken"),
        (b"just text", "broken"),
        (b"RIFF\xff\xff\xff\xffWAVEfmt ", "broken"),
        (b"\x00\x00\x00\x20ftypM4A ", "M4A"),
        (b"\x1aE\xdf\xa3rest", "WebM"),
        (b"#!AMR\nrest", "AMR"),
        (b"OggS" + bytes(200), "broken"),
    ],
)
def test_what_cannot_be_read_has_its_sentence_in_both_languages(tmp_path: Path, data: bytes, told: str) -> None:
    (tmp_path / "a.bin").write_bytes(data)
    with pytest.raises(UnreadableError, match=told) as error:
        _decode(tmp_path / "a.bin")
    assert error.value.sentence("ko") != error.value.sentence("en")


def test_an_empty_recording_is_told(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(0, np.float32), RATE)
    with pytest.raises(UnreadableError, match="no sound"):
        _decode(tmp_path / "a.wav")


def test_samples_that_are_no_numbers_become_silence(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([np.nan, np.inf, 0.25], np.float32), RATE, subtype="FLOAT")
    assert _decode(tmp_path / "a.wav")[1].tolist() == [0.0, 0.0, 0.25]


async def test_it_works_in_the_sandbox_and_its_errors_come_through(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.ogg", _tone(2, 48_000), 48_000, format="OGG", subtype="OPUS")
    (tmp_path / "b.ogg").write_bytes(b"no sound")
    sandbox = Sandbox(memory_mb=1024, seconds=30)
    out = sandbox.folder / "out.wav"
    try:
        recording = await sandbox.call_as(
            Recording, "bot.audio:decode", {"path": str(tmp_path / "a.ogg"), "into": str(out), "minutes": 1.0}
        )
        assert (recording.path, recording.seconds) == (out, pytest.approx(2, abs=0.1))
        with pytest.raises(UnreadableError, match="broken"):
            await sandbox.call_as(
                Recording, "bot.audio:decode", {"path": str(tmp_path / "b.ogg"), "into": str(out), "minutes": 1.0}
            )
    finally:
        await sandbox.close()
