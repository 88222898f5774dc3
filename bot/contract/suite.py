"""What the suites share: whose harness is tested, and which behaviours are impossible on its platform."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import ClassVar

from bot.contract.harness import Harness

TEST = "test_"


class Suite:
    """A suite over one harness; a subclass names it."""

    harness: ClassVar[Callable[[Path], AbstractAsyncContextManager[Harness]]]
    """Gives the platform, its files in a folder; wrap a function in `staticmethod`."""
    impossible: ClassVar[Mapping[str, str]] = {}
    """Behaviours (without `test_`) that the platform makes impossible: why, with the address of its own page. They are not run."""

    def __init_subclass__(cls) -> None:
        """Leave out what is impossible. Raises ValueError for what is said without a page."""
        super().__init_subclass__()
        known = behaviours_of(cls)
        for behaviour, why in cls.impossible.items():
            if behaviour not in known:
                continue  # of the other suite
            if "https://" not in why and "docs/" not in why:
                msg = f"{cls.__name__}: {behaviour} is impossible by which page of the platform's own?"
                raise ValueError(msg)
            setattr(cls, f"{TEST}{behaviour}", None)


def behaviours_of(suite: type[Suite]) -> dict[str, str]:
    """Return what the suite tests, in its order, also where it is impossible: the name, and the first line that describes it."""
    found: dict[str, str] = {}
    for base in reversed(suite.__mro__):
        for name, test in vars(base).items():
            if name.startswith(TEST) and callable(test):
                found[name.removeprefix(TEST)] = (inspect.getdoc(test) or "").partition("\n")[0]
    return found
