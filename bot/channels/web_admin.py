"""The admin page: the models by slot, trying another one, its report card, memory, and what was swapped when and why.

Owns the addresses under `/admin`, and the swaps that were begun from this page and are still being made. Leaves to
`bot.models.trial.Swapping` what a swap is, to `bot.channels.web_admin_view` what is shown of it, to `bot.channels.web_guard` who may
come in at all.

    pages = AdminPages(desk, person="web:me", origin=pack(address), renderer=renderer)
    for path, method, answer in pages.routes(): ...
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.channels.web_admin_view import SECTIONS, Work, view_of
from bot.channels.web_guard import as_page
from bot.errors import DeniedError, InputError, ParingError
from bot.locale import Language, Text, phrases
from bot.logs import Logger
from bot.models.trial import UNDER_WAY, State, Swap, Swapping, Tell, Told, told
from bot.store.audit import outcome_of

if TYPE_CHECKING:
    from bot.channels.web_render import Renderer
    from bot.models.places import SlotStatus
    from bot.store.audit import Outcome

_ = phrases(__file__)
log = Logger(__name__)

HISTORY = 20
FELL_SHORT: frozenset[State] = frozenset({"refused", "failed", "interrupted"})
"""Ends that are told until they are put away."""
MOST_SHADOWED = 1000
SHARES_FOR_S = 60.0
_BROKE = _("Something in me broke while I worked on this. The model before is live; the log says more.")

Answer = Callable[[Request], Awaitable[Response]]
Asked = dict[str, object]


class Orders(Protocol):
    """What was ordered. Implemented by `bot.store.audit.Audit`."""

    async def begin(self, who: str, command: str, outcome: Outcome = "begun") -> int:
        """Write an order down, with what came of it where that is known; return its number."""
        ...

    async def end(self, number: int, outcome: Outcome) -> None:
        """Write down what came of an order."""
        ...


class AdminDesk(Protocol):
    """What the page needs of the house. Implemented by `bot.app`."""

    @property
    def swaps(self) -> Swapping:
        """The swaps."""
        ...

    async def may(self, person: str) -> bool:
        """Say whether `person` (CHANNEL:USER) is an admin now."""
        ...

    async def slots(self) -> Sequence[SlotStatus]:
        """Return what is told of each slot."""
        ...

    async def shares(self) -> Mapping[str, float]:
        """Return the share, 0..1, of last week's messages that each slot had a part in; of what nothing is known, nothing."""
        ...

    def memory(self) -> tuple[int, int]:
        """Return the MiB that loaded models take, and the budget."""
        ...

    def choices(self, slot: str) -> Sequence[str]:
        """Return the names of the models that are known for `slot`."""
        ...

    @property
    def audit(self) -> Orders:
        """Where every order is written down."""
        ...


