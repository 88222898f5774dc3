"""Databases of any size out of real texts, as the bot keeps them: text, terms and word index; no vectors.

    nice -n 19 python -m benchmarks.made_library --data DIR --passages 10000 100000 1000000 --into FOLDER

DIR holds `retrieval/NAME/corpus.jsonl`. Half of the passages are Korean. Each joins a few neighbouring sentences of one passage of
the sets with a few of another passage of the same set, or is a paragraph of the docstrings of installed packages; which, is drawn
by a seeded generator. So words are as common as in real texts, and the rarest are commoner: harder for a word index, not easier. The
rows are written in bulk, into the product's own tables with its own terms. One document in ten thousand is in one chat, one in a
hundred in each of FIFTY groups, the rest is public.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import sqlite3
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corpus import paragraphs
from bot.language import detect
from bot.passage import PUBLIC, Scope
from bot.retrieval.tokens import fingerprints
from bot.store.database import Database
from bot.text.sentences import split
from bot.text.words import terms

SEED = 11
PER_DOCUMENT = 10
AT_ONCE = 5000
FIFTY = 50
CHAT = Scope("dm", "console/local/bench")
GROUPS = tuple(Scope("group", f"console/local/{number}") for number in range(FIFTY))
DOCSTRINGS = 0.3
"""Share of the English passages that are paragraphs of docstrings."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence with what is kept of it."""

    text: str
    words: str
    marks: bytes
    count: int


@dataclass(frozen=True, slots=True)
class Source:
    """A passage of a set, as sentences."""

    title: str
    titled: Sequence[str]
    sentences: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Texts:
    """What passages are made of."""

    korean: Sequence[Sequence[Source]]
    english: Sequence[Sequence[Source]]
    prose: Sequence[Source]

    @classmethod
    def of(cls, data: Path) -> Texts:
        """Return the sets in `data` and the docstrings of the installed packages."""
        sets = [loaded(file) for file in sorted((data / "retrieval").glob("*/corpus.jsonl"))]
        korean = [one for one in sets if _is_korean(one)]
        english = [one for one in sets if not _is_korean(one)]
        return cls(korean, english, [Source("", (), (_said(text),)) for text in dict.fromkeys(paragraphs())])

    def passages(self, chance: random.Random) -> Iterator[tuple[Source, tuple[Said, ...]]]:
        """Yield (where the title is from, sentences) for ever, Korean and English by turns."""
        while True:
            yield _joined(chance.choices(self.korean, [len(one) for one in self.korean])[0], chance)
            if self.prose and chance.random() < DOCSTRINGS:
                one = chance.choice(self.prose)
                yield one, one.sentences
            else:
                yield _joined(chance.choices(self.english, [len(one) for one in self.english])[0], chance)


def main() -> None:
    """Make the databases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--passages", type=int, nargs="+", required=True)
    parser.add_argument("--into", type=Path, required=True)
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    texts = Texts.of(options.data)
    for count in options.passages:
        begun = time.perf_counter()
        file = options.into / f"{count}.db"
        file.unlink(missing_ok=True)
        asyncio.run(_made(file))
        fill(file, texts, count)
        print(f"{file}: {time.perf_counter() - begun:.0f} s, {file.stat().st_size / 1e6:.0f} MB", flush=True)


def fill(file: Path, texts: Texts, count: int) -> None:
    """Write `count` passages into the empty database `file`."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    scopes = [CHAT, *GROUPS, PUBLIC]
    connection.executemany("INSERT INTO scopes (id, name) VALUES (?, ?)", [(at, str(one)) for at, one in enumerate(scopes, 1)])
    made = texts.passages(random.Random(SEED))  # noqa: S311 - the same passages on every run
    for first in range(1, count + 1, AT_ONCE):
        some = list(itertools.islice(made, min(AT_ONCE, count + 1 - first)))
        connection.execute("BEGIN")
        _write(connection, some, first)
        connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def loaded(file: Path) -> list[Source]:
    """Return the passages of a set."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    sources = [
        Source(
            row.get("title") or "",
            terms((row.get("title") or "").replace("_", " ")),
            tuple(_said(one.text) for one in split(row["text"])),
        )
        for row in rows
    ]
    return [source for source in sources if source.sentences]


def _is_korean(sources: Sequence[Source]) -> bool:
    return sum(detect(source.sentences[0].text) == "ko" for source in sources) > len(sources) / 2


def _joined(sources: Sequence[Source], chance: random.Random) -> tuple[Source, tuple[Said, ...]]:
    first, other = chance.choice(sources), chance.choice(sources)
    return first, (*_window(first, chance), *_window(other, chance))


def _window(source: Source, chance: random.Random) -> tuple[Said, ...]:
    start = chance.randrange(len(source.sentences))
    return source.sentences[start : start + chance.randint(1, 3)]


def _said(text: str) -> Said:
    own = terms(text)
    return Said(text, " ".join(own), fingerprints(own).astype("<u4").tobytes(), len(own))


def _write(connection: sqlite3.Connection, some: Sequence[tuple[Source, tuple[Said, ...]]], first: int) -> None:
    """Write the passages numbered from `first`, PER_DOCUMENT to a document."""
    documents, rows, words = [], [], []
    for number, (source, sentences) in enumerate(some, start=first):
        place, position = divmod(number - 1, PER_DOCUMENT)
        if not position:
            named = source
            scope = _scope(place)
            documents.append((place + 1, scope, str(place), named.title, str(place)))
        text, table = _laid_out(sentences)
        marks = _packed(named, sentences)
        rows.append((number, place + 1, scope, position, text, detect(text) or "en", float(detect(text) == "ko"), marks, table))
        words.append((number, f"§{scope}", " ".join(named.titled), "", " ".join(one.words for one in sentences)))
    connection.executemany(
        "INSERT INTO documents (id, scope_id, key, title, link, sha256, kind, size_bytes, sender, version, added_at, updated_at)"
        " VALUES (?, ?, ?, ?, '', ?, 'text', 0, '', 1, '2026-01-01', '2026-01-01')",
        documents,
    )
    connection.executemany(
        "INSERT INTO passages (id, document_id, scope_id, version, position, heading, text, starts_at, ends_at, language, hangul,"
        " terms, sentences) VALUES (?, ?, ?, 1, ?, '', ?, 0, 0, ?, ?, ?, ?)",
        rows,
    )
    connection.executemany("INSERT INTO passage_words (rowid, scope, title, heading, body) VALUES (?, ?, ?, ?, ?)", words)


def _scope(place: int) -> int:
    """Return the number of the scope of the document at `place`."""
    if place % (FIFTY * 200) == FIFTY + 1:
        return 1
    return 2 + min(place % (2 * FIFTY), FIFTY)


def _laid_out(sentences: Sequence[Said]) -> tuple[str, bytes]:
    """Return the sentences as one text, and where each stands: as `bot.store.tables.PassageRow.sentences`."""
    table, at = [], 0
    for one in sentences:
        table.append(struct.pack("<iii", at, at + len(one.text), one.count))
        at += len(one.text) + 1
    return " ".join(one.text for one in sentences), b"".join(table)


def _packed(named: Source, sentences: Sequence[Said]) -> bytes:
    """Return the terms as `bot.store.tables.PassageRow.terms`."""
    titled = fingerprints(named.titled).astype("<u4").tobytes()
    return struct.pack("<II", len(named.titled), 0) + titled + b"".join(one.marks for one in sentences)


async def _made(file: Path) -> None:
    """Make an empty database of the newest schema."""
    database = await Database.open(file)
    await database.close()


if __name__ == "__main__":
    main()
