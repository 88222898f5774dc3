"""Where one sentence ends and the next begins, inside one block of a text.

Owns: which full stop, question mark or ellipsis ends a sentence in English and Korean, and which is part of a name, a number, an
abbreviation, a quotation or a bracket. Leaves to `bot.text.blocks` everything that lines tell.

    text = "Dr. Kim came. 그는 앉았다.그리고 말했다."
    [text[start:end] for start, end in cut(text, 0, len(text))]   # three sentences
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from bot import lazy

LONGEST = 2000
"""Characters after which a stretch without an end is cut at a space: a reader of sentences can rely on it."""
LONGEST_ASIDE = 300
"""Characters: a bracket or quotation up to this long is not cut inside."""

_GOES_ON_WORDS = """
mr mrs ms mx dr prof rev hon gen col maj capt lt sgt gov sen rep st mt ft messrs fr sr sra vs v cf viz eg ie e.g i.e fig figs
eq eqs sec secs ch chap vol vols ed eds trans dept univ approx ca resp incl excl est esp al. tab ref refs art no nos nr pp p
op
"""
_MAY_END_WORDS = """
inc ltd co corp llc bros jr sr etc al a.m p.m am pm ph.d m.d b.a m.a u.s u.k u.n e.u d.c b.c a.d jan feb mar apr jun jul aug
sep sept oct nov dec
"""
_STARTER_WORDS = """
the a an this that these those he she it they we you i his her its their our your my there here in on at for from with by as
but and or so if when while after before although though because since however therefore moreover what who where why how is
are was were do does did can could will would should may let no yes one some many most all both each another
"""
_NUMBERED_WORDS = """
no nos nr fig figs eq eqs sec ch p pp vol art v op tab ref
"""
_GOES_ON = frozenset(_GOES_ON_WORDS.split())
_MAY_END = frozenset(_MAY_END_WORDS.split())
_STARTERS = frozenset(_STARTER_WORDS.split())
_NUMBERED = frozenset(_NUMBERED_WORDS.split())
"""Abbreviations only before a number: `No. 3`, but `No. I said so.`"""

_CLOSERS = "\"'”’)\\]}»」』】〉》*_~"
_END = lazy.compile(rf"(?P<mark>[.!?…。！？｡]+)(?P<closers>(?:[{_CLOSERS}]|\[\d{{1,3}}\])*)")
_WORD_BEFORE = lazy.compile(r"[^\s(\[{\"'“‘/]*$")
_NEXT = lazy.compile(r"\s*[\"'“‘(\[{«「『【〈《*_]*(?P<word>[^\W\d_]+|\d+|\S|$)")
_QUOTING = lazy.compile(r"\s?(?:이?라[고는며면]|고\s|며\s|하[고며는]\s|란\s|라[고는며]?\s)")
_DATE_BEFORE = lazy.compile(r"(?<!\d)\d{2,4}\.\s?\d{1,2}(?:\.\s?\d{1,2})?$")
_COUNTED_AFTER = lazy.compile(r"\s?\d{1,2}\.(?!\d)")
_OPENERS = {"(": ")", "[": "]", "{": "}", "“": "”", "「": "」", "『": "』", "«": "»", "《": "》", "〈": "〉", "【": "】"}
_PAIRED = lazy.compile('[()\\[\\]{}“”「」『』«»《》〈〉【】"]')
_KOREAN_ENDINGS = "다요죠까네라자군음함임됨오"
SHORTEST_TRAILING = 8
"""Characters before an ellipsis that can end a Korean sentence: `음... 그게` goes on."""
LONGEST_ENUMERATOR = 5
_KOREAN_LETTERS = frozenset("가나다라마바사아자차카타파하")
_LOOK = 24
"""Characters that are looked at before and after a mark."""


def cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the half-open ranges of the sentences in `text[start:end]`, without white space around them. Linear."""
    asides = _asides(text, start, end)
    begin = start
    for match in _END.finditer(text, start, end):
        stop = match.end()
        if match.start() < begin or not _ends(text, begin, match, end):
            continue
        if stop < end and _inside(asides, match.start("mark"), stop):
            continue
        yield from _bounded(text, begin, stop)
        begin = stop
    yield from _bounded(text, begin, end)


