"""A correction after an answer: "no, I meant the Seoul office", "아니 베를린 말고 서울". The last question is asked anew with it.

Owns reading what is meant and what is not, and the questions that may be meant by it. Leaves to `skills.search.skill` which of
them the library answers best.

    read("no, Seoul not Berlin")                                          # Correction("Seoul", "Berlin", told=True)
    asked_anew(read("no, Seoul not Berlin"), "who cleans the Berlin office?")   # ("who cleans the Seoul office?", ...)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from bot import lazy
from bot.language import asked_for
from bot.passage import Passage
from bot.text.normal import normal
from bot.text.said import word_set
from bot.text.words import content_terms, is_empty, terms

LONGEST: Final = 60
MOST_WORDS: Final = 6
"""Words of what is meant: who says more asks a question of its own."""

_SOUND = r"(?:(?:oh|ah|hm+|ok|well|아|어|음|앗)(?:[,.!]+ ?| )){0,3}"
_BEGIN = lazy.compile(
    _SOUND + r"(?:(?:wait|sorry|oops|actually|no+|nope|nah|my (?:mistake|bad)|not that(?: one)?|make that|it should be|"
    r"아니(?:요|야|에요|예요)?|아뇨|잠깐만?|미안(?:해요?|합니다)?|죄송(?:해요|합니다)?|(?:그|이)(?:거|건|것) 말고|그게 아니(?:라|고))"
    rf"(?:[,.!]+ ?| ){_SOUND})+",
    re.IGNORECASE,
)
_MEANT = lazy.compile(
    r"(?:i|what i) (?:just |actually |really )?(?:meant|mean|was (?:asking about|looking for|thinking of)|asked (?:about|for)|wanted)"
    r"(?: is| was)?,? (?!to )",
    re.IGNORECASE,
)
_MEANT_KO = lazy.compile(
    r" ?(?:[을를] )?(?:(?<![정짓양반주연월분])말이(?:야|에요|예요|죠|었어요?)|말입니다|(?:말|얘기|이야기|질문)(?:한|하는) ?"
    r"(?:거|건데|것)(?:야|예요|에요|입니다|요)?|(?:얘기|이야기)(?:야|예요|에요|입니다)|"
    r"(?:물어본|물은|찾는|찾던|궁금한) ?(?:거|건데|것)(?:야|예요|에요|였어요?|입니다|요)?)$"
)
_END = " ,.!?~"
_END_KO = lazy.compile(r"(?<=[가-힣\w])(?:(?<![수필중개주동강소])요|이(?:요|야|에요)|(?:예|에)요|야|으로)$")
_ONES = lazy.compile(r"^(?:the )?(?:other )?ones?,? (?=\S)", re.IGNORECASE)
_OPENING = lazy.compile(r"(?:(?:for|in|of|from|at|on|about|by|with|the|our|my|an?) )+", re.IGNORECASE)
_APART = (
    (
        lazy.compile(
            r"^not (?:in |for |the |on |at )*(.+?)(?:, ?(?:but |rather |in |for |on |at )?| but (?:rather )?)(.+)$", re.IGNORECASE
        ),
        2,
        1,
    ),
    (lazy.compile(r"^(.+?),? (?:and |but )?not (?:in |for |on |at )?(.+)$", re.IGNORECASE), 1, 2),
    (lazy.compile(r"^(.+?),? (?:instead of|rather than) (.+)$", re.IGNORECASE), 1, 2),
    (lazy.compile(r"^(.+?) ?(?:말고(?:는|요)?|[이가]? 아니(?:라|고)|대신(?:에)?),? (.+)$"), 2, 1),
)
"""How what is meant and what is not are told in one: the pattern, and the places of both."""
_NO_NAME: Final = word_set("""
    i you your u me my it its he she we they them this that thats these those is are am was were be been do does did dont doesnt didnt can
    cant could will would wont should shall have has had go going get got know need want like think see tell show find give send make let
    delete remove summarise summarize translate help stop cancel forget search thanks thank please sorry never mind problem worries worry
    idea way yet now later really seriously ok okay fine good bad great sure right wrong true what who when where why how which whose
    nothing anything something everything else more less again enough to and or if because just not no yes yeah
    다른 딴 다시 거 것 몇 며칠 얼마 얼마야 얼마나 언제야 어디야 어디에 어디서 누구야 그거 이거 저거 그건 이건 뭐 뭐야 왜 누가 누구 언제 어디
    어떻게 진짜 정말 그냥 그만 됐어 괜찮아 고마워 감사 없어 있어 몰라 내 네 제
    그 이 할 수 하지 마 안 못 너 넌 나 난 저 전 우리 좀 더 잘 이게 그게 내가 네가 제가 나는 너는 줄 뭔 무슨 해 해줘 줘 주세요 알았어 그래
