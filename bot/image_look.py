"""What a picture's pixels tell without a model: its colours by name, whether it is a screenshot, how bright and sharp it is.

Owns: the measures and what follows from them, with the evidence named. It runs in the sandbox's child. Leaves to
`skills.caption` the words for all this.

    look_at(image, size=image.size, camera=False, tagged=False).colours[0].name      # "blue"
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    Array = NDArray[np.float64]

PictureKind = Literal["photo", "screenshot", "page", "graphic", "even", "unknown"]
Evidence = Literal["camera", "tag", "screen_size", "flat", "few_colours", "many_colours", "white_page", "one_colour"]

PROTOTYPES: Final[dict[str, tuple[str, ...]]] = {
    "black": ("000000", "161616"),
    "white": ("ffffff", "f2f2f2"),
    "grey": ("808080", "a9a9a9", "505050", "c8c8c8"),
    "red": ("e01b24", "b00000", "ff3b30"),
    "orange": ("ff8c00", "e66100", "ffa94d"),
    "yellow": ("ffd700", "f6d32d", "fff275"),
    "green": ("2ec27e", "008000", "7ac74f", "1e5631", "b6e388"),
    "turquoise": ("20b2aa", "40e0d0", "008b8b"),
    "light blue": ("87ceeb", "99c1f1", "bfe3f7"),
    "blue": ("1c71d8", "0000ff", "3a6ea5", "4169e1"),
    "navy": ("000060", "14213d", "1b2a4a"),
    "purple": ("813d9c", "6a0dad", "9b72cf"),
    "pink": ("ffb6c1", "ff69b4", "e6a1c4"),
    "brown": ("8b4513", "63452c", "a0714f"),
    "beige": ("f5e6c8", "d9c2a0", "e8d8c3"),
}
"""Examples of each name, in sRGB; a pixel has the name of the nearest in OKLab."""

SCREENS: Final = frozenset({
    (640, 1136), (750, 1334), (828, 1792), (1080, 1920), (1125, 2436), (1170, 2532), (1179, 2556), (1206, 2622), (1242, 2208),
    (1242, 2688), (1284, 2778), (1290, 2796), (1320, 2868), (720, 1280), (720, 1520), (720, 1600), (1080, 2160), (1080, 2220),
    (1080, 2280), (1080, 2316), (1080, 2340), (1080, 2400), (1080, 2408), (1440, 2560), (1440, 2960), (1440, 3040), (1440, 3088),
    (1440, 3120), (1440, 3200), (1536, 2048), (1620, 2160), (1640, 2360), (1668, 2388), (2048, 2732), (768, 1024), (768, 1366),
    (800, 1280), (900, 1440), (900, 1600), (1050, 1680), (1200, 1920), (1440, 3440), (1600, 2560), (1664, 2560), (1800, 2880),
    (1964, 3024), (2160, 3840), (2234, 3456), (1864, 2880),
})  # fmt: skip
"""Sizes in pixels of the screens of phones, tablets and computers, shorter side first."""

SAMPLE: Final = 160
FLAT_STEP: Final = 3
FLAT_SHARE: Final = 0.55
EVEN_SPAN: Final = 8
NOT_FLAT_SHARE: Final = 0.9
FEW_COLOURS: Final = 0.06
MANY_COLOURS: Final = 0.1
"""Shares of distinct colours in the sample: 21 drawings and screens had up to .054, seven photos from .18."""
PAGE_SHARE: Final = 0.6
LEAST_COLOUR: Final = 0.07
BLURRED_BELOW: Final = 12.0


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour's name and the share of the picture that has it, 0..1."""

    name: str
    share: float


@dataclass(frozen=True, slots=True)
class Look:
    """What the pixels tell. `certain` where the file itself says what it is (a camera's fields, a screenshot's mark)."""

    kind: PictureKind
    certain: bool
    evidence: tuple[Evidence, ...]
    colours: tuple[Colour, ...]
    brightness: float
    """Mean lightness, 0..1."""
    blurred: bool
    """True where no edge is sharp: of photos only."""


def look_at(image: Image, *, size: tuple[int, int], camera: bool, tagged: bool) -> Look:
    """Return what `image` (upright, RGB) looks like; `size` is that of the file, `camera` and `tagged` what its fields say."""
    lightness, colours = _colours(image)
    flat, distinct, white = _texture(image)
    even = max(high - low for low, high in image.getextrema()) <= EVEN_SPAN  # type: ignore[misc]
    kind, certain, evidence = _kind(
        on_screen=tuple(sorted(size)) in SCREENS,
        even=even,
        camera=camera,
        tagged=tagged,
        flat=flat,
        distinct=distinct,
        white=white,
    )
    blurred = kind == "photo" and _sharpness(image) < BLURRED_BELOW
    return Look(kind, certain, evidence, colours, round(lightness, 3), blurred)