def _ends(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    """Say whether the mark that `match` found ends the sentence that began at `begin`."""
    stop, mark, closers = match.end(), match["mark"], match["closers"]
    if stop >= end:
        return True
    if closers.strip("*_~") and _QUOTING.match(text[stop : stop + _LOOK]):
        return False
    if mark[-1] in "。！？｡":
        return True
    before = text[match.start() - 1 : match.start()]
    if not text[stop].isspace():
        return not closers.strip("*_~[]0123456789") and _runs_on(before, mark, text[stop])
    word = _next_word(text, stop, end)
    if mark == ".":
        return _full_stop_ends(text, begin, match, word)
    if mark[-1] in ".…":
        return word[:1].isupper() or (
            _is_hangul(word) and before in _KOREAN_ENDINGS and match.start() - begin > SHORTEST_TRAILING
        )
    return not (closers and _is_small(word))


def _runs_on(before: str, mark: str, after: str) -> bool:
    """Say whether a mark with no space after it ends a sentence: `갔다.그리고`, `What?No!`, but not `report.한글` or `a.b`."""
    if mark == ".":
        return before in _KOREAN_ENDINGS and before != "" and (_is_hangul(after) or after in "[(“‘「")
    return (before.isalpha() and (_is_hangul(after) or after.isupper())) and mark[-1] in "!?"


def _full_stop_ends(text: str, begin: int, match: re.Match[str], following: str) -> bool:
    """Say whether a single full stop before white space ends its sentence."""
    stop = match.start()
    found = _WORD_BEFORE.search(text, max(begin, stop - _LOOK), stop)
    word = found.group() if found else ""
    if match["closers"] or not word:
        return bool(text[begin:stop].strip()) and not _is_small(following)
    if _is_enumerator(text, begin, stop, word):
        return False
    if word.isdigit():
        return not (_COUNTED_AFTER.match(text, match.end()) or _DATE_BEFORE.search(text, max(begin, stop - 12), stop))
    return _word_may_end(word, following) and (not _is_small(following) or _is_hangul(word[-1:]))


def _word_may_end(word: str, following: str) -> bool:
    """Say whether a full stop after `word` can be more than the mark of an abbreviation or an initial."""
    bare = word.lower()
    if bare in _NUMBERED:
        return not following.isdigit() and bare in ("no", "v")
    if bare in _GOES_ON:
        return False
    initial = len(word) == 1 and word.isupper() and word.isascii() and word != "I"
    acronym = bare in _MAY_END or ("." in word[-3:] and len(word.rpartition(".")[2]) == 1)
    if initial or acronym:
        return (following.lower() in _STARTERS and following[:1].isupper()) or _is_hangul(following)
    return True


def _is_enumerator(text: str, begin: int, stop: int, word: str) -> bool:
    """Say whether all that stands before the stop is what counts an item: `1.`, `가.`, `IV.`, `2.1.`, `b.`, `Q.`, `A3.`."""
    if len(word) > LONGEST_ENUMERATOR or stop - begin > _LOOK or text[begin:stop].strip() != word:
        return False
    lettered = word[0].isascii() and word[0].isalpha() and (len(word) == 1 or word[1:].isdigit())
    return lettered or word.replace(".", "").isdigit() or word in _KOREAN_LETTERS or not word.strip("ivxIVX")


def _next_word(text: str, stop: int, end: int) -> str:
    found = _NEXT.match(text, stop, min(end, stop + _LOOK))
    return found["word"] if found else ""


def _asides(text: str, start: int, end: int) -> deque[tuple[int, int]]:
    """Return the ranges of brackets and quotations that are short enough to be kept whole, outermost only, in order."""
    open_at: list[tuple[str, int]] = []
    pairs: list[tuple[int, int]] = []
    for match in _PAIRED.finditer(text, start, end):
        sign, place = match.group(), match.start()
        spaced = place == start or text[place - 1].isspace()
        depth = next((depth for depth, opened in enumerate(reversed(open_at[-4:]), 1) if opened[0] == sign), 0)
        if depth and not (sign == '"' and spaced):
            pairs.append((open_at[-depth][1], place))
            del open_at[-depth:]
        elif sign in _OPENERS:
            open_at.append((_OPENERS[sign], place))
        elif sign == '"':
            open_at = [(sign, place)]
    return deque(_outermost(sorted(pair for pair in pairs if pair[1] - pair[0] <= LONGEST_ASIDE)))


def _outermost(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for pair in pairs:
        if not kept or pair[0] > kept[-1][1]:
            kept.append(pair)
    return kept


def _inside(asides: deque[tuple[int, int]], mark: int, stop: int) -> bool:
    """Say whether the mark lies in an aside that is still open at `stop`; asides that are past are dropped."""
    while asides and asides[0][1] < mark:
        asides.popleft()
    return bool(asides) and asides[0][0] < mark and stop <= asides[0][1]


def _bounded(text: str, begin: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield the range without white space around it, in pieces of at most LONGEST characters."""
    piece = text[begin:stop]
    begin += len(piece) - len(piece.lstrip())
    stop = max(begin, stop - (len(piece) - len(piece.rstrip())))
    while stop - begin > LONGEST:
        space = text.rfind(" ", begin + LONGEST // 2, begin + LONGEST)
        middle = space if space > 0 else begin + LONGEST
        yield begin, middle
        begin = middle
        while begin < stop and text[begin].isspace():
            begin += 1
    if begin < stop:
        yield begin, stop


def _is_hangul(text: str) -> bool:
    return "가" <= text[:1] <= "힣"


def _is_small(word: str) -> bool:
    return word[:1].islower()
