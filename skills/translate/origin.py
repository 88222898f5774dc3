"""Which language a text is in, by its script and, in Latin script, by its small words.

Owns a guess that is good enough to choose a translation's direction. Leaves to `bot.language` which of its two languages
the bot answers in.

    origin("これは何ですか")     # "ja"
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from bot import lazy

LOOKED_AT: Final = 4000
_RANGES: Final = (
    ("ko", "가", "힣"), ("ko", "ㄱ", "ㆎ"), ("ja", "\u3041", "\u30ff"), ("zh", "\u4e00", "\u9fff"), ("cyrillic", "\u0400", "\u04ff"),
    ("arabic", "\u0600", "\u06ff"), ("th", "\u0e01", "\u0e5b"), ("devanagari", "\u0900", "\u097f"), ("he", "\u0590", "\u05ff"),
    ("el", "\u0370", "\u03ff"), ("bn", "\u0980", "\u09ff"), ("pa", "\u0a00", "\u0a7f"), ("gu", "\u0a80", "\u0aff"),
    ("ta", "\u0b80", "\u0bff"), ("te", "\u0c00", "\u0c7f"), ("kn", "\u0c80", "\u0cff"), ("ml", "\u0d00", "\u0d7f"),
    ("si", "\u0d80", "\u0dff"), ("lo", "\u0e80", "\u0eff"), ("my", "\u1000", "\u109f"), ("ka", "\u10a0", "\u10ff"),
    ("am", "\u1200", "\u137f"), ("km", "\u1780", "\u17ff"), ("hy", "\u0530", "\u058f"),
)  # fmt: skip
"""Source: the Unicode Standard, Blocks.txt."""
_LATIN_LETTER: Final = lazy.compile(r"[^\W\d_]+", re.UNICODE)
_LATIN: Final = "latin"
_LETTERS_OF: Final = {
    "cyrillic": (("uk", "іїєґ"), ("be", "ў"), ("kk", "әғқңөұүһ"), ("mk", "ѓќѕ"), ("sr", "ђћџљњј"), ("ru", "ыэё")),
    "arabic": (("ur", "ٹڈڑںے"), ("ps", "ټډړښ"), ("fa", "پچژگ")),
}
"""Letters that one language of a script has and its neighbours have not, the rarest first."""
_USUAL: Final = {"cyrillic": "ru", "arabic": "ar", "devanagari": "hi"}
_SMALL_WORDS: Final = {
    "en": "the of and to in is that it for was on are with as be this have you not at we i my your please what where how will can from",
    "de": "der die das und ist nicht ich zu den ein eine mit von auf für wir sie es im sich dem wird bitte auch was wie danke guten tag hallo",
    "fr": "le la les de des et est un une je vous nous dans que pour pas sur ce il elle au du avec plus merci où bonjour très",
    "es": "el la los las de y es un una que en por para con no se lo del al está como su más pero gracias dónde qué hola buenos buenas días",
    "it": "il lo la gli le di e è un una che per non con sono del della mi si come più ma grazie dove questo anche ciao",
    "pt": "o a os as de e é um uma que em para com não se do da por no na como mais mas obrigado obrigada bom dia onde você está isso",
    "nl": "de het een en is van ik niet je op te dat voor met zijn aan we er maar ook dit wat waar hebben naar bedankt goede",
    "sv": "och att det som en är på för av med den till inte har jag vi om ett var kan ska du från tack hur vad hej",
    "da": "og at det er en til på som med af den ikke har jeg vi for et kan skal du fra tak hvor hvad de",
    "no": "og at det er en til på som med av den ikke har jeg vi for et kan skal du fra takk hvor hva ikke",
    "fi": "ja on ei se että hän oli en mutta kun niin tämä mitä olen myös ovat voi kiitos missä minä sinä",
    "pl": "i w nie na się z to jest że do jak co po tak ale za od są czy przez dla dziękuję gdzie proszę ten",
    "cs": "a se na je že to v s do jak ale za by jsem co jsou pro nebo děkuji kde prosím ten jako",
    "hu": "a az és hogy nem is egy ez van meg de mint csak ha volt köszönöm hol kérem mi vagy",
    "ro": "și de la în un o nu este că cu pe pentru din mai sunt ce mulțumesc unde vă rog",
    "tr": "ve bir bu için ile de da çok ne var değil ben sen mi olarak gibi daha ama teşekkürler nerede lütfen merhaba",
    "vi": "và là của có không tôi bạn cho được một các này trong người với đã để những cảm ơn ở đâu xin",
    "id": "yang dan di ini itu dengan untuk tidak dari saya kamu ke ada akan pada bisa terima kasih apa mana anda",
    "tl": "ang ng sa na mga at ay ko mo ito hindi po ka siya kung para salamat saan ako",
    "sw": "na ya wa ni kwa la za katika hii si kuwa mimi wewe asante wapi habari",
}
"""The commonest words, from the languages' own frequency lists; those with one letter count as any other."""
_WORDS: Final = {iso: frozenset(words.split()) for iso, words in _SMALL_WORDS.items()}
_MARKS: Final = (
    ("vi", "ăơưđạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ"), ("de", "ß"), ("pl", "łśźżąę"), ("cs", "řěů"), ("hu", "őű"), ("ro", "șțăâ"),
    ("tr", "ğış"), ("es", "ñ¿¡"), ("pt", "ãõ"), ("sv", "å"), ("is", "ðþ"),
)  # fmt: skip


def origin(text: str) -> str:
    """Return the ISO 639-1 code of the language of `text`, "" where it has no letters."""
    head = text[:LOOKED_AT].replace("İ", "i")
    scripts = Counter(_script(letter) for letter in head if letter.isalpha())
    if not scripts:
        return ""
    if scripts["ja"] and scripts["ja"] + scripts["zh"] >= scripts.most_common(1)[0][1]:
        return "ja"
    script = max(scripts, key=lambda name: scripts[name] * (1 if name == _LATIN else 3))
    if script == _LATIN:
        return _of_latin(head.lower())
    return next(
        (iso for iso, letters in _LETTERS_OF.get(script, ()) if any(letter in head.lower() for letter in letters)),
        _USUAL.get(script, script),
    )


def _script(letter: str) -> str:
    return next((name for name, first, last in _RANGES if first <= letter <= last), _LATIN)


def _of_latin(text: str) -> str:
    """Return the language whose small words are most of the words; letters that few languages have break ties."""
    words = _LATIN_LETTER.findall(text)
    scores = {iso: float(sum(word in known for word in words)) for iso, known in _WORDS.items()}
    for iso, letters in _MARKS:
        scores[iso] = scores.get(iso, 0.0) + 0.75 * min(sum(text.count(letter) for letter in letters), 3 + len(words) // 10)
    best = max(scores, key=lambda iso: (scores[iso], iso == "en"))
    return best if scores[best] > 0 else "en"
