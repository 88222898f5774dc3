"""Passages as a search reads them: one state of the database at a time, on the search's own thread, in no scope but the reader's.

Owns the SQL of a search. Leaves to `bot.retrieval.library` the order of its steps, and to `bot.store.passages` all writing.
SQLite is called directly: a search asks it some eight small questions, and each would cost a change of thread twice.

    with Shelf(path).state() as state:
        ids = state.holders("wiki")
        rows = state.terms_in(ids, state.scope_ids(scopes))
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from bot.errors import StoreError
from bot.locale import Language, phrases
from bot.passage import MESSAGE, Passage, Scope, Scopes

_ = phrases(__file__)

BUSY_TIMEOUT_S = 10.0
READ_AT_ONCE = 4096
MOST_BEGINNING = 1000
"""Terms that are read at most of those that begin alike: of 100,000 passages, 310 with `con`."""
NO_PASSAGE = 0
"""Told as removed where something has changed that no id tells of: what was remembered is to be read again."""


class Origin(NamedTuple):
    """Whose vectors they are: the number of the generation, its embedder (`name@revision`), their dimension."""

    id: int
    embedder: str
    dimension: int


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the database has come; two equal marks mean that no passage came or went between."""

    passage: int
    """The highest id that was ever given."""
    removal: int
    generation: int
    """The live generation, 0 where there is none."""
    embedder: str
    dimension: int

    @property
    def origin(self) -> Origin:
        """Whose vectors the live ones are."""
        return Origin(self.generation, self.embedder, self.dimension)


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Passages that came: n of them, ids ascending."""

    ids: NDArray[np.int64]
    scopes: NDArray[np.int64]
    lengths: NDArray[np.int64]
    vectors: NDArray[np.float32]
    """float32 (n, d); rows of zeros where the generation has no vector of it."""


class Present(NamedTuple):
    """Passages that are there: int64 (n,) ids, ascending, and their scopes."""

    ids: NDArray[np.int64]
    scopes: NDArray[np.int64]


class Candidate(NamedTuple):
    """What ranking needs to know of a passage. `terms` as `bot.store.tables.PassageRow` says."""

    id: int
    document: int
    title: str
    hangul: float
    terms: bytes


Termed = tuple[int, int, bytes]
"""A passage's id, its scope's number, and its terms as `bot.store.tables.PassageRow` says."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage that may be shown, with its terms and sentences as `bot.store.tables.PassageRow` says."""

    passage: Passage
    terms: bytes
    sentences: bytes


