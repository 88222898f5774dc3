"""Reading picture files: what is decoded, what is refused, and with which sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from bot.errors import ParingError, TooLargeError, UnreadableError
from bot.images import examine, inspect, normalise, opened
from bot.locale import LANGUAGES
from bot.sandbox import Sandbox

SAVERS: dict[str, Callable[[Image.Image, Path], None]] = {
    "a.png": lambda image, path: image.save(path),
    "a.jpg": lambda image, path: image.save(path, quality=95),
    "a.webp": lambda image, path: image.save(path, lossless=True),
    "a.bmp": lambda image, path: image.save(path),
    "a.tiff": lambda image, path: image.save(path, compression="tiff_lzw"),
    "a.avif": lambda image, path: image.save(path, quality=95),
    "a.gif": lambda image, path: image.save(path),
}


@pytest.fixture
def grain() -> Image.Image:
    chance = np.random.default_rng(3)
    return Image.fromarray(chance.integers(0, 255, (300, 400, 3), dtype=np.uint8))


@pytest.mark.parametrize("name", SAVERS)
def test_every_format_is_written_as_upright_rgb(name: str, tmp_path: Path) -> None:
    SAVERS[name](Image.new("RGB", (60, 40), (200, 30, 40)), tmp_path / name)
    seen = examine(str(tmp_path / name), str(tmp_path), 40)
    with Image.open(seen.path) as pixels:
        assert pixels.mode == "RGB"
        assert pixels.size == (seen.width, seen.height) == (60, 40)
        assert np.abs(np.asarray(pixels.getpixel((30, 20))) - (200, 30, 40)).max() < 12
    assert seen.arrived == 1


def test_the_camera_s_turn_is_undone_and_its_fields_are_told(tmp_path: Path) -> None:
    fields = Image.Exif()
    fields[ExifTags.Base.Orientation], fields[ExifTags.Base.Make], fields[ExifTags.Base.Model] = 6, "Apple", "Apple iPhone 15\x00"
    fields.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:11:20 10:11:12"
    image = Image.new("RGB", (80, 40), "white")
    image.paste("black", (0, 0, 40, 40))
    image.save(tmp_path / "a.jpg", exif=fields, quality=95)
    seen = examine(str(tmp_path / "a.jpg"), str(tmp_path), 40)
    assert (seen.inspection.width, seen.inspection.height, seen.width, seen.height) == (40, 80, 40, 80)
    assert (seen.inspection.camera, seen.inspection.taken_at) == ("Apple iPhone 15", "2026-11-20T10:11:12")
    with Image.open(seen.path) as pixels:
        assert pixels.convert("L").getpixel((20, 10)) < 50 < pixels.convert("L").getpixel((20, 70))


@pytest.mark.parametrize(("name", "options"), [("a.png", {}), ("a.gif", {}), ("a.webp", {"lossless": True}), ("a.tiff", {})])
def test_of_several_frames_the_first_is_read(name: str, options: dict[str, bool], tmp_path: Path) -> None:
    frames = [Image.new("RGB", (50, 50), colour) for colour in ("red", "blue", "green")]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
    seen = examine(str(tmp_path / name), str(tmp_path), 40)
    assert seen.inspection.frames == 3
    assert seen.look.colours[0].name == "red"


def test_transparency_is_paper(tmp_path: Path) -> None:
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert examine(str(tmp_path / "a.png"), str(tmp_path), 40).look.colours[0].name == "white"


def test_deep_greys_are_scaled(tmp_path: Path) -> None:
    steps = np.linspace(0, 40_000, 2500).reshape(50, 50).astype(np.uint16)
    Image.fromarray(steps).save(tmp_path / "a.png")
    with Image.open(examine(str(tmp_path / "a.png"), str(tmp_path), 40).path) as pixels:
        low, high = pixels.convert("L").getextrema()
        assert low == 0
        assert high >= 254


def test_a_picture_over_the_cap_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("1", (5000, 2000)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "load", lambda _image: pytest.fail("decoded"))
    for read in (lambda path: examine(path, str(tmp_path), 9.5), lambda path: inspect(path, 9.5)):
        with pytest.raises(TooLargeError, match=r"10 megapixels; I read up to 9\.5"):
            read(str(tmp_path / "a.png"))


def test_large_pictures_are_made_smaller_for_the_models(tmp_path: Path) -> None:
    Image.new("L", (6000, 4000), 90).save(tmp_path / "a.png")
    seen = examine(str(tmp_path / "a.png"), str(tmp_path), 40)
    assert (seen.inspection.width, seen.inspection.height) == (6000, 4000)
    assert 11_900_000 < seen.width * seen.height <= 12_000_000
    assert seen.width / seen.height == pytest.approx(1.5, abs=0.01)


def test_normalise_bounds_the_longer_side(tmp_path: Path, grain: Image.Image) -> None:
    grain.save(tmp_path / "a.png")
    assert tuple(normalise(str(tmp_path / "a.png"), str(tmp_path / "out.jpg"), 40, 100)) == (100, 75)
    with Image.open(tmp_path / "out.jpg") as pixels:
        assert pixels.format == "JPEG"


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_of_a_cut_file_what_arrived_is_read_and_how_much_is_told(name: str, tmp_path: Path, grain: Image.Image) -> None:
    grain.save(tmp_path / name)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    seen = examine(str(tmp_path / name), str(tmp_path), 40)
    assert 0.3 < seen.arrived < 0.7
    assert seen.height == pytest.approx(300 * seen.arrived, abs=1)
    assert seen.inspection.height == 300


def test_a_cut_file_is_refused_by_who_wants_all_of_it(tmp_path: Path, grain: Image.Image) -> None:
    grain.save(tmp_path / "a.jpg")
    data = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableError, match="cut off or damaged"):
        normalise(str(tmp_path / "a.jpg"), str(tmp_path / "out.png"), 40)


def test_a_file_that_is_cut_in_its_head_is_refused(tmp_path: Path, grain: Image.Image) -> None:
    grain.save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:640])
    with pytest.raises(UnreadableError, match="cut off or damaged"):
        examine(str(tmp_path / "a.jpg"), str(tmp_path), 40)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "This file is empty"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1", "HEIC picture"),
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG drawing"),
        (b"%PDF-1.7\n", "This is a PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a picture that I know"),
        (b"hello", "not a picture that I know"),
    ],
)
def test_what_is_no_picture_is_told_what_it_is(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(UnreadableError, match=said) as raised:
        examine(str(tmp_path / "a.jpg"), str(tmp_path), 40)
    assert len({raised.value.sentence(language) for language in LANGUAGES}) == 2


@pytest.mark.filterwarnings("ignore")  # the libraries grumble; the child says nothing of it
def test_mutated_files_are_read_or_refused_with_a_sentence(tmp_path: Path) -> None:
    chance = np.random.default_rng(11)
    for name, save in SAVERS.items():
        save(Image.new("RGB", (64, 48), (20, 120, 220)), tmp_path / name)
        data = np.frombuffer((tmp_path / name).read_bytes(), dtype=np.uint8)
        for _round in range(25):
            broken = data.copy()
            broken[chance.integers(0, len(data), 6)] = chance.integers(0, 255, 6)
            (tmp_path / "broken").write_bytes(broken.tobytes())
            try:
                seen = examine(str(tmp_path / "broken"), str(tmp_path), 4)
            except ParingError as error:
                assert str(error)
            else:
                assert 0 < seen.arrived <= 1


async def test_opened_gives_pixels_that_are_gone_afterwards(tmp_path: Path, grain: Image.Image) -> None:
    grain.save(tmp_path / "a.png")
    sandbox = Sandbox(memory_mb=1024, seconds=60)
    try:
        async with opened(sandbox, tmp_path / "a.png", megapixels=40) as seen:
            assert seen.path.is_file()
            assert (seen.width, seen.height) == (400, 300)
        assert not seen.path.exists()
        with pytest.raises(TooLargeError, match="megapixels"):
            async with opened(sandbox, tmp_path / "a.png", megapixels=0.1):
                pytest.fail("opened")
    finally:
        await sandbox.close()
