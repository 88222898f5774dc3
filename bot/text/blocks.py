r"""The layout of a text: which stretches are prose, headings, list items, code or turns of a chat.

Owns: cutting a text into blocks by its lines; telling a wrapped line from one that was ended on purpose. Leaves to
`bot.text.boundaries` where a sentence ends inside a block.

    [block.kind for block in blocks("# Plan\n- buy milk\n- sleep")]   # ["heading", "list", "list"]
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bot import lazy

Kind = Literal["prose", "list", "code", "turn", "heading"]

SHORTEST_WRAP = 40
"""Characters: lines of a block whose longest is shorter were not wrapped by a program, but ended by a person."""
LONGEST_HEADING = 80
"""Characters."""
LOOKED_AT = 400
"""Characters of a line by which its kind is told."""

_LABEL_WORDS = """
note notes time date place venue agenda subject topic title author authors from to cc re ps p.s tip tips warning example source
http https ftp 일시 장소 주제 제목 안건 참석자 참고 비고 주의 예 출처 날짜 시간 담당 결론 요약 목적 내용 문의 링크 주소
"""
LABELS = frozenset(_LABEL_WORDS.split())
"""What stands before a colon without anybody speaking."""

_LINE = lazy.compile("([^\n\r\f\v\x1c-\x1e\x85\u2028\u2029]*)(\r\n|[\n\r\f\v\x1c-\x1e\x85\u2028\u2029]|\\Z)")
_FENCE = lazy.compile(r"\s{0,3}(?P<fence>`{3,}|~{3,})")
_HEADING = lazy.compile(r"\s{0,3}#{1,6}\s+\S|제\s?\d{1,3}\s?[장절편부]\s|(?:Chapter|Section|Part)\s\d{1,3}\b(?!.*[.!?]$)")
_UNDERLINE = lazy.compile(r"\s{0,3}(?:={3,}|-{3,}|_{3,}|\*{3,})\s*$|\s*-{3,}.{1,40}-{3,}\s*$")
_ITEM = lazy.compile(r"\s*(?:[-*+•‣▪◦·▶►○●■□※–—]|\(?\d{1,2}[.)]|\(?[a-zA-Z가-하]\)|[가-하]\.|[①-⑳])\s+(?=\S)")
_QUOTED_OR_ROW = lazy.compile(r"\s*(?:>|\|.*\|\s*$)")
_CLOCK = r"(?:(?:오전|오후|[AaPp][Mm])\s?)?\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AaPp]\.?[Mm]\.?)?"
_DAY = r"(?:\d{4}[-./]\s?\d{1,2}[-./]\s?\d{1,2}\.?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{4}년\s\d{1,2}월\s\d{1,2}일)"
_STAMPED = lazy.compile(
    rf"\s{{0,8}}(?:\[(?P<kakao>[^\]\n]{{1,30}})\]\s?\[{_CLOCK}\]\s?"
    rf"|\[?(?:{_DAY}(?:T|,?\s{{0,2}}))?{_CLOCK}\]?(?:\s?[-–]|,)?\s{{0,2}}(?:<(?P<angled>[^>\n]{{1,30}})>|(?P<stamped>[^:<>\n]{{1,30}}?)\s?:(?=\s|$))\s?"
    r"|<(?P<irc>[@+]?[\w.-]{1,30})>\s"
    r"|#(?P<hashed>[^#\n]{1,30})#\s?:\s?"
    rf"|(?P<slack>[^\W\d_][^:\n]{{0,29}}?)\s{{1,3}}\[?{_CLOCK}\]?\s*$)"
)
_NAMED = lazy.compile(
    r"\s{0,8}(?:\*\*|__)?(?P<name>[^\W\d_](?:[\w.'’&()-]| (?=\S)){0,29}?)(?:\*\*|__)?\s?[:：](?:\*\*|__)?(?:\s+|$)"
)
_ENDED = lazy.compile(r"[.!?…。！？:;][\"'”’)\]}»」』】〉》*_]*\s*$")
_KOREAN_END = lazy.compile(r"(?:다|요|죠|까|음|함|임|됨|네|ㅋ|ㅎ|ㅠ|ㅜ)[\s~^]*$")


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a text, half-open. `speaker` says who talks in a turn; `lead` is how many characters name them."""

    start: int
    end: int
    kind: Kind
    paragraph: int
    speaker: str = ""
    lead: int = 0


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str

    @property
    def blank(self) -> bool:
        return not self.text.strip()

    @property
    def head(self) -> str:
        """What tells a line's kind: no more than its first characters, so that a line of a megabyte costs no more."""
        return self.text[:LOOKED_AT]


@dataclass(frozen=True, slots=True)
class _Tag:
    """Who speaks on a line, and where what they say begins in it."""

    name: str
    end: int


def blocks(text: str) -> list[Block]:
    """Return the blocks of `text` in order; whatever is no white space lies in exactly one of them. Linear in its length."""
    lines = [_Line(match.start(1), match.end(1), match[1]) for match in _LINE.finditer(text) if match.end() > match.start()]
    return list(_Reader(lines, _speakers(lines)).read())


