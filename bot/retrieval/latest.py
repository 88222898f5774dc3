"""What somebody said last, where a question asks for nothing more: "what did Ben say?", "민지가 뭐라고 했어?".

Owns how such an answer is put together. Leaves to `bot.retrieval.exchange` whether it is asked for, to `bot.store.talks` the rows.

    said_last(talk, state, scopes)   # a hit a chat: the newest message, those before it as its lines
"""

from __future__ import annotations

from bot.passage import Hit, Scopes
from bot.retrieval.exchange import Conversation
from bot.store.shelf import State
from bot.store.talks import Spoken
from bot.talk import Line

MOST = 5
"""Messages that are told."""


def said_last(talk: Conversation, state: State, scopes: Scopes) -> list[Hit]:
    """Return the last messages of those who are asked about, in the time that is asked about: a hit a chat, the newest first, `[]` for none."""
    spoken = talk.talks.said_by(talk.speakers, talk.asked.period, most=MOST)
    texts = state.passages([one.passage for one in spoken], scopes)
    chats: dict[tuple[int, str], list[Spoken]] = {}
    for one in spoken:
        if one.passage in texts:
            chats.setdefault((one.scope, one.thread), []).append(one)
    hits = []
    for newest, *others in chats.values():
        lines = [
            Line(one.who, one.at, passage.text, passage.link, best=one is newest, passage=passage.id)
            for one in (*reversed(others), newest)
            for passage in (texts[one.passage].passage,)
        ]
        found = texts[newest.passage].passage
        hits.append(Hit(found, 1.0, (0, len(found.text)), tuple(lines)))
    return hits
