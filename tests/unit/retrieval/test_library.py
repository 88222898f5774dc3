import asyncio
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image
from retrieval_fakes import ANN, TEAM, WordEmbedder, by_words
from sqlalchemy import text

from bot.config import LimitSettings
from bot.errors import TooLargeError, UnreadableError
from bot.models.tasks import Reading
from bot.passage import PUBLIC, Scopes
from bot.retrieval.library import Shelves
from bot.store.database import Database
from bot.testing import InlineSandbox

EVERYONE = Scopes([PUBLIC])
HANDBOOK = """# Handbook

## Hours

The office in Busan opens at nine. On Friday it closes at five.

## Leave

Everyone has 25 days of paid leave."""


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    file = tmp_path / "handbook.md"
    file.write_text(HANDBOOK, encoding="utf-8")
    return file


async def found(library: Shelves, query: str, scopes: Scopes = EVERYONE) -> list[str]:
    return [hit.passage.text for hit in await library.search(query, scopes)]


async def ranked(library: Shelves, query: str, scopes: Scopes = EVERYONE) -> list[int]:
    return list((await library.rank(query, scopes, count=10)).documents)


async def test_a_question_finds_the_passage_with_its_sentence_marked(library: Shelves, handbook: Path) -> None:
    await library.add_file(handbook, PUBLIC, title="handbook.md")
    best = (await library.search("when does the office in Busan open?", EVERYONE))[0]
    assert best.passage.heading == "Handbook › Hours"
    assert best.passage.link == "document:1"
    assert best.marked is not None
    assert best.passage.text[slice(*best.marked)] == "The office in Busan opens at nine."
    assert 0 < best.score <= 1


async def test_a_page_that_came_as_a_file_is_called_by_its_title_and_its_name(library: Shelves, tmp_path: Path) -> None:
    file = tmp_path / "leave_2026.html"
    file.write_text("<title>Leave policy</title><body><p>Everyone has 25 days of leave a year.</p></body>", encoding="utf-8")
    await library.add_file(file, PUBLIC, title="leave_2026.html")
    (hit,) = await library.search("how many days of leave a year?", EVERYONE)
    assert hit.passage.title == "Leave policy (leave_2026.html)"


async def test_of_two_years_of_one_list_the_present_one_answers(
    database: Database, embedder: WordEmbedder, tmp_path: Path
) -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    library = Shelves(database, embedder, InlineSandbox(), tmp_path, LimitSettings(), fusion=by_words(), now=lambda: now)  # type: ignore[arg-type]
    for of, price in (("2025", "5.70"), ("2026", "6.20 euros from the oven of the new shop")):
        await library.add_text(f"The rye loaf costs {price}.", PUBLIC, title=f"prices {of}.txt", link="", key=of)
    present = (await library.search("how much is the rye loaf?", EVERYONE))[0]
    former = (await library.search("what did the rye loaf cost last year?", EVERYONE))[0]
    await library.close()
    assert (present.passage.title, former.passage.title) == ("prices 2026.txt", "prices 2025.txt")


