import asyncio

import pytest

from bot.learning import ENOUGH, Learner


class School:
    """Counts the lessons; `lesson` is set at the end of each."""

    def __init__(self) -> None:
        self.lessons = 0
        self.lesson = asyncio.Event()
        self.learner = Learner(self.learn)

    async def learn(self) -> None:
        self.lessons += 1
        self.lesson.set()

    async def learnt(self) -> int:
        await self.lesson.wait()
        self.lesson.clear()
        return self.lessons


async def test_it_learns_at_the_start_and_after_enough_new_labels_and_not_before() -> None:
    school = School()
    running = asyncio.create_task(school.learner.run())
    assert await school.learnt() == 1
    for _label in range(ENOUGH - 1):
        school.learner.notice()
    for _turn in range(10):
        await asyncio.sleep(0)
    assert school.lessons == 1
    school.learner.notice()
    assert await school.learnt() == 2
    running.cancel()


async def test_fewer_are_learnt_when_no_more_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.learning.QUIET_S", 0.0)
    school = School()
    running = asyncio.create_task(school.learner.run())
    assert await school.learnt() == 1
    school.learner.notice()
    assert await school.learnt() == 2
    running.cancel()


async def test_labels_that_come_during_a_lesson_count_for_the_next() -> None:
    school = School()

    async def busy() -> None:
        if not school.lessons:
            for _label in range(ENOUGH):
                school.learner.notice()
        await school.learn()

    school.learner = Learner(busy)
    running = asyncio.create_task(school.learner.run())
    while await school.learnt() < 2:
        pass
    running.cancel()
