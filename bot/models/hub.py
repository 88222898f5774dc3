"""What a model hub offers and gives, when an admin asks: search, look, fetch. Nothing is contacted before.

Owns: the order of a fetch (looked at, said yes to, fetched, hashed, compared, verified, put in place) and what wants a second yes.
Leaves the requests to `bot.models.hub_wire`, the bytes to `bot.models.hub_fetch`, the choice of files to `bot.models.hub_listing`.

    hub = Hub(settings, Consents(database))
    spec = await hub.spec_of("hub:intfloat/multilingual-e5-small", "embed")     # its commit pinned
    listing = await hub.look(spec.location, spec.revision)
    if await hub.needs_yes(listing): await hub.second_yes(listing, "telegram:4711")
    folder = await hub.fetch(listing, report)
    spec = await hub.spec_of(spec.identity, "embed")                            # with every file's sha256, and no connection

The hub is https://huggingface.co, or the mirror that HF_ENDPOINT names. A token is sent only where HF_TOKEN is set.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.errors import ModelError, UnsafeModelError
from bot.locale import Text, phrases
from bot.models.folders import FAMILY_OF_SLOT, hub_folder, pinned, read_fetched
from bot.models.hub_fetch import Fetching, Progress, Report
from bot.models.hub_listing import OPEN_LICENCES, PIPELINES, WEIGHTS, Listing, Offer, has_weights, size
from bot.models.hub_patience import Patience, Sleep
from bot.models.hub_quarantine import QUARANTINE, refuse_without_room, settle, taken, to_the_end
from bot.models.hub_reading import listed, offers
from bot.models.origin import WORD, is_commit, parse
from bot.models.spec import ModelFile, ModelSpec

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.models.hub_wire import Wire
    from bot.store.consents import Consent, Consents

_ = phrases(__file__)

PUBLIC: Final = "https://huggingface.co"
MOST_TOLD: Final = 5
"""Hashes that a question names; the others are counted."""
TOLD_WITH_A_SEARCH: Final = (
    "cardData", "config", "downloads", "gated", "lastModified", "library_name", "pipeline_tag", "safetensors", "siblings", "tags",
)  # fmt: skip
FORMS: Final = ("safetensors", "onnx")
"""The tags by which a hub knows repositories with weights that are data."""

STRANGE: Final = (AttributeError, TypeError, ValueError, OverflowError)
"""What is raised over an answer whose values are of other kinds than a hub's."""


async def untold(_progress: Progress) -> None:
    """Tell nobody."""


