"""Which documents there are: `/files`, and the words in which people ask for it.

Owns reading the question and the list's look. Leaves to the library which documents the asker may read.

    /files            all of them, the newest first
    /files lease      those whose titles hold the word
    "which files do you have?", "무슨 문서가 있어?"
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from bot.locale import Text, phrases
from bot.message import Button, Command, Reply
from bot.moment import day
from bot.passage import Listed, Listing, Scope
from bot.skill import Kit, Request
from bot.text.normal import normal
from bot.text.shown import isolated, literal, named

_ = phrases(__file__)

NAMES: Final = ("files", "docs", "파일", "문서", "목록")
AT_ONCE: Final = 20
"""Documents that are told at once."""
MOST_FROM: Final = 1_000_000
LONGEST_ASKING: Final = 80
_FROM = re.compile(r"^\s*--from[ =](\d{1,6})\b\s*")
_KEPT = r"(?:kept|indexed|stored|saved|uploaded|added)"
_THINGS = rf"(?:{_KEPT}\s+)?(?:docs?|documents|files|uploads)(?:\s+{_KEPT})?"
_WHOSE = r"(?:(?:all|of|the|my|our|your|these|those)\s+)*"
_HERE = r"(?:here|please|again|now|in here|in the (?:index|library)|of mine|of ours)"
_HAVE = (
    r"(?:(?:do|did|have|can|are|is)\s+(?:you|we|i|there|these|those)\s*(?:have(?:\s+access\s+to)?|know|hold|keep|see|search|read|got|sent?|"
    rf"upload(?:ed)?|add(?:ed)?|given?|gave|{_KEPT})?(?:\s+(?:you|so far|already))?|(?:you|we|i|that you|that we)\s+"
    rf"(?:have|know|hold|keep|sent|uploaded|added)(?:\s+you)?|are\s+{_KEPT})"
)
_ENGLISH = re.compile(
    rf"(?:(?:hey|hi|ok|please|so|and)[\s,]+)*(?:(?:can|could|would) you\s+(?:please\s+)?)?"
    rf"(?:(?:what|which)\s+{_WHOSE}{_THINGS}\s+{_HAVE}(?:\s+{_HERE})*"
    rf"|(?:list|show(?:\s+me)?|tell\s+me|give\s+me)\s+(?:a\s+list\s+of\s+)?{_WHOSE}{_THINGS}(?:\s+{_HAVE})?(?:\s+{_HERE})*"
    rf"|(?:a\s+|the\s+|my\s+)?(?:list\s+of\s+{_WHOSE}{_THINGS}|(?:file|document)\s+list))\s*[.?!]*",
    re.IGNORECASE,
)
_KOREAN = re.compile(
    r"(?:(?:혹시|지금|여기|여기에|현재|내|내가|제가|우리|우리가|네가|너|너는|너한테|저장된|저장한|등록된|등록한|올린|올려둔|올라온|추가한|추가된|보낸|"
    r"색인된|가지고\s?있는|갖고\s?있는|가진|아는|무슨|어떤|모든|전체|전부)\s*)*"
    r"(?:문서|파일|자료)(?:들)?(?:\s?(?:목록|리스트))?(?:이|가|은|는|을|를|에는|에)?\s*(?:다|전부|모두|좀|뭐뭐|뭐|뭐가|무엇이|어떤\s?것이|어떤\s?게)?\s*"
    r"(?:(?:가지고|갖고)\s?있(?:어|니|나요|어요|습니까)|있(?:어|니|나|냐|지|나요|어요|는지|습니까)(?:\s?알려)?|보여|알려|뭐야|뭐예요|뭐니|뭔가요|무엇인가요)?"
    r"\s*(?:줘|줘요|주세요|줄래|줄래요)?\s*[.?!~]*"
)
_KOREAN_ASKS = re.compile(r"목록|리스트|있|보여|알려|뭐|무엇|뭔")


def asks_for_list(text: str) -> bool:
    """Say whether `text` asks which documents there are, and for nothing in them."""
    said = " ".join(text.split())
    if len(said) > LONGEST_ASKING:
        return False
    return bool(_ENGLISH.fullmatch(said) or (_KOREAN_ASKS.search(said) and _KOREAN.fullmatch(said)))


async def listed(request: Request, kit: Kit, wanted: str) -> Reply:
    """Return the documents that the asker may read here; `wanted` are words of their titles, behind the place to begin at."""
    begun = _FROM.match(wanted)
    first = min(int(begun[1]), MOST_FROM) if begun else 0
    words = normal("NFC", wanted[begun.end() :] if begun else wanted).split()
    listing = await kit.library.listing(request.scopes, words=words, first=first, count=AT_ONCE)
    if not listing.documents:
        return request.reply(_none(words))
    shown = first + len(listing.documents)
    buttons = []
    if shown < listing.total:
        buttons.append(Button(_("More").to(request.language), Command("files", " ".join([f"--from {shown}", *words]))))
    return request.reply("\n".join(_lines(request, kit, listing, first=first, words=words)), buttons=buttons)


def _lines(request: Request, kit: Kit, listing: Listing, *, first: int, words: Sequence[str]) -> list[str]:
    language = request.language
    last = first + len(listing.documents)
    if first or last < listing.total:
        head = _("Documents {first} to {last} of {count}, the newest first:", first=first + 1, last=last, count=listing.total)
    elif words:
        head = _("{count} documents are called so:", count=listing.total)
    else:
        head = _("You can ask me about {count} documents here:", count=listing.total)
    lines = [head.markdown(language), "", *(_line(one, request, kit) for one in listing.documents)]
    if last >= listing.total and listing.messages and not words:
        lines += ["", _("Beside them, {count} messages that were said.", count=listing.messages).markdown(language)]
    return lines


def _line(one: Listed, request: Request, kit: Kit) -> str:
    at = day(one.updated_at, kit.settings.zone, request.language)
    told = _("{day}, passages: {count}", day=at, count=one.passages).to(request.language)
    whose = "" if one.scope == request.home else f" · {_audience(one.scope).to(request.language)}"
    return f"- **{literal(isolated(named(one.title)))}** ({told}){whose}"


def _audience(scope: Scope) -> Text:
    match scope.kind:
        case "public":
            return _("for everybody")
        case "workspace":
            return _("of the workspace")
        case "group":
            return _("of a group")
        case "dm":
            return _("of your own chat")


def _none(words: Sequence[str]) -> Text:
    if words:
        return _("No document here is called “{words}”. /files lists all of them.", words=" ".join(words))
    return _("I have no documents yet that you may read here. Send me some: a file, several, or a ZIP of them.")
