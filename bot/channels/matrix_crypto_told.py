"""Why a message cannot be read, and what people are told of it: what they can do.

unread("withheld", "m.unverified").to("en")
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.locale import Text, phrases

_ = phrases(__file__)

Why = Literal["missing", "withheld", "earlier", "untrusted", "foreign", "replayed", "broken"]


@dataclass(frozen=True, slots=True)
class Unread(Exception):  # noqa: N818 - what a message is, not only what went wrong
    """A message that cannot be read, and why."""

    why: Why


def unread(why: str, code: str = "") -> Text:
    """Return the sentence for why it waits; `code` is the other app's own word for withholding its key."""
    if why == "untrusted":
        return _(
            "I could not read this: I read only what comes from devices that are verified. Verify me from this app (my profile, "
            "“Verify”); then I answer it."
        )
    if code in {"m.unverified", "m.blacklisted"}:
        return _(
            "I could not read this: your app gives its keys only to verified devices. Verify me (my profile, “Verify”), or allow it for "
            "this room, and send it once more."
        )
    if code:
        return _("I could not read this: your app did not give me its key. Please send it once more.")
    if why == "earlier":
        return _("I could not read this: it is from before I had a key here. Please send it once more.")
    return _(
        "I could not read this: its key has not come. I asked your app for it, and answer when it comes. If nothing follows, send it once more."
    )
