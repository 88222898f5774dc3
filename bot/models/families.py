"""Which code loads which family of models: the entry points of `paring.families`, imported when one is needed.

Owns: finding and importing a loader. Leaves to the loader everything about its library. An entry point names a callable
`load(spec, folder, options) -> Model`; its module may have `available() -> bool`, which says without loading anything
whether it can work here (a program or a library is installed). A loaded model may carry attributes that the pool
reads: `workers`, how many threads may call `predict` at once (1); `batch_rows`, how many inputs it wants at most (8);
`weigh(batch)`, how many tokens each input is, by which bulk work is put in order and sliced (a text's length tells about);
and `slice_weight`, below which a slice does not pay, however slow the machine is just then (0).

    load = Families().loader("minilm")
    model = load(spec, folder, LoadOptions())
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path

from bot.errors import ModelError
from bot.locale import phrases
from bot.models.spec import LoadOptions, ModelSpec
from bot.plugins import installed
from bot.skill import Model

_ = phrases(__file__)

FAMILIES = "paring.families"

Loaded = Model[object, object]
Loader = Callable[[ModelSpec, Path, LoadOptions], Loaded]


class Families:
    """The loaders by family name; none is imported before it is asked for."""

    def __init__(self, points: Mapping[str, EntryPoint] | None = None) -> None:
        """Take the installed entry points, or those given."""
        self._points = installed(FAMILIES) if points is None else points

    def names(self) -> tuple[str, ...]:
        """Return the families that are installed, sorted."""
        return tuple(sorted(self._points))

    def loader(self, family: str) -> Loader:
        """Return the callable that loads models of `family`.

        Raises:
            ModelError: no such family is installed, or its code cannot be imported.
        """
        point = self._points.get(family)
        if point is None:
            raise ModelError(
                _(
                    "No runtime is installed for models of the family “{family}”. Known: {known}.",
                    family=family,
                    known=", ".join(self.names()),
                )
            )
        try:
            loader: Loader = point.load()
        except (ImportError, AttributeError) as error:
            raise ModelError(
                _("The runtime for the family “{family}” cannot be imported: {reason}.", family=family, reason=str(error))
            ) from error
        return loader

    def available(self, family: str) -> bool:
        """Say whether models of `family` can work on this machine; a family that does not say is taken at its word."""
        point = self._points.get(family)
        if point is None:
            return False
        try:
            says = getattr(import_module(point.module), "available", None)
        except ImportError:
            return False
        return True if says is None else bool(says())
