"""Tesseract 5 through tesserocr: reads Korean and English where the system has their data.

Owns: finding the data, the size and polarity that the engine reads best, which words are junk. Leaves to `bot.images` the
decoding and the turning that a file asks for, to `straighten` the other turns. Reads at most as many pixels as `bot.images` writes.

    model = load(spec, Path(), LoadOptions())
    model.predict([ImageFile(path)])[0].text        # "내일 오후 3시에 회의가 있어요."
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot import lazy
from bot.errors import ModelError
from bot.locale import phrases
from bot.models.runtimes.straighten import straightened, stretched
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import ImageFile, Reading

if TYPE_CHECKING:
    from PIL.Image import Image
    from tesserocr import PyResultIterator, PyTessBaseAPI

_ = phrases(__file__)

LANGUAGES: Final = (("kor", "ko"), ("eng", "en"))
"""Tesseract's names and ours. Korean first: with English first, spaces between Korean words come out wrong."""
FOLDERS: Final = (
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tesseract-ocr/4.00/tessdata",
    "/usr/share/tesseract-ocr/tessdata",
    "/usr/share/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
    "/opt/local/share/tessdata",
    "C:/Program Files/Tesseract-OCR/tessdata",
)
READABLE_HEIGHT: Final = (20, 45)
BEST_HEIGHT: Final = 30
"""Height of a line in pixels at which both languages are read best, and the range that is left as it is."""
LARGEST_SCALE: Final = 4.0
LARGEST_PIXELS: Final = 16_000_000
ADAPTIVE: Final = "2"
"""Sauvola's threshold, by neighbourhood: shadows on a page and coloured bubbles. On 25 made pictures it halved the errors."""
DARK_BELOW: Final = 110
"""Lightness (0..255) of a background under which the text on it is taken to be light, and both are inverted."""
TILE: Final = 16
TILES_AROUND: Final = 5
"""The background at a place is the median of 5 x 5 tiles of 16 pixels: wider than a letter's stroke, narrower than a button."""
LEAST_CONFIDENCE: Final = 40.0
COLUMN_LINES: Final = 4
TIME_LIMIT_MS: Final = 20_000
"""What one picture may take: the text that was read by then is returned. A page of 50 lines takes 1.5 s."""
PATIENCE_S: Final = 20.0
"""After that long no further turn of a picture is read: one of noise took the bot 100 s."""
CLEAR: Final = 0.8
"""Confidence from which a picture is not turned to be read again."""
BETTER: Final = 0.1
"""By how much the confidence in a turned picture must be above that of the picture as it stands."""
FAIR: Final = 0.6
"""Confidence below which what a turned picture says is taken for nothing."""
FEWEST_LETTERS: Final = 6
"""Letters of a turned picture below which it is no text: edges and grain read as one or two in any turn."""
LATIN: Final = lazy.compile(r"[A-Za-z!|.,']{2,8}")
HANGUL_ALONE: Final = lazy.compile(r"[가-힣]+[.,!?]?")
SURE: Final = 85.0
MARGIN: Final = 6


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    confidence: float
    spaced: bool
    """True where a space stands before it."""
    box: tuple[int, int, int, int] = (0, 0, 0, 0)


