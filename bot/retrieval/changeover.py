"""A change of embedder while the bot runs: the next generation of vectors is made beside the live one, then takes its place at once.

Owns: what is wished for, the making in small pieces, the change, the way back, and what is told of it. Leaves to
`bot.store.generations` the states, to `bot.retrieval.keeping` that new passages go to both, to the pool which models are loaded.

    await changeover.wish("embed.static.v1@53aa51172d14", by="terminal")
    await changeover.run(quiet)               # in the bot: follows every wish, also those of other processes
    await changeover.complete(report)         # in a command: until the wish is live
    await changeover.see_through("embed.static.v1@53aa51172d14", tell)     # for whoever waits for it, in the bot or not
    (await changeover.standing()).to("ko")

The way back. A retired generation keeps its vectors, and loses those of passages that go. Passages that come get none in it: that would keep
the old embedder loaded, and have each passage pay for both, for a way back that is seldom gone. So it is filled first, told with the time that
takes; where nothing came since, it is live again at once.

One process makes vectors at a time (a lock file, which the kernel releases whatever the process died of). Whatever happens between two
pieces, the live generation stays whole and live: a kill loses the piece that was being made.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bot.errors import InputError, ModelError, StoreError
from bot.locale import Text, phrases
from bot.logs import Logger
from bot.models.tasks import EMBED
from bot.retrieval.embed import embedded, embedded_text, pack_vector
from bot.retrieval.standing import Held, Kept, Plan, Standing, bytes_of
from bot.store.assignments import Assignment, Assignments
from bot.store.generations import Generation, Generations
from bot.store.passages import Passages

if TYPE_CHECKING:
    from bot.skill import Models
    from bot.store.database import Database

_ = phrases(__file__)
log = Logger(__name__)

Report = Callable[[str, int, int], None]
"""Told (what is being done, how many are done, of how many)."""

PIECE_S: Final = 0.25
"""How long a piece takes, about: what is lost by a kill, and what whoever comes meanwhile shares the processor with."""
REMEMBERED: Final = 0.9
"""How much of what a passage took counts on with the next piece: what is told of the time left follows the last ten, not the last one."""
FEWEST, MOST = 32, 2048
"""Passages of a piece."""
LOOK_EVERY_S: Final = 2.0
"""How often the bot looks for a wish, and whether another process has made a generation live."""
PATIENCE_S: Final = 10.0
"""How long a piece waits for people to be answered: where somebody always waits, it goes on all the same, slowly."""
PROBED: Final = 32
"""Passages that are embedded to learn how long the others will take."""
SPARE_BYTES: Final = 64 << 20
"""What is left free on the disk."""
LOCK: Final = "generations.lock"
SETTINGS: Final = "embed in paring.toml"
"""The place among the wishes where it is kept what the settings asked for last: only a change of them is a new wish."""


class Changeover:
    """The generations and the wish. Values in and out; all its coroutines belong to one event loop."""

    def __init__(self, database: Database, models: Models, home: Path) -> None:
        """Use the house's store and models."""
        self._models = models
        self._home = home
        self._passages = Passages(database)
        self._generations = Generations(database)
        self._assignments = Assignments(database)
        self._after = 0
        self._filling = 0
        self._size = FEWEST
        self._each_s = 0.0
        """What a passage takes, of the last pieces; 0 before the first."""
        self._failed: tuple[Assignment | None] | None = None
        self._followed = ""
        self._awaited = 0
        """How many wait for a wish in this process: then nobody is waited for between two pieces."""
        self.leaving = False
        """Set where the process ends: what is under way goes on at the next start."""
        self.before_flip: Callable[[str], Awaitable[None]] = _nothing_to_do
        """Awaited with the embedder whose generation is whole and about to become live."""
        self.flipped: Callable[[str], Awaitable[None]] = _nothing_to_do
        """Awaited with the embedder that became live, by this process or another."""
        self.needed: Callable[[Sequence[str]], Awaitable[None]] = _nothing_to_do
        """Awaited with the embedders of all generations that are written to, the live one first."""

    # ---------------------------------------------------------------- what an admin asks for

    async def plan(self, embedder: str) -> Plan:
        """Return what a change to `embedder` would take, which is tried on some passages.

        Raises:
            ModelError: it cannot be loaded, or what it makes are no vectors.
        """
        known = next((one for one in await self._generations.all() if one.embedder == embedder), None)
        lacking, total = [(await self._generations.counts(number))[1] for number in (known.id if known else 0, 0)]
        some = await self._passages.unembedded(known.id if known else 0, count=PROBED)
        texts = [embedded_text(one.text, title=one.title, heading=one.heading) for one in some] or ["."]
        (first,) = await embedded(self._models, embedder, ["."])
        begun = time.perf_counter()
        await embedded(self._models, embedder, texts, dimension=len(first), bulk=True)
        rate = max(len(texts) / (time.perf_counter() - begun), known.rate if known else 0.0)
        free = await asyncio.to_thread(lambda: shutil.disk_usage(self._home).free)
        return Plan(embedder, len(first), total, lacking, lacking / rate, bytes_of(lacking, len(first)), free, rate)

    async def wish(self, embedder: str, *, by: str) -> None:
        """Have `embedder` (`name@revision`) be live as soon as its generation is whole; the wish before is given up."""
        await self._assignments.put(EMBED.name, embedder, by=by)

    async def ask(self, plan: Plan, *, by: str) -> None:
        """Wish for what was planned. Raises StoreError where it does not fit on the disk."""
        if (lack := want_of_room(plan)) is not None:
            raise StoreError(lack)
        await self.wish(plan.embedder, by=by)

    async def give_up(self, embedder: str) -> None:
        """Take the wish for `embedder` back, where it is wished for still and not live: what is live is wished for."""
        wish, live = await self._assignments.of(EMBED.name), await self._generations.live()
        if wish is not None and live is not None and wish.model == embedder != live.embedder:
            await self.wish(live.embedder, by=wish.by)

    async def settle(self, asked: str, *, by: str) -> None:
        """Take what the settings ask for (`name@revision`, "" for nothing) as a wish, if they ask for something else than before."""
        before = await self._assignments.of(SETTINGS)
        if asked == (before.model if before else ""):
            return
        await self._assignments.put(SETTINGS, asked, by=by)
        if asked:
            await self.wish(asked, by=by)

    async def roll_back(self, *, by: str) -> Plan:
        """Wish for the embedder that was live before, and return what that takes; where it takes nothing, it is live on return.

        Raises:
            InputError: there is none, or its vectors were dropped.
            ModelError: it is not on this machine any more.
        """
        before = await self._generations.before()
        if before is None:
            raise InputError(_("No generation was live before this one, or its vectors were dropped. Nothing was changed."))
        plan = await self.plan(before.embedder)
        await self.ask(plan, by=by)
        if not plan.lacking:
            await self._flip(await self._generations.begin(before.embedder, dimension=before.dimension))
        return plan

    async def drop(self, name: str) -> int:
        """Give up the retired generations of `name` (with or without its revision; "" for all); return how many vectors go.

        Raises:
            InputError: there is none of that name, or it is live or being built.
        """
        every = await self._generations.all()
        named = [one for one in every if not name or name in (one.embedder, one.embedder.partition("@")[0])]
        retired = [one for one in named if one.state == "retired"]
        if named and not retired and name:
            raise InputError(_("The vectors of {model} are in use: only a retired generation can be dropped.", model=name))
        if not retired and name:
            known = ", ".join(one.embedder for one in every if one.state == "retired") or "-"
            raise InputError(_("There is no generation of “{model}”. Retired are: {known}.", model=name, known=known))
        vectors = 0
        for generation in retired:
            vectors += (await self._generations.counts(generation.id))[0]
            await self._generations.drop(generation.id)
        while await self._generations.sweep():
            pass
        return vectors

    async def standing(self) -> Standing:
        """Return every generation with what it holds, the wish and why it failed."""
        held = []
        for generation in await self._generations.all():
            have, lack = await self._generations.counts(generation.id)
            here = bool(self._models.live(EMBED.of(generation.embedder)))
            held.append(Held(generation, have, lack, bytes_of(have, generation.dimension), here=here))
        wish = await self._assignments.of(EMBED.name)
        return Standing(tuple(held), wish.model if wish else "", wish.failure if wish else {})

    # ---------------------------------------------------------------- the work

    async def run(self, quiet: Callable[[], Awaitable[None]]) -> None:
        """Follow wishes until cancelled; after each piece `quiet` is awaited, for PATIENCE_S at most."""
        while True:
            with _locked(self._home / LOCK) as mine:
                while mine and await self.step():
                    if not self._awaited:
                        with suppress(TimeoutError):
                            async with asyncio.timeout(PATIENCE_S):
                                await quiet()
            await self.follow()
            await asyncio.sleep(LOOK_EVERY_S)

    async def complete(self, report: Report | None = None) -> None:
        """Make the wished-for embedder's generation whole and live, in this process, or wait for the one that is at it.

        Without a wish it is the embedder that is live in the slot; what lacks a vector has one after. Raises ModelError where that
        cannot be done here; where the other process failed, `standing` says why.
        """
        tell = report or _silent
        self._after = 0
        while True:
            with _locked(self._home / LOCK) as mine:
                if mine:
                    while await self._piece(otherwise=self._models.live(EMBED)):
                        await self._tell(tell)
                    return
            standing = await self.standing()
            if standing.settled or standing.failure:
                return
            await self._tell(tell)
            await asyncio.sleep(LOOK_EVERY_S / 4)

    async def see_through(self, embedder: str, tell: Callable[[Held], Awaitable[None]]) -> None:
        """Return once the wished-for `embedder` is live, made so here where no other process is at it; `tell` hears how far it is.

        Raises:
            ModelError: it failed, or something else was wished for meanwhile.
        """
        self._awaited += 1
        told = 0.0
        try:
            while not await self._is_live(embedder):
                with _locked(self._home / LOCK) as mine:
                    more = mine and await self.step()
                if time.monotonic() - told >= LOOK_EVERY_S:
                    told = time.monotonic()
                    await self._tell_of(embedder, tell)
                if not more:
                    await asyncio.sleep(LOOK_EVERY_S / 4)
        finally:
            self._awaited -= 1

    async def step(self) -> bool:
        """Do one piece of what is to be done; return whether there is more.

        What a model fails at is kept with the wish, and not tried again before the next wish or start. Raises StoreError.
        """
        wish = await self._assignments.of(EMBED.name)
        if self._failed == (wish,):
            return False
        try:
            return await self._piece()
        except ModelError as error:
            log.error("the change of embedder failed; the one before goes on", wish=wish.model if wish else "", why=str(error))
            if wish is not None:
                await self._assignments.failed(EMBED.name, wish.model, error.text)
            self._failed = (await self._assignments.of(EMBED.name),)
            await self._generations.put_away()
            return False

    async def follow(self) -> None:
        """Tell the house which embedder is live, where another became so, and which ones are needed at all."""
        written = await self._generations.written()
        if written and written[0].state == "live":
            changed = written[0].embedder not in (self._followed, self._models.live(EMBED))
            self._followed = written[0].embedder
            if changed:
                await self.flipped(self._followed)
        await self.needed([generation.embedder for generation in written])

    async def _piece(self, *, otherwise: str = "") -> bool:
        """Do one piece; return whether there is more. `otherwise` is wanted where nobody has wished, "" for what is live."""
        if await self._generations.sweep():
            return True
        wish = await self._assignments.of(EMBED.name)
        live = await self._generations.live()
        wanted = wish.model if wish else otherwise or (live.embedder if live else "")
        if not wanted and live is None:
            return False
        return await self._filled(await self._begun(wanted))

    async def _begun(self, embedder: str) -> Generation:
        """Return the generation of `embedder`, begun if there was none that is written to. Raises as `plan`, and for want of room."""
        written = await self._generations.written()
        generation = next((one for one in written if one.embedder == embedder), None)
        if generation is None:
            (vector,) = await embedded(self._models, embedder, ["."], bulk=True)
            known = next((one for one in await self._generations.all() if one.embedder == embedder), None)
            lacking = (await self._generations.counts(known.id if known else 0))[1]
            await asyncio.to_thread(self._room_for, bytes_of(lacking, len(vector)))
            generation = await self._generations.begin(embedder, dimension=len(vector))
        elif generation.state == "live" and len(written) > 1:
            generation = await self._generations.begin(embedder, dimension=generation.dimension)
        if generation.id != self._filling:
            self._filling, self._after, self._size, self._each_s = generation.id, 0, FEWEST, 0.0
        return generation

    async def _filled(self, generation: Generation) -> bool:
        """Embed some passages that lack a vector, or make the generation live where none does; return whether there is more."""
        newest = await self._passages.newest()
        lacking = await self._passages.unembedded(generation.id, count=self._size, after=self._after)
        if not lacking:
            self._after = newest
            return generation.state == "building" and not await self._flip(generation)
        begun = time.perf_counter()
        texts = [embedded_text(one.text, title=one.title, heading=one.heading) for one in lacking]
        vectors = await embedded(self._models, generation.embedder, texts, dimension=generation.dimension, bulk=True)
        pairs = [(one.id, pack_vector(vector)) for one, vector in zip(lacking, vectors, strict=True)]
        await self._passages.add_vectors(generation.id, pairs)
        self._after = lacking[-1].id
        each_s = max(time.perf_counter() - begun, 1e-6) / len(lacking)
        self._size = min(max(round(PIECE_S / each_s), FEWEST), MOST)
        self._each_s = REMEMBERED * self._each_s + (1 - REMEMBERED) * each_s if self._each_s else each_s
        await self._generations.paced(generation.id, round(1 / self._each_s, 1))
        return True

    async def _flip(self, generation: Generation) -> bool:
        """Make the generation live; return whether it is. Where it is not whole after all, it is looked through from the beginning."""
        await self.before_flip(generation.embedder)
        if not await self._generations.publish(generation):
            self._after = 0
            return False
        log.info("another embedder is live", embedder=generation.embedder, generation=generation.id)
        await self._assignments.failed(EMBED.name, generation.embedder, None)
        await self.follow()
        return True

    async def _is_live(self, embedder: str) -> bool:
        """Say whether a wished-for embedder is live. Raises ModelError where it will not be."""
        wish, live = await self._assignments.of(EMBED.name), await self._generations.live()
        if wish is None or wish.model != embedder:
            raise ModelError(
                _("Another embedder was asked for meanwhile: {model}. This change ends here.", model=wish.model if wish else "-")
            )
        if wish.failure:
            raise ModelError(Kept.of(wish.failure))
        if live is None or live.embedder != embedder:
            return False
        await self.follow()
        return True

    async def _tell_of(self, embedder: str, tell: Callable[[Held], Awaitable[None]]) -> None:
        held = [one for one in (await self.standing()).generations if one.generation.embedder == embedder and one.lacking]
        if held:
            await tell(held[-1])

    async def _tell(self, report: Report) -> None:
        written = await self._generations.written()
        if written:
            have, lack = await self._generations.counts(written[-1].id)
            report(written[-1].embedder.partition("@")[0], have, have + lack)

    def _room_for(self, size_bytes: int) -> None:
        free = shutil.disk_usage(self._home).free
        if size_bytes + SPARE_BYTES > free:
            raise ModelError(_no_room(size_bytes, free))


def want_of_room(plan: Plan) -> Text | None:
    """Say that what was planned does not fit on the disk; None where it does."""
    fits = plan.need_bytes + SPARE_BYTES <= plan.free_bytes
    return None if fits else _no_room(plan.need_bytes, plan.free_bytes)


def _no_room(size_bytes: int, free: int) -> Text:
    return _(
        "The new vectors need {need} MB of disk, and {free} MB are free. Nothing was begun; free some space, then ask for it again.",
        need=-(-size_bytes // 1_000_000), free=free // 1_000_000,
    )  # fmt: skip


@contextmanager
def _locked(file: Path) -> Iterator[bool]:
    """Hold the lock file, if nobody else does; give whether it is held."""
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = True
        except BlockingIOError:
            mine = False
        yield mine  # out of its reach: a terminal that is not read blocks with the same error
    finally:
        os.close(handle)


async def _nothing_to_do(_what: object) -> None:
    """Nobody is there to be told."""


def _silent(_now: str, _done: int, _total: int) -> None:
    """Tell nobody."""
