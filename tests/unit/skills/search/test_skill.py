from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import UnreadableError
from bot.locale import Language
from bot.message import PRIVATELY, Attachment, Button, Command
from bot.passage import PUBLIC, Added, Failed, Hit, Mended, Passage, Scope, Scopes
from bot.skill import Kit
from bot.talk import Line
from bot.testing import FakeLibrary, Told, fake_kit, make_attachment, make_message, make_request
from skills.search.skill import Search, build

TEXT = "The lamp is big. The lamp is blue. It stands here."


def passage(number: int, text: str = TEXT, **other: object) -> Passage:
    made = Passage(number, PUBLIC, "docs/lamps.pdf", "Colours", text, f"document:{number}#page=3", "en", 3)
    return replace(made, **other)


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def kit(tmp_path: Path, library: FakeLibrary) -> Kit:
    return fake_kit(tmp_path, library=library, models={"embed": lambda text: text})


@pytest.fixture
def search(kit: Kit) -> Search:
    return build(kit)


def document(kit: Kit, name: str, text: str) -> Attachment:
    return make_attachment(kit, "document", name, text.encode())


async def test_the_best_passage_is_quoted_with_its_place_and_source(search: Search, library: FakeLibrary) -> None:
    library.passages = [passage(1)]
    reply = await search.answer(make_request("the lamp is blue", scopes=[PUBLIC]))
    assert reply.text == f"> {TEXT}\n\n— lamps.pdf › Colours, page 3"
    (source,) = reply.sources
    assert (source.title, source.text, source.link) == ("lamps.pdf › Colours, page 3", TEXT, "document:1#page=3")
    assert 0 < source.score <= 1
    assert reply.receipt is not None
    assert reply.receipt.model == "fake-embed@0"
    assert "search" in dict(reply.receipt.stages_ms)


