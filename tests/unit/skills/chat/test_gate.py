"""The gate of the chat models: what an answer must hold and lack, in the language it was asked in."""

from collections.abc import Sequence
from statistics import fmean

import numpy as np
import pytest

from bot.locale import LANGUAGES
from bot.models.tasks import ChatInput, ChatOutput
from skills.chat.gate import ChatGate, golden, is_right

GATE = ChatGate()
CASES = {str(case["id"]): case for case in golden(())}


@pytest.mark.parametrize(
    ("case", "answer", "right"),
    [
        ("en.sum", "12", True),
        ("en.sum", "It is 12.", True),
        ("en.sum", "121", False),
        ("ko.sum", "12예요.", True),
        ("ko.days", "일곱 날이에요", True),
        ("en.days", "27", False),
        ("en.list", "apple\nplum\npear", True),
        ("en.list", "apple, plum, pear", False),
        ("ko.list", "apple\nplum\npear", False),
        ("ko.list", "사과\n배\n귤", True),
        ("en.quoted", "2 BANANA", False),
        ("en.quoted", "Two.", True),
        ("ko.correct", "지우예요", True),
        ("ko.correct", "수아예요, 아니 지우예요", False),
        ("en.capital", "", False),
    ],
)
def test_an_answer_is_right_by_what_it_holds_and_lacks(case: str, answer: str, *, right: bool) -> None:
    assert is_right(answer, CASES[case]) is right


def test_a_model_that_knows_one_answer_in_two_has_half() -> None:
    turn = iter(range(1000))

    def predict(batch: Sequence[ChatInput]) -> list[ChatOutput]:
        return [ChatOutput(" ".join(_words(item)) if next(turn) % 2 else "?", 3) for item in batch]

    scored = GATE.evaluate(predict, lambda _texts: np.zeros((0, 0), np.float32), ())
    assert fmean(one.score for one in scored) == 0.5


def _words(item: ChatInput) -> list[str]:
    by_last = {case["turns"][-1][1]: case for case in golden(())}  # type: ignore[index]
    return list(by_last[item.turns[-1].text].get("contains", []))  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ((("Good morning!", 300), ("좋은 아침이에요!", 500)), None),
        ((("", 0), ("좋은 아침이에요!", 5)), "no answer"),
        ((("Good morning! " * 200, 3), ("좋은 아침이에요!", 5)), "longer answer"),
        ((("Good morning!", 3), ("Good morning!", 5)), "another language"),
        ((("좋은 아침!", 3), ("좋은 아침!", 5)), "another language"),
    ],
)
def test_what_is_no_answer_is_told(answers: tuple[tuple[str, int], ...], said: str | None) -> None:
    fault = GATE.fault(GATE.canaries(), [ChatOutput(*answer) for answer in answers], LANGUAGES)
    assert fault is None if said is None else fault is not None and said in fault.to("en")
