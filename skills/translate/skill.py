"""Translation of a text, a quoted message or a document, sentence by sentence, with its lists and code left in place.

`/tr en 안녕하세요`, `/tr to Japanese` as a reply, "how do you say “thank you” in Korean?".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bot.errors import NoModelError
from bot.images import cut_off
from bot.locale import Text, phrases
from bot.message import Attachment, AttachmentKind, Command, Message, Reply
from bot.models.languages import name_of
from bot.models.tasks import TRANSLATE, TranslationInput
from bot.skill import Before, CommandSpec, Kit, Request, Slot
from bot.text.links import held_links_only
from skills.translate.layout import Layout
from skills.translate.origin import origin

if TYPE_CHECKING:
    from skills.translate.ask import Ask

_ = phrases(__file__)

LONGEST_TEXT: Final = 8_000
"""Characters of one answer: a few pages, some minutes of a small model."""
INTO: Final = "--into "
"""Begins the arguments of `/tr` where the message replied to asks for a translation, and only the language is another."""
SAY_SO_FROM: Final = 8
"""Sentences from which on the asker is told that it takes a while."""


@dataclass(frozen=True, slots=True)
class Original:
    """What is to be translated: its text, whether that is LONGEST_TEXT characters of more, and how much of a picture arrived."""

    text: str
    cut: bool = False
    arrived: float = 1.0


class Translate:
    """Puts texts into another language."""

    name = "translate"
    title = _("Translate")
    summary = _("I translate a text, a message that you reply to, or a document.")
    slots: tuple[Slot[TranslationInput, str], ...] = (TRANSLATE,)
    takes: frozenset[AttachmentKind] = frozenset({"document"})
    commands = (CommandSpec("tr", _("Translate: /tr LANGUAGE TEXT, or as a reply"), aliases=("번역", "translate")),)

    def __init__(self, kit: Kit) -> None:
        """Keep what is used: the models, the library's readers, the blobs."""
        self._kit = kit

    def claims(self, message: Message) -> bool:
        """Claim nothing: a translation is asked for."""
        del message
        return False

    def may_go_on(self, said: str) -> bool:
        """Say whether it only names another language: "and in Korean?"."""
        from skills.translate.ask import only_language  # noqa: PLC0415 - as in `answer`

        return bool(only_language(said))

    def goes_on(self, said: str, before: Sequence[Before]) -> tuple[Command, Message] | None:
        """Return the order to put into that language what was translated before, or what was answered."""
        from skills.translate.ask import only_language  # noqa: PLC0415 - as in `answer`

        meant = next((one for one in before if one.skill != self.name), None)
        if meant is None:
            return Command("tr", f"{INTO}{only_language(said)}"), before[-1].message
        return (Command("tr", only_language(said)), meant.answer) if meant.answer is not None else None

    async def answer(self, request: Request) -> Reply:
        """Return the translation, or a sentence that says why there is none."""
        from skills.translate.ask import read, read_arguments  # noqa: PLC0415 - 0.25 s of patterns that a start need not pay

        request, into = _of_before(request)
        ask = read_arguments(request.text) if _is_command(request.message.command) else read(request.text)
        original = await self._original(request, ask)
        if not original.text.strip():
            return request.reply(self._nothing_to_translate(request), skill=self.name)
        source = ask.source or origin(original.text)
        if not source:
            return request.reply(_("There are no words in that, so there is nothing to translate."), skill=self.name)
        target = into or ask.target or _usual_target(source, request)
        if source == target:
            told = _("That is in {language} already. Say into which language, for example: /tr en", language=name_of(source))
            return request.reply(told, skill=self.name)
        return await self._translate(request, original, source, target)

    async def _original(self, request: Request, ask: Ask) -> Original:
        """Return what is to be translated."""
        kinds = ("document", "image")
        document = next((file for kind in kinds for file in request.files if file.kind == kind and file.blob), None)
        elsewhere = document is not None or bool(request.quoted)
        if ask.text and (ask.sure or not elsewhere):
            return _headed(ask.text)
        if document is None:
            return _headed(request.quoted)
        with request.stopwatch("read"):
            return await self._read(document)

    async def _read(self, document: Attachment) -> Original:
        passages = await self._kit.library.text_of(self._kit.blobs.path(document.blob), name=document.name)
        arrived = min((passage.arrived for passage in passages), default=1.0)
        return replace(_headed("\n\n".join(passage.text for passage in passages)), arrived=arrived)

    async def _translate(self, request: Request, original: Original, source: str, target: str) -> Reply:
        layout = Layout.of(original.text)
        sentences = layout.sentences
        if len(sentences) >= SAY_SO_FROM:
            await request.tell(_("Translating {count} sentences …", count=len(sentences)))
        try:
            with request.stopwatch("translate"):
                translated = await self._kit.models.run(TRANSLATE, [TranslationInput(one, source, target) for one in sentences])
        except NoModelError:
            if TRANSLATE.name in self._kit.settings.models.choose:
                raise
            return request.reply(_no_model(), skill=self.name)
        said = held_links_only(layout.filled(translated, target=target), [original.text])
        notes = [_("{source} → {target}", source=name_of(source), target=name_of(target)).to(request.language)]
        if original.cut:
            notes.append(_("only the first {count} characters", count=LONGEST_TEXT).to(request.language))
        parts = [said, f"*{', '.join(notes)}*"]
        if original.arrived < 1:
            parts.append(cut_off(original.arrived).to(request.language))
        return request.reply("\n\n".join(parts), skill=self.name, model=self._kit.models.live(TRANSLATE))

    def _nothing_to_translate(self, request: Request) -> Text:
        if any(file.kind == "audio" for file in request.files):
            return _("I translate text. Write the recording down first with /stt, then reply to what I answer with /tr.")
        if not self._kit.models.live(TRANSLATE) and TRANSLATE.name not in self._kit.settings.models.choose:
            return _no_model()
        return _("What shall I translate? Write /tr en and the text, or reply to a message with /tr.")