async def test_scores_go_down_and_stay_between_0_and_1(library: Shelves) -> None:
    for number in range(8):
        await library.add_text(f"the printer on floor {number} is broken", PUBLIC, title="", link="", key=str(number))
    scores = [hit.score for hit in await library.search("printer on floor 3", EVERYONE)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


async def test_korean_is_found_by_its_morphemes(library: Shelves) -> None:
    await library.add_text("육아휴직은 최대 1년이며 팀장의 승인이 필요합니다.", PUBLIC, title="규정", link="", key="1")
    await library.add_text("구내식당은 정오에 문을 엽니다.", PUBLIC, title="식당", link="", key="2")
    assert (await found(library, "육아휴직을 누가 승인하나요?"))[0].startswith("육아휴직")


async def test_nothing_is_found_in_an_empty_library_and_for_an_empty_question(library: Shelves, handbook: Path) -> None:
    assert await library.search("anything", EVERYONE) == []
    await library.add_file(handbook, PUBLIC, title="handbook.md")
    assert await library.search("  ", EVERYONE) == []


async def test_the_same_bytes_twice_are_one_document(library: Shelves, handbook: Path) -> None:
    first = await library.add_file(handbook, PUBLIC, title="handbook.md")
    again = await library.add_file(handbook, PUBLIC, title="copy.md")
    assert (first.status, again.status) == ("added", "unchanged")
    assert again.document == first.document
    assert again.title == "handbook.md"


async def test_the_same_bytes_in_another_scope_are_another_document(library: Shelves, handbook: Path) -> None:
    await library.add_file(handbook, ANN, title="handbook.md")
    assert (await library.add_file(handbook, TEAM, title="handbook.md")).status == "added"


async def test_a_changed_file_replaces_its_old_self(library: Shelves, handbook: Path) -> None:
    await library.add_file(handbook, PUBLIC, title="handbook.md")
    await library.search("hours", EVERYONE)
    handbook.write_text(HANDBOOK.replace("nine", "ten"), encoding="utf-8")
    assert (await library.add_file(handbook, PUBLIC, title="handbook.md")).status == "replaced"
    texts = " ".join(await found(library, "when does the office in Busan open?"))
    assert "ten" in texts
    assert "nine" not in texts
    assert (await library.verify()).sound


async def test_what_was_added_is_found_at_once_and_what_was_removed_at_once_not(library: Shelves) -> None:
    await library.add_text("the wiki lives under the stairs", PUBLIC, title="", link="", key="wiki")
    assert await ranked(library, "wiki under the stairs")
    await library.add_text("the cat lives under the stairs", PUBLIC, title="", link="", key="cat")
    assert len(await ranked(library, "who lives under the stairs")) == 2
    assert await library.remove(PUBLIC, key="wiki") == 1
    assert len(await ranked(library, "who lives under the stairs")) == 1
    assert await library.remove(PUBLIC, key="wiki") == 0


async def test_what_another_process_adds_is_found(
    library: Shelves, database: Database, embedder: WordEmbedder, tmp_path: Path
) -> None:
    await library.add_text("one", PUBLIC, title="", link="", key="1")
    await library.search("one", EVERYONE)
    other = Shelves(database, embedder, InlineSandbox(), tmp_path, LimitSettings())  # type: ignore[arg-type]
    await other.add_text("the second elephant", PUBLIC, title="", link="", key="2")
    await other.close()
    assert len(await ranked(library, "second elephant")) == 2


async def test_a_message_is_one_passage_under_its_link(library: Shelves) -> None:
    added = await library.add_text("I fix the login. " * 200, TEAM, title="Jun", link="message:t/b/1/77", key="m77", sender="jun")
    assert added.passages == 1
    (hit,) = await library.search("who fixes the login", Scopes([TEAM]))
    assert hit.passage.link == "message:t/b/1/77"


async def test_an_edit_of_a_message_replaces_it_and_its_repetition_changes_nothing(library: Shelves) -> None:
    said = [
        (await library.add_text(text, TEAM, title="Jun", link="message:1", key="m1")).status
        for text in ("on monday", "on tuesday", "on tuesday")
    ]
    assert said == ["added", "replaced", "unchanged"]


async def test_forgetting_a_sender_takes_their_passages_alone(library: Shelves) -> None:
    for sender in ("ann", "ben"):
        await library.add_text(f"{sender} likes tea", TEAM, title=sender, link="", key=sender, sender=sender)
    assert await library.forget(TEAM, sender="ann") == 1
    assert await found(library, "who likes tea", Scopes([TEAM])) == ["ben likes tea"]
    assert await library.forget(TEAM) == 1
    assert (await library.status()).passages == 0


async def test_a_scope_that_is_not_the_readers_is_never_searched(library: Shelves) -> None:
    await library.add_text("the secret recipe", ANN, title="", link="", key="1")
    assert await ranked(library, "secret recipe", Scopes([TEAM, PUBLIC])) == []
    assert len(await ranked(library, "secret recipe", Scopes([ANN]))) == 1


async def test_without_an_embedder_words_are_searched(library: Shelves, embedder: WordEmbedder) -> None:
    embedder.name = ""
    await library.add_text("the printer stands on floor three", PUBLIC, title="", link="", key="1")
    assert await ranked(library, "printer floor")
    assert embedder.embedded == []


async def test_vectors_of_two_embedders_are_never_compared(library: Shelves, embedder: WordEmbedder) -> None:
    await library.add_text("the printer", PUBLIC, title="", link="", key="1")
    embedder.name, embedder.dimension = "words@2", 16
    assert (await library.rank("printer", EVERYONE, count=5, leg="vectors")).ids == ()
    assert (await library.rank("printer", EVERYONE, count=5, leg="words")).ids != ()
    await library.add_text("the elephant", PUBLIC, title="", link="", key="2")
    status = await library.status()
    assert not status.searched_by_meaning
    assert status.without_vector == 1


async def test_rebuilding_after_a_change_of_embedder_makes_a_whole_generation_and_flips(
    library: Shelves, embedder: WordEmbedder
) -> None:
    await library.add_text("the printer", PUBLIC, title="", link="", key="1")
    embedder.name, embedder.dimension = "words@2", 16
    await library.add_text("the elephant", PUBLIC, title="", link="", key="2")
    status = await library.rebuild()
    assert (status.embedder, status.dimension, status.without_vector) == ("words@2", 16, 0)
    assert len((await library.rank("printer", EVERYONE, count=5, leg="vectors")).ids) == 2
    assert (await library.verify()).sound


async def test_what_was_stopped_half_way_goes_on(library: Shelves, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number}.txt").write_text(f"note {number} on elephants")

    def stop(_now: str, done: float, _total: int, *, passages: int = 0) -> None:
        if done >= 3:
            adding.cancel()

    adding = asyncio.create_task(library.add_many([folder], PUBLIC, stop))
    with pytest.raises(asyncio.CancelledError):
        await adding
    kept = (await library.status()).documents
    assert 0 < kept < 300
    rest = await library.add_many([folder], PUBLIC)
    assert rest.added + rest.replaced + rest.unchanged == 300
    assert rest.replaced + rest.unchanged >= kept  # what was under way when it was stopped may still have been committed


async def test_text_of_reads_without_keeping(library: Shelves, handbook: Path) -> None:
    read = await library.text_of(handbook, name="handbook.md")
    assert [passage.heading for passage in read] == ["Handbook › Hours", "Handbook › Leave"]
    assert {passage.id for passage in read} == {0}
    assert (await library.status()).documents == 0


async def test_a_picture_is_kept_by_its_text(library: Shelves, embedder: WordEmbedder, picture: Path) -> None:
    embedder.ocr = Reading("Exit to the garden", 0.9, "fake", ("en",))
    await library.add_file(picture, PUBLIC, title="sign.png")
    assert await found(library, "where is the exit to the garden") == ["Exit to the garden"]


async def test_of_a_picture_that_is_cut_off_it_is_told_how_much_arrived(
    library: Shelves, embedder: WordEmbedder, tmp_path: Path
) -> None:
    embedder.ocr = Reading("Exit to the garden", 0.9, "fake", ("en",))
    noise, file = io.BytesIO(), tmp_path / "sign.jpg"
    Image.effect_noise((160, 160), 50).convert("RGB").save(noise, "JPEG", quality=90)
    file.write_bytes(noise.getvalue())
    assert [one.arrived for one in await library.text_of(file, name="sign.jpg")] == [1.0]
    file.write_bytes(noise.getvalue()[: len(noise.getvalue()) * 2 // 3])
    (passage,) = await library.text_of(file, name="sign.jpg")
    assert passage.text == "Exit to the garden"
    assert 0.5 < passage.arrived < 0.8


async def test_a_picture_without_text_is_told(library: Shelves, embedder: WordEmbedder, picture: Path) -> None:
    embedder.ocr = Reading("lIl.", 0.1, "fake", ("en",))
    with pytest.raises(UnreadableError, match=r"no text in sign\.png"):
        await library.add_file(picture, PUBLIC, title="sign.png")


async def test_a_file_over_the_limit_is_told_with_both_sizes(database: Database, embedder: WordEmbedder, tmp_path: Path) -> None:
    small = Shelves(database, embedder, InlineSandbox(), tmp_path, LimitSettings(file_mb=1))  # type: ignore[arg-type]
    file = tmp_path / "big.txt"
    file.write_bytes(b"a" * (2 * 1024 * 1024))
    with pytest.raises(TooLargeError, match=r"big\.txt has 2 MB; I read at most 1"):
        await small.add_file(file, PUBLIC, title="big.txt")
    await small.close()


async def test_an_entry_that_the_word_index_lost_is_told_and_mended(library: Shelves, database: Database) -> None:
    await library.add_text("the printer", PUBLIC, title="", link="", key="1")
    await database.write(lambda connection: connection.execute(text("DELETE FROM passage_words")))
    assert (await library.verify()).words_astray == 1
    await library.rebuild()
    assert (await library.verify()).sound
    assert (await library.rank("printer", EVERYONE, count=5, leg="words")).ids != ()


async def test_a_missing_and_a_broken_vector_are_told(library: Shelves, database: Database) -> None:
    for key in ("1", "2"):
        await library.add_text(f"printer {key}", PUBLIC, title="", link="", key=key)
    await library.search("printer", EVERYONE)
    await database.write(lambda connection: connection.execute(text("DELETE FROM vectors WHERE passage_id = 1")))
    await database.write(
        lambda connection: connection.execute(text("UPDATE vectors SET data = :data"), {"data": b"\x00\x50" * 32})
    )
    found = await library.verify()
    assert (found.vectors_missing, found.vectors_broken) == (1, 1)
    assert found.memory_astray == 2
    assert "differs" in found.to("en")


async def test_a_page_that_says_the_same_is_unchanged_whatever_else_is_in_it(library: Shelves, tmp_path: Path) -> None:
    page = "<html><head><title>Harbour</title></head><body><!-- {} --><article><p>{}</p></article></body></html>"
    statuses = []
    for comment, said in (("visit 1", "It opens in May."), ("visit 2", "It opens in May."), ("visit 3", "It opens in June.")):
        (tmp_path / "page").write_text(page.format(comment, said))
        added = await library.add_page(tmp_path / "page", PUBLIC, title="wiki.intra/harbour", link="https://wiki.intra/harbour")
        statuses.append(added.status)
    assert statuses == ["added", "unchanged", "replaced"]
    (hit,) = await library.search("When does it open?", Scopes([PUBLIC]))
    assert (hit.passage.title, hit.passage.link, hit.passage.text) == (
        "Harbour",
        "https://wiki.intra/harbour",
        "It opens in June.",
    )


async def test_a_word_that_the_dictionary_cuts_otherwise_finds_the_page_that_has_it(library: Shelves) -> None:
    await library.add_text("차 두 대가 문 앞에 서 있다.", PUBLIC, title="", link="", key="cars")
    await library.add_text("주차는 한 달에 2만 원이다.", PUBLIC, title="", link="", key="parking")
    await library.add_text("다른 방의 주차장 이야기.", TEAM, title="", link="", key="elsewhere")
    words = (await library.rank("차 두대면 주차비 얼마", EVERYONE, count=10, leg="words")).ids
    assert set(words) == {1, 2}
