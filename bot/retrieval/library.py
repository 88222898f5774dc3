"""The library: documents and messages in, the best passages out. Implements `bot.skill.Library`.

Owns the way of a question (vector from the pool, the rest on the search's own thread). Leaves the way of a file to
`bot.retrieval.shelving`, to `bot.store` the SQL.

    library = Shelves(database, pool, sandbox, settings.home, settings.limits)
    await library.open()
    await library.add_file(path, scope, title="Plan.pdf")
    hits = await library.search("when do we move?", scopes)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bot.errors import ModelError, NoModelError
from bot.language import detect
from bot.locale import Text
from bot.logs import Logger
from bot.models.tasks import EMBED, READ
from bot.passage import MESSAGE, Added, Failed, Held, Hit, Listing, Passage, Scope, Scopes
from bot.progress import Report
from bot.retrieval import spoken
from bot.retrieval.changeover import Changeover
from bot.retrieval.chunk import Piece, pieces
from bot.retrieval.embed import draft, embedded
from bot.retrieval.folder import PATH, Gathered, Told, files_of, gather_files
from bot.retrieval.found import FlippedError, Found, Question
from bot.retrieval.fuse import Fusion
from bot.retrieval.health import Findings, Status
from bot.retrieval.judged import First, Looked, Unread
from bot.retrieval.keeping import Keeper
from bot.retrieval.reading import Reader
from bot.retrieval.saving import Saving
from bot.retrieval.search import Finder, Leg
from bot.retrieval.shelter import SHELTER, Shelter
from bot.retrieval.shelving import FILE, LINK, Names, Shelving, Talk, parcel_of
from bot.store.documents import Documents
from bot.store.generations import Generations
from bot.store.passages import Choose, Passages, Unembedded
from bot.store.withdrawing import Withdrawal

if TYPE_CHECKING:
    from bot.config import LimitSettings
    from bot.sandbox import Sandbox
    from bot.skill import Models
    from bot.store.database import Database
    from bot.talk import Said

log = Logger(__name__)
T = TypeVar("T")
MOST_FLIPS = 3
"""How often one question is embedded anew because another embedder became live; after that it is searched by its words."""
_NO_VECTOR = np.zeros(0, np.float32)
FORGOTTEN_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Old:
    """What went in one step because it was old."""

    passages: int


class Shelves:
    """Documents and messages that may be searched."""

    def __init__(
        self,
        database: Database,
        models: Models,
        sandbox: Sandbox,
        home: Path,
        limits: LimitSettings,
        *,
        fusion: Fusion | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Use the house's services; nothing is read before the first use. `fusion` is the packaged one by default.

        `now` tells what was said yesterday: in which zone a day begins and ends.
        """
        self._database = database
        self._models = models
        self._home = home
        self._passages = Passages(database)
        self._documents = Documents(database)
        self._generations = Generations(database)
        self._keeper = Keeper(models, self._passages, self._generations)
        self._reader = Reader(sandbox, models, limits)
        self._shelter = Shelter(home / SHELTER)
        self._saving = Saving(database.path, self._shelter)
        self._shelving = Shelving(
            self._reader, self._keeper, self._documents, self._passages, known=self._known, touched=self._saving.touch
        )
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="retrieval")
        self._fusion = fusion
        self._now = now
        self._finder: Finder | None = None
        self._filling: asyncio.Task[None] | None = None
        self._embedder = ""
        """The live generation's as far as it is known: a flip is found out at the next search."""
        self.changeover = Changeover(database, models, home)

    async def open(self) -> None:
        """Begin: nothing is loaded before the first search, so that a command that needs none is quick."""

    async def keep_saved(self) -> None:
        """Save the index as files whenever enough has changed, until cancelled."""
        await self._saving.run()

    async def ready(self) -> None:
        """Bring the index to the database, from its file or step by step: searches go on meanwhile, by words for what is not in it yet."""
        while await self._on_thread(lambda: self._found_by().step()):
            pass

    async def close(self) -> None:
        """Stop keeping, save what was changed, and end the search's thread."""
        if self._filling is not None:
            self._filling.cancel()
        await self._keeper.close()
        await self._saving.close()
        if self._finder is not None:
            await self._on_thread(self._finder.close)
        await asyncio.to_thread(self._thread.shutdown)

    async def search(self, query: str, scopes: Scopes, k: int = 10, *, without: Collection[int] = ()) -> list[Hit]:
        """Return the best `k` passages in `scopes`, best first; `[]` where nothing is good enough to be an answer.

        Documents in `without` are left out, as if they were not there: for evaluation.
        """
        return await self._searched(query, scopes, k, asked=spoken.heard(query, now=self._now()), without=without)

    async def nearest(self, query: str, scopes: Scopes, k: int = 3) -> list[Hit]:
        """Return the `k` passages in `scopes` that fit `query` best, best first, whether or not they answer it."""
        looked = await self._asked(
            query, lambda finder, question: finder.look(replace(question, anyway=True), scopes, count=k),
            spoken.heard(query, now=self._now()),
        )  # fmt: skip
        return looked.at_first()

    async def search_in(self, query: str, documents: Collection[int], scopes: Scopes, k: int = 10) -> list[Hit]:
        """Do the same in `documents` alone, their first `bot.retrieval.found.DEPTH` passages; what is said in chats is none of it."""
        return await self._searched(query, scopes, k, within=documents) if documents else []

    async def _searched(
        self,
        query: str,
        scopes: Scopes,
        k: int,
        *,
        asked: spoken.Asked | None = None,
        within: Collection[int] = (),
        without: Collection[int] = (),
    ) -> list[Hit]:
        if not query.strip():
            return []
        # The words are looked for while the vector is made. The search's thread works in order: they are there when `find` begins.
        heard = self._thread.submit(lambda: self._found_by().hear(query, scopes, asked))
        question, looked = await self._asked(
            query,
            lambda finder, question: (
                question, finder.look(question, scopes, count=k, heard=heard.result(), within=within, without=without)
            ),
            asked,
        )  # fmt: skip
        if self._finder is not None and self._finder.behind and (self._filling is None or self._filling.done()):
            self._filling = asyncio.create_task(self.ready())  # very much came at once, or another generation
        hits = await self._settled(looked, question) or (await self._settled(looked.instead, question) if looked.instead else [])
        return hits[:k]

    async def rank(self, query: str, scopes: Scopes, *, count: int, leg: Leg = "fused", without: Collection[int] = ()) -> Found:
        """Return the best `count` candidates, documents in `without` left out, without judging whether they answer: for evaluation."""
        return await self._asked(
            query, lambda finder, question: finder.rank(question, scopes, count=count, leg=leg, without=without)
        )  # fmt: skip

    async def firsts(
        self, query: str, scopes: Scopes, *, without: Collection[int] = (), pages: int = 1
    ) -> Sequence[tuple[First, float]]:
        """Return the `pages` passages that rank first, what each would be judged by, and its score: for training.

        Documents in `without` are left out.
        """
        return await self._asked(query, lambda finder, question: finder.firsts(question, scopes, without=without, pages=pages))

    async def add_file(
        self, path: Path, scope: Scope, *, title: str, link: str = "", key: str = "", sender: str = "", told: Told | None = None
    ) -> Added:
        """Read a file and keep its passages in `scope`; the same bytes twice are one document, a changed file replaces its old self.

        `key` names it in the scope; by default its link, else its title. `told` hears of each part of a long one that is kept.

        Raises:
            UnreadableError, TooLargeError: the file cannot be read; nothing was kept.
        """
        return await self._shelving.file(path, Names(scope, key or f"{FILE}{link or title}", title, link, sender), told)

    async def add_many(self, paths: Sequence[Path], scope: Scope, report: Report | None = None) -> Gathered:
        """Keep files and all that is in folders; bad files are told and stop nothing. Stopped half way, what was done is kept.

        Hidden files, version control's folders and what is no document are passed over.
        """
        begun = time.perf_counter()
        files, shut = await asyncio.to_thread(files_of, paths)
        outcomes = [*await self.add_files(files, scope, report), *shut]
        return Gathered.of(outcomes, seconds=time.perf_counter() - begun)

    async def add_files(
        self, files: Sequence[tuple[Path, str]], scope: Scope, report: Report | None = None
    ) -> Sequence[Added | Failed]:
        """Keep (file, title) pairs as `add_many` does; return what became of each, in their order."""
        return await gather_files(self.add_file, files, scope, report or _silent)

    async def add_page(self, path: Path, scope: Scope, *, title: str, link: str) -> Added:
        """Keep what a link gave, in the file at `path`, under that link; unchanged where it says the same as before."""
        return await self._shelving.page(path, Names(scope, LINK + link, title, link))

    async def add_text(
        self, text: str, scope: Scope, *, title: str, link: str, key: str, sender: str = "", said: Said | None = None
    ) -> Added:
        """Keep `text` in `scope` under `key` (unique in the scope): again with the same key replaces it. `sender` said it.

        A message (its link begins with `message:`) is one passage; a longer text is cut as a document is. `said` tells of a
        message by whom, when and where, so that it is found with what was said around it.
        """
        return await self._shelving.text(text, Names(scope, key, title, link, sender, said))

    async def add_talk(self, talk: Sequence[Talk], scope: Scope, choose: Choose) -> int:
        """Keep those messages of `talk` that `choose` says, in one transaction with what it writes; return how many. Raises as `add_text`."""
        self._saving.touch()
        parcels = await asyncio.to_thread(lambda: [parcel_of(one, scope) for one in talk])
        return len(await self._keeper.keep_all(parcels, choose))

    async def forget_talk(self, scope: Scope) -> int:
        """Remove every message that is kept in `scope`, step by step, and empty the answers that quote one; return how many passages went."""
        count = 0
        while (gone := await self._passages.forget_beginning(scope, beginning=MESSAGE, documents=FORGOTTEN_AT_ONCE)) is not None:
            count += await self._withdrawn(gone)
        return count

    async def remove(self, scope: Scope, *, key: str) -> int:
        """Remove what was kept under `key` in `scope`; return how many passages went."""
        self._saving.touch()
        return await self._passages.remove(scope, key=key)

    async def forget(self, scope: Scope, *, sender: str | None = None, keys: Collection[str] | None = None) -> int:
        """Remove what `sender` said in `scope`, of that what is kept under `keys`, and empty the answers that quote it; see the contract."""
        return await self._withdrawn(await self._passages.forget(scope, sender=sender, keys=keys))

    async def forget_everywhere(self, channel: str, account: str, *, sender: str) -> int:
        """Remove what `sender` said in any chat of the account, as `forget` does; return how many passages went."""
        return await self._withdrawn(await self._passages.forget_everywhere(channel, account, sender=sender))

    async def age(self, before: datetime, *, documents: int) -> Old | None:
        """Remove so many documents of chats, not of folders, that came before `before` (aware); None where there is none any more."""
        gone = await self._passages.age(before, beside=PATH, documents=documents)
        return None if gone is None else Old(await self._withdrawn(gone))

    async def held(self, scope: Scope, *, sender: str | None = None) -> list[Held]:
        """Return the documents in `scope` that `sender` brought, all of them for None, the newest first."""
        return await self._documents.held(scope, sender=sender)

    async def listing(
        self, scopes: Scopes, *, words: Sequence[str] = (), first: int = 0, count: int = 20, headed: bool = False
    ) -> Listing:
        """Return `count` of the documents in `scopes` whose titles hold all of `words`, from the place `first`, the newest first.

        `headed`, whose titles and the headings that they begin with do, together.
        """
        return await self._documents.listing(scopes, words=words, first=first, count=count, headed=headed)

    async def whole(self, document: int, scopes: Scopes, *, most: int) -> Sequence[Passage]:
        """Return the first `most` passages of a document in reading order; none where it is in none of `scopes`."""
        return [one for one in await self._documents.whole(document, scopes, most=most) if one.scope in scopes]

    async def text_of(self, path: Path, *, name: str) -> Sequence[Passage]:
        """Return the passages of a file without keeping them (id 0), in reading order. Raises as `add_file`."""
        document = await self._reader.read(path, name=name)
        title = document.title or name
        return [
            Passage(
                0,
                Scope("dm", "-/-/-"),
                title,
                piece.heading,
                piece.text,
                "",
                detect(piece.text) or "en",
                piece.page,
                document.arrived,
            )
            for piece in await asyncio.to_thread(pieces, document)
        ]

    async def status(self) -> Status:
        """Say what the library holds, and of which embedder its vectors are."""
        held = await self._on_thread(lambda: self._found_by().status())
        return replace(held, live_embedder=self._models.live(EMBED.of(held.embedder)))

    async def verify(self) -> Findings:
        """Compare words, vectors and the index in memory with the passages."""
        return await self._on_thread(lambda: self._found_by().verify())

    async def rebuild(self, report: Report | None = None) -> Status:
        """Make words and vectors anew from the text where they are missing or of another embedder; goes on where it was stopped.

        A change of embedder fills a generation of its own, which takes the place of the one before when it is whole.
        """
        lacking = await self._passages.wordless()
        drafts = await asyncio.to_thread(lambda: [(lacks.id, _words(lacks)) for lacks in lacking])
        await self._passages.add_words(drafts)
        await self.changeover.complete(report)
        await self._on_thread(lambda: self._found_by().reset())
        await asyncio.to_thread(self._shelter.drop)
        await asyncio.to_thread(self._saving.save)
        return await self.status()

    async def _known(self, scope: Scope, sha256: str, *, key: str | None = None) -> Added | None:
        return await self._on_thread(lambda: self._found_by().known(scope, sha256, key=key))

    async def _withdrawn(self, passages: Sequence[int]) -> int:
        """Empty the answers that quote `passages`, which are deleted; forget what was remembered of questions. Return how many they were."""
        await Withdrawal(self._database).of_passages(passages)
        await self._saving.forgotten()
        if self._finder is not None:
            await self._on_thread(self._finder.forget_questions)
        return len(passages)

    async def _asked(self, query: str, ask: Callable[[Finder, Question], T], asked: spoken.Asked | None = None) -> T:
        """Return what `ask` finds, the question embedded by the live generation's embedder; again where another became live meanwhile."""
        for _flip in range(MOST_FLIPS):
            question = await self._question(query, asked)
            try:
                return await self._on_thread(partial(_answer, self._found_by, ask, question))
            except FlippedError as flip:
                self._embedder = flip.embedder
        return await self._on_thread(partial(_answer, self._found_by, ask, self._unseen(query, asked)))

    async def _settled(self, looked: Looked, question: Question) -> list[Hit]:
        """Return the hits where the first look, or in doubt a second one, says that a passage answers, else `[]`."""
        doubt = looked.doubt
        if doubt is None:
            return looked.at_first()
        try:
            if isinstance(doubt, Unread):
                return looked.again(doubt.settled(await self._models.run(READ.of(doubt.reader), doubt.pages)))
            vectors = await embedded(self._models, question.embedder, doubt.first.said)
        except NoModelError:
            return looked.at_first()
        except ModelError as error:
            log.warning("the second look failed; the first one decides", why=str(error))
            return looked.at_first()
        return looked.again(doubt.settled(np.array(vectors, np.float32), question.vector))

    async def _question(self, query: str, asked: spoken.Asked | None) -> Question:
        """Return the question with its vector; where it asks what was said, with that of what it is about as well."""
        if not self._embedder:
            live = await self._generations.live()
            self._embedder = live.embedder if live else ""
        embedder = self._embedder or self._models.live(EMBED)
        texts = [query, asked.about] if asked is not None and asked.about != query else [query]
        try:
            vectors = await embedded(self._models, embedder, texts)
        except NoModelError:
            return self._unseen(query, asked)
        return Question(
            query, vectors[0], embedder, asked, vectors[-1], self._now().year, reader=self._models.live(READ)
        )  # fmt: skip

    def _unseen(self, query: str, asked: spoken.Asked | None) -> Question:
        """Return the question without a vector: words alone find then."""
        return Question(query, _NO_VECTOR, "", asked, year=self._now().year)

    def _found_by(self) -> Finder:
        """Return the finder; on its thread alone."""
        if self._finder is None:
            self._finder = Finder(self._database.path, self._fusion, self._shelter)
        return self._finder

    async def _on_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _answer(finder: Callable[[], Finder], ask: Callable[[Finder, Question], T], question: Question) -> T:
    return ask(finder(), question)


def _words(passage: Unembedded) -> tuple[str, str, str]:
    piece = Piece(passage.text, passage.heading, None, 0, len(passage.text))
    return draft([piece], title=passage.title)[0].words


def _silent(_now: str | Text, _done: float, _total: int, *, passages: int = 0) -> None:
    """Tell nobody."""
