"""Everyday questions about libraries that no training has seen, by the models that come with the install."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.team_libraries import KINDS, TRAINED, UNSEEN, cases_of, measured

LIBRARIES = sorted([*TRAINED.iterdir(), *UNSEEN.iterdir()])


@pytest.mark.parametrize("folder", LIBRARIES, ids=lambda folder: folder.name)
def test_every_question_is_answered_by_what_stands_in_its_document(folder: Path) -> None:
    cases = cases_of(folder)
    assert {case.kind for case in cases} == set(KINDS)
    for case in cases:
        assert bool(case.document) == bool(case.answer) == (case.kind != "none")
        if case.document:
            assert case.answer in (folder / "documents" / case.document).read_text(encoding="utf-8")


async def test_of_what_no_training_has_seen_a_good_part_is_answered_and_most_of_what_is_not_there_is_told_nothing() -> None:
    counted: Counter[tuple[str, str, str]] = (await measured(sorted(UNSEEN.iterdir())))["all"]

    def share(column: str, *kinds: str) -> float:
        asked = sum(counted[kind, language, "asked"] for kind in kinds for language in ("ko", "en"))
        return sum(counted[kind, language, column] for kind in kinds for language in ("ko", "en")) / asked

    assert share("right document", "same") > 0.4
    assert share("right document", "cross") > 0.35
    assert share("answered", "none") < 0.4
