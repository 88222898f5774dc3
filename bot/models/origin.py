"""Where a folder of models was fetched from: the manifest that lies in it, and the word by which an admin names it.

Owns: `hub:owner/name@revision`, and what a fetched folder says of itself. Leaves to `bot.models.hub` the fetching, to
`bot.models.folders` what is loaded from where.

    repo, revision = parse("hub:intfloat/multilingual-e5-small@main")
    read_origin(settings.model_home / "hub--intfloat--multilingual-e5-small--0123…")
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from bot import lazy
from bot.errors import ModelError
from bot.locale import phrases
from bot.models.spec import ModelFile
from bot.models.verify_json import read_small

_ = phrases(__file__)

WORD: Final = "hub:"
MANIFEST: Final = "paring.hub.json"
_REPO: Final = lazy.compile(r"(?!.*(--|\.\.))(?!.*\.git$)[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9_][\w.-]{0,95}", re.ASCII)
"""Source: huggingface_hub, utils/_validators.py, validate_repo_id."""
_REVISION: Final = lazy.compile(r"(?!.*\.\.)[\w][\w./-]{0,127}", re.ASCII)
_COMMIT: Final = lazy.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Origin:
    """What was fetched: repository, commit, licence and languages as the hub told them, and what each file hashed to here."""

    repo: str
    revision: str
    """40 hex digits."""
    licence: str
    languages: tuple[str, ...]
    files: tuple[ModelFile, ...]
    fetched_at: str
    """ISO 8601, UTC."""

    def write(self, folder: Path) -> None:
        """Write it into `folder`."""
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def read_origin(folder: Path) -> Origin | None:
    """Return what a folder says of where it was fetched from, None where it says nothing that can be read."""
    said = read_small(folder / MANIFEST)
    if not isinstance(said, dict):
        return None
    try:
        origin = Origin(
            repo=str(said["repo"]),
            revision=str(said["revision"]),
            licence=str(said["licence"]),
            languages=tuple(str(one) for one in said["languages"]),
            files=tuple(ModelFile(str(one["path"]), str(one["sha256"]), int(one["size_bytes"])) for one in said["files"]),
            fetched_at=str(said["fetched_at"]),
        )
    except (ValueError, KeyError, TypeError):
        return None
    return origin if is_repo(origin.repo) and is_commit(origin.revision) else None


def parse(word: str) -> tuple[str, str]:
    """Return repository and revision of `hub:owner/name@revision`; the revision is "" where none is given.

    Raises:
        ModelError: it is not of that form.
    """
    repo, at, revision = word.removeprefix(WORD).partition("@")
    if not word.startswith(WORD) or not is_repo(repo) or bool(at) != bool(_REVISION.fullmatch(revision)):
        raise ModelError(
            _(
                "“{word}” names no model of a hub. Write hub:OWNER/NAME, or hub:OWNER/NAME@REVISION for one state of it.",
                word=word[:120],
            )
        )
    return repo, revision.lower() if is_commit(revision.lower()) else revision


def is_repo(name: str) -> bool:
    """Say whether `name` is an `owner/name` as hubs allow it."""
    return _REPO.fullmatch(name) is not None


def is_commit(revision: str) -> bool:
    """Say whether `revision` is a whole commit's name, which never means anything else."""
    return _COMMIT.fullmatch(revision) is not None
