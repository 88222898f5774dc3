"""The manifest in docs/slack.md asks for what the code needs, and for nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.channels.slack_incoming import SHORTCUTS
from bot.channels.slack_taking import Taking

ROOT = Path(__file__).parents[3]
READ = {"channels:read", "groups:read", "mpim:read"}
HISTORY = {"channels:history", "groups:history", "im:history", "mpim:history"}
METHODS: Mapping[str, set[str]] = {
    "apps.connections.open": set(), "auth.test": set(), "views.publish": set(),
    "assistant.threads.setStatus": {"chat:write"}, "assistant.threads.setSuggestedPrompts": {"assistant:write"},
    "chat.postEphemeral": {"chat:write"}, "chat.postMessage": {"chat:write"}, "chat.update": {"chat:write"},
    "conversations.history": HISTORY, "conversations.replies": HISTORY,
    "conversations.info": READ, "conversations.list": READ, "conversations.members": READ,
    "conversations.join": {"channels:join"}, "conversations.open": {"im:write"},
    "files.completeUploadExternal": {"files:write"}, "files.getUploadURLExternal": {"files:write"}, "files.info": {"files:read"},
    "reactions.add": {"reactions:write"}, "reactions.remove": {"reactions:write"},
    "users.info": {"users:read"}, "users.list": {"users:read"},
}  # fmt: skip
"""Which rights a method needs where the bot calls it. Source: https://docs.slack.dev/reference/methods"""
EVENTS: Mapping[str, set[str]] = {
    "app_home_opened": set(), "app_uninstalled": set(), "tokens_revoked": set(), "app_mention": {"app_mentions:read"},
    "assistant_thread_context_changed": {"assistant:write"}, "assistant_thread_started": {"assistant:write"},
    "channel_id_changed": {"channels:read"}, "channel_shared": {"channels:read"}, "channel_unshared": {"channels:read"},
    "member_joined_channel": {"channels:read", "groups:read"}, "member_left_channel": {"channels:read", "groups:read"},
    "message.channels": {"channels:history"}, "message.groups": {"groups:history"},
    "message.im": {"im:history"}, "message.mpim": {"mpim:history"},
}  # fmt: skip
"""Source: https://docs.slack.dev/reference/events"""
OTHERS = {"commands"}
"""What the slash command and the shortcuts need."""


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    page = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    return found


def called() -> set[str]:
    code = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "bot" / "channels").glob("slack*.py"))
    return set(re.findall(r"\(\s*\"([a-z]+(?:\.[a-zA-Z]+)+)\"", code))


def test_every_method_that_is_called_is_known_here() -> None:
    assert called() == METHODS.keys()


def test_it_asks_for_the_rights_that_methods_and_events_need_and_for_no_other(manifest: dict[str, Any]) -> None:
    events = manifest["settings"]["event_subscriptions"]["bot_events"]
    needed = set().union(OTHERS, *METHODS.values(), *(EVENTS[event] for event in events))
    assert sorted(needed) == manifest["oauth_config"]["scopes"]["bot"]


def test_it_asks_for_the_events_that_are_read(manifest: dict[str, Any]) -> None:
    events = manifest["settings"]["event_subscriptions"]["bot_events"]
    assert events == sorted(EVENTS)
    assert {event.partition(".")[0] for event in events} == Taking(None, {}).events.keys()  # type: ignore[arg-type]


def test_its_command_and_its_shortcuts_are_those_that_are_answered(manifest: dict[str, Any]) -> None:
    features = manifest["features"]
    assert [command["command"] for command in features["slash_commands"]] == ["/paring"]
    assert [shortcut["callback_id"] for shortcut in features["shortcuts"]] == list(SHORTCUTS)
    assert manifest["settings"]["interactivity"]["is_enabled"]
    assert all(len(shortcut["name"]) <= 24 for shortcut in features["shortcuts"])
