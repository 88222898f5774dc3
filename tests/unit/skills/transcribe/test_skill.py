import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bot.config import LimitSettings, ModelSettings, Settings
from bot.errors import NoModelError, TooLargeError, UnreadableError
from bot.models.tasks import AudioFile, Transcript
from bot.passage import Scope
from bot.skill import Kit
from bot.testing import FakeLibrary, Told, fake_kit, make_attachment, make_message, make_request
from skills.transcribe.skill import build

HOME = Scope.parse("dm:test/bot/1")


def _voice(seconds: float = 1.0) -> bytes:
    data = io.BytesIO()
    soundfile.write(data, 0.1 * np.sin(np.arange(int(seconds * 48_000)) / 20), 48_000, format="OGG", subtype="OPUS")
    return data.getvalue()


def _hears(text: str, language: str = "en") -> object:
    def hear(item: AudioFile) -> Transcript:
        samples, rate = soundfile.read(item.path)
        assert (rate, samples.ndim) == (16_000, 1)
        return Transcript(text, language)

    return hear


def _kit(folder: Path, text: str = "See you at three.", language: str = "en", **settings: object) -> Kit:
    return fake_kit(folder, models={"transcribe": _hears(text, language)}, settings=Settings(home=folder, **settings))


async def test_a_voice_note_is_written_down_and_kept_in_its_chat(tmp_path: Path) -> None:
    kit = _kit(tmp_path)
    note = make_attachment(kit, "audio", "", _voice())
    message = make_message("", language="en", attachments=[note])
    assert build(kit).claims(message)
    reply = await build(kit).answer(make_request(message))
    assert reply.text == "See you at three."
    assert reply.receipt is not None
    assert (reply.receipt.skill, reply.receipt.model) == ("transcribe", "fake-transcribe@0")
    library = kit.library
    assert isinstance(library, FakeLibrary)
    assert library.kept == {(HOME, f"audio:{note.blob}"): "See you at three."}
    assert library.senders == {(HOME, f"audio:{note.blob}"): "ann"}
    assert library.passages[0].title == "Ann: See you at three."


async def test_a_reply_to_a_recording_is_enough_and_another_language_is_told(tmp_path: Path) -> None:
    kit = _kit(tmp_path, "세 시에 봐요.", "ko")
    note = make_attachment(kit, "document", "meeting.ogg", _voice(), media_type="audio/ogg")
    reply = await build(kit).answer(make_request(make_message("/stt", reply_to=make_message("", attachments=[note]))))
    assert reply.text == "세 시에 봐요.\n\n*Korean*"
    assert kit.library.passages[0].title == "meeting.ogg"


async def test_silence_is_told_and_not_kept(tmp_path: Path) -> None:
    kit = _kit(tmp_path, "")
    reply = await build(kit).answer(
        make_request(make_message("", language="ko", attachments=[make_attachment(kit, "audio", "", _voice())]))
    )
    assert "말소리" in reply.text
    assert kit.library.kept == {}


async def test_a_long_recording_is_told_while_it_is_heard_and_too_long_a_one_refused(tmp_path: Path) -> None:
    kit = _kit(tmp_path, limits=LimitSettings(audio_minutes=0.5))
    told = Told()
    await build(kit).answer(
        make_request(make_message("", attachments=[make_attachment(kit, "audio", "", _voice(25))]), progress=told)
    )
    assert "Listening to 25 seconds" in str(told[0])
    with pytest.raises(TooLargeError):
        await build(kit).answer(make_request(make_message("", attachments=[make_attachment(kit, "audio", "", _voice(35))])))


async def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    kit = _kit(tmp_path)
    with pytest.raises(UnreadableError):
        await build(kit).answer(make_request(make_message("", attachments=[make_attachment(kit, "audio", "a.ogg", b"no sound")])))
    assert "/stt" in (await build(kit).answer(make_request("/stt"))).text


@pytest.mark.parametrize(("language", "told"), [("en", "An admin can bring one"), ("ko", "관리자가")])
async def test_without_a_model_it_says_what_an_admin_types(tmp_path: Path, language: str, told: str) -> None:
    kit = fake_kit(tmp_path)
    note = make_attachment(kit, "audio", "", b"not even read")
    reply = await build(kit).answer(make_request(make_message("", language=language, attachments=[note])))
    assert told in reply.text
    assert 'transcribe = "whisper-small"' in reply.text
    assert reply.text.endswith(("Your recording is kept.", "보내신 녹음은 보관하고 있어요."))


async def test_without_a_model_nobody_is_asked_for_a_recording_first(tmp_path: Path) -> None:
    reply = await build(fake_kit(tmp_path)).answer(make_request("please write down my voice note"))
    assert 'transcribe = "whisper-small"' in reply.text
    assert "is kept" not in reply.text


async def test_a_choice_that_is_wrong_is_told_as_it_is(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path, settings=Settings(home=tmp_path, models=ModelSettings(choose={"transcribe": "gone"})))
    with pytest.raises(NoModelError):
        await build(kit).answer(make_request(make_message("", attachments=[make_attachment(kit, "audio", "", _voice())])))


def test_only_recordings_are_claimed(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path)
    skill = build(kit)
    assert not skill.claims(make_message("", attachments=[make_attachment(kit, "image", "a.png", b"x")]))
    assert not skill.claims(make_message("hello"))
