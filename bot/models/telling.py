"""A swap as it is told while it happens: one line that grows, shown in place of what was shown before.

telling = Telling(_("Swap {slot} → {model}", ...), tell)
await telling.now(_("probing {done} of {all} …", done=12, all=40))     # **Swap …** ✓ resolved · ✓ verified · probing 12 of 40 …
telling.done("probe")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.locale import Text, phrases
from bot.models.trial import State, Step, Tell

_ = phrases(__file__)

STEP_NAMES: Final[dict[Step, Text]] = {
    "resolve": _("resolve"), "fetch": _("fetch"), "verify": _("verify"), "probe": _("probe"), "report": _("report"),
    "promote": _("promote"), "publish": _("publish"), "watch": _("watch"),
}  # fmt: skip
STATE_NAMES: Final[dict[State, Text]] = {
    "trying": _("being tried"), "reported": _("waits for an admin"), "shadowing": _("in the shadow"), "publishing": _("being made live"),
    "watched": _("live, on probation"), "live": _("live"), "discarded": _("discarded"), "refused": _("refused"), "failed": _("failed"),
    "interrupted": _("interrupted"), "rolled back": _("rolled back"),
}  # fmt: skip
_DONE: Final[dict[Step, Text]] = {
    "resolve": _("✓ resolved"), "fetch": _("✓ fetched"), "verify": _("✓ verified"), "probe": _("✓ probed"), "report": _("✓ reported"),
    "promote": _("✓ promoted"), "publish": _("✓ live"), "watch": _("✓ watched"),
}  # fmt: skip


class Telling:
    """What has been done of one swap, and what is being done."""

    def __init__(self, head: Text, tell: Tell) -> None:
        """Begin each line with `head`, a sentence in bold; show it by `tell`."""
        self.head = head
        self._tell = tell
        self._done: list[Text] = []

    def done(self, step: Step) -> None:
        """Add that `step` is done; it is shown with what comes next."""
        self._done.append(_DONE[step])

    async def now(self, what: Text) -> None:
        """Show what is being done now, a sentence or a few words that end in " …"."""
        await self._tell(_("**{head}** {steps}", head=self.head, steps=joined([*self._done, what])))


def joined(texts: Sequence[Text], *, by: str = " · ") -> Text:
    """Return the texts as one, `by` between them."""
    values = tuple((f"part{place}", text) for place, text in enumerate(texts))
    return Text(by.join("{" + name + "}" for name, _text in values), values)


def short(model: str) -> str:
    """Return the part of a model's name that tells it from others of its slot: `summarise.lexrank.v1@abc` is `lexrank`."""
    parts = model.partition("@")[0].split(".")
    return parts[1] if len(parts) == 3 and parts[2].startswith("v") else parts[0] if len(parts) == 1 else ".".join(parts)  # noqa: PLR2004 - slot.name.version
