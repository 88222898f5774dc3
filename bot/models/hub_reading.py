"""Reads a hub's answers: what a search has found, and what one repository holds, into the project's own values.

Owns: what may be missing or strange in such an answer. Leaves to `bot.models.hub_wire` the asking, to `bot.models.hub_listing` what
is worth fetching.

    listed("intfloat/e5", info, free_bytes=10**10, preset=None).files
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from bot import lazy
from bot.errors import UnsafeModelError
from bot.locale import Text, phrases
from bot.models.hub_listing import HubFile, Listing, Offer, chosen, estimate_bytes, has_weights, slot_for
from bot.models.origin import is_commit, is_repo
from bot.models.spec import ModelSpec
from bot.models.verify import MOST_FILES, alike

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo
    from huggingface_hub.hf_api import RepoSibling

_ = phrases(__file__)

LONGEST_PATH: Final = 200
SHA256: Final = lazy.compile("[0-9a-f]{64}")


def listed(repo: str, info: ModelInfo, free_bytes: int, preset: ModelSpec | None) -> Listing:
    """Return what a hub holds of `repo`, from its answer.

    Raises:
        UnsafeModelError: it has no weights that are data, or names files outside its folder.
    """
    siblings = {str(one.rfilename): one for one in info.siblings or ()}
    _refuse_names(repo, siblings)
    paths = chosen(siblings)
    if twin := alike(list(paths)):
        raise UnsafeModelError(
            _("{repo} names two files that some systems take for one: {file}. Nothing was fetched.", repo=repo, file=twin)
        )
    if not is_commit(info.sha or "") or not any(has_weights(paths, suffix=suffix) for suffix in (".safetensors", ".onnx")):
        raise UnsafeModelError(
            _(
                "{repo} has no weights as safetensors or ONNX; what it has can run code. Nothing was fetched. Look for a converted version "
                "of it.",
                repo=repo,
            )
        )
    files = [_file(siblings[path]) for path in paths]
    mine = preset is not None and preset.revision in ("", info.sha)
    return Listing(
        repo=repo,
        revision=str(info.sha),
        files=tuple(files),
        left_out=tuple(sorted(siblings.keys() - set(paths))),
        licence=_licence_of(info) or (preset.licence if preset else ""),
        languages=_languages_of(info) or (preset.languages if preset else ()),
        kind=str((info.config or {}).get("model_type", "")),
        gated=bool(info.gated),
        free_bytes=free_bytes,
        known=preset.files if preset is not None and mine else (),
    )


def _file(one: RepoSibling) -> HubFile:
    told = str(one.lfs.sha256) if one.lfs else ""
    blob = "" if one.lfs else str(one.blob_id or "")
    sha256 = told if SHA256.fullmatch(told) else ""
    return HubFile(str(one.rfilename), max(0, int(one.size or 0)), sha256, blob if is_commit(blob) else "")


def _refuse_names(repo: str, names: Mapping[str, object]) -> None:
    """Refuse a repository whose files would not lie within its own folder."""
    for name in names:
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts or "\\" in name or not name.isprintable() or len(name) > LONGEST_PATH:
            raise UnsafeModelError(
                _("{repo} names a file outside its folder: {file}. Nothing was fetched.", repo=repo, file=name[:80])
            )
    if len(names) > MOST_FILES:
        raise UnsafeModelError(_("{repo} holds more than {count} files. Nothing was fetched.", repo=repo, count=MOST_FILES))


def offers(slot: str, answers: Iterable[Iterable[ModelInfo]]) -> list[Offer]:
    """Return what answers to a search offer, each repository once: what can be loaded first, then by downloads."""
    found = {str(info.id): _offer(slot, info) for answer in answers for info in answer if is_repo(str(info.id))}
    return sorted(found.values(), key=lambda one: (not one.loadable, -one.downloads, one.repo))


def _offer(slot: str, info: ModelInfo) -> Offer:
    return Offer(
        repo=str(info.id),
        licence=_licence_of(info),
        downloads=int(info.downloads or 0),
        changed_at=info.last_modified,
        size_bytes=estimate_bytes(info.safetensors.parameters) if info.safetensors else 0,
        gated=bool(info.gated),
        obstacle=_obstacle(slot, info),
    )


def _obstacle(slot: str, info: ModelInfo) -> Text | None:
    """Return why the slot's runtime cannot load it, as far as the hub tells."""
    paths = chosen(str(one.rfilename) for one in info.siblings or ())
    config = info.config or {}
    if "custom_code" in (info.tags or ()) or "auto_map" in config:
        return _("it brings code of its own")
    if paths and not has_weights(paths):
        return _("it has no safetensors")
    own = slot_for(paths, str(config.get("model_type", "")))
    return None if own in ("", slot) else _("it is a model for {slot}", slot=own)


def _licence_of(info: ModelInfo) -> str:
    """Return the licence that a model's card tells, else its tags; "" where neither does. What is called "other" has a name of its own."""
    card = _card(info)
    told = card.get("license") or next((tag[8:] for tag in info.tags or () if tag.startswith("license:")), "")
    licence = str(told[0] if isinstance(told, list) and told else told)
    named = str(card.get("license_name") or "")
    return named or licence if licence == "other" else licence


def _languages_of(info: ModelInfo) -> tuple[str, ...]:
    """Return the languages that a model's card tells."""
    told = _card(info).get("language")
    return tuple(str(one) for one in told) if isinstance(told, list) else (str(told),) if told else ()


def _card(info: ModelInfo) -> Mapping[str, object]:
    card: Mapping[str, object] = info.card_data.to_dict() if info.card_data else {}  # type: ignore[no-untyped-call]
    return card
