"""A home with so many passages of made words and made vectors, and its index on disk.

python -m benchmarks.faults.made_home HOME 100000
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import numpy as np

from benchmarks.scale_home import AT_ONCE, documents
from bot.app import opened
from bot.config import Settings
from bot.models.tasks import EMBED
from bot.store.generations import Generations
from bot.store.passages import Passages

WORDS = 5000
WORDS_A_PASSAGE = 12


async def fill(home: Path, count: int) -> None:
    """Keep `count` passages in `home`, and save the index."""
    chance = np.random.default_rng(1)
    words = np.array([f"word{number}" for number in range(WORDS)])
    async with opened(Settings(home=home)) as app:
        (vector,) = await app.pool.run(EMBED, ["."])
        generation = await Generations(app.database).begin(app.pool.live(EMBED), dimension=len(vector))
        rows = chance.standard_normal((count, len(vector)), dtype=np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        made = list(
            documents([" ".join(some) for some in chance.choice(words, (count, WORDS_A_PASSAGE))], rows.astype(np.float16))
        )
        for start in range(0, len(made), AT_ONCE):
            await Passages(app.database).add(made[start : start + AT_ONCE], generation=generation.id)
        await app.library.rebuild()


if __name__ == "__main__":
    asyncio.run(fill(Path(sys.argv[1]), int(sys.argv[2])))