class Tesseract:
    """A loaded engine; one thread at a time may use it."""

    def __init__(self, engine: PyTessBaseAPI, languages: Sequence[str], *, korean: PyTessBaseAPI | None = None) -> None:
        """Keep the engine, the languages (ISO 639-1) that it was loaded with, and one that knows Korean alone."""
        self._engine: PyTessBaseAPI | None = engine
        self._korean = korean
        self._languages = tuple(languages)

    def predict(self, batch: Sequence[ImageFile]) -> list[Reading]:
        """Return the text of each picture, line by line. Raises ModelError where a file is no decoded picture."""
        return [self._read(image.path) for image in batch]

    def close(self) -> None:
        """Release the engine's memory."""
        for engine in (self._engine, self._korean):
            if engine is not None:
                engine.End()
        self._engine = self._korean = None

    def _read(self, path: Path) -> Reading:
        from PIL import Image  # noqa: PLC0415 - heavy

        if self._engine is None:
            raise ModelError(_("The text reader was unloaded while it was asked. Nothing was lost; please ask again."))
        try:
            with Image.open(path, formats=("PNG", "JPEG")) as file:
                grey = file.convert("L")
        except (OSError, ValueError, SyntaxError) as error:
            raise ModelError(
                _("The text reader was given no picture. Nothing was lost; please send the picture again.")
            ) from error
        try:
            return self._best(stretched(grey))
        finally:
            for engine in (self._engine, self._korean):
                if engine is not None:
                    engine.Clear()  # else it keeps the last picture: some 100 MB of a large one

    def _best(self, grey: Image) -> Reading:
        """Return what is read in the picture as it stands; where that is hardly text, in the turn of it that is."""
        begun = time.monotonic()
        best = self._as_it_stands(grey)
        if best.confidence >= CLEAR:
            return best
        for other in straightened(grey):
            if time.monotonic() - begun > PATIENCE_S:
                break
            reading = self._as_it_stands(other)
            if reading.confidence >= max(best.confidence + BETTER, FAIR) and len(reading.text) >= FEWEST_LETTERS:
                best = reading
            if best.confidence >= CLEAR:
                break
        return best

    def _as_it_stands(self, grey: Image) -> Reading:
        grey = _dark_on_light(grey)
        height, columns = self._layout(grey)
        grey = _scaled(grey, height)
        lines = [self._doubted(line, grey) for line in self._lines(grey, columns=columns)]
        return _reading(lines, self._languages)

    def _layout(self, grey: Image) -> tuple[float, bool]:
        """Return the median height of a line in pixels (0 where there is none), and whether text stands in columns."""
        from tesserocr import PSM, RIL, iterate_level  # noqa: PLC0415 - a library with a system part

        engine = self._engine
        assert engine is not None  # noqa: S101 - checked by the caller
        engine.SetPageSegMode(PSM.AUTO)
        engine.SetImage(grey)
        found = engine.AnalyseLayout()
        if found is None:
            return 0.0, False
        heights: list[int] = []
        blocks: dict[tuple[int, int, int, int], int] = {}
        for line in iterate_level(found, RIL.TEXTLINE):
            box, block = line.BoundingBox(RIL.TEXTLINE), line.BoundingBox(RIL.BLOCK)
            if box is not None and block is not None:
                heights.append(box[3] - box[1])
                blocks[block] = blocks.get(block, 0) + 1
        median = sorted(heights)[len(heights) // 2] if heights else 0
        return float(median), _in_columns([block for block, lines in blocks.items() if lines >= COLUMN_LINES])

    def _lines(self, grey: Image, *, columns: bool) -> list[list[_Word]]:
        from tesserocr import PSM, RIL, iterate_level  # noqa: PLC0415 - as above

        engine = self._engine
        assert engine is not None  # noqa: S101 - checked by the caller
        # The automatic layout loses the beginnings of Korean lines; one column keeps them, but mixes real columns.
        engine.SetPageSegMode(PSM.AUTO if columns else PSM.SINGLE_COLUMN)
        engine.SetImage(grey)
        engine.Recognize(TIME_LIMIT_MS)
        found = engine.GetIterator()
        if found is None:
            return []
        # Only the text of the whole page has the spaces right: word by word, Korean falls apart into syllables.
        rest = str(engine.GetUTF8Text())
        lines: list[list[_Word]] = [[]]
        for word in iterate_level(found, RIL.WORD):
            text = _text(word)
            before, _found, rest = rest.partition(text) if text else ("", "", rest)
            if "\n" in before:
                lines.append([])
            if text:
                box = word.BoundingBox(RIL.WORD) or (0, 0, 0, 0)
                lines[-1].append(_Word(text, float(word.Confidence(RIL.WORD)), before != "", box))
        return lines

    def _doubted(self, line: list[_Word], grey: Image) -> list[_Word]:
        """Read Latin words of a Korean line again as Korean: with both languages, 팀 becomes El, and 오류는 OFS."""
        if self._korean is None or not any(_hangul(word.text) for word in line):
            return line
        return [self._as_korean(word, grey) if LATIN.fullmatch(word.text) else word for word in line]

    def _as_korean(self, word: _Word, grey: Image) -> _Word:
        korean = self._korean
        assert korean is not None  # noqa: S101 - checked by the caller
        left, top, right, bottom = word.box
        korean.SetImage(grey.crop((left - MARGIN, top - MARGIN, right + MARGIN, bottom + MARGIN)).copy())
        text, confidence = "".join(korean.GetUTF8Text().split()), float(korean.MeanTextConf())
        sure = HANGUL_ALONE.fullmatch(text) is not None and confidence >= max(word.confidence, SURE)
        return replace(word, text=text, confidence=confidence) if sure else word


def load(spec: ModelSpec, folder: Path, options: LoadOptions) -> Tesseract:
    """Return the engine with Korean and English, as far as their data is installed.

    Raises:
        ModelError: tesserocr or the data is missing; the sentence says what to type.
    """
    del spec, options
    data = tessdata(folder)
    if data is None:
        raise ModelError(
            _(
                "Tesseract has no data for Korean or English here. Type: sudo apt install tesseract-ocr tesseract-ocr-kor, and ask again."
            )
        )
    try:
        with _one_thread():
            from tesserocr import PSM, PyTessBaseAPI  # noqa: PLC0415 - as above
    except ImportError as error:
        raise ModelError(_("The package tesserocr is not installed. Type: pip install tesserocr, and start again.")) from error
    names = installed(data)
    try:
        engine = PyTessBaseAPI(path=f"{data}{os.sep}", lang="+".join(names))
    except RuntimeError as error:
        raise ModelError(_("Tesseract does not start with the data in {folder}. Install it anew.", folder=str(data))) from error
    engine.SetVariable("thresholding_method", ADAPTIVE)
    ours = dict(LANGUAGES)
    korean = PyTessBaseAPI(path=f"{data}{os.sep}", lang="kor", psm=PSM.SINGLE_WORD) if len(names) > 1 else None
    return Tesseract(engine, [ours[name] for name in names], korean=korean)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Have the library that is loaded within compute on one thread: its own only get in each other's way.

    OpenMP reads this once, as it is loaded. What is loaded later, such as torch's, must not find it.
    """
    if "OMP_THREAD_LIMIT" in os.environ:
        yield
        return
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        yield
    finally:
        del os.environ["OMP_THREAD_LIMIT"]


def available() -> bool:
    """Say whether tesserocr is installed and the data of at least one language is found."""
    from importlib.util import find_spec  # noqa: PLC0415 - a start-up cost of those who ask

    return find_spec("tesserocr") is not None and tessdata() is not None


def tessdata(folder: Path | None = None) -> Path | None:
    """Return the folder with most of our languages: the model's own, TESSDATA_PREFIX, then the systems' usual ones."""
    prefix = os.environ.get("TESSDATA_PREFIX")
    named = [Path(prefix), Path(prefix) / "tessdata"] if prefix else []
    own = [folder] if folder is not None and folder != Path() else []
    found = [place for place in (*own, *named, *map(Path, FOLDERS)) if installed(place)]
    return max(found, key=lambda place: len(installed(place)), default=None)


@cache
def installed(folder: Path) -> tuple[str, ...]:
    """Return which of our languages, by Tesseract's names, have their data in `folder`."""
    return tuple(name for name, _ours in LANGUAGES if (folder / f"{name}.traineddata").is_file())


def _dark_on_light(grey: Image) -> Image:
    """Invert the parts of a picture whose background is dark: a side bar, a button, a screenshot in dark mode."""
    import numpy as np  # noqa: PLC0415 - the picture is small by now, the library is loaded anyway
    from PIL import Image, ImageFilter, ImageOps  # noqa: PLC0415

    across, down = -(-grey.width // TILE), -(-grey.height // TILE)
    pixels = np.pad(np.asarray(grey), ((0, down * TILE - grey.height), (0, across * TILE - grey.width)), mode="edge")
    tiles = np.median(pixels.reshape(down, TILE, across, TILE), axis=(1, 3)).astype(np.uint8)
    ground = Image.fromarray(tiles).filter(ImageFilter.MedianFilter(TILES_AROUND))
    dark = ground.point(lambda lightness: 255 if lightness < DARK_BELOW else 0)
    if dark.getextrema() == (0, 0):
        return grey
    mask = dark.resize((across * TILE, down * TILE), Image.Resampling.NEAREST).crop((0, 0, grey.width, grey.height))
    return Image.composite(ImageOps.invert(grey), grey, mask)


def _scaled(grey: Image, height: float) -> Image:
    low, high = READABLE_HEIGHT
    if height == 0 or low <= height <= high:
        return grey
    most = (LARGEST_PIXELS / (grey.width * grey.height)) ** 0.5
    scale = min(BEST_HEIGHT / height, LARGEST_SCALE, most)
    return grey.resize((max(1, round(grey.width * scale)), max(1, round(grey.height * scale))), reducing_gap=2.0)


def _in_columns(blocks: Sequence[tuple[int, int, int, int]]) -> bool:
    """Say whether two blocks of several lines stand side by side: beside each other in x, over half as high in common."""
    for index, (left, top, right, bottom) in enumerate(blocks):
        for other in blocks[index + 1 :]:
            shared = min(bottom, other[3]) - max(top, other[1])
            beside = right <= other[0] or other[2] <= left
            if beside and shared > min(bottom - top, other[3] - other[1]) / 2:
                return True
    return False


def _hangul(text: str) -> bool:
    return any("가" <= letter <= "힣" for letter in text)


def _text(word: PyResultIterator) -> str:
    from tesserocr import RIL  # noqa: PLC0415 - a library with a system part

    try:
        return str(word.GetUTF8Text(RIL.WORD)).strip()
    except RuntimeError:  # tesserocr's way to say that there is no text
        return ""


def _reading(lines: Sequence[Sequence[_Word]], languages: tuple[str, ...]) -> Reading:
    kept = [[word for word in line if _is_text(word)] for line in lines]
    words = [word for line in kept for word in line]
    letters = sum(len(word.text) for word in words)
    if not any(letter.isalnum() for word in words for letter in word.text):
        return Reading("", 0.0, "tesseract", languages)
    confidence = sum(word.confidence * len(word.text) for word in words) / letters / 100
    text = "\n".join("".join(f"{' ' if word.spaced else ''}{word.text}" for word in line).strip() for line in kept if line)
    return Reading(text, round(confidence, 3), "tesseract", languages)


def _is_text(word: _Word) -> bool:
    """Tell words from what edges and grain look like to the engine: under the floor, or marks alone and not sure."""
    marks_alone = not any(letter.isalnum() for letter in word.text)
    return word.confidence >= (LEAST_CONFIDENCE + 30 if marks_alone else LEAST_CONFIDENCE)
