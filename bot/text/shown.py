r"""Others' words in the bot's own: names, titles and passages that stand in a sentence and can do nothing to it.

Owns: what is taken out of a name, and how a text is written so that Markdown shows it as it stands. Leaves to the channels what
a platform would act on by itself.

    named("a\u202egnp.exe\n")           # "agnp.exe"
    literal("[x](https://a.example)")   # r"\[x\](https://a.example)"
"""

from __future__ import annotations

import re

from bot import lazy

UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What has no shape of its own, for a pattern's brackets: joiners, marks of direction, selectors of variants, fillers, tags.

Source: https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt, Default_Ignorable_Code_Point
"""
TURNS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
"""What turns the direction of writing, for a pattern's brackets. Source: https://www.unicode.org/reports/tr9/#Table_Bidirectional_Character_Types"""
LONGEST_NAME = 200
"""Characters of a person's or a file's name that are kept."""

_TURNED = lazy.compile(f"[{TURNS}]")
_LEFTWARD = lazy.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_FIRST_STRONG, _ENDED = "\u2068", "\u2069"
_NO_LINE = lazy.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")
_IN_NO_NAME = lazy.compile(f"(?![\u200c\u200d\ufe0e\ufe0f])[{UNSEEN}\ud800-\udfff]")  # what joins and colours emoji stays
_SIGNS = lazy.compile(r"[\\*`\[\]~<>]|&(?=#?\w)|(?<![^\W_])_|_(?![^\W_])|!(?=\[)")
_LINE_STARTS = lazy.compile(r"^([ \t]*)(?=[+#-])", re.MULTILINE)


def named(name: str) -> str:
    """Return a name on one line, without what is not seen, turns the writing or acts on a terminal; "" where nothing is left."""
    shown = _NO_LINE.sub(" ", _IN_NO_NAME.sub("", name)).strip()
    return shown if len(shown) <= LONGEST_NAME else f"{shown[: LONGEST_NAME - 1].rstrip()}…"


def isolated(text: str) -> str:
    """Return `text` so that it turns nothing that follows it: without marks of direction, and apart where it runs to the left."""
    if text.isascii():
        return text
    plain = _TURNED.sub("", text)
    return f"{_FIRST_STRONG}{plain}{_ENDED}" if _LEFTWARD.search(plain) else plain


def literal(text: str) -> str:
    """Return `text` so that the subset of Markdown shows it as it stands, its lines too."""
    return _LINE_STARTS.sub(r"\1\\", _SIGNS.sub(r"\\\g<0>", text))


def in_code(text: str) -> str:
    """Return `text` as it can stand between backticks: on one line, without any."""
    return _NO_LINE.sub(" ", text).replace("`", "'").strip()
