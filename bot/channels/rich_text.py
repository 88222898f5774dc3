"""The Markdown subset of a reply as text with spans, the form in which Telegram and Slack are given it.

Owns the parser (bold, italic, code, fences, links, lists, quotes; a backslash takes a sign literally). Leaves splitting to
`rich_split` and the platforms' own forms to `telegram_outgoing` and `slack_outgoing`. It is a parser of our own because CommonMark does not
close `**` between punctuation and a Hangul particle (`**“회의”**는`), and because it must keep every line as it was written.

    parse("**Hi** `x`")  # Rich("Hi x", (Span(0, 2, "bold"), Span(3, 4, "code")))
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Final, Literal, Self

from bot import lazy

SpanKind = Literal["bold", "italic", "code", "pre", "link", "quote", "expandable"]

BLOCKS: Final[frozenset[SpanKind]] = frozenset({"pre", "quote", "expandable"})
"""What stands in lines of its own."""
BULLET = "• "
_DEPTH = 8
"""How many openers back a closer looks: keeps hostile text linear."""
_SAFE_LINK = lazy.compile(r"https?://[^\s/]", re.IGNORECASE)
_MARKUP = lazy.compile(r"[*`\[\\~]|^[ \t]*(?:[-+>])", re.MULTILINE)
_FENCE = lazy.compile(r"^ {0,3}(?P<mark>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]{0,32})[ \t]*$")
_QUOTE = lazy.compile(r"^ {0,3}(?:> ?)+")
_ITEM = lazy.compile(r"^([ \t]*)[-*+] (?=\S)")
_TOKEN = lazy.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<ticks>`+)"
    r"|(?P<stars>\*\*|\*)"
    r"|(?P<open>\[)"
    r'|\]\(<?(?P<url>[^\s()<>]{0,2048}(?:\([^\s()<>]{0,256}\)[^\s()<>]{0,256}){0,8})>?(?: "[^"\n]{0,256}")?\)'
)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A styled range, in code points, half open. `detail`: the address of a link, the language of a pre."""

    start: int
    end: int
    kind: SpanKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Rich:
    """Text and what is styled in it. Spans nest or keep apart, and never reach past the text."""

    text: str
    spans: tuple[Span, ...] = ()

    def __add__(self, other: Rich) -> Rich:
        by = len(self.text)
        return Rich(self.text + other.text, self.spans + tuple(_moved(span, by) for span in other.spans))

    def cut(self, start: int, end: int) -> Self:
        """Return the range with its spans clipped to it: a fence that is cut is a fence on both sides."""
        clipped = (replace(span, start=max(span.start, start), end=min(span.end, end)) for span in self.spans)
        return replace(self, text=self.text[start:end], spans=tuple(_moved(s, -start) for s in clipped if s.start < s.end))

    def trimmed(self) -> Self:
        """Return it without white space around it, as Telegram would store it."""
        start = len(self.text) - len(self.text.lstrip())
        return self.cut(start, max(start, len(self.text.rstrip())))

    def styled(self, kind: SpanKind, detail: str = "") -> Self:
        """Return it with a span of `kind` over all of it."""
        if not self.text:
            return self
        return replace(self, spans=(Span(0, len(self.text), kind, detail), *self.spans))

    def stretches(self) -> Iterator[tuple[Self, Span | None]]:
        """Yield each block, with its span, and what is between, with None; a line feed beside a block is its own border."""
        at = 0
        for span in sorted(span for span in self.spans if span.kind in BLOCKS):
            if span.start < at:
                continue
            between = self.text[at : span.start]
            if between.strip():
                yield self.cut(at, span.start - between.endswith("\n")), None
            yield self.cut(span.start, span.end), span
            at = span.end + (self.text[span.end : span.end + 1] == "\n")
        if self.text[at:].strip():
            yield self.cut(at, len(self.text)), None

    @property
    def blank(self) -> bool:
        """Say whether nothing of it would be seen: Telegram refuses such a message."""
        return not any(unicodedata.category(sign)[0] not in "CZ" for sign in self.text)


