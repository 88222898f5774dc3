"""What a Matrix event says, as the house's values: no network, no state but what is given.

Owns what counts, whether it is for the bot, and what came with it. Leaves to `matrix_taking` what has to be asked (a quoted message,
who is in the room), the language to the intake (the values made here hold English until it is asked).

    message = of_message(event, me, at, commands={"sum"})     # Message(...), or None: not for any inbox

Decisions: an `m.notice` is a bot's word and nothing, and so is what carries another Paring's mark: two bots in one room do not answer
each other. Anybody's homeserver may send anything as an event: what is not of the form that the specification names is passed over.

Source: https://spec.matrix.org/v1.11/client-server-api/#instant-messaging
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote

from bot import lazy
from bot.channels.incoming import clean_name, clean_text, kind_of, media_type_of, typed_order
from bot.channels.matrix_account import Me
from bot.channels.matrix_rooms import Json, dict_of, is_id, strings_of, text_of
from bot.message import Address, Attachment, Command, Message

MARK: Final = "dev.paring"
"""The name in an event's content under which the bot keeps its own: that it is a bot's, and the tokens of its buttons."""
SEALED: Final = "sealed:"
"""The beginning of the `ref` of a file whose bytes are encrypted: JSON follows."""
SAID: Final = frozenset({"m.text", "m.emote", "m.location"})
FILES: Final = frozenset({"m.image", "m.file", "m.audio", "m.video"})
THUMBS: Final = ("👍", "👎")
_PILL: Final = lazy.compile(
    r"""<a\s[^<>]{0,500}href=["']https://matrix\.to/#/([^"'?<>]{1,600})["'?][^<>]{0,200}>([^<]{0,300})</a>""", re.IGNORECASE
)
_FALLBACK: Final = lazy.compile(r"\A> (?:\* )?<[^\n]*\n(?:>[^\n]*\n)*\n?")
_CHOSEN: Final = lazy.compile(r"!\s?(\d{1,2})", re.ASCII)
_NUMBER: Final = lazy.compile(r"(\d)\u20e3", re.ASCII)
_ADDRESS: Final = lazy.compile(r"mxc://[A-Za-z0-9.:\[\]_-]{1,255}/[!-.0-~]{1,255}")
_LOOK: Final = lazy.compile("[\ufe0f\U0001f3fb-\U0001f3ff]")
"""How an emoji is drawn, and its tone of skin: no difference in what is meant."""
_AFTER_MENTION: Final = lazy.compile(r"^(?:님|씨|아|야)?(?=[\s,.:;!，、]|$)[,.:;!，、]*\s*")
_TOO_FAR_MS: Final = 253_402_300_799_000


@dataclass(frozen=True, slots=True)
class Relation:
    """What an event is about: the message it replaces, the thread it is in, the message it replies to; "" for none."""

    replaces: str = ""
    thread: str = ""
    replies_to: str = ""


def relation(content: Json) -> Relation:
    """Return what the content relates to."""
    told = dict_of(content, "m.relates_to")
    target, kind = told.get("event_id"), told.get("rel_type")
    about = str(target) if is_id(target, "$") else ""
    answered = dict_of(told, "m.in_reply_to").get("event_id")
    replied = str(answered) if is_id(answered, "$") else ""
    if kind == "m.replace":
        return Relation(replaces=about)
    if kind == "m.thread" and about:
        return Relation(thread=about, replies_to="" if told.get("is_falling_back") is True else replied)
    return Relation(replies_to=replied)


def of_message(event: Json, me: Me, at: Address, *, commands: Collection[str] = ()) -> Message | None:
    """Return what an m.room.message or m.sticker says; None where it says nothing to a bot.

    In a group a `!command` or `/command` is for the bot where it is one of `commands`.
    """
    content, sender, number = dict_of(event, "content"), event.get("sender"), event.get("event_id")
    if not is_id(sender, "@") or not is_id(number, "$") or sender == me.user or MARK in content:
        return None
    files = attachments(event)
    words = _words(content, has_file=bool(files))
    if words is None or (not words and not files):
        return None
    text, called = _without_me(words, content, me)
    direct = at.kind == "direct"
    command = order(text, any_of=direct or called, known=commands)
    if command is not None:
        text, called = f"/{command.name} {command.args}".rstrip(), True
    return Message(
        at, str(sender), str(number), text, "en", sent_at(event), attachments=files, command=command, addressed=direct or called
    )


def order(text: str, *, any_of: bool, known: Collection[str]) -> Command | None:
    """Return the command that is typed as `!sum 50` or `/sum 50`; only one of `known` unless `any_of`."""
    command = typed_order(text)
    return command if command is not None and (any_of or command.name in known) else None


def chosen(content: Json) -> int:
    """Return the number of the button that is pressed by writing `!2`, 0 for any other words."""
    found = _CHOSEN.fullmatch(text_of(content, "body").strip())
    return int(found[1]) if found else 0


def pressed(key: str) -> str:
    """Return the key of a reaction as buttons are named: "2" for 2️⃣, 👍 for 👍🏽; "" where it can be none."""
    plain = _LOOK.sub("", key)
    number = _NUMBER.fullmatch(plain)
    if number:
        return number[1]
    return "10" if plain == "🔟" else plain if plain in THUMBS else ""


def attachments(event: Json) -> tuple[Attachment, ...]:
    """Return the file of an event; none where it has no address in a homeserver's store."""
    content = dict_of(event, "content")
    sticker = event.get("type") == "m.sticker"
    if not sticker and text_of(content, "msgtype") not in FILES:
        return ()
    sealed = dict_of(content, "file")
    address = text_of(sealed, "url") or text_of(content, "url")
    if not _ADDRESS.fullmatch(address):
        return ()
    info = dict_of(content, "info")
    size = info.get("size")
    name = clean_name(text_of(content, "filename") or text_of(content, "body") or "file")
    media_type = media_type_of(name, declared=text_of(info, "mimetype"))
    kind = "sticker" if sticker else kind_of(media_type, name=name)
    ref = SEALED + json.dumps(sealed) if sealed else address
    return (Attachment(kind, name, media_type, size if isinstance(size, int) and 0 < size < 1 << 60 else 0, ref),)


