"""Reads picture files. Its functions run in the sandbox's child; `opened` is the parent's way to them.

Owns: which formats are read, the pixel cap before anything is decoded, upright RGB pixels for the models, and the
sentence for each file that cannot be read. Leaves to `bot.image_look` what the pixels tell.

    async with opened(kit.sandbox, path, megapixels=settings.limits.image_megapixels) as picture:
        await kit.models.run(OCR, [ImageFile(picture.path)])
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import struct
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from bot.errors import TooLargeError, UnreadableError
from bot.image_look import Look, look_at
from bot.locale import Text, phrases

if TYPE_CHECKING:
    from PIL.Image import Image

    from bot.sandbox import Json
    from bot.skill import Sandbox

_ = phrases(__file__)

Kind = TypeVar("Kind")

FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "AVIF", "ICO")
"""What Pillow may try: neither EPS, which runs Ghostscript, nor formats that nobody sends."""
HEIC_BRANDS: Final = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
"""Source: ISO/IEC 23008-12, brands of HEIF files whose pictures are coded in HEVC."""
BROKEN: Final = (
    OSError, ValueError, SyntaxError, TypeError, KeyError, IndexError, EOFError, ArithmeticError, RuntimeError, struct.error,
)  # fmt: skip
"""What Pillow and its codecs raise over a broken file; anything else is told by the sandbox."""
MILLION: Final = 1_000_000
READ_PIXELS: Final = 12 * MILLION
"""What a model is given at most: text on a page that a phone photographed is still large enough."""
LONGEST_SIDE: Final = 30_000
"""Tesseract's limit is 32,767 pixels a side."""
LEAST_SHARE: Final = 0.1
"""A cut picture of which less than this share arrived is no picture."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a picture's header says: size in pixels as it is seen (turned by EXIF), and what made it."""

    format: str
    width: int
    height: int
    frames: int
    camera: str = ""
    taken_at: str = ""
    """ISO 8601, without a zone, as the camera's clock stood; "" where it is not told."""
    screenshot_tag: bool = False


@dataclass(frozen=True, slots=True)
class Examined:
    """A picture that was decoded: its header, its look, and the file of upright RGB pixels that was written."""

    path: Path
    width: int
    height: int
    inspection: Inspection
    look: Look
    arrived: float = 1.0
    """The share of its rows that the file holds: under 1 for a file that is cut off."""


def cut_off(arrived: float) -> Text:
    """Return the sentence on a picture of whose rows only the share `arrived` (under 1) is in its file."""
    return _(
        "The file is cut off: only the upper {percent} % of the picture arrived, and I read that.", percent=round(100 * arrived)
    )


@asynccontextmanager
async def opened(
    sandbox: Sandbox, path: Path, *, megapixels: float, max_side: int = LONGEST_SIDE, allow_cut: bool = True
) -> AsyncIterator[Examined]:
    """Decode a picture in the sandbox; its pixels lie in a file that is gone after the `with`.

    Raises:
        TooLargeError: over `megapixels`; nothing was decoded.
        UnreadableError: no picture, a broken one, or one of a kind that is not read.
    """
    async with scratch(sandbox) as folder:
        arguments: dict[str, Json] = {
            "path": str(path),
            "folder": str(folder),
            "megapixels": megapixels,
            "max_side": max_side,
            "allow_cut": allow_cut,
        }
        yield await sandbox.call_as(Examined, "bot.images:examine", arguments)


@asynccontextmanager
async def scratch(sandbox: Sandbox) -> AsyncIterator[Path]:
    """Make a folder for what a child of `sandbox` writes, and remove it."""
    folder = await asyncio.to_thread(lambda: Path(tempfile.mkdtemp(prefix="paring-", dir=sandbox.folder)))
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def inspect(path: str, megapixels: float) -> Inspection:
    """Return what the header says, without decoding. Raises as `opened`."""
    with _open(Path(path), megapixels) as image:
        return _inspection(image)


