"""The skill: where its text comes from, what its answer shows, what its buttons do."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import RefusedLinkError
from bot.locale import Language, Text
from bot.message import Button, Command, Message, Reply
from bot.models.spec import LoadOptions, ModelSpec
from bot.models.tasks import SummaryInput
from bot.passage import PUBLIC, Passage, Scope
from bot.skill import Kit, Model
from bot.testing import NOON, FakeHistory, FakeLibrary, FakeModels, fake_kit, make_attachment, make_message, make_request
from skills.summarise.model import load_extract
from skills.summarise.skill import build

SPEC = ModelSpec("summarise.extract.v1", "summarise", "summarise-extract", "builtin")
DAM = (
    "The old dam above the town broke at noon. The water reached the market within an hour. Boats took people to the school. "
    "Nobody was hurt in the town. The mayor thanked the fire brigade. A new dam will cost two million euros. "
    "The council decides in May. Some shops stay closed until summer."
)
KO = (
    "마을 위의 오래된 댐이 정오에 무너졌다. 물은 한 시간 만에 시장까지 찼다. 주민들은 배를 타고 학교로 대피했다. 다친 사람은 없었다. "
    "시장은 소방대에 감사를 전했다. 새 댐에는 이백만 유로가 든다. 의회는 5월에 결정한다. 일부 가게는 여름까지 문을 닫는다."
)


class Extract(FakeModels):
    """The real model under its real name, and an embedder that counts."""

    def __init__(self, embedder: str = "embed.minilm.v1@1") -> None:
        model: Model[SummaryInput, object] = load_extract(SPEC, Path(), LoadOptions())
        super().__init__({"summarise": model})
        self.embedder = embedder

    def live(self, slot: object) -> str:
        return {"summarise": "summarise.extract.v1", "embed": self.embedder}[slot.name]  # type: ignore[attr-defined]


def kit_of(folder: Path, **parts: object) -> Kit:
    return fake_kit(folder, models=Extract(""), **parts)  # type: ignore[arg-type]


async def ask(kit: Kit, message: Message | str, *, language: Language | None = None) -> Reply:
    return await build(kit).answer(make_request(message, language=language))


def said(text: str, number: int, sender: str = "ann") -> Message:
    return make_message(text, kind="group", sender=sender, id=str(number), sent_at=NOON - timedelta(hours=3 - number / 60))


async def test_a_pasted_text_is_made_shorter_and_says_by_which_model(tmp_path: Path) -> None:
    reply = await ask(kit_of(tmp_path), f"/sum {DAM}")
    assert 0 < len(reply.text) < len(DAM)
    assert "dam" in reply.text
    assert reply.receipt is not None
    assert (reply.receipt.skill, reply.receipt.model) == ("summarise", "summarise.extract.v1")


async def test_a_korean_text_in_three_lines_has_three_lines(tmp_path: Path) -> None:
    reply = await ask(kit_of(tmp_path), f"다음 글을 세 줄로 요약해줘 {KO}")
    assert [line[:2] for line in reply.text.splitlines()] == ["- "] * 3


async def test_the_quoted_message_is_what_is_meant(tmp_path: Path) -> None:
    reply = await ask(kit_of(tmp_path), make_message("tl;dr", reply_to=make_message(DAM, id="0")))
    assert "dam" in reply.text


async def test_a_document_is_read_and_its_pages_are_the_sources(tmp_path: Path) -> None:
    pages = [
        Passage(0, PUBLIC, "dam.pdf", "", DAM, "", "en", 1),
        Passage(0, PUBLIC, "dam.pdf", "", "The old dam was built of clay. " + DAM[-40:], "", "en", 2),
    ]

    class Pages(FakeLibrary):
        async def text_of(self, path: Path, *, name: str) -> list[Passage]:
            return pages

    kit = kit_of(tmp_path, library=Pages())
    message = make_message("summarise this", attachments=[make_attachment(kit, "document", "dam.pdf", b"%PDF")])
    reply = await ask(kit, message)
    assert reply.text.startswith("**dam.pdf**")
    assert reply.sources[0].title == "dam.pdf, page 1"


@pytest.mark.parametrize("before", [False, True])
async def test_the_text_in_a_picture_is_made_short(tmp_path: Path, *, before: bool) -> None:
    class Reads(FakeLibrary):
        async def text_of(self, path: Path, *, name: str) -> list[Passage]:
            return [Passage(0, PUBLIC, name, "", DAM, "", "en")]

    kit = kit_of(tmp_path, library=Reads())
    photo = make_attachment(kit, "image", "letter.jpg", b"jpeg")
    if before:
        past = make_message("", id="0", attachments=[photo], sent_at=NOON - timedelta(minutes=1))
        kit = replace(kit, history=FakeHistory([past]))
    reply = await ask(kit, make_message("summarise this", attachments=[] if before else [photo]))

    assert reply.text.startswith("**letter.jpg**")
    assert "dam" in reply.text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "only the upper 62 % of the picture arrived, and I read that."),
        ("ko", "사진의 위쪽 62 %만 도착해서 그만큼만 읽었어요."),
    ],
)
@pytest.mark.parametrize("text", [DAM, "The dam is old."])
async def test_of_a_picture_that_is_cut_off_that_is_said(tmp_path: Path, text: str, language: Language, said: str) -> None:
    class Reads(FakeLibrary):
        async def text_of(self, path: Path, *, name: str) -> list[Passage]:
            return [Passage(0, PUBLIC, name, "", text, "", "en", arrived=0.62)]

    kit = kit_of(tmp_path, library=Reads())
    photo = make_attachment(kit, "image", "letter.jpg", b"jpeg")
    assert (await ask(kit, make_message("/sum", attachments=[photo], language=language))).text.endswith(said)
    whole = kit_of(tmp_path, library=FakeLibrary())
    letter = make_attachment(whole, "document", "letter.txt", text.encode())
    assert said not in (await ask(whole, make_message("/sum", attachments=[letter], language=language))).text


LEASE, POLICY, LEAVE = "contracts/office-lease.md", "Travel policy 2026.txt", "휴가-규정.txt"
HERE = make_request("").home


async def library_of(*more: tuple[str, str, Scope]) -> FakeLibrary:
    library = FakeLibrary()
    for title, text, scope in ((LEASE, DAM, HERE), (POLICY, DAM, PUBLIC), (LEAVE, KO, PUBLIC), *more):
        await library.add_text(text, scope, title=title, link="", key=title)
    return library


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("summarise office-lease.md", LEASE),
        ("give me the key points of the office lease", LEASE),
        ("/sum Travel policy 2026", POLICY),
        ("/sum Travel policy 2026.txt", POLICY),
        ("summarise the travel policy in two lines", POLICY),
        ("휴가 규정 요약해줘", LEAVE),
        ("휴가규정 세 줄로 정리해줘", LEAVE),
    ],
)
async def test_a_document_of_the_library_is_named(tmp_path: Path, asked: str, title: str) -> None:
    request = make_request(asked, scopes=[PUBLIC])
    reply = await build(kit_of(tmp_path, library=await library_of())).answer(request)
    assert reply.text.startswith(f"**{title}**")
    (source,) = reply.sources
    assert source.passages  # the answer is emptied when the document is forgotten


async def test_of_documents_that_hold_the_words_it_is_asked_which(tmp_path: Path) -> None:
    other = ("Leave policy 2026.txt", DAM, PUBLIC)
    reply = await build(kit_of(tmp_path, library=await library_of(other))).answer(
        make_request("sum up the policy", scopes=[PUBLIC])
    )
    assert reply.buttons == tuple(Button(title, Command("sum", title)) for title in (other[0], POLICY))


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("summarise the rules of the workshop", "wr.md"),
        ("/sum workshop rules", "wr.md"),
        ("summarise the workshop rules notes", "wr.md"),
        ("3월 9일 회의록 요약해줘", "회의록-2026-03-09.txt"),
        ("summarise the minutes of 9 March", "minutes 2026_03_09.md"),
        ("summarise the minutes of March 23rd", "minutes-0323.md"),
    ],
)
async def test_a_document_is_named_by_its_first_heading_or_its_day(tmp_path: Path, asked: str, title: str) -> None:
    days = ("회의록-2026-03-09.txt", "회의록-2026-03-23.txt", "minutes 2026_03_09.md", "minutes-0323.md", "minutes 2003-09-12.md")
    library = await library_of(*((day, KO if day[0] == "회" else DAM, PUBLIC) for day in days))
    library.passages.append(Passage(99, PUBLIC, "wr.md", "Workshop rules › Oil", DAM, "", "en"))
    reply = await build(kit_of(tmp_path, library=library)).answer(make_request(asked, scopes=[PUBLIC]))
    assert reply.text.startswith(f"**{title}**")


async def test_a_document_that_the_asker_may_not_read_is_told_like_one_that_is_not_there(tmp_path: Path) -> None:
    secret = ("secret.md", DAM, Scope("group", "telegram/bot/-9"))
    kit = kit_of(tmp_path, library=await library_of(secret))
    for name in ("secret.md", "nothere.md"):
        reply = await build(kit).answer(make_request(f"summarise {name}", scopes=[PUBLIC]))
        assert (reply.text.replace(name, "X"), reply.buttons) == (
            "I have no document X that you may read here. /files lists those that I have.", (),
        )  # fmt: skip


async def test_a_text_that_was_just_pasted_goes_before_a_name_that_is_not_whole(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, library=await library_of(), history=[said(KO, 1)])
    asked = make_message("summarise the policy", kind="group", sender="ann", id="2")
    reply = await build(kit).answer(make_request(asked, scopes=[PUBLIC]))
    assert "댐" in reply.text


async def test_a_link_is_fetched_and_its_file_removed(tmp_path: Path) -> None:
    page = tmp_path / "dam.txt"
    page.write_text(DAM)
    reply = await ask(kit_of(tmp_path, links={"https://town.example/dam": page}), "https://town.example/dam")
    assert "dam" in reply.text
    assert reply.sources[0].link == "https://town.example/dam"
    assert not page.exists()


async def test_a_refused_link_is_told_as_the_house_tells_it(tmp_path: Path) -> None:
    with pytest.raises(RefusedLinkError):
        await ask(kit_of(tmp_path), "/sum https://10.0.0.1/")


async def test_the_last_messages_are_told_by_speaker_without_the_bots(tmp_path: Path) -> None:
    history = [
        said("The printer in room 4 is broken again.", 1),
        said("I will order a new laser printer tomorrow.", 2, "ben"),
        replace(said("I am the bot and talk about printers.", 3, "bot"), by_bot=True),
        said("Please order toner for the printer as well.", 4),
        said("Toner costs eighty euros, so I need a yes from Carla.", 5, "ben"),
    ]
    reply = await ask(kit_of(tmp_path, history=history), make_message("/sum 50", kind="group", id="9"))
    assert reply.text.startswith("**4 messages**")
    assert "- Ben: " in reply.text
    assert "I am the bot" not in reply.text


async def test_wishes_for_a_summary_are_no_part_of_the_talk_and_do_not_count(tmp_path: Path) -> None:
    history = [said("The printer in room 4 is broken again.", 1), said("summarise what was said today", 2, "ben")]
    history += [said("오늘 얘기 한 줄로 요약해줘", 3), said("The summary of the year is ready on the shelf.", 4)]
    history += [said("Toner costs eighty euros, so I need a yes.", 5, "ben"), said("tl;dr", 6), said("shorter please", 7)]
    reply = await ask(kit_of(tmp_path, history=history), make_message("/sum 3", kind="group", id="9"))
    assert reply.text.startswith("**3 messages**")
    assert "printer" in reply.text
    assert "요약해줘" not in reply.text
    assert "today" not in reply.text
    assert reply.made_of == ("1", "4", "5")


async def test_what_the_bot_was_asked_is_no_part_of_a_groups_talk_that_it_hears(tmp_path: Path) -> None:
    heard = [
        replace(said(f"We moved meeting number {number} to the blue room.", number), addressed=False) for number in range(1, 5)
    ]
    asked = [said("how much is the lunch budget", 6), said("when is the demo?", 7, "ben")]
    reply = await ask(kit_of(tmp_path, history=[*heard, *asked]), make_message("/sum 3", kind="group", id="9"))
    assert (reply.text.splitlines()[0], reply.made_of) == ("**3 messages**", ("2", "3", "4"))


async def test_a_time_bounds_the_messages(tmp_path: Path) -> None:
    old = replace(said("The cat sleeps on the red sofa all day long.", 1), sent_at=NOON - timedelta(hours=9))
    new = [said(f"We moved meeting number {number} to the blue room.", number) for number in range(2, 8)]
    reply = await ask(kit_of(tmp_path, history=[old, *new]), make_message("/sum 5h", kind="group", id="9"))
    assert "cat" not in reply.text
    assert "blue room" in reply.text


async def test_a_bare_wish_means_the_long_message_before_it(tmp_path: Path) -> None:
    reply = await ask(kit_of(tmp_path, history=[make_message(DAM, id="0")]), make_message("summarise this please", id="2"))
    assert "dam" in reply.text
    assert reply.made_of == ("0",)


async def test_of_a_wish_that_held_its_text_the_text_alone_is_meant(tmp_path: Path) -> None:
    for wish in (f"summarise this: {DAM}", f"/sum {DAM}"):
        before = make_message(wish, id="0")
        for asked in (make_message("/sum", id="2"), make_message("tl;dr", id="2", reply_to=before)):
            reply = await ask(kit_of(tmp_path, history=[before]), asked)
            assert "dam" in reply.text
            assert "sum" not in reply.text.replace("summer", "")


async def test_a_document_that_is_named_is_meant_however_long_ago_it_was_sent(tmp_path: Path) -> None:
    kit = kit_of(tmp_path)
    sent = [
        make_message("", id=f"{number}", attachments=[make_attachment(kit, "document", name, text.encode())])
        for number, (name, text) in enumerate(
            (("flood-report.md", DAM), ("cats.txt", "Cats sleep. They eat. They purr. They hunt."))
        )
    ]
    kit = replace(kit, history=fake_kit(tmp_path, history=[*sent, *(make_message("ok", id=f"t{n}") for n in range(20))]).history)
    reply = await ask(kit, make_message("summarise the report", id="now"))
    assert ("dam" in reply.text, reply.made_of) == (True, ("0",))
    assert "Cats" in (await ask(kit, make_message("summarise the document in one sentence", id="now"))).text
    assert "/sum 50" in (await ask(kit, make_message("summarise the novel", id="now"))).text


async def test_one_sentence_is_no_list_and_not_made_shorter(tmp_path: Path) -> None:
    reply = await ask(kit_of(tmp_path), f"summarise this in one sentence: {DAM}")
    assert not reply.text.startswith("- ")
    assert [button.label for button in reply.buttons] == ["Longer"]


async def test_nothing_to_summarise_is_told_how_in_both_languages(tmp_path: Path) -> None:
    assert "/sum 50" in (await ask(kit_of(tmp_path), "/sum")).text
    assert "줄여 드릴까요" in (await ask(kit_of(tmp_path), "/sum", language="ko")).text
    assert "no messages" in (await ask(kit_of(tmp_path), "/sum today")).text


@pytest.mark.parametrize(
    ("asked", "language", "told"),
    [
        ("/sum 50", "en", "in this chat yet"),
        ("/sum today", "en", "from then"),
        ("/sum 오늘", "ko", "그 뒤로"),
        ("/sum 50", "ko", "아직 이 대화"),
    ],
)
async def test_a_chat_of_which_nothing_is_known_is_told_as_it_was_asked_for(
    tmp_path: Path, asked: str, language: Language, told: str
) -> None:
    assert told in (await ask(kit_of(tmp_path), asked, language=language)).text


async def test_a_short_text_is_given_back(tmp_path: Path) -> None:
    reply = await ask(kit_of(tmp_path), "/sum The dam broke at noon. *Nobody* was hurt.")
    assert "short already" in reply.text
    assert "\\*Nobody\\*" in reply.text


async def test_buttons_ask_for_the_other_lengths_about_the_same_text(tmp_path: Path) -> None:
    kit = kit_of(tmp_path)
    asked = make_message(f"summarise this: {DAM}", id="1")
    first = await ask(kit, asked)
    assert [button.command for button in first.buttons] == [Command("sum", "--length short"), Command("sum", "--length long")]
    press = replace(make_message("", id="press:1", reply_to=asked), command=first.buttons[0].command)
    shorter = await ask(kit, press)
    again = replace(make_message("", id="press:2", reply_to=press), command=Command("sum", "--length long"))
    longer = await ask(kit, again)
    assert len(shorter.text) < len(first.text) < len(longer.text)
    assert [button.label for button in longer.buttons] == ["Shorter"]


async def test_a_button_under_an_answer_about_a_quoted_message_finds_that_message(tmp_path: Path) -> None:
    asked = make_message("tl;dr", id="2", reply_to=make_message(DAM, id="1"))
    press = replace(make_message("", id="press:1", reply_to=asked), command=Command("sum", "--length short"))
    assert "dam" in (await ask(kit_of(tmp_path), press)).text


async def test_vectors_are_asked_for_where_the_embedder_reads_the_language(tmp_path: Path) -> None:
    for embedder, language, wanted in (
        ("embed.minilm.v1@1", "en", True),
        ("embed.minilm.v1@1", "ko", False),
        ("embed.labse.v1@1", "ko", True),
        ("", "en", False),
    ):
        models = Extract(embedder)
        await ask(fake_kit(tmp_path, models=models), f"/sum {DAM if language == 'en' else KO}")
        assert [name for name, _batch in models.calls].count("embed") == wanted


async def test_markdown_in_a_text_is_shown_as_it_is(tmp_path: Path) -> None:
    reply = await ask(kit_of(tmp_path), f"/sum {DAM.replace('dam', '[dam](javascript:x)')}")
    assert "[dam]" not in reply.text


async def test_long_work_is_told(tmp_path: Path) -> None:
    told: list[str] = []

    async def progress(text: Text) -> None:
        told.append(text.to("ko"))

    many = " ".join(f"Village {number} grew {number} tons of apples." for number in range(200))
    await build(kit_of(tmp_path)).answer(make_request(f"/sum {many}", progress=progress, language="ko"))
    assert told == ["문장 200개를 읽고 있어요 …"]


@pytest.mark.parametrize("text", ["https://a.example/x", "tl;dr", "요약해줘"])
def test_bare_links_and_the_shortest_wishes_are_claimed(tmp_path: Path, text: str) -> None:
    assert build(fake_kit(tmp_path)).claims(make_message(text))
    assert not build(fake_kit(tmp_path)).claims(make_message(f"{text} and the rest of my life in general"))