def _kind(
    *, on_screen: bool, even: bool, camera: bool, tagged: bool, flat: float, distinct: float, white: float
) -> tuple[PictureKind, bool, tuple[Evidence, ...]]:
    """Return kind, certainty and evidence: fields before sizes, sizes before texture."""
    rules: tuple[tuple[bool, PictureKind, bool, tuple[Evidence, ...]], ...] = (
        (tagged, "screenshot", True, ("tag",)),
        (camera, "photo", True, ("camera",)),
        (even, "even", True, ("one_colour",)),
        (flat >= FLAT_SHARE and on_screen, "screenshot", False, ("screen_size", "flat")),
        (white >= PAGE_SHARE, "page", False, ("white_page",)),
        (flat >= FLAT_SHARE and distinct <= FEW_COLOURS, "graphic", False, ("flat", "few_colours")),
        (flat < NOT_FLAT_SHARE and distinct >= MANY_COLOURS, "photo", False, ("many_colours",)),
    )
    return next((rule[1:] for rule in rules if rule[0]), ("unknown", False, ()))


def _texture(image: Image) -> tuple[float, float, float]:
    """Return the share of pixels like their neighbours, of distinct colours in a sample, and of white paper.

    Measured in full resolution, in a grid of tiles: shrinking would smooth a photo's grain away.
    """
    import numpy as np  # noqa: PLC0415 - heavy, and in the child only

    step = max(1, (image.width * image.height // 1_000_000) // 2)
    pixels = np.asarray(image, dtype=np.int16)
    rows = pixels[::step]
    across = np.abs(np.diff(rows, axis=1)).max(axis=2) if image.width > 1 else np.zeros((1, 1))
    flat = float((across <= FLAT_STEP).mean())
    sample = pixels[:: max(1, image.height // SAMPLE), :: max(1, image.width // SAMPLE)].reshape(-1, 3)
    packed = (sample.astype(np.int32) // 4) @ np.array([4096, 64, 1], dtype=np.int32)
    distinct = len(np.unique(packed)) / len(packed)
    white = float(((sample.min(axis=1) > 200) & (np.ptp(sample, axis=1) < 24)).mean())  # noqa: PLR2004 - paper: light, hardly coloured
    return flat, distinct, white


def _sharpness(image: Image) -> float:
    """Return the 99th percentile of the Laplacian of the lightness (0..255) at 768 pixels: blurred edges are all soft.

    Source: Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy", with a percentile for the variance.
    """
    import numpy as np  # noqa: PLC0415 - as above

    small = image.convert("L")
    small.thumbnail((768, 768))
    grey = np.asarray(small, dtype=np.float64)
    if min(grey.shape) < 3:  # noqa: PLR2004 - no pixel has neighbours on all sides
        return 255.0
    inner = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return float(np.percentile(np.abs(inner), 99))


def _colours(image: Image) -> tuple[float, tuple[Colour, ...]]:
    """Return the mean lightness (0..1) and the names of the colours that cover at least 7 %, most first."""
    import numpy as np  # noqa: PLC0415 - as above
    from PIL.Image import Resampling  # noqa: PLC0415

    small = image.resize((min(SAMPLE, image.width), min(SAMPLE, image.height)), Resampling.BOX, reducing_gap=3.0)
    pixels = _oklab(np.asarray(small, dtype=np.float64).reshape(-1, 3) / 255)
    names = [name for name, examples in PROTOTYPES.items() for _example in examples]
    examples = np.array([list(bytes.fromhex(code)) for codes in PROTOTYPES.values() for code in codes], dtype=np.float64) / 255
    nearest = ((pixels[:, None, :] - _oklab(examples)[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
    shares: dict[str, float] = {}
    for index, count in zip(*np.unique(nearest, return_counts=True), strict=True):
        shares[names[index]] = shares.get(names[index], 0.0) + float(count) / len(pixels)
    ranked = sorted(shares.items(), key=lambda pair: -pair[1])
    return float(pixels[:, 0].mean()), tuple(Colour(name, round(share, 3)) for name, share in ranked[:4] if share >= LEAST_COLOUR)


def _oklab(rgb: Array) -> Array:
    """Return OKLab, float64 (n, 3), of sRGB in 0..1. Source: Ottosson 2020, "A perceptual color space for image processing"."""
    import numpy as np  # noqa: PLC0415 - as above

    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)  # noqa: PLR2004 - IEC 61966-2-1
    to_cones = np.array([
        [0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005],
    ])  # fmt: skip
    to_lab = np.array([
        [0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099], [0.0259040371, 0.7827717662, -0.8086757660],
    ])  # fmt: skip
    cones: Array = np.cbrt(linear @ to_cones.T)
    lab: Array = cones @ to_lab.T
    return lab
