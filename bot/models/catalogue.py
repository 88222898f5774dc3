"""What models there are for a slot, and which one it holds: presets that come in packages, and folders of an admin's own.

Owns: reading models.yaml and paring.yaml, and what `models.choose` means. Leaves to `bot.models.fetch` where the files
lie, to `bot.models.pool` the loading. Importing it imports no heavy library.

    catalogue = Catalogue(settings)
    catalogue.default("embed").identity        # "embed.minilm-ko.v3@53aa51172d14-134153da"
    [spec.name for spec in catalogue.for_slot("translate")]

A package that is named in the entry-point group `paring.presets` has a models.yaml beside its code:

    default: embed.minilm-ko.v3     # or a list, best first; nothing: a slot that starts empty
    models:
      - name: embed.minilm.v1
        slot: embed
        family: minilm              # and any other field of ModelSpec
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from glob import escape
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.errors import ModelError, NoModelError
from bot.locale import phrases
from bot.models.families import Families
from bot.models.fetch import identity_of
from bot.models.folders import DESCRIPTION, own_models, read_fetched, read_folder
from bot.models.origin import WORD, parse
from bot.models.presets import Presets, read_presets
from bot.models.spec import ModelSpec
from bot.plugins import installed

if TYPE_CHECKING:
    from bot.config import Settings

_ = phrases(__file__)

PRESETS: Final = "paring.presets"
SERVER: Final = "chat.server.v1"
"""The model of a server of one's own, where the settings name one."""
WITH_THE_INSTALL: Final = ("builtin", "package")


class Catalogue:
    """Every model that is known by name, in the order of the packages; read once."""

    def __init__(
        self, settings: Settings, *, families: Families | None = None, packages: Mapping[str, EntryPoint] | None = None
    ) -> None:
        """Read the presets of the installed packages (or of those given) and the folders of the model home.

        Raises:
            ModelError: a models.yaml or paring.yaml is wrong, or two models have one name.
        """
        self._settings = settings
        self._families = families or Families()
        presets = [_of_package(point) for point in (installed(PRESETS) if packages is None else packages).values()]
        self._defaults = tuple(name for one in presets for name in one.defaults)
        self._specs = _by_name([*(spec for one in presets for spec in one.models), *own_models(settings.model_home)])
        for name in self._defaults:
            self.find(name)

    @property
    def families(self) -> Families:
        """The runtimes that load what is listed here."""
        return self._families

    def slots(self) -> tuple[str, ...]:
        """Return the slots that something is known for, sorted."""
        chosen = set(self._settings.models.choose)
        server = {"chat"} if self._settings.models.chat_url else set()
        return tuple(sorted({spec.slot for spec in self._specs.values()} | chosen | server))

    def for_slot(self, slot: str) -> tuple[ModelSpec, ...]:
        """Return the models for `slot`: presets in their order, then the admin's own folders by name."""
        return tuple(spec for spec in self._specs.values() if spec.slot == slot)

    def find(self, name: str) -> ModelSpec:
        """Return the model of that name.

        Raises:
            NoModelError: there is none.
        """
        spec = self._specs.get(name)
        if spec is None:
            raise NoModelError(_("There is no model “{name}”. `paring models` lists those that are known.", name=name))
        return spec

    def default(self, slot: str) -> ModelSpec | None:
        """Return the model that `slot` starts with: as `models.choose` says, else the install's own; None for none.

        Where the install offers several, the first whose runtime can work on this machine.

        Raises:
            ModelError: what was chosen does not exist, or is for another slot.
        """
        if chosen := self._settings.models.choose.get(slot):
            return identity_of(self._chosen(slot, chosen), self._settings)
        if slot == "chat" and self._settings.models.chat_url:
            return self._chat_server()
        return next((spec for spec in self._offered(slot) if self._families.available(spec.family)), None)

    def identified(self, slot: str, identity: str) -> ModelSpec:
        """Return the model for `slot` that is `identity` (`name@revision`); of what is made here, and has no revision before, that of the name.

        Raises:
            ModelError: there is none, or it has another content by now.
        """
        name, _at, revision = identity.partition("@")
        word = identity if name.startswith(WORD) else name
        for chosen in self._words(slot, word):
            try:
                spec = _at_revision(self._chosen(slot, chosen), revision)
                if spec.name != name:
                    continue
                spec = identity_of(spec, self._settings)
            except ModelError:
                continue
            if spec.identity == identity or (spec.source == "builtin" and spec.identity == name):
                return spec
        raise NoModelError(
            _("The model {model} is not on this machine any more. Carry it in again, or choose another.", model=identity)
        )

    def _words(self, slot: str, word: str) -> Iterator[str]:
        """Yield what may lead to the model that is called `word`; folders last: laid there since the start, or below another."""
        yield from dict.fromkeys((word, self._settings.models.choose.get(slot, word)))
        home = self._settings.model_home
        if word.startswith(WORD) or not home.is_dir():
            return
        for folder in sorted({*(file.parent for file in home.rglob(DESCRIPTION)), *home.rglob(escape(word))}):
            yield folder.relative_to(home).as_posix()

    def named(self, slot: str, name: str) -> ModelSpec:
        """Return the model for `slot` of that name, folder or `hub:owner/name@revision`, as `models.choose` would find it.

        Raises:
            ModelError: there is none.
        """
        if name.startswith(WORD) or (name == SERVER and slot == "chat" and self._settings.models.chat_url):
            return identity_of(self._chosen(slot, name), self._settings)
        if self._specs.get(name) is None and self._folder(name) is None:
            raise NoModelError(_("There is no model “{name}”. `paring models` lists those that are known.", name=name))
        if (spec := self._specs.get(name)) is not None and spec.slot != slot:
            raise ModelError(
                _("“{name}” is a model for {own}, not for {slot}. Choose another.", name=name, own=spec.slot, slot=slot)
            )
        return identity_of(self._chosen(slot, name), self._settings)

    def follow(self, settings: Settings) -> None:
        """Take what `settings` choose from now on."""
        self._settings = settings

    def _offered(self, slot: str) -> Iterable[ModelSpec]:
        """Return the slot's defaults, best first, then whatever else comes with the install for it; () without a default."""
        named = [spec for spec in map(self.find, self._defaults) if spec.slot == slot]
        rest = [spec for spec in self.for_slot(slot) if spec.source in WITH_THE_INSTALL and spec not in named]
        return [*named, *rest] if named else []

    def _chosen(self, slot: str, chosen: str) -> ModelSpec:
        spec = self._specs.get(chosen)
        if spec is None and slot == "chat" and chosen == SERVER and self._settings.models.chat_url:
            return self._chat_server()
        if spec is None and chosen.startswith(WORD):
            spec = read_fetched(*parse(chosen), self._settings.model_home, slot=slot)
        if spec is None:
            folder = self._folder(chosen)
            if folder is None:
                raise NoModelError(
                    _(
                        "models.choose in paring.toml names “{name}” for {slot}: there is no such model and no such folder in HOME/models. "
                        "`paring models` lists what is known.",
                        name=chosen,
                        slot=slot,
                    )
                )
            spec = read_folder(folder, self._settings.model_home, slot=slot)
        if spec.slot != slot:
            raise ModelError(
                _(
                    "models.choose in paring.toml names “{name}” for {slot}, but it is a model for {own}. Choose another.",
                    name=chosen,
                    slot=slot,
                    own=spec.slot,
                )
            )
        return spec

    def _folder(self, word: str) -> Path | None:
        """Return the folder that `word` names, in the model home or by its path; None where there is none, or none can be called so."""
        try:
            folder = self._settings.model_home / Path(word).expanduser()
            return folder if folder.is_dir() else None
        except (OSError, RuntimeError):  # longer than a disk takes; the home of nobody
            return None

    def _chat_server(self) -> ModelSpec:
        models = self._settings.models
        return ModelSpec(SERVER, "chat", "openai-server", "server", location=models.chat_url, revision=models.chat_model)


