"""What a model answered lately: the same question, asked again at once by another part of the bot, costs nothing.

Owns: which answers are kept, how many, and who waits for one that is under way. Leaves the asking to `bot.models.pool`. A message is
embedded when it comes, when it is routed and when it is searched for: most often these are the same words.

    lately = Lately(most=32)
    [vector] = await lately.answer(("embed.minilm.v1", "where is the plan?"), lambda: lease.predict(["where is the plan?"]))
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence

from bot.recent import Recent

Answer = Sequence[object]


class Lately:
    """The last few answers, by what was asked. All its coroutines belong to one event loop."""

    def __init__(self, *, most: int) -> None:
        """Keep the last `most` answers."""
        self._answers: Recent[Hashable, Answer] = Recent(most=most)
        self._under_way: dict[Hashable, asyncio.Future[None]] = {}

    async def answer(self, key: Hashable, ask: Callable[[], Awaitable[Answer]]) -> list[object]:
        """Return the answer to `key`, asked for by `ask` where it is not kept and nobody asks for it already. An error is not kept."""
        while (over := self._under_way.get(key)) is not None:
            await asyncio.wait([over])
        if (found := self._answers.get(key)) is not None:
            self._answers.move_to_end(key)
            await asyncio.sleep(0)  # whoever asks in a loop must not keep others from their turn
            return list(found)
        over = self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            answer = self._answers[key] = await ask()
        finally:
            del self._under_way[key]
            over.set_result(None)
        return list(answer)