def sent_at(event: Json) -> datetime:
    """Return when the event was sent, by its sender's server; not later than now."""
    told, now = event.get("origin_server_ts"), datetime.now(UTC)
    if isinstance(told, bool) or not isinstance(told, int) or not 0 < told < _TOO_FAR_MS:
        return now
    return min(datetime.fromtimestamp(told / 1000, UTC), now)


def _words(content: Json, *, has_file: bool) -> str | None:
    """Return the words of an event, of a file its caption; None where it is no message of a person."""
    body = clean_text(text_of(content, "body"))
    if has_file:
        name = text_of(content, "filename")
        return body if name and name != body else ""
    if text_of(content, "msgtype") not in SAID:
        return None
    if relation(content).replies_to:
        body = _FALLBACK.sub("", body)
    return body.strip()


def _without_me(words: str, content: Json, me: Me) -> tuple[str, bool]:
    """Return what is said without the calls of the bot, and whether it was called."""
    mentioned = me.user in strings_of(dict_of(content, "m.mentions"), "user_ids")
    formatted = text_of(content, "formatted_body")
    links = _PILL.findall(formatted) if me.user in unquote(formatted) else []
    pills = [html.unescape(shown) for user, shown in links if unquote(user) == me.user]
    local = me.user[1:].partition(":")[0]
    names = sorted(
        {one for one in (me.user, me.name, local, f"@{local}", f"@{me.name}" if me.name else "", *pills) if one},
        key=len,
        reverse=True,
    )
    for name in names:
        if words[: len(name)].lower() != name.lower():
            continue
        rest = words[len(name) :]
        after = _AFTER_MENTION.match(rest)
        if after is not None and (mentioned or pills or name.startswith("@") or rest.lstrip()[:1] in set(",:，、")):
            return rest[after.end() :].strip(), True
    text = words
    for name in (me.user, *pills, f"@{local}"):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "", text, count=1) if mentioned or pills else text
    called = mentioned or bool(pills) or re.search(rf"(?<![\w@]){re.escape(me.user)}(?!\w)", words) is not None
    return (re.sub(r"[ \t]{2,}", " ", text).strip() if called else words), called
