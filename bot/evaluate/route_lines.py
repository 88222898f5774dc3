"""Routes lines as they come: what is there is asked at once, and nobody waits for a line that is not there yet.

Owns: what a line may be, and gathering lines. Leaves the routing to `bot.router`.

    async for row in route_lines(sys.stdin, app.router.decide_many): print(json.dumps(row))
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bot.errors import UnreadableError, refusal
from bot.language import detect
from bot.locale import Language, Text, phrases
from bot.router import Decision

_ = phrases(__file__)

DecideMany = Callable[[Sequence[tuple[str, Language]]], Awaitable[list[Decision]]]
"""Texts with their languages to decisions, in order."""
Row = dict[str, str | float]
AT_ONCE: Final = 256
"""Lines that are routed together at most."""

_Line = tuple[int, str]


@dataclass(frozen=True, slots=True)
class _End:
    """Nothing comes any more: because of `error`, or because all has been read."""

    error: UnreadableError | None = None


async def route_lines(lines: Iterable[str], decide_many: DecideMany) -> AsyncIterator[Row]:
    """Yield one row a line: text, skill, score, runner_up, runner_up_score, action; in order. Empty lines have none.

    A line is a JSON object with `text` (and `language` if it is to be said), or plain text.

    Raises:
        UnreadableError: a line is neither; it says which, and the rows of those before it have been yielded.
    """
    async for some in _gathered(lines):
        asked: list[tuple[str, Language]] = []
        wrong: UnreadableError | None = None
        for number, line in some:
            try:
                asked.append(_asked(number, line))
            except UnreadableError as error:
                wrong = error
                break
        for (text, _language), decision in zip(asked, await decide_many(asked), strict=True):
            yield _row(text, decision)
        if wrong is not None:
            raise wrong


def lines_of(file: Path) -> list[str]:
    """Return the lines of a file of JSON lines. Raises UnreadableError where it is not there or holds no text."""
    try:
        return file.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError) as error:
        reason = refusal(error) if isinstance(error, OSError) else "UTF-8"
        raise UnreadableError(
            _(
                "{name} cannot be read ({reason}). Nothing was routed; check the name and try again.",
                name=file.name,
                reason=reason,
            )
        ) from error


def language_of(said: object, text: str) -> Language:
    """Return the language that a line names, else the one that its text looks like."""
    if said == "ko":
        return "ko"
    return "en" if said == "en" else detect(text) or "en"


async def _gathered(lines: Iterable[str]) -> AsyncIterator[list[_Line]]:
    """Yield what has been read since the last time, numbered from 1. The reading is done on a thread that nobody waits for."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[_Line | _End] = asyncio.Queue()

    def tell(what: _Line | _End) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody asks any more
            loop.call_soon_threadsafe(queue.put_nowait, what)

    threading.Thread(target=_read, args=(lines, tell), name="route lines", daemon=True).start()
    end: _End | None = None
    while end is None:
        taken = [await queue.get()]
        while len(taken) < AT_ONCE and not queue.empty():
            taken.append(queue.get_nowait())
        if some := [one for one in taken if not isinstance(one, _End)]:
            yield some
        end = taken[-1] if isinstance(taken[-1], _End) else None
    if end.error is not None:
        raise end.error


def _read(lines: Iterable[str], tell: Callable[[_Line | _End], None]) -> None:
    number = 0
    try:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                tell((number, line))
    except (OSError, ValueError):
        tell(_End(UnreadableError(_not_a_line(number + 1))))
    else:
        tell(_End())


def _asked(number: int, line: str) -> tuple[str, Language]:
    text, language = _said(number, line)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), language


def _said(number: int, line: str) -> tuple[str, Language]:
    line = line.strip().removeprefix("\ufeff")
    try:
        said = json.loads(line)
    except ValueError:
        if line.startswith("{"):
            raise UnreadableError(_not_a_line(number)) from None
        return line, language_of(None, line)
    if not isinstance(said, dict):
        text = said if isinstance(said, str) else line
        return text, language_of(None, text)
    if not isinstance(said.get("text"), str):
        raise UnreadableError(_not_a_line(number))
    return said["text"], language_of(said.get("language"), said["text"])


def _not_a_line(number: int) -> Text:
    return _("Line {number} is not JSON with a text. The lines before it were answered; mend it and try again.", number=number)


def _row(text: str, decision: Decision) -> Row:
    return {
        "text": text,
        "skill": decision.skill,
        "score": round(decision.score, 4),
        "runner_up": decision.runner_up,
        "runner_up_score": round(decision.runner_up_score, 4),
        "action": decision.action,
    }