async def test_a_button_has_the_question_answered_as_it_was_at_first(
    search: Search, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = datetime(2026, 11, 23, 9, 38, tzinfo=UTC)
    said = passage(2, "it works again", title="Dan", heading="", page=None)

    async def found(_query: str, _scopes: Scopes, k: int) -> list[Hit]:
        return [Hit(said, 0.9, lines=(Line("Dan", at, said.text, said.link, best=True, passage=2),))] * k

    monkeypatch.setattr(library, "search", found)
    question = make_message("when did it work again?")
    at_first = (await search.answer(make_request(question, scopes=[PUBLIC]))).text
    assert at_first.startswith("**Mon 23 Nov 2026, 09:38")
    for args in ("--count 10", ""):  # in a group as in the direct chat to which it is taken
        press = replace(make_message("/search"), command=Command("search", args), reply_to=question)
        assert (await search.answer(make_request(press, scopes=[PUBLIC]))).text == at_first


@pytest.mark.parametrize(
    ("language", "line"), [("en", "I looked for “lamps”, not “lmaps”."), ("ko", "“lmaps” 대신 “lamps”(으)로 찾았어요.")]
)
async def test_what_was_looked_for_instead_of_a_mistyped_word_is_said_above_the_answer(
    search: Search, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch, language: Language, line: str
) -> None:
    async def found(_query: str, _scopes: Scopes, k: int) -> list[Hit]:
        return [Hit(passage(1), 0.9, mended=(Mended("lmaps", "lamps"),)), Hit(passage(2), 0.8)][:k]

    monkeypatch.setattr(library, "search", found)
    asked = make_message("blue lmaps", language=language)
    said, quote = (await search.answer(make_request(asked, scopes=[PUBLIC]))).text.split("\n\n")[:2]
    assert said == line
    assert quote.startswith("> ")


async def test_nothing_found_is_said_in_the_askers_language(search: Search) -> None:
    assert (await search.answer(make_request("elephants"))).text.startswith(
        "I found nothing about this in what you may read here."
    )
    korean = await search.answer(make_request("코끼리 찾아줘"))
    assert korean.text.startswith("여기서 읽으실 수 있는 자료에는")
    assert korean.sources == ()


async def test_only_the_readers_scopes_are_searched(search: Search, library: FakeLibrary) -> None:
    library.passages = [passage(1, scope=Scope("dm", "test/bot/other"))]
    assert (await search.answer(make_request("lamp", scopes=[PUBLIC]))).sources == ()


async def test_five_sources_are_shown_and_more_on_demand(search: Search, library: FakeLibrary) -> None:
    library.passages = [passage(number) for number in range(1, 9)]
    reply = await search.answer(make_request("the lamp is blue", scopes=[PUBLIC]))
    assert len(reply.sources) == 5
    assert [(button.label, button.command) for button in reply.buttons] == [
        ("Fewer", Command("search", "--count 1")), ("More", Command("search", "--count 10")),
    ]  # fmt: skip


async def test_a_press_on_more_asks_the_question_of_the_message_again(search: Search, library: FakeLibrary) -> None:
    library.passages = [passage(number) for number in range(1, 9)]
    question = make_message("/search the lamp is blue")
    press = replace(make_message("/search --count 10"), reply_to=question)
    reply = await search.answer(make_request(press, scopes=[PUBLIC]))
    assert len(reply.sources) == 8
    assert [button.label for button in reply.buttons] == ["Fewer"]


async def test_a_press_on_more_under_what_a_press_brought_asks_it_again(search: Search, library: FakeLibrary) -> None:
    library.passages = [passage(number) for number in range(1, 30)]
    first = replace(make_message("/search --count 10", id="press:1"), reply_to=make_message("the lamp is blue"))
    reply = await search.answer(make_request(replace(make_message("/search --count 20"), reply_to=first), scopes=[PUBLIC]))
    assert len(reply.sources) == 20


@pytest.mark.parametrize("question", ["the lamp is blue", "elephants"])
async def test_in_a_group_a_look_in_all_that_one_may_read_is_always_offered(
    search: Search, library: FakeLibrary, question: str
) -> None:
    """Whether there is anything or not, here or there: so the button tells nothing."""
    library.passages = [passage(1), passage(2, "elephants", scope=Scope("dm", "test/bot/ann"))]
    asked = make_message(question, kind="group")
    offered = Button("Look in all that I may read", Command("search", PRIVATELY))
    assert (await search.answer(make_request(asked, scopes=[PUBLIC]))).buttons == (offered,)
    alone = await search.answer(make_request(make_message(question), scopes=[PUBLIC]))
    assert offered not in alone.buttons


async def test_what_is_answered_privately_says_what_was_asked(search: Search, library: FakeLibrary) -> None:
    library.passages = [passage(1)]
    press = replace(make_message("/search"), reply_to=make_message("the *lamp* is blue", kind="group", chat="-5"))
    reply = await search.answer(make_request(press, scopes=[PUBLIC]))
    assert reply.text.startswith("You asked in a group: the \\*lamp\\* is blue\n\n> ")


async def test_a_plain_question_is_asked_again_too(search: Search, library: FakeLibrary) -> None:
    library.passages = [passage(number) for number in range(1, 4)]
    press = replace(make_message("/search --count 1"), reply_to=make_message("the lamp is blue"))
    reply = await search.answer(make_request(press, scopes=[PUBLIC]))
    assert len(reply.sources) == 1
    assert [button.label for button in reply.buttons] == ["More"]


async def test_sources_far_below_the_best_are_left_out(search: Search, library: FakeLibrary) -> None:
    library.passages = [passage(1, "one two three four five six seven"), passage(2, "seven")]
    reply = await search.answer(make_request("one two three four five six seven", scopes=[PUBLIC]))
    assert [source.text for source in reply.sources] == ["one two three four five six seven"]


async def test_a_command_without_a_question_asks_for_one(search: Search) -> None:
    assert "What shall I look for?" in (await search.answer(make_request("/search"))).text


def test_documents_without_a_word_are_claimed_and_nothing_else(search: Search, kit: Kit) -> None:
    plan = document(kit, "plan.txt", "x")
    photo = make_attachment(kit, "image", "a.png", b"x")
    assert search.claims(make_message("", attachments=[plan]))
    assert not search.claims(make_message("", attachments=[plan, photo]))
    assert not search.claims(make_message("summarise this", attachments=[plan]))
    assert not search.claims(make_message("hello"))


async def test_sent_documents_are_kept_in_the_chat_and_told_one_by_one(search: Search, kit: Kit, library: FakeLibrary) -> None:
    told = Told()
    files = [document(kit, "plan.txt", "the plan"), document(kit, "list.txt", "the list")]
    message = make_message("", attachments=[*files, make_attachment(kit, "document", "bad.bin", b"\xff\xfe")])
    reply = await search.answer(make_request(message, progress=told))
    added, listed, refused = reply.text.split("\n")
    assert added == "I added plan.txt (passages: 1). Ask me about it."
    assert listed == "I added list.txt (passages: 1). Ask me about it."
    assert refused.startswith("**bad.bin**: ")
    assert refused.endswith("is no text. Nothing was kept.")
    assert {scope for scope, _key in library.kept} == {Scope.of(message.address)}
    assert set(library.senders.values()) == {"ann"}
    assert str(told[1]) == "I am reading list.txt (2 of 3)."


async def test_a_folder_of_new_documents_is_told_in_one_line(search: Search, kit: Kit) -> None:
    files = [document(kit, f"note {number}.txt", f"note {number}") for number in range(6)]
    bad = make_attachment(kit, "document", "bad.bin", b"\xff\xfe")
    reply = await search.answer(make_request(make_message("", attachments=[*files, bad])))
    first, second = reply.text.split("\n")
    assert first == "I added 6 documents (passages: 6). Ask me about them."
    assert "is no text" in second


async def test_a_folder_that_is_here_already_is_told_in_one_line(search: Search, kit: Kit) -> None:
    message = make_message("", attachments=[document(kit, f"note {number}.txt", f"note {number}") for number in range(6)])
    await search.answer(make_request(message))
    again = await search.answer(make_request(message))
    assert again.text == "I have 6 of these documents already; nothing changed in them."


async def test_the_same_and_a_changed_document_are_told_apart(search: Search, kit: Kit) -> None:
    said = []
    for text in ("the plan", "the plan", "the new plan"):
        message = make_message("", attachments=[document(kit, "plan.txt", text)])
        said.append((await search.answer(make_request(message))).text)
    assert said[1] == "I have plan.txt already; nothing changed."
    assert said[2] == "I replaced plan.txt with what you sent (passages: 1). Ask me about it."


async def test_an_archive_says_how_many_were_read_and_which_not(
    search: Search, kit: Kit, library: FakeLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = tuple(Failed(f"a.zip › {number}.pdf", UnreadableError("It is cut.").text) for number in range(7))

    async def add_file(_path: Path, _scope: Scope, *, title: str, **_other: str) -> Added:
        return Added(title, 9, "added", 1, files=4, failed=failed)

    monkeypatch.setattr(library, "add_file", add_file)
    reply = await search.answer(make_request(make_message("", attachments=[document(kit, "a.zip", "PK")])))
    lines = reply.text.split("\n")
    assert lines[0] == "I added what is in a.zip: documents 4, passages 9. Ask me about them."
    assert lines[1] == "Not read: a.zip › 0.pdf: It is cut."
    assert lines[6:] == ["2 more of them could not be read."]


async def test_a_source_in_an_archive_is_shown_with_its_path(search: Search, library: FakeLibrary) -> None:
    library.passages = [passage(1, title="team/plans.zip › 2025/lamps.pdf", heading="", page=None)]
    reply = await search.answer(make_request("the lamp is blue", scopes=[PUBLIC]))
    assert reply.sources[0].title == "plans.zip › 2025/lamps.pdf"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Our shops (bakery/hours.html)", "Our shops (hours.html)"),
        ("Bread / Cake (hours.html)", "Bread / Cake (hours.html)"),
        ("bakery/prices (old).txt", "prices (old).txt"),
        ("bakery (old)/prices.txt", "prices.txt"),
    ],
)
async def test_folders_are_left_out_and_what_a_page_calls_itself_is_not(
    search: Search, library: FakeLibrary, title: str, shown: str
) -> None:
    library.passages = [passage(1, title=title, heading="", page=None)]
    reply = await search.answer(make_request("the lamp is blue", scopes=[PUBLIC]))
    assert reply.sources[0].title == shown


