from __future__ import annotations

from typing import Any

import pytest

from bot.channels.slack_incoming import Me, Removed, alone_in, of_command, of_event, of_press, of_shortcut, plain
from bot.message import Address, Command, Message

ME = Me("T1", "UBOT", "B1")
ANN = Address("slack", "T1", "U1")


def event(text: str = "hello", **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "channel": "D1",
        "channel_type": "im",
        "user": "U1",
        "text": text,
        "ts": "1700000000.000100",
        **more,
    }


def said(**more: Any) -> Message:
    found = of_event(event(**more), ME)
    assert isinstance(found, Message)
    return found


def test_a_direct_chat_goes_by_its_person() -> None:
    message = said()
    assert (message.address, message.sender, message.id, message.addressed) == (ANN, "U1", "1700000000.000100", True)
    assert said(thread_ts="1600000000.000100").address.thread == "1600000000.000100"


@pytest.mark.parametrize("kind", ["message", "app_mention"])
def test_a_mention_in_a_channel_is_answered_in_its_thread_however_it_is_told(kind: str) -> None:
    message = said(text="<@UBOT> where is it?", type=kind, channel="C1", channel_type="channel")
    assert message.address == Address("slack", "T1", "C1", message.id, "group")
    assert (message.text, message.addressed, message.reply_to) == ("where is it?", True, None)


def test_talk_in_a_channel_is_not_for_the_bot() -> None:
    message = said(channel="C1", channel_type="channel", text="<@U2> look")
    assert (message.addressed, message.address.thread, message.text) == (False, "", "@U2 look")


def test_a_mention_in_a_thread_takes_the_thread_along() -> None:
    message = said(
        text="<@UBOT>, tl;dr", channel="C1", channel_type="channel", thread_ts="1600000000.000100", parent_user_id="U2"
    )
    assert message.reply_to is not None
    assert message.reply_to.attachments[0].ref == f"T1/thread:C1/1600000000.000100/{message.id}"
    assert (message.text, message.address.thread) == ("tl;dr", "1600000000.000100")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/sum 50", Command("sum", "50")),
        ("!sum 50", Command("sum", "50")),
        ("<@UBOT> !요약", Command("요약")),
        ("!", None),
        ("Great!", None),
        ("<@UBOT> /요약", Command("요약")),
        ("<@UBOT>님, /help", Command("help")),
        ("/etc/hosts", None),
    ],
)
def test_orders(text: str, command: Command | None) -> None:
    assert said(text=text).command == command


def test_what_is_shared_is_no_order() -> None:
    assert said(text="/swap summarise x", attachments=[{"text": "shared"}]).command is None


@pytest.mark.parametrize(
    "more",
    [
        {"subtype": "channel_join"}, {"bot_id": "B2"}, {"user": "UBOT"}, {"user": None}, {"ts": "now"}, {"text": ""}, {"channel": 5},
        {"subtype": "message_changed"}, {"subtype": "message_deleted"}, {"bot_profile": {"id": "B2"}}, {"text": ["x"]},
    ],
)  # fmt: skip
def test_what_is_nothing_to_a_bot(more: dict[str, Any]) -> None:
    assert of_event(event(**more), ME) is None


def test_an_edit_counts_where_a_person_made_it() -> None:
    inner = event("new", edited={"user": "U1", "ts": "1800000000.5"})
    change = {"type": "message", "subtype": "message_changed", "channel": "D1", "channel_type": "im", "message": inner}
    found = of_event({**change, "previous_message": event("old")}, ME)
    assert isinstance(found, Message)
    assert (found.text, found.version, found.address) == ("new", 1800000000, ANN)
    assert of_event({**change, "previous_message": event("new")}, ME) is None
    assert of_event({**change, "message": event("new")}, ME) is None


def test_a_deletion_names_what_is_gone() -> None:
    gone = {"type": "message", "subtype": "message_deleted", "channel": "C1", "channel_type": "channel", "deleted_ts": "17.1"}
    assert of_event({**gone, "previous_message": event(channel="C1")}, ME) == Removed(
        Address("slack", "T1", "C1", kind="group"), "17.1"
    )


