"""Swaps: what became of each wish for another model. Every change of state is a compare-and-set in one transaction.

Two processes may be at the same slot; whichever comes second finds the state changed and is told so. What is live in a slot changes in the
same transaction as the swap's own state (`record`), so that a kill leaves the one before or the new one, never something between.

    swap = await swaps.begin("summarise", "summarise.lexrank.v1", by="telegram:4711", origin="")
    await swaps.change(swap.id, Change("reported", card=card), of={"trying"})
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import Table, and_, delete, insert, or_, select, update

from bot.errors import InputError
from bot.locale import LANGUAGES, Text, phrases
from bot.models.telling import STEP_NAMES
from bot.models.trial import UNDER_WAY, WAITING, Card, State, Step, Swap, Told, pack_card, told, unpack_card
from bot.store.assignments import assign
from bot.store.tables import AssignmentRow, SwapRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store.database import Database

_ = phrases(__file__)

LIVE: tuple[State, ...] = ("watched", "live")
"""The states of a swap whose model became live."""
_TABLE = cast("Table", SwapRow.__table__)
_NUMBER_BITS: Final = 63
"""What SQLite holds as a number."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is changed of a swap; None leaves a field as it is."""

    state: State | None = None
    step: Step | None = None
    model: str | None = None
    before: str | None = None
    reason: str | None = None
    card: Card | None = None
    said: Text | None = None
    owner: str | None = None

    def values(self) -> dict[str, object]:
        """Return the columns that change, and when."""
        plain = {name: getattr(self, name) for name in ("state", "step", "model", "before", "reason", "owner")}
        packed = {"card": pack_card(self.card) if self.card else None, "said": _packed(self.said) if self.said else None}
        given = {name: value for name, value in (plain | packed).items() if value is not None}
        return given | {"changed_at": datetime.now(UTC)}


