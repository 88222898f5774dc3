"""The ocr skill: what it answers over pictures, PDFs, several of them, and none."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from bot.errors import NoModelError, TooLargeError, UnreadableError
from bot.locale import Language
from bot.message import Attachment
from bot.models.tasks import ImageFile, Reading
from bot.skill import Kit
from bot.testing import Told, fake_kit, make_attachment, make_message, make_request
from skills.ocr.golden.make import HERE
from skills.ocr.skill import build


def reader(text: str = "Hello\nworld", *, confidence: float = 0.95, languages: tuple[str, ...] = ("ko", "en")) -> object:
    def read(image: ImageFile) -> Reading:
        assert image.path.is_file()
        return Reading(text, confidence if text else 0.0, "tesseract", languages)

    return read


def picture(kit: Kit, name: str = "shot.png") -> Attachment:
    return make_attachment(kit, "image", name, (HERE / "small-en.png").read_bytes())


def scan(*, text: str = "") -> bytes:
    paper = io.BytesIO()
    canvas = Canvas(paper, pagesize=(300, 200))
    canvas.drawImage(str(HERE / "small-en.png"), 20, 100, width=260, height=30)
    canvas.showPage()
    if text:
        canvas.drawString(20, 100, text)
        canvas.showPage()
    canvas.save()
    return paper.getvalue()


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return fake_kit(tmp_path, models={"ocr": reader()})


async def test_text_keeps_its_lines_and_engine_languages_and_confidence_are_told(kit: Kit) -> None:
    reply = await build(kit).answer(make_request(make_message("/ocr", attachments=[picture(kit)])))
    assert reply.text == "```\nHello\nworld\n```\n*Read by Tesseract (Korean, English), confidence 95 %.*"
    assert reply.receipt is not None
    assert reply.receipt.model == "fake-ocr@0"
    assert [stage for stage, _ms in reply.receipt.stages_ms] == ["decode", "ocr"]


async def test_the_answer_is_in_the_asker_s_language(kit: Kit) -> None:
    reply = await build(kit).answer(make_request(make_message("/글자", attachments=[picture(kit)], language="ko")))
    assert "Tesseract(한국어, 영어)로 읽었어요. 확신도는 95 %예요." in reply.text


async def test_a_picture_that_is_replied_to_is_read(kit: Kit) -> None:
    asked = make_message("/ocr", reply_to=make_message(attachments=[picture(kit)]))
    assert "Hello" in (await build(kit).answer(make_request(asked))).text


async def test_an_unsure_reading_asks_for_a_sharper_crop(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path, models={"ocr": reader(confidence=0.55)})
    reply = await build(kit).answer(make_request(make_message("/ocr", attachments=[picture(kit)])))
    assert "confidence 55 %" in reply.text
    assert "A sharper picture" in reply.text


async def test_nothing_read_is_told(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path, models={"ocr": reader("")})
    reply = await build(kit).answer(make_request(make_message("/ocr", attachments=[picture(kit)])))
    assert reply.text.startswith("I read no text in it.")


async def test_a_reader_without_korean_says_so(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path, models={"ocr": reader(languages=("en",))})
    reply = await build(kit).answer(make_request(make_message("/ocr", attachments=[picture(kit)])))
    assert "knows no Hangul" in reply.text
    assert "tesseract-ocr-kor" in reply.text


async def test_a_fence_in_the_text_does_not_end_the_block(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path, models={"ocr": reader("a\n```\n**b**")})
    reply = await build(kit).answer(make_request(make_message("/ocr", attachments=[picture(kit)])))
    assert reply.text.count("```") == 2


async def test_several_pictures_are_read_each_under_its_name_and_a_broken_one_stops_none(kit: Kit) -> None:
    broken = make_attachment(kit, "image", "b*r*oken.png", b"not a picture")
    told = Told()
    asked = make_message("/ocr", attachments=[picture(kit, "one.png"), broken, picture(kit, "two.png")])
    reply = await build(kit).answer(make_request(asked, progress=told))
    assert [part.split("\n")[0] for part in reply.text.split("\n\n")] == [
        "**one.png**",
        (
            r"**b\*r\*oken.png**: This is not a picture that I know, whatever its name says. "
            "Nothing was kept; I read JPEG, PNG, GIF, WebP, TIFF, BMP and AVIF."
        ),
        "**two.png**",
    ]
    assert [str(text) for text in told] == [f"I am reading picture {number} of 3." for number in (1, 2, 3)]


async def test_more_pictures_than_it_reads_at_once_are_told(kit: Kit) -> None:
    asked = make_message("/ocr", attachments=[picture(kit, f"{number}.png") for number in range(12)])
    reply = await build(kit).answer(make_request(asked))
    assert reply.text.count("```") == 20
    assert "I read the first 10" in reply.text


async def test_the_only_picture_s_error_is_the_answer(kit: Kit) -> None:
    broken = make_attachment(kit, "image", "a.png", b"not a picture")
    with pytest.raises(UnreadableError, match="not a picture"):
        await build(kit).answer(make_request(make_message("/ocr", attachments=[broken])))


async def test_a_picture_over_the_cap_is_refused(kit: Kit) -> None:
    limits = kit.settings.limits.model_copy(update={"image_megapixels": 0.001})
    small = replace(kit, settings=kit.settings.model_copy(update={"limits": limits}))
    with pytest.raises(TooLargeError, match="megapixels"):
        await build(small).answer(make_request(make_message("/ocr", attachments=[picture(small)])))


async def test_of_a_cut_picture_the_part_that_came_is_read_and_told(kit: Kit) -> None:
    whole = io.BytesIO()
    Image.effect_noise((300, 200), 60).save(whole, "JPEG", quality=90)
    half = make_attachment(kit, "image", "cut.jpg", whole.getvalue()[: len(whole.getvalue()) // 2])
    reply = await build(kit).answer(make_request(make_message("/ocr", attachments=[half])))
    assert "The file is cut off: only the upper" in reply.text
    assert "Hello" in reply.text


async def test_a_scanned_page_is_read_and_a_page_with_text_is_not_guessed(kit: Kit) -> None:
    book = make_attachment(kit, "document", "book.pdf", scan(text="This page has text of its own."), media_type="application/pdf")
    reply = await build(kit).answer(make_request(make_message("/ocr", attachments=[book])))
    assert "**page 1 of 2**\n```\nHello\nworld\n```" in reply.text
    assert "**page 2 of 2**\n```\nThis page has text of its own.\n```\n*This is the PDF's own text" in reply.text


@pytest.mark.parametrize(("data", "said"), [(b"%PDF-1.7 cut", "cut off or damaged"), (b"", "cut off or damaged")])
async def test_a_broken_pdf_is_told(kit: Kit, data: bytes, said: str) -> None:
    book = make_attachment(kit, "document", "book.pdf", data, media_type="application/pdf")
    with pytest.raises(UnreadableError, match=said):
        await build(kit).answer(make_request(make_message("/ocr", attachments=[book])))


async def test_a_locked_pdf_is_told(kit: Kit) -> None:
    paper = io.BytesIO()
    canvas = Canvas(paper, encrypt="secret")
    canvas.drawString(20, 100, "locked")
    canvas.save()
    book = make_attachment(kit, "document", "book.pdf", paper.getvalue(), media_type="application/pdf")
    with pytest.raises(UnreadableError, match="password"):
        await build(kit).answer(make_request(make_message("/ocr", attachments=[book])))


@pytest.mark.parametrize(("language", "said"), [("en", "Send a picture with /ocr"), ("ko", "사진을 보내면서 /ocr")])
async def test_without_a_picture_it_says_how(kit: Kit, language: Language, said: str) -> None:
    assert said in (await build(kit).answer(make_request(make_message("/ocr", language=language)))).text


async def test_another_file_is_no_picture(kit: Kit) -> None:
    sound = make_attachment(kit, "audio", "a.ogg", b"OggS")
    assert "That is not a picture" in (await build(kit).answer(make_request(make_message("/ocr", attachments=[sound])))).text


async def test_without_a_reader_that_is_what_is_told(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path)
    with pytest.raises(NoModelError):
        await build(kit).answer(make_request(make_message("/ocr", attachments=[picture(kit)])))


def test_it_claims_nothing_and_has_its_commands(kit: Kit) -> None:
    skill = build(kit)
    assert not skill.claims(make_message(attachments=[picture(kit)]))
    assert [(spec.name, spec.aliases) for spec in skill.commands] == [("ocr", ("글자", "text"))]