@dataclass(slots=True, eq=False)
class Job:
    """A swap that is being made for this page: what is done now, and how it ended."""

    slot: str
    word: str
    work: Callable[[Tell], Awaitable[Swap]] = field(repr=False)
    said: Told = field(default_factory=lambda: told(_("Begun.")))
    over: bool = False
    asks: bool = False
    """Whether it goes on with a second yes."""
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class AdminPages:
    """The pages under `/admin`, for one person."""

    def __init__(self, desk: AdminDesk, *, person: str, origin: str, renderer: Renderer) -> None:
        """Show `desk` to `person` (CHANNEL:USER), whenever they are an admin; what comes later is told at `origin`, a packed Address."""
        self._desk = desk
        self._origin = origin
        self._person = person
        self._renderer = renderer
        self._jobs: dict[str, Job] = {}
        self._counted: tuple[float, Mapping[str, float]] | None = None

    def routes(self, language_of: Callable[[Request], Language]) -> list[tuple[str, str, Answer]]:
        """Return (path, method, answer) of each address."""
        self._language_of = language_of
        return [
            ("/admin", "GET", self._page),
            ("/admin/swaps/{number:int}", "GET", self._card),
            ("/api/admin/state", "GET", self._state),
            ("/api/admin/try", "POST", self._verb(_line("swap", "slot", "model"), self._try)),
            ("/api/admin/promote", "POST", self._verb(_line("promote", "swap"), self._promote)),
            ("/api/admin/shadow", "POST", self._verb(_line("shadow", "swap", "count"), self._shadow)),
            ("/api/admin/discard", "POST", self._verb(_line("discard", "swap"), self._discard)),
            ("/api/admin/rollback", "POST", self._verb(_line("rollback", "slot", "swap"), self._roll_back)),
            ("/api/admin/stop", "POST", self._verb(_line("stop", "slot"), self._stop)),
            ("/api/admin/dismiss", "POST", self._dismiss),
        ]

    async def close(self) -> None:
        """End what is being made: a start after this says what was interrupted."""
        tasks = [job.task for job in self._jobs.values() if job.task and not job.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ---------------------------------------------------------------- what is shown

    async def _page(self, request: Request) -> Response:
        language = self._language_of(request)
        if not await self._desk.may(self._person):
            return as_page(
                request, self._renderer.note(_no_admin(self._person).to(language), language), status=HTTPStatus.FORBIDDEN
            )
        sections, busy = await self._sections(language)
        return as_page(request, self._renderer.admin(sections, language, busy=busy))

    async def _state(self, request: Request) -> Response:
        if not await self._desk.may(self._person):
            raise DeniedError(_no_admin(self._person))
        sections, busy = await self._sections(self._language_of(request))
        return JSONResponse({"sections": sections, "busy": busy})

    async def _card(self, request: Request) -> Response:
        language = self._language_of(request)
        if not await self._desk.may(self._person):
            return as_page(
                request, self._renderer.note(_no_admin(self._person).to(language), language), status=HTTPStatus.FORBIDDEN
            )
        try:
            swap = await self._desk.swaps.one(int(request.path_params["number"]))
        except InputError as error:
            return as_page(request, self._renderer.note(error.sentence(language), language), status=HTTPStatus.NOT_FOUND)
        return as_page(request, await asyncio.to_thread(self._renderer.admin_card, swap, language))

    async def _sections(self, language: Language) -> tuple[dict[str, str], bool]:
        """Return the HTML of each section, and whether anything is under way, so that the page asks again soon."""
        slots, history = await self._desk.slots(), await self._desk.swaps.history(count=HISTORY)
        works = [Work(job.slot, job.word, job.said, over=job.over, asks=job.asks) for job in self._jobs.values()]
        choices = {status.slot: self._desk.choices(status.slot) for status in slots}
        memory, shares = self._desk.memory(), await self._shares()

        def drawn() -> dict[str, str]:
            view = view_of(slots, memory, history, works, choices, language, shares=shares)
            return {name: self._renderer.admin_section(name, view, language) for name in SECTIONS}

        sections = await asyncio.to_thread(drawn)
        busy = any(not job.over for job in self._jobs.values()) or any(swap.state in UNDER_WAY for swap in history)
        return sections, busy

    async def _shares(self) -> Mapping[str, float]:
        """Return the shares as they were within the last minute: a week of messages is counted for them."""
        if self._counted is None or time.monotonic() - self._counted[0] > SHARES_FOR_S:
            self._counted = (time.monotonic(), await self._desk.shares())
        return self._counted[1]

    # ---------------------------------------------------------------- the verbs

    def _verb(self, written: Callable[[Asked], str], work: Callable[[Asked], Awaitable[Job | None]]) -> Answer:
        """Return the answer to a verb: only to an admin, as they are now, and in the audit as it is `written` in a chat.

        What takes its time is a job: it goes on when this was answered, and the page asks how far it is.
        """

        async def answer(request: Request) -> Response:
            asked = await self._asked(request)
            if not await self._desk.may(self._person):
                await self._desk.audit.begin(self._person, written(asked), "not an admin")
                raise DeniedError(_no_admin(self._person))
            number = await self._desk.audit.begin(self._person, written(asked))
            try:
                job = await work(asked)
            except BaseException as error:
                await self._desk.audit.end(number, outcome_of(error))
                raise
            if job is None:
                await self._desk.audit.end(number, "done")
            else:
                job.task = asyncio.create_task(self._done(job, number), name=f"swap {job.slot}")
            return JSONResponse({})

        return answer

    @staticmethod
    async def _asked(request: Request) -> Asked:
        from bot.channels.web_routes import FORM_BYTES, read_json  # noqa: PLC0415 - it imports this module

        return await read_json(request, FORM_BYTES)

    async def _try(self, asked: Asked) -> Job:
        slot, word, yes = _string(asked, "slot"), _string(asked, "model").strip(), _string(asked, "yes") == "yes"
        if not word:
            raise InputError(
                _("Which model? Choose one, or write hub:owner/name@revision or the name of a folder in HOME/models.")
            )

        async def work(tell: Tell) -> Swap:
            return await self._desk.swaps.propose(slot, word, by=self._person, origin=self._origin, tell=tell, yes=yes)

        return self._begun(Job(slot, word, work))

    async def _promote(self, asked: Asked) -> Job:
        swap = await self._desk.swaps.one(_number(asked, "swap"))
        reason = _string(asked, "reason").strip()
        if swap.card is not None and not swap.card.passed and not reason:
            raise InputError(_("This card did not pass. Write why it is to be live all the same."))

        async def work(tell: Tell) -> Swap:
            return await self._desk.swaps.promote(swap.id, by=self._person, tell=tell, reason=reason)

        return self._begun(Job(swap.slot, swap.model or swap.word, work))

    async def _shadow(self, asked: Asked) -> None:
        count = min(max(_number(asked, "count"), 1), MOST_SHADOWED)
        await self._desk.swaps.shadow(_number(asked, "swap"), count, by=self._person)

    async def _discard(self, asked: Asked) -> None:
        await self._desk.swaps.discard(_number(asked, "swap"), by=self._person)

    async def _roll_back(self, asked: Asked) -> Job:
        slot, number = _string(asked, "slot"), _number(asked, "swap")

        async def work(tell: Tell) -> Swap:
            return await self._desk.swaps.roll_back(slot, by=self._person, origin=self._origin, tell=tell, number=number)

        return self._begun(Job(slot, "", work))

    async def _stop(self, asked: Asked) -> None:
        job = self._jobs.get(_string(asked, "slot"))
        if job is None or job.task is None or job.over:
            raise InputError(_("Nothing of that slot is being done from this page any more."))
        job.task.cancel()
        await asyncio.wait([job.task])

    async def _dismiss(self, request: Request) -> Response:
        """Put away how something ended: no order, and nothing to be written down."""
        if not await self._desk.may(self._person):
            raise DeniedError(_no_admin(self._person))
        job = self._jobs.get(_string(await self._asked(request), "slot"))
        if job is not None and job.over:
            del self._jobs[job.slot]
        return JSONResponse({})

    def _begun(self, job: Job) -> Job:
        """Keep the job of its slot. Raises InputError where another one is not over yet."""
        current = self._jobs.get(job.slot)
        if current is not None and not current.over:
            raise InputError(_("A swap of {slot} is being made already. Wait for its end.", slot=job.slot))
        self._jobs[job.slot] = job
        return job

    async def _done(self, job: Job, number: int) -> None:
        """Do a job to its end, and write down what came of order `number`."""

        async def tell(text: Text) -> None:
            job.said = told(text)

        try:
            outcome = self._ended(job, await job.work(tell))
        except asyncio.CancelledError:
            self._jobs.pop(job.slot, None)  # the history says by whom it was stopped
            await self._desk.audit.end(number, "stopped")
            raise
        except ParingError as error:
            job.said, outcome = told(error.text), outcome_of(error)
        except Exception as error:  # nobody awaits a job: what is shown must not say "being made" for ever
            log.exception("a swap from the page failed", slot=job.slot)
            job.said, outcome = told(_BROKE), outcome_of(error)
        finally:
            job.over = True
        await self._desk.audit.end(number, outcome)

    def _ended(self, job: Job, swap: Swap) -> Outcome:
        """Show how the swap ended, unless that stands in the history; return what that makes of the order."""
        if swap.state in FELL_SHORT:
            job.said, job.asks = swap.said, swap.wants_yes
            job.word = swap.seen if job.asks else job.word
            return "refused"
        self._jobs.pop(job.slot, None)
        return "done" if swap.card is None or swap.card.passed or swap.reason else "refused"


def _no_admin(person: str) -> Text:
    return _("This page is for admins. Whoever set Paring up can make you one: PARING_ADMINS={person}", person=person)


def _string(asked: Asked, key: str) -> str:
    value = asked.get(key, "")
    return value if isinstance(value, str) else ""


def _number(asked: Asked, key: str) -> int:
    value = asked.get(key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(_("The page sent something that cannot be read. Please reload it."))
    return value


def _line(verb: str, *keys: str) -> Callable[[Asked], str]:
    """Return what writes an order as it is written in a chat."""

    def written(asked: Asked) -> str:
        said = [str(value) for key in keys if isinstance(value := asked.get(key), str | int)]
        yes = ["--yes"] if asked.get("yes") == "yes" else []
        reason = _string(asked, "reason").strip()
        return " ".join([f"/{verb}", *said, *yes, *([f'--force "{reason}"'] if reason else [])])

    return written
