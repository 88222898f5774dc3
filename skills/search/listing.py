"""Which documents there are: `/files`, and the words in which people ask for it.

Owns reading the question and the list's look. Leaves to the library which documents the asker may read.

    /files            all of them, the newest first
    /files lease      those whose titles hold the word
    "which files do you have?", "무슨 문서가 있어?"
    "list the documents about the budget", "계약 관련 문서 목록"
    "open the budget", "임대차 계약서 보내줘"      (where nothing in them answers that)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from bot import lazy
from bot.locale import Text, phrases
from bot.message import Button, Command, Reply, Source
from bot.moment import day
from bot.passage import Listed, Listing, Scope
from bot.skill import Kit, Request
from bot.text.normal import normal
from bot.text.said import FILES, said_words, word_set
from bot.text.shown import isolated, literal, named

_ = phrases(__file__)

NAMES: Final = ("files", "docs", "파일", "문서", "목록")
LEAST_NAME: Final = 2
"""Letters of a name: less names nothing."""
MOST_LOOKED_AT: Final = 200
AT_ONCE: Final = 20
"""Documents that are told at once."""
LONGEST_ASKING: Final = 60
_FROM = lazy.compile(r"^\s*--from[ =](\d{1,6})\b\s*")
_FILE_EN, _FILE_KO = r"(?:files?|docs?|documents?)", "(?:문서|파일|자료)(?:들)?"
_ABOUT = lazy.compile(
    rf"(?:(?:can|could|would) you |please )?(?:list|show(?: me)?|which|what)(?: of| me)?(?: all| the| our| my| your| any)* {_FILE_EN}"
    r"(?: (?:do (?:you|we) have|are there|have (?:you|we)(?: got)?|there are|is there))? (?:about|on|regarding|called|named) "
    r"(?:the |our |my )?(?P<en>[^?]+?)(?: (?:do (?:you|we) have|are there))?(?: please)?[?.! ]*|"
    rf"(?P<ko>[^?]+?)(?:에| 에)? ?(?:관련(?:된)?|관한|대한|(?:이)?라는) {_FILE_KO}(?:[은는이가을를])? ?"
    r"(?:목록|리스트|(?:뭐|무엇|어떤 ?(?:거|것))(?:이|가)? ?(?:있(?:어|니|나|지|습니까)요?|야|예요|에요))"
    r"(?: ?(?:좀|다|전부))*(?: ?(?:보여|알려) ?(?:줘|주세요|줄래)요?)?[?.! ]*",
    re.IGNORECASE,
)
_ONE = lazy.compile(
    r"(?:(?:please|can you|could you|i need|i want) ){0,4}(?:(?:open|send|give|show|get|fetch|find|download|display|pull up|bring up)"
    r"(?: me| us)? )?"
    rf"(?:the |our |my |an? )?(?P<en>[^가-힣?]+?)(?: {_FILE_EN})?(?:,? please| pls)?[?.! ]{{0,9}}|"
    rf"(?P<ko>[^?]+?)(?: {_FILE_KO})?(?:[을를])?(?: ?(?:좀|한번))?"
    r"(?: ?(?:보내|열어|보여|찾아|가져다|꺼내|띄워|전달해|공유해)"
    r" ?(?:줘|줄래|주세요|주실래|주라|봐)요?| ?(?:줘|주세요|있어|있나|있니)요?)?[?.! ]{0,9}",
    re.IGNORECASE,
)
_MOST_WORDS, MOST_CALLED = 6, 5
_WORD = lazy.compile(r"[^\W_]+")
_WHICH: Final = word_set("""
    what which where list show many 몇 몇개 몇개나 몇개야 몇개예요 몇개인가요
    무슨 어떤 뭐 뭐야 뭐예요 뭐있어 뭔가요 어디 어디에 어디야 어디있어 목록 리스트 보여 보여줘 보여줘요 보여주세요
    알려 알려줘 알려줘요 알려주세요 보여줄래 보여줄래요 뭐뭐 뭐가 무엇 무엇이
