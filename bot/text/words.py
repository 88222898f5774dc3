"""The words of a text, as search, summaries and their measures compare them.

Owns: cutting a text of mixed languages into comparable terms. Hangul is cut into morphemes, of which those that carry meaning
are kept in their dictionary form; Latin words are lower-cased and stemmed; numbers stay whole; han and kana become bigrams.
Leaves to others: counting and weighing terms.

    terms("GitHub에 올린 3.5GB 파일을 지웠어요")   # ["github", "올리", "3.5", "gb", "파일", "지우"]
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bot import lazy
from bot.text.normal import normal, syllables
from bot.text.shown import UNSEEN

if TYPE_CHECKING:
    from mecab import MeCab, Morpheme

KOREAN_TAGS = ("NN", "NR", "V", "MM", "X", "S", "UNKNOWN")
"""Prefixes of the mecab-ko-dic tags whose morphemes are terms: nouns, verbs and adjectives, determiners, roots, foreign words."""

_KOREAN_WORDS = """
이 하 되 있 없 않 것 수 등 들 적 그 저 나 내 너 우리 여기 거기 거 때 년 월 일 주 보 싶 아니 말 같 시키 당하 지 씨
님 중 및 좀 데 게
줄 뿐 때문 대하 위하 통하 따르 의하 관하 무엇 뭐 어떤 이런 그런 저런 이렇 그렇 저렇 어떻 네
"""
_ENGLISH_WORDS = """
a about after again all also am an and any are aren't as at be because been before being but by can can't
cannot could couldn't did didn't do does doesn't doing don't down each for from further had hadn't has hasn't
have haven't having he he'd he'll he's her here here's hers herself him himself his how how's i i'd i'll i'm
i've if in into is isn't it it'd it'll it's its itself just let let's me more most my myself no nor not of off
oh ok okay on once only or other our ours ourselves out over own same shall she she'd she'll she's should
shouldn't so some such than that that's the their theirs them themselves then there there's these they they'd
they'll they're they've this those through to too up very was wasn't we we'd we'll we're we've were weren't
what what's when where where's which while who who's whom why will with won't would wouldn't yes yeah you
you'd you'll you're you've your yours yourself yourselves
"""

SEGMENT = 1000
"""Characters given to the Korean dictionary at once: its memory grows with them, and a clause is context enough."""

CUT_SEEN = 14
"""Characters at each side of a line's end that tell whether it cuts a word."""
_PREDICATE_TAGS = ("VV", "VA", "VX")
_DEPENDENT_TAGS = ("J", "E", "XS", "VCP")
"""Prefixes of the tags of what stands at no word's beginning: particles, endings, suffixes, the copula."""

