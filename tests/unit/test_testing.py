from pathlib import Path

import pytest

from bot.errors import NoModelError
from bot.locale import Text
from bot.message import Command
from bot.models.tasks import EMBED, OCR, TRANSLATE, TranslationInput
from bot.passage import Scope
from bot.testing import Told, conversation, fake_kit, make_attachment, make_message, make_request


def test_a_slash_makes_a_command_and_the_request_holds_its_arguments() -> None:
    request = make_request("/tr en 안녕")
    assert request.message.command == Command("tr", "en 안녕")
    assert request.text == "en 안녕"
    assert request.language == "ko"


def test_the_request_takes_the_files_of_the_quoted_message(tmp_path: Path) -> None:
    kit = fake_kit(tmp_path)
    photo = make_attachment(kit, "image", "a.png", b"png")
    request = make_request(make_message("what is it", reply_to=make_message("", attachments=[photo])))
    assert request.files == (photo,)
    assert kit.blobs.path(photo.blob).read_bytes() == b"png"


async def test_models_answer_by_slot_and_say_what_is_missing() -> None:
    kit = fake_kit(models={"translate": lambda item: item.text.upper()})
    assert await kit.models.run(TRANSLATE, [TranslationInput("a", "en", "ko")]) == ["A"]
    assert kit.models.live(TRANSLATE) == "fake-translate@0"
    assert kit.models.live(OCR) == ""
    with pytest.raises(NoModelError):
        await kit.models.run(EMBED, ["a"])


async def test_the_library_finds_only_in_the_scopes_it_is_given() -> None:
    kit = fake_kit()
    mine, other = Scope.parse("dm:test/bot/1"), Scope.parse("dm:test/bot/2")
    await kit.library.add_text("red fox", mine, title="a", link="", key="a")
    await kit.library.add_text("red hen", other, title="b", link="", key="b")
    request = make_request("red")
    assert [hit.passage.text for hit in await kit.library.search("red", request.scopes)] == ["red fox"]
    assert await kit.library.remove(mine, key="a") == 1
    assert await kit.library.search("red", request.scopes) == []


async def test_history_gives_the_same_thread_oldest_first() -> None:
    kit = fake_kit(history=[*conversation("hi", "hello", "and?"), *conversation("elsewhere", chat="2")])
    here = make_message("now", id="now")
    assert [past.text for past in await kit.history.last(here, whole_thread=True)] == ["hi", "hello", "and?"]
    assert [past.text for past in await kit.history.last(here)] == ["hi", "and?"]
    assert [past.text for past in await kit.history.last(here, count=1)] == ["and?"]


async def test_the_sandbox_runs_the_function_and_returns_the_kind_that_is_asked_for() -> None:
    kit = fake_kit()
    assert await kit.sandbox.call_as(Scope, "bot.passage:Scope", {"kind": "public"}) == Scope("public")


async def test_progress_is_remembered() -> None:
    told = Told()
    await make_request("x", progress=told).tell(Text("working"))
    assert [str(text) for text in told] == ["working"]


async def test_the_library_forgets_what_one_person_said() -> None:
    kit = fake_kit()
    home = Scope.parse("group:test/bot/1")
    await kit.library.add_text("mine", home, title="a", link="", key="a", sender="ann")
    await kit.library.add_text("yours", home, title="b", link="", key="b", sender="ben")
    assert await kit.library.forget(home, sender="ann") == 1
    assert await kit.library.forget(home) == 1
