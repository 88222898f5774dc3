"""Whether what the presets say of models is what a hub says of them: revisions, licences, sizes, hashes.

Owns: the comparing, and the sentences of what differs. Leaves to `bot.models.hub` the asking. Nothing is fetched.

    findings = [await checked(spec, hub.look) for spec in presets]
    all(finding.true for finding in findings)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bot.errors import NoModelError, OfflineError, UnsafeModelError
from bot.locale import Language, Text, phrases

if TYPE_CHECKING:
    from bot.models.hub_listing import Listing
    from bot.models.spec import ModelSpec

_ = phrases(__file__)

WEIGHTS: Final = (".safetensors", ".onnx", ".onnx_data")
OFF_BY: Final = 0.05
"""By how much of it a size may be wrong: it stands there as about so much, and of some hubs in other units."""
LEAST_OFF_MB: Final = 2
Look = Callable[[str, str], "Awaitable[Listing]"]
"""Given repository and revision, returns what they hold: `bot.models.hub.Hub.look`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a hub says of one preset: what differs, and what it says besides."""

    spec: ModelSpec
    wrong: tuple[Text, ...] = ()
    said: tuple[Text, ...] = ()

    @property
    def true(self) -> bool:
        """Whether nothing that the preset says is otherwise."""
        return not self.wrong

    def as_json(self) -> dict[str, object]:
        """Return it for a machine."""
        return {"name": self.spec.name, "true": self.true, "wrong": list(map(str, self.wrong)), "said": list(map(str, self.said))}

    def to(self, language: Language) -> str:
        """Return it for a person: a line, and one for each thing that differs."""
        said = "; ".join(text.to(language) for text in self.said)
        lines = [f"{'✓' if self.true else '✗'} {self.spec.name}{f' ({said})' if said else ''}"]
        return "\n".join([*lines, *(f"    {text.to(language)}" for text in self.wrong)])


async def checked(spec: ModelSpec, look: Look) -> Finding:
    """Compare a preset whose source is a hub.

    Raises:
        OfflineError: the hub cannot be reached.
        ModelError: it failed.
    """
    try:
        listing = await look(spec.location, spec.revision)
    except OfflineError:
        raise
    except NoModelError as error:
        return Finding(spec, wrong=(error.text,))
    except UnsafeModelError as error:
        return Finding(spec, said=(error.text,)) if _says_so(spec) else Finding(spec, wrong=(error.text,))
    return Finding(spec, tuple(_wrong(spec, listing)), tuple(_besides(spec, listing)))


def _says_so(spec: ModelSpec) -> bool:
    """Say whether the preset itself tells that its weights are no data yet."""
    return "pickle" in spec.good_for


def _wrong(spec: ModelSpec, listing: Listing) -> Iterator[Text]:
    if not _is_licence(spec.licence, listing.licence):
        yield _("licence: “{ours}” here, “{theirs}” there", ours=spec.licence or "-", theirs=listing.licence or "-")
    size_mb = sum(file.size_bytes for file in listing.files if file.path.endswith(WEIGHTS)) / 1e6
    if spec.size_mb and not spec.files and abs(size_mb - spec.size_mb) > max(OFF_BY * size_mb, LEAST_OFF_MB):
        yield _("size: about {ours} MB here, {theirs} MB there", ours=spec.size_mb, theirs=round(size_mb))
    there = {file.path: file for file in listing.files}
    for file in spec.files:
        found = there.get(file.path)
        if found is None or (found.sha256 and file.sha256 and found.sha256 != file.sha256) or found.size_bytes != file.size_bytes:
            yield _("{file} is not there, or another file", file=file.path)


def _besides(spec: ModelSpec, listing: Listing) -> Iterator[Text]:
    if not spec.revision:
        yield _("not pinned; its newest state is {revision}", revision=listing.revision)
    if listing.gated:
        yield _("its hub asks you to accept its terms first")


def _is_licence(ours: str, theirs: str) -> bool:
    """Say whether a hub's tag ("apache-2.0") means the licence that is written here ("Apache-2.0"); "other" says nothing."""
    here, there = ("".join(letter for letter in text.lower() if letter.isalnum()) for text in (ours, theirs))
    return there in ("other", "unknown") or (there in here if there else not here)
