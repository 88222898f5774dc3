"""Runtimes are found by name and imported when one is needed."""

from importlib.metadata import EntryPoint

import pytest

from bot.errors import ModelError
from bot.models.families import Families
from bot.models.runtimes import minilm

from .conftest import Shop


def point(value: str) -> EntryPoint:
    return EntryPoint("x", value, "paring.families")


def test_the_installed_families_are_known_by_name() -> None:
    families = Families()

    assert {"minilm", "sentence-transformers"} <= set(families.names())
    assert families.loader("minilm") is minilm.load


@pytest.mark.parametrize(
    ("value", "reason"),
    [("no_such_module:load", "cannot be imported"), ("bot.models.spec:load", "cannot be imported")],
)
def test_a_runtime_that_cannot_be_imported_is_told(value: str, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        Families({"x": point(value)}).loader("x")


def test_an_unknown_family_names_the_known_ones() -> None:
    with pytest.raises(ModelError, match="Known: x"):
        Families({"x": point("bot.models.spec:load")}).loader("y")


def test_a_family_says_whether_it_works_here(families: Families, shop: Shop) -> None:
    assert families.available("echo")
    shop.works_here = False
    assert not families.available("echo")


def test_a_family_that_does_not_say_is_taken_at_its_word_and_a_missing_one_is_not() -> None:
    families = Families({"minilm": point("bot.models.runtimes.minilm:load"), "broken": point("no_such_module:load")})

    assert families.available("minilm")
    assert not families.available("broken")
    assert not families.available("unknown")
