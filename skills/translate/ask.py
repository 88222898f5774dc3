"""What a person wants translated, and into what: commands and plain requests, in Korean and English.

Owns: taking the instruction away from the text. Leaves to the skill what is done where no text is left, and to `patterns`
the forms.

    read("translate this to English: 안녕")        # Ask("안녕", target="en")
    read("다음을 일본어로 번역해 줘: 감사합니다")      # Ask("감사합니다", target="ja")
    read("how do you say “thank you” in Korean?")   # Ask("thank you", target="ko")
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from skills.translate.names import NAME, WORDS_TOO, named
from skills.translate.patterns import (
    ASKS,
    BARE,
    ENGLISH_FORMS,
    FROM,
    INSTRUCTION,
    KOREAN_FORMS,
    KOREAN_PARTICLES,
    KOREAN_POINTERS,
    KOREAN_VERB,
    LONG_HEAD,
    LONG_TAIL,
    POINTER,
    QUOTED,
    TO,
)

LONGEST_INSTRUCTION: Final = 120
"""Characters; a longer line is text."""
LONGEST_REQUEST: Final = 500
"""Characters; in a longer line the instruction stands at its very beginning or end."""
_SIGNS: Final = " \t\n,.:;?!~-–—>→)"
_LANGUAGE_FIRST: Final = re.compile(
    rf"\A(?:(?:in ?to|to|in)\s+)?({NAME})(?:\s*(?:으로|로)(?!\s*{KOREAN_VERB}))?\s*[:,]?(?:\s+|\Z)(.*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_CODE_FIRST: Final = re.compile(
    r"\A(?:(?:to|into|in)\s+)?([^\s:,>→-]+)(?:(?:\s*(?:-{0,2}>|→)\s*|-)([^\s:,>→-]+))?\s*(:?)\s*(.*)\Z", re.DOTALL | re.IGNORECASE
)
_ONLY_VERB: Final = re.compile(rf"(?:좀\s*)?{KOREAN_VERB}[가-힣\s]{{0,20}}[:.!?]?\s*")


@dataclass(frozen=True, slots=True)
class Ask:
    """The text that is left when the instruction is taken away, and the languages it names ("" where it names none)."""

    text: str
    source: str = ""
    target: str = ""


def read(text: str) -> Ask:
    """Return what the plain request `text` asks for; a text that holds no request is all text."""
    asked = text.strip()
    head, body = _apart(asked)
    if body:
        return Ask(body, *_languages(head))
    if not head or not ASKS.search(head):
        return Ask(asked)
    quoted = max(("".join(found) for found in QUOTED.findall(head)), key=len, default="").strip()
    if quoted:
        return Ask(quoted, *_languages(head.replace(quoted, " ")))
    for form in (*KOREAN_FORMS, *ENGLISH_FORMS) if re.search("[가-힣]", head) else ENGLISH_FORMS:
        if found := form.match(head):
            said = found["text"].strip(_SIGNS)
            return Ask("" if points(said) else said, *_outside(head, said))
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
    return read(asked)


def points(said: str) -> bool:
    """Say whether words only point at a text that is elsewhere: "this message", "이 글을"."""
    if not said or POINTER.fullmatch(said):
        return True
    return len(said) < LONGEST_INSTRUCTION and all(_points_in_korean(word) for word in re.split(r"[\s,]+", said) if word)


def _points_in_korean(word: str) -> bool:
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
