"""The report card of a model beside what the install has in its slot, as a picture: docs/img/card.png.

    python -m benchmarks.card summarise summarise.lead.v1 docs/img/card.png [--language ko]

Both models are measured on this machine, each in a child process by the golden cases of its gate, as a swap does; nothing is changed.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path

from bot.config import Settings
from bot.locale import LANGUAGES, Text
from bot.models.bench import benched
from bot.models.card import card_of
from bot.models.card_picture import card_picture
from bot.models.card_text import card_text
from bot.models.catalogue import Catalogue
from bot.models.pool import Pool
from bot.models.trial import Card, Figures


async def card_here(slot: str, name: str, settings: Settings) -> Card:
    """Return the card of the model `name` beside what is live in `slot`."""
    catalogue = Catalogue(settings)
    pool = Pool(catalogue, settings)
    embedder = None if slot == "embed" else pool.spec("embed")

    async def figures_of(name: str) -> Figures:
        done = await benched(catalogue.named(slot, name), pool, settings, _untold, embedder=embedder)
        if done.figures is None:
            raise SystemExit(done.failed["en"])
        return done.figures

    live = pool.spec(slot)
    old = await figures_of(live.name) if live is not None else None
    new = await figures_of(name)
    room = await asyncio.to_thread(pool.room_for, catalogue.named(slot, name), new.ram_mb)
    return card_of(slot, old, new, room)


async def _untold(_text: Text) -> None:
    """Tell nobody."""


def main() -> None:
    """Measure, print the card's text, write its picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("slot")
    parser.add_argument("model")
    parser.add_argument("file", type=Path)
    parser.add_argument("--language", choices=LANGUAGES, default="en")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paring-card-") as home:
        card = asyncio.run(card_here(given.slot, given.model, Settings(home=Path(home))))
    print(card_text(card, given.language))
    given.file.write_bytes(card_picture(card, given.language))


if __name__ == "__main__":
    main()
