"""Makes bot/text/lexicon.txt: which words stand for each other, in Korean, in English and across the two.

    python -m benchmarks.parallel_texts FOLDER
    python -m benchmarks.train_lexicon DATA --more FOLDER/pairs.jsonl [--check] [--out FILE]

It is made of three things. Two were written for it: `benchmarks/thesaurus.txt`, a line a concept, words that people say and words that
documents write, "수리, 고치다 = repair, fix"; of a phrase on one side a single word may be the other; and `benchmarks/dictionary.txt`, of
single Korean words with English ones. And of pairs of texts in both languages (those of `benchmarks.train_hangul`) it counts which words
come together: IBM's first model of translation, both ways, in ITERATIONS of expectation and maximisation (Brown et al. 1993, 4.1); a pair
counts by the geometric mean of what the two ways say. `--check` leaves out every fifth passage, sentence and question of DATA, and measures
BM25 alone with Korean questions over English passages of that fifth and all others; with `--out` it writes the list that has not seen them,
for `benchmarks.train_fusion --lexicon`.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.ranking import Held, mean_ndcg
from benchmarks.train_hangul import FOLDS, SETS, Pair, held_out, more_of, pairs_of
from bot.evaluate.search import DEPTH, Collection
from bot.retrieval.features import weigh
from bot.retrieval.lexical import scored
from bot.retrieval.otherwise import otherwise
from bot.text.lexicon import COLUMN, Lexicon
from bot.text.words import is_empty, is_hangul, terms

TARGET = Path(__file__).parents[1] / "bot" / "text" / "lexicon.txt"
THESAURUS = Path(__file__).parent / "thesaurus.txt"
DICTIONARY = Path(__file__).parent / "dictionary.txt"
ITERATIONS = 8
NOTHING = 1e-3
"""What the word that stands for nothing begins with, beside a hundredth of every other."""
UNSURE = 1.0
"""What is added to how often a word was seen: of one that was seen once nothing is sure."""
LONGEST = 70
"""Terms of a text whose words are counted: of a longer one too many come together by chance."""
LEAST_SEEN = 0.5
"""How often two words must have come together, by what the last iteration makes of it."""
LEAST = 0.03
"""What a pair must count. Of .1, .05, .03 and .02 it did best, by the words leg over what was held out (.735, .756, .760, .758)."""
ENDINGS = ("", "다", "하다", "되다")
"""What may follow the terms of an entry that is one Korean word."""
MOST = 5
"""Words of the other language that a word is learnt to stand for."""
MOST_KNOWN = 12
"""Words of the other language that stand for one at all."""

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
Said = tuple[str, ...]
Meanings = Mapping[Said, Sequence[str]]


@dataclass(frozen=True)
class Together:
    """Words of pairs of texts that come together, each pair of words of each pair of texts: int64 (n,) each."""

    pair: Places
    """Which of `pairs`."""
    korean: Places
    """Which of the Korean words of all texts, each counted anew in each text."""
    english: Places
    pairs: Sequence[tuple[str, str]]
    """The pairs of words."""


def main() -> None:
    """Make the list, and write or measure it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--more", type=Path, help="What benchmarks/parallel_texts.py has written.")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--out", type=Path, help="Write the list there instead of into the package.")
    options = parser.parse_args()
    own = [pair for pair in pairs_of(options.data) if not (options.check and pair.source % FOLDS == 0)]
    learnt = learnt_from([*own, *(more_of(options.more) if options.more else [])])
    across, alike = written(THESAURUS.read_text(encoding="utf-8"))
    translated = translations(DICTIONARY.read_text(encoding="utf-8"))
    lines = lines_of(joined(across, learnt, translated), alike)
    if options.out or not options.check:
        (options.out or TARGET).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(json.dumps({"learnt": len(learnt), "written": len(across | alike | translated), "lines": len(lines)}))
    if options.check:
        some = {"nothing": [], "written": lines_of(joined(across, translated), {}), "learnt": lines_of(learnt, {}), "both": lines}
        print(json.dumps(measured(options.data / "retrieval" / SETS[1], {name: Lexicon(one) for name, one in some.items()})))


