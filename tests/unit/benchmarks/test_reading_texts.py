"""The passages and questions that models that read are taught with: what is in them, and that a wrong one is told."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.reader_questions import Candidate, Case, right_of, without_of, wrong_of
from benchmarks.reading_texts import FOLDER, PUBLIC, Written, asked_of, written_of
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


def test_what_is_written_about_public_passages_names_them_and_holds_no_text_of_theirs() -> None:
    written = {file.stem: written_of(file) for file in sorted(PUBLIC.glob("*.txt"))}

    assert list(written) == ["korquad-open-ko", "msmarco-open-ko", "msmarco-open-ko2en", "squad-open-en"]
    assert all(any(one.sentence < 0 for one in some) and any(one.sentence > 0 for one in some) for some in written.values())
    assert all(len({(one.passage, one.question) for one in some}) == len(some) for some in written.values())


def test_a_line_about_a_public_passage_says_which_sentence_answers(tmp_path: Path) -> None:
    (tmp_path / "set.txt").write_text("d1|2|who paid for it\nd1|-|얼마였어요?\n")

    assert written_of(tmp_path / "set.txt") == [Written("d1", 2, "who paid for it"), Written("d1", -1, "얼마였어요?")]


@pytest.mark.parametrize("line", ["d1|who", "d1|x|who", "|1|who", "d1|1|", "d1|1|who|what"])
def test_a_line_of_another_form_is_told_with_its_number(tmp_path: Path, line: str) -> None:
    (tmp_path / "set.txt").write_text(f"d1|0|who\n{line}\n")

    with pytest.raises(ValueError, match=r"set\.txt, line 2"):
        written_of(tmp_path / "set.txt")


def test_a_passage_is_learnt_as_it_is_and_less_the_sentence_that_answers() -> None:
    text = "It is a hall. It opens at nine. It is warm."
    case = asked("nine", Candidate("Other", "No.", right=False), Candidate("Hall", text, right=True))

    right, wrong, without = right_of(case), wrong_of(case, 1), without_of(case)

    assert right is not None
    assert (right.right, right.sentence, right.asked.text) == (True, 1, text)
    assert wrong is not None
    assert (wrong.right, wrong.sentence, wrong.asked.text) == (False, -1, "No.")
    assert without is not None
    assert (without.right, without.asked.title) == (False, "Hall")
    assert [without.asked.text[start:end].strip() for start, end in without.asked.sentences] == ["It is a hall.", "It is warm."]
    assert wrong_of(case, 2) is None


def test_a_passage_whose_answer_stands_twice_or_is_not_known_is_never_learnt_without() -> None:
    twice = Candidate("Hall", "It opens at nine. It is warm. Doors: nine.", right=True)

    assert without_of(asked("nine", twice)) is None
    assert without_of(asked("", twice)) is None
    assert without_of(asked("nine")) is None


def asked(answer: str, *found: Candidate) -> Case:
    """Return a question for which that was found."""
    return Case(library="hall", question="when?", answer=answer, there=True, taught=True, found=found)
