r"""Bytes of unknown encoding to clean text. Runs in the sandbox's child.

Owns the guess: byte-order marks, UTF-8, UTF-16 without a mark, Korean (CP949), else Western (CP1252). A damaged byte costs its letter alone.

    decode(b"\xc7\xd1\xb1\xdb")   # "한글"
"""

from __future__ import annotations

import codecs

from bot import lazy

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
_UNSEEN = lazy.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u2060\ufeff\ud800-\udfff]")
_HANGUL = lazy.compile("[\uac00-\ud7a3]")
_BEYOND_ASCII = lazy.compile("[^\x00-\x7f]")
_UPPER_OF_HANGUL = lazy.compile(rb"[\xac-\xd7]")
_CONTROL = lazy.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")

LOOKED_AT = 65_536
COMMON_SHARE = 0.8
"""Share of the Hangul that must be of KS X 1001: accented Western letters read as CP949 fall outside of it."""
CONTROL_SHARE = 0.01
"""Share of control bytes above which a file is no text."""
FEW_CONTROLS = 4
"""Control bytes that the shortest text may have."""
MOST_LOST = 20
"""Of so many letters beyond ASCII one may be damaged: a text in another encoding loses most of them."""
LEAST_UNITS = 4
"""Letters below which UTF-16 is not guessed."""


def decode(data: bytes) -> str:
    """Return the text of `data`, without what is never seen: NUL, controls, lone surrogates, zero-width marks."""
    return clean(_decoded(data))


def clean(text: str) -> str:
    """Return `text` with plain line ends and without what is never seen."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\v", "\n").replace("\f", "\n\n"))


def is_binary(data: bytes) -> bool:
    """Say whether `data` is no text in any encoding known here: too many control bytes."""
    head = data[:LOOKED_AT]
    if head.startswith(tuple(mark for mark, _name in _MARKS)) or _utf16_without_mark(head):
        return False
    return len(_CONTROL.findall(head)) > max(FEW_CONTROLS, CONTROL_SHARE * len(head))


def _decoded(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start >= len(data) - 3:  # cut in the midst of its last letter
            return data.decode("utf-8", "ignore")
    if encoding := _utf16_without_mark(data[:LOOKED_AT]):
        return data.decode(encoding, "replace")
    return _damaged(data, "utf-8") or _korean(data) or _damaged(data, "cp949") or data.decode("cp1252", "replace")


def _damaged(data: bytes, encoding: str) -> str:
    """Return `data` read in `encoding` where hardly a letter beyond ASCII is not of it, "" where more are."""
    text = data.decode(encoding, "replace")
    own = _HANGUL if encoding == "cp949" else _BEYOND_ASCII
    return text if text.count("\ufffd") * MOST_LOST < len(own.findall(text)) else ""


def _utf16_without_mark(head: bytes) -> str:
    """Return utf-16-le or utf-16-be where every other byte is mostly NUL, or of a syllable's upper half beside NUL; "" where not."""
    if len(head) // 2 < LEAST_UNITS:
        return ""
    if _is_upper_half(head[1::2], head[0::2]):
        return "utf-16-le"
    return "utf-16-be" if _is_upper_half(head[0::2], head[1::2]) else ""


def _is_upper_half(upper: bytes, lower: bytes) -> bool:
    nul, other = upper.count(0), lower.count(0)
    if nul > 0.4 * len(upper):
        return other < 0.05 * len(lower)
    hangul = len(_UPPER_OF_HANGUL.findall(upper))
    return nul > 0 and nul + hangul >= 0.95 * len(upper) and other < 0.2 * len(lower)  # 가 ends with NUL


def _korean(data: bytes) -> str:
    """Return `data` read as CP949 where that makes Korean of it, "" where not."""
    try:
        text = data.decode("cp949")
    except UnicodeDecodeError as error:
        if error.start < len(data) - 2:
            return ""
        text = data[: error.start].decode("cp949")
    hangul = _HANGUL.findall(text)
    common = sum(1 for syllable in hangul if syllable.encode("euc-kr", "ignore"))
    foreign = len(_BEYOND_ASCII.findall(text))
    return text if hangul and common >= COMMON_SHARE * len(hangul) and len(hangul) * 2 >= foreign else ""
