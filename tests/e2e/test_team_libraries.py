"""Everyday questions about libraries that no training has seen, by the models that come with the install."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.team_libraries import KINDS, LATER, LEGS, TRAINED, UNSEEN, cases_of, measured, ranking, ranks

LIBRARIES = sorted([*TRAINED.iterdir(), *LATER.iterdir(), *UNSEEN.iterdir()])


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


async def test_where_the_right_document_ranks_is_counted_leg_by_leg() -> None:
    cinema = next(folder for folder in LIBRARIES if folder.name == "cinema")
    counted = await ranks([cinema])
    asked = sum(bool(case.document) for case in cases_of(cinema))

    for leg in LEGS:
        of = [key for key in counted if key[2] == leg]
        total, first, three = (
            sum(counted[key] for key in of if key[3] == column) for column in ("asked", "first", "among three")
        )
        assert total == asked
        assert asked / 3 < first <= three < asked
    assert ranking(counted).count("\n") == 1 + 4 * len(LEGS)


async def test_korean_is_found_by_meaning_more_often_where_minilm_reads_it() -> None:
    """In the words of a team's questions, which are not the documents'."""
    cinema = [folder for folder in LIBRARIES if folder.name == "cinema"]
    table, read = [await ranks(cinema, f"embed.minilm-ko.{version}") for version in ("v2", "v3")]

    of = "same", "ko", "vectors", "among three"
    assert read[of] > table[of] > 0
