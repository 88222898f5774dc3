"""Draws the golden pictures of the ocr skill from cases.yaml: `python -m skills.ocr.golden.make`.

The pictures are kept beside it, so that only a change of the cases needs the fonts (Noto CJK, DejaVu).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml
from PIL import Image, ImageDraw, ImageFilter, ImageFont

HERE = Path(__file__).parent
FONTS = {"ko": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", "en": "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"}
KOREAN_FACE = 1


@dataclass(frozen=True, slots=True)
class Case:
    """A picture's file, its text, how it is drawn."""

    file: str
    language: str
    text: str
    size: int
    ink: str
    paper: str
    shadow: bool = False
    tilt: float = 0.0
    sheet: bool = False
    """On a sheet that is half as high as wide; else a strip around the lines."""


def cases() -> list[Case]:
    """Return the cases of cases.yaml."""
    return [Case(**case) for case in yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8"))["cases"]]


def draw(case: Case) -> Image.Image:
    """Return the picture of a case."""
    font = ImageFont.truetype(FONTS[case.language], case.size, index=KOREAN_FACE if case.language == "ko" else 0)
    lines = case.text.strip().splitlines()
    width = round(max(font.getlength(line) for line in lines)) + 4 * case.size
    height = round((len(lines) * 2 + 2) * case.size)
    image = Image.new("L", (width, max(height, width // 2) if case.sheet else height), case.paper)
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        pen.text((2 * case.size, (1 + 2 * number) * case.size), line, font=font, fill=case.ink)
    if case.tilt:
        image = image.rotate(case.tilt, fillcolor=case.paper, resample=Image.Resampling.BICUBIC)
    if case.shadow:
        shade = Image.linear_gradient("L").rotate(90).resize(image.size).point(lambda step: 120 + step // 2)
        image = Image.composite(image, Image.new("L", image.size, "black"), shade).filter(ImageFilter.GaussianBlur(0.6))
    return image


def main() -> None:
    """Draw them all."""
    for case in cases():
        draw(case).save(HERE / case.file, optimize=True)
    Image.new("L", (320, 120), "white").save(HERE / "blank.png", optimize=True)


if __name__ == "__main__":
    main()
