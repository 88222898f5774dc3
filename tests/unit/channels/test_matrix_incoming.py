from collections.abc import Mapping

import pytest

from bot.channels import matrix_incoming
from bot.channels.matrix_account import Me
from bot.channels.matrix_incoming import MARK, Relation, chosen, of_message, pressed, relation
from bot.message import Address, Command, Message

ME = Me("@paring:example.org", "DEVICE", "Paring Bot")
GROUP, ALONE = Address("matrix", ME.user, "!room", "", "group"), Address("matrix", ME.user, "@ann:example.org", "!room")
PILL = '<a href="https://matrix.to/#/%40paring%3Aexample.org">Paring Bot</a>'


def said(body: object, at: Address = GROUP, /, **content: object) -> Message | None:
    event = {
        "type": "m.room.message", "event_id": "$1", "sender": "@ann:example.org", "origin_server_ts": 1_700_000_000_000,
        "content": {"msgtype": "m.text", "body": body} | content,
    }  # fmt: skip
    return of_message(event, ME, at, commands={"sum", "요약"})


@pytest.mark.parametrize(
    ("body", "content", "text"),
    [
        ("Paring Bot: where is it?", {"formatted_body": f"{PILL}: where is it?"}, "where is it?"),
        ("Paring Bot where is it?", {"m.mentions": {"user_ids": [ME.user]}}, "where is it?"),
        ("@paring 어디야?", {}, "어디야?"),
        ("paring: where?", {}, "where?"),
        ("@Paring Bot님, 어디야?", {}, "어디야?"),
        ("where is it, @paring:example.org?", {"m.mentions": {"user_ids": [ME.user]}}, "where is it, ?"),
        ("ask Paring Bot where", {"formatted_body": f"ask {PILL} where"}, "ask where"),
    ],
)
def test_it_is_called_by_a_mention_a_pill_or_its_name_at_the_beginning(body: str, content: dict[str, object], text: str) -> None:
    message = said(body, **content)
    assert message is not None
    assert (message.text, message.addressed) == (text, True)


@pytest.mark.parametrize(
    "formatted",
    [
        f"<a <b {PILL.removeprefix('<a ')}",  # each tag is looked through once, however many begin
        '<a href="https://matrix.to/#/@paringer:example.org">Paring Bot</a>',
    ],
)
def test_what_is_no_whole_pill_of_its_own_calls_nobody(formatted: str) -> None:
    message = said("Paring Bot where?", formatted_body=formatted)
    assert message is not None
    assert not message.addressed


def test_links_are_looked_for_only_where_its_id_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix_incoming, "_PILL", None)
    message = said("hello", formatted_body="<a " * 10_000)
    assert message is not None
    assert not message.addressed


@pytest.mark.parametrize(
    "body", ["paring is fine", "I like Paring Bot", "!unknown thing", "/etc/hosts", "@paringer hello", "@room hi"]
)
def test_other_talk_in_a_group_is_not_for_it(body: str) -> None:
    message = said(body)
    assert message is not None
    assert (message.text, message.addressed, message.command) == (body, False, None)


@pytest.mark.parametrize(
    ("body", "at", "command"),
    [
        ("!sum 50", GROUP, Command("sum", "50")),
        ("/sum 50", GROUP, Command("sum", "50")),
        ("!요약", GROUP, Command("요약", "")),
        ("@paring !why", GROUP, Command("why", "")),
        ("!why", ALONE, Command("why", "")),
        ("! no order", ALONE, None),
        ("!!", ALONE, None),
    ],
)
def test_a_command_begins_with_a_bang_or_a_slash(body: str, at: Address, command: Command | None) -> None:
    message = said(body, at)
    assert message is not None
    assert message.command == command


def test_the_fallback_of_a_reply_and_of_an_old_client_is_cut_off() -> None:
    replied = {"m.relates_to": {"m.in_reply_to": {"event_id": "$0"}}}
    message = said("> <@ben:x> the old\n> words\n\ntl;dr", ALONE, **replied)
    assert message is not None
    assert message.text == "tl;dr"
    assert relation(replied) == Relation(replies_to="$0")


def test_a_thread_replies_to_nothing_unless_it_says_so() -> None:
    thread = {"rel_type": "m.thread", "event_id": "$0", "m.in_reply_to": {"event_id": "$5"}}
    assert relation({"m.relates_to": {**thread, "is_falling_back": True}}) == Relation(thread="$0")
    assert relation({"m.relates_to": thread}) == Relation(thread="$0", replies_to="$5")


@pytest.mark.parametrize(
    "content",
    [
        {"msgtype": "m.notice"}, {"msgtype": "m.key.verification.request"}, {MARK: {}}, {"msgtype": 5}, {"body": 5}, {"body": "  "},
        {"msgtype": "m.image", "url": "https://evil.example/x.png"}, {"msgtype": "m.image", "url": "mxc://a b/c"}, {"msgtype": "m.file"},
    ],
)  # fmt: skip
def test_what_a_bot_says_and_what_is_none_of_the_specifications_is_nothing(content: Mapping[str, object]) -> None:
    assert said("hello", ALONE, **content) is None


def test_a_file_has_its_caption_apart_from_its_name() -> None:
    file = {"msgtype": "m.image", "filename": "../plan.png", "url": "mxc://example.org/abc", "info": {"size": "7", "mimetype": 3}}
    message = said("what is it?", ALONE, **file)
    assert message is not None
    (attachment,) = message.attachments
    assert (message.text, attachment.name, attachment.kind, attachment.size_bytes) == ("what is it?", "plan.png", "image", 0)
    assert attachment.ref == "mxc://example.org/abc"


@pytest.mark.parametrize(
    ("key", "name"),
    [("2️⃣", "2"), ("2⃣", "2"), ("🔟", "10"), ("👍", "👍"), ("👍🏽", "👍"), ("👎️", "👎"), ("❤️", ""), ("", ""), ("12", "")],
)
def test_a_reaction_is_a_key_however_it_is_drawn(key: str, name: str) -> None:
    assert pressed(key) == name


@pytest.mark.parametrize(("body", "number"), [("!2", 2), (" ! 12 ", 12), ("!2 more", 0), ("2", 0), ("!123", 0)])
def test_a_button_is_pressed_by_its_number_alone(body: str, number: int) -> None:
    assert chosen({"body": body}) == number
