"""The verbs that change a model, and the way back: an admin's words and presses become what `Swapping` does.

Owns the answers: which card has which buttons, what is asked a second time, what may have been meant. Leaves the doing to
`bot.models.swap`, the looks of a card to `bot.models.card_text` and `card_picture`.

    /swap summarise lexrank                           -> the report card, with [Promote] [Shadow 50] [Discard]
    /swap summarise lead --force "for comparison"     -> live, though its card does not pass
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from bot.admin import Done, Verb
from bot.admin_meant import Meant
from bot.admin_words import Order
from bot.errors import InputError
from bot.locale import Text, phrases
from bot.message import Button, Command, pack
from bot.models.telling import short
from bot.roles import TERMINAL
from bot.skill import CommandSpec

if TYPE_CHECKING:
    from bot.admin_cards import Cards
    from bot.models.trial import Card, Swap, Swapping, Tell

_ = phrases(__file__)

SHADOWED: Final = 50
"""Live requests that a shadow run takes unless told otherwise."""
MOST_LOOKED_AT: Final = 50
"""Swaps of a slot among which one looks for what is live or waits."""
LIVE: Final = frozenset({"watched", "live"})

Bench = Callable[[str, "Tell"], Awaitable["Card"]]
"""Measures a slot's live model anew. Raises ModelError."""


