"""What a platform, or a stranger who knows the secret, could post: a true payload with one value that is of no type that is known.

for payload in strange({"event": {"user": "U1"}}): ...     # {"event": None}, {"event": 0}, ..., {"event": {"user": None}}, ...
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

ODD: tuple[Any, ...] = (None, 0, 10**400, 1e300, "", [], {}, True, [{}], [None], "long " * 1000, "\ud800\0")


def strange(true: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield `true` with each of its values in turn in the place of each odd one, and without it."""
    for path in _paths(true):
        for odd in ODD:
            changed = copy.deepcopy(true)
            _within(changed, path)[path[-1]] = copy.deepcopy(odd)
            yield changed
        changed = copy.deepcopy(true)
        del _within(changed, path)[path[-1]]
        yield changed


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in pairs:
        yield (*before, name)
        yield from _paths(inner, (*before, name))


def _within(value: Any, path: tuple[Any, ...]) -> Any:
    for name in path[:-1]:
        value = value[name]
    return value
