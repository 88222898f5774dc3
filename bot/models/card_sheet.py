"""A sheet to draw a report card on: text that never leaves its place, bars with whiskers, and a note of where each text stands.

Owns: fonts, colours, cutting and wrapping. Leaves what is drawn to `bot.models.card_picture`. Lengths are pixels of a sheet 1,080 wide,
which a phone shows at some 40 %: 26 pixels are the smallest letters that are read there.

    sheet = Sheet(fonts)
    sheet.text("Report card", 48, 40, size=30)
    sheet.png(height=900)
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image, ImageDraw

from bot.models.card_font import Face, Fonts

WIDTH: Final = 1080
MARGIN: Final = 48
INNER: Final = WIDTH - 2 * MARGIN
TALLEST: Final = 4000
SMALL, BODY, LARGE, TITLE = 26, 30, 36, 54
INK, MUTED, LINE, PANEL = "#1b2330", "#5b6675", "#d5dbe3", "#eef1f5"
LIVE, TRIED, GOOD, BAD = "#8b97a8", "#2563eb", "#15803c", "#b91c1c"
_LEADING: Final = 1.4
_LEAST_BAR: Final = 3
_FINER: Final = 4

Align = Literal["left", "right", "center"]


@dataclass(frozen=True, slots=True)
class Box:
    """Where a text was drawn: its ink, left, top, right and bottom."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


class Sheet:
    """A light sheet, as tall as it needs to be."""

    def __init__(self, fonts: Fonts) -> None:
        """Draw with `fonts`."""
        self.boxes: list[Box] = []
        self.cut: list[str] = []
        """What was shortened to fit, as it was before."""
        self._fonts = fonts
        self._image = Image.new("RGB", (WIDTH, TALLEST), "white")
        self._draw = ImageDraw.Draw(self._image)

    def text(
        self, text: str, x: float, y: float, *, size: int = BODY, colour: str = INK, bold: bool = False, width: float = INNER,
        align: Align = "left",
    ) -> float:  # fmt: skip
        """Draw one line in `width` pixels beside `x`, its top at `y`, cut in the middle where it is longer; return its height.

        `align` says which side of the text stands at `x`.
        """
        face = self._fonts.bold if bold else self._fonts.regular
        whole = self._fonts.legible(" ".join(text.split()))
        shown = self._fitting(whole, face, size, width)
        if shown != whole:
            self.cut.append(text)
        length = self._length(shown, face, size)
        left = x - {"left": 0.0, "right": length, "center": length / 2}[align]
        self._put(shown, left, y, size, colour, bold=bold)
        return size * _LEADING

    def paragraph(self, text: str, x: float, y: float, *, width: float, lines: int, size: int = BODY, colour: str = INK) -> float:
        """Draw `text` in at most `lines` lines of `width` pixels, the last one cut where there is more; return its height."""
        face = self._fonts.regular
        wrapped = self._wrapped(self._fonts.legible(text), face, size, width)
        if len(wrapped) > lines:
            self.cut.append(text)
            wrapped = [*wrapped[: lines - 1], self._fitting(" ".join(wrapped[lines - 1 :]), face, size, width, at_end=True)]
        for number, line in enumerate(wrapped):
            self._put(line, x, y + number * size * _LEADING, size, colour)
        return len(wrapped) * size * _LEADING

    def length(self, text: str, *, size: int = BODY, bold: bool = False) -> float:
        """Return how wide one line of `text` is."""
        return self._length(self._fonts.legible(text), self._fonts.bold if bold else self._fonts.regular, size)

    def bar(self, x: float, y: float, length: float, height: float, colour: str) -> None:
        """Draw a bar from `x` to the right; one of no length is seen as a line."""
        self._draw.rounded_rectangle((x, y, x + max(length, _LEAST_BAR), y + height), radius=min(6, height / 2), fill=colour)

    def whisker(self, low: float, high: float, y: float, *, height: float, colour: str = INK) -> None:
        """Draw an interval from `low` to `high` around the line `y`."""
        self._draw.line((low, y, high, y), fill=colour, width=3)
        for end in (low, high):
            self._draw.line((end, y - height / 2, end, y + height / 2), fill=colour, width=3)

    def line(self, x: float, y: float, to_x: float, to_y: float, colour: str = LINE, width: int = 2) -> None:
        """Draw a line."""
        self._draw.line((x, y, to_x, to_y), fill=colour, width=width)

    def pill(self, text: str, right: float, y: float, colour: str) -> None:
        """Draw `text` in white on a rounded ground that ends at `right`."""
        width, height = self.length(text, size=LARGE, bold=True) + 56, 72
        ground = Image.new("L", (int(width) * _FINER, height * _FINER))
        ImageDraw.Draw(ground).rounded_rectangle((0, 0, *ground.size), radius=ground.height / 2, fill=255)
        smooth = ground.resize((int(width), height), Image.Resampling.LANCZOS)
        self._image.paste(colour, (int(right - width), int(y)), smooth)
        self.text(
            text, right - width / 2, y + (height - LARGE * _LEADING) / 2, size=LARGE, colour="white", bold=True, align="center"
        )

    def png(self, *, height: float) -> bytes:
        """Return the sheet down to `height` as a PNG file's bytes."""
        held = io.BytesIO()
        self._image.crop((0, 0, WIDTH, int(height))).save(held, "PNG")
        return held.getvalue()

    def _put(self, text: str, x: float, y: float, size: int, colour: str, *, bold: bool = False) -> None:
        font = (self._fonts.bold if bold else self._fonts.regular).at(size)
        middle = y + size * _LEADING / 2
        heavier = int(bold and self._fonts.bold == self._fonts.regular)
        self._draw.text((x, middle), text, font=font, fill=colour, anchor="lm", stroke_width=heavier, stroke_fill=colour)
        left, top, right, bottom = self._draw.textbbox((x, middle), text, font=font, anchor="lm")
        self.boxes.append(Box(text, left, top, right, bottom))

    def _length(self, text: str, face: Face, size: int) -> float:
        return float(self._draw.textlength(text, font=face.at(size)))

    def _fitting(self, text: str, face: Face, size: int, width: float, *, at_end: bool = False) -> str:
        """Return `text` as it fits: of a name both ends tell most, of a sentence its beginning."""
        length = self._length(text, face, size)
        if length <= width:
            return text
        dots = self._fonts.legible("…")
        for kept in range(min(len(text) - 1, int(1.5 * len(text) * width / length)), 0, -1):
            front = kept if at_end else (kept + 1) // 2
            shown = text[:front].rstrip() + dots + text[len(text) - (kept - front) :]
            if self._length(shown, face, size) <= width:
                return shown
        return dots

    def _wrapped(self, text: str, face: Face, size: int, width: float) -> list[str]:
        lines: list[str] = []
        for word in text.split():
            joined = f"{lines[-1]} {word}" if lines else word
            if lines and self._length(joined, face, size) <= width:
                lines[-1] = joined
            else:
                lines += self._broken(word, face, size, width)
        return lines

    def _broken(self, word: str, face: Face, size: int, width: float) -> list[str]:
        """Return a word that is longer than a line in pieces that are not."""
        pieces = [""]
        for letter in word:
            if pieces[-1] and self._length(pieces[-1] + letter, face, size) > width:
                pieces.append("")
            pieces[-1] += letter
        return pieces
