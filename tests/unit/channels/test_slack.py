"""The Slack channel in process, in a Slack of our own: what it does when Slack is slow, wrong, late, gone or lies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from fakes.slack import ANN, APP_TOKEN, BEN, BOT, DIRECT, GENERAL, LIES, TEAM, TOKEN, FakeSlack, Fault, slack
from pydantic import SecretStr

from bot.channels import slack_taking, slack_wire
from bot.channels.backoff import Backoff
from bot.channels.channel import Taken
from bot.channels.slack import Slack
from bot.channels.slack_sending import MOST_LOOKS
from bot.channels.slack_socket import MOST_SOCKETS
from bot.contract.intake import KeptIntake
from bot.errors import AmbiguousSendError, ChannelError, GoneError, RetryLaterError, StoreError, TooLargeError
from bot.locale import Language
from bot.message import Address, Attachment, Button, Command, Message, Picture, Press, Receipt, Reply
from bot.passage import Scope
from bot.store.blobs import BlobStore

HERE = Address("slack", TEAM, ANN)
UNSEEN = Address("slack", TEAM, ANN, f"in:{GENERAL}")
THREAD = Address("slack", TEAM, GENERAL, "1600000000.000100", "group")
ANSWER = Reply("Here.", "en", receipt=Receipt("search"))


@dataclass
class Inbox(KeptIntake):
    """Keeps what comes in as long as it may, and goes by the language that Slack tells."""

    moves: list[tuple[Address, Address]] = field(default_factory=list)
    changed: list[tuple[Address, str]] = field(default_factory=list)
    may: asyncio.Event = field(default_factory=asyncio.Event)
    broken: int = 0

    def __post_init__(self) -> None:
        self.may.set()

    async def accept(self, item: Message | Press) -> Taken:
        await self.may.wait()
        if self.broken:
            self.broken -= 1
            raise StoreError("the disk is full")
        return await super().accept(item)

    async def language(self, address: Address, text: str, platform_language: str) -> Language:
        del address, text
        return "ko" if platform_language.startswith("ko") else "en"

    async def moved(self, old: Address, new: Address) -> None:
        self.moves.append((old, new))

    def members_changed(self, group: Address, person: str = "") -> None:
        self.changed.append((group, person))


@dataclass
class House:
    fake: FakeSlack
    channel: Slack
    inbox: Inbox

    async def until_called(
        self, method: str, *, times: int = 1, holds: Callable[[dict[str, Any]], bool] = lambda _said: True
    ) -> Any:
        """Return the arguments of a call, once there are so many."""
        found = await self.fake.until(
            lambda: [said for name, said in self.fake.calls if name == method and holds(said)][times - 1 : times]
        )
        return found[0]


@asynccontextmanager
async def house(folder: Path, **more: Any) -> AsyncIterator[House]:
    async with slack() as fake:
        faults = more.pop("faults", ())
        fake.faults += faults
        channel, inbox = Slack(fake.settings(**more), blobs=BlobStore(folder)), Inbox(BlobStore(folder))
        running = asyncio.create_task(channel.run(inbox))
        try:
            if not faults:
                await fake.connected()
            yield House(fake, channel, inbox)
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def _in_the_end(channel: Slack, to: Address) -> None:
    """Send, and wait where one is told to."""
    while True:
        with suppress(RetryLaterError):
            await channel.send(ANSWER, to, key="1")
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.slack.Backoff", lambda: Backoff(lambda _seconds: asyncio.sleep(0)))
    monkeypatch.setattr(slack_wire, "ASKED_RETRY_S", 0.0)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


# ---------------------------------------------------------------------- what comes in


async def test_what_is_kept_too_late_is_not_acknowledged_is_told_again_and_is_there_once(
    here: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_taking, "ACKNOWLEDGE_S", 0.05)
    here.inbox.may.clear()  # a database that somebody holds
    said = here.fake.event(here.fake.stands("hello"))
    taking = asyncio.create_task(here.fake.envelope("events_api", said))
    await here.until_called("users.info")
    done, _late = await asyncio.wait([taking], timeout=0.2)
    assert not done
    assert not here.inbox.items
    here.inbox.may.set()
    monkeypatch.setattr(slack_taking, "ACKNOWLEDGE_S", 30.0)
    await here.fake.envelope("events_api", said)
    assert [item.id for item in here.inbox.items] == [said["event"]["ts"]]
    taking.cancel()


async def test_what_cannot_be_kept_is_not_acknowledged(here: House) -> None:
    here.inbox.broken = 1
    said = here.fake.event(here.fake.stands("hello"))
    first = asyncio.create_task(here.fake.envelope("events_api", said))
    await here.until_called("users.info")
    await here.fake.envelope("events_api", said)
    assert not first.done()
    assert len(here.inbox.items) == 1
    first.cancel()


async def test_an_event_that_was_not_acknowledged_is_told_again_by_the_fake_as_by_slack(
    here: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fakes.slack.PATIENCE_S", 0.2)
    here.inbox.broken = 1
    said = await here.fake.say("hello")
    assert here.inbox.broken == 0
    assert {item.id for item in here.inbox.items} == {said["ts"]}


async def test_a_message_that_is_told_after_its_deletion_is_nothing_any_more(here: House) -> None:
    said = here.fake.stands("a secret", chat=GENERAL)
    await here.fake.tell({"type": "message", "subtype": "message_deleted", "channel": GENERAL, "channel_type": "channel",
                          "deleted_ts": said["ts"], "previous_message": said})  # fmt: skip
    await here.fake.tell(said)
    await here.fake.tell({**said, "type": "app_mention"})
    assert here.inbox.taken_back == [(Address("slack", TEAM, GENERAL, kind="group"), said["ts"])]
    assert not here.inbox.items


async def test_a_picture_from_another_workspace_is_a_picture(here: House) -> None:
    photo = here.fake.put("cat.png", b"\x89PNG", "image/png")
    await here.fake.say("", chat=DIRECT, files=[{"id": photo["id"], "mode": "file_access", "file_access": "check_file_info"}])
    await here.fake.say("", chat=DIRECT, files=[{"id": "F404", "file_access": "check_file_info"}, "junk"])
    known, unknown = (item.attachments[0] for item in here.inbox.items)  # type: ignore[union-attr]
    assert (known.kind, known.name, known.size_bytes) == ("image", "cat.png", 4)
    assert (unknown.kind, unknown.ref) == ("document", f"{TEAM}/F404")


async def test_whoever_is_no_person_is_never_answered(here: House) -> None:
    for more in (
        {"bot_id": "B9"},
        {"user": "USLACKBOT"},
        {"user": BOT},
        {"subtype": "bot_message"},
        {"bot_profile": {"id": "B9"}},
    ):
        await here.fake.say(f"<@{BOT}> hello", chat=GENERAL, **more)
    assert not here.inbox.items


async def test_a_channel_with_a_new_id_is_followed_and_who_reads_it_is_asked_anew(here: House) -> None:
    general = Address("slack", TEAM, GENERAL, kind="group")
    assert await here.channel.workspace(GENERAL) == Scope("workspace", f"slack/{TEAM}")
    for sign in ("channel_shared", "channel_unshared"):
        await here.fake.tell({"type": sign, "channel": GENERAL})
        await here.channel.workspace(GENERAL)
    await here.fake.tell(
        {"type": "message", "subtype": "channel_convert_to_private", "channel": GENERAL, "user": ANN, "ts": "17.1"}
    )
    assert here.inbox.changed == [(general, "")] * 3
    await here.channel.workspace(GENERAL)
    assert len([1 for method, _said in here.fake.calls if method == "conversations.info"]) == 4
    await here.fake.tell({"type": "channel_id_changed", "old_channel_id": GENERAL, "new_channel_id": "C9"})
    assert here.inbox.moves == [(general, Address("slack", TEAM, "C9", kind="group"))]


@pytest.mark.parametrize("sign", [{"is_stranger": True}, {"is_restricted": True}, {"team_id": "T9"}, {"deleted": True}])
async def test_guests_and_people_of_other_workspaces_do_not_read_what_is_open_to_this_one(
    here: House, sign: dict[str, Any]
) -> None:
    workspace = Scope("workspace", f"slack/{TEAM}")
    assert await here.channel.member(ANN, workspace)
    here.fake.users[BEN] = sign
    assert not await here.channel.member(BEN, workspace)


# ---------------------------------------------------------------------- the socket


async def test_a_socket_that_is_to_end_is_read_until_the_next_one_stands(here: House) -> None:
    await here.fake.frame({"type": "disconnect", "reason": "refresh_requested"})
    await here.fake.say("still on the old one")
    await here.fake.until(lambda: here.fake.sockets == 2)
    await here.fake.say("on the new one")
    assert [item.text for item in here.inbox.items] == ["still on the old one", "on the new one"]  # type: ignore[union-attr]


async def test_sockets_that_end_as_they_stand_are_asked_for_ever_later_and_few_are_kept(
    here: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(here.channel._backoff, "_pause", lambda seconds: asyncio.sleep(0, waits.append(seconds)))
    here.fake.restless = True
    await here.fake.close_sockets()
    await here.until_called("apps.connections.open", times=12)
    await here.fake.say("hello")
    assert here.fake.sockets <= MOST_SOCKETS + 2  # those that are just being closed
    assert waits[8] > 10 > waits[0]
    assert len(here.inbox.items) == 1


async def test_frames_that_are_nothing_end_no_socket(here: House) -> None:
    for frame in ("", "[]", "{", LIES["deep"], '{"envelope_id": 5}', '{"type": "events_api", "envelope_id": "e", "payload": 7}',
                  '{"type": "hello"}', '{"type": "events_api", "envelope_id": "e", "payload": {"event": 7, "authorizations": [7]}}',
                  '{"type": "interactive", "envelope_id": "e", "payload": {"user": 7, "team": [], "type": "block_actions"}}',
                  '{"type": "disconnect", "reason": "warning"}'):  # fmt: skip
        await here.fake.frame(frame)
    await here.fake.say("hello")
    assert len(here.inbox.items) == 1


async def test_a_refused_app_token_is_told_once_and_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faults = [Fault("apps.connections.open", kind, token=APP_TOKEN) for kind in ("ratelimited", "bare", "strange", "html", "500")]
    async with house(tmp_path, faults=faults) as here:
        await here.fake.connected()
        await here.fake.say("hello")
        assert len(here.inbox.items) == 1


# ---------------------------------------------------------------------- tokens and workspaces


async def test_a_refused_token_does_not_hold_up_answers_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_wire, "REFUSED_S", 0.0)
    faults = [Fault("auth.test", "invalid_auth", times=9, token="xoxb-0-other")]
    async with slack() as fake:
        fake.faults += faults
        settings = fake.settings().model_copy(update={"bot_tokens": SecretStr(f"{TOKEN},xoxb-0-other")})
        channel = Slack(settings, blobs=BlobStore(tmp_path))
        running = asyncio.create_task(channel.run(Inbox(BlobStore(tmp_path))))
        await fake.connected()
        await fake.until(lambda: faults[0].times < 9)
        with pytest.raises(GoneError, match="workspace no more"):
            await _in_the_end(channel, Address("slack", "T404", ANN))
        assert await channel.send(ANSWER, HERE, key="1")
        running.cancel()


@pytest.mark.parametrize("why", ["account_inactive", "token_revoked"])
async def test_answers_to_a_workspace_that_took_the_app_out_end_with_a_sentence(here: House, why: str) -> None:
    here.fake.faults += [Fault(method, why, times=9) for method in ("chat.postMessage", "auth.test")]
    await here.fake.tell({"type": "app_uninstalled"})
    await here.fake.tell({"type": "tokens_revoked", "tokens": {"bot": [BOT]}})
    await here.until_called("auth.test", times=3)
    with pytest.raises(GoneError, match="taken out of this Slack workspace") as told:
        await here.channel.send(ANSWER, HERE, key="1")
    assert "제거" in told.value.sentence("ko")


async def test_an_old_word_that_the_app_was_taken_out_changes_nothing(here: House) -> None:
    await here.fake.tell({"type": "app_uninstalled"})
    await here.until_called("auth.test", times=2)
    assert await here.channel.send(ANSWER, HERE, key="1")


# ---------------------------------------------------------------------- what goes out


async def test_a_quick_answers_reaction_is_not_taken_away_before_it_is_there(here: House) -> None:
    here.fake.faults.append(Fault("reactions.add", "ratelimited", retry_after=0))
    said = await here.fake.say("hello")
    await here.channel.send(Reply("hi", "en", reply_to=said["ts"]), HERE, key="1")
    await here.fake.until(lambda: ("remove", said["ts"]) in here.fake.reactions)
    assert here.fake.reactions == [("add", said["ts"]), ("remove", said["ts"])]


async def test_the_reaction_of_a_former_life_is_taken_away_once(here: House) -> None:
    for number in range(2):
        await here.channel.send(Reply("hi", "en", reply_to="1600000000.000100"), HERE, key=str(number))
    await here.channel.send(Reply("hi", "en", reply_to="command:1.2"), HERE, key="3")
    await here.until_called("reactions.remove")
    assert here.fake.reactions == [("remove", "1600000000.000100")]


async def test_in_a_thread_slack_shows_once_in_its_language_that_it_is_worked_on(here: House) -> None:
    said = await here.fake.say(f"<@{BOT}> 어디 있어?", chat=GENERAL, user=BEN)
    there = here.inbox.items[0].address
    for _beat in range(3):
        await here.channel.typing(there)
    status = await here.until_called("assistant.threads.setStatus")
    assert status == {"channel_id": GENERAL, "thread_ts": said["ts"], "status": "답변을 준비하고 있어요…"}
    await here.channel.typing(HERE)
    await here.channel.typing(UNSEEN)
    await here.channel.send(ANSWER, there, key="1")
    await here.channel.typing(there)
    await here.until_called("assistant.threads.setStatus", times=2)
    assert len([1 for method, _said in here.fake.calls if method == "assistant.threads.setStatus"]) == 2


@pytest.mark.parametrize(("person", "offered"), [(ANN, "!help"), (BEN, "!도움말")])
async def test_a_conversation_in_the_assistants_pane_begins_with_what_may_be_asked(
    here: House, person: str, offered: str
) -> None:
    thread = {"user_id": person, "channel_id": DIRECT, "thread_ts": "1700000000.000100", "context": {}}
    await here.fake.tell({"type": "assistant_thread_started", "assistant_thread": thread})
    said = await here.until_called("assistant.threads.setSuggestedPrompts")
    assert (said["channel_id"], said["prompts"][0]["message"]) == (DIRECT, offered)
    await here.fake.tell({"type": "assistant_thread_started", "assistant_thread": {"user_id": 5}})
    await here.fake.tell({"type": "assistant_thread_context_changed", "assistant_thread": thread})
    await here.fake.say("hello", user=person, thread_ts="1700000000.000100")
    assert here.inbox.items[-1].address.thread == "1700000000.000100"


async def test_what_one_alone_sees_says_that_it_is_sent_again_for_it_cannot_be_looked_for(here: House) -> None:
    here.fake.faults.append(Fault("chat.postEphemeral", "cut"))
    with pytest.raises(AmbiguousSendError):
        await here.channel.send(ANSWER, UNSEEN, key="1")
    await here.channel.send_parts(ANSWER, UNSEEN, key="1", edits="", sent=(), went_out=None, in_doubt=True)
    await here.channel.send_parts(ANSWER, UNSEEN, key="status 1", edits="", sent=(), went_out=None, in_doubt=True)
    first, second = here.fake.unseen
    assert "Sent again" not in first["text"]
    assert "Sent again" in second["text"]


@pytest.mark.parametrize("why", ["channel_not_found", "not_in_channel", "user_not_in_channel"])
async def test_who_asks_where_the_bot_is_not_is_answered_in_their_direct_chat(here: House, why: str) -> None:
    here.fake.faults.append(Fault("chat.postEphemeral", why, times=99))
    with pytest.raises(GoneError):
        await here.channel.send(Reply("I am working on it …", "en"), UNSEEN, key="status 1")
    long = replace(ANSWER, text="word " * 4000)
    shown = await here.channel.send(long, UNSEEN, key="1")
    parts = here.fake.shown(DIRECT)
    assert (parts[0]["ts"], len(parts) > 1, here.fake.unseen) == (shown, True, [])
    assert "Share" not in str(parts[-1])
    here.fake.faults.append(Fault("chat.postMessage", "cut"))
    with pytest.raises(AmbiguousSendError):
        await here.channel.send(ANSWER, UNSEEN, key="2")
    await here.channel.send_parts(ANSWER, UNSEEN, key="2", edits="", sent=(), went_out=None, in_doubt=True)
    assert len(here.fake.shown(DIRECT)) == len(parts) + 1


async def test_what_one_alone_sees_and_goes_on_after_a_wait_is_not_said_to_be_sent_again(here: House) -> None:
    await here.channel.send_parts(ANSWER, UNSEEN, key="1", edits="unseen", sent=(), went_out=None, in_doubt=True)
    long = replace(ANSWER, text="word " * 4000)
    await here.channel.send_parts(long, UNSEEN, key="2", edits="unseen", sent=("unseen",), went_out=None)
    assert ["Sent again" in one["text"] for one in here.fake.unseen] == [True, *[False] * (len(here.fake.unseen) - 1)]
    assert len(here.fake.unseen) > 1


async def test_only_an_answer_is_shared_and_a_status_that_one_alone_sees_stays_one(here: House) -> None:
    status = await here.channel.send(Reply("I am working on it …", "en"), UNSEEN, key="status 1")
    assert await here.channel.edit(status, Reply("Still …", "en"), UNSEEN) == status
    await here.channel.send_parts(ANSWER, UNSEEN, key="1", edits=status, sent=(), went_out=None)
    assert [json.dumps(one["blocks"]).count("Share") for one in here.fake.unseen] == [0, 1]


async def test_thumbs_are_a_row_of_their_own_and_come_back_as_presses(here: House) -> None:
    thumbs = (Button("👍", Command("up", ""), token="good"), Button("👎", Command("down", ""), token="bad"))
    await here.channel.send(
        Reply("Here.", "ko", buttons=(*thumbs, Button("More", Command("search"), token="more"))), HERE, key="1"
    )
    blocks = here.fake.shown(DIRECT)[0]["blocks"]
    assert [block["type"] for block in blocks] == ["rich_text", "actions", "context_actions"]
    (row,) = blocks[2]["elements"]
    assert (row["positive_button"]["value"], row["negative_button"]["value"]) == ("good", "bad")
    assert row["negative_button"]["accessibility_label"] == "나쁜 답변"
    pressed = {"type": "feedback_buttons", "action_id": row["action_id"], "value": "bad", "action_ts": "1.1"}
    await here.fake.act("interactive", {"type": "block_actions", "team": {"id": TEAM}, "user": {"id": ANN},
                                             "container": {"channel_id": DIRECT}, "actions": [pressed]})  # fmt: skip
    (press,) = here.inbox.items
    assert isinstance(press, Press)
    assert press.token == "bad"


# ---------------------------------------------------------------------- faults and lies


async def test_a_method_that_slack_asks_to_leave_alone_holds_up_no_other_and_no_other_chat(here: House) -> None:
    here.fake.faults.append(Fault("chat.postMessage", "ratelimited", retry_after=60))
    with pytest.raises(RetryLaterError) as told:
        await here.channel.send(ANSWER, HERE, key="1")
    assert told.value.retry_after_s == 60
    with pytest.raises(RetryLaterError):
        await here.channel.send(ANSWER, HERE, key="1")
    assert [method for method, _said in here.fake.calls].count("chat.postMessage") == 1
    assert await here.channel.send(ANSWER, THREAD, key="2")
    assert await here.channel.member(ANN, Scope("group", f"slack/{TEAM}/{GENERAL}"))


@pytest.mark.parametrize("lie", sorted(LIES))
async def test_after_a_lie_the_answer_is_looked_for_and_stands_there_once(here: House, lie: str) -> None:
    here.fake.faults.append(Fault("chat.postMessage", lie))
    with pytest.raises(AmbiguousSendError):
        await here.channel.send(ANSWER, HERE, key="1")
    await here.channel.send_parts(ANSWER, HERE, key="1", edits="", sent=(), went_out=None, in_doubt=True)
    assert len(here.fake.shown(DIRECT)) == 1
    assert "conversations.history" in [method for method, _said in here.fake.calls]


@pytest.mark.parametrize("answers_something", [True, False])
async def test_an_answer_is_found_below_hundreds_of_messages_that_came_while_the_bot_was_away(
    here: House, *, answers_something: bool
) -> None:
    asked = here.fake.stands("where?")
    answer = replace(ANSWER, reply_to=asked["ts"] if answers_something else "")
    await here.channel.send(answer, HERE, key="1")
    for number in range(250):
        here.fake.stands(f"more {number}")
    await here.channel.send_parts(answer, HERE, key="1", edits="", sent=(), went_out=None, in_doubt=True)
    assert len(here.fake.shown(DIRECT)) == 1


@pytest.mark.parametrize("lie", sorted(LIES))
async def test_nothing_that_slack_answers_breaks_more_than_the_one_call(here: House, lie: str, tmp_path: Path) -> None:
    file, thread = Attachment("document", "a", "text/plain", 0, f"{TEAM}/F1"), f"{TEAM}/thread:{GENERAL}/1600000000.000100/"
    methods = (
        "files.info",
        "conversations.replies",
        "conversations.members",
        "conversations.info",
        "users.info",
        "conversations.open",
    )
    here.fake.faults += [Fault(method, lie, times=3) for method in methods]
    for asked in (file, Attachment("document", "t", "text/markdown", 0, thread)):
        with suppress(ChannelError):
            await here.channel.fetch(asked, tmp_path / "file")
    assert not await here.channel.member("U9", Scope("group", f"slack/{TEAM}/{GENERAL}"))
    assert not await here.channel.member("U9", Scope("workspace", f"slack/{TEAM}"))
    assert await here.channel.workspace(GENERAL) is None
    with suppress(ChannelError):
        await here.channel.send(ANSWER, Address("slack", TEAM, BEN), key="1")
    await here.fake.say("hello")
    assert len(here.inbox.items) == 1


async def test_a_slack_that_does_not_say_who_the_bot_is_is_asked_again(tmp_path: Path) -> None:
    async with house(tmp_path, faults=[Fault("auth.test", "bare"), Fault("auth.test", "strange")]) as here:
        await here.until_called("auth.test", times=3)
        await here.fake.connected()
        await here.fake.say("hello")
        assert here.channel.accounts == {TEAM}


@pytest.mark.parametrize("way_in", ["a socket", "signed requests"])
async def test_a_channel_that_waits_for_slack_to_say_who_it_is_is_not_stuck(tmp_path: Path, way_in: str) -> None:
    async with slack() as fake:
        fake.faults.append(Fault("auth.test", "500", times=-1))
        posted = {"app_token": SecretStr(""), "signing_secret": SecretStr("s"), "events_port": 0}
        channel = Slack(fake.settings(**(posted if way_in == "signed requests" else {})), blobs=BlobStore(tmp_path))
        channel.pulse.due(-1.0)
        running = asyncio.create_task(channel.run(Inbox(BlobStore(tmp_path))))
        await fake.until(lambda: [method for method, _said in fake.calls].count("auth.test") > 2)
        assert channel.pulse.overdue_s == 0.0
        running.cancel()


async def test_a_workspace_that_comes_while_slack_is_asked_breaks_nothing(here: House, monkeypatch: pytest.MonkeyPatch) -> None:
    known = here.channel._workspaces

    async def call(_method: str, **_said: object) -> dict[str, Any]:
        known["T2"] = known[TEAM]
        raise ChannelError("channel_not_found")

    monkeypatch.setattr(known[TEAM].wire, "call", call)
    assert await here.channel.workspace(GENERAL) is None


async def test_a_thread_over_the_limit_of_a_file_is_too_large(here: House, tmp_path: Path) -> None:
    first = here.fake.stands("x" * 100, chat=GENERAL)
    for _number in range(8):
        here.fake.stands("x" * 100, chat=GENERAL, thread_ts=first["ts"])
    here.fake.page = 2
    here.channel.limits = replace(here.channel.limits, download_bytes=300)
    thread = Attachment("document", "t", "text/markdown", 0, f"{TEAM}/thread:{GENERAL}/{first['ts']}/")
    with pytest.raises(TooLargeError):
        await here.channel.fetch(thread, tmp_path / "file")
    assert [method for method, _said in here.fake.calls].count("conversations.replies") == 2


async def test_pages_without_end_come_to_one(here: House) -> None:
    here.fake.cursor = "again"
    assert not await here.channel.member("U404", Scope("group", f"slack/{TEAM}/{GENERAL}"))
    assert [method for method, _said in here.fake.calls].count("conversations.members") == 2


async def test_a_file_for_which_a_right_is_missing_is_told_with_what_to_do(here: House, tmp_path: Path) -> None:
    here.fake.faults.append(Fault("files.info", "missing_scope"))
    with pytest.raises(ChannelError, match="manifest"):
        await here.channel.fetch(Attachment("document", "a", "text/plain", 1, f"{TEAM}/F1"), tmp_path / "file")


async def test_where_slack_refuses_the_looks_of_an_answer_its_words_are_shown(here: House) -> None:
    for method in ("chat.postMessage", "chat.update", "chat.postEphemeral"):
        here.fake.faults.append(Fault(method, "invalid_blocks"))
    sent = await here.channel.send(ANSWER, HERE, key="1")
    assert await here.channel.edit(sent, Reply("**New**", "en"), HERE) == sent
    await here.channel.send(ANSWER, UNSEEN, key="2")
    assert [(one["text"], one.get("blocks")) for one in here.fake.shown(DIRECT)] == [("New", [])]
    assert (here.fake.unseen[0]["text"], here.fake.unseen[0].get("blocks")) == ("Here.", None)


async def test_a_picture_that_slack_has_not_looked_at_yet_is_shown_later_and_not_tried_for_ever(here: House) -> None:
    drawn = Reply("", "en", images=(Picture(here.inbox.keep(b"PNG"), "a cat"),))
    here.fake.faults.append(Fault("chat.postMessage", "invalid_blocks", times=2))
    for _try in range(2):
        with pytest.raises(RetryLaterError):
            await here.channel.send(drawn, HERE, key="1")
    await here.channel.send(drawn, HERE, key="1")
    assert [method for method, _said in here.fake.calls].count("files.completeUploadExternal") == 1
    here.fake.faults.append(Fault("chat.postMessage", "invalid_blocks", times=99))
    for _try in range(MOST_LOOKS):
        with pytest.raises(RetryLaterError):
            await here.channel.send(drawn, HERE, key="2")
    with pytest.raises(ChannelError, match="invalid_blocks"):
        await here.channel.send(drawn, HERE, key="2")


@pytest.mark.parametrize("why", ["is_archived", "channel_not_found", "not_in_channel"])
async def test_a_channel_that_is_closed_to_the_bot_is_gone_with_a_sentence(here: House, why: str) -> None:
    here.fake.faults.append(Fault("chat.postMessage", why))
    with pytest.raises(GoneError, match=why):
        await here.channel.send(ANSWER, THREAD, key="1")
