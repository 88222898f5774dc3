"""What was said yes to, and the hashes that were seen first: neither is ever overwritten."""

from bot.store.consents import Consents
from bot.store.database import Database

SUBJECT = "hub:owner/name@" + "a" * 40


async def test_nothing_is_known_of_what_nobody_has_seen(database: Database) -> None:
    assert await Consents(database).of(SUBJECT) is None


async def test_a_yes_and_the_hashes_that_follow_are_kept_together(database: Database) -> None:
    consents = Consents(database)
    await consents.say_yes(SUBJECT, by="telegram:4711", files={"model.safetensors": "1"})
    said = await consents.of(SUBJECT)
    await consents.seen(SUBJECT, {"model.safetensors": "1", "config.json": "2"})

    kept = await consents.of(SUBJECT)

    assert said is not None
    assert kept is not None
    assert (kept.by, kept.at) == ("telegram:4711", said.at)
    assert kept.files == {"model.safetensors": "1", "config.json": "2"}


async def test_what_was_seen_first_stays(database: Database) -> None:
    consents = Consents(database)
    await consents.seen(SUBJECT, {"config.json": "first"})
    await consents.say_yes(SUBJECT, by="web:admin", files={"config.json": "other", "model.safetensors": "1"})

    kept = await consents.of(SUBJECT)

    assert kept is not None
    assert (kept.by, kept.files) == ("web:admin", {"config.json": "first", "model.safetensors": "1"})