class Swaps:
    """The swaps, newest last. `owner` is the lease of this process."""

    def __init__(self, database: Database, *, owner: str = "") -> None:
        """Use `database`; what is begun here is at work under the lease `owner`."""
        self._database = database
        self.owner = owner

    async def begin(
        self, slot: str, word: str, *, by: str, origin: str = "", state: State = "trying", model: str = "", before: str = ""
    ) -> Swap:
        """Keep a new wish. Raises InputError where another swap of the slot is being worked on."""
        now = datetime.now(UTC)
        step: Step = "resolve" if state == "trying" else "publish"
        row = {
            "slot": slot, "word": word, "model": model, "before": before, "asked_by": by, "origin": origin, "owner": self.owner,
            "state": state, "step": step, "reason": "", "card": "", "said": "", "asked_at": now, "changed_at": now,
        }  # fmt: skip

        def work(connection: Connection) -> Swap | int:
            other = connection.execute(_of_slot(slot, UNDER_WAY)).scalar()
            if other is not None:
                return int(other)
            number = connection.execute(insert(_TABLE).values(row).returning(_TABLE.c.id)).scalar_one()
            return _swap(connection.execute(select(_TABLE).where(_TABLE.c.id == number)).one())

        begun = await self._database.write(work)
        if isinstance(begun, int):
            raise InputError(_busy(await self.one(begun)))
        return begun

    async def change(
        self, number: int, change: Change, *, of: Collection[State], owned_by: str | None = None
    ) -> Swap | None:  # fmt: skip
        """Change a swap; return it, None where it is not in one of the states `of` (and of the owner `owned_by`) any more.

        Raises:
            InputError: it would be worked on while another swap of the slot is.
        """
        mine = [_TABLE.c.id == number, _TABLE.c.state.in_(of)]
        if owned_by is not None:
            mine.append(_TABLE.c.owner == owned_by)

        def work(connection: Connection) -> Swap | int | None:
            slot = connection.execute(select(_TABLE.c.slot).where(*mine)).scalar()
            if slot is None:
                return None
            if change.state in UNDER_WAY:
                other = connection.execute(_of_slot(slot, UNDER_WAY).where(_TABLE.c.id != number)).scalar()
                if other is not None:
                    return int(other)
            return _swap(connection.execute(update(_TABLE).where(*mine).values(change.values()).returning(*_TABLE.c)).one())

        changed = await self._database.write(work)
        if isinstance(changed, int):
            raise InputError(_busy(await self.one(changed)))
        return changed

    async def record(
        self, number: int, change: Change, *, of: Collection[State], live: str | None, by: str, expect: str | None = None,
        beside: Mapping[str, str] = MappingProxyType({}),
    ) -> Swap | None:  # fmt: skip
        """Write, in one transaction, that `live` is what the slot holds from now on ("" for nothing), and what that makes of the swap.

        `live` None leaves the assignment alone: another part of the house writes it. With `expect` nothing is done, and None returned,
        where something else than `expect` is assigned by now. `beside` is assigned as well. Swaps of the slot that were being watched are
        settled by this one.
        """
        mine = (_TABLE.c.id == number, _TABLE.c.state.in_(of))

        def work(connection: Connection) -> Swap | None:
            slot = connection.execute(select(_TABLE.c.slot).where(*mine)).scalar()
            if slot is None or (expect is not None and _assigned(connection, slot) != expect):
                return None
            watched = (_TABLE.c.slot == slot, _TABLE.c.state == "watched", _TABLE.c.id != number)
            connection.execute(update(_TABLE).where(*watched).values(Change("live", owner="").values()))
            if live:
                assign(connection, slot, live, by=by)
            elif live is not None:
                connection.execute(delete(AssignmentRow).where(AssignmentRow.slot == slot))
            for place, word in beside.items():
                assign(connection, place, word, by=by)
            return _swap(connection.execute(update(_TABLE).where(*mine).values(change.values()).returning(*_TABLE.c)).one())

        return await self._database.write(work)

    async def interrupt(self, others: Sequence[str], *, but: Collection[str] = ()) -> list[Swap]:
        """Make "interrupted" what was being worked on by processes that have ended; return those swaps.

        `others` are the leases of the living. What is being made live in the slots `but` is left alone: it goes on by itself. A shadow run
        that nobody has taken yet waits.
        """
        dead = (_TABLE.c.owner.not_in([*others, self.owner]), _TABLE.c.owner != "")
        ends = or_(_TABLE.c.state != "publishing", _TABLE.c.slot.not_in(but))
        query = select(_TABLE).where(_TABLE.c.state.in_(UNDER_WAY), ends, *dead)

        async with self._database.read() as connection:
            if not (await connection.execute(query.limit(1))).first():
                return []

        def work(connection: Connection) -> list[Swap]:
            found = []
            for row in connection.execute(query).all():
                change = Change("interrupted", said=interrupted(row.step))
                connection.execute(update(_TABLE).where(_TABLE.c.id == row.id).values(change.values()))
                found.append(_swap(connection.execute(select(_TABLE).where(_TABLE.c.id == row.id)).one()))
            return found

        return await self._database.write(work)

    async def untold(self) -> list[Swap]:
        """Return the interrupted swaps of which nobody was told yet, the oldest first."""
        query = select(_TABLE).where(_TABLE.c.state == "interrupted", _TABLE.c.owner != "").order_by(_TABLE.c.id)
        return await self._found(query)

    async def tell(self, number: int, *, of: State = "interrupted") -> bool:
        """Mark a swap that has ended, interrupted or as `of` says, as told; return False where somebody else has told it."""
        told_now = update(_TABLE).where(_TABLE.c.id == number, _TABLE.c.state == of, _TABLE.c.owner != "")

        def work(connection: Connection) -> bool:
            return connection.execute(told_now.values(owner="")).rowcount == 1

        return await self._database.write(work)

    async def take(self, state: State, others: Sequence[str], *, slots: Collection[str] | None = None) -> list[Swap]:
        """Take over the swaps in `state` (of `slots`) that no living process is at; return all that are this process's own."""
        free = (_TABLE.c.state == state, _TABLE.c.owner.not_in(others))
        within = () if slots is None else (_TABLE.c.slot.in_(slots),)

        def work(connection: Connection) -> list[Swap]:
            rows = connection.execute(select(_TABLE).where(*free, *within).order_by(_TABLE.c.id)).all()
            for row in rows:
                if row.owner != self.owner:
                    connection.execute(update(_TABLE).where(_TABLE.c.id == row.id).values(owner=self.owner))
            return [_swap(row) for row in rows]

        async with self._database.read() as connection:
            if not (await connection.execute(select(_TABLE.c.id).where(*free, *within).limit(1))).first():
                return []
        return await self._database.write(work, durable=False)

    async def one(self, number: int) -> Swap:
        """Return a swap. Raises InputError where there is none of that number."""
        kept = number.bit_length() <= _NUMBER_BITS
        found = await self._found(select(_TABLE).where(_TABLE.c.id == number)) if kept else []
        if not found:
            raise InputError(_("There is no swap {number}. /models shows what there is.", number=number))
        return found[0]

    async def history(self, slot: str = "", *, count: int = 20) -> list[Swap]:
        """Return the last swaps, of one slot or all, and every older one that still waits for an admin, the newest first."""
        of_slot = (_TABLE.c.slot == slot,) if slot else ()
        last = select(_TABLE.c.id).where(*of_slot).order_by(_TABLE.c.id.desc()).limit(count)
        kept = or_(_TABLE.c.id.in_(last), and_(_TABLE.c.state.in_(WAITING), *of_slot))
        return await self._found(select(_TABLE).where(kept).order_by(_TABLE.c.id.desc()))

    async def last_live(self, slot: str, model: str) -> Swap | None:
        """Return the newest swap by which `model` became live in `slot`, None where it was never swapped in."""
        query = select(_TABLE).where(_TABLE.c.slot == slot, _TABLE.c.state.in_(LIVE)).order_by(_TABLE.c.id.desc())
        return next((swap for swap in await self._found(query) if same(swap.model, model)), None)

    async def _found(self, query: Any) -> list[Swap]:
        async with self._database.read() as connection:
            return [_swap(row) for row in (await connection.execute(query)).all()]


