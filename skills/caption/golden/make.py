"""Draws the golden pictures of the caption skill: `python -m skills.caption.golden.make`.

They are small, and hold what can be known without a model: colours, kind, orientation. cases.yaml says what must be seen.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageDraw

HERE = Path(__file__).parent
IPHONE_SE = (750, 1334)


def flag() -> Image.Image:
    """Return a drawing in two even colours, landscape."""
    image = Image.new("RGB", (300, 200), "#1c71d8")
    ImageDraw.Draw(image).ellipse((100, 50, 200, 150), fill="#ffd700")
    return image


def screen() -> Image.Image:
    """Return a screen of a phone: its size, a bar, bubbles."""
    image = Image.new("RGB", IPHONE_SE, "#f2f2f2")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 750, 110), fill="#008000")
    for row in range(6):
        pen.rounded_rectangle((40, 180 + row * 180, 520, 300 + row * 180), 24, fill="white")
    return image


def grain(*, seed: int = 7) -> Image.Image:
    """Return something like a photo: slopes of colour under grain."""
    chance = np.random.default_rng(seed)
    down, across = np.mgrid[0:240, 0:180]
    slopes = np.stack([120 + down / 3, 90 + across / 4, 60 + 40 * np.sin(across / 30)], axis=-1)
    return Image.fromarray(np.clip(slopes + chance.normal(0, 14, slopes.shape), 0, 255).astype(np.uint8))


def camera_fields() -> Image.Exif:
    """Return the fields of a phone's camera, which lay on its side."""
    fields = Image.Exif()
    fields[ExifTags.Base.Make], fields[ExifTags.Base.Model], fields[ExifTags.Base.Orientation] = "Example", "Phone 1", 6
    fields.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:11:20 10:11:12"
    return fields


INKS = {"red": "#d01c1c", "blue": "#1c4fd0", "green": "#1c9a3c", "yellow": "#f2c800", "black": "#101010"}
SHAPES = ("circle", "square", "triangle", "star")


def shape(ink: str, name: str) -> Image.Image:
    """Return one shape in one colour on white: what any captioner can say."""
    image = Image.new("RGB", (640, 640), "white")
    pen = ImageDraw.Draw(image)
    match name:
        case "circle":
            pen.ellipse((140, 140, 500, 500), fill=ink)
        case "square":
            pen.rectangle((140, 140, 500, 500), fill=ink)
        case "triangle":
            pen.polygon(((320, 120), (520, 500), (120, 500)), fill=ink)
        case _:
            turns = np.arange(10) * np.pi / 5
            reach = np.where(np.arange(10) % 2, 90, 230)
            pen.polygon(list(zip(320 + reach * np.sin(turns), 330 - reach * np.cos(turns), strict=True)), fill=ink)
    return image.resize((160, 160), Image.Resampling.LANCZOS).quantize(16).convert("RGB")


def main() -> None:
    """Draw them all."""
    for name in SHAPES:
        for ink, colour in INKS.items():
            shape(colour, name).save(HERE / f"{ink}-{name}.png", optimize=True)
    flag().save(HERE / "flag.png", optimize=True)
    screen().save(HERE / "screen.png", optimize=True)
    grain().save(HERE / "grain.jpg", quality=88)
    grain().save(HERE / "camera.jpg", quality=88, exif=camera_fields())


if __name__ == "__main__":
    main()
