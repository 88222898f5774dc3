from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from bot.channels.slack_people import AGAIN_S, BELIEVED_S, People, Person
from bot.errors import ChannelError

if TYPE_CHECKING:
    from bot.channels.slack_wire import Wire


class Line:
    """Answers users.info, once it may."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.may = asyncio.Event()
        self.may.set()
        self.asked = 0

    async def call(self, _method: str, **_said: object) -> dict[str, object]:
        self.asked += 1
        await self.may.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"user": answer}


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def people(line: Line, clock: Clock) -> People:
    return People(cast("Wire", line), clock)


async def test_somebody_is_asked_for_once_an_hour() -> None:
    line, clock = Line({"profile": {"display_name": "Ann"}, "locale": "ko-KR"}, {"real_name": "Anna"}), Clock()
    known = people(line, clock)
    assert await known.who("U1") == await known.who("U1") == Person("Ann", "ko-KR")
    assert line.asked == 1
    clock.now += BELIEVED_S
    assert await known.who("U1") == Person("Anna", "")


async def test_who_is_not_told_of_is_nobody_and_is_asked_for_again_later() -> None:
    line, clock = Line(ChannelError("no"), "junk", {"profile": {"display_name": 7, "real_name": "Ben"}}), Clock()
    known = people(line, clock)
    assert await known.who("U2") == Person()
    assert await known.who("U2") == Person()
    assert line.asked == 1
    clock.now += AGAIN_S
    assert await known.who("U2") == Person()


async def test_a_burst_of_messages_does_not_wait_each_for_a_name_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.slack_people.KNOWN_WITHIN_S", 0.01)
    line = Line({"profile": {"display_name": "Ann"}})
    line.may.clear()
    known = people(line, Clock())
    assert [await known.who("U1") for _message in range(20)] == [Person()] * 20
    assert line.asked == 1
    line.may.set()
    while await known.who("U1") == Person():
        await asyncio.sleep(0)
