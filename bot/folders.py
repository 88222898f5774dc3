"""What lies in folders and behind links, kept in the library: added, followed from then on, forgotten.

    done = await folders.add([Path("docs")], scope, report)      # again: what changed is read anew, what is gone is removed
    gone = await folders.remove([Path("docs")], scope)

Owns which documents a path or a link stands for. Leaves reading and keeping to the library, what came and went on the disk to
`bot.retrieval.watching`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.errors import InputError, ModelError
from bot.passage import Added, Failed, Scope
from bot.retrieval.folder import PATH, Gathered, files_of, missing, path_of, read_from
from bot.retrieval.library import Shelves
from bot.retrieval.links import Fetcher
from bot.retrieval.shelving import LINK
from bot.retrieval.watching import Happened, Watched, Watcher, look
from bot.store.database import Database
from bot.store.documents import Documents
from bot.store.erasing import Eraser

if TYPE_CHECKING:
    from bot.progress import Report

REMOVED_AT_ONCE: Final = 500
"""Documents that are forgotten in one transaction."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Fills one library from the disk, and from pages."""

    database: Database
    library: Shelves
    links: Fetcher
    eraser: Eraser

    async def add(self, paths: Sequence[Path], scope: Scope, report: Report, *, links: Sequence[str] = ()) -> Gathered:
        """Keep files, folders and what `links` lead to in `scope`; what was added from one of the folders and is gone is removed."""
        begun = time.perf_counter()
        keys = await Documents(self.database).keys(scope, beginning=PATH)
        gone = await asyncio.to_thread(missing, paths, keys)
        for key in gone:
            await self.library.remove(scope, key=key)
        files, shut = await asyncio.to_thread(files_of, paths)
        outcomes: list[Added | Failed] = [*await self.library.add_files(files, scope, report), *shut]
        for number, link in enumerate(links):
            report(link, number, len(links))
            outcomes.append(await self._add_link(link, scope))
        return Gathered.of(outcomes, seconds=time.perf_counter() - begun, removed=tuple(path_of(key) for key in gone))

    async def watched(self, folders: Sequence[Path], scope: Scope, report: Report, tell: Happened) -> tuple[Gathered, Watcher]:
        """Keep `folders` in `scope` as `add` does; return what came of it, and who follows what happens there from then on."""
        begun = await asyncio.to_thread(look, [folder.resolve() for folder in folders])
        done = await self.add([folder for folder in folders if folder.resolve() in begun.roots], scope, report)
        again = [failed.path for failed in done.failed if failed.passing]
        return done, Watcher(folders, Watched(self.library, scope, tell), begun=begun, again=again)

    async def remove(self, paths: Sequence[Path], scope: Scope, *, links: Sequence[str] = ()) -> list[str]:
        """Forget in `scope` what was read from files, folders and links, to the bytes; return the paths and links of the documents."""
        kept = await Documents(self.database).keys(scope, beginning=PATH)
        keys = [*read_from(paths, kept), *(LINK + link for link in links)]
        there = set(kept).union(await Documents(self.database).keys(scope, beginning=LINK))
        gone = [key for key in dict.fromkeys(keys) if key in there]
        for start in range(0, len(gone), REMOVED_AT_ONCE):
            await self.library.forget(scope, keys=gone[start : start + REMOVED_AT_ONCE])
        if gone:
            await self.eraser.wipe()
        return [key.removeprefix(PATH).removeprefix(LINK) for key in gone]

    async def _add_link(self, link: str, scope: Scope) -> Added | Failed:
        try:
            path, title = await self.links.fetch(link)
        except (InputError, ModelError) as error:
            return Failed(link, error.text)
        try:
            return await self.library.add_page(path, scope, title=title, link=link)
        except (InputError, ModelError) as error:
            return Failed(link, error.text)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)