""")
_SENT: Final = word_set("send sent upload uploaded add added give gave given share shared")
_BESIDE: Final = word_set("""
    how 개 개나 개야 개예요 개인가요
    do did you have i are is were was can could we my the all of here now there kept stored indexed saved me please that so far to your our
    these those know keep in tell search read a access 내 제 내가 제가 우리 우리가 지금 지금까지 여기 여기에 보낸 올린 보내준 가진 갖고
    가지고 있는 저장된 색인된 있어 있어요 있니 있나요 있지 있습니까 줘 줘요 주세요 전체 모든 다 전부
    올라온 올라와 올려둔 올려놓은 올린거 올라간 등록된 등록한 추가된 추가한 업로드된 업로드한 들어있는 들어간 공유된 공유한 현재 있는지 있는거 좀
    current currently available uploaded right now full complete
""")


def asks_for_list(text: str) -> bool:
    """Say whether `text` asks which documents there are, and for nothing in them: every word of it has to be known."""
    if len(text) > LONGEST_ASKING:
        return False
    words = said_words(text, whole=_BESIDE)
    if "how" in words and ("many" not in words or "can" in words):  # how that is done, or how many would be taken
        return False
    sent = _SENT if "i" in words else frozenset[str]()
    return bool(words & _WHICH and words & (FILES | sent) and words <= FILES | _WHICH | _SENT | _BESIDE)


def topic_of_list(text: str) -> str:
    """Return what the documents are to be about whose list `text` asks for: "list docs about the budget"; "" where it asks for none."""
    found = _ABOUT.fullmatch(text.strip()) if len(text) <= LONGEST_ASKING else None
    return (found["en"] or found["ko"]).strip() if found else ""


async def listed_about(request: Request, kit: Kit, topic: str) -> Reply | None:
    """Return the documents whose titles hold the words of `topic`, None where there is none."""
    if not (await kit.library.listing(request.scopes, words=normal("NFC", topic).split(), count=1)).documents:
        return None
    return await listed(request, kit, topic)


async def listed(request: Request, kit: Kit, wanted: str) -> Reply:
    """Return the documents that the asker may read here; `wanted` are words of their titles, behind the place to begin at."""
    begun = _FROM.match(wanted)
    first = int(begun[1]) if begun else 0
    words = normal("NFC", wanted[begun.end() :] if begun else wanted).split()
    listing = await kit.library.listing(request.scopes, words=words, first=first, count=AT_ONCE)
    if not listing.documents:
        return request.reply(_none(words))
    shown = first + len(listing.documents)
    buttons = []
    if shown < listing.total:
        buttons.append(Button(_("More").to(request.language), Command("files", " ".join([f"--from {shown}", *words]))))
    return request.reply("\n".join(_lines(request, kit, listing, first=first, words=words)), buttons=buttons)


async def called(request: Request, kit: Kit) -> Reply | None:
    """Return the documents whose titles hold all that is asked for, each with how it begins; None where there is none.

    For who asks for a document by its name, in which nothing answers that.
    """
    found = _ONE.fullmatch(" ".join(normal("NFC", request.text).split())) if len(request.text) <= LONGEST_ASKING else None
    words = _words((found["en"] or found["ko"]) if found else "")
    if not words or len(words) > _MOST_WORDS or len("".join(words)) < LEAST_NAME:
        return None
    begun = [word if word.isascii() else word[:2] for word in words]  # "휴가규정" is "휴가 규정", too
    near = (await kit.library.listing(request.scopes, words=begun, count=MOST_LOOKED_AT)).documents
    named = [one for one in near if all(word in "".join(_words(one.title)) for word in words)][:MOST_CALLED]
    if not named:
        return None
    head = _("Documents that are called so ({count}):", count=len(named)).markdown(request.language)
    sources = []
    for one in named:
        first = await kit.library.whole(one.document, request.scopes, most=1)
        sources += [Source(passage.title, passage.text, passage.link, 1.0, passages=(passage.id,)) for passage in first]
    return request.reply("\n".join([head, "", *(_line(one, request, kit) for one in named)]), sources=sources)


def _words(text: str) -> list[str]:
    return _WORD.findall(normal("NFC", text).casefold())


def _lines(request: Request, kit: Kit, listing: Listing, *, first: int, words: Sequence[str]) -> list[str]:
    language = request.language
    last = first + len(listing.documents)
    if first or last < listing.total:
        head = _("Documents {first} to {last} of {count}, the newest first:", first=first + 1, last=last, count=listing.total)
    elif words:
        head = _("Documents that are called so ({count}):", count=listing.total)
    else:
        head = _("Documents that you can ask me about here ({count}):", count=listing.total)
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
