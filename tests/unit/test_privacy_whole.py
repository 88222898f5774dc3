"""What `docs/privacy.md` says is kept, compared with what the code keeps: a new table or place in the home is named there."""

from __future__ import annotations

import re
from pathlib import Path

from bot.store.tables import Base

HERE = Path(__file__).parents[2]
PAGE = (HERE / "docs" / "privacy.md").read_text(encoding="utf-8")
TABLES_OF_NOBODY = {
    "removals": "numbers of passages that are gone",
    "generations": "which embedder made which vectors",
}
PLACES_OF_NOBODY = {
    "models": "weights, and sentences for the models' gates that come with the program",
    "figures": "drawings of the models' figures",
    "measured.json": "how fast the models are here",
    "paring.toml": "what the admin set",
}
"""What holds nothing that a person said, sent or asked, and what it holds instead."""
_PLACE = re.compile(r"""\bhome / (?:"([^"]+)"|([A-Z_]+)\b)""")
_OTHERS_HOME = "card_font.py"
"""Looks for fonts in the home of a person, which is another one."""


def test_every_table_is_named_or_holds_nothing_of_people() -> None:
    tables = set(Base.metadata.tables)

    assert {name for name in tables if f"`{name}`" not in PAGE} == TABLES_OF_NOBODY.keys()


def test_every_place_in_the_home_is_named_or_holds_nothing_of_people() -> None:
    sources = [path for path in (HERE / "bot").rglob("*.py") if path.name != _OTHERS_HOME and "contract" not in path.parts]
    found = {literal for path in sources for literal, _name in _PLACE.findall(path.read_text(encoding="utf-8")) if literal}

    assert {"blobs", "paring.db"} <= found
    assert {name for name in found if not re.search(rf"`{re.escape(name)}[`/]", PAGE)} == PLACES_OF_NOBODY.keys()
