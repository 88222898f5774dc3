"""How well a chat answers who said what, and when: a talk with its questions, DIR/chat.txt and DIR/questions.txt.

Owns the reading of the two files and the measures. The talk goes message by message into a temporary library, by the same code as
any chat's, and each question is asked as a person would.

    scores = await evaluate_talk(Path("tests/data/talk"), models=pool, settings=settings)
    print(scores.as_json()["person"])

`chat.txt`: days (`## 2026-11-16`), and lines of number | topic | answers | who | time | words. `questions.txt`: lines of kind |
half | numbers of the right exchange, the best first | who | question; kind `none` for what nobody said.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import InputError
from bot.locale import phrases
from bot.passage import MESSAGE, Hit, Scope, Scopes
from bot.retrieval.library import Shelves
from bot.sandbox import Sandbox
from bot.store.database import Database
from bot.talk import Said

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.skill import Models

_ = phrases(__file__)

HERE = Scope("group", "made/up/team")
AFTER = timedelta(hours=1)
"""How long after the last message the questions are asked."""
LINE_FIELDS, QUESTION_FIELDS = 6, 5


@dataclass(frozen=True, slots=True)
class Spoken:
    """One message of the talk."""

    number: str
    said: Said
    text: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question: the messages of the exchange that answers it, the best first (none: nobody said it), and who is to be named."""

    kind: str
    half: str
    right: tuple[str, ...]
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a question found first: its message, those around it, and who said it; empty where nothing was found."""

    wanted: Wanted
    message: str = ""
    around: tuple[str, ...] = ()
    who: str = ""

    @property
    def exchange(self) -> bool:
        """Say whether the right exchange came first."""
        return bool({self.message, *self.around} & set(self.wanted.right))

    @property
    def best(self) -> bool:
        """Say whether a message of the right exchange is the one that is shown as the answer."""
        return self.message in self.wanted.right

    @property
    def person(self) -> bool:
        """Say whether the right person is named."""
        return self.exchange and self.who == self.wanted.who


@dataclass(frozen=True, slots=True)
class TalkScores:
    """What was measured: what each question found first."""

    messages: int
    found: tuple[Found, ...]

    def as_json(self, *, half: str = "") -> dict[str, object]:
        """Return the shares, 0..1: of what was said, answered, and the right exchange, message and person first; of what was not, told so."""
        some = [one for one in self.found if half in ("", one.wanted.half)]
        said = [one for one in some if one.wanted.right]
        unsaid = [one for one in some if not one.wanted.right]
        return {
            "messages": self.messages,
            "questions": len(said),
            "answered": _share([bool(one.message) for one in said]),
            "exchange": _share([one.exchange for one in said]),
            "message": _share([one.best for one in said]),
            "person": _share([one.person for one in said if one.wanted.kind == "who"]),
            "unsaid": len(unsaid),
            "told_nothing": _share([not one.message for one in unsaid]),
        }


async def evaluate_talk(folder: Path, *, models: Models, settings: Settings, alone: bool = False) -> TalkScores:
    """Return what the questions of `folder` find. `alone`: each message as if nothing was said around it, to compare.

    Raises:
        InputError: a file is missing, or not as it should be.
    """
    talk, questions = await asyncio.to_thread(lambda: (_talk(folder), _questions(folder)))
    asked_at = talk[-1].said.at + AFTER
    with tempfile.TemporaryDirectory(prefix="paring-eval-") as home:
        database = await Database.open(Path(home) / "paring.db")
        sandbox = Sandbox.of(settings.limits)
        library = Shelves(database, models, sandbox, Path(home), settings.limits, now=lambda: asked_at)
        try:
            await library.open()
            for one in talk:
                await _add(library, one, alone=alone)
            scopes = Scopes([HERE])
            found = [_found(wanted, await library.search(wanted.text, scopes, 5)) for wanted in questions]
        finally:
            await library.close()
            await sandbox.close()
            await database.close()
    return TalkScores(len(talk), tuple(found))


async def _add(library: Shelves, one: Spoken, *, alone: bool) -> None:
    title = f"{one.said.who}, {one.said.at:%Y-%m-%d %H:%M}" if alone else one.said.who
    key = f"{MESSAGE}{one.number}"
    said = None if alone else one.said
    await library.add_text(one.text, HERE, title=title, link=f"{MESSAGE}made/up/team/{one.number}", key=key, said=said)


def _found(wanted: Wanted, hits: Sequence[Hit]) -> Found:
    if not hits:
        return Found(wanted)
    first = hits[0]
    who = next((line.who for line in first.lines if line.best), first.passage.title.partition(",")[0])
    return Found(wanted, _number(first.passage.link), tuple(_number(line.link) for line in first.lines), who)


def _number(link: str) -> str:
    return link.rpartition("/")[2]


def _talk(folder: Path) -> list[Spoken]:
    talk: list[Spoken] = []
    day = ""
    for line in _lines(folder / "chat.txt"):
        if line.startswith("## "):
            day = line[3:].strip()
            continue
        number, thread, answers, who, time, text = _cut(line, LINE_FIELDS, folder / "chat.txt")
        try:
            at = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC)
        except ValueError as error:
            raise InputError(
                _("{file}: “{line}” has no day and time. Mend it and try again.", file="chat.txt", line=line)
            ) from error
        talk.append(Spoken(number, Said(who, at, thread, f"{MESSAGE}{answers}" if answers else ""), text))
    if not talk:
        raise InputError(_("{file} holds no message. Write one and try again.", file="chat.txt"))
    return talk


def _questions(folder: Path) -> list[Wanted]:
    found = []
    for line in _lines(folder / "questions.txt"):
        kind, half, right, who, text = _cut(line, QUESTION_FIELDS, folder / "questions.txt")
        found.append(Wanted(kind, half, tuple(number for number in right.split(",") if number), who, text))
    return found


def _lines(file: Path) -> list[str]:
    try:
        whole = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(_("{file} is missing, or is no text. Put it there and try again.", file=file.name)) from error
    return [line for line in whole.splitlines() if line.strip() and (not line.startswith("#") or line.startswith("## "))]


def _cut(line: str, fields: int, file: Path) -> list[str]:
    parts = [part.strip() for part in line.split("|", fields - 1)]
    if len(parts) != fields:
        raise InputError(
            _("{file}: “{line}” has not {count} fields with | between. Mend it and try again.", file=file.name, line=line,
              count=fields)
        )  # fmt: skip
    return parts


def _share(right: Sequence[bool]) -> float:
    return round(sum(right) / len(right), 4) if right else 0.0