class Hub:
    """One hub, for one installation."""

    def __init__(
        self,
        settings: Settings,
        consents: Consents,
        *,
        endpoint: str = "",
        patience: Patience | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Take where models lie and what was said yes to; `endpoint` is HF_ENDPOINT where none is given, else the public hub."""
        self._home = settings.model_home
        self._consents = consents
        self._endpoint = (endpoint or os.environ.get("HF_ENDPOINT", "").strip() or PUBLIC).rstrip("/")
        self._patience = patience or Patience()
        self._sleep = sleep
        self._wire: Wire | None = None

    async def search(self, slot: str, text: str, *, count: int = 10) -> list[Offer]:
        """Return what the hub offers for `slot`: what its runtime can load first, then by downloads. "" finds the most used.

        Raises:
            OfflineError: the hub cannot be reached.
            ModelError: nothing of a hub can be loaded into the slot, or the hub failed.
        """
        _family_of(slot)
        wire = await self._wired()
        asked: list[dict[str, str | int | Sequence[str]]] = [
            {
                "search": text.strip()[:200], "pipeline_tag": tag, "filter": [form], "sort": "downloads", "limit": count,
                "expand": TOLD_WITH_A_SEARCH,
            }
            for tag in PIPELINES[slot]
            for form in FORMS
        ]  # fmt: skip
        answers = await asyncio.gather(*(wire.models(query) for query in asked))
        try:
            found = await asyncio.to_thread(offers, slot, answers)
        except STRANGE as error:
            raise wire.no_hub() from error
        return found[:count]

    async def look(self, repo: str, revision: str = "", *, preset: ModelSpec | None = None) -> Listing:
        """Return what `repo` holds at `revision` ("": its newest state), its commit pinned; nothing is fetched.

        `preset` brings hashes that were pinned before, and a licence where the hub tells none; one that is named by its `hub:` word
        brings nothing, for all that it knows is the hub's own word.

        Raises:
            OfflineError: the hub cannot be reached.
            NoModelError: there is no such repository or revision.
            UnsafeModelError: it has no weights that are data, or names files outside its folder.
            ModelError: it is gated, or the hub failed.
        """
        parse(f"{WORD}{repo}@{revision}" if revision else f"{WORD}{repo}")
        preset = None if preset is None or preset.name.startswith(WORD) else preset
        wire = await self._wired()
        info = await wire.info(repo, revision)
        free_bytes = await asyncio.to_thread(_free_bytes, self._home)
        try:
            listing = await asyncio.to_thread(listed, repo, info, free_bytes, preset)
        except STRANGE as error:
            raise wire.no_hub() from error
        if is_commit(revision) and listing.revision != revision:
            raise _other_revision(repo, revision)
        return listing

    async def fetch(self, listing: Listing, report: Report = untold) -> Path:
        """Bring the files of `listing` onto this machine and return their folder; at once where they are here already.

        What was cut off, crashed or was cancelled goes on where it stopped. `report` is told of it every two seconds.

        Raises:
            UnsafeModelError: a second yes is wanting; or a file is refused, is not what the hub had told, or is not what was seen before:
                then all that was fetched is deleted.
            OfflineError, ModelError: it could not be fetched to the end; what came is kept.
        """
        place = self._home / hub_folder(listing.repo, listing.revision)
        if await asyncio.to_thread(self._is_whole, listing, place):
            return place
        if wants := await self.needs_yes(listing):
            raise UnsafeModelError(wants[0])
        await self._refuse_changed(listing, {file.path: file.sha256 for file in listing.files if file.sha256})
        quarantine = self._home / QUARANTINE / place.name
        with await asyncio.to_thread(taken, quarantine, listing):
            await asyncio.to_thread(refuse_without_room, listing, quarantine)
            try:
                await self._bring(listing, quarantine, place, report)
            except UnsafeModelError:
                await asyncio.to_thread(shutil.rmtree, quarantine, ignore_errors=True)
                raise
        return place

    async def spec_of(self, word: str, slot: str) -> ModelSpec:
        """Return the model that `hub:owner/name@revision` names, for `slot`, its commit pinned.

        With every file's sha256, and without asking the hub, where it was fetched; else with the hashes that the hub tells.

        Raises:
            ModelError: as `look` does; the word names nothing; or it is no model for the slot.
        """
        repo, revision = parse(word)
        family = _family_of(slot)
        place = self._home / hub_folder(repo, revision)
        if is_commit(revision) and await asyncio.to_thread(place.is_dir):
            spec = await asyncio.to_thread(read_fetched, repo, revision, self._home, slot=slot)
            return _for_slot(await asyncio.to_thread(pinned, spec, place, self._home), spec.slot, slot)
        listing = await self.look(repo, revision)
        if not has_weights(file.path for file in listing.files):
            raise ModelError(
                _(
                    "{repo} has its weights as ONNX alone, and what runs {slot} reads safetensors. Choose another.",
                    repo=repo,
                    slot=slot,
                )
            )
        files = tuple(ModelFile(file.path, file.sha256, file.size_bytes) for file in listing.files)
        spec = ModelSpec(
            f"{WORD}{repo}", slot, family, "hub", location=repo, revision=listing.revision, files=files, licence=listing.licence,
            languages=listing.languages,
        )  # fmt: skip
        return _for_slot(spec, listing.slot or slot, slot)

    async def needs_yes(self, listing: Listing) -> tuple[Text, ...]:
        """Return what wants a second yes before `listing` is fetched: hashes seen for the first time, a licence that is not open."""
        consent = await self._consents.of(listing.word)
        if consent is not None and consent.by:
            return ()
        wants = []
        if not _is_vouched(listing, consent):
            wants.append(_first_seen(listing))
        if listing.licence.lower() not in OPEN_LICENCES:
            wants.append(_licence_asked(listing))
        return tuple(wants)

    async def second_yes(self, listing: Listing, by: str) -> None:
        """Keep that `by` (CHANNEL:USER) said yes to all that `needs_yes` names of `listing`."""
        told = {file.path: file.sha256 for file in listing.files if file.sha256}
        await self._consents.say_yes(listing.word, by=by, files=told)

    async def _bring(self, listing: Listing, quarantine: Path, place: Path, report: Report) -> None:
        wire = await self._wired()
        files = await Fetching(listing, quarantine, wire, self._patience, report, sleep=self._sleep).run()
        hashes = {file.path: file.sha256 for file in files}
        await self._refuse_changed(listing, hashes)
        await self._consents.seen(listing.word, hashes)
        await to_the_end(lambda: settle(listing, quarantine, place, files))

    async def _refuse_changed(self, listing: Listing, hashes: Mapping[str, str]) -> None:
        """Raise UnsafeModelError where a file hashes to something else than it did when it was first seen, or than was pinned."""
        consent = await self._consents.of(listing.word)
        first = {file.path: file.sha256 for file in listing.known if file.sha256} | dict(consent.files if consent else {})
        for path, sha256 in hashes.items():
            if first.get(path, sha256) != sha256:
                raise UnsafeModelError(
                    _(
                        "{file} of {model} is not the file that was seen before under the same revision, so nothing was fetched or kept. "
                        "The hub, or what lies between, is not to be trusted.",
                        file=path,
                        model=listing.word,
                    )
                )

    def _is_whole(self, listing: Listing, place: Path) -> bool:
        """Say whether the folder is here as it was fetched."""
        if not place.is_dir():
            return False
        try:
            spec = ModelSpec(f"{WORD}{listing.repo}", "", "", "hub", location=listing.repo)
            return pinned(spec, place, self._home).revision == listing.revision
        except ModelError:
            return False

    async def _wired(self) -> Wire:
        if self._wire is None:
            self._wire = await asyncio.to_thread(_wire, self._endpoint, self._patience, self._sleep)
        return self._wire


def _wire(endpoint: str, patience: Patience, sleep: Sleep) -> Wire:
    from bot.models.hub_wire import Wire  # noqa: PLC0415 - 0.4 s that only an admin who asks a hub pays

    return Wire(endpoint, patience, sleep=sleep)


def _family_of(slot: str) -> str:
    family = FAMILY_OF_SLOT.get(slot)
    if family is None or slot not in PIPELINES:
        raise ModelError(_("Models for {slot} do not come from a hub. `paring models` lists those that are known.", slot=slot))
    return family


def _for_slot(spec: ModelSpec, own: str, slot: str) -> ModelSpec:
    if own != slot:
        raise ModelError(_("“{name}” is a model for {own}, not for {slot}. Choose another.", name=spec.name, own=own, slot=slot))
    return spec


def _free_bytes(home: Path) -> int:
    return shutil.disk_usage(next(path for path in (home, *home.parents) if path.exists())).free


def _is_vouched(listing: Listing, consent: Consent | None) -> bool:
    """Say whether the hashes of all weights were pinned by a preset, or are those that were fetched here before."""
    first = {file.path: file.sha256 for file in listing.known} | dict(consent.files if consent else {})
    weights = [file for file in listing.files if file.path.endswith(WEIGHTS)]
    return all(file.sha256 and first.get(file.path) == file.sha256 for file in weights)


def _first_seen(listing: Listing) -> Text:
    told = [f"{file.path} {file.sha256[:16]}…" for file in listing.files if file.sha256]
    more = len(told) - MOST_TOLD
    return _(
        "{model} ({size}) was never fetched here, so nobody has vouched for its files: {files}. Compare the revision and the hashes with "
        "those on its page, and say yes only if you trust who made it.",
        model=listing.word,
        size=size(listing.total_bytes),
        files=", ".join(told[:MOST_TOLD]) + (f" + {more}" if more > 0 else "") or "?",
    )


def _licence_asked(listing: Listing) -> Text:
    if not listing.licence:
        return _("{repo} tells no licence: whether you may use it, only who made it can say.", repo=listing.repo)
    return _(
        "The licence of {repo} is “{licence}”, which does not allow everything to everyone. Read it on its page first.",
        repo=listing.repo,
        licence=listing.licence,
    )


def _other_revision(repo: str, revision: str) -> ModelError:
    return ModelError(
        _("The hub answered for another revision of {repo} than {revision}. Nothing was fetched.", repo=repo, revision=revision)
    )
