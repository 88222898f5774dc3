"""Where what is fetched lies until it is whole: a folder of its own, held by one fetch, looked through, then put in place at once.

Owns: the lock, the room on the disk, the last look and the rename. Leaves the bytes to `bot.models.hub_fetch`.

    with taken(quarantine, listing):
        refuse_without_room(listing, quarantine)
        ...                                             # its files are brought
        settle(listing, quarantine, place, files)

A quarantine outlives a crash and a cut: a later fetch goes on with what is there. A model home never holds a part of a model: the
folder is renamed when all of it is on disk.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO, TypeVar

from bot.errors import ModelError, UnsafeModelError, refusal
from bot.locale import phrases
from bot.models.hub_listing import SPARE_BYTES, Listing, size
from bot.models.made import publish
from bot.models.origin import Origin
from bot.models.spec import ModelFile
from bot.models.verify import verify_folder

_ = phrases(__file__)

Result = TypeVar("Result")

QUARANTINE: Final = ".quarantine"
"""In the model home."""
PART: Final = ".part"
KEPT_S: Final = 7 * 24 * 3600.0
"""How long a quarantine is kept that nobody goes on with."""


async def to_the_end(work: Callable[[], Result]) -> Result:
    """Return what `work` returns, on a thread; one who is cancelled meanwhile waits until it is done, so that nobody comes between."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        task.exception()  # looked at: nobody waits for it any more
        raise


def taken(quarantine: Path, listing: Listing) -> TextIO:
    """Return the lock of the quarantine of `listing`, which is made where it is not there; closing it gives it free.

    Raises:
        ModelError: another fetch of the same holds it, or it cannot be made.
    """
    try:
        quarantine.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = quarantine.with_name(quarantine.name + ".lock").open("w")
    except OSError as error:
        raise not_written(error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        handle.close()
        raise ModelError(_("{repo} is being fetched already. Wait until that is done.", repo=listing.repo)) from error
    _sweep(quarantine)
    return handle


def _sweep(quarantine: Path) -> None:
    """Delete what other fetches left long ago."""
    long_ago = time.time() - KEPT_S
    for left in quarantine.parent.iterdir():
        with suppress(OSError):
            if left != quarantine and left.is_dir() and max(path.stat().st_mtime for path in (left, *left.rglob("*"))) < long_ago:
                shutil.rmtree(left)


def refuse_without_room(listing: Listing, quarantine: Path) -> None:
    """Raise ModelError, with the numbers, where the disk has no room for what is still to come and some to spare."""
    here = sum(path.stat().st_size for path in quarantine.rglob("*") if path.is_file())
    need = listing.total_bytes - here
    free = shutil.disk_usage(quarantine).free
    if free - need < SPARE_BYTES:
        raise ModelError(
            _(
                "{repo} needs {need} of disk, and {spare} are to stay free; {free} are free. Nothing was fetched. Make room, or choose a "
                "smaller model.",
                repo=listing.repo,
                need=size(need),
                spare=size(SPARE_BYTES),
                free=size(free),
            )
        )


def settle(listing: Listing, quarantine: Path, place: Path, files: tuple[ModelFile, ...]) -> None:
    """Look at every file, write where they come from, and put the folder in its place at once.

    Raises:
        UnsafeModelError: a file may not be loaded.
        ModelError: the disk does not take it.
    """
    wanted = {quarantine / file.path for file in files}
    try:
        for path in quarantine.rglob("*"):
            if path not in wanted and not path.is_dir():
                path.unlink()
        verify_folder(quarantine)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        Origin(listing.repo, listing.revision, listing.licence, listing.languages, files, now).write(quarantine)
        publish(quarantine, place)
    except OSError as error:
        raise not_written(error) from error


def other_bytes(repo: str, path: str) -> UnsafeModelError:
    """Return the error for a file that is not what the hub had told."""
    return UnsafeModelError(
        _(
            "{file} of {repo} came with other bytes than the hub had told, so all that was fetched of it was deleted. Ask again; if it "
            "happens again, the hub or what lies between is not to be trusted.",
            file=path,
            repo=repo,
        )
    )


def not_written(error: OSError) -> ModelError:
    """Return the error for what the disk did not take."""
    if error.errno == errno.ENOSPC:
        return ModelError(_("The disk is full. What came is kept; make room and ask again, and it goes on there."))
    return ModelError(
        _(
            "What was fetched cannot be written ({why}). Give the bot's user the right to write into the model folder.",
            why=refusal(error),
        )
    )