async def test_one_document_that_cannot_be_read_is_an_error(search: Search, kit: Kit) -> None:
    message = make_message("", attachments=[make_attachment(kit, "document", "bad.bin", b"\xff\xfe")])
    with pytest.raises(UnreadableError):
        await search.answer(make_request(message))


async def test_a_question_that_comes_with_a_document_is_answered_from_it(search: Search, kit: Kit) -> None:
    message = make_message("the lamp is blue", attachments=[document(kit, "lamps.txt", TEXT)])
    reply = await search.answer(make_request(message))
    assert reply.text.startswith("I added lamps.txt (passages: 1). Ask me about it.\n\n> ")
    assert len(reply.sources) == 1


async def test_a_question_in_reply_to_a_document_keeps_it_without_a_word(search: Search, kit: Kit, library: FakeLibrary) -> None:
    sent = make_message("", attachments=[document(kit, "lamps.txt", TEXT)])
    reply = await search.answer(make_request(make_message("the lamp is blue", reply_to=sent)))
    assert reply.text.startswith("> ")
    assert len(library.kept) == 1


async def test_a_title_cannot_play_markdown(search: Search, library: FakeLibrary) -> None:
    library.passages = [passage(1, title="**[x](evil)**", heading="", page=None)]
    reply = await search.answer(make_request("the lamp is blue", scopes=[PUBLIC]))
    assert reply.text.endswith(r"— \*\*\[x\](evil)\*\*")


