"""What comes from Slack as the house's values: an event, a slash command, a shortcut or a press becomes a Message or a Press, or nothing.

Owns what counts, who said it, where (in a channel an answer goes into the thread of what it answers), and what came with it. Leaves the
language to the intake (the values made here hold English until it is asked) and the download to `slack.py`.

    of_event(body, me)      # Incoming(Message(...)), or None: not for any inbox
    of_press(body, me)

Decisions: bots and service messages ("Ann joined") are nothing, also the bot's own. A mention comes twice, as what was said in the channel and
as a call of the bot; both are one message, by its `ts`. What was forwarded or shared is no order. An edit counts where a person made
it: links that unfold change a message too.

Source: https://docs.slack.dev/reference/events/message
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Self

from bot import lazy
from bot.channels.incoming import clean_name, clean_text, kind_of, media_type_of, parse_command, typed_order
from bot.errors import RetryLaterError
from bot.locale import phrases
from bot.message import Address, Attachment, Command, Message, Press

_ = phrases(__file__)

CHANNEL: Final = "slack"
UNSEEN: Final = "in:"
"""The beginning of the `thread` of a direct chat that is held in a channel, where nobody else sees it."""
THREAD: Final = "thread:"
"""The beginning of the `ref` of a thread that is taken along."""
SHORTCUTS: Final = {"summarise_thread": "sum", "describe_image": "caption", "search_for_this": "search"}
"""The callback ids of the manifest's message shortcuts, and the command that each stands for."""
_SAID: Final = frozenset({"", "file_share", "thread_broadcast", "me_message"})
_NO_FILE: Final = frozenset({"tombstone", "external", "hidden_by_limit"})
_DIRECT: Final = "im"
_SLACKBOT: Final = "USLACKBOT"
"""Slack's own voice, which says of itself only now and then that it is a bot."""
_AFTER_MENTION: Final = lazy.compile(r"^(?:님|씨|아|야)?(?=[\s,.:;!，、]|$)(?:[\s,.:;，、]|!(?![a-z가-힣]))*", re.IGNORECASE)
_MARK: Final = lazy.compile(r"<([@#!])?([^<>|]{1,3000})(?:\|([^<>]{0,3000}))?>")
_PERSON: Final = lazy.compile(r"<@(\w{1,32})(?:\|[^<>]{0,256})?>", re.ASCII)
_GAP: Final = lazy.compile(r"[ \t]{2,}")
_UNESCAPED: Final = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_ENTITY: Final = lazy.compile("&(?:lt|gt|amp);")
_LAST_TS: Final = 1e11
"""What a date can hold: the year 5138."""
_TS: Final = lazy.compile(r"\d{1,12}\.\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Me:
    """The bot in one workspace, as auth.test tells it."""

    team: str
    user: str
    bot: str = ""
    home: str = ""
    """Where the workspace is in a browser."""

    @classmethod
    def told(cls, said: Mapping[str, object]) -> Self:
        """Return what auth.test says. Raises RetryLaterError where it names no workspace, or nobody."""
        me = cls(_text(said, "team_id"), _text(said, "user_id"), _text(said, "bot_id"), _text(said, "url"))
        if not (me.team and me.user):
            raise RetryLaterError(_("Slack did not answer. It is tried again by itself."), retry_after_s=1.0)
        return me


@dataclass(frozen=True, slots=True)
class Removed:
    """A message that its writer took back."""

    address: Address
    id: str


def of_event(event: Mapping[str, object], me: Me) -> Message | Removed | None:
    """Return what an event of type `message` or `app_mention` says; None where it says nothing to a bot."""
    subtype = _text(event, "subtype")
    now = _dict(event, "message")
    emptied = subtype == "message_changed" and _text(now, "subtype") == "tombstone"  # what has replies stays there, empty
    if subtype == "message_deleted" or emptied:
        gone, chat = _text(now, "ts") if emptied else _text(event, "deleted_ts"), _text(event, "channel")
        said = {**_dict(event, "previous_message"), "channel": chat, "channel_type": event.get("channel_type")}
        return Removed(_address(said, me), gone) if gone and chat else None
    if subtype == "message_changed":
        return _edited(event, me)
    return _message(event, me) if subtype in _SAID else None


def of_command(body: Mapping[str, object], me: Me, known: Collection[str]) -> Message | None:
    """Return what a slash command says: `/paring sum 50` is the command `sum 50` where that is one of `known`, all else is a question.

    Nobody else sees that it was typed, so in a channel its answer is for its writer's eyes alone.
    """
    user, chat, trigger = _text(body, "user_id"), _text(body, "channel_id"), _text(body, "trigger_id")
    if not (user and chat and trigger):
        return None
    said = plain(_text(body, "text")).strip()
    name, _space, args = (said or "help").removeprefix("/").partition(" ")
    command = Command(name.lower(), args.strip()) if name.lower() in known else parse_command(said)
    return Message(
        alone_in(chat, user, me), user, f"command:{trigger}", f"/{command.name} {command.args}".rstrip() if command else said,
        "en", datetime.now(UTC), sender_name=_text(body, "user_name"), command=command,
    )  # fmt: skip


def of_shortcut(body: Mapping[str, object], me: Me) -> Message | None:
    """Return what a message shortcut of SHORTCUTS asks about the message on which it was chosen, or its thread.

    It is answered to its chooser alone.
    """
    user, chat, trigger = _text(_dict(body, "user"), "id"), _text(_dict(body, "channel"), "id"), _text(body, "trigger_id")
    order = SHORTCUTS.get(_text(body, "callback_id"))
    said = {**_dict(body, "message"), "channel": chat}
    if not (user and chat and trigger and order):
        return None
    here = alone_in(chat, user, me)
    quoted = _thread({**said, "thread_ts": _text(said, "thread_ts") or _text(said, "ts"), "ts": ""}, here, chat, me)
    if order != "sum" or not (_text(said, "thread_ts") or said.get("reply_count")):
        words = plain(_text(said, "text"))
        quoted = replace(
            quoted, id=_text(said, "ts"), text=words, attachments=attachments(said, me.team), sender=_text(said, "user")
        )
    about = "" if order != "search" else quoted.text
    return Message(
        here, user, f"shortcut:{trigger}", f"/{order} {about}".rstrip(), "en", datetime.now(UTC),
        sender_name=_text(_dict(body, "user"), "name"), reply_to=None if about else quoted, command=Command(order, about),
    )  # fmt: skip


def alone_in(chat: str, user: str, me: Me) -> Address:
    """Return where only `user` sees what is said in `chat`: their direct chat, or a place in the channel that others do not see."""
    return Address(CHANNEL, me.team, user, "" if chat.startswith("D") else f"{UNSEEN}{chat}")


def of_press(body: Mapping[str, object], me: Me) -> Press | None:
    """Return a press on a button of an answer."""
    user, container = _text(_dict(body, "user"), "id"), _dict(body, "container")
    chat = _text(container, "channel_id") or _text(_dict(body, "channel"), "id")
    pressed = body.get("actions")
    action = pressed[0] if isinstance(pressed, list) and pressed and isinstance(pressed[0], dict) else {}
    token, number = _text(action, "value"), _text(action, "action_ts") or _text(body, "trigger_id")
    if not (user and chat and token and number):
        return None
    unseen = container.get("is_ephemeral") is True or chat.startswith("D")
    thread = _text(container, "thread_ts")
    address = alone_in(chat, user, me) if unseen else Address(CHANNEL, me.team, chat, thread, "group")
    return Press(address, user, f"{number}:{user}", token, "en", datetime.now(UTC), alone=Address(CHANNEL, me.team, user))


def of_share(body: Mapping[str, object], action_id: str) -> str:
    """Return the token of a press on the button `action_id`, "" for any other press."""
    pressed = body.get("actions")
    action = pressed[0] if isinstance(pressed, list) and pressed and isinstance(pressed[0], dict) else {}
    return _text(action, "value") if _text(action, "action_id") == action_id else ""


def is_ts(name: str) -> bool:
    """Say whether `name` is a message's id, as Slack gives them."""
    return _TS.fullmatch(name) is not None


def at(ts: str) -> datetime:
    """Return when a `ts` was, aware, UTC; now for what is none."""
    seconds = float(ts) if is_ts(ts) else 0.0
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _LAST_TS else datetime.now(UTC)


def plain(text: str) -> str:
    """Return Slack's marked text as it is read: `<https://a.b|words>` is the words and the address, `<#C1|general>` is #general."""
    return clean_text(_unescaped(_MARK.sub(_shown, text)))


def attachments(said: Mapping[str, object], team: str) -> tuple[Attachment, ...]:
    """Return the files of a message; those that lie elsewhere (a Google document) or were taken away are none."""
    listed = said.get("files")
    files = [file for file in listed if isinstance(file, dict)] if isinstance(listed, list) else []
    return tuple(_attachment(file, team) for file in files if _text(file, "id") and _text(file, "mode") not in _NO_FILE)


def _attachment(file: Mapping[str, object], team: str) -> Attachment:
    name = clean_name(_text(file, "name") or _text(file, "title") or "file")
    media_type = media_type_of(name, declared=_text(file, "mimetype"))
    size = file.get("size")
    known = size if isinstance(size, int) and size > 0 else 0
    return Attachment(kind_of(media_type, name=name), name, media_type, known, f"{team}/{_text(file, 'id')}")


def _edited(event: Mapping[str, object], me: Me) -> Message | None:
    said = _dict(event, "message")
    when = _text(_dict(said, "edited"), "ts")
    before = _dict(event, "previous_message")
    if not is_ts(when) or (before and _text(before, "text") == _text(said, "text")):
        return None
    whole = {**said, "channel": event.get("channel"), "channel_type": event.get("channel_type")}
    message = _message(whole, me) if _text(said, "subtype") in _SAID else None
    return replace(message, version=int(float(when))) if message is not None else None


def _message(said: Mapping[str, object], me: Me) -> Message | None:
    user, ts, chat = _text(said, "user"), _text(said, "ts"), _text(said, "channel")
    if not (user and chat and is_ts(ts)) or user in {me.user, _SLACKBOT} or said.get("bot_id") or said.get("bot_profile"):
        return None
    text, called = _without_me(_text(said, "text"), me)
    files = attachments(said, me.team)
    if not text and not files and not called:
        return None
    address = _address(said, me)
    command = None if said.get("attachments") else typed_order(text)  # what was shared is no order
    text = f"/{text[1:]}" if command and text.startswith("!") else text
    direct = address.kind == "direct"
    if called and not direct and not address.thread:
        address = replace(address, thread=ts)
    thread = _text(said, "thread_ts")
    quoted = _thread(said, address, chat, me) if called and thread and thread != ts else None
    return Message(
        address, user, ts, text, "en", at(ts), sender_name="", attachments=files, reply_to=quoted,
        command=command, addressed=direct or called,
    )  # fmt: skip


def _thread(said: Mapping[str, object], address: Address, chat: str, me: Me) -> Message:
    """Return the thread in which the bot is called, as what is replied to: it is fetched once the message is committed."""
    thread = _text(said, "thread_ts")
    ref = f"{me.team}/{THREAD}{chat}/{thread}/{_text(said, 'ts')}"
    whole = Attachment("document", "thread.md", "text/markdown", 0, ref)
    return Message(
        address,
        _text(said, "parent_user_id"),
        thread,
        "",
        "en",
        at(thread),
        attachments=(whole,),
        by_bot=_text(said, "parent_user_id") == me.user,
    )


def _address(said: Mapping[str, object], me: Me) -> Address:
    """Return where it was said. A direct chat goes by its person: all that they do in the workspace meets there."""
    chat, thread, ts = _text(said, "channel"), _text(said, "thread_ts"), _text(said, "ts")
    if _text(said, "channel_type") == _DIRECT or chat.startswith("D"):
        return Address(CHANNEL, me.team, _text(said, "user"), thread if thread != ts else "")
    return Address(CHANNEL, me.team, chat, thread, "group")


def _without_me(marked: str, me: Me) -> tuple[str, bool]:
    """Return what is said without the calls of the bot, and whether it was called."""
    kept: list[str] = []
    said, at = False, 0
    for call in _PERSON.finditer(marked):
        if call[1] == me.user:
            said = _keep(kept, marked[at : call.start()], called=at > 0, said=said)
            at = call.end()
    if not at:
        return plain(marked).strip(), False
    _keep(kept, marked[at:], called=True, said=said)
    return plain(_GAP.sub(" ", "".join(kept))).strip(), True


def _keep(kept: list[str], piece: str, *, called: bool, said: bool) -> bool:
    """Keep what stands between two calls, without what only belongs to the first; return whether anything was said by now."""
    kept.append(_AFTER_MENTION.sub("", piece, count=1) if called and not said else piece)
    return said or bool(kept[-1].strip())


def _shown(mark: re.Match[str]) -> str:
    kind, target, label = mark[1], mark[2], mark[3] or ""
    if kind == "@":
        return f"@{label or target}"
    if kind == "#":
        return f"#{label or target}"
    if kind == "!":
        return label or f"@{target.partition('^')[0]}"
    return target if not label or label == target or target.endswith(f"//{label}") else f"{label} ({target})"


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda entity: _UNESCAPED[entity[0]], text)


def _dict(value: Mapping[str, object], name: str) -> Mapping[str, object]:
    part = value.get(name)
    return part if isinstance(part, dict) else {}


def _text(value: Mapping[str, object], name: str) -> str:
    part = value.get(name)
    return part if isinstance(part, str) else ""
