"""The gate of the models that draw: a picture of the asked size, whose colour is the asked one.

Owns: golden/en.jsonl and ko.jsonl (our own prompts). The score of a case with a `colour` is how much of the picture has that name
(`bot.image_look`), a third being enough; of one without, 1 where it is a picture that is not even.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from bot.image_look import Look, look_at
from bot.locale import Language, Text, phrases
from bot.models.gates.golden import Case, read_cases, shown, wanted
from bot.models.tasks import IMAGINE, DrawingInput
from bot.models.trial import Embed, Predict, Scored

if TYPE_CHECKING:
    from PIL.Image import Image

_ = phrases(__file__)

FOLDER: Final = Path(__file__).parent / "golden"
ENOUGH: Final = 1 / 3
NEAR: Final[dict[str, tuple[str, ...]]] = {
    "red": ("red", "brown", "orange"), "blue": ("blue", "light blue", "navy"), "black": ("black", "navy"), "white": ("white", "grey"),
    "orange": ("orange", "brown"), "yellow": ("yellow", "orange"), "turquoise": ("turquoise", "light blue", "blue"),
}  # fmt: skip
"""Names that count as the asked one: a red wall in the shade is brown."""


class ImagineGate:
    """Tries models of the slot `imagine`."""

    slot = IMAGINE
    metric = "share of the asked colour"
    tolerance = 0.1

    def canaries(self) -> Sequence[DrawingInput]:
        """Return a drawing in each language, of two sizes."""
        return [DrawingInput("a red apple", 256, 256, 3), DrawingInput("빨간 사과", 320, 256, 3)]

    def fault(self, inputs: Sequence[DrawingInput], outputs: Sequence[bytes], _languages: Sequence[str]) -> Text | None:
        """Say what is wrong with the pictures: no PNG, another size, one even colour."""
        for item, data in zip(inputs, outputs, strict=True):
            picture = opened(data)
            if picture is None:
                return _("What it drew is no PNG file.")
            if picture.size != (item.width, item.height):
                return _("What it drew has another size than was asked for.")
            if _look(picture).kind == "even":
                return _("What it drew is one even colour.")
        return None

    def count(self, languages: Sequence[str]) -> int:
        """Return how many pictures are drawn."""
        return len(golden(languages))

    def evaluate(self, predict: Predict[DrawingInput, bytes], _embed: Embed, languages: Sequence[str]) -> list[Scored]:
        """Draw each golden prompt; the score is how much of the picture has the asked colour."""
        scored: list[Scored] = []
        for case in golden(languages):
            width, height, seed = (cast("int", case[name]) for name in ("width", "height", "seed"))
            (data,) = predict([DrawingInput(str(case["prompt"]), width, height, seed)])
            language = cast("Language", str(case["id"]).partition(".")[0])
            score, seen = judged(data, str(case.get("colour", "")), size=(width, height))
            scored.append(Scored(str(case["id"]), language, score, shown(str(case["prompt"])), seen))
        return scored


def golden(languages: Sequence[str]) -> list[Case]:
    """Return the golden cases in those of our languages that a model knows."""
    return read_cases(*(FOLDER / f"{language}.jsonl" for language in wanted(languages)))


def judged(data: bytes, colour: str, *, size: tuple[int, int]) -> tuple[float, str]:
    """Return a picture's score, 0..1, and its colours in words."""
    picture = opened(data)
    if picture is None or picture.size != size:
        return 0.0, ""
    look = _look(picture)
    seen = ", ".join(f"{one.name} {one.share:.0%}" for one in look.colours)
    if not colour:
        return float(look.kind != "even"), seen
    share = sum(one.share for one in look.colours if one.name in NEAR.get(colour, (colour,)))
    return min(1.0, share / ENOUGH), seen


def opened(data: bytes) -> Image | None:
    """Return the picture in a PNG file's bytes, None where it is none."""
    from PIL import Image  # noqa: PLC0415 - heavy

    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as file:
            return file.convert("RGB")
    except (OSError, ValueError, SyntaxError, TypeError):
        return None


def _look(picture: Image) -> Look:
    return look_at(picture, size=picture.size, camera=False, tagged=False)