def learnt_from(pairs: Sequence[Pair]) -> dict[Said, list[str]]:
    """Return words, and those of the other language that they come together with, the likeliest first."""
    together = together_in([(said(pair.korean), said(pair.english)) for pair in pairs])
    korean, english = (numbered([pair[side] for pair in together.pairs]) for side in (0, 1))
    to_english, seen = likely(together, together.english, korean)
    to_korean, seen_again = likely(together, together.korean, english)
    counts = np.sqrt(to_english * to_korean)
    kept = np.flatnonzero((counts >= LEAST) & (np.minimum(seen, seen_again) >= LEAST_SEEN))
    found: dict[Said, list[str]] = {}
    for place in kept[np.argsort(-counts[kept], kind="stable")].tolist():
        one, other = together.pairs[place]
        for word, meant in ((one, other), (other, one)):
            if len(words := found.setdefault((word,), [])) < MOST:
                words.append(meant)
    return found


def numbered(words: Sequence[str]) -> Places:
    """Return a number for each, the same for the same word."""
    number = {word: at for at, word in enumerate(dict.fromkeys(words))}
    return np.array([number[word] for word in words])


def said(text: str) -> list[str]:
    """Return the words of a text that may be counted, each once."""
    return [term for term in dict.fromkeys(terms(text)) if not is_empty(term)]


