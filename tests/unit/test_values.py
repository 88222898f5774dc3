"""A class of `bot.values` is what `dataclasses` would have made of it."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import pytest

from bot.message import Reply, pack, unpack
from bot.values import dataclass

T = TypeVar("T")
Maker = Callable[..., Any]


def _plain(dataclass: Maker, **options: bool) -> Any:
    @dataclass(slots=True, **options)
    class Point:
        """A place."""

        x: int
        y: int = 2
        tags: list[str] = dataclasses.field(default_factory=list)
        note: str = dataclasses.field(default="", kw_only=True, repr=False, compare=False)
        made: int = dataclasses.field(default=7, init=False)

        def twice(self) -> int:
            return 2 * self.x

    return Point


ARGUMENTS = [((1,), {}), ((1, 3), {"note": "n"}), ((), {"x": 4, "tags": ["a"]}), ((1, 2, ["b"]), {})]


@pytest.mark.parametrize("options", [{}, {"frozen": True}, {"eq": False}])
def test_it_has_the_fields_and_methods_that_the_standard_library_gives(options: dict[str, bool]) -> None:
    ours, theirs = _plain(dataclass, **options), _plain(dataclasses.dataclass, **options)

    assert [field.name for field in dataclasses.fields(ours)] == [field.name for field in dataclasses.fields(theirs)]
    assert (ours.__match_args__, ours.__slots__, ours.__doc__) == (theirs.__match_args__, theirs.__slots__, theirs.__doc__)
    assert repr(ours.__dataclass_params__).replace("slots=True", "") == repr(theirs.__dataclass_params__).replace(
        "slots=True", ""
    )
    for given, named in ARGUMENTS:
        one, other = ours(*given, **named), theirs(*given, **named)
        assert dataclasses.astuple(one) == dataclasses.astuple(other)
        assert repr(one) == repr(other)
        assert (one == ours(*given, **named)) == (other == theirs(*given, **named))
        assert one.twice() == other.twice()
    assert (ours.__hash__ is None) == (theirs.__hash__ is None)
    assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)


@pytest.mark.parametrize("given", [((), {}), ((1, 2, [], "too many"), {}), ((1,), {"unknown": 1}), ((1,), {"x": 1})])
def test_it_refuses_the_arguments_that_the_standard_library_refuses(given: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    for made in (_plain(dataclass), _plain(dataclasses.dataclass)):
        with pytest.raises(TypeError):
            made(*given[0], **given[1])


def test_each_instance_has_its_own_of_what_is_made_anew() -> None:
    point = _plain(dataclass, frozen=True)

    assert point(1).tags is not point(1).tags


def test_a_frozen_one_can_be_neither_changed_nor_cut() -> None:
    one = _plain(dataclass, frozen=True)(1)

    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        one.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'other'"):
        one.other = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del one.x
    assert dataclasses.replace(one, x=5).x == 5


def test_one_that_is_not_frozen_can_be_changed() -> None:
    one = _plain(dataclass)(1)

    one.x = 3

    assert one.x == 3
    with pytest.raises(AttributeError):
        one.other = 2


@dataclass(frozen=True, slots=True)
class Key:
    """Two words."""

    name: str
    count: int = 1


def test_frozen_ones_are_keys_and_can_be_copied() -> None:
    one = Key("a")

    assert {one: 1}[Key("a", 1)] == 1
    assert one != Key("b")
    assert one != ("a", 1)
    assert copy.deepcopy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 - its own


def test_what_a_class_defines_itself_is_kept() -> None:
    @dataclass(frozen=True, slots=True)
    class Known:
        name: str

        def __post_init__(self) -> None:
            object.__setattr__(self, "name", self.name.upper())

        def __repr__(self) -> str:
            return "known"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 3

    assert Known("a").name == "A"
    assert repr(Known("a")) == "known"
    assert Known("a") == 5
    assert hash(Known("a")) == 3


def test_a_generic_one_and_one_that_inherits_work() -> None:
    @dataclass(frozen=True, slots=True)
    class Held(Generic[T]):
        what: T

    @dataclass(frozen=True, slots=True)
    class Named(Held[int]):
        name: str = ""

    assert Held[int](3) == Held(3)
    assert dataclasses.astuple(Named(1, "a")) == (1, "a")


def test_a_method_that_is_overridden_may_call_the_one_that_was_made() -> None:
    class More(Key):
        def __init__(self, name: str) -> None:
            super().__init__(name, 5)

    assert More("a").count == 5
    assert Key("a").count == 1


def test_values_are_packed_and_unpacked() -> None:
    reply = Reply("hello", "en")

    assert unpack(Reply, pack(reply)) == reply
