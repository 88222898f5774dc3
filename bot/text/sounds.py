"""Names that are written in two alphabets: which Latin words sound like a word in Hangul.

Owns how either alphabet is brought to the same sounds, and how alike two must be. Leaves to `bot.retrieval.spelt` which words a library holds.

    openings("슬랙")                             # ("sl", "sr", "sa", "se", …): what such a word may begin with in Latin letters
    spellings("슬랙", ["slack", "slide"])        # ["slack"]

Korean writes a foreign word as it is heard: Slack is 슬랙, Bradford 브래드포드. Both are brought to their consonants, those that
Korean does not tell apart (b and v, f and p, l and r, d and t) as one, an r before no vowel as none; where these are the same, the
vowels decide by how much of both is alike. English spells a sound in several ways, so a word has several readings (th as s or t, ch as
in chip, Chris or chef). Source: the rules for foreign words of the National Institute of Korean Language, read backwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

from bot import lazy

LEAST: Final = 2
"""Syllables of a word that is heard: one alone sounds like too many."""
LEAST_CONSONANTS: Final = 2
ALIKE: Final = {2: 0.85, 3: 0.7}
"""Share of the letters that two words of so many equal consonants have in common, in order."""
ALIKE_LONG: Final = 0.5
"""The same of more consonants: the vowels of English are written in too many ways to ask for more."""

_FIRST, _MEDIAL, _SYLLABLES = 0xAC00, 28, 588
_ONSETS_SPELT = "g k n d t r m b p s s . j j c k t p h"
_VOWELS_SPELT = "a e ya ye e e yo ye o wa we we yo u wo we wi yu . ui i"
_CODAS_SPELT = ". k k k n n n t l l l l l l p l m p p t t ng t t k t p h"
_ONSETS_HEARD = "K K N T T L M P P S S . J J J K T P H"
_CODAS_HEARD = ". K K K N N N T L L L L L L P L M P P S S N J J K T P H"
_ONSETS_WRITTEN = "gck kcg nk d dt lr m bv bp sct sc . jgzd jz ct ckq t pf hw"
_VOWELS_WRITTEN = "auoi ae yi y eouai eai yi ye oaue wuoa we weo yo uow wu wue wuiy yueo . uiw iye"
_ONSETS, _VOWELS, _CODAS, _ONSET_SOUND, _CODA_SOUND, _ONSET_LETTERS, _VOWEL_LETTERS = (
    letters.split()
    for letters in (_ONSETS_SPELT, _VOWELS_SPELT, _CODAS_SPELT, _ONSETS_HEARD, _CODAS_HEARD, _ONSETS_WRITTEN, _VOWELS_WRITTEN)
)
"""In the order in which Unicode has them, "." for none: as Latin letters, as consonants, and with which letters English may write each."""
_CODA_LETTERS: Final = {"K": "cgk", "N": "n", "T": "dt", "L": "lr", "M": "m", "P": "pbf", "S": "st", "J": "jz", "H": "h"}
_DIGRAPHS: Final = {"c": "h", "t": "h", "p": "h", "k": "n", "w": "h"}
"""What may follow a first letter that is no vowel: ch, th, ph, kn, wh."""
_ANY_VOWEL: Final = "aeiouyw"

_LETTERS = lazy.compile("[a-z]{3,24}")
_KOREAN = lazy.compile(f"[가-힣]{{{LEAST},12}}")
_PARTICLE = lazy.compile(
    "(?:에게서는|에서는|으로는|에게서|에서|에게|으로|까지|부터|이라는|라는|이란|란|이나|보다|처럼|의|은|는|이|가|을|를|에|와|과|로|도|만|나)$"
)
_VERB = lazy.compile("(?:나요|[까죠]요?|니까|니다|세요|[해어아와워]요|[는은]지|는데|면|[하되있없]는|해서?|하[고기여]|지만)$")
_TWICE = lazy.compile(r"(.)\1+")
_SILENT_FIRST = {"kn": "n", "gn": "n", "pn": "n", "ps": "s", "wr": "r", "ts": "s"}
_READ: Final = (
    (lazy.compile("tch|ch|ture(?=s?$)"), "J"),
    (lazy.compile("sch|sh|[tsc]ion|[tc]ia"), "S"),
    (lazy.compile("ph"), "P"),
    (lazy.compile("gh(?=t|$)"), ""),
    (lazy.compile("th"), "S"),
    (lazy.compile("ck"), "K"),
    (lazy.compile("ng"), "N"),
    (lazy.compile("qu?"), "K"),
    (lazy.compile("x"), "KS"),
    (lazy.compile("dge?|g(?=[eiy])|j|z"), "J"),
    (lazy.compile("c(?=[eiy])|s"), "S"),
    (lazy.compile("[cgk]"), "K"),
    (lazy.compile("[bfpv]"), "P"),
    (lazy.compile("[dt]"), "T"),
    (lazy.compile("m"), "M"),
    (lazy.compile("n"), "N"),
    (lazy.compile("r(?![aeiouy])"), ""),
    (lazy.compile("[lr]"), "L"),
    (lazy.compile("(?<!^)h(?![aeiouy])"), ""),
    (lazy.compile("h"), "H"),
)
_READ_ANOTHER_WAY: Final = (
    (lazy.compile("th"), "t"),
    (lazy.compile("ch"), "k"),
    (lazy.compile("ch"), "sh"),
    (lazy.compile("g(?=[eiy])"), "k"),
    (lazy.compile("s(?=[aeiouymn])"), "z"),
    (lazy.compile("(?<=[aeiouy])h"), ""),
    (lazy.compile("(?<=[^s])$"), "s"),  # an ending that stemming took away
)
_SPOKEN: Final = (
    (lazy.compile("ph|f"), "p"),
    (lazy.compile("v"), "b"),
    (lazy.compile("th"), "s"),
    (lazy.compile("ck|c(?![eiyh])|q"), "k"),
    (lazy.compile("ch"), "C"),
    (lazy.compile("c(?=[eiy])|sh"), "s"),
    (lazy.compile("C"), "c"),
    (lazy.compile("z"), "j"),
    (lazy.compile("x"), "ks"),
    (lazy.compile("ee|ea"), "i"),
    (lazy.compile("oo|ou"), "u"),
    (lazy.compile("(?<=.)e$"), ""),
    (lazy.compile("r(?![aeiouy])"), ""),
    (lazy.compile("y"), "i"),
    (lazy.compile("r"), "l"),
    (lazy.compile(r"(.)\1"), r"\1"),
)


def heard(text: str) -> Iterator[tuple[str, ...]]:
    """Yield each word in Hangul of `text` that may be a name: as it stands, and without its particle. Verbs are passed over."""
    for found in _KOREAN.finditer(text):
        word = found.group()
        if _VERB.search(word):
            continue
        bare = _PARTICLE.sub("", word)
        yield (word, bare) if len(bare) >= LEAST and bare != word else (word,)


def openings(word: str) -> tuple[str, ...]:
    """Return what Latin words begin with that sound like `word`, in Hangul: one letter or two."""
    onset, vowel, coda = _jamo(word[0])
    first, second = _ONSET_LETTERS[onset], _VOWEL_LETTERS[vowel]
    if first == ".":
        return tuple(dict.fromkeys(second.replace(".", _ANY_VOWEL) + "h"))
    if second == ".":  # the vowel that stands where two consonants meet
        then = _CODA_LETTERS.get(_CODA_SOUND[coda], "") if coda else _ONSET_LETTERS[_jamo(word[1])[0]]
        second = then.replace(".", "") + _ANY_VOWEL
    return tuple(dict.fromkeys(one + two for one in first for two in second + _DIGRAPHS.get(one, "")))


def spellings(word: str, latin: Iterable[str]) -> list[str]:
    """Return those of the words in `latin` (lower case) that sound like `word`, in Hangul, the most alike first."""
    consonants, said = _sounds_of(word)
    if len(consonants) < LEAST_CONSONANTS:
        return []
    likely = (one for one in latin if _may_have(one, consonants))
    near = [(_share(said, spoken), one) for one in likely for keys, spoken in [_readings(one)] if consonants in keys]
    least = ALIKE.get(len(consonants), ALIKE_LONG)
    return [one for share, one in sorted(near, reverse=True) if share >= least]


def forget() -> None:
    """Drop the words whose readings are remembered."""
    _readings.cache_clear()


def _may_have(word: str, consonants: str) -> bool:
    """Say whether a Latin word may have these consonants. Quick: it is asked of thousands of words, and a reading takes 20 microseconds."""
    return (
        ("m" in word) == ("M" in consonants)
        and ("n" in word) == ("N" in consonants)
        and ("L" in consonants or "l" not in word)
        and any(letter in word for letter in "bpfv") == ("P" in consonants)
    )


def _share(some: str, other: str) -> float:
    return SequenceMatcher(None, some, other, autojunk=False).ratio()


def _sounds_of(word: str) -> tuple[str, str]:
    """Return the consonants of a word in Hangul, and its sounds in Latin letters."""
    syllables = [_jamo(letter) for letter in word]
    consonants = "".join(_ONSET_SOUND[onset] + _CODA_SOUND[coda] for onset, _vowel, coda in syllables).replace(".", "")
    letters = "".join(_ONSETS[onset] + _VOWELS[vowel] + _CODAS[coda] for onset, vowel, coda in syllables).replace(".", "")
    return _TWICE.sub(r"\1", consonants), _TWICE.sub(r"\1", letters.replace("r", "l"))


@lru_cache(maxsize=50_000)
def _readings(word: str) -> tuple[frozenset[str], str]:
    """Return the consonants of a Latin word in each way that it may be read, and its sounds in Latin letters."""
    if not _LETTERS.fullmatch(word):
        return frozenset(), ""
    word = _SILENT_FIRST.get(word[:2], word[:2]) + word[2:]
    ways = {word} | {pattern.sub(letters, word) for pattern, letters in _READ_ANOTHER_WAY}
    said = word
    for pattern, letters in _SPOKEN:
        said = pattern.sub(letters, said)
    return frozenset(map(_consonants, ways)), said


def _consonants(word: str) -> str:
    for pattern, sound in _READ:
        word = pattern.sub(sound, word)
    return _TWICE.sub(r"\1", "".join(letter for letter in word if letter.isupper()))


def _jamo(syllable: str) -> tuple[int, int, int]:
    """Return the places of a syllable's beginning, vowel and end among the letters of Hangul."""
    number = ord(syllable) - _FIRST
    return number // _SYLLABLES, number // _MEDIAL % 21, number % _MEDIAL
