"""A family of models that tests can watch, and a catalogue that holds nothing else."""

import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from bot.config import Settings
from bot.models.catalogue import Catalogue
from bot.models.families import Families
from bot.models.spec import LoadOptions, ModelSpec


@dataclass
class Echo:
    """Answers each input with `name:input`; notes what it was given."""

    name: str = "echo"
    workers: int = 1
    batch_rows: int = 4
    batches: list[list[object]] = field(default_factory=list)
    closed: bool = False
    before: Callable[[Sequence[object]], None] = lambda _batch: None

    def predict(self, batch: Sequence[object]) -> list[object]:
        assert not self.closed
        self.before(batch)
        self.batches.append(list(batch))
        return [f"{self.name}:{one}" for one in batch]

    def close(self) -> None:
        self.closed = True


class Gate:
    """Holds a model in `predict` until it is opened, and tells when one stands in front of it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, _batch: Sequence[object]) -> None:
        self.reached.set()
        assert self.opened.wait(20)


@dataclass
class Shop:
    """The family `echo`: what was loaded, and what a load does."""

    loaded: list[Echo] = field(default_factory=list)
    make: Callable[[ModelSpec], Echo] = lambda spec: Echo(spec.name)
    works_here: bool = True

    def load(self, spec: ModelSpec, _folder: Path, _options: LoadOptions) -> Echo:
        model = self.make(spec)
        self.loaded.append(model)
        return model

    def available(self) -> bool:
        return self.works_here


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop()
    module = ModuleType("a_family")
    module.load = shop.load  # type: ignore[attr-defined]
    module.available = shop.available  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_family", module)
    return shop


@pytest.fixture
def families(shop: Shop) -> Families:
    return Families({"echo": EntryPoint("echo", "a_family:load", "paring.families")})


@pytest.fixture
def catalogue_of(families: Families, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Catalogue]:
    """Return a catalogue of one package with the models.yaml that is given."""

    def make(yaml: str, settings: Settings) -> Catalogue:
        package = tmp_path / "site" / "a_package"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").touch()
        (package / "models.yaml").write_text(yaml, encoding="utf-8")
        monkeypatch.syspath_prepend(package.parent)
        return Catalogue(settings, families=families, packages={"a": EntryPoint("a", "a_package", "paring.presets")})

    return make


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")
