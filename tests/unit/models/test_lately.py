"""The last few answers."""

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
