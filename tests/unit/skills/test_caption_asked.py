"""The caption skill where a question comes with the picture: its text answers, where it does; else the picture is described."""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from bot.errors import StoreError
from bot.message import Attachment, Command, Message, Reply
from bot.models.tasks import Caption, Reading
from bot.passage import Hit, Mended, Scope, Scopes
from bot.skill import Kit
from bot.testing import FakeLibrary, fake_kit, make_attachment, make_message, make_request
from bot.text.sentences import split
from skills.caption.asked import question_in
from skills.caption.skill import build

LETTER = "Dear tenant,\n\nThe rent is due on the 5th. The deposit is 900 euros.\n\nClara Winter"
LETTER_KO = "임대 안내문\n\n월세는 매달 5일까지 내 주세요. 보증금은 300만원입니다.\n\n박민수"


class Marking(FakeLibrary):
    """Finds the sentence that shares most words with a question, and only where one does; `asked` holds the questions."""

    asked: list[tuple[str, list[int]]]
    slip: tuple[Mended, ...] = ()

    async def search_in(self, query: str, documents: Collection[int], scopes: Scopes, k: int = 10) -> list[Hit]:
        self.asked = [*getattr(self, "asked", []), (query, sorted(documents))]
        words = set(query.lower().rstrip("?").split())
        hits = []
        for passage in self.passages:
            if passage.id in documents and passage.scope in scopes:
                sentences = [(len(words & set(one.text.lower().split())), one) for one in split(passage.text)]
                shared, best = max(sentences, key=lambda pair: pair[0])
                hits += [Hit(passage, shared / 10, (best.start, best.end), mended=self.slip)] if shared else []
        return sorted(hits, key=lambda hit: -hit.score)[:k]


def drawn(text: str) -> bytes:
    page = Image.new("RGB", (700, 360), "white")
    ImageDraw.Draw(page).multiline_text((30, 30), text.encode("ascii", "replace").decode(), "black", ImageFont.load_default(24))
    data = io.BytesIO()
    page.save(data, "PNG")
    return data.getvalue()


def kit_of(folder: Path, text: str = LETTER, library: FakeLibrary | None = None, *, caption: str = "") -> Kit:
    models: dict[str, object] = {"ocr": lambda _image: Reading(text, 0.93, "tesseract", ("ko", "en"))}
    if caption:
        models["caption"] = lambda _image: Caption(caption)
    return fake_kit(folder, models=models, library=library or Marking())  # type: ignore[arg-type]


def letter(kit: Kit, name: str = "letter.png", text: str = LETTER) -> Attachment:
    return make_attachment(kit, "image", name, drawn(text))


async def ask(kit: Kit, message: Message, *, by_files: bool = True) -> Reply:
    return await build(kit).answer(replace(make_request(message), by_files=by_files))


async def test_the_sentence_that_answers_is_quoted_bold_with_where_it_stands_and_the_rest_reachable(tmp_path: Path) -> None:
    kit = kit_of(tmp_path)
    reply = await ask(kit, make_message("when is the rent due?", attachments=[letter(kit)]))
    assert reply.text.split("\n\n") == [
        "> Dear tenant,\n> **The rent is due on the 5th.** The deposit is 900 euros.\n> Clara Winter",
        "— letter.png, read by Tesseract, confidence 93 %",
        "*It is kept in this chat's index: search for what is in it to find it again.*",
    ]
    (source,) = reply.sources
    assert (source.text, source.marked and source.text[slice(*source.marked)]) == (LETTER, "The rent is due on the 5th.")
    assert source.passages == (1,)
    assert [(button.label, button.command) for button in reply.buttons] == [
        ("All of its text", Command("ocr")), ("Describe the picture", Command("caption")),
    ]  # fmt: skip
    assert reply.receipt is not None
    assert (reply.receipt.skill, reply.receipt.model) == ("caption", "fake-ocr@0")


async def test_in_korean_as_well(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, LETTER_KO)
    message = make_message("월세는 언제까지 내야 하나요?", attachments=[letter(kit)], language="ko")
    quote, place = (await ask(kit, message)).text.split("\n\n")[:2]
    assert "**월세는 매달 5일까지 내 주세요.** 보증금은" in quote
    assert place == "— letter.png, Tesseract(으)로 읽음, 확신도 93 %"


async def test_a_question_in_reply_to_a_picture_is_answered_by_it(tmp_path: Path) -> None:
    kit = kit_of(tmp_path)
    shown = make_message(attachments=[letter(kit)], id="7", sender="ann")
    reply = await ask(kit, make_message("how much is the deposit", id="8", reply_to=shown))
    assert "**The deposit is 900 euros.**" in reply.text
    assert reply.sources[0].link.endswith("/7")