_IGNORED = lazy.compile(f"[{UNSEEN}]")
_OVERLAID = lazy.compile("[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
"""Marks that are left where a letter and they are no letter of any language: ornament."""
_FOREIGN_APOSTROPHE = lazy.compile("[\u2018\u2019\u02bc\uff07]")
_SURROGATE_OR_CONTROL = lazy.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_HANGUL = lazy.compile("[\uac00-\ud7a3]")
_HAN = "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_LATIN = "a-z\u00df-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_UNIT = "[kmgt]i?b|[kmcn]?m|[km]?g|m?l|[mn]?s|[kmg]?hz|k?wh?|px|pt|ppm|am|pm"
_TOKEN = lazy.compile(
    rf"(?P<han>[{_HAN}]+)"
    r"|(?P<named>(?<!\w)(?:c\+\+|[cf]#|\.net)(?!\w))"
    rf"|(?P<amount>\d++(?:\.\d++)?(?:{_UNIT})(?![\d{_LATIN}]))"
    rf"|(?P<number>(?<!\d\.)(?:\d{{1,3}}(?:,\d{{3}}){{1,8}}+(?:\.\d++)?|\d++\.\d++)(?![.,]?\d|[{_LATIN}])|\d++(?![{_LATIN}]))"
    rf"|(?P<code>[0-9{_LATIN}]*\d[0-9{_LATIN}]*+)"
    rf"|(?P<latin>[{_LATIN}]+(?:'[{_LATIN}]+)*)"
    rf"|(?P<other>[^\W\d_\uac00-\ud7a3\u1100-\u11ff\u3130-\u318f{_LATIN}{_HAN}]+)"
)
_AMOUNT = lazy.compile(r"[\d.]+")

_tagger_in_use = threading.Lock()
_stemmer_in_use = threading.Lock()


class Stemmer(Protocol):
    """What snowballstemmer gives."""

    def stemWord(self, word: str) -> str:  # noqa: N802 - its own name
        """Return the stem of a lower-case word."""
        ...


def terms(text: str) -> list[str]:
    """Return the terms of `text`, lower case, in reading order, repeated as often as they stand there.

    Linear in the text's length; safe from any thread. The Korean dictionary is loaded (a millisecond) at the first Hangul.
    """
    plain = normalise(text)
    found = list(_other_terms(plain))
    if _HANGUL.search(plain):
        found += _korean_terms(plain)
        found.sort(key=lambda placed: placed[0])
    return [term for _start, term in found]


class Cut(NamedTuple):
    """One term of the Hangul in a text: where it stands in what `normalise` makes of that, and what the dictionary says of it."""

    start: int
    end: int
    term: str
    predicate: bool
    """Whether it is a verb or an adjective."""
    compound: bool
    """Whether it is made of several nouns."""
    tag: str
    """What the dictionary calls its part of speech: `NNG`, `VV+EP`, ..."""


def korean_cuts(plain: str) -> list[Cut]:
    """Return the terms of the Hangul in `plain`, a normalised text, in reading order."""
    return [
        Cut(
            begin + morpheme.span.start,
            begin + morpheme.span.end,
            _dictionary_form(morpheme),
            morpheme.feature.pos.startswith(_PREDICATE_TAGS),
            morpheme.feature.type == "Compound",
            morpheme.feature.pos,
        )
        for begin, morpheme in _korean_morphemes(plain)
    ]


def content_terms(text: str) -> list[str]:
    """Return the terms of `text` without those that say little of what it is about (articles, pronouns, auxiliaries)."""
    return [term for term in terms(text) if not is_empty(term)]


def is_empty(term: str) -> bool:
    """Say whether `term`, as `terms` makes it, is a function word."""
    return term in _empty_terms()


def is_hangul(term: str) -> bool:
    """Say whether `term`, as `terms` makes it, is in Hangul."""
    return "\uac00" <= term < "\ud7a4"


def normalise(text: str) -> str:
    """Return `text` in lower-case NFKC without what is never seen: zero-width and bidi marks, controls, lone surrogates."""
    if text.isascii():  # nothing of what follows can be in it
        return _SURROGATE_OR_CONTROL.sub(" ", text).lower()
    shown = syllables(_IGNORED.sub("", _SURROGATE_OR_CONTROL.sub(" ", text)))
    return _FOREIGN_APOSTROPHE.sub("'", _OVERLAID.sub("", normal("NFKC", shown))).lower()


def is_cut_word(before: str, after: str) -> bool:
    """Say whether the end of `before` and the beginning of `after` are one Korean word that the end of a line has cut.

    A morpheme stands across the cut, or a particle or an ending begins at it. Right for 97 of 100 places of Korean prose, cut
    anywhere; of the spaces that were lost one in sixty is taken for none.
    """
    if not (_HANGUL.match(before[-1:]) and _HANGUL.match(after[:1])):
        return False
    tail, head = " ".join(before[-CUT_SEEN:].split()[-2:]), " ".join(after[:CUT_SEEN].split()[:2])
    for morpheme in _parse(tail + head):
        start, end = morpheme.span.start, morpheme.span.end
        if start <= len(tail) < end:
            return bool(start < len(tail) or morpheme.feature.pos.startswith(_DEPENDENT_TAGS))
    return False


def stem(word: str) -> str:
    """Return the English stem of a lower-case word. Source: snowballstem.org, the English (Porter2) stemmer."""
    return _stem(word)


def _other_terms(plain: str) -> Iterator[tuple[int, str]]:
    """Yield (start, term) of all but Hangul."""
    for match in _TOKEN.finditer(plain):
        start, kind, token = match.start(), match.lastgroup, match.group()
        if kind == "han":
            yield from ((start + i, token[i : i + 2]) for i in range(max(1, len(token) - 1)))
        elif kind == "number":
            yield start, token.replace(",", "")
        elif kind == "amount":
            yield from _amount_terms(start, token)
        elif kind == "latin":
            yield start, _stem(_bare(token))
        else:
            yield start, token


def _amount_terms(start: int, token: str) -> Iterator[tuple[int, str]]:
    """Yield a number and its unit apart: `3.5gb` is found by `3.5 GB`."""
    number = _AMOUNT.match(token)
    end = number.end() if number else 0
    yield start, token[:end]
    yield start + end, token[end:]


def _bare(word: str) -> str:
    """Drop diacritics: `café` and `cafe` are one word to a searcher."""
    if word.isascii():
        return word
    return "".join(letter for letter in normal("NFKD", word) if not unicodedata.combining(letter))


def _korean_terms(plain: str) -> Iterator[tuple[int, str]]:
    """Yield (start, term) of the Hangul in `plain`."""
    for begin, morpheme in _korean_morphemes(plain):
        yield begin + morpheme.span.start, _dictionary_form(morpheme)


def _korean_morphemes(plain: str) -> Iterator[tuple[int, Morpheme]]:
    """Yield (start of its piece, morpheme) of those in `plain` that are terms."""
    for begin, segment in _segments(plain):
        for morpheme in _parse(segment):
            if morpheme.feature.pos.startswith(KOREAN_TAGS) and _HANGUL.match(morpheme.surface):
                yield begin, morpheme


def _dictionary_form(morpheme: Morpheme) -> str:
    """Return what stands in the dictionary: `올렸` is `올리` with an ending; a compound stays whole."""
    if morpheme.feature.type == "Inflect" and morpheme.feature.expression:
        return str(morpheme.feature.expression).partition("/")[0]
    return str(morpheme.surface)


def _segments(plain: str) -> Iterator[tuple[int, str]]:
    """Yield (start, piece) of the lines that hold Hangul, cut at a space where a line is longer than SEGMENT."""
    start = 0
    for line in plain.splitlines(keepends=True):
        begin = start
        start += len(line)
        while begin < start:
            end = min(begin + SEGMENT, start)
            if end < start and (space := plain.rfind(" ", begin + SEGMENT // 2, end)) > 0:
                end = space
            piece = plain[begin:end]
            if _HANGUL.search(piece):
                yield begin, piece
            begin = end


def _parse(segment: str) -> list[Morpheme]:
    with _tagger_in_use:
        found: list[Morpheme] = _tagger().parse(segment)
    return found


@cache
def _tagger() -> MeCab:
    from mecab import MeCab  # noqa: PLC0415 - an English text never loads the dictionary

    return MeCab()


@lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    with _stemmer_in_use:
        return str(_stemmer().stemWord(word))


@cache
def _stemmer() -> Stemmer:
    from snowballstemmer import stemmer  # noqa: PLC0415 - loads every language's rules

    english: Stemmer = stemmer("english")
    return english


@cache
def _empty_terms() -> frozenset[str]:
    return frozenset(_KOREAN_WORDS.split()) | {_stem(word) for word in _ENGLISH_WORDS.split()}
