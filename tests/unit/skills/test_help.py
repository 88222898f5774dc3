from dataclasses import replace
from pathlib import Path

import pytest

from bot.locale import Text
from bot.message import Message, Reply
from bot.models.tasks import TRANSLATE
from bot.passage import PUBLIC
from bot.skill import CommandSpec, Request
from bot.testing import fake_kit, make_message, make_request
from skills.help.kept import asks_of_kept
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
    ("said", "of"),
    [
        ("what files do you have?", "files"), ("Where is my file?", "files"), ("list my documents please", "files"),
        ("show me all files", "files"), ("what did I send you?", "files"),
        ("which documents have I uploaded so far", "files"), ("무슨 파일 갖고 있어?", "files"),
        ("내 파일 어디 있어?", "files"), ("내가 보낸 문서 목록 보여줘", "files"), ("어떤 자료가 있나요?", "files"),
        ("delete everything", "deleting"), ("How do I delete my data?", "deleting"),
        ("please forget what I said", "deleting"), ("can you delete all my files", "deleting"),
        ("clear the chat", "deleting"), ("다 지워줘", "deleting"), ("내 데이터 삭제해줘", "deleting"),
        ("대화 기록 전부 삭제해 주세요", "deleting"), ("내가 한 말 다 잊어줘", "deleting"),
        ("데이터를 삭제하려면 어떻게 해?", "deleting"), ("다 지우고 싶어요", "deleting"),
        ("where is the printer?", ""), ("what files need a signature?", ""), ("where is my file about taxes", ""),
        ("지워진 파일 규정", ""), ("how do I delete a user in the admin panel?", ""),
        ("which documents do new employees need", ""), ("서류 어디에 내야 해?", ""),
        ("delete the second paragraph of this text", ""), ("forget it", ""), ("where are you?", ""), ("show me", ""),
        ("휴가 자료 어디 있어?", ""), ("", ""),
    ],
)  # fmt: skip
def test_what_is_asked_of_what_is_kept_is_claimed(said: str, of: str) -> None:
    assert asks_of_kept(said) == of
    assert build(fake_kit()).claims(make_message(said)) == bool(of)


async def test_the_documents_of_the_chat_alone_are_named_the_newest_first(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path)
    asked = make_message("what files do you have?")
    skill, here = build(kit), make_request(asked).home
    assert "Nobody has sent a file" in (await skill.answer(make_request(asked))).text
    for title in ("a*b.txt", "plan.pdf"):
        await kit.library.add_text("x", here, title=title, link="", key=title)
    await kit.library.add_text("x", here, title="said", link="", key="message:1")
    await kit.library.add_text("x", PUBLIC, title="rules.md", link="", key="rules.md")
    said = (await skill.answer(make_request(asked))).text
    assert "- plan.pdf\n- a\\*b.txt\n" in said
    assert "rules" not in said
    assert "message" not in said


async def test_of_many_documents_the_first_are_named_and_the_others_counted(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path)
    asked = make_message("파일 목록 보여줘")
    for number in range(25):
        await kit.library.add_text(f"{number}", make_request(asked).home, title=f"{number}", link="", key=f"n{number}")
    said = (await build(kit).answer(make_request(asked))).text
    assert said.count("\n- ") == 21
    assert "그 밖에 5개" in said


async def test_who_wants_all_deleted_is_told_how(tmp_path: Path) -> None:
    reply = await ask(tmp_path, "delete everything")
    assert "/forget NAME" in reply.text
    assert reply.buttons == ()
