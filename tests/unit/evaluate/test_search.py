import json
from pathlib import Path

import pytest
from retrieval_fakes import WordEmbedder

from bot.config import Settings
from bot.errors import InputError
from bot.evaluate import search
from bot.evaluate.search import Collection, evaluate_search, ndcg, recall, reciprocal_rank


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    documents = {"d1": "the elephant is grey", "d2": "the zebra is striped", "d3": "lions sleep all day"}
    lines = [json.dumps({"_id": number, "title": "", "text": said}) for number, said in documents.items()]
    (tmp_path / "corpus.jsonl").write_text("\n".join(lines))
    queries = [
        {"_id": "q1", "text": "grey elephant"},
        {"_id": "q2", "text": "striped zebra"},
        {"_id": "q3", "text": "not judged"},
    ]
    (tmp_path / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td2\t1\nq3\td1\t0\n")
    return tmp_path


@pytest.mark.parametrize("leg", ["fused", "vectors", "words"])
async def test_each_leg_is_measured(collection: Path, leg: str) -> None:
    told: list[str] = []
    models = WordEmbedder()
    found = await evaluate_search(
        collection, leg, models=models, settings=Settings(home=collection), report=lambda now, _d, _t: told.append(str(now))
    )
    figures = found.as_json()
    assert figures["leg"] == leg
    assert (figures["queries"], figures["passages"]) == (2, 3)
    assert figures["ndcg@10"] == figures["mrr@10"] == figures["recall@10"] == figures["recall@100"] == 1
    assert 0 < figures["p50_ms"] <= figures["p95_ms"]
    assert {"reading", "asking"} <= set(told)


async def test_it_is_asked_deeper_where_passages_are_of_few_documents(collection: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "PASSAGES", 1)
    with (collection / "qrels.tsv").open("a") as judgements:
        judgements.write("q1\td2\t1\nq1\td3\t1\n")
    found = await evaluate_search(collection, "vectors", models=WordEmbedder(), settings=Settings(home=collection))
    assert found.recall_at_100 == 1


async def test_an_unknown_leg_is_told(collection: Path) -> None:
    with pytest.raises(InputError, match="no leg"):
        await evaluate_search(collection, "both", models=WordEmbedder(), settings=Settings(home=collection))


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("corpus.jsonl", None, "is missing"),
        ("qrels.tsv", None, "is missing"),
        ("queries.jsonl", '{"text": "x"}', "no JSON object with _id"),
        ("corpus.jsonl", "{", "not JSON lines"),
        ("qrels.tsv", "a b c\nx", "is not query-id"),
        ("qrels.tsv", "query-id\tcorpus-id\tscore\n", "no query has a relevant document"),
    ],
)
def test_a_broken_collection_is_told(collection: Path, file: str, content: str | None, told: str) -> None:
    (collection / file).unlink()
    if content is not None:
        (collection / file).write_text(content)
    with pytest.raises(InputError, match=told):
        Collection.load(collection)


def test_judgements_are_found_in_the_folder_of_beirs_own_archives(collection: Path) -> None:
    (collection / "qrels").mkdir()
    (collection / "qrels.tsv").rename(collection / "qrels" / "test.tsv")
    assert Collection.load(collection).gains == {"q1": {"d1": 2}, "q2": {"d2": 1}}


def test_the_only_file_of_that_folder_is_taken_whatever_it_is_called(collection: Path) -> None:
    (collection / "qrels").mkdir()
    (collection / "qrels.tsv").rename(collection / "qrels" / "dev.tsv")
    assert Collection.load(collection).gains == {"q1": {"d1": 2}, "q2": {"d2": 1}}


@pytest.mark.parametrize(
    "qrels",
    [
        "q1\td1\t2\nq2\td2\t1\n",
        "q1 0 d1 2\nq2 0 d2 1\n",
        "q1\td1\t2.0\n\nq2\td2\t1\n",
        "\ufeffquery-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td2\t1",
    ],
    ids=["no header", "TREC", "fractions and an empty line", "a byte-order mark"],
)
def test_judgements_are_read_however_they_are_written(collection: Path, qrels: str) -> None:
    (collection / "qrels.tsv").write_text(qrels, encoding="utf-8")
    assert Collection.load(collection).gains == {"q1": {"d1": 2}, "q2": {"d2": 1}}


def test_ids_may_be_called_id_and_be_numbers_and_titles_may_be_missing(collection: Path) -> None:
    (collection / "corpus.jsonl").write_text('{"id": 1, "text": "grey"}\n{"id": 2, "title": null, "text": "blue"}\n')
    (collection / "queries.jsonl").write_text('{"id": 7, "text": "grey"}\n{"id": 8}\n')
    (collection / "qrels.tsv").write_text("7\t1\t1\n8\t2\t1\n")
    loaded = Collection.load(collection)
    assert loaded.documents == (("1", "", "grey"), ("2", "", "blue"))
    assert loaded.queries == (("7", "grey"),)


def test_ndcg_has_linear_gains() -> None:
    # gained is 1 at the first place and 3 at the second, where it should be the other way round
    assert ndcg(["b", "a", "x"], {"a": 3, "b": 1}) == pytest.approx((1 + 3 / 1.584962500721156) / (3 + 1 / 1.584962500721156))
    assert ndcg([], {"a": 1}) == 0


def test_recall_and_reciprocal_rank() -> None:
    assert recall(["x", "a", "b"], {"a": 1, "c": 1}, depth=2) == 0.5
    assert reciprocal_rank(["x", "a"], {"a": 1}) == 0.5
    assert reciprocal_rank(["x"] * 10 + ["a"], {"a": 1}) == 0
