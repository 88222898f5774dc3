"""What may be searched of a group goes along when the group gets another number, and every index in memory notices."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from retrieval_fakes import WordEmbedder

from bot.config import LimitSettings
from bot.message import Address
from bot.passage import Scope, Scopes
from bot.retrieval.library import Shelves
from bot.store.chats import Chats
from bot.store.database import Database
from bot.store.moving import Moves
from bot.talk import Said
from bot.testing import InlineSandbox

OLD = Address("telegram", "7", "-5", kind="group")
NEW = replace(OLD, chat="-1005")
BEFORE, AFTER = Scope.of(OLD), Scope.of(NEW)


@pytest.fixture
def moves(database: Database) -> Moves:
    return Moves(database, Chats(database))


async def say(library: Shelves, text: str, number: int, scope: Scope = BEFORE, sender: str = "ann") -> None:
    chat = scope.path.rpartition("/")[2]
    link = f"message:telegram/7/{chat}/{number}"
    await library.add_text(text, scope, title="Ann", link=link, key=f"message:{number}", sender=sender)


async def found(library: Shelves, query: str, scope: Scope) -> list[str]:
    return [hit.passage.text for hit in await library.search(query, Scopes([scope]))]


async def test_replies_find_what_they_answer_under_the_new_number(library: Shelves, moves: Moves) -> None:
    at = datetime(2026, 11, 27, tzinfo=UTC)
    for number, text, answers, days in ((1, "who waters the plants?", "", 0), (2, "me, all week", "message:1", 2)):
        said = Said("Ann" if number == 1 else "Ben", at + timedelta(days=days), "", answers)
        await library.add_text(text, BEFORE, title=said.who, link="message:t", key=f"message:{number}", said=said)
    await moves.move(OLD, NEW)
    (hit,) = await library.search("who waters the plants?", Scopes([AFTER]))
    assert [line.text for line in hit.lines] == ["who waters the plants?", "me, all week"]


async def sound(library: Shelves) -> bool:
    findings = await library.verify()
    return (findings.words_astray, findings.vectors_missing, findings.vectors_broken, findings.memory_astray) == (0, 0, 0, 0)


@pytest.mark.parametrize("known", [(), (1,)], ids=["a new scope", "a scope with passages of its own"])
async def test_passages_are_found_under_the_new_number_and_no_more_under_the_old(
    library: Shelves, moves: Moves, known: tuple[int, ...]
) -> None:
    await say(library, "the printer on floor three is broken", 1)
    await say(library, "lunch is at noon in the canteen", 2)
    for number in known:
        await say(library, "the garden party is on Friday evening", number, AFTER)
    assert await found(library, "printer on floor three", AFTER) == []
    await moves.move(OLD, NEW)
    assert (await found(library, "printer on floor three", AFTER))[0] == "the printer on floor three is broken"
    assert await found(library, "printer on floor three", BEFORE) == []
    for _number in known:
        assert (await found(library, "garden party Friday evening", AFTER))[0] == "the garden party is on Friday evening"
    assert (await library.status()).passages == 2 + len(known)
    assert await sound(library)


@pytest.mark.parametrize("known", [(), (3,)])
async def test_a_message_of_the_new_chat_replaces_none_of_the_old_with_its_number(
    library: Shelves, moves: Moves, known: tuple[int, ...]
) -> None:
    await say(library, "the printer on floor three is broken", 1)
    for number in known:
        await say(library, "the garden party is on Friday evening", number, AFTER)
    await moves.move(OLD, NEW)
    await say(library, "lunch is at noon in the canteen", 1, AFTER)
    assert (await found(library, "printer on floor three", AFTER))[0] == "the printer on floor three is broken"
    assert (await found(library, "lunch at noon in the canteen", AFTER))[0] == "lunch is at noon in the canteen"


async def test_a_message_whose_id_counts_nothing_keeps_it_so_that_it_is_known_when_it_is_read_again(
    library: Shelves, moves: Moves
) -> None:
    said = Said("Ann", datetime(2026, 11, 27, tzinfo=UTC), "", "message:1764201600.000100")
    await library.add_text("me, all week", BEFORE, title="Ann", link="message:t", key="message:1764201600.000200", said=said)
    await moves.move(OLD, NEW)
    assert [one.key for one in await library.held(AFTER)] == ["message:1764201600.000200"]


async def test_moved_again_nothing_changes_and_what_was_kept_late_goes_along(library: Shelves, moves: Moves) -> None:
    await say(library, "the printer on floor three is broken", 1)
    await moves.move(OLD, NEW)
    await say(library, "lunch is at noon in the canteen", 2)
    for _time in range(2):
        await moves.again(OLD)
        assert (await found(library, "lunch at noon in the canteen", AFTER))[0] == "lunch is at noon in the canteen"
        assert (await library.status()).passages == 2
        assert await sound(library)


async def test_a_file_that_both_chats_have_is_one_document_still(library: Shelves, moves: Moves) -> None:
    for scope in (BEFORE, AFTER):
        await library.add_text("the printer on floor three is broken", scope, title="plan", link="", key="image:ab")
    await moves.move(OLD, NEW)
    status = await library.status()
    assert (status.documents, status.passages) == (1, 1)
    assert await found(library, "printer on floor three", AFTER) == ["the printer on floor three is broken"]
    assert await sound(library)


async def test_a_person_can_still_have_the_old_chats_words_forgotten(library: Shelves, moves: Moves) -> None:
    await say(library, "the printer on floor three is broken", 1)
    await say(library, "lunch is at noon in the canteen", 2, sender="-5")
    await say(library, "the garden party is on Friday evening", 1, AFTER)
    await moves.move(OLD, NEW)
    assert await library.forget(AFTER, sender="-1005") == 1
    assert await library.forget(AFTER, sender="ann") == 2
    assert await sound(library)


async def test_another_program_on_the_same_home_notices_as_well(
    library: Shelves, moves: Moves, database: Database, embedder: WordEmbedder, tmp_path: Path
) -> None:
    other = Shelves(database, embedder, InlineSandbox(), tmp_path, LimitSettings())  # type: ignore[arg-type]
    await say(library, "the printer on floor three is broken", 1)
    assert await found(other, "printer on floor three", AFTER) == []
    await moves.move(OLD, NEW)
    assert await found(other, "printer on floor three", AFTER) == ["the printer on floor three is broken"]
    await other.close()
