"""The measure of summaries: known scores, both languages, both baselines."""

import json
from pathlib import Path

import pytest

from bot.errors import InputError
from bot.evaluate.summarise import Case, evaluate_summaries, read_cases, rouge
from bot.models.tasks import Summary, SummaryInput
from bot.testing import FakeModels

EN = "The dam broke at noon. Boats left the harbour. People slept in the school. Nobody was hurt in the town."
KO = "댐이 정오에 무너졌다. 배가 항구를 떠났다. 사람들은 학교에서 잤다. 다친 사람은 없었다."


def _write(folder: Path, *records: object) -> Path:
    file = folder / "set.jsonl"
    file.write_text("\n".join(json.dumps(record) for record in records), encoding="utf-8")
    return file


def test_a_perfect_summary_has_a_hundred_and_a_foreign_one_none() -> None:
    case = Case("1", EN, ("The dam broke.",))
    assert rouge([Summary("The dam broke.")], [case]).rouge1 == 100
    assert rouge([Summary("Zebras!")], [case]).rouge1 == 0


def test_english_is_stemmed_and_korean_compared_by_morphemes() -> None:
    assert rouge([Summary("dams breaking")], [Case("1", EN, ("dam breaks",))]).rouge2 == 100
    assert rouge([Summary("댐은 무너졌습니다")], [Case("1", KO, ("댐이 무너졌다",))]).rougeL == 100


def test_the_best_of_several_references_counts() -> None:
    assert rouge([Summary("The dam broke.")], [Case("1", EN, ("Something else.", "The dam broke."))]).rouge1 == 100


async def test_the_live_model_stands_beside_lead_and_lexrank(tmp_path: Path) -> None:
    file = _write(
        tmp_path,
        {"id": "a", "text": EN, "summaries": ["Nobody was hurt in the town."]},
        {"id": "b", "text": KO, "summary": "댐이 무너졌다."},
    )
    seen: list[tuple[str, int, int]] = []

    def last(item: SummaryInput) -> Summary:
        return Summary(item.sentences[-1])

    result = await evaluate_summaries(file, FakeModels({"summarise": last}), report=lambda *told: seen.append(told))
    told = result.as_json()
    assert (told["n"], told["model"], told["length"]) == (2, "fake-summarise@0", "short")
    assert told["rouge1"] == 50
    assert isinstance(told["lead"], dict)
    assert told["lead"]["rouge1"] > 0
    assert isinstance(told["lexrank"], dict)
    assert set(told["lexrank"]) == {"rouge1", "rouge2", "rougeL"}
    assert seen[-1][1:] == (2, 2)


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"text": 1}', '{"text": "a"}', '{"text": "a", "summaries": []}', '{"text": "a", "summaries": [1]}', ""]
)
def test_a_wrong_line_is_told(tmp_path: Path, line: str) -> None:
    file = tmp_path / "set.jsonl"
    file.write_text(line, encoding="utf-8")
    with pytest.raises(InputError, match=r"set\.jsonl"):
        read_cases(file)