class Shelf:
    """A reader of the database, for one thread."""

    def __init__(self, path: Path) -> None:
        """Open the database at `path`, which exists, for reading."""
        self._connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_S, cached_statements=64
        )
        for pragma in ("query_only=ON", "cache_size=-16384"):  # mapped it was no quicker, and resident twice
            self._connection.execute(f"PRAGMA {pragma}")

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def size_bytes(self) -> int:
        """Return how large the database is."""
        (pages,), (size,) = (self._connection.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
        return int(pages * size)

    def vectors(self, generation: int, dimension: int, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return float32 (n, d): what a generation has of passages, rows of zeros for what it lacks; in the state that is open."""
        found = np.zeros((len(ids), dimension), np.float32)
        rows = self._connection.execute(
            f"SELECT passage_id, data FROM vectors WHERE generation_id = ? AND passage_id IN ({_marks(ids)})",  # noqa: S608 - question marks and constants alone
            [generation, *ids.tolist()],
        ).fetchall()
        whole = [row for row in rows if len(row[1]) == 2 * dimension]
        if whole:
            numbers, data = zip(*whole, strict=True)
            order = np.argsort(ids)
            places = order[np.searchsorted(ids, numbers, sorter=order)]
            found[places] = np.frombuffer(b"".join(data), "<f2").reshape(len(data), dimension)
        return found

    @contextmanager
    def state(self) -> Iterator[State]:
        """Give one state of the database, that no writer changes. Raises StoreError where it cannot be read."""
        try:
            self._connection.execute("BEGIN")
            try:
                yield State(self._connection)
            finally:
                self._connection.execute("ROLLBACK")
        except sqlite3.DatabaseError as error:
            raise StoreError(
                _("The search index cannot be read. Nothing was changed; `paring index verify` tells more.")
            ) from error


class State:
    """One state of the database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read from `connection`, which is in a transaction."""
        self._connection = connection

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, in its transaction."""
        return self._connection

    def mark(self) -> Mark:
        """Return how far the database has come."""
        row = self._connection.execute(
            "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'passages'), 0), coalesce((SELECT max(id) FROM removals), 0),"
            " g.id, g.embedder, g.dimension FROM (SELECT 1) LEFT JOIN generations g ON g.state = 'live'"
        ).fetchone()
        return Mark(row[0], row[1], row[2] or 0, row[3] or "", row[4] or 0)

    def origins(self) -> set[Origin]:
        """Return that of every generation there is, live or not."""
        return {Origin(*row) for row in self._connection.execute("SELECT id, embedder, dimension FROM generations")}

    def arrivals(self, mark: Mark, *, after: int, most: int | None = None) -> Iterator[Arrivals]:
        """Yield the passages above `after`, at most so many, some thousand at a time, with their vectors of the mark's generation."""
        rows = self._connection.execute(
            "SELECT p.id, p.scope_id, length(p.terms), v.data FROM passages p"
            " LEFT JOIN vectors v ON v.passage_id = p.id AND v.generation_id = ? WHERE p.id > ? ORDER BY p.id LIMIT ?",
            (mark.generation, after, -1 if most is None else most),
        )
        nothing = bytes(2 * mark.dimension)
        while some := rows.fetchmany(READ_AT_ONCE):
            ids, scopes, lengths, data = zip(*some, strict=True)
            whole = b"".join(vector if vector and len(vector) == len(nothing) else nothing for vector in data)
            vectors = np.frombuffer(whole, "<f2").reshape(len(some), mark.dimension).astype(np.float32)
            yield Arrivals(np.array(ids, np.int64), np.array(scopes, np.int64), np.array(lengths, np.int64) // 4 - 2, vectors)

    def here(self, ids: NDArray[np.int64]) -> Present:
        """Return those of `ids` that are there, ascending."""
        rows = self._connection.execute(
            f"SELECT id, scope_id FROM passages WHERE id IN ({_marks(ids)}) ORDER BY id",  # noqa: S608 - question marks alone
            ids.tolist(),
        ).fetchall()
        numbers, scopes = zip(*rows, strict=True) if rows else ((), ())
        return Present(np.array(numbers, np.int64), np.array(scopes, np.int64))

    def passage_count(self, *, until: int) -> int:
        """Return how many passages there are, up to the one with this id."""
        above = "SELECT count(*) FROM passages WHERE id > ?"  # all are counted in an index; with a bound, in the texts themselves
        return int(self._connection.execute(f"SELECT (SELECT count(*) FROM passages) - ({above})", (until,)).fetchone()[0])  # noqa: S608 - constants alone

    def removed(self, *, after: int) -> list[int]:
        """Return the passages that went since the removal `after`."""
        rows = self._connection.execute("SELECT passage_id FROM removals WHERE id > ?", (after,))
        return [row[0] for row in rows]

    def scope_ids(self, scopes: Scopes) -> list[int]:
        """Return the numbers of those scopes that hold anything."""
        names = [str(scope) for scope in scopes]
        return [row[0] for row in self._connection.execute(f"SELECT id FROM scopes WHERE name IN ({_marks(names)})", names)]  # noqa: S608 - question marks and constants alone

    def document(self, scope: Scope, sha256: str, *, key: str | None = None) -> tuple[int, str, int] | None:
        """Return (number, title, passages) of the document in `scope` with these bytes, and this key where one is given."""
        row = self._connection.execute(
            "SELECT d.id, d.title, (SELECT count(*) FROM passages p WHERE p.document_id = d.id) FROM documents d"
            " JOIN scopes s ON s.id = d.scope_id WHERE s.name = ? AND d.sha256 = ? AND d.key = coalesce(?, d.key) LIMIT 1",
            (str(scope), sha256, key),
        ).fetchone()
        return (row[0], row[1], row[2]) if row else None

    def all_scopes(self) -> int:
        """Return how many scopes there are."""
        return int(self._connection.execute("SELECT count(*) FROM scopes").fetchone()[0])

    def frequencies(self, terms: Sequence[str]) -> dict[str, int]:
        """Return in how many passages each term stands; terms that stand nowhere are left out."""
        rows = self._connection.execute(
            f"SELECT term, doc FROM passage_words_vocabulary WHERE term IN ({_marks(terms)})",  # noqa: S608 - question marks and constants alone
            list(terms),
        )
        return dict(rows)

    def beginning(self, letters: str) -> list[str]:
        """Return the terms that begin with these (Latin, lower case), MOST_BEGINNING at most."""
        sql = "SELECT term FROM passage_words_vocabulary WHERE term >= ? AND term < ? LIMIT ?"
        return [row[0] for row in self._connection.execute(sql, (letters, letters + "{", MOST_BEGINNING))]

    def terms_between(self, first: str, end: str) -> list[str]:
        """Return all terms from `first` to before `end`. Reads the whole word index: 25 ms of 10,000 passages."""
        sql = "SELECT term FROM passage_words_vocabulary WHERE term >= ? AND term < ?"
        return [row[0] for row in self._connection.execute(sql, (first, end))]

    def holders(self, term: str, *, after: int = 0) -> NDArray[np.int64]:
        """Return the ids of the passages above `after` that hold `term`, ascending."""
        # Joined into one text, which numpy reads: a row for each id took four times as long.
        sql = "SELECT group_concat(rowid) FROM passage_words WHERE passage_words MATCH ? AND rowid > ?"
        return _ids(self._connection.execute(sql, (f"{{title heading body}} : {_quoted(term)}", after)).fetchone()[0])

    def readable(self, scope_ids: Sequence[int], *, after: int = 0) -> NDArray[np.int64]:
        """Return the ids of the passages above `after` in the scopes, ascending."""
        sql = f"SELECT group_concat(id) FROM passages WHERE scope_id IN ({_marks(scope_ids)}) AND id > ?"  # noqa: S608 - question marks and constants alone
        return np.sort(_ids(self._connection.execute(sql, (*scope_ids, after)).fetchone()[0]))

    def terms_in(self, ids: NDArray[np.int64], scope_ids: Sequence[int]) -> list[Termed]:
        """Return those of `ids` that are there and in the scopes, with their terms."""
        rows = self._connection.execute(
            "SELECT p.id, p.scope_id, p.terms FROM json_each(?) j CROSS JOIN passages p ON p.id = j.value"  # noqa: S608 - question marks and constants alone
            f" WHERE +p.scope_id IN ({_marks(scope_ids)})",
            (json.dumps(ids.tolist()), *scope_ids),
        )
        return rows.fetchall()

    def candidates(self, ids: Sequence[int], scope_ids: Sequence[int]) -> list[Candidate]:
        """Return what ranking needs of those of `ids` that are there and in the scopes, by id."""
        rows = self._connection.execute(
            "SELECT p.id, p.document_id, d.title, p.hangul, p.terms FROM json_each(?) j CROSS JOIN passages p ON p.id = j.value"  # noqa: S608 - question marks and constants alone
            f" CROSS JOIN documents d ON d.id = p.document_id WHERE +p.scope_id IN ({_marks(scope_ids)})",
            (json.dumps(list(ids)), *scope_ids),
        )
        return sorted(map(Candidate._make, rows))

    def terms_of(self, documents: Collection[int]) -> list[bytes]:
        """Return the terms of the passages of `documents`, as `bot.store.tables.PassageRow` says: for training."""
        numbers = list(documents)
        rows = self._connection.execute(f"SELECT terms FROM passages WHERE document_id IN ({_marks(numbers)})", numbers)  # noqa: S608 - question marks alone
        return [row[0] for row in rows]

    def passages_of(self, documents: Collection[int], scope_ids: Sequence[int], *, most: int) -> list[int]:
        """Return the ids of the first `most` passages of `documents` that are in the scopes, by id."""
        numbers = sorted(documents)
        rows = self._connection.execute(
            f"SELECT id FROM passages WHERE document_id IN ({_marks(numbers)}) AND scope_id IN ({_marks(scope_ids)})"  # noqa: S608 - question marks alone
            " ORDER BY id LIMIT ?",
            [*numbers, *scope_ids, most],
        )
        return [row[0] for row in rows]

    def passages(self, ids: Sequence[int], scopes: Scopes) -> dict[int, Shown]:
        """Return those of `ids` that are there, current and in the scopes: the last look before a text leaves."""
        named = {str(scope): scope for scope in scopes}
        rows = self._connection.execute(
            "SELECT p.id, s.name, d.title, p.heading, p.text, d.link, p.language, p.page, d.id, d.kind, p.terms, p.sentences"  # noqa: S608 - question marks and constants alone
            " FROM passages p JOIN documents d ON d.id = p.document_id AND d.version = p.version AND d.scope_id = p.scope_id"
            f" JOIN scopes s ON s.id = p.scope_id WHERE p.id IN ({_marks(ids)}) AND s.name IN ({_marks(named)})",
            [*ids, *named],
        )
        return {row[0]: Shown(_passage(row[:-2], named[row[1]]), row[-2], row[-1]) for row in rows}

    def counts(self) -> tuple[int, int]:
        """Return how many documents and passages there are."""
        row = self._connection.execute("SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM passages)").fetchone()
        return row[0], row[1]

    def vector_counts(self, generation: int) -> tuple[int, int]:
        """Return how many vectors a generation has, and how many passages have none in it."""
        have = self._connection.execute("SELECT count(*) FROM vectors WHERE generation_id = ?", (generation,)).fetchone()[0]
        lack = self._connection.execute(
            "SELECT count(*) FROM passages p WHERE NOT EXISTS"
            " (SELECT 1 FROM vectors v WHERE v.passage_id = p.id AND v.generation_id = ?)", (generation,)
        ).fetchone()[0]  # fmt: skip
        return have, lack

    def words_without_passage(self) -> int:
        """Return how many entries of the word index belong to no passage, and passages to no entry."""
        row = self._connection.execute(
            "SELECT (SELECT count(*) FROM passage_words WHERE rowid NOT IN (SELECT id FROM passages))"
            " + (SELECT count(*) FROM passages WHERE id NOT IN (SELECT rowid FROM passage_words))"
        ).fetchone()
        return int(row[0])

    def check(self) -> str:
        """Return what SQLite's own check of the file finds first, "" where it finds nothing."""
        said = str(self._connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        return "" if said == "ok" else said


def _passage(row: Sequence[object], scope: Scope) -> Passage:
    number, _name, title, heading, text, link, language, page, document, kind = row
    place = str(link) or f"document:{document}"
    if page is not None and not str(link).startswith(MESSAGE) and kind != "web":
        place += f"#page={page}"
    return Passage(
        cast("int", number), scope, str(title), str(heading), str(text), place,
        cast("Language", language), cast("int | None", page),
    )  # fmt: skip


def _ids(joined: str | None) -> NDArray[np.int64]:
    return np.fromstring(joined, np.int64, sep=",") if joined else np.zeros(0, np.int64)


def _marks(values: Sized) -> str:
    return ", ".join("?" * len(values))


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""') + '"'
