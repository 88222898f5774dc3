import json
from pathlib import Path

import pytest

from benchmarks import marked
from benchmarks.marked import SENTENCES, answers_of, holds, sentences_of


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


def test_the_sentences_that_hold_an_answer_are_those_that_a_reader_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"_id": "d1", "title": "Hall", "text": "It is a hall. It opens at nine. Doors: nine."}]
    (tmp_path / "hall").mkdir()
    (tmp_path / "hall" / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "hall" / "queries.jsonl").write_text("\n".join(json.dumps({"_id": one, "text": "when?"}) for one in "ab"))
    (tmp_path / "hall" / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\na\td1\t1\nb\td1\t1\n")
    monkeypatch.setattr(marked, "SENTENCES", tmp_path)
    (tmp_path / "hall.txt").write_text("a|d1|1,2\nb|d1|-\n")

    assert {query: [one.strip() for one in some] for query, some in sentences_of(tmp_path / "hall").items()} == {
        "a": ["It opens at nine.", "Doors: nine."]
    }
    assert sentences_of(tmp_path / "other") == {}


def test_what_was_marked_names_passages_and_holds_no_text_of_theirs() -> None:
    lines = [line.split("|") for file in SENTENCES.glob("*.txt") for line in file.read_text(encoding="utf-8").splitlines()]

    assert len(lines) > 1000
    assert all(len(line) == 3 and line[2].replace(",", "").replace("-", "0").isdecimal() for line in lines)
