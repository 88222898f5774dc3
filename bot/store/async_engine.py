"""SQLAlchemy's engine for the event loop, without the ORM: its package imports that for sessions, which nobody here has.

from bot.store.async_engine import create_async_engine      # a twentieth of a start quicker than from sqlalchemy.ext.asyncio
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from sqlalchemy.ext.asyncio import create_async_engine

__all__ = ["create_async_engine"]

_PACKAGE = "sqlalchemy.ext.asyncio"


def _engine_alone() -> ModuleType:
    """Import the package's module of the engine while the package is there but was not run; whoever imports it later, runs it."""
    spec = None if _PACKAGE in sys.modules else find_spec(_PACKAGE)
    if spec is None:
        return import_module(f"{_PACKAGE}.engine")
    sys.modules[_PACKAGE] = module_from_spec(spec)
    try:
        return import_module(f"{_PACKAGE}.engine")
    finally:
        del sys.modules[_PACKAGE]


if not TYPE_CHECKING:
    create_async_engine = _engine_alone().create_async_engine
