"""A question that comes with a picture, asked of the whole bot: Tesseract reads it, and the line that answers is quoted."""

import json
from pathlib import Path

import pytest
from fakes.program import paring
from PIL import Image, ImageDraw, ImageFont

from bot.models.runtimes import tesseract
from skills.ocr.golden.make import HERE

LETTER = """Dear tenant,

The rent is due on the first day of each month. Please
pay it to the account below. The deposit is 900 euros.

The caretaker is Ben Moore."""


installed = pytest.mark.skipif(
    not tesseract.available() or len(tesseract.installed(tesseract.tessdata() or Path())) < 2,
    reason="Tesseract's data for Korean and English is not installed: apt install tesseract-ocr tesseract-ocr-kor",
)


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    page = Image.new("RGB", (900, 330), "white")
    ImageDraw.Draw(page).multiline_text((40, 40), LETTER, "black", ImageFont.load_default(28), spacing=12)
    page.save(tmp_path / "letter.png")
    return tmp_path / "letter.png"


async def asked(folder: Path, question: str, picture: Path) -> dict[str, object]:
    code, out, complaints = await paring(folder / "home", "say", question, "--file", str(picture), "--json")
    assert code == 0, complaints
    reply: dict[str, object] = json.loads(out)
    return reply


@pytest.mark.parametrize(
    ("question", "line"),
    [("when is the rent due?", "The rent is due on the first day of each month.**"), ("who is the caretaker?", "Ben Moore.**")],
)
async def test_the_line_of_a_photographed_letter_that_answers_is_quoted(
    tmp_path: Path, letter: Path, question: str, line: str
) -> None:
    reply = await asked(tmp_path, question, letter)
    assert line in str(reply["text"])
    assert "letter.png, read by" in str(reply["text"])


@installed
async def test_the_line_of_a_korean_screenshot_that_answers_is_quoted(tmp_path: Path) -> None:
    reply = await asked(tmp_path, "회의는 언제 있어요?", HERE / "chat-ko.png")
    assert "**내일 오후 3시에 회의가 있어요.**" in str(reply["text"])


async def test_how_a_picture_looks_is_described(tmp_path: Path, letter: Path) -> None:
    reply = await asked(tmp_path, "what colour is the car?", letter)
    assert str(reply["text"]).startswith("Text in it (read by")