async def test_under_a_button_of_such_a_question_the_picture_is_kept_as_of_its_own_message(tmp_path: Path) -> None:
    library = Marking()
    kit = kit_of(tmp_path, library=library)
    shown = make_message(attachments=[letter(kit)], id="7", sender="ann")
    question = make_message("how much is the deposit", id="8", reply_to=shown)
    press = make_message("/caption", id="press:9", reply_to=question)
    reply = await build(kit).answer(replace(make_request(press), files=shown.attachments))
    assert reply.text.startswith("Text in it")
    assert library.passages[0].link.endswith("/7")


@pytest.mark.parametrize("text", ["what colour is the rent car?", "our new rent", "what is this?", "who painted it?", ""])
async def test_what_the_text_does_not_answer_is_described(tmp_path: Path, text: str) -> None:
    kit = kit_of(tmp_path)
    reply = await ask(kit, make_message(text, attachments=[letter(kit)]))
    assert reply.text.startswith("Text in it (read by Tesseract")
    assert reply.sources == ()


@pytest.mark.parametrize(("text", "by_files"), [("/caption when is the rent due?", True), ("when is the rent due?", False)])
async def test_who_asks_for_a_description_gets_one(tmp_path: Path, text: str, *, by_files: bool) -> None:
    kit = kit_of(tmp_path)
    assert (await ask(kit, make_message(text, attachments=[letter(kit)]), by_files=by_files)).text.startswith("Text in it")


async def test_a_captioners_words_are_never_quoted_as_the_pictures(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, "Harbour Flats", caption="the rent is due in a red car")
    reply = await ask(kit, make_message("when is the rent due?", attachments=[letter(kit)]))
    assert reply.text.startswith("The captioner sees: **the rent is due in a red car**")


async def test_of_several_pictures_the_one_that_answers_is_quoted(tmp_path: Path) -> None:
    library = Marking()
    texts = iter([LETTER, "Tea 2.80\nTotal 10.10"])
    models = {"ocr": lambda _image: Reading(next(texts), 0.9, "tesseract", ("ko", "en"))}
    kit = fake_kit(tmp_path, models=models, library=library)
    pictures = [letter(kit), letter(kit, "receipt.png", "another")]
    reply = await ask(kit, make_message("how much in total?", attachments=pictures))
    assert reply.text.startswith("> Tea 2.80\n> **Total 10.10**\n\n— receipt.png")
    assert library.asked == [("how much in total?", [1, 2])]


async def test_what_is_kept_elsewhere_is_not_looked_at(tmp_path: Path) -> None:
    library = Marking()
    await library.add_text("The wifi password is moon", make_request("").home, title="wifi.md", link="", key="wifi")
    await library.add_text(LETTER, Scope("dm", "test/bot/other"), title="theirs", link="", key="theirs")
    kit = kit_of(tmp_path, library=library)
    reply = await ask(kit, make_message("what is the wifi password?", attachments=[letter(kit)]))
    assert library.asked[0][1] == [3]
    assert "moon" not in reply.text


async def test_a_search_that_fails_costs_no_description(tmp_path: Path) -> None:
    class Full(FakeLibrary):
        async def search_in(self, *_args: object, **_options: object) -> list[Hit]:
            message = "The disk is full."
            raise StoreError(message)

    kit = kit_of(tmp_path, library=Full())
    reply = await ask(kit, make_message("when is the rent due?", attachments=[letter(kit)]))
    assert reply.text.startswith("Text in it")


async def test_a_cut_picture_and_a_mended_word_are_told(tmp_path: Path) -> None:
    library = Marking()
    library.slip = (Mended("depsoit", "deposit"),)
    kit = kit_of(tmp_path, library=library)
    noise = io.BytesIO()
    Image.effect_noise((160, 160), 50).convert("RGB").save(noise, "JPEG", quality=90)
    cut = make_attachment(kit, "image", "letter.jpg", noise.getvalue()[: len(noise.getvalue()) * 2 // 3])
    said = (await ask(kit, make_message("what is the depsoit of the rent?", attachments=[cut]))).text
    assert said.startswith("I looked for “deposit”, not “depsoit”.\n\n> ")
    assert "of the picture arrived, and I read that." in said


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("when is the rent due?", "when is the rent due?"),
        ("Please tell me the total", "the total"),
        ("관리인 전화번호 알려줘", "관리인 전화번호"),
        ("보증금이 얼마예요?", "보증금이 얼마예요?"),
        ("does it say who pays?", "does it say who pays?"),
        ("검색 색인은 어디에 있나요?", "검색 색인은 어디에 있나요?"),
        ("our new flat!", ""),
        ("우리 집이에요", ""),
        ("what colour is the car?", ""),
        ("What is in this picture?", ""),
        ("who's that?", ""),
        ("차가 무슨 색이야?", ""),
        ("이게 뭐야?", ""),
        ("사진에 뭐가 보이나요?", ""),
        ("when? " * 200, ""),
    ],
)
def test_a_question_about_the_text_is_told_from_other_words(text: str, question: str) -> None:
    assert question_in(text) == question