""")
_ASKS = lazy.compile(r"who|when|where|how (?:much|many|long|often)|언제|어디서?|누가|누구|며칠|얼마나?|몇 ?시에?", re.IGNORECASE)
_VERB_KO = lazy.compile(
    r"[가-힣]*(?:해|줘|줄래|세요|어요|아요|습니다|니다|네요|네|지요|잖아|거든|래|까|냐|니|[했됐갔왔었았웠렸졌겠]어|다고|는데|구나|군)$"
)
_LANGUAGE = lazy.compile(r"english|korean|영어|한국어|한글|국문|영문|우리말", re.IGNORECASE)
_HANGUL = lazy.compile("[가-힣]")
_WORD = lazy.compile(r"[^\s,.!?;:\"“”‘()\[\]]+(?:[.:][^\s,.!?;:\"“”‘()\[\]]+)*")
_PARTICLE = lazy.compile(
    r"(?<=[가-힣\w]{2})(?:은|는|이|가|을|를|의|에|에서|에게|한테|으로|로|와|과|랑|도|만|까지|부터|에서는|에는|이야|야|요|이요)$"
)
_TOPIC = lazy.compile(r"(?<=[가-힣\w])(?:은|는)$")
_TITLED = lazy.compile(r"(?:대리|과장|차장|부장|팀장|사원|주임|이사|상무|대표|사장|실장|매니저|선생|씨|님)(?:님)?$")


@dataclass(frozen=True, slots=True)
class Correction:
    """What is meant, what is not ("" where that is not said), and whether the words tell that it is a correction."""

    meant: str
    rejected: str
    told: bool


def read(said: str) -> Correction | None:
    """Return the correction that `said` may be, None where it is none whatever was said before."""
    plain = _plain_text(said)
    if not plain or len(plain) > LONGEST:
        return None
    begun, meant, rest = _opened(plain)
    ended = _MEANT_KO.search(rest)
    rest = rest[: ended.start()] if ended else rest
    right, wrong = _apart(rest)
    if not (begun or meant or ended or wrong):
        return None
    right = _ONES.sub("", right.removesuffix(" instead")).strip(" ,")
    if not ended:
        right = _END_KO.sub("", right)
        right = _TOPIC.sub("", right) if said.rstrip().endswith("?") else right
    told = bool(meant or ended or (begun and wrong) or rest.endswith(" instead"))
    asks = _ASKS.fullmatch(right) and _ASKS.fullmatch(wrong)
    return Correction(right, wrong, told) if asks or (_names(right) and (not wrong or _names(wrong))) else None


def without_opening(said: str) -> str:
    """Return `said` without "no, I mean" or "아니" before it: what goes on from a question may begin so."""
    plain = " ".join(normal("NFC", said).split())
    return _opened(plain)[2] if len(plain) <= LONGEST else said


def _plain_text(said: str) -> str:
    return " ".join(normal("NFC", said).replace("’", "'").split()).rstrip(_END)


def _opened(plain: str) -> tuple[bool, bool, str]:
    """Return whether `plain` begins with "no" or its like, whether with "I meant", and what is said after both."""
    begun = _BEGIN.match(plain)
    rest = plain[begun.end() :] if begun else plain
    meant = _MEANT.match(rest)
    return begun is not None, meant is not None, rest[meant.end() :] if meant else rest


def _apart(rest: str) -> tuple[str, str]:
    """Return what is meant and what is not."""
    for pattern, right, wrong in _APART:
        if found := pattern.match(rest):
            return found[right].strip(" ,"), found[wrong].strip(" ,")
    return rest, ""


def _names(words: str) -> bool:
    """Say whether `words` can be a thing's name: no order, no courtesy, no sentence."""
    every = [word.replace("'", "") if word.replace("'", "").lower() in _NO_NAME else word for word in words.lower().split()]
    if not 0 < len(every) <= MOST_WORDS or not content_terms(words) or _NO_NAME & set(every):
        return False
    return asked_for(words) is None and not _LANGUAGE.search(words) and not _VERB_KO.fullmatch(every[-1])


def is_about(correction: Correction, asked: str, answered: str) -> bool:
    """Say whether `correction` corrects something in the question `asked`, to which `answered` was said.

    What tells of itself that it is one does; other words, such as "no, Seoul", where the question holds what they stand for, or the
    answer holds them.
    """
    if correction.rejected:
        return (
            correction.told or _spans(_tokens(asked), correction.rejected) is not None or _stand_in(correction.rejected, answered)
        )
    return correction.told or _aligned(correction.meant, asked) is not None or _stand_in(correction.meant, answered)