def normalise(path: str, out: str, megapixels: float, max_side: int = LONGEST_SIDE) -> tuple[int, int]:
    """Write the first frame, upright and RGB, to `out` (its suffix is the format); return its size. Raises as `opened`.

    A cut file is refused: who wants what is left of it calls `examine`.
    """
    with _open(Path(path), megapixels) as image:
        pixels, _arrived = _decode(image, Path(path), allow_cut=False)
    pixels = _bounded(pixels, max_side)
    _write(pixels, Path(out))
    return pixels.size


def examine(path: str, folder: str, megapixels: float, max_side: int = LONGEST_SIDE, *, allow_cut: bool = True) -> Examined:
    """Decode once: write upright RGB pixels into `folder` and tell what they look like. Raises as `opened`."""
    with _open(Path(path), megapixels) as image:
        told = _inspection(image)
        pixels, arrived = _decode(image, Path(path), allow_cut=allow_cut)
    look = look_at(pixels, size=(told.width, told.height), camera=bool(told.camera), tagged=told.screenshot_tag)
    pixels = _bounded(pixels, max_side)
    out = Path(folder) / ("pixels.jpg" if told.format in ("JPEG", "MPO") else "pixels.png")
    _write(pixels, out)
    return Examined(out, pixels.width, pixels.height, told, look, arrived)


@contextmanager
def _open(path: Path, megapixels: float) -> Iterator[Image]:
    """Open a picture and check its size before anything is decoded."""
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415 - heavy, and in the child only

    Image.init()  # the formats that are named below must be known by then
    Image.MAX_IMAGE_PIXELS = None  # our own cap is stricter, and tells a sentence
    try:
        image = Image.open(path, formats=FORMATS)
    except UnidentifiedImageError:
        raise _no_picture(path) from None
    except BROKEN as error:
        raise _broken() from error
    with image:
        count = image.width * image.height / MILLION
        if count > megapixels:
            raise TooLargeError(
                _(
                    "This picture has {count} megapixels; I read up to {limit}. Nothing was kept; please send it smaller.",
                    count=f"{count:.3g}",
                    limit=f"{megapixels:g}",
                )
            )
        yield image


def _inspection(image: Image) -> Inspection:
    from PIL.ExifTags import IFD, Base  # noqa: PLC0415 - as above

    try:
        exif = image.getexif()
        details = exif.get_ifd(IFD.Exif)
        frames = int(getattr(image, "n_frames", 1))
    except BROKEN:  # broken details, maybe a good picture
        exif, details, frames = {}, {}, 1  # type: ignore[assignment]
    comment = f"{details.get(Base.UserComment, '')} {image.info.get('Software', '')} {image.info.get('Comment', '')}"
    turned = exif.get(Base.Orientation, 1) in (5, 6, 7, 8)
    width, height = (image.height, image.width) if turned else image.size
    maker, model = (str(exif.get(tag, "")).strip("\x00 ") for tag in (Base.Make, Base.Model))
    shot = Base.ExposureTime in details or Base.FNumber in details
    camera = " ".join(dict.fromkeys(f"{maker} {model}".split())) or ("?" if shot else "")
    return Inspection(
        image.format or "",
        width,
        height,
        frames,
        camera=_clean(camera)[:60],
        taken_at=_moment(str(details.get(Base.DateTimeOriginal, ""))),
        screenshot_tag="screenshot" in comment.lower(),
    )


def _decode(image: Image, path: Path, *, allow_cut: bool) -> tuple[Image, float]:
    """Return upright RGB pixels of the first frame, and the share of its rows that arrived."""
    from PIL import ImageOps  # noqa: PLC0415 - as above

    arrived = 1.0
    try:
        image.load()
    except BROKEN as error:
        if not allow_cut:
            raise _broken() from error
        image, arrived = _what_arrived(path)
    with contextlib.suppress(*BROKEN):  # a broken EXIF block: as it lies
        ImageOps.exif_transpose(image, in_place=True)
    return _rgb(image), arrived


