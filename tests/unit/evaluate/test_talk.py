from pathlib import Path

import pytest
from retrieval_fakes import WordEmbedder

from bot.config import Settings
from bot.errors import InputError
from bot.evaluate.talk import evaluate_talk

CHAT = """# a talk
## 2026-11-26
1|||Ann|09:00|the login page is broken
2|||Ben|09:01|who fixes it?
3|||Dan|09:02|I'll do it
"""
QUESTIONS = """who|a|3|Dan|who said they would fix the login page?
none|a|||who said they would paint the elephant?
when|b|1|Ann|when is the zebra?
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "chat.txt").write_text(CHAT)
    (tmp_path / "questions.txt").write_text(QUESTIONS)
    return tmp_path


async def test_the_exchange_the_person_and_what_nobody_said_are_measured(folder: Path) -> None:
    scores = await evaluate_talk(folder, models=WordEmbedder(), settings=Settings(home=folder))
    figures = scores.as_json()
    assert (figures["messages"], figures["questions"], figures["unsaid"]) == (3, 2, 1)
    assert (figures["exchange"], figures["message"], figures["person"], figures["told_nothing"]) == (0.5, 0.5, 1.0, 1.0)
    assert scores.as_json(half="a")["message"] == 1.0
    assert scores.as_json(half="b")["answered"] == 0.0


async def test_a_message_alone_finds_no_answer_by_the_words_of_its_question(folder: Path) -> None:
    scores = await evaluate_talk(folder, models=WordEmbedder(), settings=Settings(home=folder), alone=True)
    assert scores.as_json(half="a")["message"] == 0.0


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("chat.txt", None, "is missing"),
        ("questions.txt", None, "is missing"),
        ("chat.txt", "1|||Ann|09:00|no day", "no day and time"),
        ("chat.txt", "## 2026-11-26\n1|Ann", "6 fields"),
        ("chat.txt", "# nothing", "no message"),
        ("questions.txt", "who|a", "5 fields"),
    ],
)
async def test_a_broken_talk_is_told(folder: Path, file: str, content: str | None, told: str) -> None:
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_text(content)
    with pytest.raises(InputError, match=told):
        await evaluate_talk(folder, models=WordEmbedder(), settings=Settings(home=folder))