def test_what_has_replies_and_is_deleted_is_gone_though_slack_leaves_an_empty_message() -> None:
    left = {**event("This message was deleted.", channel="C1"), "subtype": "tombstone", "user": "USLACKBOT", "ts": "17.1"}
    emptied = {"type": "message", "subtype": "message_changed", "channel": "C1", "channel_type": "channel", "message": left}
    assert of_event({**emptied, "previous_message": event("my secret", channel="C1")}, ME) == Removed(
        Address("slack", "T1", "C1", kind="group"), "17.1"
    )


def test_files_have_their_workspace_in_their_name_and_what_lies_elsewhere_is_none() -> None:
    files = [
        {"id": "F1", "name": "../a.pdf", "mimetype": "application/pdf", "size": 10, "mode": "hosted"},
        {"id": "F2", "mode": "tombstone"}, {"id": "F3", "mode": "external"}, {"name": "x"}, "junk",
    ]  # fmt: skip
    (file,) = said(text="", files=files, subtype="file_share").attachments
    assert (file.ref, file.name, file.kind, file.size_bytes) == ("T1/F1", "a.pdf", "document", 10)


@pytest.mark.parametrize(
    ("marked", "shown"),
    [
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("<https://a.example|words>", "words (https://a.example)"),
        ("<https://a.example>", "https://a.example"),
        ("<#C1|general> <@U2|ann> <!here> <!subteam^S1|@team>", "#general @ann @here @team"),
        ("a < b <", "a < b <"),
    ],
)
def test_marked_text_is_read_as_it_is_seen(marked: str, shown: str) -> None:
    assert plain(marked) == shown


def test_a_slash_command_is_for_the_eyes_of_who_typed_it() -> None:
    body = {"command": "/paring", "text": "sum 50", "user_id": "U1", "channel_id": "C1", "trigger_id": "1.2", "user_name": "ann"}
    message = of_command(body, ME, {"sum", "help"})
    assert message is not None
    assert (message.address, message.command) == (Address("slack", "T1", "U1", "in:C1"), Command("sum", "50"))
    korean = of_command({**body, "text": "요약 50"}, ME, {"sum", "요약"})
    assert korean is not None
    assert korean.command == Command("요약", "50")
    question = of_command({**body, "text": "who has the key?"}, ME, {"sum"})
    assert question is not None
    assert (question.command, question.text) == (None, "who has the key?")
    empty = of_command({**body, "text": ""}, ME, {"help"})
    assert empty is not None
    assert empty.command == Command("help")
    assert of_command({**body, "trigger_id": None}, ME, set()) is None


@pytest.mark.parametrize(
    ("callback", "more", "command"),
    [
        ("summarise_thread", {"thread_ts": "1600000000.000100"}, Command("sum")),
        ("describe_image", {"files": [{"id": "F1", "name": "a.png", "mimetype": "image/png", "size": 1}]}, Command("caption")),
        ("search_for_this", {}, Command("search", "hello")),
    ],
)
def test_shortcuts(callback: str, more: dict[str, Any], command: Command) -> None:
    body = {"type": "message_action", "callback_id": callback, "trigger_id": "9.9", "user": {"id": "U2", "name": "ben"},
            "channel": {"id": "C1"}, "message": event(channel="C1", **more)}  # fmt: skip
    message = of_shortcut(body, ME)
    assert message is not None
    assert (message.address, message.command) == (alone_in("C1", "U2", ME), command)
    if callback != "search_for_this":
        assert message.reply_to is not None
        assert message.reply_to.attachments
    assert of_shortcut({**body, "callback_id": "other"}, ME) is None


def test_a_press_is_known_by_its_time_and_its_presser() -> None:
    body = {"type": "block_actions", "user": {"id": "U1"}, "container": {"channel_id": "C1", "thread_ts": "16.1"},
            "actions": [{"value": "t0ken", "action_ts": "17.5"}]}  # fmt: skip
    press = of_press(body, ME)
    assert press is not None
    assert (press.address, press.token, press.sender) == (Address("slack", "T1", "C1", "16.1", "group"), "t0ken", "U1")
    assert press.alone == ANN
    unseen = of_press({**body, "container": {"channel_id": "C1", "is_ephemeral": True}}, ME)
    assert unseen is not None
    assert unseen.address == Address("slack", "T1", "U1", "in:C1")
    assert of_press({**body, "actions": []}, ME) is None
