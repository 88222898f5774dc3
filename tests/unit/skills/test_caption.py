"""The caption skill: what it says of a picture with and without models, and what it keeps."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from bot.errors import ModelError, StoreError, TooLargeError, UnreadableError
from bot.images import examine
from bot.message import Attachment, Message
from bot.models.tasks import Caption, ImageFile, Reading
from bot.passage import Scope
from bot.skill import Kit
from bot.testing import FakeLibrary, fake_kit, make_attachment, make_message, make_request
from skills.caption.golden.make import HERE
from skills.caption.skill import build
from skills.caption.words import GENERIC_NAME

CASES = yaml.safe_load((HERE / "cases.yaml").read_text(encoding="utf-8"))["cases"]


def captioner(_image: ImageFile) -> Caption:
    return Caption("two cats on a couch")


def reading(text: str, confidence: float = 0.95) -> Any:
    return lambda _image: Reading(text, confidence, "tesseract", ("ko", "en"))


def picture(kit: Kit, name: str = "flag.png", *, called: str = "") -> Attachment:
    return make_attachment(kit, "image", called or name, (HERE / name).read_bytes())


async def answer(kit: Kit, message: Message) -> str:
    return (await build(kit).answer(make_request(message))).text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"])
def test_the_golden_pictures_are_seen_as_what_they_are(case: dict[str, Any], tmp_path: Path) -> None:
    seen = examine(str(HERE / case["file"]), str(tmp_path), 40)
    assert (seen.look.kind, seen.look.certain) == (case["kind"], case["certain"])
    assert (seen.width > seen.height) == (case["shape"] == "landscape")
    assert seen.look.colours[0].name == case.get("first_colour", seen.look.colours[0].name)
    assert (seen.inspection.camera, seen.inspection.taken_at) == (case.get("camera", ""), case.get("taken_at", ""))


async def test_without_a_captioner_it_says_so_first_and_then_what_can_be_told(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path, models={"ocr": reading("")})
    said = await answer(kit, make_message(attachments=[picture(kit)]))
    assert said.split("\n\n") == [
        "What it shows I cannot tell. Nothing is installed for caption. What can be told without one:",
        (
            "- A drawing or a part of a screen: large even areas in few colours\n- Colours: blue 86 %, yellow 13 %\n"
            "- 300 × 200 pixels, landscape, PNG"
        ),
        "I read no text in it.",
    ]


async def test_without_a_captioner_the_text_in_it_comes_first(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path, models={"ocr": reading("Invoice 118")})
    said = (await answer(kit, make_message(attachments=[picture(kit)]))).split("\n\n")
    assert said[0].startswith("Text in it")
    assert "Invoice 118" in said[1]
    assert said[3] == "What else it shows I cannot tell. Nothing is installed for caption."


@pytest.mark.parametrize("text", ["", "Invoice 118"])
async def test_of_several_pictures_it_is_said_once_why_none_has_a_caption(tmp_path: Path, text: str) -> None:
    kit = fake_kit(tmp_path, models={"ocr": reading(text)})
    said = await answer(kit, make_message(attachments=[picture(kit), picture(kit, called="b.png")]))
    assert said.count("Nothing is installed") == 1
    assert said.endswith("What pictures show I cannot tell. Nothing is installed for caption.")


async def test_without_any_model_the_pixels_still_tell(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path)
    said = await answer(kit, make_message(attachments=[picture(kit, "camera.jpg")]))
    assert "- A photo, taken with Example Phone 1\n- Taken at 2026-11-20 10:11, by the camera's clock" in said
    assert "text" not in said.partition("\n")[2]


async def test_a_captioner_s_words_are_told_as_its_own(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path, models={"caption": captioner, "ocr": reading("")})
    reply = await build(kit).answer(make_request(make_message(attachments=[picture(kit)])))
    assert reply.text.startswith("The captioner sees: **two cats on a couch**\n")
    assert reply.receipt is not None
    assert reply.receipt.model == "fake-caption@0 + fake-ocr@0"
    assert [stage for stage, _ms in reply.receipt.stages_ms] == ["decode", "caption", "ocr", "keep"]


async def test_a_captioner_is_never_asked_about_one_even_colour(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path, models={"caption": captioner})
    blank = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(blank, "PNG")
    said = await answer(kit, make_message(attachments=[make_attachment(kit, "image", "a.png", blank.getvalue())]))
    assert "two cats" not in said
    assert said.startswith("There is nothing in it to describe.")


async def test_letters_are_not_looked_for_in_one_even_colour(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path, models={"ocr": reading("What nobody wrote in it")})
    blank = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(blank, "PNG")
    said = await answer(kit, make_message(attachments=[make_attachment(kit, "image", "a.png", blank.getvalue())]))
    assert "What nobody wrote" not in said
    assert said.endswith("I read no text in it.")


async def test_korean_askers_get_a_translation_where_there_is_a_translator(tmp_path: Path) -> None:
    models = {"caption": captioner, "translate": lambda item: f"{item.source}>{item.target} 소파 위의 고양이 두 마리"}
    kit = fake_kit(tmp_path, models=models)
    said = await answer(kit, make_message(attachments=[picture(kit)], language="ko"))
    assert "설명 모델이 본 것: **en>ko 소파 위의 고양이 두 마리** (모델의 원래 표현: “two cats on a couch”)" in said


async def test_korean_askers_get_the_english_words_where_there_is_none(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path, models={"caption": captioner})
    said = await answer(kit, make_message(attachments=[picture(kit)], language="ko"))
    assert said.startswith("설명 모델이 본 것: **two cats on a couch**")
    assert "- 색: 파랑 86 %, 노랑 13 %" in said


async def test_a_captioner_that_fails_costs_only_its_words(tmp_path: Path) -> None:
    def broken(_image: ImageFile) -> Caption:
        message = "The captioner is broken."
        raise ModelError(message)

    kit = fake_kit(tmp_path, models={"caption": broken, "ocr": reading("SALE")})
    said = await answer(kit, make_message(attachments=[picture(kit)]))
    assert "The captioner is broken." in said
    assert "SALE" in said


async def test_text_in_it_is_told_with_engine_and_confidence(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path, models={"ocr": reading("출구\nEXIT")})
    said = await answer(kit, make_message(attachments=[picture(kit)]))
    assert "Text in it (read by Tesseract, confidence 95 %):\n\n```\n출구\nEXIT\n```" in said


async def test_doubtful_text_is_neither_told_nor_kept(tmp_path: Path) -> None:
    library = FakeLibrary()
    kit = fake_kit(tmp_path, models={"ocr": reading("xq#~ wrlg", 0.4)}, library=library)
    said = await answer(kit, make_message(attachments=[picture(kit)]))
    assert "wrlg" not in said
    assert "There may be text in it" in said
    assert not library.kept


async def test_long_text_is_cut_and_the_rest_is_offered(tmp_path: Path) -> None:
    library = FakeLibrary()
    text = "\n".join(f"line {number}" for number in range(40))
    kit = fake_kit(tmp_path, models={"ocr": reading(text)}, library=library)
    said = await answer(kit, make_message(attachments=[picture(kit)]))
    assert "line 13" in said
    assert "line 14" not in said
    assert "/ocr in answer" in said
    assert "line 39" in next(iter(library.kept.values()))


async def test_caption_and_text_are_kept_in_the_chat_s_scope_and_link_to_the_message(tmp_path: Path) -> None:
    library = FakeLibrary()
    kit = fake_kit(tmp_path, models={"caption": captioner, "ocr": reading("비상구")}, library=library)
    shot = picture(kit, called="photo-AgAD123.jpg")
    carrier = make_message(attachments=[shot], kind="group", chat="-100", id="77", sender="ann")
    asked = make_message("/caption", reply_to=carrier, kind="group", chat="-100", id="80", sender="bob")
    said = await answer(kit, asked)
    (passage,) = library.passages
    assert passage.text.splitlines()[:2] == ["two cats on a couch", "비상구"]
    assert (passage.scope, passage.link) == (Scope("group", "test/bot/-100"), "message:test/bot/-100/77")
    assert passage.title == "Picture, 2025-03-01 12:00"
    assert list(library.kept) == [(passage.scope, f"image:{shot.blob}")]
    assert library.senders[passage.scope, f"image:{shot.blob}"] == "ann"
    assert "It is kept in this chat's index" in said


async def test_a_name_that_a_person_gave_is_the_title(tmp_path: Path) -> None:
    library = FakeLibrary()
    kit = fake_kit(tmp_path, models={"caption": captioner}, library=library)
    await answer(kit, make_message(attachments=[picture(kit, called="3분기 조직도.png")]))
    assert library.passages[0].title == "3분기 조직도.png"


@pytest.mark.parametrize(
    "name", ["photo-AgADxyz_1.jpg", "image.png", "IMG_1234.JPG", "blob", "20261123_140201.jpg", "pasted-image.png"]
)
def test_names_of_cameras_and_platforms_are_no_titles(name: str) -> None:
    assert GENERIC_NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["org chart.png", "로고.png", "whiteboard-monday.jpg", "login-error.png"])
def test_names_of_people_are_titles(name: str) -> None:
    assert not GENERIC_NAME.fullmatch(name)


async def test_what_has_no_words_is_not_kept(tmp_path: Path) -> None:
    library = FakeLibrary()
    kit = fake_kit(tmp_path, models={"ocr": reading("")}, library=library)
    assert "kept" not in await answer(kit, make_message(attachments=[picture(kit)]))
    assert not library.kept


async def test_an_index_that_fails_costs_no_answer_and_is_not_called_kept(tmp_path: Path) -> None:
    class Full(FakeLibrary):
        async def add_text(self, *args: object, **options: object) -> Any:
            message = "The disk is full."
            raise StoreError(message)

    kit = fake_kit(tmp_path, models={"caption": captioner}, library=Full())
    said = await answer(kit, make_message(attachments=[picture(kit)]))
    assert "two cats" in said
    assert "kept" not in said


async def test_several_pictures_are_described_each_under_its_name(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path, models={"caption": captioner})
    broken = make_attachment(kit, "image", "broken.png", b"nothing")
    said = await answer(kit, make_message(attachments=[picture(kit), broken, picture(kit, "grain.jpg")]))
    assert [line for line in said.splitlines() if line.startswith("**")] == ["**flag.png**", "**broken.png**", "**grain.jpg**"]


@pytest.mark.parametrize(
    ("data", "kind"), [(b"", UnreadableError), (b"hello", UnreadableError)],
)  # fmt: skip
async def test_a_lone_broken_file_is_the_error(tmp_path: Path, data: bytes, kind: type[Exception]) -> None:
    kit = fake_kit(tmp_path)
    with pytest.raises(kind):
        await answer(kit, make_message(attachments=[make_attachment(kit, "image", "a.jpg", data)]))


async def test_a_50_megapixel_picture_is_refused_with_a_sentence(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path)
    large = io.BytesIO()
    Image.new("1", (8000, 6250)).save(large, "PNG")
    with pytest.raises(TooLargeError, match="50 megapixels; I read up to 40"):
        await answer(kit, make_message(attachments=[make_attachment(kit, "image", "a.png", large.getvalue())]))


async def test_frames_and_a_cut_are_told(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path)
    moving, cut = io.BytesIO(), io.BytesIO()
    frames = [Image.effect_noise((60, 60), 50).convert("RGB") for _frame in range(3)]
    frames[0].save(moving, "PNG", save_all=True, append_images=frames[1:])
    frames[0].save(cut, "JPEG", quality=90)
    said = await answer(kit, make_message(attachments=[make_attachment(kit, "image", "a.png", moving.getvalue())]))
    assert "It has 3 frames or pages; I looked at the first" in said
    half = cut.getvalue()[: len(cut.getvalue()) * 2 // 3]
    said = await answer(kit, make_message(attachments=[make_attachment(kit, "image", "a.jpg", half)]))
    assert "The file is cut off: only the upper" in said


async def test_without_a_picture_it_says_how(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path)
    assert "Send a picture" in await answer(kit, make_message("/caption"))
    sound = make_attachment(kit, "audio", "a.ogg", b"OggS")
    assert "That is not a picture" in await answer(kit, make_message("/caption", attachments=[sound]))


def test_it_claims_pictures_and_nothing_else(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path)
    skill = build(kit)
    assert skill.claims(make_message(attachments=[picture(kit)]))
    assert not skill.claims(make_message("hello"))
    assert not skill.claims(make_message(attachments=[make_attachment(kit, "document", "a.pdf", b"%PDF")]))
    assert [(spec.name, spec.aliases) for spec in skill.commands] == [("caption", ("설명", "describe"))]
