"""What a person wants translated, and into what: commands and plain requests, in Korean and English.

Owns: taking the instruction away from the text. Leaves to the skill what is done where no text is left, and to `patterns`
the forms.

    read("translate this to English: 안녕")        # Ask("안녕", target="en")
    read("다음을 일본어로 번역해 줘: 감사합니다")      # Ask("감사합니다", target="ja")
    read("how do you say “thank you” in Korean?")   # Ask("thank you", target="ko")
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from bot import lazy
from skills.translate.names import NAME, WORDS_TOO, named
from skills.translate.patterns import (
    ASKS,
    BARE,
    DIRECTION,
    ENGLISH_FORMS,
    ENGLISH_POINTERS,
    FOREIGN_RUN,
    FROM,
    INSTRUCTION,
    KOREAN_FORMS,
    KOREAN_PARTICLES,
    KOREAN_POINTERS,
    KOREAN_VERB,
    LONG_HEAD,
    LONG_TAIL,
    PAIR,
    PAIR_CODES,
    POINTER,
    QUOTED,
    TAIL_INTO,
    TO,
)

LONGEST_INSTRUCTION: Final = 120
"""Characters; a longer line is text."""
LONGEST_REQUEST: Final = 500
"""Characters; in a longer line the instruction stands at its very beginning or end."""
_SIGNS: Final = " \t\n,.:;?!~-–—>→)"
_LANGUAGE_FIRST: Final = lazy.compile(
    rf"\A(?:(?:in ?to|to|in)\s+)?({NAME})(?:\s*(?:으로|로)(?!\s*{KOREAN_VERB}))?\s*[:,]?(?:\s+|\Z)(.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_CODE_FIRST: Final = lazy.compile(
    r"\A(?:(?:to|into|in)\s+)?([^\s:,>→-]+)(?:(?:\s*(?:-{0,2}>|→)\s*|-)([^\s:,>→-]+))?\s*(:?)\s*(.*)\Z", re.DOTALL | re.IGNORECASE
)
_ONLY_VERB: Final = lazy.compile(rf"(?:좀\s*)?{KOREAN_VERB}[가-힣\s]{{0,20}}[:.!?]?\s*")

_ONLY_LANGUAGE: Final = lazy.compile(
    rf"(?:(?:and|now|then|ok(?:ay)?|please|(?:what|how) about)\b[\s,]*)*(?:in|into|to)\s+({NAME})"
    r"(?:[\s,]+(?:please|too|as well|then|now))*[\s.?!]*|"
    rf"(?:(?:그리고|그럼|그러면|이제|이번엔|다시)[\s,]*)*({NAME})(?:로|으로)(?:는|도)?(?:요)?\s*(?:(?:다시|한\s?번|좀|말|번역)\s*)*"
    r"(?:해|알려|써|바꿔|부탁해)?\s*(?:줘요?|주세요|줄래요?|요)?[\s.?!~]*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Ask:
    """The text that is left when the instruction is taken away, and the languages it names ("" where it names none)."""

    text: str
    source: str = ""
    target: str = ""
    sure: bool = True
    """False where the text was taken out of a sentence: what is quoted or attached goes before it."""


def only_language(said: str) -> str:
    """Return the language that words name which say nothing else: "and in Korean?", "일본어로는?"; "" for all others."""
    found = _ONLY_LANGUAGE.fullmatch(said.strip())
    return named(found[1] or found[2]) if found else ""


def read(text: str) -> Ask:
    """Return what the plain request `text` asks for; a text that holds no request is all text."""
    asked = text.strip()
    if directed := _directed(asked):
        return directed
    head, body = _apart(asked)
    if body:
        return _with_tail(body, *_languages(head))
    return _of_one_line(head) if head and ASKS.search(head) else _of_no_request(asked)


def _of_no_request(asked: str) -> Ask:
    return Ask("", *_languages(asked), sure=False) if points(asked) else Ask(asked, sure=False)


def _of_one_line(head: str) -> Ask:
    quoted = max(("".join(found) for found in QUOTED.findall(head)), key=len, default="").strip()
    if quoted:
        return Ask(quoted, *_languages(head.replace(quoted, " ")))
    if foreign := _foreign_part(head):
        return Ask(foreign, "", _languages(head)[1], sure=False)
    for form in (*KOREAN_FORMS, *ENGLISH_FORMS) if re.search("[가-힣]", head) else ENGLISH_FORMS:
        if found := form.match(head):
            said = found["text"].strip(_SIGNS)
            return Ask("" if points(said) else said, *_outside(head, said), sure=False)
    return Ask("", *_languages(head))


def read_arguments(args: str) -> Ask:
    """Return what the arguments of `/tr` ask for: `en TEXT`, `to Japanese TEXT`, `ko>en TEXT`, `영어로 TEXT`, or a plain request."""
    asked = args.strip()
    if found := _LANGUAGE_FIRST.match(asked):
        rest = found[2].strip()
        return Ask("" if _ONLY_VERB.fullmatch(rest) else rest, target=named(found[1]))
    if word := _CODE_FIRST.match(asked):
        first, second, colon, rest = named(word[1]), named(word[2] or ""), word[3], word[4].strip()
        if first and second:
            return Ask(rest, first, second)
        sure = word[1].lower() not in WORDS_TOO or colon or not rest or not re.match("[A-Za-z]", rest)
        if first and not word[2] and sure:
            return Ask(rest, target=first)
    return replace(read(asked), sure=True)


def _directed(asked: str) -> Ask | None:
    """Return what `EN to KO: text` or `한영 번역: text` ask for, None for anything else."""
    if found := DIRECTION.match(asked[:LONGEST_INSTRUCTION]):
        return Ask(asked[found.start(3) :].strip() if found[3] else "", named(found[1]), named(found[2]))
    if found := PAIR.match(asked):
        return Ask(found[3].strip(), PAIR_CODES[found[1]], PAIR_CODES[found[2]])
    return None


def _with_tail(body: str, source: str, target: str) -> Ask:
    """Return the text without an `, into Japanese` at its end, where nothing before it says into which language."""
    if not target and (found := TAIL_INTO.search(body, max(0, len(body) - LONGEST_INSTRUCTION))):
        return Ask(body[: found.start()].strip(), source, _languages(found[0])[1])
    return Ask(body, source, target)


def _foreign_part(head: str) -> str:
    """Return the words of another script in a Korean request that names no foreign target: “Wo ist das? 무슨 뜻이에요”."""
    if not re.search("[가-힣]", head) or _languages(head)[1] not in ("", "ko"):
        return ""
    return max((found[0] for found in FOREIGN_RUN.finditer(head)), key=len, default="")


def points(said: str) -> bool:
    """Say whether words only point at a text that is elsewhere: "this message", "이 글을"."""
    if not said or POINTER.fullmatch(said):
        return True
    return len(said) < LONGEST_INSTRUCTION and all(_points(word) for word in re.split(r"[\s,.!?]+", said) if word)


def _points(word: str) -> bool:
    if word.lower() in ENGLISH_POINTERS:
        return True
    stems = {word, *(word.removesuffix(particle) for particle in KOREAN_PARTICLES)}
    return any(
        stem in KOREAN_POINTERS or named(stem) or (stem[:1] in "이그저위" and stem[1:] in KOREAN_POINTERS)
        for stem in stems
        if stem
    )


def _apart(text: str) -> tuple[str, str]:
    """Return (instruction, text) where something parts them; (text, "") for one short line; ("", "") for no request."""
    first, _break, rest = text.partition("\n")
    if rest.strip() and _instructs(first):
        return first, rest.strip()
    before, _break, last = text.rpartition("\n")
    if before.strip() and _instructs(last):
        return last, before.strip()
    head, _colon, rest = text.partition(":")
    if rest.strip() and not rest.startswith("//") and _instructs(head):
        return head, rest.strip().strip('“”"')
    if "\n" in text:
        return "", ""
    return (text, "") if len(text) <= LONGEST_REQUEST else _apart_in_a_long_line(text)


def _apart_in_a_long_line(text: str) -> tuple[str, str]:
    if found := LONG_HEAD.match(text[: 2 * LONGEST_INSTRUCTION]):
        return found[0], text[found.end() :].strip()
    tail = text[-LONGEST_INSTRUCTION:]
    if found := LONG_TAIL.search(tail):
        return found[0], text[: len(text) - len(tail) + found.start()].strip()
    return "", ""


def _instructs(line: str) -> bool:
    return len(line) <= LONGEST_INSTRUCTION and INSTRUCTION.match(line) is not None


def _languages(instruction: str) -> tuple[str, str]:
    """Return (source, target) that an instruction names; a bare name is the target."""
    found = FROM.search(instruction)
    source = named("".join(filter(None, found.groups()))) if found else ""
    targets = [named("".join(names)) for names in TO.findall(instruction)]
    if targets:
        return source, targets[-1]
    bare = [named(name) for name in BARE.findall(instruction)]
    return source, next((iso for iso in reversed(bare) if iso != source), "")


def _outside(head: str, said: str) -> tuple[str, str]:
    """Return the languages that stand outside what is to be translated: "translate I speak French to German"."""
    if points(said) or said not in head:
        return _languages(head)
    before, _said, after = head.partition(said)
    return _languages(f"{before} … {after}")
