import pytest

from bot.config import ModelSettings, Settings
from bot.errors import NoModelError
from bot.message import Command
from bot.models.tasks import DrawingInput
from bot.testing import FakeModels, fake_kit, make_message, make_request
from skills.imagine.skill import LONGEST_PROMPT, build, described

PNG = b"\x89PNG a picture"


def _models() -> FakeModels:
    return FakeModels({"imagine": lambda item: PNG + item.prompt.encode()})


async def test_a_picture_comes_with_its_words_and_a_way_to_another() -> None:
    kit = fake_kit(models=_models())
    reply = await build(kit).answer(make_request("/draw a red fox"))
    assert kit.blobs.data[reply.images[0].blob] == PNG + b"a red fox"
    assert (reply.text, reply.images[0].alt) == ("*a red fox*", "a red fox")
    asked = kit.models.calls[0][1][0]
    assert isinstance(asked, DrawingInput)
    assert reply.buttons[0].command == Command("draw", f"a red fox #{asked.seed + 1}")


async def test_the_same_words_have_the_same_seed_and_another_one_the_next() -> None:
    models = _models()
    skill = build(fake_kit(models=models))
    first = await skill.answer(make_request("/draw a red fox"))
    await skill.answer(make_request("/draw a red fox"))
    again = await skill.answer(make_request(f"/draw {first.buttons[0].command.args}"))
    seeds = [batch[0].seed for _slot, batch in models.calls]
    assert seeds == [seeds[0], seeds[0], seeds[0] + 1]
    assert again.text == "*a red fox*"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("draw a red fox in the snow", "a red fox in the snow"),
        ("Could you draw me a picture of a lighthouse at night, please?", "a lighthouse at night"),
        ("make a logo for a coffee shop", "logo of a coffee shop"),
        ("generate an image of two cats", "two cats"),
        ("a painting of the sea", "painting of the sea"),
        ("눈 속의 빨간 여우를 그려 줘", "눈 속의 빨간 여우"),
        ("고양이 그림 그려줘", "고양이"),
        ("바닷가 등대 이미지 하나 만들어 주세요", "바닷가 등대"),
        ("그림 그려 줘: 우주를 나는 고래", "우주를 나는 고래"),
        ("숲속의 오두막 그림", "숲속의 오두막"),
        ("a red fox", "a red fox"),
    ],
)
def test_what_asks_for_a_picture_is_taken_from_what_is_seen(said: str, words: str) -> None:
    assert described(said) == words


async def test_a_plain_request_is_understood() -> None:
    models = _models()
    await build(fake_kit(models=models)).answer(make_request("눈 속의 여우를 그려 줘"))
    assert models.calls[0][1][0].prompt == "눈 속의 여우"


async def test_nothing_and_too_much_are_told() -> None:
    skill = build(fake_kit(models=_models()))
    assert "/draw a red fox" in (await skill.answer(make_request("/draw"))).text
    for text in (f"/draw {'x' * (LONGEST_PROMPT + 1)}", "x " * 500_000):
        assert "shorter" in (await skill.answer(make_request(text))).text


@pytest.mark.parametrize(("language", "told"), [("en", "An admin can bring one"), ("ko", "관리자가")])
async def test_without_a_model_it_says_what_an_admin_types(language: str, told: str) -> None:
    reply = await build(fake_kit()).answer(make_request(make_message("/draw x", language=language)))
    assert told in reply.text
    assert 'imagine = "sd-turbo"' in reply.text
    assert "pip install 'paring[draw]'" in reply.text


async def test_without_a_model_nobody_is_asked_for_words_first() -> None:
    reply = await build(fake_kit()).answer(make_request("/draw"))
    assert 'imagine = "sd-turbo"' in reply.text


async def test_a_choice_that_is_wrong_is_told_as_it_is() -> None:
    settings = Settings(models=ModelSettings(choose={"imagine": "gone"}))
    with pytest.raises(NoModelError):
        await build(fake_kit(settings=settings)).answer(make_request("/draw x"))


def test_nothing_is_claimed_by_rule() -> None:
    assert not build(fake_kit()).claims(make_message("draw a fox"))
