"""What is said with a reply that is sent again though the first one may have been shown: where a platform can neither recognise nor find it.

sent_again(reply).text    # "... (Sent again: ...)"
"""

from __future__ import annotations

from dataclasses import replace

from bot.locale import phrases
from bot.message import Reply

_ = phrases(__file__)


def sent_again(reply: Reply) -> Reply:
    """Return the reply with a note that it may be there twice."""
    note = _("(Sent again: I was interrupted and cannot tell whether the first one reached you.)").to(reply.language)
    return replace(reply, text=f"{reply.text}\n\n*{note}*")