def same(one: str, other: str) -> bool:
    """Say whether two `name@revision` are one model; what is made here has no revision before it is loaded."""
    (name, _at, revision), (other_name, _other_at, other_revision) = one.partition("@"), other.partition("@")
    return bool(name) and name == other_name and (revision == other_revision or not revision or not other_revision)


def interrupted(step: Step) -> Text:
    """Say that a swap was interrupted at `step`."""
    return _(
        "Interrupted at “{step}”: the bot ended in the midst of it. The model before is live; ask again to begin anew.",
        step=STEP_NAMES[step],
    )


def _of_slot(slot: str, states: Collection[State]) -> Any:
    return select(_TABLE.c.id).where(_TABLE.c.slot == slot, _TABLE.c.state.in_(states)).limit(1)


def _assigned(connection: Connection, slot: str) -> str:
    found = connection.execute(select(AssignmentRow.model).where(AssignmentRow.slot == slot)).scalar()
    return found or ""


def _busy(other: Swap) -> Text:
    return _(
        "Another swap of {slot} is being worked on (number {number}: {word}, at “{step}”). Wait for it, or cancel it; nothing was begun.",
        slot=other.slot, number=other.id, word=other.word, step=STEP_NAMES[other.step],
    )  # fmt: skip


def _packed(text: Text) -> str:
    return json.dumps(told(text), ensure_ascii=False)


def _told(packed: str) -> Told:
    said = json.loads(packed) if packed else {}
    return {language: said[language] for language in LANGUAGES if language in said}


def _swap(row: Any) -> Swap:
    return Swap(
        row.id, row.slot, row.word, row.model, row.before, row.asked_by, row.origin, row.state, row.step, row.reason,
        unpack_card(row.card), _told(row.said), row.asked_at, row.changed_at,
    )  # fmt: skip
