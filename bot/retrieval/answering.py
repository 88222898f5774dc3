"""Which message of an exchange answers: the one that says what is asked for, though the words asked for stand in another.

Owns the choice. A question passes what it holds of the words on to the message that answers it, a trouble to the one that takes it
on; a question itself answers nothing, but for who asked it.

    lines = [Heard("Ann", "who fixes the login?", own=1.0), Heard("Ben", "I'll do it", own=0.0)]
    choose(lines, asked)     # Choice(best=1, score=1.2, unanswered=False)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from bot import lazy
from bot.retrieval.cues import kinds
from bot.retrieval.spoken import Asked, is_question

ASKS, HOLDS, COMMITS, SPEAKS, IN_TIME = 0.6, 0.25, 0.4, 0.7, 0.2
"""What it counts that a message asks (against it), holds what is asked for, takes it on, is by the named person, is of the day named."""
ASKED_ABOUT = 0.3
"""What it counts for a question where it is asked who asked."""
NO_DEED = 0.5
"""What its own words count for where it is asked who does it and the message only tells of it, or why and it gives no reason."""
ANSWERS, GOES_ON, TAKES_ON = 0.9, 0.8, 0.7
"""What is passed on: from a question to its answer, from a message to a question about it, from a trouble to who takes it on."""
FAR = 0.8
"""What is left of that by each message between."""
_PLEDGES = lazy.compile(
    r"\b(?:i'?ll|i will|i can|i could|i take|i fix|i do|i watch|i ask|i write|let me|on it|will do|leave it to me|that is mine|that's mine"
    r"|my turn|i volunteer|count on me)\b"
    r"|(?:제가|저는|저희가|내가|저예요|저요|접니다)|겠습니다|맡을|해\s?(?:놓|두)|나예요|나야",
    re.IGNORECASE,
)
_WILL = lazy.compile(r"([가-힣])[게께](?:요|용|여)?(?![가-힣])")
_DEED = lazy.compile(
    r"\b(?:would|will|going to)\b|겠다고|기로|(?:준|한|친|온|간|본|든|쓴|운|인|진)다고|(?:할|줄|칠|볼|올|갈)\s?(?:거|것)라고",
    re.IGNORECASE,
)
_WHY = lazy.compile(r"\bwhy\b|왜|이유|어째서", re.IGNORECASE)
_FINAL_L = 8
"""The place of ㄹ among what a syllable may end with."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of an exchange: who, when, what, and the share (0..1) of the words asked for that it holds itself."""

    who: str
    text: str
    own: float
    at: datetime
    key: str = ""
    answers: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which message answers, how well (about 0..2), and whether it is a question that nobody answered."""

    best: int
    score: float
    unanswered: bool


def choose(lines: Sequence[Heard], asked: Asked, *, speakers: Collection[str] = ()) -> Choice:
    """Return which of `lines` (oldest first) answers what is `asked`; `speakers` are those whose words are asked for."""
    texts = [line.text for line in lines]
    own = np.array([line.own for line in lines])
    asks = np.array([is_question(text) for text in texts], bool)
    spoke = SPEAKS * np.array([line.who in speakers for line in lines])
    if asked.question:
        scores = own + ASKED_ABOUT * asks + spoke
        best = int(np.argmax(scores))
        return Choice(best, float(scores[best]), unanswered=False)
    commits = np.array([pledges(text) for text in texts], bool)
    deed = asked.kind == "who" and (not asked.saying or bool(_DEED.search(asked.about)))
    holds = kinds(asked.about, texts)
    short = ~commits if deed else (holds == 0) if _WHY.search(asked.about) else np.zeros(len(lines), bool)
    scores = own * np.where(short, NO_DEED, 1.0) - ASKS * asks + spoke
    scores += (0.0 if asked.kind == "who" else HOLDS) * holds + COMMITS * deed * commits + _in_time(lines, asked)
    passed = _passed_on(lines, own, asks, commits if deed else np.zeros(len(lines), bool), why=bool(_WHY.search(asked.about)))
    scores = np.maximum(scores, scores - own * np.where(short, NO_DEED, 1.0) + passed)
    best = int(np.argmax(scores))
    return Choice(best, float(scores[best]), bool(asks[best]))


def pledges(text: str) -> bool:
    """Say whether who says `text` does it, or will."""
    if _PLEDGES.search(text):
        return True
    return any((ord(found[1]) - 0xAC00) % 28 == _FINAL_L for found in _WILL.finditer(text))


def _in_time(lines: Sequence[Heard], asked: Asked) -> NDArray[np.float64]:
    if asked.period is None:
        return np.zeros(len(lines))
    begin, end = asked.period
    return IN_TIME * np.array([begin <= line.at < end for line in lines])


def _passed_on(
    lines: Sequence[Heard], own: NDArray[np.float64], asks: NDArray[np.bool_], commits: NDArray[np.bool_], *, why: bool
) -> NDArray[np.float64]:
    """Return float64 (n,): what each message has of the words of the one that it goes on from."""
    whole = own.copy()
    passed = np.zeros(len(lines))
    for after, line in enumerate(lines):
        for before in range(after):
            replied = bool(line.answers) and line.answers == lines[before].key
            if lines[before].who == line.who and not (why and asks[before]) and not replied:
                continue
            share = _share(asks[before], asks[after], takes_on=bool(commits[after]), replied=replied)
            far = 1.0 if replied else FAR ** (after - before - 1)
            passed[after] = max(passed[after], share * far * whole[before])
        whole[after] = max(whole[after], passed[after])
    return passed


def _share(asked: np.bool_, asks: np.bool_, *, takes_on: bool, replied: bool) -> float:
    if asks:
        return 0.0 if asked else GOES_ON
    return ANSWERS if asked or replied else TAKES_ON if takes_on else 0.0
