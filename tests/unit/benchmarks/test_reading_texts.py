"""The passages and questions that models that read are taught with: what is in them, and that a wrong one is told."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.reading_texts import FOLDER, asked_of
from bot.models.gates.golden import has_hangul

PASSAGE = "# Leave > Carry-over\nUp to five days go over into March.\n"


def test_half_of_the_passages_are_korean_and_every_answer_stands_in_its_own() -> None:
    asked = asked_of(FOLDER)
    passages = {(one.subject, one.text) for one in asked}
    kinds = Counter((bool(one.answer), has_hangul(one.question) == has_hangul(one.text)) for one in asked)

    assert len({one.subject for one in asked}) == 48
    assert (len(passages), sum(has_hangul(text) for _subject, text in passages)) == (1440, 720)
    assert kinds[True, True] == 4 * 1440
    assert kinds[False, True] == 3 * 1440
    assert all(one.answer in one.text for one in asked)


def test_a_line_is_read_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "work.txt").write_text(f"{PASSAGE}? how many days can I keep|five days\ny 며칠까지 팔 수 있어요?\n")

    kept, sold = asked_of(tmp_path)

    assert (kept.title, kept.text, kept.answer) == ("Leave > Carry-over", "Up to five days go over into March.", "five days")
    assert (sold.question, sold.answer) == ("며칠까지 팔 수 있어요?", "")


@pytest.mark.parametrize("line", ["? how many|six days", "? how many days", "x 며칠|"])
def test_an_answer_that_its_passage_lacks_is_told_with_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "work.txt").write_text(f"{PASSAGE}{line}\n")

    with pytest.raises(ValueError, match=r"work\.txt, line 3"):
        asked_of(tmp_path)
