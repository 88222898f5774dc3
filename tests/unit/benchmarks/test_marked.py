import json
from pathlib import Path

import pytest

from benchmarks.marked import answers_of, holds


def test_answers_are_read_where_queries_tell_them(tmp_path: Path) -> None:
    rows = [{"_id": "1", "text": "when", "answers": ["1989년 2월"]}, {"_id": "2", "text": "who"}]
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert answers_of(tmp_path) == {"1": ["1989년 2월"]}


@pytest.mark.parametrize(
    ("sentence", "answers", "held"),
    [
        ("It opened in May 2019.", ["may, 2019", "2020"], True),
        ("It opened in May.", ["2019"], False),
        ("1989년2월 15일에 열렸다.", ["1989년 2월"], True),
        ("It opened.", ["", "..."], False),
    ],
)
def test_a_sentence_holds_an_answer_however_it_is_written(sentence: str, answers: list[str], held: bool) -> None:
    assert holds(sentence, answers) is held