def together_in(texts: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Together:
    """Return which words come together in pairs of texts: those that stand in two at least, of texts that are not too long."""
    texts = [(korean, english) for korean, english in texts if max(len(korean), len(english)) <= LONGEST]
    often = [Counter(word for pair in texts for word in pair[side]) for side in (0, 1)]
    number: dict[tuple[str, str], int] = {}
    rows: list[tuple[int, int, int]] = []
    starts = [0, 0]
    for korean, english in texts:
        ours = [word for word in korean if often[0][word] > 1 and is_hangul(word)]
        theirs = [word for word in english if often[1][word] > 1 and "a" <= word < "{"]
        for (at, one), (place, other) in product(enumerate(ours, starts[0]), enumerate(theirs, starts[1])):
            rows.append((number.setdefault((one, other), len(number)), at, place))
        starts = [starts[0] + len(ours), starts[1] + len(theirs)]
    pair, korean_at, english_at = np.array(rows, np.int64).reshape(-1, 3).T
    return Together(pair, korean_at, english_at, list(number))


def likely(together: Together, place: Places, given: Places) -> tuple[Numbers, Numbers]:
    """Return how likely each pair's other word is where the `given` one stands, and how often they come together: float64 (pairs,).

    `place` is of which word of its text each is one of the explanations; `given` numbers, by pair, the word that explains.
    """
    chance = np.full(len(together.pairs), 0.01)
    seen = chance
    for _time in range(ITERATIONS):
        now = chance[together.pair]
        now /= np.bincount(place, weights=now)[place] + NOTHING
        seen = np.bincount(together.pair, weights=now, minlength=len(chance))
        chance = seen / (np.bincount(given, weights=seen)[given] + UNSURE)
    return chance, seen


def written(text: str) -> tuple[dict[Said, list[str]], dict[Said, list[str]]]:
    """Return what the thesaurus says: words and phrases, and single words of the other language, and of the same one."""
    across: dict[Said, list[str]] = {}
    alike: dict[Said, list[str]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        korean, english = ([term_of(item.strip()) for item in side.split(",") if is_told(item)] for side in line.split("="))
        for some, others, found in (
            (korean, english, across), (english, korean, across), (korean, korean, alike), (english, english, alike),
        ):  # fmt: skip
            for one, other in product(some, others):
                if not all(map(is_empty, one)) and len(other) == 1 and not is_empty(other[0]) and other[0] not in one:
                    found.setdefault(one, []).append(other[0])
    return across, alike


def is_told(item: str) -> bool:
    """Say whether the terms of an entry say all of it: those of "쉬는 날 없이" are those of "쉬는 날", of 날마다 that of 날."""
    words, found = item.split(), terms(item)
    if len(words) == 1 and is_hangul(words[0]):
        return words[0].removeprefix("".join(found)) in ENDINGS
    return bool(words) and len(found) >= len(words)


def term_of(item: str) -> Said:
    """Return the terms of an entry of the thesaurus: of a verb its stem, where the dictionary takes what is meant for a noun."""
    found = tuple(terms(item))
    return (*found[:-1], found[-1][:-1]) if found and len(found[-1]) > 1 and found[-1].endswith("다") else found


def translations(text: str) -> dict[Said, list[str]]:
    """Return what the dictionary says, both ways: of an English word the Korean ones first that it stands for first."""
    across: dict[Said, list[str]] = {}
    back: dict[Said, list[tuple[int, str]]] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        word, _is, meant = line.partition("=")
        korean = term_of(word.strip()) if is_told(word) else ()
        english = [some[0] for item in meant.split(",") if len(some := terms(item)) == 1 and not is_empty(some[0])]
        if len(korean) == 1 and not is_empty(korean[0]):
            across.setdefault(korean, []).extend(english)
            for place, one in enumerate(english):
                back.setdefault((one,), []).append((place, korean[0]))
    return across | {word: [one for _place, one in sorted(some)] for word, some in back.items()}


def joined(*some: Meanings) -> dict[Said, list[str]]:
    """Return what all say, the first ones first: all that the first one says, and MOST_KNOWN words at most with the others."""
    words: dict[Said, list[str]] = {}
    for meanings in some:
        for said_so, meant in meanings.items():
            words.setdefault(said_so, []).extend(meant)
    most = {said_so: max(MOST_KNOWN, len(meant)) for said_so, meant in some[0].items()}
    return {said_so: list(dict.fromkeys(meant))[: most.get(said_so, MOST_KNOWN)] for said_so, meant in words.items()}


def lines_of(across: Meanings, alike: Meanings) -> list[str]:
    """Return the lines of the file, in the order of their letters."""
    return sorted(
        COLUMN.join(" ".join(dict.fromkeys(words)) for words in (some, across.get(some, ()), alike.get(some, ())))
        for some in {**across, **alike}
    )


def measured(folder: Path, lexicons: Mapping[str, Lexicon]) -> dict[str, float]:
    """Return nDCG@10 of BM25 alone, by lexicon: the questions of the collection that were held out, over all its passages."""
    whole = Collection.load(folder)
    unseen = held_out(folder)
    collection = replace(whole, queries=tuple(query for query in whole.queries if query[0] in unseen))
    held = Held.of(collection)
    return {
        name: round(mean_ndcg(collection, [ranked(held, text, lexicon) for _number, text in collection.queries]), 3)
        for name, lexicon in lexicons.items()
    } | {"questions": len(collection.queries)}


def ranked(held: Held, text: str, lexicon: Lexicon) -> list[str]:
    """Return the first DEPTH documents by BM25, words that stand for the question's counted as these."""
    asked = terms(text)
    meant = otherwise(asked, lexicon, held.frequencies, passages=len(held.names))
    counts = {term: held.frequencies[term] + sum(_of(meant, term, held.frequencies)) for term in asked}
    query = weigh(asked, counts, len(held.names), text, meant)
    scores = scored(held.terms, query, mean_length=held.mean_length)
    best = np.argsort(-scores, kind="stable")[: 10 * DEPTH]
    return list(dict.fromkeys(held.names[place] for place in best if scores[place] > 0))[:DEPTH]


def _of(meant: Mapping[str, Said], term: str, frequencies: Mapping[str, int]) -> Iterator[int]:
    return (frequencies.get(word, 0) for word, stand in meant.items() if term in stand)


if __name__ == "__main__":
    main()
