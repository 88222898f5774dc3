"""How people name a language, in Korean and English, and as a code.

named("일본어")     # "ja"
named("French")     # "fr"
"""

from __future__ import annotations

import re
from typing import Final

from bot.models.languages import TONGUES

_ALIASES: Final = {
    "ko": ("hangul", "한국말", "한글", "국어", "우리말", "한국어"),
    "en": ("영문", "영어"),
    "ja": ("일어", "일본말", "일문"),
    "zh": ("mandarin", "simplified chinese", "중국말", "중문", "한문", "한자", "북경어", "만다린"),
    "fr": ("불어", "프랑스말"),
    "de": ("독어", "독일말"),
    "es": ("castilian", "에스파냐어", "서반아어"),
    "ru": ("러시아말", "노어"),
    "it": ("이태리어", "이탈리아말"),
    "vi": ("베트남말", "월남어"),
    "th": ("타이어", "태국말"),
    "id": ("bahasa indonesia", "bahasa", "인니어", "인도네시아말"),
    "mn": ("몽고어",),
    "tr": ("터키어", "튀르키에어"),
    "pt": ("brazilian portuguese", "brazilian", "포어", "브라질어"),
    "ar": ("아라비아어", "아랍말"),
    "fa": ("farsi", "이란어"),
    "el": ("희랍어",),
    "hi": ("인도어", "힌두어"),
    "tl": ("filipino", "필리핀어", "따갈로그어"),
    "he": ("이스라엘어", "히브루어"),
    "my": ("myanmar", "미얀마어"),
    "km": ("cambodian", "캄보디아어"),
    "lo": ("laotian", "라오스어"),
    "ne": ("nepalese",),
    "nl": ("flemish", "화란어"),
    "uk": ("우크라이나말",),
    "ms": ("말레이시아어", "malaysian"),
    "ka": ("그루지야어",),
    "si": ("sinhalese", "스리랑카어"),
    "ca": ("카탈로니아어",),
    "sw": ("kiswahili",),
    "no": ("bokmal", "bokmål"),
    "bn": ("bangla",),
    "pa": ("panjabi",),
    "ga": ("gaelic",),
}
_CODES: Final = {"kr": "ko", "jp": "ja", "cn": "zh", "kor": "ko", "eng": "en", "jpn": "ja", "chn": "zh", "chi": "zh"}
"""What people write for a language and ISO 639-1 does not."""
WORDS_TOO: Final = frozenset(
    {"am", "as", "be", "el", "et", "he", "hi", "id", "is", "it", "la", "lo", "ms", "my", "no", "pa", "so"}
)
"""Codes that are words as well: read as a code only where nothing else can be meant."""

_BY_NAME: Final = {
    **{name.lower(): iso for iso, names in _ALIASES.items() for name in names},
    **{tongue.name.to(language).lower(): iso for iso, tongue in TONGUES.items() for language in ("ko", "en")},
}
_LATIN: Final = sorted((name for name in _BY_NAME if name.isascii() or "å" in name), key=len, reverse=True)
_HANGUL: Final = sorted((name for name in _BY_NAME if not name.isascii()), key=len, reverse=True)
NAME: Final = rf"(?:(?<![A-Za-z])(?:{'|'.join(map(re.escape, _LATIN))})(?![A-Za-z])|{'|'.join(map(re.escape, _HANGUL))})"
"""A regular expression of all names; to be used with re.IGNORECASE."""


def named(name: str) -> str:
    """Return the ISO 639-1 code of a language's name or code, "" for none."""
    word = name.strip().lower()
    word = _CODES.get(word, word)
    return word if word in TONGUES else _BY_NAME.get(word, "")
