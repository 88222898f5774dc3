"""What tells that a word, or a sentence, belongs into the summary.

Owns: the evidence, as numbers, of a text's words (how often, where, by whom, beside what) and of its sentences (how central, claim, plan,
nod). Nothing here knows a data set or a language: words are terms of `bot.text.words`, cues are of both languages. Leaves to
`skills.summarise.weights` what each is worth.

    seen = observe(SummaryInput.of(text, language="en"))
    seen.words[seen.vocabulary.index("knife")]      # float64 (len(WORD_EVIDENCE),)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bot.models.tasks import SummaryInput
from bot.text.words import is_empty, terms
from skills.summarise.cues import AFTERTHOUGHT, CLAIM, INTENT, NAME_INSIDE, NOD, REPORT
from skills.summarise.lexrank import cosines, lexrank, word_rows

Numbers = NDArray[np.float64]

WORD_EVIDENCE: Final = (
    "always",
    "sentences",
    "twice",
    "thrice",
    "late",
    "first",
    "empty",
    "name",
    "number",
    "intended",
    "nodded",
    "claimed",
    "crowded",
    "short",
    "shared",
    "speaker",
    "near",
    "nearest",
)
"""The last two need vectors."""
SENTENCE_EVIDENCE: Final = (
    "central words",
    "alike words",
    "lexrank",
    "claim",
    "intent",
    "nod",
    "afterthought",
    "short",
    "question",
    "central meaning",
)
"""The last needs vectors."""

SHORT_WORDS: Final = 4
NODDED_WORDS: Final = 4
"""Words that say something, up to which a sentence that begins with `Yes` or `Thanks` may be no more than that."""
NEWS_SHARE: Final = 0.15
"""Share of sentences that report somebody's words, from which on a text is read as news."""
NEWS_SENTENCES: Final = 5
_WEIGHING_WORDS: Final = 15
"""A longer sentence weighs no more in the text's mean meaning."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was seen in a text of n sentences and m different words (speakers' names among them).

    `bags` are the words of each sentence as places in `vocabulary`, its speaker's name with them.
    """

    vocabulary: tuple[str, ...]
    bags: tuple[frozenset[int], ...]
    words: Numbers
    """float64 (m, len(WORD_EVIDENCE))."""
    sentences: Numbers
    """float64 (n, len(SENTENCE_EVIDENCE)), each column but the last three cues with mean 0 and deviation 1."""
    saying: Numbers
    """float64 (n,): how many different words of each sentence say something, its speaker's name not counted."""
    is_news: bool


def observe(item: SummaryInput) -> Evidence:
    """Return the evidence in `item`; without vectors what they tell is 0."""
    spoken = [terms(sentence) for sentence in item.sentences]
    named = [terms(name) for name in item.speakers] if item.speakers else [[] for _sentence in spoken]
    cues = _cues(item.sentences, spoken)
    sentences = _sentences(item, spoken, cues)
    places = _places(spoken, named)
    return Evidence(
        tuple(places),
        _bags(places, spoken, named),
        _words(item, spoken, named, places, sentences),
        sentences,
        np.array([len({word for word in words if not is_empty(word)}) for words in spoken], float),
        _is_news(item, cues),
    )


def _cues(sentences: Sequence[str], spoken: Sequence[Sequence[str]]) -> dict[str, Numbers]:
    """Return 0 or 1 a sentence, by cue."""
    patterns = {"claim": CLAIM, "intent": INTENT, "afterthought": AFTERTHOUGHT, "report": REPORT}
    found = {name: np.array([bool(cue.search(one)) for one in sentences], float) for name, cue in patterns.items()}
    found["nod"] = np.array([_is_nod(one, words) for one, words in zip(sentences, spoken, strict=True)], float)
    found["short"] = np.array([len(words) <= SHORT_WORDS for words in spoken], float)
    found["question"] = np.array([one.rstrip("\"'”’)」 ").endswith(("?", "？")) for one in sentences], float)
    return found


def _is_nod(sentence: str, words: Sequence[str]) -> bool:
    """Say whether a sentence greets, thanks or agrees and does little else: `Ok, I'll send it by noon` does."""
    rest = sentence
    while begin := NOD.match(rest):
        rest = rest[begin.end() :]
    said = {word for word in words if not is_empty(word)}
    return rest != sentence and len(said) <= NODDED_WORDS and not INTENT.search(rest)


