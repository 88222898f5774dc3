"""One generation is live, one may be built beside it; what is not wanted any more goes, and only a whole one takes over."""

import pytest

from bot.locale import phrases
from bot.passage import PUBLIC
from bot.store.assignments import Assignments
from bot.store.database import Database
from bot.store.generations import Generations
from bot.store.passages import NewDocument, NewPassage, Passages

_ = phrases(__file__)
VECTOR = b"\x00\x3c\0\0"


@pytest.fixture
def generations(database: Database) -> Generations:
    return Generations(database)


@pytest.fixture
def passages(database: Database) -> Passages:
    return Passages(database)


def document(key: str, *others: tuple[int, bytes], vector: bytes = VECTOR) -> NewDocument:
    passage = NewPassage("text", "", None, 0, 4, "en", 0.0, ("", "", "text"), b"", b"", vector, others)
    return NewDocument(PUBLIC, key, key, "", key, "text", 4, (passage,))


async def test_two_that_were_live_take_turns_and_keep_their_vectors(generations: Generations, passages: Passages) -> None:
    old = await generations.begin("a@1", dimension=2)
    await passages.add([document("1")], generation=old.id)
    new = await generations.begin("b@1", dimension=2)
    await passages.add_vectors(new.id, [(1, VECTOR)])
    assert await generations.publish(new)
    assert [one.state for one in await generations.all()] == ["retired", "live"]
    assert (await generations.before()) is not None

    again = await generations.begin("a@1", dimension=2)

    assert (again.id, again.state) == (old.id, "building")
    assert await generations.counts(again.id) == (1, 0)
    assert await generations.publish(again)
    before = await generations.before()
    assert before is not None
    assert before.embedder == "b@1"


async def test_half_built_vectors_of_a_changed_mind_go_those_that_were_live_stay(
    generations: Generations, passages: Passages, database: Database
) -> None:
    old = await generations.begin("a@1", dimension=2)
    await passages.add([document("1"), document("2")], generation=old.id)
    half = await generations.begin("b@1", dimension=2)
    await passages.add_vectors(half.id, [(1, VECTOR)])

    assert (await generations.begin("a@1", dimension=2)).id == old.id

    assert [one.id for one in await generations.all()] == [old.id]
    await passages.add_vectors(half.id, [(2, VECTOR)])
    assert await generations.counts(half.id) == (1, 1)
    assert not await generations.publish(half)
    while await generations.sweep():
        pass
    assert await generations.counts(half.id) == (0, 2)
    assert await generations.counts(old.id) == (2, 0)


async def test_a_live_generation_cannot_be_dropped(generations: Generations) -> None:
    live = await generations.begin("a@1", dimension=2)

    assert not await generations.drop(live.id)
    assert await generations.live() is not None


async def test_a_passage_is_kept_with_all_its_vectors_or_not_at_all(generations: Generations, passages: Passages) -> None:
    old = await generations.begin("a@1", dimension=2)
    new = await generations.begin("b@1", dimension=2)

    assert await passages.add_among([document("1")], generation=old.id, written=[old.id]) is None
    assert await generations.counts(old.id) == (0, 0)
    kept = await passages.add_among([document("1", (new.id, VECTOR))], generation=old.id, written=[old.id, new.id])
    assert kept is not None
    assert (await generations.counts(old.id), await generations.counts(new.id)) == ((1, 0), (1, 0))
    await passages.remove(PUBLIC, key="1")
    assert (await generations.counts(old.id), await generations.counts(new.id)) == ((0, 0), (0, 0))


async def test_the_newest_wish_counts_and_a_failure_is_that_wishs_own(database: Database) -> None:
    assignments = Assignments(database)
    assert await assignments.of("embed") is None
    await assignments.put("embed", "a@1", by="ann")
    await assignments.put("embed", "b@1", by="bob")
    await assignments.failed("embed", "a@1", _("it broke"))
    wish = await assignments.of("embed")
    assert wish is not None
    assert (wish.model, wish.by, wish.failure) == ("b@1", "bob", {})
    await assignments.failed("embed", "b@1", _("it broke"))
    wish = await assignments.of("embed")
    assert wish is not None
    assert wish.failure["en"] == "it broke"
    await assignments.put("embed", "b@1", by="bob")
    wish = await assignments.of("embed")
    assert wish is not None
    assert wish.failure == {}
