"""The gate of the captioners: drawn shapes, each in one colour, of which both must be named.

Owns: the `shapes` of golden/cases.yaml with their pictures. The score of a picture is the share of its two points that the caption names.
Photographs are not among them: there are none of our own, so the gate tells whether a captioner sees, not how well it tells a scene.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from bot.locale import Language, Text, phrases
from bot.models.gates.golden import shown, wanted
from bot.models.presets import read_yaml
from bot.models.tasks import CAPTION, Caption, ImageFile
from bot.models.trial import Embed, Predict, Scored

if TYPE_CHECKING:
    from collections.abc import Mapping

_ = phrases(__file__)

HERE: Final = Path(__file__).parent / "golden"
CANARIES: Final = ("red-circle.png", "blue-square.png")
LONGEST: Final = 1000


@dataclass(frozen=True, slots=True)
class Shape:
    """A picture, and the words of which one of each group must stand in its caption."""

    file: str
    language: Language
    groups: tuple[tuple[str, ...], ...]


class CaptionGate:
    """Tries models of the slot `caption`."""

    slot = CAPTION
    metric = "points named"
    tolerance = 0.05

    def canaries(self) -> Sequence[ImageFile]:
        """Return two pictures that have nothing in common."""
        return [ImageFile(HERE / name) for name in CANARIES]

    def fault(self, _inputs: Sequence[ImageFile], outputs: Sequence[Caption], _languages: Sequence[str]) -> Text | None:
        """Say what is wrong with the captions: none, endless, or one for everything."""
        if not all(made.text.strip() for made in outputs):
            return _("It found no words for a picture.")
        if any(len(made.text) > LONGEST for made in outputs):
            return _("It does not come to an end about a picture.")
        return _("It says the same of different pictures.") if len({made.text for made in outputs}) == 1 else None

    def count(self, languages: Sequence[str]) -> int:
        """Return how many pictures are described."""
        return len({case.file for case in golden(languages)})

    def evaluate(self, predict: Predict[ImageFile, Caption], _embed: Embed, languages: Sequence[str]) -> list[Scored]:
        """Describe each picture once; the score is the share of its points that are named, by language."""
        scored: list[Scored] = []
        said: dict[str, str] = {}
        for case in golden(languages):
            if case.file not in said:
                (made,) = predict([ImageFile(HERE / case.file)])
                said[case.file] = made.text
            named = [_names(said[case.file], group) for group in case.groups]
            asked = " + ".join(group[0] for group in case.groups)
            name = f"{case.language}-{case.file}"
            scored.append(Scored(name, case.language, sum(named) / len(named), asked, shown(said[case.file])))
        return scored


def golden(languages: Sequence[str]) -> list[Shape]:
    """Return the golden cases in those of our languages that a model knows."""
    return list(_shapes(wanted(languages)))


def _shapes(languages: Sequence[Language]) -> Iterator[Shape]:
    said = cast("Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]", read_yaml(HERE / "cases.yaml")["shapes"])
    for language in languages:
        for shape, names in said["shapes"].items():
            for ink, colours in said["inks"].items():
                yield Shape(f"{ink}-{shape}.png", language, (tuple(colours[language]), tuple(names[language])))


def _names(caption: str, words: Sequence[str]) -> bool:
    """Say whether a word of the caption begins with one of `words`."""
    return any(re.search(rf"(?<!\w){re.escape(word)}", caption.casefold()) for word in words)
