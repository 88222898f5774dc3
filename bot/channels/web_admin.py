"""The admin page: the models by slot, trying another one, its report card, memory, and what was swapped when and why.

Owns the addresses under `/admin`, and the swaps that were begun from this page and are still being made. Leaves to
`bot.models.trial.Swapping` what a swap is, to `bot.channels.web_admin_view` what is shown of it, to `bot.channels.web_guard` who may
come in at all.

    pages = AdminPages(desk, person="web:me", origin=pack(address), renderer=renderer)
    for path, method, answer in pages.routes(): ...
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.channels.web_admin_view import SECTIONS, Work, view_of
from bot.channels.web_guard import as_page
from bot.errors import DeniedError, InputError, ParingError
from bot.locale import Language, Text, phrases
from bot.logs import Logger
from bot.models.trial import UNDER_WAY, State, Swap, Swapping, Told, told

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
_BROKE = _("Something in me broke while I worked on this. The model before is live; the log says more.")

Answer = Callable[[Request], Awaitable[Response]]
Asked = dict[str, object]


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

    async def record(self, person: str, command: str, outcome: Outcome) -> None:
        """Keep in the audit that `person` gave `command`, and what came of it."""
        ...


@dataclass(slots=True, eq=False)
class Job:
    """A swap that is being made for this page: what is done now, and how it ended."""

    slot: str
    word: str
    said: Told
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

    def routes(self, language_of: Callable[[Request], Language]) -> list[tuple[str, str, Answer]]:
        """Return (path, method, answer) of each address."""
        self._language_of = language_of
        return [
            ("/admin", "GET", self._page),
            ("/admin/swaps/{number:int}", "GET", self._card),
            ("/api/admin/state", "GET", self._state),
            ("/api/admin/try", "POST", self._verb(self._try)),
            ("/api/admin/promote", "POST", self._verb(self._promote)),
            ("/api/admin/shadow", "POST", self._verb(self._shadow)),
            ("/api/admin/discard", "POST", self._verb(self._discard)),
            ("/api/admin/rollback", "POST", self._verb(self._roll_back)),
            ("/api/admin/dismiss", "POST", self._verb(self._dismiss)),
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
        memory, shares = self._desk.memory(), await self._desk.shares()

        def drawn() -> dict[str, str]:
            view = view_of(slots, memory, history, works, choices, language, shares=shares)
            return {name: self._renderer.admin_section(name, view, language) for name in SECTIONS}

        sections = await asyncio.to_thread(drawn)
        busy = any(not job.over for job in self._jobs.values()) or any(swap.state in UNDER_WAY for swap in history)
        return sections, busy

    # ---------------------------------------------------------------- the verbs

    def _verb(self, work: Callable[[Asked], Awaitable[Text | None]]) -> Answer:
        """Return the answer to a verb: only to an admin, as they are now, and kept in the audit whatever comes of it."""

        async def answer(request: Request) -> Response:
            asked = await self._renderer_json(request)
            command = f"{request.url.path.rpartition('/')[2]} {' '.join(str(value) for value in asked.values())}"[:300]
            if not await self._desk.may(self._person):
                await self._desk.record(self._person, command, "not an admin")
                raise DeniedError(_no_admin(self._person))
            try:
                note = await work(asked)
            except ParingError as error:
                await self._desk.record(self._person, command, "refused" if isinstance(error, InputError) else "failed")
                raise
            await self._desk.record(self._person, command, "done")
            return JSONResponse({"note": note.to(self._language_of(request)) if note else ""})

        return answer

    @staticmethod
    async def _renderer_json(request: Request) -> Asked:
        from bot.channels.web_routes import FORM_BYTES, read_json  # noqa: PLC0415 - it imports this module

        return await read_json(request, FORM_BYTES)

    async def _try(self, asked: Asked) -> None:
        slot, word, yes = _string(asked, "slot"), _string(asked, "model").strip(), _string(asked, "yes") == "yes"
        if not word:
            raise InputError(
                _("Which model? Choose one, or write hub:owner/name@revision or the name of a folder in HOME/models.")
            )

        async def work(tell: Callable[[Text], Awaitable[None]]) -> Swap:
            return await self._desk.swaps.propose(slot, word, by=self._person, origin=self._origin, tell=tell, yes=yes)

        self._begin(slot, word, work)

    async def _promote(self, asked: Asked) -> None:
        swap = await self._desk.swaps.one(_number(asked, "swap"))
        reason = _string(asked, "reason").strip()
        if swap.card is not None and not swap.card.passed and not reason:
            raise InputError(_("This card did not pass. Write why it is to be live all the same."))

        async def work(tell: Callable[[Text], Awaitable[None]]) -> Swap:
            return await self._desk.swaps.promote(swap.id, by=self._person, tell=tell, reason=reason)

        self._begin(swap.slot, swap.model or swap.word, work)

    async def _shadow(self, asked: Asked) -> None:
        count = min(max(_number(asked, "count"), 1), MOST_SHADOWED)
        await self._desk.swaps.shadow(_number(asked, "swap"), count, by=self._person)

    async def _discard(self, asked: Asked) -> None:
        await self._desk.swaps.discard(_number(asked, "swap"), by=self._person)

    async def _roll_back(self, asked: Asked) -> None:
        slot = _string(asked, "slot")

        async def work(tell: Callable[[Text], Awaitable[None]]) -> Swap:
            return await self._desk.swaps.roll_back(slot, by=self._person, origin=self._origin, tell=tell)

        self._begin(slot, "", work)

    async def _dismiss(self, asked: Asked) -> None:
        job = self._jobs.get(_string(asked, "slot"))
        if job is not None and job.over:
            del self._jobs[job.slot]

    def _begin(
        self, slot: str, word: str, work: Callable[[Callable[[Text], Awaitable[None]]], Coroutine[Any, Any, Swap]]
    ) -> None:
        """Do the work in the background: the page asks how far it is."""
        current = self._jobs.get(slot)
        if current is not None and not current.over:
            raise InputError(_("A swap of {slot} is being made already. Wait for its end.", slot=slot))
        job = self._jobs[slot] = Job(slot, word, told(_("Begun.")))

        async def tell(text: Text) -> None:
            job.said = told(text)

        async def run() -> None:
            try:
                swap = await work(tell)
                if swap.state not in FELL_SHORT:
                    self._jobs.pop(slot, None)  # what came of it stands in the history
                job.said, job.asks = swap.said, (swap.state, swap.step) == ("refused", "fetch")
            except ParingError as error:
                job.said = told(error.text)
            except Exception:  # what is shown must not say "being made" for ever
                log.exception("a swap from the page failed", slot=slot)
                job.said = told(_BROKE)
            finally:
                job.over = True

        job.task = asyncio.create_task(run(), name=f"swap {slot}")


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
