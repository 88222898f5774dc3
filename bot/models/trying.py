"""The first half of a swap: from the word that an admin typed to a report card. Nothing that is live is touched.

Owns: what each step from resolve to report does, and what it says meanwhile. Leaves to `bot.models.hub` what is fetched, to
`bot.models.fetch` and `verify` what may be loaded, to `bot.models.probe` the trial, to `bot.models.card` what follows from its figures.

    trying = Trying(catalogue, pool, settings, hub=None)
    spec = trying.resolve("summarise", "lexrank")
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from bot.errors import InputError, ModelError, NoModelError
from bot.locale import Text, phrases
from bot.models import fetch as files
from bot.models.fetch import Place
from bot.models.figured import Figured, comparable
from bot.models.telling import joined
from bot.models.trial import Card, Figures, Publisher, Tell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.config import Settings
    from bot.models.catalogue import Catalogue
    from bot.models.pool import Pool
    from bot.models.spec import ModelSpec

_ = phrases(__file__)

HUB: Final = "hub:"
VERSIONED: Final = 3
"""Parts of a preset's name: slot, name, version."""


class YesWantedError(ModelError):
    """What an admin must say yes to a second time: hashes that were never seen, a licence that nobody knows."""


class Listing(Protocol):
    """What is to be fetched. Implemented by `bot.models.hub_listing.Listing`."""

    @property
    def word(self) -> str:
        """What names it: hub:owner/name@revision."""
        ...

    def text(self) -> Text:
        """Say what would be fetched."""
        ...


class Hub(Protocol):
    """Where models are fetched. Implemented by `bot.models.hub.Hub`."""

    async def spec_of(self, word: str, slot: str) -> ModelSpec:
        """Return the model that `hub:owner/name@revision` names."""
        ...

    async def look(self, repo: str, revision: str = "", *, preset: ModelSpec | None = None) -> Any:
        """Return the `Listing` of what would be fetched."""
        ...

    async def needs_yes(self, listing: Any) -> tuple[Text, ...]:
        """Return what wants a second yes."""
        ...

    async def second_yes(self, listing: Any, by: str) -> None:
        """Keep that `by` said it."""
        ...

    async def fetch(self, listing: Any, report: Callable[[Any], Awaitable[None]]) -> Path:
        """Bring the files onto this machine."""
        ...


class Probe(Protocol):
    """`bot.models.probe.probe` with its settings filled in."""

    def __call__(self, place: Place, *, embedder: Place | None, report: Tell) -> Awaitable[Figures]:
        """Return what the model was measured to be, in a child process."""
        ...


