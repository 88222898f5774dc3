from dataclasses import replace
from pathlib import Path

import pytest

from bot.locale import Text
from bot.message import Message, Reply
from bot.models.tasks import TRANSLATE
from bot.skill import CommandSpec, Request
from bot.testing import fake_kit, make_message, make_request
from skills.help.skill import build


class Translate:
    name, title, summary = "translate", Text("Translate"), Text("I translate.")
    slots, takes = (TRANSLATE,), frozenset()
    commands = (CommandSpec("tr", Text("Translate a text"), aliases=("번역",)), CommandSpec("secret", Text("-"), listed=False))

    def claims(self, message: Message) -> bool:
        return False

    async def answer(self, request: Request) -> Reply:
        return request.reply("")


async def ask(folder: Path, text: str | Message, **models: object) -> Reply:
    kit = replace(fake_kit(folder, models=models), skills=lambda: (Translate(),))
    return await build(kit).answer(make_request(text))


async def test_help_lists_what_the_skills_say_of_themselves(tmp_path: Path) -> None:
    said = (await ask(tmp_path, "/help")).text
    assert "**Translate** /tr: I translate." in said
    assert "/secret" not in said


async def test_help_says_which_skill_has_no_model_yet(tmp_path: Path) -> None:
    assert "no model is installed" in (await ask(tmp_path, "/help")).text
    assert "no model is installed" not in (await ask(tmp_path, "/help", translate=lambda item: item.text)).text


async def test_help_of_one_skill_is_found_by_its_command(tmp_path: Path) -> None:
    assert "/tr: Translate a text" in (await ask(tmp_path, "/help 번역")).text


async def test_start_says_hello_and_offers_the_languages(tmp_path: Path) -> None:
    reply = await ask(tmp_path, make_message("/start", language="ko"))
    assert "안녕하세요" in reply.text
    assert [button.command.args for button in reply.buttons] == ["ko", "en"]


class Admin(Translate):
    name, title = "admin", Text("Administration")
    slots = ()
    commands = (CommandSpec("swap", Text("Swap a model"), admin=True),)


async def test_admin_commands_are_told_to_admins_alone(tmp_path: Path) -> None:
    async def is_ann(message: Message) -> bool:
        return message.sender == "ann"

    kit = replace(fake_kit(tmp_path), skills=lambda: (Translate(), Admin()), is_admin=is_ann)
    for sender, told in (("ann", True), ("bob", False)):
        for text in ("/help", "/help swap"):
            said = (await build(kit).answer(make_request(make_message(text, sender=sender)))).text
            assert ("/swap" in said) is told


@pytest.mark.parametrize(
    ("said", "so"),
    [
        ("delete everything", True), ("How do I delete my data?", True), ("please forget what I said", True),
        ("can you delete all my files", True), ("clear the chat", True), ("다 지워줘", True), ("내 데이터 삭제해줘", True),
        ("대화 기록 전부 삭제해 주세요", True), ("내가 한 말 다 잊어줘", True), ("데이터를 삭제하려면 어떻게 해?", True),
        ("다 지우고 싶어요", True),
        ("지워진 파일 규정", False), ("how do I delete a user in the admin panel?", False), ("what files do you have?", False),
        ("delete the second paragraph of this text", False), ("forget it", False), ("show me", False), ("", False),
    ],
)  # fmt: skip
def test_who_wants_deleted_what_is_kept_is_claimed(said: str, so: bool) -> None:
    assert build(fake_kit()).claims(make_message(said)) is so


async def test_who_wants_all_deleted_is_told_how(tmp_path: Path) -> None:
    reply = await ask(tmp_path, "delete everything")
    assert "/forget NAME" in reply.text
    assert reply.buttons == ()