def asked_anew(correction: Correction, asked: str) -> tuple[str, ...]:
    """Return the questions that may be meant, the likeliest first: `asked` with the words exchanged, with both, what is meant alone."""
    meant = _OPENING.sub("", correction.meant, count=1) if _OPENING.match(correction.meant) else correction.meant
    tokens = _tokens(asked)
    if correction.rejected and (place := _spans(tokens, correction.rejected)) is not None:
        return (_with(asked, place, meant), *((f"{asked[: place[0]]}{meant}",) if _HANGUL.search(asked[: place[0]]) else ()))
    place = _aligned(correction.meant, asked)
    exchanged = [] if place is None else [_with(asked, place, meant)]
    if place is None and _HANGUL.search(asked):  # what a Korean question is about stands first
        topic = next((token for token in tokens if _TOPIC.search(token.group())), tokens[0])
        exchanged.append(_with(asked, topic.span(), meant))
    return (*exchanged, f"{asked.rstrip(' ?.!')} {correction.meant}", meant)


def exchanged(correction: Correction, said: str) -> str | None:
    """Return `said`, which went on from a question, with the words exchanged: "and for Rome?"; None where it holds no such words."""
    tokens = _tokens(said)
    place = _spans(tokens, correction.rejected) if correction.rejected else _aligned(correction.meant, said)
    if place is None and not correction.rejected:
        place = next((token.span() for token in tokens if _TOPIC.search(token.group())), None)
    return None if place is None else _with(said, place, _OPENING.sub("", correction.meant, count=1))


def is_named(correction: Correction, passage: Passage) -> bool:
    """Say whether all that is meant stands in `passage`."""
    return _stand_in(correction.meant, f"{passage.title} {passage.heading} {passage.text}")


def _with(asked: str, place: tuple[int, int], meant: str) -> str:
    return f"{asked[: place[0]]}{meant}{asked[place[1] :]}"


def _tokens(text: str) -> list[re.Match[str]]:
    return list(_WORD.finditer(text))


def _plain(word: str) -> str:
    """Return `word` without case, possessive and Korean particle: as it is compared."""
    return _PARTICLE.sub("", word.lower().replace("’", "'").removesuffix("'s"))


def _spans(tokens: Sequence[re.Match[str]], words: str) -> tuple[int, int] | None:
    """Return where `words` stand among `tokens`, one beside the other, None where they do not."""
    core = [_plain(word) for word in _OPENING.sub("", words, count=1).split()] or [_plain(words)]
    have = [_plain(token.group()) for token in tokens]
    for first in range(len(have) - len(core) + 1):
        if have[first : first + len(core)] == core:
            return tokens[first].start(), tokens[first + len(core) - 1].end()
    return None


def _stand_in(words: str, text: str) -> bool:
    have = frozenset(terms(text))
    return all(term in have for term in content_terms(words))


def _aligned(meant: str, asked: str) -> tuple[int, int] | None:
    """Return what of `asked` is exchanged for `meant`: what stands around a word of both, else the last word of its kind."""
    tokens, words = _tokens(asked), [word.group() for word in _tokens(_OPENING.sub("", meant, count=1))]
    have, new = [_plain(token.group()) for token in tokens], [_plain(word) for word in words]
    shared = [(at, have.index(word)) for at, word in enumerate(new) if word in have and not is_empty(word)]
    if shared and len(shared) < len(new) and all(later[1] > earlier[1] for earlier, later in pairwise(shared)):
        first, last = shared[0][1], shared[-1][1]
        for _word in range(shared[0][0]):
            first -= first > 0 and bool(content_terms(tokens[first - 1].group()))
        for _word in range(len(new) - 1 - shared[-1][0]):
            last += last + 1 < len(have) and bool(content_terms(tokens[last + 1].group()))
        return tokens[first].start(), tokens[last].end()
    kind = _kind(words[-1]) if words and not shared else ""
    alike = [at for at, token in enumerate(tokens) if kind and _kind(token.group()) == kind]
    if not alike:
        return None
    return tokens[max(0, alike[-1] - (kind == "titled"))].start(), tokens[alike[-1]].end()  # a name stands before its title


def _kind(word: str) -> str:
    """Return what kind of name a word is by its look, "" where that tells nothing."""
    bare = _PARTICLE.sub("", word)
    if any(letter.isdigit() for letter in bare):
        return "numbered"
    if _TITLED.search(bare):
        return "titled"
    if all(map(is_empty, terms(word))):
        return ""
    return "owner" if word.endswith("'s") else "capital" if "A" <= bare[:1] <= "Z" else ""
