"""The fonts that pictures are drawn with: one with Hangul where this machine has one, else the Latin one that comes with Pillow.

Owns: where systems keep fonts, which of them hold Hangul, and what stands for a sign that a font lacks. No font is brought along.

    fonts = fonts_here()
    fonts.hangul, fonts.regular(32)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from PIL import ImageFont
from PIL.ImageFont import FreeTypeFont

NAMES: Final = (
    ("Pretendard-Regular*", "Pretendard-Bold*"),
    ("NotoSansKR-Regular*", "NotoSansKR-Bold*"),
    ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"),
    ("NotoSansCJKkr-Regular*", "NotoSansCJKkr-Bold*"),
    ("NotoSansCJK-VF*", "NotoSansCJK-VF*"),
    ("SourceHanSansK*-Regular*", "SourceHanSansK*-Bold*"),
    ("AppleSDGothicNeo.ttc", "AppleSDGothicNeo.ttc"),
    ("malgun.ttf", "malgunbd.ttf"),
    ("NanumGothic.ttf", "NanumGothicBold.ttf"),
    ("NanumBarunGothic.ttf", "NanumBarunGothicBold.ttf"),
    ("UnDotum.ttf", "UnDotumBold.ttf"),
    ("gulim.ttc", "gulim.ttc"),
)
"""Regular and bold by their files' names, best first: of Linux (Noto, Nanum, Un), of macOS (Apple SD), of Windows (Malgun, Gulim)."""
MOST_FILES: Final = 20_000
"""Of one folder of fonts, looked at."""
_FACES: Final = 12
_INSTEAD: Final = {"−": "-", "…": "...", "→": ">", "·": "|", "–": "-", "“": '"', "”": '"', "’": "'", "✓": "", "✗": ""}
_MISSING: Final = "￿"


@dataclass(frozen=True, slots=True)
class Face:
    """One font: its file, "" for Pillow's own, and which face in the file."""

    file: str = ""
    index: int = 0

    def at(self, size: int) -> FreeTypeFont:
        """Return it at `size` pixels."""
        return _loaded(self, size)

    def shows(self, letter: str) -> bool:
        """Say whether it has a glyph for `letter`."""
        return letter.isspace() or _has(self, letter)


@dataclass(frozen=True, slots=True)
class Fonts:
    """The two weights that are drawn with."""

    regular: Face
    bold: Face

    @property
    def hangul(self) -> bool:
        """Whether Korean can be drawn."""
        return self.regular.shows("한") and self.regular.shows("글")

    def legible(self, text: str) -> str:
        """Return `text` with something else for what cannot be drawn."""
        return "".join(letter if self.regular.shows(letter) else _INSTEAD.get(letter, "?") for letter in text)


LATIN: Final = Fonts(Face(), Face())


@cache
def fonts_here() -> Fonts:
    """Return this machine's fonts; looked for once."""
    return found_in(tuple(_folders()))


def found_in(folders: Sequence[Path]) -> Fonts:
    """Return the best fonts with Hangul in `folders`, Pillow's own Latin one where there are none."""
    files = [file for folder in folders if folder.is_dir() for file in _files(folder)]
    for regular_name, bold_name in NAMES:
        regular = next((face for file in files if file.match(regular_name) and (face := _korean(file))), None)
        if regular is not None:
            bold = next((face for file in files if file.match(bold_name) and (face := _korean(file))), regular)
            return Fonts(regular, bold)
    return LATIN


def _folders() -> Iterator[Path]:
    """Yield where systems keep fonts. Source: fontconfig, fonts.conf; Apple, "Font locations"; Windows, CSIDL_FONTS."""
    home = Path.home()
    if sys.platform == "darwin":
        yield from (home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts"))
    elif sys.platform == "win32":
        yield from (Path("C:/Windows/Fonts"), home / "AppData/Local/Microsoft/Windows/Fonts")
    else:
        yield from (home / ".local/share/fonts", home / ".fonts", Path("/usr/local/share/fonts"), Path("/usr/share/fonts"))
        yield Path("/mnt/c/Windows/Fonts")  # under WSL


def _files(folder: Path) -> Iterator[Path]:
    for number, file in enumerate(folder.rglob("*")):
        if number >= MOST_FILES:
            return
        if file.suffix.lower() in (".ttf", ".ttc", ".otf"):
            yield file


def _korean(file: Path) -> Face | None:
    """Return the file's face for Korean; None where it has no Hangul, or is no font."""
    found = []
    for index in range(_FACES if file.suffix.lower() == ".ttc" else 1):
        face = Face(str(file), index)
        try:
            name = face.at(16).getname()[0] or ""
            if face.shows("한"):
                found.append((not name.endswith(("KR", "K")) or "Mono" in name, index, face))
        except (OSError, ValueError):
            break
    return min(found, key=lambda one: one[:2])[2] if found else None


@cache
def _loaded(face: Face, size: int) -> FreeTypeFont:
    if not face.file:
        own = ImageFont.load_default(size)
        if not isinstance(own, FreeTypeFont):
            msg = "Pillow was built without FreeType"
            raise OSError(msg)
        return own
    return ImageFont.truetype(face.file, size, index=face.index)


@cache
def _has(face: Face, letter: str) -> bool:
    font = face.at(24)
    return bytes(font.getmask(letter)) != bytes(font.getmask(_MISSING))
