"""A million short texts that people wrote, and their MiniLM vectors, for measuring an index at size.

    python -m benchmarks.scale_texts FOLDER --data DIR [--count 1000000]

Texts: the sentences of the collections in DIR (BEIR folders), then the docstrings and comments of the installed Python packages,
long sentences cut into windows of fourteen words; after these, windows that lie across two of them. Each of the two kinds is in an order
of chance (seeded), so that the first n are a fair sample. FOLDER gets a shard for each 16,384: its texts (a line each) and its vectors,
float16 (n, 384), of the product's own embedder on one thread. Stopped, it goes on where it was. Nothing of it belongs into the repository.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SHARD, AT_ONCE = 16_384, 256
LEAST_WORDS, WINDOW, MOST_WORDS = 6, 14, 20
SEED = 20
CODE = re.compile(r"[<>={}\[\]|\\]{2,}|>>>|^\s*[:.]\w+|\w\(|_\w+_|[-=~#*]{4,}")
DOCSTRING = re.compile(r'"""(.*?)"""', re.DOTALL)
PARAGRAPH = re.compile(r"\n\s*\n|\n\s*[-*:]|\n\s*\w+ ?:")
COMMENTS = re.compile(r"(?:^[ \t]*#.*\n)+", re.MULTILINE)
SENTENCE_END = re.compile(r"(?<=[.!?。])\s+")


def main() -> None:
    """Gather, embed, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="a folder of BEIR folders, or one of them")
    parser.add_argument("--count", type=int, default=1_000_000)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if not list(options.folder.glob("*.txt")):
        texts = gathered(options.data)[: options.count]
        print(f"{len(texts)} distinct texts", flush=True)
        for number, start in enumerate(range(0, len(texts), SHARD)):
            (options.folder / f"{number:04}.txt").write_text("\n".join(texts[start : start + SHARD]), encoding="utf-8")
    embed(options.folder)


def vectors(folder: Path, count: int) -> NDArray[np.float16]:
    """Return the first `count` vectors of `folder`, float16 (n, 384); fewer where there are fewer."""
    found, have = [], 0
    for shard in sorted(folder.glob("*.npy")):
        found.append(np.load(shard))
        have += len(found[-1])
        if have >= count:
            break
    return np.concatenate(found)[:count]


def texts_of(folder: Path, count: int) -> list[str]:
    """Return the first `count` texts of `folder`; fewer where there are fewer."""
    found: list[str] = []
    for shard in sorted(folder.glob("*.txt")):
        found += shard.read_text(encoding="utf-8").split("\n")
        if len(found) >= count:
            break
    return found[:count]


def questions(data: Path, count: int) -> list[str]:
    """Return `count` questions that people wrote, of all collections alike."""
    found = [
        json.loads(line)["text"]
        for file in sorted(data.rglob("queries.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    random.Random(SEED).shuffle(found)  # noqa: S311 - an order, no secret
    return found[:count]


def gathered(data: Path) -> list[str]:
    """Return all distinct texts: those that share no words with another first, then windows that lie across two of them."""
    apart, across = dict[str, None](), dict[str, None]()
    for text in _sources(data):
        words = text.split()
        apart.update(dict.fromkeys(_sentences(words)))
        across.update(dict.fromkeys(_windows(words[WINDOW // 2 :])))
    order = random.Random(SEED)  # noqa: S311 - an order, no secret
    first, then = list(apart), [text for text in across if text not in apart]
    order.shuffle(first)
    order.shuffle(then)
    return first + then


def embed(folder: Path) -> None:
    """Embed what is not embedded yet, a shard at a time; tell the rate."""
    from bot.models.prepare import prepared_minilm
    from bot.models.runtimes.minilm import load
    from bot.models.spec import LoadOptions, ModelSpec

    spec = ModelSpec("embed.minilm.v1", "embed", "minilm", "package")
    model = load(spec, prepared_minilm(Path(tempfile.gettempdir()) / "paring-scale"), LoadOptions(threads=1))
    for texts in sorted(folder.glob("*.txt")):
        shard, part = texts.with_suffix(".npy"), texts.with_suffix(".part")
        if shard.exists():
            continue
        some, begun = texts.read_text(encoding="utf-8").split("\n"), time.perf_counter()
        rows = np.empty((len(some), 384), np.float16)
        order = sorted(range(len(some)), key=lambda place: len(some[place]))
        for start in range(0, len(order), AT_ONCE):
            picked = order[start : start + AT_ONCE]
            rows[picked] = np.stack(model.predict([some[place] for place in picked]))
        with part.open("wb") as file:
            np.save(file, rows)
        part.replace(shard)
        print(f"{shard.name}: {len(some) / (time.perf_counter() - begun):.0f} a second", flush=True)


def _sources(data: Path) -> Iterator[str]:
    for file in sorted(data.rglob("corpus.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)["text"]
    for place in dict.fromkeys([sysconfig.get_path("stdlib"), *(path for path in sys.path if path.endswith("site-packages"))]):
        for file in sorted(Path(place).rglob("*.py")):
            yield from _said_in(file.read_text(encoding="utf-8", errors="ignore"))


def _said_in(code: str) -> Iterator[str]:
    """Yield the paragraphs of a source file's docstrings, and its comments: those of lines that follow each other as one."""
    for docstring in DOCSTRING.findall(code):
        yield from PARAGRAPH.split(docstring)
    for lines in COMMENTS.findall(code):
        yield re.sub(r"^[ \t]*#+:?", "", lines, flags=re.MULTILINE)


def _sentences(words: Sequence[str]) -> Iterator[str]:
    """Yield the sentences of a text, long ones in windows."""
    for sentence in SENTENCE_END.split(" ".join(words)):
        own = sentence.split()
        if LEAST_WORDS <= len(own) <= MOST_WORDS and not CODE.search(sentence):
            yield sentence
        elif len(own) > MOST_WORDS:
            yield from _windows(own)


def _windows(words: Sequence[str]) -> Iterator[str]:
    for start in range(0, len(words) - LEAST_WORDS, WINDOW):
        window = " ".join(words[start : start + WINDOW])
        if not CODE.search(window):
            yield window


if __name__ == "__main__":
    main()
