"""The last few answers."""

import asyncio

import pytest

from bot.models.lately import Lately


class Model:
    """Counts how often each question was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, question: str) -> list[str]:
        self.asked.append(question)
        if question == "?":
            raise ValueError(question)
        return [question.upper()]


async def test_the_same_question_is_asked_once() -> None:
    lately, model = Lately(most=2), Model()
    for _again in range(3):
        assert await lately.answer("a", lambda: model("a")) == ["A"]
    assert model.asked == ["a"]


async def test_what_was_asked_longest_ago_is_forgotten() -> None:
    lately, model = Lately(most=2), Model()
    for question in "abacab":
        await lately.answer(question, lambda: model(question))  # noqa: B023 - awaited at once
    assert model.asked == ["a", "b", "c", "b"]


async def test_an_error_is_not_kept() -> None:
    lately, model = Lately(most=2), Model()
    for _again in range(2):
        with pytest.raises(ValueError, match=r"\?"):
            await lately.answer("?", lambda: model("?"))
    assert model.asked == ["?", "?"]


class Slow(Model):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def __call__(self, question: str) -> list[str]:
        answer = await super().__call__(question)
        await self.go.wait()
        return answer


async def test_what_is_under_way_is_waited_for_and_not_asked_again() -> None:
    lately, model = Lately(most=2), Slow()
    first, second = (asyncio.create_task(lately.answer("a", lambda: model("a"))) for _time in range(2))
    await asyncio.sleep(0)
    model.go.set()
    assert await asyncio.gather(first, second) == [["A"], ["A"]]
    assert model.asked == ["a"]


async def test_who_waits_for_what_is_given_up_asks_for_himself() -> None:
    lately, model = Lately(most=2), Slow()
    first, second, third = (asyncio.create_task(lately.answer("a", lambda: model("a"))) for _time in range(3))
    await asyncio.sleep(0)
    first.cancel()
    model.go.set()
    assert await asyncio.gather(second, third) == [["A"], ["A"]]
    assert model.asked == ["a", "a"]