def _what_arrived(path: Path) -> tuple[Image, float]:
    """Return the rows that a cut file holds, and their share; the rest would be grey that nobody photographed."""
    from PIL import Image, ImageFile  # noqa: PLC0415 - as above

    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        again = Image.open(path, formats=FORMATS)
        again.load()
    except BROKEN as error:
        raise _broken() from error
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
    rows = _rows_with_pixels(again)
    arrived = rows / again.height
    if arrived < LEAST_SHARE:
        raise _broken()
    exif = again.getexif()
    kept = again.crop((0, 0, again.width, rows))
    kept.info = again.info | {"exif": exif.tobytes()} if exif else again.info
    return kept, arrived


def _rows_with_pixels(image: Image) -> int:
    """Return how many rows there are above the even filling at the end of a cut picture."""
    import numpy as np  # noqa: PLC0415 - as above

    rows = np.asarray(image.convert("L"), dtype=np.int16)
    filling = rows[-1, -1]
    pictured = np.nonzero((rows != filling).any(axis=1))[0]
    return int(pictured[-1]) + 1 if len(pictured) else 0


def _rgb(image: Image) -> Image:
    """Return the picture on white, in RGB: deep greys are scaled, transparency is paper."""
    import numpy as np  # noqa: PLC0415 - as above
    from PIL import Image  # noqa: PLC0415

    if image.mode.startswith(("I", "F")):
        deep = np.nan_to_num(np.asarray(image, dtype=np.float64))
        span = max(float(np.ptp(deep)), 1.0)
        image = Image.fromarray(((deep - deep.min()) * (255.0 / span)).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return image.convert("RGB")


def _bounded(image: Image, max_side: int) -> Image:
    scale = min(1.0, max_side / max(image.size), (READ_PIXELS / (image.width * image.height)) ** 0.5)
    if scale >= 1:
        return image
    return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), reducing_gap=2.0)


def _write(image: Image, out: Path) -> None:
    if out.suffix == ".jpg":
        image.save(out, "JPEG", quality=95, subsampling=0)
    else:
        image.save(out, "PNG", compress_level=1)


def _moment(text: str) -> str:
    """Return EXIF's `2026:11:23 14:02:05` as ISO 8601, "" where it is none. Source: EXIF 2.32, 4.6.5."""
    from datetime import datetime  # noqa: PLC0415 - as above

    try:
        return datetime.strptime(text.strip("\x00 "), "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007 - a camera's clock
    except ValueError:
        return ""


def _clean(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())


def _no_picture(path: Path) -> UnreadableError:
    """Return the sentence for a file that is none of the formats: what it is, and what to send instead."""
    with path.open("rb") as file:
        head = file.read(1024)
    if not head:
        return UnreadableError(_("This file is empty. Nothing was kept; please send it again."))
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        return UnreadableError(
            _(
                "This is a HEIC picture, which I cannot read. Nothing was kept; please send it as JPEG "
                "(on an iPhone: Settings, Camera, Formats, Most Compatible)."
            )
        )
    if b"<svg" in head.lower():
        return UnreadableError(
            _("This is an SVG drawing, which I do not open. Nothing was kept; please export it as PNG and send that.")
        )
    if head.startswith(b"%PDF"):
        return UnreadableError(_("This is a PDF, not a picture. Nothing was kept; please send it as a file with the name .pdf."))
    return UnreadableError(
        _(
            "This is not a picture that I know, whatever its name says. Nothing was kept; I read JPEG, PNG, GIF, WebP, TIFF, BMP and AVIF."
        )
    )


def _broken() -> UnreadableError:
    return UnreadableError(
        _("This picture is cut off or damaged, so there is nothing to see. Nothing was kept; please send it again.")
    )
