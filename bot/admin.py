"""The admin commands, as an ordinary skill: it claims nothing and is reached by its commands and buttons alone.

Owns: that only admins are obeyed, asked anew at every command and every press, and that each order and each refusal is written down.
Leaves to `bot.roles` who is an admin, to the desks (`admin_sight`, `admin_people`, `admin_swaps`) what is done.

    Admin(roles, audit, desks=[Sight(...), People(...)])
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bot.admin_words import Order, read
from bot.errors import DeniedError, InputError
from bot.locale import phrases
from bot.message import AttachmentKind, Command, Message, Reply
from bot.roles import person_of
from bot.skill import CommandSpec, Request, Slot
from bot.store.audit import outcome_of

if TYPE_CHECKING:
    from bot.message import Press
    from bot.models.trial import Swap
    from bot.roles import Roles
    from bot.store.audit import Audit, Outcome

_ = phrases(__file__)


@dataclass(frozen=True, slots=True)
class Done:
    """What an order is answered, and what came of it."""

    reply: Reply
    outcome: Outcome = "done"
    swap: Swap | None = None
    """The swap that it is about, for a machine to read."""
    about: str = ""
    """Whom it turned out to be about, for the audit, where the words of the order do not say."""


@dataclass(frozen=True, slots=True)
class Verb:
    """One admin command: what menus say of it, and who carries it out."""

    command: CommandSpec
    do: Callable[[Order], Awaitable[Done]]
    written: Callable[[str], str] = str
    """How its arguments are written down: without what lets anybody in."""


class Desk(Protocol):
    """Some verbs that belong together."""

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """Its verbs, as they stand in a menu."""
        ...


class Admin:
    """`/models`, `/ram`, `/swap` and the like."""

    name = "admin"
    title = _("Administration")
    summary = _("I show the models and change them, for admins alone.")
    slots: tuple[Slot[object, object], ...] = ()
    takes: frozenset[AttachmentKind] = frozenset()

    def __init__(self, roles: Roles, audit: Audit, desks: Sequence[Desk]) -> None:
        """Ask `roles` who may, write to `audit` what was ordered, and have the desks do it."""
        self._roles = roles
        self._audit = audit
        verbs = [verb for desk in desks for verb in desk.verbs]
        self.commands: tuple[CommandSpec, ...] = tuple(verb.command for verb in verbs)
        self._verbs = {name: verb for verb in verbs for name in (verb.command.name, *verb.command.aliases)}

    def claims(self, message: Message) -> bool:
        """Claim nothing."""
        del message
        return False

    async def answer(self, request: Request) -> Reply:
        """Do what the command says, if an admin says it.

        Raises:
            DeniedError: who says it is none.
        """
        command, who = request.message.command, person_of(request.message)
        verb = self._verbs.get(command.name) if command is not None else None
        if command is None or verb is None:  # sent on by a button: a text gives no orders
            raise InputError(_("Admin commands are written out. /models shows where to begin."))
        ours = await self._roles.ours(who)
        role = "" if ours else await self._roles.role(who)
        if not (ours or role):
            await self._audit.begin(who, _written(command, verb), "not an admin")
            raise DeniedError(
                _(
                    "Only an admin may use /{name}, and {who} is none; /admins add {who}, said by one, changes that.",
                    name=command.name,
                    who=who,
                )
            )
        by = f" (as {role})" if role else ""
        return (await self._carried_out(verb, read(request, who), _written(command, verb) + by)).reply

    async def order(self, name: str, order: Order) -> Done:
        """Do what `order` says of the verb `name`, for who may order anything: the command line of the machine's own user."""
        verb = self._verbs[name]
        return await self._carried_out(verb, order, f"paring {name} {verb.written(order.request.text)}".rstrip())

    async def refused_press(self, press: Press, command: Command) -> None:
        """Write down that somebody pressed the button of an admin's that was not theirs."""
        if (verb := self._verbs.get(command.name)) is not None:
            await self._audit.begin(f"{press.address.channel}:{press.sender}", _written(command, verb), "another's button")

    async def _carried_out(self, verb: Verb, order: Order, written: str) -> Done:
        number = await self._audit.begin(order.who, written)
        try:
            done = await verb.do(order)
        except BaseException as error:
            await self._audit.end(number, outcome_of(error))
            raise
        await self._audit.end(number, done.outcome, about=done.about)
        return done


def _written(command: Command, verb: Verb) -> str:
    return f"/{command.name} {verb.written(command.args)}".rstrip()