@pytest.mark.parametrize("said", ["what is this?", "이게 뭐야?", "What is this document about?", "이 파일은 무슨 내용이야?"])
async def test_who_asks_what_a_document_is_that_came_along_is_offered_a_summary(search: Search, kit: Kit, said: str) -> None:
    message = make_message(said, attachments=[document(kit, "plan.txt", TEXT)])
    reply = await search.answer(make_request(message))
    assert "plan.txt" in reply.text
    assert reply.sources == ()
    assert [button.command for button in reply.buttons] == [Command("sum")]


async def test_what_is_asked_with_a_document_that_cannot_be_read_is_looked_for_in_no_other(
    search: Search, kit: Kit, library: FakeLibrary
) -> None:
    library.passages = [passage(1)]
    message = make_message("is the lamp blue?", attachments=[make_attachment(kit, "document", "bad.pdf", b"\xff\xfe\xff")])
    with pytest.raises(UnreadableError):
        await search.answer(make_request(message))


async def test_where_nothing_is_found_what_comes_nearest_is_offered_and_shown_for_no_answer(
    search: Search, library: FakeLibrary
) -> None:
    library.passages = [passage(number) for number in range(1, 9)]
    question = make_message("elephants")
    reply = await search.answer(make_request(question, scopes=[PUBLIC]))
    assert (reply.sources, [button.command for button in reply.buttons]) == ((), [Command("search", "--nearest")])
    press = replace(make_message("/search --nearest"), reply_to=question)
    nearest = await search.answer(make_request(press, scopes=[PUBLIC]))
    assert nearest.text.startswith("I am not sure that any of these answers you")
    assert (len(nearest.sources), nearest.buttons) == (3, ())


async def test_nothing_comes_nearest_in_an_empty_library_and_nothing_more_is_offered(search: Search) -> None:
    press = replace(make_message("/search --nearest"), reply_to=make_message("elephants"))
    reply = await search.answer(make_request(press, scopes=[PUBLIC]))
    assert reply.text.startswith("I found nothing about this")
    assert (reply.sources, reply.buttons) == ((), ())


async def test_of_what_others_may_read_nothing_comes_nearest(search: Search, library: FakeLibrary) -> None:
    library.passages = [passage(1, scope=Scope("dm", "test/bot/other"))]
    press = replace(make_message("/search --nearest"), reply_to=make_message("lamp"))
    assert (await search.answer(make_request(press, scopes=[PUBLIC]))).sources == ()
