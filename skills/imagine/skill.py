"""A picture drawn from words: `/draw a red fox in the snow`, "눈 속의 여우를 그려 줘".

The same words give the same picture; [Another one] draws it with the next seed.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from typing import Final

from bot import lazy
from bot.errors import NoModelError
from bot.locale import Text, phrases
from bot.message import AttachmentKind, Button, Command, Message, Picture, Reply
from bot.models.tasks import IMAGINE, DrawingInput
from bot.skill import CommandSpec, Kit, Request, Slot

_ = phrases(__file__)

LONGEST_PROMPT: Final = 600
"""Characters; the text encoders read some 75 tokens of it."""
LONGEST_ALT: Final = 200
LONGEST_SEED: Final = 11
SEEDS: Final = 1_000_000_000
_SEED: Final = lazy.compile(r"(?:\A|\s)#(\d{1,9})\Z")
_POLITE: Final = (
    r"(?:(?:please|pls|hey|hi|ok|now|(?:can|could|would|will) you|i(?:['’]d| would) like|i (?:want|need)|"
    r"let['’]?s|you to|to)[\s,]+){0,6}"
)
_MEDIUM: Final = (
    r"(?:picture|image|drawing|painting|illustration|sketch|photo|photograph|portrait|logo|icon|poster|scene|cartoon|"
    r"render|artwork|art|wallpaper)s?"
)
_KEPT_MEDIA: Final = frozenset({"logo", "icon", "poster", "portrait", "sketch", "cartoon", "wallpaper", "painting"})
_ENGLISH: Final = (
    lazy.compile(
        rf"\A\W*{_POLITE}(?:draw|paint|sketch|generate|create|make|imagine|illustrate|render|design|produce|give me|show me)\s+(?:me\s+|us\s+)?"
        rf"(?:(?:an?|the|some)\s+)?(?:new\s+|nice\s+)?(?P<medium>{_MEDIUM})\s+"
        r"(?:of|with|showing|that shows|depicting|about|for)\s+(?P<text>.+)\Z",
        re.IGNORECASE | re.DOTALL,
    ),
    lazy.compile(
        rf"\A\W*{_POLITE}(?:draw|paint|sketch|imagine|illustrate|render|generate|create|make|design)\s+(?:me\s+|us\s+)?(?P<text>.+)\Z",
        re.IGNORECASE | re.DOTALL,
    ),
    lazy.compile(rf"\A\W*{_POLITE}(?:an?\s+|the\s+)?(?P<medium>{_MEDIUM})\s+of\s+(?P<text>.+)\Z", re.IGNORECASE | re.DOTALL),
)
_TAIL: Final = lazy.compile(r"(?<![\s,])(?:[\s,]++(?:please|for me|thanks|thank you|pls)){1,5}\W*+\Z", re.IGNORECASE)
_KOREAN_NOUN: Final = r"(?:그림|이미지|사진|일러스트|삽화|스케치|초상화|그림으로|이미지로|일러스트로)"
_KOREAN: Final = (
    lazy.compile(
        rf"\A\W*(?P<text>.+?)(?:을|를)?\s*(?:(?:담은|나오는|있는|의)\s*)?(?:{_KOREAN_NOUN}(?:을|를|으로|로)?\s*)?(?:하나|한 장|한장|좀|한번)?\s*"
        r"(?:그려|그리|만들어|생성|스케치해|상상해|디자인해|보여)[가-힣\s]{0,14}[.!?~]*\Z",
        re.DOTALL,
    ),
    lazy.compile(
        rf"\A\W*(?:(?:{_KOREAN_NOUN})(?:을|를)?\s*)?(?:좀\s*)?(?:그려|만들어|생성해)\s*(?:줘|주세요|줄래|줄래요|주실래요|봐|봐요)?\s*[:,]\s*(?P<text>.+)\Z",
        re.DOTALL,
    ),
    lazy.compile(rf"\A\W*(?P<text>.+?)(?:의)?\s*{_KOREAN_NOUN}\W*\Z", re.DOTALL),
)


class Imagine:
    """Draws pictures from words."""

    name = "imagine"
    title = _("Draw")
    summary = _("I draw a picture from your words.")
    slots: tuple[Slot[DrawingInput, bytes], ...] = (IMAGINE,)
    takes: frozenset[AttachmentKind] = frozenset()
    commands = (CommandSpec("draw", _("Draw a picture: /draw WORDS"), aliases=("그려", "그림", "imagine")),)

    def __init__(self, kit: Kit) -> None:
        """Keep what is used: the models and the blobs."""
        self._kit = kit

    def claims(self, message: Message) -> bool:
        """Claim nothing: a picture is asked for."""
        del message
        return False

    async def answer(self, request: Request) -> Reply:
        """Return the picture, or a sentence that says why there is none."""
        asked, seed = _seeded(request.text or request.quoted)
        words = asked if request.message.command is not None or len(asked) > LONGEST_PROMPT else described(asked)
        if not words.strip():
            if not self._kit.models.live(IMAGINE) and IMAGINE.name not in self._kit.settings.models.choose:
                return request.reply(_no_model(), skill=self.name)
            return request.reply(_("What shall I draw? For example: /draw a red fox in the snow"), skill=self.name)
        if len(words) > LONGEST_PROMPT:
            told = _(
                "That is more than {count} characters; a picture needs a sentence or two. Please say it shorter.",
                count=LONGEST_PROMPT,
            )
            return request.reply(told, skill=self.name)
        seed = zlib.crc32(words.encode("utf-8", "replace")) % SEEDS if seed is None else seed
        await request.tell(_("Drawing …"))
        try:
            with request.stopwatch("draw"):
                png = (await self._kit.models.run(IMAGINE, [DrawingInput(words, seed=seed)]))[0]
        except NoModelError:
            if IMAGINE.name in self._kit.settings.models.choose:
                raise
            return request.reply(_no_model(), skill=self.name)
        return await self._picture(request, words, seed, png)

    async def _picture(self, request: Request, words: str, seed: int, png: bytes) -> Reply:
        blob = await asyncio.to_thread(self._kit.blobs.keep, png)
        another = Button(_("Another one").to(request.language), Command("draw", f"{words} #{(seed + 1) % SEEDS}"))
        return request.reply(
            f"*{_one_line(words)}*",
            skill=self.name,
            model=self._kit.models.live(IMAGINE),
            images=[Picture(blob, _one_line(words)[:LONGEST_ALT])],
            buttons=[another],
        )


def build(kit: Kit) -> Imagine:
    """Return the skill."""
    return Imagine(kit)


def described(text: str) -> str:
    """Return what is to be seen, without the words that ask for it; a medium that shapes the picture (a logo) stays."""
    asked = _TAIL.sub("", text[: LONGEST_PROMPT + 1].strip())
    for form in _KOREAN if re.search("[가-힣]", asked) else _ENGLISH:
        if found := form.match(asked):
            words = found["text"].strip(" \t\n.,:!?\"“”'")
            medium = (found.groupdict().get("medium") or "").lower()
            return f"{medium} of {words}" if medium in _KEPT_MEDIA else words
    return asked


def _seeded(text: str) -> tuple[str, int | None]:
    words = text.strip()
    found = _SEED.search(words, max(0, len(words) - LONGEST_SEED))
    return (words[: found.start()].strip(), int(found[1])) if found else (words, None)


def _one_line(words: str) -> str:
    return " ".join(words.replace("*", "").split())


def _no_model() -> Text:
    return _(
        "No model that draws is installed yet. An admin can bring one:\n"
        "- type: pip install 'paring[draw]'\n"
        "- put the folder of a small diffusion model (with its model_index.json, safetensors) into HOME/models, for example "
        "stabilityai/sd-turbo as HOME/models/sd-turbo\n"
        "- write into paring.toml:\n"
        '```\n[models.choose]\nimagine = "sd-turbo"\n```\n'
        "- start Paring again; `paring doctor` says where HOME is, `paring models` which models are known\n\n"
        "Meanwhile I can tell what a picture shows and read the text in it: send me one."
    )
