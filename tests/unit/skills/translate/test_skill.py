from pathlib import Path

import pytest

from bot.config import ModelSettings, Settings
from bot.errors import NoModelError
from bot.locale import Language
from bot.models.tasks import TranslationInput
from bot.passage import PUBLIC, Passage
from bot.testing import FakeLibrary, FakeModels, Told, fake_kit, make_attachment, make_message, make_request
from skills.translate.skill import LONGEST_TEXT, build


def _models() -> FakeModels:
    return FakeModels({"translate": lambda item: f"<{item.source}{item.target}:{item.text}>"})


async def test_a_command_translates_its_text_and_says_between_which_languages() -> None:
    models = _models()
    reply = await build(fake_kit(models=models)).answer(make_request("/tr en 안녕하세요. 반가워요."))
    assert reply.text == "<koen:안녕하세요.> <koen:반가워요.>\n\n*한국어 → 영어*"
    assert reply.receipt is not None
    assert (reply.receipt.skill, reply.receipt.model) == ("translate", "fake-translate@0")
    assert models.calls == [
        ("translate", [TranslationInput("안녕하세요.", "ko", "en"), TranslationInput("반가워요.", "ko", "en")])
    ]


@pytest.mark.parametrize(
    ("text", "pair"), [("안녕하세요", "koen"), ("Good evening", "enko"), ("Guten Tag", "deen"), ("これは何ですか", "jaen")]
)
async def test_without_a_language_it_goes_to_the_other_of_korean_and_english(text: str, pair: str) -> None:
    reply = await build(fake_kit(models=_models())).answer(make_request(make_message(text, language="en")))
    assert reply.text.startswith(f"<{pair}:")


async def test_a_foreign_text_goes_to_the_askers_language() -> None:
    reply = await build(fake_kit(models=_models())).answer(make_request(make_message("Guten Tag", language="ko")))
    assert reply.text.startswith("<deko:")


async def test_a_reply_translates_what_it_quotes() -> None:
    quoted = make_message("Wo ist der Bahnhof?")
    for text in ("/tr ko", "translate this to Korean", "한국어로 번역해줘", "translate the small print to Korean"):
        reply = await build(fake_kit(models=_models())).answer(make_request(make_message(text, reply_to=quoted)))
        assert reply.text.startswith("<deko:Wo ist der Bahnhof?>")


async def test_a_document_is_read_and_a_long_one_cut_and_told(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path, models=_models())
    document = make_attachment(kit, "document", "plan.txt", ("회의는 화요일이에요.\n" * 800).encode())
    told = Told()
    reply = await build(kit).answer(
        make_request(make_message("translate this to English", attachments=[document]), progress=told)
    )
    assert reply.text.startswith("<koen:회의는 화요일이에요.>")
    assert "only the first 8000 characters" in reply.text
    assert sum(len(item.text) for _slot, batch in kit.models.calls for item in batch) <= LONGEST_TEXT
    assert "Translating" in str(told[0])


async def test_the_same_language_is_told() -> None:
    models = _models()
    reply = await build(fake_kit(models=models)).answer(make_request("/tr ko 안녕하세요"))
    assert "이미 한국어로" in reply.text
    assert models.calls == []


@pytest.mark.parametrize(
    ("text", "told"), [("/tr", "What shall I translate"), ("/tr en 1234", "no words"), ("/tr en ```", "no words")]
)
async def test_nothing_to_translate_is_told(text: str, told: str) -> None:
    assert told in (await build(fake_kit(models=_models())).answer(make_request(text))).text


async def test_the_text_in_a_picture_is_translated(tmp_path: Path) -> None:
    class Reads(FakeLibrary):
        async def text_of(self, path: Path, *, name: str) -> list[Passage]:
            return [Passage(0, PUBLIC, name, "", "The office moves on Friday.", "", "en")]

    kit = fake_kit(tmp_path, models=_models(), library=Reads())
    photo = make_attachment(kit, "image", "sign.jpg", b"x")

    reply = await build(kit).answer(make_request(make_message("/tr ko", reply_to=make_message("", attachments=[photo]))))

    assert reply.text.startswith("<enko:The office moves on Friday.>")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "only the upper 62 % of the picture arrived, and I read that."),
        ("ko", "사진의 위쪽 62 %만 도착해서 그만큼만 읽었어요."),
    ],
)
async def test_of_a_picture_that_is_cut_off_that_is_said(tmp_path: Path, language: Language, said: str) -> None:
    class Reads(FakeLibrary):
        async def text_of(self, path: Path, *, name: str) -> list[Passage]:
            return [Passage(0, PUBLIC, name, "", "The office moves on Friday.", "", "en", arrived=0.62)]

    kit = fake_kit(tmp_path, models=_models(), library=Reads())
    photo = make_attachment(kit, "image", "sign.jpg", b"x")

    reply = await build(kit).answer(make_request(make_message("/tr ko", attachments=[photo], language=language)))

    assert reply.text.endswith(said)


@pytest.mark.parametrize(("text", "told"), [("/tr ko hello", "[models.choose]"), ("/tr en 안녕", "번역 모델이 설치되지 않아서")])
async def test_without_a_model_it_says_what_an_admin_types(text: str, told: str) -> None:
    reply = await build(fake_kit()).answer(make_request(text))
    assert told in reply.text
    assert 'translate = "translator"' in reply.text


async def test_without_a_model_nobody_is_asked_for_a_text_first() -> None:
    reply = await build(fake_kit()).answer(make_request("/tr"))
    assert 'translate = "translator"' in reply.text


async def test_a_choice_that_is_wrong_is_told_as_it_is() -> None:
    settings = Settings(models=ModelSettings(choose={"translate": "gone"}))
    with pytest.raises(NoModelError):
        await build(fake_kit(settings=settings)).answer(make_request("/tr ko hello"))


def test_nothing_is_claimed_by_rule() -> None:
    assert not build(fake_kit()).claims(make_message("translate this"))