def build(kit: Kit) -> Translate:
    """Return the skill."""
    return Translate(kit)


def _is_command(command: Command | None) -> bool:
    return command is not None and command.name in {name for spec in Translate.commands for name in (spec.name, *spec.aliases)}


def _of_before(request: Request) -> tuple[Request, str]:
    """Return the request that goes on from an earlier one as that one, and the language it asks for; any other as it is."""
    before = request.message.reply_to
    if not request.text.startswith(INTO) or before is None:
        return request, ""
    files = before.attachments or (before.reply_to.attachments if before.reply_to else ())
    text = before.command.args if before.command is not None else before.text
    return replace(request, message=before, text=text, files=files), request.text.removeprefix(INTO).strip()


def _usual_target(source: str, request: Request) -> str:
    """Return the other of Korean and English; for any other language that of the asker."""
    return {"ko": "en", "en": "ko"}.get(source, request.language)


def _headed(text: str) -> Original:
    """Return the first LONGEST_TEXT characters, cut at the end of a line or a word where one is near."""
    if len(text) <= LONGEST_TEXT:
        return Original(text)
    head, middle = text[:LONGEST_TEXT], LONGEST_TEXT // 2
    end = max(head.rfind("\n", middle), head.rfind(". ", middle) + 1, head.rfind(" ", LONGEST_TEXT - 200))
    return Original(head[:end] if end > 0 else head, cut=True)


def _no_model() -> Text:
    return _(
        "No translation model is installed yet, so I cannot translate. An admin can bring one:\n"
        "- put the folder of a model (safetensors, with its tokenizer) into HOME/models, for example as HOME/models/translator; "
        "Marian (opus-mt), NLLB-200, M2M100 and MADLAD-400 work, and a folder that holds one-way models as ko-en and en-ko\n"
        "- write into paring.toml:\n"
        '```\n[models.choose]\ntranslate = "translator"\n```\n'
        "- start Paring again; `paring doctor` says where HOME is, `paring models` which models are known\n\n"
        "Meanwhile I can find, summarise and read texts in Korean and English: /help"
    )