class Trying:
    """Resolves, fetches, verifies, probes and compares."""

    def __init__(
        self,
        catalogue: Catalogue,
        pool: Pool,
        settings: Settings,
        *,
        probe: Probe,
        compare: Callable[..., Card],
        hub: Hub | None = None,
        publishers: Mapping[str, Publisher] | None = None,
    ) -> None:
        """Take the house's models; `probe` tries one, `compare` makes a card of two."""
        self._catalogue = catalogue
        self._pool = pool
        self._settings = settings
        self._probe = probe
        self._compare = compare
        self._hub = hub
        self._publishers = publishers or {}
        self._figured = Figured(settings.home / "figures")

    async def resolve(self, slot: str, word: str) -> ModelSpec:
        """Return the model that `word` names for `slot`: a name, the part of one that tells it, `hub:owner/name@revision`, or a folder.

        Raises:
            InputError: there is no such slot, or the folder lies elsewhere.
            ModelError: there is no such model, it is for another slot, or the hub does not answer.
        """
        slots = await asyncio.to_thread(self._catalogue.slots)
        if slot not in slots:
            raise InputError(_("There is no slot “{slot}”. There are: {slots}.", slot=slot[:80], slots=", ".join(slots)))
        if word.startswith(HUB):
            return await self._reached(HUB).spec_of(word, slot)
        return await asyncio.to_thread(self._named, slot, word)

    async def fetch(self, spec: ModelSpec, *, by: str, yes: bool, tell: Tell) -> ModelSpec:
        """Return `spec` with its files on this machine; it was fetched where it was not.

        Raises:
            YesWantedError: something about it wants a second yes; `yes` says it.
            ModelError: it could not be fetched.
        """
        if not self.is_to_fetch(spec):
            return spec
        hub = self._reached(spec.name)
        listing: Listing = await hub.look(spec.location, spec.revision, preset=spec)
        await tell(listing.text())
        if wants := await hub.needs_yes(listing):
            if not yes:
                raise YesWantedError(joined(wants, by=" "))
            await hub.second_yes(listing, by)
        await hub.fetch(listing, lambda progress: tell(progress.text()))
        if spec.name.startswith(HUB):
            return await hub.spec_of(listing.word, spec.slot)
        return await asyncio.to_thread(self._catalogue.named, spec.slot, spec.name)

    def is_to_fetch(self, spec: ModelSpec) -> bool:
        """Say whether it is a hub's and not here yet."""
        return spec.source == "hub" and not files.present(spec, self._settings)

    async def verify(self, spec: ModelSpec) -> Place:
        """Return where the model lies, every file looked at and hashed; what is made here is made. Raises UnsafeModelError, ModelError."""
        return await asyncio.to_thread(files.resolve, spec, self._pool.settings)

    async def measured(self, slot: str, place: Place, *, anew: bool, tell: Tell, like: Figures | None = None) -> Figures:
        """Return what the model is measured to be; what was measured before counts unless `anew`, or where it is not like `like`."""
        embedder = None if slot == "embed" else self._pool.spec("embed")
        beside = embedder.identity if embedder else ""
        known = None if anew else await asyncio.to_thread(self._figured.of, slot, place.spec.identity, beside=beside)
        if known is not None and (like is None or comparable(known, like)):
            return known
        lies = await asyncio.to_thread(files.resolve, embedder, self._pool.settings) if embedder else None
        figures = await self._probe(place, embedder=lies, report=tell)
        await asyncio.to_thread(self._figured.keep, slot, figures, beside=beside)
        return figures

    async def card(self, slot: str, place: Place, *, tell: Tell) -> Card:
        """Try the new model, and the live one where that was not tried before; return the two beside each other."""
        new = await self.measured(slot, place, anew=True, tell=tell)
        old, live = None, self._pool.spec(slot)
        notes: list[Text] = []
        if live is not None:
            try:
                old = await self.measured(slot, await self.verify(live), anew=False, tell=tell, like=new)
            except ModelError as error:  # what is broken is to be swapped all the more
                notes.append(_("The live model {model} could not be tried: {why}", model=live.identity, why=error.text))
        room = await asyncio.to_thread(self._pool.room_for, place.spec, need_mb=new.ram_mb)
        if not new.fault and (publisher := self._publishers.get(slot)) is not None:
            notes += await publisher.notes(place.spec)
        return self._compare(slot, old, new, room, notes=notes)

    def _named(self, slot: str, word: str) -> ModelSpec:
        """Return the catalogue's or a folder's model. Raises InputError for a folder outside the model home, ModelError."""
        found = _by_part(word, self._catalogue.for_slot(slot))
        if found is not None:
            word = found.name
        home = self._settings.model_home.resolve()
        if found is None and ("/" in word or word.startswith((".", "~"))) and not _lies_in(home, word):
            raise InputError(
                _("The folder {folder} does not lie in {home}. Put it there, then ask again.", folder=word, home=str(home))
            )
        return self._catalogue.named(slot, word)

    def _reached(self, name: str) -> Hub:
        if self._hub is None:
            raise NoModelError(_("{model} is not on this machine, and this bot is not to ask a hub.", model=name))
        return self._hub


def _lies_in(home: Path, word: str) -> bool:
    """Say whether what `word` names, as the catalogue reads it, is within `home`; also where no folder can be called so."""
    try:
        return home in (home / Path(word).expanduser()).resolve().parents
    except (OSError, ValueError, RuntimeError):  # longer than a disk takes, a NUL, the home of nobody
        return True


def _by_part(word: str, specs: Sequence[ModelSpec]) -> ModelSpec | None:
    """Return the newest version of the model that `word` names whole, or by the part between slot and version; None for none."""
    exact = [spec for spec in specs if spec.name == word]
    part = [spec for spec in specs if len(parts := spec.name.split(".")) == VERSIONED and word in (parts[1], ".".join(parts[:2]))]
    return max(exact or part, key=lambda spec: spec.name, default=None)
