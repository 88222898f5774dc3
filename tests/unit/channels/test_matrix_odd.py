"""What a homeserver, or anybody in a room, could tell in fields of other types than Matrix's: passed over, and nothing else is lost."""

from __future__ import annotations

import asyncio
import gc
import json
from pathlib import Path
from typing import Any

import pytest
from fakes.strange import strange
from structlog.testing import capture_logs
from unit.channels.test_matrix_taking import ANN, HERE, ME, OLD, Bot

from bot.channels.backoff import Backoff
from bot.channels.matrix_syncing import Syncing
from bot.intake import Reception
from bot.store.blobs import BlobStore
from bot.store.chats import Chats
from bot.store.database import Database
from bot.store.inbox import Inbox, Waiting
from bot.store.moving import Moves

AT = 1_700_000_000_000
HEAD = {"type": "m.room.message", "event_id": "$2", "sender": ANN, "origin_server_ts": AT, "unsigned": {"age": 3}}
TEXT = {
    "msgtype": "m.text",
    "body": "hi",
    "m.mentions": {"user_ids": [ME]},
    "format": "org.matrix.custom.html",
    "formatted_body": "<b>hi</b>",
}
THREAD = {"rel_type": "m.thread", "event_id": "$root", "m.in_reply_to": {"event_id": OLD}, "is_falling_back": True}
FILE = {
    "msgtype": "m.file",
    "body": "a.pdf",
    "filename": "a.pdf",
    "url": "mxc://example.org/a",
    "info": {"size": 3, "mimetype": "a/b"},
}
SEALED = {"url": "mxc://example.org/b", "v": "v2", "iv": "AA", "key": {"k": "AA", "alg": "A256CTR", "key_ops": [], "kty": "oct", "ext": True},
          "hashes": {"sha256": "AA"}}  # fmt: skip
