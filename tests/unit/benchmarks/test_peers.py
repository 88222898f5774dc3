"""How the peers are asked: txtai by vectors alone, or by vectors and words. What they answer is theirs."""

import sys
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import pytest

from benchmarks import peers


class Embeddings:
    """Stands for txtai's."""

    made: ClassVar[list[dict[str, object]]] = []

    def __init__(self, **options: object) -> None:
        self.made.append(options)

    def index(self, _passages: list[str]) -> None: ...

    def save(self, _path: str) -> None: ...

    def load(self, _path: str) -> None: ...

    def search(self, _question: str, _count: int) -> None: ...


@pytest.fixture(autouse=True)
def txtai(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("txtai")
    module.Embeddings = Embeddings  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "txtai", module)
    monkeypatch.setattr(peers, "minilm", lambda: "minilm")
    monkeypatch.setattr(Embeddings, "made", [])


@pytest.mark.parametrize(("peer", "hybrid"), [("txtai", False), ("txtai-hybrid", True)])
def test_txtai_is_asked_by_words_as_well_where_it_is_hybrid(peer: str, hybrid: bool, tmp_path: Path) -> None:
    indexed = peers.PEERS[peer](["a passage"], ["a question"] * 12, tmp_path, "index")
    searched = peers.PEERS[peer]([], ["a question"] * 12, tmp_path, "search")

    assert Embeddings.made == [{"path": "minilm", "content": True, "hybrid": hybrid}] * 2
    assert set(indexed) == {"passages_a_second"}
    assert set(searched) == {"p50_ms", "rss_mb"}
