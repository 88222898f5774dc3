r"""A text's shape apart from its sentences: lists, quotes, headings, blank lines and code keep their places.

Owns: taking a text apart into what is translated and what is not, and putting it together again. Leaves to
`bot.text.sentences` where a sentence ends.

    layout = Layout.of("- First. Second.\\n- https://example.org")
    layout.sentences            # ("First.", "Second.")
    layout.filled(["Erstens.", "Zweitens."], target="de")
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot import lazy
from bot.text.sentences import split

_MARKER: Final = lazy.compile(r"\s*(?:(?:[-*•‣·–]|\d{1,3}[.)]|#{1,6}|>+|\[[ xX]\])\s+)*")
_FENCE: Final = lazy.compile(r"\s*(```|~~~)")
_URL: Final = lazy.compile(r"https?://[^\s<>()\[\]]+[^\s<>()\[\].,;:!?'\"]")
_NOT_WORDS: Final = lazy.compile(r"https?://\S+|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+|`[^`]*`|@\w+")
_ENDS: Final = (".", "!", "?", "…", ":", ";", "。", "！", "？", "”", '"', "」", "』", ")", "다", "요", "까", "죠")
WRAPPED_LINE: Final = 45
"""A line at least so long that ends amid a sentence was broken by a page's margin, not by a person."""
UNSPACED: Final = frozenset({"ja", "zh", "th", "lo", "km", "my"})


@dataclass(frozen=True, slots=True)
class Layout:
    """A text in pieces: (kept as it is, translated or not)."""

    pieces: tuple[tuple[str, bool], ...]

    @classmethod
    def of(cls, text: str) -> Layout:
        """Take `text` apart."""
        return cls(tuple(_pieces(text)))

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is to be translated, in order."""
        return tuple(piece for piece, translated in self.pieces if translated)

    def filled(self, translations: Sequence[str], *, target: str) -> str:
        """Return the text with its sentences replaced, in order; links that a model lost stand behind their sentence."""
        if len(translations) != len(self.sentences):
            msg = f"expected {len(self.sentences)} translations, received {len(translations)}"
            raise ValueError(msg)
        left = iter(translations)
        parts = [_with_links(piece, next(left)) if translated else piece for piece, translated in self.pieces]
        if target in UNSPACED:
            parts = ["" if piece == (" ", False) else part for piece, part in zip(self.pieces, parts, strict=True)]
        return "".join(parts).strip()


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    fence = ""
    for number, line in enumerate(_unwrapped(text)):
        if number:
            yield "\n", False
        opening = _FENCE.match(line)
        if fence or opening:
            yield line, False
            fence = "" if fence and opening and opening[1] == fence else fence or (opening[1] if opening else "")
            continue
        marker = _MARKER.match(line)
        start = marker.end() if marker else 0
        yield line[:start], False
        yield from _sentences(line[start:])


def _sentences(line: str) -> Iterator[tuple[str, bool]]:
    for number, sentence in enumerate(split(line)):
        if number:
            yield " ", False
        yield sentence.text, any(letter.isalpha() for letter in _NOT_WORDS.sub("", sentence.text))


def _unwrapped(text: str) -> Iterator[str]:
    """Yield lines, those that a margin broke joined."""
    pending, fence = "", False
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        opens = bool(_FENCE.match(line))
        if pending and not (fence or opens) and line.strip() and not _marked(line):
            pending = f"{pending.rstrip()} {line.strip()}"
        else:
            if pending:
                yield pending
            pending = line
        fence ^= opens
        if fence or opens or len(line) < WRAPPED_LINE or line.rstrip().endswith(_ENDS):
            yield pending
            pending = ""
    if pending:
        yield pending


def _marked(line: str) -> bool:
    marker = _MARKER.match(line)
    return marker is not None and bool(marker[0].strip())


def _with_links(sentence: str, translation: str) -> str:
    lost = [link for link in _URL.findall(sentence) if link not in translation]
    return " ".join([translation, *lost]).strip()
