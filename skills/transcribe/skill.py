"""What is said in a voice note or a recording, as text; kept in the chat's scope, so that it is found later.

A voice note is claimed by rule; `/stt` as a reply to one.
"""

from __future__ import annotations

from typing import Final

from bot.audio import Recording
from bot.images import scratch
from bot.locale import Text, phrases
from bot.message import Attachment, AttachmentKind, Message, Reply
from bot.models.languages import name_of
from bot.models.tasks import TRANSCRIBE, AudioFile, Transcript
from bot.skill import CommandSpec, Kit, Request, Slot

_ = phrases(__file__)

SAY_SO_FROM_SECONDS: Final = 20.0
LONGEST_TITLE: Final = 60


class Transcribe:
    """Writes recordings down."""

    name = "transcribe"
    title = _("Write it down")
    summary = _("I write down what is said in a voice note or a recording.")
    slots: tuple[Slot[AudioFile, Transcript], ...] = (TRANSCRIBE,)
    takes: frozenset[AttachmentKind] = frozenset({"audio"})
    commands = (CommandSpec("stt", _("Write a recording down"), aliases=("받아쓰기", "transcribe")),)

    def __init__(self, kit: Kit) -> None:
        """Keep what is used: the models, the sandbox, the blobs, the library."""
        self._kit = kit

    def claims(self, message: Message) -> bool:
        """Claim a message that brings a recording."""
        return any(_is_recording(file) for file in message.attachments)

    async def answer(self, request: Request) -> Reply:
        """Return the transcripts of all recordings; each is kept in the chat's scope under `audio:SHA`."""
        recordings = [file for file in request.files if _is_recording(file)]
        if not self._kit.models.live(TRANSCRIBE) and TRANSCRIBE.name not in self._kit.settings.models.choose:
            kept = f"\n\n{_('Your recording is kept.').to(request.language)}" if recordings else ""
            return request.reply(_no_model().to(request.language) + kept, skill=self.name)
        if not recordings:
            return request.reply(_("Which recording? Send me a voice note, or reply to one with /stt."), skill=self.name)
        parts: list[str] = []
        for file in recordings:
            transcript = await self._hear(request, file)
            parts.append(_told(transcript, request))
            if transcript.text:
                await self._keep(request, file, transcript.text)
        return request.reply("\n\n".join(parts), skill=self.name, model=self._kit.models.live(TRANSCRIBE))

    async def _hear(self, request: Request, file: Attachment) -> Transcript:
        """Return what is said in `file`. Raises TooLargeError, UnreadableError, NoModelError, ModelError."""
        async with scratch(self._kit.sandbox) as folder:
            with request.stopwatch("decode"):
                recording = await self._kit.sandbox.call_as(
                    Recording,
                    "bot.audio:decode",
                    {
                        "path": str(self._kit.blobs.path(file.blob)),
                        "into": str(folder / "recording.wav"),
                        "minutes": self._kit.settings.limits.audio_minutes,
                    },
                )
            if recording.seconds >= SAY_SO_FROM_SECONDS:
                await request.tell(_("Listening to {seconds} seconds …", seconds=round(recording.seconds)))
            with request.stopwatch("transcribe"):
                return (await self._kit.models.run(TRANSCRIBE, [AudioFile(recording.path)]))[0]

    async def _keep(self, request: Request, file: Attachment, text: str) -> None:
        with request.stopwatch("keep"):
            await self._kit.library.add_text(
                text,
                request.home,
                title=_title(file, text, request),
                link="",
                key=f"audio:{file.blob}",
                sender=request.message.sender,
            )


def build(kit: Kit) -> Transcribe:
    """Return the skill."""
    return Transcribe(kit)


def _is_recording(file: Attachment) -> bool:
    return file.kind == "audio" or (file.kind == "document" and file.media_type.startswith("audio/"))


def _told(transcript: Transcript, request: Request) -> str:
    if not transcript.text:
        return _("I heard no words in this recording.").to(request.language)
    if transcript.language in ("", request.language):
        return transcript.text
    return f"{transcript.text}\n\n*{name_of(transcript.language).to(request.language)}*"


def _title(file: Attachment, text: str, request: Request) -> str:
    """Return the title under which a transcript is found: the file's name, for a voice note who spoke and how it begins."""
    if file.kind == "document" and file.name:
        return file.name
    begins = text if len(text) <= LONGEST_TITLE else f"{text[:LONGEST_TITLE].rsplit(' ', 1)[0]} …"
    who = request.message.sender_name
    return f"{who}: {begins}" if who else begins


def _no_model() -> Text:
    return _(
        "No model for recordings is installed yet, so I cannot write down what is said. An admin can bring one:\n"
        "- put the folder of a Whisper (safetensors, with its processor) into HOME/models, for example openai/whisper-small as "
        "HOME/models/whisper-small\n"
        "- write into paring.toml:\n"
        '```\n[models.choose]\ntranscribe = "whisper-small"\n```\n'
        "- start Paring again; `paring doctor` says where HOME is, `paring models` which models are known\n\n"
        "Meanwhile I can read texts and pictures, search and summarise: /help"
    )
