"""A file that a platform gives, written as it comes, and no more of it than may be.

await written(answer.content.iter_chunked(PIECE_BYTES), into, limit_bytes=20 << 20)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from pathlib import Path
from typing import Final

from bot.errors import TooLargeError
from bot.locale import phrases

_ = phrases(__file__)

PIECE_BYTES: Final = 1 << 16


async def written(pieces: AsyncIterable[bytes], into: Path, *, limit_bytes: int) -> None:
    """Write the pieces into the file `into`. Raises TooLargeError: they are over `limit_bytes`."""
    got = 0
    with await asyncio.to_thread(into.open, "wb") as file:
        async for piece in pieces:
            got += len(piece)
            if got > limit_bytes:
                raise too_large(limit_bytes)
            await asyncio.to_thread(file.write, piece)


def too_large(limit_bytes: int) -> TooLargeError:
    """Return the error for a file over the limit."""
    return TooLargeError(_("That file is over {limit} MB. Nothing was kept; please send a smaller one.", limit=limit_bytes >> 20))