def parse(markdown: str) -> Rich:
    """Return the text of the Markdown subset and its spans. Linear in the length; what is no markup stays as it is."""
    text = clean(markdown)
    if not _MARKUP.search(text):
        return Rich(text)
    parts: list[Rich] = []
    for block in _blocks(text.split("\n")):
        if parts:
            parts.append(Rich("\n"))
        parts.append(block.rich())
    return joined(parts)


def clean(text: str) -> str:
    """Return `text` as Telegram can carry it: no lone surrogate, no control character but tab and line feed."""
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(_carried(sign) if not sign.isprintable() else sign for sign in text)


def joined(parts: Iterable[Rich]) -> Rich:
    """Return the parts one after the other (linear, where `+` in a loop is not)."""
    texts: list[str] = []
    spans: list[Span] = []
    length = 0
    for part in parts:
        texts.append(part.text)
        spans.extend(_moved(span, length) for span in part.spans)
        length += len(part.text)
    return Rich("".join(texts), tuple(spans))


def safe_link(url: str) -> bool:
    """Say whether `url` may be made a link: only http and https."""
    return bool(_SAFE_LINK.match(url))


def units(text: str) -> int:
    """Return the length of `text` in UTF-16 code units, as Telegram counts.

    Source: https://core.telegram.org/bots/api#messageentity
    """
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(slots=True)
class _Block:
    kind: Literal["text", "quote", "pre"]
    lines: list[str] = field(default_factory=list)
    language: str = ""

    def rich(self) -> Rich:
        if self.kind == "pre":
            return Rich("\n".join(self.lines)).styled("pre", self.language)
        paragraphs = [_inline(paragraph) for paragraph in re.split(r"(\n[ \t]*\n)", "\n".join(self.lines))]
        return joined(paragraphs).styled("quote") if self.kind == "quote" else joined(paragraphs)


def _blocks(lines: list[str]) -> Iterator[_Block]:
    block = _Block("text")
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        if fence:
            end = _end_of_fence(lines, number, fence["mark"])
            yield from [block] if block.lines else []
            yield _Block("pre", lines[number + 1 : end], fence["language"])
            block, number = _Block("text"), end + 1
            continue
        kind: Literal["text", "quote"] = "quote" if _QUOTE.match(lines[number]) else "text"
        if kind != block.kind:
            yield from [block] if block.lines else []
            block = _Block(kind)
        line = _QUOTE.sub("", lines[number]) if kind == "quote" else lines[number]
        block.lines.append(_ITEM.sub(rf"\1{BULLET}", line))
        number += 1
    if block.lines:
        yield block


def _end_of_fence(lines: list[str], start: int, mark: str) -> int:
    """Return the number of the line that closes the fence; one never closed runs to the end."""
    for number in range(start + 1, len(lines)):
        line = lines[number].strip()
        if len(line) >= len(mark) and line == mark[0] * len(line):
            return number
    return len(lines)


def _inline(text: str) -> Rich:
    """Return one paragraph with its inline marks read. An opener that finds no closer stays a sign."""
    if not re.search(r"[*`\[\\]", text):
        return Rich(text)
    return _Inline(text).read()


