"""The presets and golden cases of the skills whose models an admin brings."""

import json
import re
from pathlib import Path

import pytest

from bot.models.families import FAMILIES, installed
from bot.models.presets import read_presets
from bot.models.spec import ModelSpec

SKILLS = Path(__file__).parents[3] / "skills"
BROUGHT = ("translate", "transcribe", "imagine", "chat")
PRESETS = [spec for skill in BROUGHT for spec in read_presets(SKILLS / skill / "models.yaml").models]


@pytest.mark.parametrize("skill", BROUGHT)
def test_each_skill_knows_three_models_and_starts_with_none(skill: str) -> None:
    presets = read_presets(SKILLS / skill / "models.yaml")
    assert presets.defaults == ()
    assert len(presets.models) >= 3
    assert {spec.slot for spec in presets.models} == {skill}


@pytest.mark.parametrize("spec", PRESETS, ids=lambda spec: spec.name)
def test_a_preset_has_a_licence_languages_a_use_and_a_runtime(spec: ModelSpec) -> None:
    assert spec.family in installed(FAMILIES)
    assert spec.licence
    assert spec.languages
    assert spec.good_for
    assert re.fullmatch(rf"{spec.slot}\.[a-z0-9.-]+\.v\d+", spec.name)
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", spec.location)


@pytest.mark.parametrize("spec", [spec for spec in PRESETS if spec.revision], ids=lambda spec: spec.name)
def test_a_pinned_revision_names_the_place_where_it_was_seen(spec: ModelSpec) -> None:
    assert re.fullmatch(r"[0-9a-f]{40}", spec.revision)
    assert spec.revision in spec.seen_at
    assert spec.location in spec.seen_at


def test_what_is_not_pinned_claims_no_place() -> None:
    assert [spec.name for spec in PRESETS if not spec.revision and (spec.seen_at or spec.files or spec.ram_mb)] == []


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
