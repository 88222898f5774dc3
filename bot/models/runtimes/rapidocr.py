"""RapidOCR: reads English with the models that its wheel carries, where Tesseract's data is not installed.

Owns: keeping it from fetching anything, its lines in reading order. The wheel's own models know no Hangul: what they make of Korean is
left out rather than told as text. A folder may bring another recogniser, such as a Korean one, to find text with the wheel's.

    model = load(spec, Path(), LoadOptions(threads=2))
    model.predict([ImageFile(path)])[0].languages        # ("en",)
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

from bot.errors import ModelError
from bot.locale import phrases
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import ImageFile, Reading
from bot.text.normal import normal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Boxes = NDArray[np.float32]

_ = phrases(__file__)

FILES: Final = {"Det": "*_det_*.onnx", "Cls": "*_cls_*.onnx", "Rec": "*_rec_*.onnx"}
"""The three models, in the wheel's folder `models`: where text is, which way up it stands, what it says."""
LEAST_SCORE: Final = 0.6
NAMED: Final = {"ko": "korean"}
"""How a recogniser's file or folder is named that knows a language, where a repository holds several."""
SCRIPTS: Final = {"ko": "HANGUL", "en": "LATIN"}
"""How Unicode's names of a language's letters begin."""


class _Found(Protocol):
    """What RapidOCR returns: boxes float32 (n, 4 corners, 2), the text in each and its score 0..1; None for no text."""

    boxes: Boxes | None
    txts: Sequence[str] | None
    scores: Sequence[float] | None


class _Engine(Protocol):
    def __call__(self, img_content: str) -> _Found: ...


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    score: float
    left: float
    top: float
    bottom: float


class RapidReader:
    """A loaded engine; one thread at a time may use it."""

    def __init__(self, engine: _Engine, languages: Sequence[str] = ("en",)) -> None:
        """Keep the engine, and the languages (ISO 639-1) that its recogniser knows."""
        self._engine: _Engine | None = engine
        self._languages = tuple(languages)

    def predict(self, batch: Sequence[ImageFile]) -> list[Reading]:
        """Return the text of each picture, line by line. Raises ModelError where a file is no decoded picture."""
        return [self._read(image.path) for image in batch]

    def close(self) -> None:
        """Release the engine's memory."""
        self._engine = None

    def _read(self, path: Path) -> Reading:
        if self._engine is None:
            raise ModelError(_("The text reader was unloaded while it was asked. Nothing was lost; please ask again."))
        if not path.is_file():
            raise ModelError(_("The text reader was given no picture. Nothing was lost; please send the picture again."))
        found = self._engine(str(path))
        pieces = [piece for piece in _pieces(found, self._languages) if piece.text and piece.score >= LEAST_SCORE]
        letters = sum(len(piece.text) for piece in pieces)
        confidence = sum(piece.score * len(piece.text) for piece in pieces) / letters if letters else 0.0
        text = "\n".join(" ".join(piece.text for piece in line) for line in _lines(pieces))
        return Reading(text, round(confidence, 3), "rapidocr", self._languages)


def load(spec: ModelSpec, folder: Path, options: LoadOptions) -> RapidReader:
    """Return the engine with the models of the wheel, and in place of each the one that `folder` holds.

    Raises:
        ModelError: the package or one of its models is missing.
    """
    known = tuple(language for language in SCRIPTS if language in spec.languages) or ("en",)
    files = {**(model_files() or {}), **_brought(folder, known)}
    if len(files) < len(FILES):
        raise ModelError(
            _("The package rapidocr is not installed, or without its models. Type: pip install rapidocr, and start again.")
        )
    from rapidocr import RapidOCR  # noqa: PLC0415 - brings OpenCV

    settings: dict[str, str | int] = {f"{part}.model_path": str(file) for part, file in files.items()}
    settings |= {
        "Global.log_level": "error",
        "EngineConfig.onnxruntime.intra_op_num_threads": max(1, options.threads),
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    return RapidReader(cast("_Engine", RapidOCR(params=settings)), known)


def available() -> bool:
    """Say whether the package is installed with all three models."""
    return model_files() is not None


def model_files() -> dict[str, Path] | None:
    """Return the model of each part in the wheel; None where one is missing."""
    package = find_spec("rapidocr")
    if package is None or not package.submodule_search_locations:
        return None
    folder = Path(next(iter(package.submodule_search_locations))) / "models"
    found = {part: sorted(folder.glob(pattern)) for part, pattern in FILES.items()}
    return {part: files[0] for part, files in found.items()} if all(found.values()) else None


def _brought(folder: Path, languages: Sequence[str]) -> dict[str, Path]:
    """Return the models that `folder` holds, by part; of several recognisers the one that is named after a language."""
    if folder == Path():
        return {}
    files = {part: sorted(folder.rglob(f"*{part.lower()}*.onnx")) for part in FILES}
    wanted = [NAMED[language] for language in languages if language in NAMED]
    return {
        part: next(
            (file for file in some if any(name in file.relative_to(folder).as_posix().lower() for name in wanted)), some[0]
        )
        for part, some in files.items()
        if some
    }


def _pieces(found: _Found, languages: Sequence[str]) -> list[_Piece]:
    if found.boxes is None or found.txts is None or found.scores is None:
        return []
    return [
        _Piece(_meant(text, languages), float(score), *_extent(box))
        for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
    ]


def _extent(box: Boxes) -> tuple[float, float, float]:
    return float(box[:, 0].min()), float(box[:, 1].min()), float(box[:, 1].max())


def _lines(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Gather the pieces that stand side by side into lines, top to bottom, left to right."""
    lines: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda one: one.top):
        middle = (piece.top + piece.bottom) / 2
        if lines and lines[-1][0].top <= middle <= lines[-1][0].bottom:
            lines[-1].append(piece)
        else:
            lines.append([piece])
    return [sorted(line, key=lambda one: one.left) for line in lines]


def _meant(text: str, languages: Sequence[str] = ("en",)) -> str:
    """Return the words of `text` in the languages' letters: Hangul comes out as Chinese signs, which nobody wrote."""
    scripts = tuple(SCRIPTS[language] for language in languages)
    words = ("".join(letter for letter in word if not _foreign(letter, scripts)) for word in normal("NFKC", text).split())
    kept = " ".join(word for word in words if word)
    told = sum(letter.isalnum() for letter in kept)
    meant = sum(letter.isalnum() for letter in text)
    return kept if told and told >= meant / 2 else ""


def _foreign(letter: str, scripts: tuple[str, ...]) -> bool:
    return letter.isalpha() and not unicodedata.name(letter, "").startswith(scripts)