class _Reader:
    """Walks over the lines once."""

    def __init__(self, lines: list[_Line], tags: dict[int, _Tag]) -> None:
        self._lines = lines
        self._tags = tags
        self._at = 0
        self._paragraph = -1

    def read(self) -> Iterator[Block]:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.blank:
                self._at += 1
                continue
            self._paragraph += 1
            if fence := _FENCE.match(line.head):
                yield self._code(fence["fence"])
            elif self._at in self._tags:
                yield from self._turn(self._tags[self._at])
            elif _ITEM.match(line.head) and not _UNDERLINE.match(line.head):
                yield from self._item()
            elif self._is_heading():
                yield self._one("heading")
            elif _QUOTED_OR_ROW.match(line.head):
                yield self._one("prose" if line.text.lstrip()[0] == ">" else "list")
            else:
                yield from self._prose()

    def _one(self, kind: Kind) -> Block:
        line = self._lines[self._at]
        self._at += 1
        return Block(line.start, line.end, kind, self._paragraph)

    def _code(self, fence: str) -> Block:
        first = self._lines[self._at]
        last = first
        self._at += 1
        while self._at < len(self._lines):
            last = self._lines[self._at]
            self._at += 1
            if last.text.strip().startswith(fence) and not last.text.strip().strip(fence[0]):
                break
        return Block(first.start, last.end, "code", self._paragraph)

    def _turn(self, tag: _Tag) -> Iterator[Block]:
        first, *others = self._take()
        start, lead = first.start, tag.end
        if lead >= len(first.text) and others:  # the name stands on a line of its own
            lead = others[0].start - start
            first, *others = others
        for number, (begin, end) in enumerate(_join([first, *others])):
            if number:
                yield Block(begin, end, "turn", self._paragraph, tag.name)
            else:
                yield Block(start, end, "turn", self._paragraph, tag.name, min(lead, end - start))

    def _item(self) -> Iterator[Block]:
        lines = self._take()
        yield from (Block(start, end, "list", self._paragraph) for start, end in _join(lines))

    def _prose(self) -> Iterator[Block]:
        lines = self._take()
        yield from (Block(start, end, "prose", self._paragraph) for start, end in _join(lines))

    def _take(self) -> list[_Line]:
        """Return this line and those that go on with it: up to a blank line or one that begins something else."""
        taken = [self._lines[self._at]]
        self._at += 1
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.blank or self._at in self._tags or _FENCE.match(line.head) or _QUOTED_OR_ROW.match(line.head):
                break
            if _HEADING.match(line.head) or _UNDERLINE.match(line.head) or _ITEM.match(line.head):
                break
            taken.append(line)
            self._at += 1
        return taken

    def _is_heading(self) -> bool:
        """Say whether this line heads what follows: marked, underlined, or short, alone, unended and before a longer one."""
        text = self._lines[self._at].head
        if _HEADING.match(text) or _UNDERLINE.match(text):
            return True
        if self._at + 1 >= len(self._lines) or len(text.strip()) > LONGEST_HEADING:
            return False
        if _UNDERLINE.match(self._lines[self._at + 1].head):
            return True
        alone = self._lines[self._at + 1].blank and (self._at == 0 or self._lines[self._at - 1].blank)
        if not alone or _ENDED.search(text) or _KOREAN_END.search(text):
            return False
        following = next((line for line in self._lines[self._at + 1 : self._at + 4] if not line.blank), None)
        return following is not None and len(following.text) > len(text) + 20


def _speakers(lines: list[_Line]) -> dict[int, _Tag]:
    """Return who speaks on which line. A bare `Name:` counts where a name comes back, or every line has one that is no label."""
    sure: dict[int, _Tag] = {}
    maybe: dict[int, _Tag] = {}
    for number, line in enumerate(lines):
        if match := _STAMPED.match(line.head):
            sure[number] = _Tag(next(name for name in match.groups() if name).strip(), match.end())
        elif match := _NAMED.match(line.head):
            maybe[number] = _Tag(match["name"].strip(), match.end())
    names = Counter(tag.name for tag in maybe.values())
    written = sum(not line.blank for line in lines)
    talk = len(maybe) > 1 and len(maybe) == written and not any(name.lower() in LABELS for name in names)
    several = len(names) > 1 and max(names.values()) > 1 and 2 * (len(maybe) + len(sure)) >= written
    spoken = {name for name in names if name.lower() not in LABELS and (talk or several or names[name] > 1)}
    sure |= {number: tag for number, tag in maybe.items() if tag.name in spoken}
    return sure


def _join(lines: list[_Line]) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of what was one line before a program wrapped it."""
    width = max(len(line.text.rstrip()) for line in lines)
    start = lines[0].start
    for line, following in itertools.pairwise(lines):
        if not _is_wrapped(line.text.rstrip(), following.text.lstrip(), width):
            yield start, line.end
            start = following.start
    yield start, lines[-1].end


def _is_wrapped(line: str, following: str, width: int) -> bool:
    """Say whether the break between two lines is a program's: the next word had no room, or the sentence plainly goes on."""
    if line.endswith(",") or "a" <= following[:1] <= "z":
        return True
    word = len(following.split(maxsplit=1)[0]) if following[:200].split() else 0
    return width >= SHORTEST_WRAP and len(line) + 1 + word > width