class _Inline:
    """One pass over a paragraph: pieces of output, openers that wait, spans in numbers of pieces."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces: list[str] = []
        self._waiting: list[tuple[str, int]] = []
        self._spans: list[Span] = []
        self._ticks: defaultdict[int, list[int]] = defaultdict(list)
        for run in re.finditer("`+", text):
            self._ticks[len(run[0])].append(run.start())

    def read(self) -> Rich:
        position = 0
        while token := _TOKEN.search(self._text, position):
            self._pieces.append(self._text[position : token.start()])
            position = self._take(token)
        self._pieces.append(self._text[position:])
        at = list(accumulate(map(len, self._pieces), initial=0))
        spans = (replace(span, start=at[span.start], end=at[span.end]) for span in self._spans)
        return Rich("".join(self._pieces), _without_overlap(sorted(span for span in spans if span.start < span.end)))

    def _take(self, token: re.Match[str]) -> int:
        """Read one token and return where to go on."""
        if token["escaped"]:
            self._pieces.append(token["escaped"])
        elif token["ticks"]:
            return self._code(token)
        elif token["stars"]:
            return self._stars(token)
        elif token["open"]:
            self._open("[")
        else:
            self._link(token)
        return token.end()

    def _code(self, token: re.Match[str]) -> int:
        places = self._ticks[len(token["ticks"])]
        following = bisect_right(places, token.start())
        if following == len(places):
            self._pieces.append(token[0])
            return token.end()
        content = self._text[token.end() : places[following]].replace("\n", " ")
        padded = content.startswith((" ", "`")) and content.endswith((" ", "`")) and content.strip()
        self._pieces.append(content.strip(" ") if padded else content)
        self._spans.append(Span(len(self._pieces) - 1, len(self._pieces), "code"))
        return places[following] + len(token["ticks"])

    def _stars(self, token: re.Match[str]) -> int:
        mark = token["stars"]
        if self._text.startswith("***", token.start()) and self._waiting and self._waiting[-1][0] == "*":
            mark = "*"  # the italic in a bold closes first: **so *far***
        end = token.start() + len(mark)
        before, after = self._text[token.start() - 1 : token.start()], self._text[end : end + 1]
        in_word = mark == "*" and before.isascii() and before.isalnum() and after.isascii() and after.isalnum()
        if before.strip() and not in_word and not self._just_opened() and (start := self._close(mark)) is not None:
            self._spans.append(Span(start, len(self._pieces), "bold" if mark == "**" else "italic"))
        elif after.strip() and not in_word:
            self._open(mark)
        else:
            self._pieces.append(mark)
        return end

    def _link(self, token: re.Match[str]) -> None:
        url = token["url"]
        start = self._close("[")
        if start is None:
            self._pieces.append(token[0])
            return
        self._waiting = [opener for opener in self._waiting[-_DEPTH:] if opener[0] != "["]  # a link holds no link
        if not any(self._pieces[start:]):
            self._pieces.append(url)
        if safe_link(url):
            self._spans.append(Span(start, len(self._pieces), "link", url))

    def _just_opened(self) -> bool:
        return bool(self._waiting) and self._waiting[-1][1] == len(self._pieces) - 2 and not self._pieces[-1]

    def _open(self, mark: str) -> None:
        self._pieces.append(mark)
        self._waiting.append((mark, len(self._pieces) - 1))

    def _close(self, mark: str) -> int | None:
        """Return the piece at which the nearest opener of `mark` stands and blank it; None where none waits."""
        if not any(waiting == mark for waiting, _piece in self._waiting[-_DEPTH:]):
            return None
        while self._waiting:
            waiting, piece = self._waiting.pop()
            if waiting == mark:
                self._pieces[piece] = ""
                return piece
        return None


def _without_overlap(spans: list[Span]) -> tuple[Span, ...]:
    """Keep code out of links, and bold and italic out of code: Telegram lets code hold and be in nothing.

    Source: https://core.telegram.org/bots/api#formatting-options
    """
    links = [span for span in spans if span.kind == "link"]
    codes = [span for span in spans if span.kind == "code" and not _touching(span, links)]
    kept = links + codes
    for span in spans:
        if span.kind not in ("link", "code"):
            kept.extend(_around(span, _touching(span, codes)))
    return tuple(sorted(set(kept)))


def _touching(span: Span, others: list[Span]) -> list[Span]:
    """Return those of `others` (sorted, apart from each other) that share a sign with `span`."""
    first = bisect_right(others, span.start, key=lambda other: other.end)
    last = bisect_left(others, span.end, key=lambda other: other.start)
    return others[first:last]


def _around(span: Span, holes: list[Span]) -> Iterator[Span]:
    start = span.start
    for hole in holes:
        if start < hole.start:
            yield replace(span, start=start, end=hole.start)
        start = hole.end
    if start < span.end:
        yield replace(span, start=start)


def _carried(sign: str) -> str:
    if sign in "\n\t":
        return sign
    kind = unicodedata.category(sign)
    if kind == "Cs":
        return "\ufffd"
    return " " if kind == "Cc" else sign


def _moved(span: Span, by: int) -> Span:
    return replace(span, start=span.start + by, end=span.end + by) if by else span