def choosing(settings: Settings, spec: ModelSpec) -> Settings:
    """Return `settings` as if `spec` were chosen for its slot."""
    word = spec.location if spec.source == "folder" else spec.identity if spec.name.startswith(WORD) else spec.name
    models = settings.models.model_copy(update={"choose": {**settings.models.choose, spec.slot: word}})
    return settings.model_copy(update={"models": models})


def _at_revision(spec: ModelSpec, revision: str) -> ModelSpec:
    """Return a hub's `spec` at another revision than it names, with none of its hashes; any other spec as it is."""
    if spec.source != "hub" or spec.revision == revision:
        return spec
    return replace(spec, revision=revision, files=())


def _of_package(point: EntryPoint) -> Presets:
    """Read the models.yaml of a package without running the package's code; a package that is not there brings nothing."""
    try:
        found = find_spec(point.value)
    except ModuleNotFoundError:
        return Presets()
    if found is None or not found.submodule_search_locations:
        return Presets()
    file = Path(next(iter(found.submodule_search_locations))) / "models.yaml"
    if not file.is_file():
        return Presets()
    told = file.stat()
    return _read_once(file, told.st_mtime_ns, told.st_size)


@cache
def _read_once(file: Path, _changed_ns: int, _size_bytes: int) -> Presets:
    return read_presets(file)


def _by_name(specs: Iterable[ModelSpec]) -> dict[str, ModelSpec]:
    named: dict[str, ModelSpec] = {}
    for spec in specs:
        if spec.name in named:
            raise ModelError(
                _("Two models have the name “{name}”. Rename one in its models.yaml or paring.yaml.", name=spec.name)
            )
        named[spec.name] = spec
    return named
