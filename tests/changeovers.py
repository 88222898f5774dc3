"""What the tests of a change of embedder are about: three embedders, and passages whose vectors are told by their ids."""

from bot.passage import PUBLIC, Scopes
from bot.retrieval.library import Shelves
from bot.store.database import Database
from bot.store.generations import Generations

EVERYONE = Scopes([PUBLIC])
A, B, C = "a@1", "b@1", "c@1"


async def fill(library: Shelves, count: int, *, since: int = 0) -> None:
    for number in range(since, since + count):
        await library.add_text(f"note {number} on elephants and lamp {number}", PUBLIC, title="", link="", key=str(number))


async def states(database: Database) -> dict[str, str]:
    return {one.embedder: one.state for one in await Generations(database).all()}


async def ids(library: Shelves, query: str = "elephants") -> tuple[int, ...]:
    return (await library.rank(query, EVERYONE, count=50, leg="vectors")).ids
