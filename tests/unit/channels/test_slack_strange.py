"""Signed payloads whose fields are of other types than Slack's: taken or refused, never broken by, and nothing else is lost."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession
from fakes.slack import ANN, BOT, BOT_ID, DIRECT, GENERAL, SIGNING, TEAM, TOKEN, slack
from fakes.strange import strange
from structlog.testing import capture_logs
from unit.channels.test_slack_listening import signed

from bot.channels import slack_listening, slack_taking
from bot.channels.slack_incoming import Me
from bot.channels.slack_listening import application, posted
from bot.channels.slack_sending import SHARE, Sending
from bot.channels.slack_taking import Taking
from bot.channels.slack_wire import Wire
from bot.channels.slack_workspace import Workspace
from bot.intake import Reception
from bot.skill import CommandSpec
from bot.store.blobs import BlobStore
from bot.store.chats import Chats
from bot.store.database import Database
from bot.store.inbox import Inbox, Waiting
from bot.store.moving import Moves

AT_ONCE = 16
FORM = "application/x-www-form-urlencoded"
AUTHORIZED = {"team_id": TEAM, "api_app_id": "A1", "type": "event_callback", "event_id": "Ev1",
              "authorizations": [{"team_id": TEAM, "enterprise_id": None, "user_id": BOT, "is_bot": True}]}  # fmt: skip
SAID = {"type": "message", "channel": DIRECT, "channel_type": "im", "user": ANN, "text": f"hi <@{BOT}>", "ts": "1700000001.000100",
        "thread_ts": "1700000000.000100"}  # fmt: skip
FILE = {
    "id": "F1",
    "name": "a.pdf",
    "title": "a",
    "mimetype": "application/pdf",
    "size": 10,
    "mode": "hosted",
    "file_access": "visible",
}
PRESSED = {
    "type": "block_actions",
    "team": {"id": TEAM, "enterprise_id": "E1"},
    "user": {"id": ANN, "team_id": TEAM},
    "trigger_id": "9.9",
    "container": {"type": "message", "channel_id": GENERAL, "thread_ts": "1700000000.000100", "is_ephemeral": False},
    "channel": {"id": GENERAL},
    "actions": [{"action_id": "a", "value": "t0ken", "action_ts": "17.5", "block_id": "b"}],
    "api_app_id": "A1",
    "token": "t",
    "enterprise": {"id": "E1"},
    "is_enterprise_install": False,
    "response_url": "http://x",
}
EVENTS: dict[str, dict[str, Any]] = {
    "said": SAID,
    "called": {**SAID, "type": "app_mention", "channel": GENERAL, "channel_type": "channel"},
    "file": {**SAID, "subtype": "file_share", "files": [FILE, {"id": "F2", "file_access": "check_file_info"}]},
    "edit": {**SAID, "subtype": "message_changed", "message": {**SAID, "edited": {"user": ANN, "ts": "1800000000.5"}},
             "previous_message": {**SAID, "text": "before"}},
    "deletion": {**SAID, "subtype": "message_deleted", "deleted_ts": "1700000001.000100", "previous_message": SAID},
    "joined": {"type": "member_joined_channel", "user": ANN, "channel": GENERAL, "inviter": ANN, "team": TEAM},
    "bot joined": {"type": "member_joined_channel", "user": BOT, "channel": GENERAL, "inviter": ANN, "team": TEAM},
    "shared": {"type": "channel_shared", "channel": GENERAL, "connected_team_id": "T2"},
    "moved": {"type": "channel_id_changed", "old_channel_id": GENERAL, "new_channel_id": "C9"},
    "home": {"type": "app_home_opened", "user": ANN, "channel": DIRECT, "tab": "home"},
    "pane": {"type": "assistant_thread_started", "assistant_thread": {"user_id": ANN, "channel_id": DIRECT, "thread_ts": "17.1"}},
}  # fmt: skip
PAYLOADS: dict[str, dict[str, Any]] = {
    **{name: {**AUTHORIZED, "event": event} for name, event in EVENTS.items()},
    "ext shared": {**AUTHORIZED, "is_ext_shared_channel": True, "context_team_id": TEAM, "event": {**SAID, "user_team": "T2"}},
    "press": PRESSED,
    "share": {**PRESSED, "actions": [{"action_id": SHARE, "value": "t0ken", "action_ts": "17.5"}]},
    "shortcut": {"type": "message_action", "callback_id": "summarise_thread", "trigger_id": "9.9", "user": {"id": ANN, "name": "ann"},
                 "team": {"id": TEAM}, "channel": {"id": GENERAL}, "message": {**SAID, "files": [FILE], "reply_count": 2}},
    "search shortcut": {"type": "message_action", "callback_id": "search_for_this", "trigger_id": "9.9", "user": {"id": ANN},
                        "team": {"id": TEAM}, "channel": {"id": GENERAL}, "message": SAID},
    "view": {"type": "view_submission", "team": {"id": TEAM}, "user": {"id": ANN}, "view": {"id": "V1", "app_installed_team_id": TEAM}},
    "suggestion": {"type": "block_suggestion", "team": {"id": TEAM}, "user": {"id": ANN}, "action_id": "a", "value": "x"},
    "old dialog": {"type": "dialog_submission", "team": {"id": TEAM}, "user": {"id": ANN}, "channel": {"id": GENERAL},
                   "submission": {"a": "b"}, "callback_id": "c"},
    "old button": {"type": "interactive_message", "team": {"id": TEAM}, "user": {"id": ANN}, "channel": {"id": GENERAL},
                   "actions": [{"name": "a", "type": "button", "value": "b"}], "callback_id": "c"},
    "rates": {"type": "app_rate_limited", "team_id": TEAM, "minute_rate_limited": 1518467820, "api_app_id": "A1"},
    "challenge": {"type": "url_verification", "challenge": "3eZb", "token": "t"},
    "ssl": {"ssl_check": "1", "token": "t"},
    "command": {"command": "/paring", "text": "sum 50", "user_id": ANN, "user_name": "ann", "team_id": TEAM, "channel_id": GENERAL,
                "trigger_id": "1.2", "is_enterprise_install": "false", "enterprise_id": "E1"},
}  # fmt: skip
FORMS = ("press", "share", "shortcut", "search shortcut", "view", "suggestion", "old dialog", "old button")


@dataclass
class Door:
    session: ClientSession
    url: str
    arrived: list[Waiting] = field(default_factory=list)

    async def post(self, body: bytes, kind: str) -> int:
        async with self.session.post(
            self.url, data=body, headers=signed(body, secret=SIGNING) | {"Content-Type": kind}
        ) as answer:
            return answer.status


@pytest.fixture
async def door(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    monkeypatch.setattr(slack_taking, "ACKNOWLEDGE_S", 60.0)  # a machine that is busy is no fault of a payload's
    monkeypatch.setattr(slack_listening, "BODY_S", 60.0)
    async with slack() as fake, ClientSession() as session:
        raised: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: raised.append(context))
        made, chats, blobs = Door(session, ""), Chats(database), BlobStore(tmp_path)
        reception = Reception(
            Inbox(database), chats, blobs, Moves(database, chats), arrived=made.arrived.append, stop=lambda _number: False,
            default="en", text_bytes=10_000,
        )  # fmt: skip
        wire = Wire(TOKEN, base_url=fake.settings().base_url, session=session)
        here = Workspace(Me(TEAM, BOT, BOT_ID), wire, Sending(wire, blobs))
        taking = Taking(reception, {TEAM: here}, commands=lambda: [CommandSpec("sum", "", "")])
        async with posted("127.0.0.1", 0, "/slack/events", application(taking.take), signing_secret=SIGNING) as port:
            made.url = f"http://127.0.0.1:{port}/slack/events"
            yield made
        await taking.finish(within_s=30)
        await here.finish(within_s=30)
        gc.collect()  # a task whose error nobody asked for tells it as it goes
        assert raised == []


def bodies(name: str) -> list[tuple[bytes, str]]:
    """Return what is posted of a payload with each of its values in the place of an odd one."""
    posts: list[tuple[bytes, str]] = []
    for payload in strange(PAYLOADS[name]):
        if name in FORMS:
            posts.append((urlencode({"payload": json.dumps(payload)}).encode(), FORM))
        elif name in {"command", "ssl"}:
            pairs = {key: value.encode("utf-8", "replace") if isinstance(value, str) else value for key, value in payload.items()}
            posts.append((urlencode(pairs).encode(), FORM))
        else:
            posts.append((json.dumps(payload).encode(), "application/json"))
    return posts


@pytest.mark.parametrize("name", sorted(PAYLOADS))
async def test_a_value_of_another_type_is_no_fault_of_the_bots(door: Door, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    at_once = asyncio.Semaphore(AT_ONCE)

    async def post(body: bytes, kind: str) -> tuple[int, bytes]:
        async with at_once:
            return await door.post(body, kind), body

    answered = await asyncio.gather(*(post(*one) for one in bodies(name)))

    assert [one for one in answered if one[0] not in {200, 400, 401, 404}] == []
    told = capfd.readouterr()
    assert "Traceback" not in told.out + told.err
    said = {**AUTHORIZED, "event": {**SAID, "text": "after all of it", "ts": "1900000000.000100"}}
    assert await door.post(json.dumps(said).encode(), "application/json") == 200
    assert door.arrived[-1].message.text == "after all of it"


@pytest.mark.parametrize(
    "odd",
    [
        {**PRESSED, "actions": [5]}, {**PRESSED, "actions": None}, {**PRESSED, "actions": {}}, {**PRESSED, "container": [1], "channel": 5},
        {**PRESSED, "user": 7}, {**PRESSED, "team": [TEAM]}, {**PRESSED, "enterprise": 5}, {**PAYLOADS["view"], "view": 0},
        {**PAYLOADS["shortcut"], "user": []}, {**PAYLOADS["shortcut"], "callback_id": 5}, [PRESSED], 5, "x",
    ],
)  # fmt: skip
async def test_what_is_malformed_is_answered_as_slack_expects_and_is_one_line_of_the_log(
    logs_as_they_were: None, door: Door, odd: object
) -> None:
    with capture_logs() as told:
        status = await door.post(urlencode({"payload": json.dumps(odd)}).encode(), FORM)
    assert status in {200, 400}
    assert len(told) == 1
