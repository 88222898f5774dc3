"""A home that holds very many short passages of real texts, for asking the whole bot.

    python -m benchmarks.scale_texts FOLDER --data DIR
    python -m benchmarks.scale_home FOLDER HOME [--count 100000]
    python -m benchmarks.search_stages --home HOME

The texts go the bot's own way into the database but for the embedder: their vectors are those of FOLDER.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.scale_texts import texts_of, vectors
from bot.app import opened
from bot.config import Settings
from bot.models.tasks import EMBED
from bot.passage import PUBLIC
from bot.retrieval.chunk import Piece
from bot.retrieval.embed import draft, finish
from bot.store.generations import Generations
from bot.store.passages import NewDocument, Passages

TOGETHER = 100
"""Passages of a document."""
AT_ONCE = 20
"""Documents of a transaction."""


def main() -> None:
    """Fill a home."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("home", type=Path)
    parser.add_argument("--count", type=int, default=100_000)
    options = parser.parse_args()
    begun = time.perf_counter()
    asyncio.run(fill(options.folder, options.home, options.count))
    print(f"{time.perf_counter() - begun:.0f} s")


async def fill(folder: Path, home: Path, count: int) -> None:
    """Keep `count` passages in `home`, and save the index."""
    rows, texts = vectors(folder, count), texts_of(folder, count)
    async with opened(Settings(home=home)) as app:
        (vector,) = await app.pool.run(EMBED, ["."])
        generation = await Generations(app.database).begin(app.pool.live(EMBED), dimension=len(vector))
        passages = Passages(app.database)
        made = documents(texts[: len(rows)], rows)
        while some := list(itertools.islice(made, AT_ONCE)):
            await passages.add(some, generation=generation.id)
        await app.library.rebuild()


def documents(texts: list[str], rows: NDArray[np.float16]) -> Iterator[NewDocument]:
    """Yield documents of TOGETHER passages."""
    for start in range(0, len(texts), TOGETHER):
        some = texts[start : start + TOGETHER]
        drafts = draft([Piece(text, "", None, 0, len(text)) for text in some], title=f"part {start // TOGETHER}")
        made = tuple(finish(one, row.astype(np.float32)) for one, row in zip(drafts, rows[start:], strict=False))
        yield NewDocument(
            PUBLIC, f"scale:{start}", f"part {start // TOGETHER}", "", f"{start:064}", "text", sum(map(len, some)), made
        )


if __name__ == "__main__":
    main()
