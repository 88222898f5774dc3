"""The presets and golden cases of the skills whose models an admin brings."""

import json
from pathlib import Path

import pytest

from bot.models.presets import read_presets

SKILLS = Path(__file__).parents[3] / "skills"
BROUGHT = ("translate", "transcribe", "imagine", "chat")


@pytest.mark.parametrize("skill", BROUGHT)
def test_each_skill_knows_three_models_and_starts_with_none(skill: str) -> None:
    presets = read_presets(SKILLS / skill / "models.yaml")
    assert presets.defaults == ()
    assert len(presets.models) >= 3
    assert {spec.slot for spec in presets.models} == {skill}


def _cases(skill: str) -> list[dict[str, object]]:
    return [
        json.loads(line)
        for file in sorted((SKILLS / skill / "golden").glob("*.jsonl"))
        for line in file.read_text("utf-8").splitlines()
    ]


@pytest.mark.parametrize("skill", BROUGHT)
def test_golden_cases_have_names_of_their_own(skill: str) -> None:
    names = [case["id"] for case in _cases(skill)]
    assert len(names) == len(set(names)) >= 4


def test_golden_translations_go_both_ways_with_references() -> None:
    cases = _cases("translate")
    assert {(case["source"], case["target"]) for case in cases} == {("ko", "en"), ("en", "ko")}
    assert all(case["references"] and case["text"] for case in cases)


def test_golden_conversations_end_with_a_person_and_say_what_is_right() -> None:
    for case in _cases("chat"):
        assert case["turns"][-1][0] == "user"
        assert case.get("contains") or case.get("lines_at_least")