class Swaps:
    """`/swap`, `/rollback`, `/shadow`, `/bench`, `/card`, and what the buttons of a card order."""

    def __init__(self, swapping: Swapping, meant: Meant, cards: Cards, bench: Bench) -> None:
        """Have `swapping` do it; `meant` knows the slots and models, `cards` how a report card is shown."""
        self._swapping = swapping
        self._meant = meant
        self._cards = cards
        self._bench = bench

    @property
    def verbs(self) -> tuple[Verb, ...]:
        """Its verbs; the last two are what buttons order."""

        def verb(name: str, summary: Text, do: Callable[[Order], Awaitable[Done]], *aliases: str, listed: bool = True) -> Verb:
            return Verb(CommandSpec(name, summary, listed=listed, aliases=aliases, admin=True), do)

        return (
            verb("swap", _("Try another model: its report card, before anything changes"), self._swap, "교체", "바꿔"),
            verb("rollback", _("Go back to the model before"), self._roll_back, "되돌리기", "되돌려"),
            verb("shadow", _("Have a model compute live requests too, unseen"), self._shadow, "그림자"),
            verb("bench", _("Measure a slot's live model anew"), self._measure, "측정"),
            verb("card", _("Show the last report card, or one by its number"), self._card, "성적표"),
            verb("promote", _("Make the model of a report card live"), self._promote, "적용", listed=False),
            verb("discard", _("Give up the model of a report card"), self._discard, "버리기", listed=False),
        )

    # ---------------------------------------------------------------- trying

    async def _swap(self, order: Order) -> Done:
        if order.forced and not order.reason:
            raise InputError(_('Write why, so that others understand it later: --force "the reason".'))
        found = await self._meant.model(order, "swap")
        if isinstance(found, Done):
            return found
        slot, word = found
        swap = (await self._waiting(slot, word) if order.forced else None) or await self._proposed(order, slot, word)
        if order.forced and swap.state == "reported":
            return await self._live(order, swap)
        return await self._shown(order, swap)

    async def _proposed(self, order: Order, slot: str, word: str) -> Swap:
        return await self._swapping.propose(
            slot, word, by=order.who, origin=_origin(order), tell=order.request.tell, yes=order.yes
        )

    async def _waiting(self, slot: str, word: str) -> Swap | None:
        """Return the swap whose card waits already for an answer to the same word: it need not be tried again."""
        for swap in await self._swapping.history(slot, count=MOST_LOOKED_AT):
            if swap.state == "reported":
                return swap if word in {swap.word, swap.model, swap.model.partition("@")[0]} else None
        return None

    async def _shown(self, order: Order, swap: Swap) -> Done:
        """Return the card with its buttons, or what became of a swap that has none."""
        request, card = order.request, swap.card
        if card is None or swap.state not in {"reported", "shadowing"}:
            return Done(request.reply(_said(swap, order), buttons=self._next(order, swap)), "refused", swap)
        lines = [await self._cards.text(swap, request.language)]
        if "force" in swap.choices:
            again = f'/swap {swap.slot} {_name(swap)} --force "…"'
            lines.append(
                _("It is not offered for use. Whoever wants it all the same writes why: `{again}`", again=again).to(
                    request.language
                )
            )
        images = [] if order.who == TERMINAL else await self._cards.pictures(swap, request.language)
        buttons = self._choices(order, swap)
        return Done(request.reply("\n\n".join(lines), images=images, buttons=buttons), "done" if card.passed else "refused", swap)

    def _choices(self, order: Order, swap: Swap) -> list[Button]:
        """Return what may be done with a card: no gate's no can be pressed away."""
        language, number = order.request.language, str(swap.id)
        buttons = [Button(_("Promote").to(language), Command("promote", number))] if "promote" in swap.choices else []
        if "shadow" in swap.choices:
            label = _("Shadow {count}", count=SHADOWED).to(language)
            buttons.append(Button(label, Command("shadow", f"{number} {SHADOWED}")))
        return [*buttons, Button(_("Discard").to(language), Command("discard", number))]

    def _next(self, order: Order, swap: Swap) -> list[Button]:
        """Return the button under a swap that came to no card: a second yes, or once more."""
        language = order.request.language
        if swap.wants_yes:
            return [Button(_("Yes, fetch it").to(language), Command("swap", f"{swap.slot} {swap.seen} --yes"))]
        if swap.state == "interrupted":
            return [Button(_("Try again").to(language), Command("swap", f"{swap.slot} {swap.word}"))]
        return []

    async def _card(self, order: Order) -> Done:
        if order.words:
            return await self._shown(order, await self._swapping.one(_number(order.word(0))))
        waiting = [swap for swap in await self._swapping.history(count=MOST_LOOKED_AT) if swap.card is not None]
        if not waiting:
            raise InputError(_("No model was tried yet. /swap shows the slots."))
        return await self._shown(order, waiting[0])

    async def _measure(self, order: Order) -> Done:
        slot = self._meant.slot(order, "bench")
        if isinstance(slot, Done):
            return slot
        card = await self._bench(slot, order.request.tell)
        return Done(order.request.reply(await self._cards.bare(card, order.request.language)))

    # ---------------------------------------------------------------- what is done with a card

    async def _promote(self, order: Order) -> Done:
        return await self._live(order, await self._swapping.one(_number(order.word(0))))

    async def _live(self, order: Order, swap: Swap) -> Done:
        request = order.request
        done = await self._swapping.promote(swap.id, by=order.who, tell=request.tell, reason=order.reason)
        said = _("**{slot}** answers with `{model}` now.", slot=done.slot, model=done.model).to(request.language)
        return Done(request.reply(f"{said} {_said(done, order)}".strip(), buttons=[_back(order, done)]), swap=done)

    async def _discard(self, order: Order) -> Done:
        swap = await self._swapping.discard(_number(order.word(0)), by=order.who)
        return Done(order.request.reply(_said(swap, order)), swap=swap)

    async def _shadow(self, order: Order) -> Done:
        words = order.words
        counted = len(words) > 1 and words[-1].isdecimal()
        count = int(words[-1][:9]) if counted else SHADOWED
        if words and words[0].isdecimal():
            number = _number(words[0])
        else:
            named = Order(order.request, order.who, words[:-1] if counted else words, yes=order.yes)
            found = await self._meant.model(named, "shadow")
            if isinstance(found, Done):
                return found
            swap = await self._waiting(*found) or await self._proposed(order, *found)
            if swap.state != "reported":
                return await self._shown(order, swap)
            number = swap.id
        swap = await self._swapping.shadow(number, count, by=order.who)
        language = order.request.language
        stop = Button(_("Discard").to(language), Command("discard", str(swap.id)))
        follows = _("Its card is told of when they are through; `/card {number}` shows it.", number=swap.id).to(language)
        return Done(order.request.reply(f"{_said(swap, order)} {follows}", buttons=[stop]), swap=swap)

    # ---------------------------------------------------------------- the way back

    async def _roll_back(self, order: Order) -> Done:
        slot = self._meant.slot(order, "rollback", among=await self._swapped())
        if isinstance(slot, Done):
            return slot
        request, number = order.request, _number(order.word(1)) if order.word(1) else None
        swap = await self._swapping.roll_back(slot, by=order.who, origin=_origin(order), tell=request.tell, number=number)
        return Done(request.reply(_said(swap, order)), swap=swap)

    async def _swapped(self) -> list[str]:
        """Return the slots in which a swap's model is live."""
        live = [swap.slot for swap in await self._swapping.history(count=MOST_LOOKED_AT) if swap.state in LIVE]
        return list(dict.fromkeys(live))


def _origin(order: Order) -> str:
    """Return where what comes later is told; the command line hears of nothing once it has ended."""
    return "" if order.who == TERMINAL else pack(order.request.message.address)


def _said(swap: Swap, order: Order) -> str:
    return swap.said.get(order.request.language, "")


def _name(swap: Swap) -> str:
    return swap.model.partition("@")[0] or swap.word


def _back(order: Order, swap: Swap) -> Button:
    label = _("Back to {model}", model=short(swap.before) or "–").to(order.request.language)
    return Button(label, Command("rollback", f"{swap.slot} {swap.id}"))


def _number(word: str) -> int:
    if not word.isdecimal() or len(word) > 18:  # noqa: PLR2004 - what SQLite holds as a number
        raise InputError(_("Which one? Write the number of a swap; `/card` shows the last."))
    return int(word)
