"""txtai's hybrid search over given texts, in a process of its own: for `benchmarks.ranking`.

    python -m benchmarks.txtai_hybrid ASKED.json VECTORS.npy RANKED.json

ASKED.json is {"texts": [...], "questions": [...], "count": 150}, VECTORS.npy float32 (texts + questions, d) in their order; RANKED.json
becomes, of each question, the places of the best texts, best first. All of txtai's defaults but `hybrid=True`; the vectors are given to it,
so that thousands of texts need not be embedded once more by the same model.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def main() -> None:
    """Index, ask, write."""
    asked, vectors, ranked = map(Path, sys.argv[1:])
    given = json.loads(asked.read_text(encoding="utf-8"))
    place = {text: at for at, text in enumerate([*given["texts"], *given["questions"]])}
    rows = np.load(vectors)

    def transform(texts: Sequence[str]) -> np.ndarray:
        return rows[[place[text] for text in texts]]

    from txtai import Embeddings

    embeddings = Embeddings(method="external", transform=transform, hybrid=True)
    embeddings.index(list(enumerate(given["texts"])))
    found = [[int(place) for place, _score in embeddings.search(text, given["count"])] for text in given["questions"]]
    ranked.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
