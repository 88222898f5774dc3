"""`dataclass` as the standard library has it, its methods made when they are first needed: most classes of a start are never used in it.

Owns how classes with slots are made quickly. Leaves the fields, and every other class, to `dataclasses`.

    @dataclass(frozen=True, slots=True)
    class Point:
        x: int
        y: int = 0

The standard library writes six methods of each class as text and compiles them: a third of a millisecond and more a class, and there are
hundreds. Here the same methods are shared closures, and `__init__` alone is compiled, at the first instance.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["dataclass"]

T = TypeVar("T")
_Init = Callable[..., None]
_GIVEN_LATER = object()
"""Stands for a default that is made anew for each instance."""


def _dataclass(made: type[T] | None = None, /, **options: bool) -> type[T] | Callable[[type[T]], type[T]]:
    """Return the class as `dataclasses.dataclass` would make it."""
    if made is None:
        return lambda named: _of(named, options)
    return _of(made, options)


def _of(named: type[T], options: dict[str, bool]) -> type[T]:
    quick = options.get("slots", False) and options.keys() <= {"slots", "frozen", "eq"}
    if not quick or hasattr(named, "__dataclass_fields__"):
        return dataclasses.dataclass(**options)(named)
    frozen, eq = options.get("frozen", False), options.get("eq", True)
    written = set(vars(named)) - ({"__hash__"} if "__eq__" in vars(named) and named.__hash__ is None else set())
    made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(named)
    fields = dataclasses.fields(made)  # type: ignore[arg-type]  # it is one now
    methods: dict[str, object] = {"__init__": _first_init(made), "__repr__": _repr_of(fields)}
    if eq:
        methods |= {"__eq__": _eq_of(fields), "__hash__": _hash_of(fields) if frozen else None}
    if frozen:
        names = frozenset(field.name for field in fields)
        methods |= {"__getstate__": _state, "__setstate__": _set_state}
        methods |= {"__setattr__": _frozen(made, names, "__setattr__"), "__delattr__": _frozen(made, names, "__delattr__")}
    for name, method in methods.items():
        if name not in written:
            setattr(made, name, method)
    params: Any = made.__dataclass_params__  # type: ignore[attr-defined]  # what other libraries read
    params.init, params.repr, params.eq, params.frozen = True, True, eq, frozen
    return made


def _first_init(made: type) -> _Init:
    def __init__(self: object, /, *given: object, **by_name: object) -> None:  # noqa: N807 - it is that method
        made.__init__ = init = _init_of(made)  # type: ignore[misc]  # from now on the compiled one
        init(self, *given, **by_name)

    __init__.__qualname__ = f"{made.__qualname__}.__init__"
    return __init__


def _init_of(made: type) -> _Init:
    """Compile `__init__`: it sets the slots themselves, which a frozen class allows nobody else."""
    known: dict[str, object] = {"_GIVEN_LATER": _GIVEN_LATER}
    plain: list[str] = []
    by_name: list[str] = []
    lines: list[str] = []
    for field in dataclasses.fields(made):
        known[f"_set_{field.name}"] = getattr(made, field.name).__set__
        value = field.name
        if field.default_factory is not MISSING:
            known[f"_make_{field.name}"] = field.default_factory
            fresh = f"_make_{field.name}()"
            value = f"{fresh} if {field.name} is _GIVEN_LATER else {field.name}" if field.init else fresh
        elif field.default is not MISSING:
            known[f"_default_{field.name}"] = field.default
            value = field.name if field.init else f"_default_{field.name}"
        elif not field.init:
            continue
        if field.init:
            (by_name if field.kw_only else plain).append(f"{field.name}{_default(field)}")
        lines.append(f"    _set_{field.name}(_self, {value})")
    if hasattr(made, "__post_init__"):
        lines.append("    _self.__post_init__()")
    taken = ", ".join(["_self", *plain, *(["*", *by_name] if by_name else [])])
    found: dict[str, _Init] = {}
    exec("\n".join([f"def __init__({taken}):", *(lines or ["    pass"])]), known, found)  # noqa: S102 - the names of a class of ours
    init = found["__init__"]
    init.__qualname__, init.__module__ = f"{made.__qualname__}.__init__", made.__module__
    init.__annotations__ = {field.name: field.type for field in dataclasses.fields(made) if field.init} | {"return": None}
    return init


def _default(field: Field[Any]) -> str:
    if field.default_factory is not MISSING:
        return "=_GIVEN_LATER"
    return "" if field.default is MISSING else f"=_default_{field.name}"


def _repr_of(fields: tuple[Field[Any], ...]) -> Callable[[object], str]:
    names = [field.name for field in fields if field.repr]

    def __repr__(self: object) -> str:  # noqa: N807 - it is that method
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({shown})"

    return __repr__


def _eq_of(fields: tuple[Field[Any], ...]) -> Callable[[object, object], bool]:
    values = _values_of([field.name for field in fields if field.compare])

    def __eq__(self: object, other: object) -> bool:  # noqa: N807 - it is that method
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


def _hash_of(fields: tuple[Field[Any], ...]) -> Callable[[object], int]:
    values = _values_of([field.name for field in fields if (field.compare if field.hash is None else field.hash)])

    def __hash__(self: object) -> int:  # noqa: N807 - it is that method
        return hash(values(self))

    return __hash__


def _values_of(names: list[str]) -> Callable[[object], tuple[object, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda one: tuple(getattr(one, name) for name in names)


def _frozen(made: type, names: frozenset[str], method: str) -> Callable[..., None]:
    does = "assign to" if method == "__setattr__" else "delete"

    def refuse(self: object, name: str, *value: object) -> None:
        if type(self) is made or name in names:
            raise FrozenInstanceError(f"cannot {does} field {name!r}")
        getattr(super(made, self), method)(name, *value)

    refuse.__name__ = method
    return refuse


def _state(self: object) -> list[object]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]  # type: ignore[arg-type]  # it is one


def _set_state(self: object, state: list[object]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):  # type: ignore[arg-type]
        object.__setattr__(self, field.name, value)


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass = _dataclass