EVENTS: dict[str, dict[str, Any]] = {
    "said": {**HEAD, "content": {**TEXT, "m.relates_to": THREAD}},
    "edit": {**HEAD, "content": {**TEXT, "m.new_content": TEXT, "m.relates_to": {"rel_type": "m.replace", "event_id": OLD}}},
    "file": {**HEAD, "content": FILE},
    "sealed file": {**HEAD, "content": {**FILE, "file": SEALED}},
    "sticker": {**HEAD, "type": "m.sticker", "content": {"body": "x", "url": "mxc://example.org/s", "info": {"mimetype": "image/png"}}},
    "reaction": {**HEAD, "type": "m.reaction",
                 "content": {"m.relates_to": {"rel_type": "m.annotation", "event_id": OLD, "key": "1\ufe0f\u20e3"}}},
    "number": {**HEAD, "content": {"msgtype": "m.text", "body": "!1", "m.relates_to": {"m.in_reply_to": {"event_id": OLD}}}},
    "redaction": {**HEAD, "type": "m.room.redaction", "redacts": OLD, "content": {"redacts": OLD, "reason": "x"}},
    "member": {**HEAD, "type": "m.room.member", "state_key": ANN, "content": {"membership": "join", "displayname": "Ann"}},
    "own member": {**HEAD, "type": "m.room.member", "state_key": ME, "content": {"membership": "join"},
                   "unsigned": {"prev_content": {"membership": "invite"}}},
    "tombstone": {**HEAD, "type": "m.room.tombstone", "state_key": "", "content": {"replacement_room": "!new:example.org", "body": "x"}},
    "created": {**HEAD, "type": "m.room.create", "state_key": "",
                "content": {"creator": ANN, "predecessor": {"room_id": "!former:example.org", "event_id": "$x"}}},
    "encrypted": {**HEAD, "type": "m.room.encrypted", "content": {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x", "session_id": "s"}},
    "encryption": {**HEAD, "type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}},
    "readers": {**HEAD, "type": "m.room.history_visibility", "state_key": "", "content": {"history_visibility": "shared"}},
    "powers": {**HEAD, "type": "m.room.power_levels", "state_key": "", "content": {"users": {ANN: 100}, "events": {}, "users_default": 0}},
}  # fmt: skip


def sync(event: Any) -> dict[str, Any]:
    return {"next_batch": "s2", "rooms": {"join": {HERE: {"timeline": {"events": [event]}}}}}


SYNCS: dict[str, dict[str, Any]] = {
    "sync": {"next_batch": "s2", "account_data": {"events": [{"type": "m.direct", "content": {ANN: [HERE]}}]},
             "rooms": {"join": {HERE: {"timeline": {"events": [EVENTS["member"]], "limited": True, "prev_batch": "p"},
                                       "state": {"events": [EVENTS["encryption"]]}, "summary": {"m.heroes": [ANN], "m.joined_member_count": 2}}},
                       "invite": {"!in:example.org": {"invite_state": {"events": [
                           {"type": "m.room.member", "sender": ANN, "state_key": ME, "content": {"membership": "invite"}}]}}},
                       "leave": {"!out:example.org": {"timeline": {"events": []}}}}},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(EVENTS) + sorted(SYNCS))
async def test_a_value_of_another_type_is_no_fault_of_the_bots(
    tmp_path: Path, database: Database, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    raised: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: raised.append(context))
    bot, arrived, chats = Bot(tmp_path), list[Waiting](), Chats(database)
    bot.line.events |= {OLD: {**HEAD, "event_id": OLD, "content": TEXT}}
    bot.taking._intake = bot.doors._intake = Reception(  # as the channel is given it
        Inbox(database), chats, BlobStore(tmp_path), Moves(database, chats), arrived=arrived.append, stop=lambda _number: False,
        default="en", text_bytes=10_000,
    )  # fmt: skip
    odd = (
        [sync(event) for event in strange(EVENTS[name])]
        if name in EVENTS
        else [{**one, "next_batch": "s2"} for one in strange(SYNCS[name])]
    )
    for told in [
        *odd,
        sync({**EVENTS["file"], "event_id": "$last", "content": {"msgtype": "m.text", "body": "after all of it"}}),
    ]:
        said = json.loads(json.dumps(told))
        bot.rooms.told(said)
        await bot.taking.take(said, "s1")
        bot.doors.told(said)
    await bot.signs.finish(within_s=30)

    gc.collect()  # a task whose error nobody asked for tells it as it goes
    assert raised == []
    printed = capfd.readouterr()
    assert "Traceback" not in printed.out + printed.err
    assert arrived[-1].message.text == "after all of it"


async def test_a_position_that_no_database_takes_is_asked_for_again() -> None:
    told: list[Any] = [{"next_batch": odd} for odd in (None, 5, "", [], "\ud800", "a\0")]

    class Line:
        async def call(self, *_said: object, **_more: object) -> Any:
            return told.pop(0) if told else {"next_batch": "s9"}

    wire: Any = Line()
    assert await Syncing(wire, Backoff(lambda _seconds: asyncio.sleep(0))).since("s1") == {"next_batch": "s9"}


ODD = {
    "no id": ("said", {"event_id": 5}, "it has no id"),
    "no sender": ("said", {"sender": None}, "it names no sender"),
    "no type": ("said", {"type": ["a secret"]}, "it has no type"),
    "no content": ("said", {"content": ["a secret"]}, "its content is no object"),
    "no content, in a type that is not read": ("said", {"type": "org.example.poll", "content": "a secret"}, "its content is no object"),
    "no msgtype": ("said", {"content": {"body": "a secret"}}, "it does not say of what type its message is"),
    "no words": ("said", {"content": {"msgtype": "m.text", "body": ["a secret"]}}, "its words are no text"),
    "no address": ("file", {"content": {**FILE, "url": "https://example.org/a-secret"}}, "its file has no address"),
    "no sticker": ("sticker", {"content": {"body": "a secret", "url": 7}}, "its file has no address"),
    "nothing reacted to": ("reaction", {"content": {"m.relates_to": ["a secret"]}}, "it names no event that it is about"),
    "no key": ("reaction", {"content": {"m.relates_to": {"event_id": OLD, "key": {"a": "secret"}}}}, "it has no key"),
    "nothing redacted": ("redaction", {"redacts": 3, "content": {"reason": "a secret"}}, "it names no event that it is about"),
    "an empty edit": ("edit", {"content": {**TEXT, "m.new_content": "a secret", "m.relates_to": {"rel_type": "m.replace", "event_id": OLD}}},
                      "it is an edit without what the message says now"),
    "an edit to no text": ("edit", {"content": {**TEXT, "m.new_content": {"msgtype": "m.text", "body": {"a": "secret"}},
                                                "m.relates_to": {"rel_type": "m.replace", "event_id": OLD}}}, "its words are no text"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ODD))
async def test_an_event_of_an_odd_form_is_told_in_the_log_by_its_type_and_why_never_by_its_content(
    logs_as_they_were: None, tmp_path: Path, name: str
) -> None:
    kind, odd, why = ODD[name]
    event = {**EVENTS[kind], **odd}
    bot = Bot(tmp_path)
    bot.line.events[OLD] = {**HEAD, "event_id": OLD, "content": TEXT}
    with capture_logs() as told:
        assert not await bot.hear(event)
    (line,) = told
    known = event["type"] if isinstance(event["type"], str) else "none that is known"
    assert (line["log_level"], line["type"], line["why"]) == ("info", known, why)
    assert "secret" not in str(line)


async def test_a_type_that_is_a_sentence_and_a_thing_that_is_no_object_are_told_without_their_words(
    logs_as_they_were: None, tmp_path: Path
) -> None:
    with capture_logs() as told:
        await Bot(tmp_path).hear({**HEAD, "type": "meet me at the secret place", "content": None}, "a secret")
    assert [(line["type"], line["why"]) for line in told] == [
        ("none that is known", "it is no object"), ("none that is known", "its content is no object"),
    ]  # fmt: skip
    assert "secret" not in str(told)


@pytest.mark.parametrize("name", ["notice", "taken back", "of another kind", "a laugh", *sorted(EVENTS)])
async def test_of_an_event_that_is_as_it_should_be_nothing_is_logged(logs_as_they_were: None, tmp_path: Path, name: str) -> None:
    usual = {
        "notice": {**HEAD, "content": {"msgtype": "m.notice", "body": "I am a bot"}},
        "taken back": {**HEAD, "content": {}, "unsigned": {"redacted_because": {"type": "m.room.redaction"}}},
        "of another kind": {**HEAD, "type": "m.room.topic", "state_key": "", "content": {"topic": "x"}},
        "a laugh": {**HEAD, "type": "m.reaction", "content": {"m.relates_to": {"event_id": OLD, "key": "😀"}}},
    }
    bot = Bot(tmp_path)
    bot.line.events[OLD] = {**HEAD, "event_id": OLD, "content": TEXT}
    with capture_logs() as told:
        await bot.hear(usual.get(name) or EVENTS[name])
    assert not [line for line in told if "passed over" in line["event"]]
