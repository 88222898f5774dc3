"""Which documents there are: who asks for the list, and what it shows."""

from pathlib import Path

import pytest

from bot.message import Button, Command
from bot.passage import PUBLIC, Passage, Scope
from bot.testing import FakeLibrary, fake_kit, make_message, make_request
from skills.search.listing import asks_for_list, topic_of_list
from skills.search.skill import Search, build

MINE = Scope("dm", "telegram/bot/1")


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def search(tmp_path: Path, library: FakeLibrary) -> Search:
    return build(fake_kit(tmp_path, library=library, models={"embed": lambda text: text}))


def document(number: int, title: str, scope: Scope = PUBLIC) -> Passage:
    return Passage(number, scope, title, "", f"text {number}", "", "en")


@pytest.mark.parametrize(
    "said",
    [
        "which files do you have?", "What documents are there", "show me all documents", "list my files", "can you list all the files?",
        "what files have I sent you?", "which documents can you search?", "무슨 문서가 있어?", "어떤 파일 있어?", "문서 목록 보여줘",
        "내가 올린 파일 보여줘", "지금 가지고 있는 자료 알려줘", "저장된 문서 목록 보여주세요",
        "Where is my file?", "what did I send you?", "which documents have I uploaded so far", "무슨 파일 갖고 있어?", "내 파일 어디 있어?",
        "올라온 문서 목록 보여줘", "문서 뭐뭐 있어?", "등록된 문서 좀 보여줄래?", "지금 올라와 있는 파일 뭐야",
        "what docs are available right now", "how many files are there?", "How many documents do you have", "파일이 몇 개야?",
        "몇 개 파일이 있어?", "문서 몇개 있어요?",
        "show me the full list of files",
    ],
)  # fmt: skip
def test_the_list_is_asked_for_in_words(search: Search, said: str) -> None:
    assert search.claims(make_message(said))


@pytest.mark.parametrize(
    "said",
    [
        "which documents mention the lease?", "what file types do you support?", "show me the travel policy", "files", "문서",
        "what documents do I need for the visa?", "what files need a signature?", "where is my file about taxes", "where are you?", "show me",
        "서류 어디에 내야 해?", "휴가 자료 어디 있어?", "where is the printer?", "무슨 문서가 필요해?", "휴가 규정 문서 있어?",
        "문서에서 휴가 찾아줘", "how many files can I upload?", "how do I list files?", "how many files did Ann send?", "how are files kept",
        "파일 몇 개까지 올릴 수 있어?",
        "list the files in the contract",
        "list my files " * 9,
    ],
)  # fmt: skip
def test_a_question_about_what_stands_in_documents_is_none(search: Search, said: str) -> None:
    assert not search.claims(make_message(said))
    assert not asks_for_list(said)


async def test_the_documents_that_may_be_read_are_listed_the_newest_first(search: Search, library: FakeLibrary) -> None:
    other = Scope("group", "telegram/bot/-5")
    library.passages = [document(1, "lease.pdf"), document(2, "my *notes*.md", MINE), document(3, "secret.pdf", other)]
    reply = await search.answer(make_request("which files do you have?", scopes=[PUBLIC, MINE]))
    lines = reply.text.splitlines()
    assert lines[0] == "Documents that you can ask me about here (2):"
    assert [line.partition(" (1 Jan 2026")[0] for line in lines[2:]] == ["- **my \\*notes\\*.md**", "- **lease.pdf**"]
    assert "secret" not in reply.text
    assert "for everybody" in lines[3]


async def test_a_long_list_is_shown_in_parts(search: Search, library: FakeLibrary) -> None:
    library.passages = [document(number, f"plan {number}.md") for number in range(1, 46)]
    reply = await search.answer(make_request("/files plan", scopes=[PUBLIC]))
    assert reply.text.startswith("Documents 1 to 20 of 45")
    assert reply.buttons == (Button("More", Command("files", "--from 20 plan")),)
    reply = await search.answer(make_request("/files --from 40 plan", scopes=[PUBLIC]))
    assert [line for line in reply.text.splitlines() if line.startswith("- ")][-1].startswith("- **plan 1.md**")
    assert reply.buttons == ()


async def test_it_is_told_where_there_is_none(search: Search) -> None:
    assert "no documents yet" in (await search.answer(make_request("/files", scopes=[PUBLIC]))).text
    assert "called “lease”" in (await search.answer(make_request("/files lease", scopes=[PUBLIC]))).text
    assert "문서가 없어요" in (await search.answer(make_request("/문서 휴가", scopes=[PUBLIC], language="ko"))).text


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("list docs about budget", "budget"), ("which documents are there about the lease?", "lease"),
        ("show me all files on refunds", "refunds"),
        ("what docs about travel do we have?", "travel"), ("계약 관련 문서 목록", "계약"), ("예산에 관한 자료 뭐가 있나요?", "예산"),
        ("휴가에 대한 파일 목록 보여줘", "휴가"),
        ("what files are on the server", ""), ("which documents mention the lease?", ""), ("what documents do I need for the visa?", ""),
        ("휴가에 관한 문서 찾아줘", ""), ("휴가 규정 문서 있어?", ""),
    ],
)  # fmt: skip
def test_a_list_is_asked_for_about_something(search: Search, said: str, topic: str) -> None:
    assert topic_of_list(said) == topic
    assert search.claims(make_message(said)) is bool(topic)


async def test_such_a_list_is_of_titles_and_where_none_holds_the_word_of_what_stands_in_them(
    search: Search, library: FakeLibrary
) -> None:
    library.passages = [document(1, "budget-2026.xlsx"), document(2, "lease.pdf")]
    titled = await search.answer(make_request("list docs about the budget", scopes=[PUBLIC]))
    assert "budget-2026" in titled.text
    assert "lease" not in titled.text
    found = await search.answer(make_request("list docs about text 2", scopes=[PUBLIC]))
    assert found.sources[0].title == "lease.pdf"


@pytest.mark.parametrize(
    "said",
    [
        "open the expense policy", "send me the expense policy please", "expense policy", "can you show me our expense policy?",
        "경비 규정 보내줘", "경비규정 열어줘", "경비 규정 파일 있어?", "경비 규정",
    ],
)  # fmt: skip
async def test_who_asks_for_a_document_by_its_name_is_shown_it_where_nothing_in_it_answers(
    search: Search, library: FakeLibrary, said: str
) -> None:
    library.passages = [document(1, "expense-policy (경비-규정).md"), document(2, "lease.pdf")]
    reply = await search.answer(make_request(said, scopes=[PUBLIC]))
    assert [source.title for source in reply.sources] == ["expense-policy (경비-규정).md"]
    assert "expense-policy" in reply.text


@pytest.mark.parametrize("said", ["who owns the lease", "open the door", "lease 규정 누가 썼어", "?", "a"])
async def test_a_question_that_no_document_is_called_by_is_told_nothing(search: Search, library: FakeLibrary, said: str) -> None:
    library.passages = [document(2, "lease.pdf"), document(3, "secret door.pdf", Scope("group", "telegram/bot/-5"))]
    assert (await search.answer(make_request(said, scopes=[PUBLIC]))).sources == ()