def _sentences(item: SummaryInput, spoken: Sequence[Sequence[str]], cues: dict[str, Numbers]) -> Numbers:
    bags = [[word for word in words if not is_empty(word)] for words in spoken]
    rows = word_rows(bags, smooth=True)
    alike = cosines(rows)
    middle = np.asarray(rows.sum(axis=0)).ravel()
    columns = {
        "central words": _standard(np.asarray(rows @ middle).ravel()),
        "alike words": _standard(alike.sum(axis=1) - alike.diagonal()),
        "lexrank": _standard(lexrank(cosines(word_rows(spoken)))),
        "central meaning": _standard(_meaning(item, bags)),
        **cues,
    }
    return np.stack([columns[name] for name in SENTENCE_EVIDENCE], axis=1)


def _meaning(item: SummaryInput, bags: Sequence[Sequence[str]]) -> Numbers:
    """Return each sentence's cosine to the text's mean meaning, longer sentences weighing more; 0 without vectors."""
    if item.vectors is None:
        return np.zeros(len(bags))
    weights = np.array([min(len(set(bag)), _WEIGHING_WORDS) for bag in bags], np.float64)
    middle = (item.vectors * weights[:, None]).sum(axis=0)
    found: Numbers = item.vectors @ (middle / (np.linalg.norm(middle) + 1e-9))
    return found


def _standard(values: Numbers) -> Numbers:
    scaled: Numbers = (values - values.mean()) / (values.std() + 1e-6)
    return scaled


def _places(spoken: Sequence[Sequence[str]], named: Sequence[Sequence[str]]) -> dict[str, list[int]]:
    """Return the sentences in which each word stands, in order; a name that is only a speaker's stands where they speak."""
    places: dict[str, list[int]] = {}
    for index, words in enumerate(spoken):
        for word in words:
            places.setdefault(word, []).append(index)
    called: dict[str, list[int]] = {}
    for index, words in enumerate(named):
        for word in words:
            if word not in places:
                called.setdefault(word, []).append(index)
    return places | called


def _bags(
    places: dict[str, list[int]], spoken: Sequence[Sequence[str]], named: Sequence[Sequence[str]]
) -> tuple[frozenset[int], ...]:
    number = {word: place for place, word in enumerate(places)}
    return tuple(frozenset(number[word] for word in (*words, *name)) for words, name in zip(spoken, named, strict=True))


def _words(
    item: SummaryInput,
    spoken: Sequence[Sequence[str]],
    named: Sequence[Sequence[str]],
    places: dict[str, list[int]],
    sentences: Numbers,
) -> Numbers:
    last = max(1, len(spoken) - 1)
    speakers = {word for name in named for word in name}
    names = {word for one in item.sentences for match in NAME_INSIDE.finditer(one) for word in terms(match.group())}
    column = dict(zip(SENTENCE_EVIDENCE, sentences.T, strict=True))
    lengths = np.array([math.log(len(words) + 1) for words in spoken])
    rows = np.zeros((len(places), len(WORD_EVIDENCE)))
    for number, (word, where) in enumerate(places.items()):
        among = sorted(set(where))
        said_by = {item.speakers[index] for index in among} if item.speakers else set()
        rows[number] = (
            1,
            math.log(len(among)),
            len(where) > 1,
            len(where) > 2,  # noqa: PLR2004 - thrice
            among[0] / last,
            among[0] == 0,
            is_empty(word),
            word in names,
            word[0].isdigit(),
            column["intent"][among].max(),
            column["nod"][among].mean(),
            column["claim"][among].max(),
            lengths[among].mean(),
            column["short"][among].mean(),
            len(said_by) > 1,
            word in speakers,
            column["central meaning"][among].mean(),
            column["central meaning"][among].max(),
        )
    return rows


def _is_news(item: SummaryInput, cues: dict[str, Numbers]) -> bool:
    """Say whether the text reads like a newspaper's, which tells the most important first."""
    return (
        not item.speakers
        and len(item.sentences) >= NEWS_SENTENCES
        and bool(cues["report"].mean() >= NEWS_SHARE > cues["claim"].mean() / 2)
    )
