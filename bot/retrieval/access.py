"""Which scopes a reader may read, here and now.

Owns the rule. Leaves to `bot.passage` the types, and to `bot.store.shelf` that no passage outside of them is ever read.

    reader_scopes(message)   # Scopes(dm:web/local/7, public)
"""

from __future__ import annotations

from bot.message import Message
from bot.passage import PUBLIC, Scope, Scopes


def reader_scopes(message: Message) -> Scopes:
    """Return what may be used to answer `message`.

    In a direct chat that chat's own passages and the public ones; in a group the group's and the public ones, never the
    asker's own chats: every reader of the group sees the answer.
    """
    return Scopes([Scope.of(message.address), PUBLIC])
