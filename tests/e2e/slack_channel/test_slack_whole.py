"""The whole bot as a program, in a Slack of our own: over Socket Mode, and over signed requests."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fakes.program import bot
from fakes.slack import ANN, BEN, BOT, DIRECT, GENERAL, TOKEN, FakeSlack, Fault, slack

LEASE = "The lease of the Mapo office ends on 30 June 2027. Mina Park keeps the keys of the roof."


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    async with slack() as made:
        yield made


async def answered(fake: FakeSlack, chat: str, number: int = 1, *, words: str = "") -> dict[str, Any]:
    """Return the bot's message of that number once it holds the words: what takes long shows a status first."""
    found = await fake.until(lambda: [one for one in fake.shown(chat)[number - 1 : number] if words in one["text"]])
    return found[0]


async def test_a_document_is_asked_about_and_edits_threads_and_buttons_work(fake: FakeSlack, tmp_path: Path) -> None:
    async with bot(tmp_path / "home", **fake.variables()) as program:
        await fake.say("", files=[fake.put("lease.txt", LEASE.encode(), "text/plain")])
        await answered(fake, DIRECT, words="lease.txt")

        asked = await fake.say("When does the lease of the Mapo office end?")
        answer = await answered(fake, DIRECT, 2, words="30 June 2027")
        assert "thread_ts" not in answer
        await fake.until(lambda: ("remove", asked["ts"]) in fake.reactions)

        edited = {**asked, "text": "Who keeps the keys of the roof?", "edited": {"user": ANN, "ts": "1800000000.000000"}}
        await fake.tell({"type": "message", "subtype": "message_changed", "channel": DIRECT, "channel_type": "im", "ts": fake.ts(),
                         "message": edited, "previous_message": asked})  # fmt: skip
        await answered(fake, DIRECT, 2, words="Mina Park")

        called = await fake.say(f"<@{BOT}> /help", chat=GENERAL, user=BEN)
        await fake.tell({**called, "type": "app_mention"})
        said = await answered(fake, GENERAL)
        assert said["thread_ts"] == called["ts"]
        await fake.say("안녕하세요, 오늘 회의는 취소됐어요", chat=GENERAL, user=BEN)
        await fake.say("/why", user=BEN)
        await answered(fake, DIRECT, 3)
        assert len(fake.shown(GENERAL)) == 1
        await program.stop()


async def test_a_slash_command_is_answered_to_who_typed_it_alone_and_they_may_share_it(fake: FakeSlack, tmp_path: Path) -> None:
    typed = {"command": "/paring", "text": "help", "team_id": "T1", "user_id": ANN, "user_name": "ann", "channel_id": GENERAL,
             "trigger_id": "1.2.3", "response_url": "https://example.org"}  # fmt: skip
    async with bot(tmp_path / "home", **fake.variables()):
        await fake.act("slash_commands", typed)
        unseen = await fake.until(lambda: next((one for one in fake.unseen if "paring-share" in json.dumps(one)), None))
        assert (unseen["channel"], unseen["user"]) == (GENERAL, ANN)
        assert not fake.shown(GENERAL)
        press = {"type": "block_actions", "team": {"id": "T1"}, "user": {"id": ANN}, "trigger_id": "9.9",
                 "container": {"channel_id": GENERAL, "is_ephemeral": True},
                 "actions": [{**unseen["blocks"][-1]["elements"][0], "action_ts": "1.1"}]}  # fmt: skip
        await fake.act("interactive", press)
        assert (await answered(fake, GENERAL))["text"] == unseen["text"]
        await fake.act("interactive", press)
        await fake.until(lambda: "expired" in fake.unseen[-1]["text"])
    assert len(fake.shown(GENERAL)) == 1


@pytest.mark.parametrize("kind", ["cut", "lost", "500", "ratelimited"])
async def test_a_post_whose_fate_is_unknown_is_shown_once(fake: FakeSlack, tmp_path: Path, kind: str) -> None:
    fake.faults.append(Fault("chat.postMessage", kind))
    async with bot(tmp_path / "home", **fake.variables()):
        await fake.say("/help")
        await fake.say("/privacy")
        await fake.until(lambda: len(fake.shown(DIRECT)) >= 2)
    keys = [message["metadata"]["event_payload"]["key"] for message in fake.shown(DIRECT)]
    assert len(keys) == len(set(keys)) == 2
    assert not any("Sent again" in message["text"] for message in fake.shown(DIRECT))


async def test_what_is_told_four_times_is_answered_once_and_a_socket_that_ends_is_opened_again(
    fake: FakeSlack, tmp_path: Path
) -> None:
    async with bot(tmp_path / "home", **fake.variables()):
        event = await fake.say("/help")
        for _time in range(3):
            await fake.tell(event)
        await fake.close_sockets()
        await fake.say("/privacy")
        await fake.until(lambda: len(fake.shown(DIRECT)) >= 2)
    assert len(fake.shown(DIRECT)) == 2


async def test_signed_requests_are_taken_and_others_are_401(fake: FakeSlack, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    more = {
        "PARING_SLACK__APP_TOKEN": "",
        "PARING_SLACK__SIGNING_SECRET": "s3cret",
        "PARING_SLACK__EVENTS_PORT": str(port),
    }
    url = f"http://127.0.0.1:{port}/slack/events"
    said = fake.event({"type": "message", "channel": DIRECT, "channel_type": "im", "user": ANN, "text": "/help", "ts": fake.ts()})
    async with bot(tmp_path / "home", **fake.variables(**more)):
        await fake.until(lambda: ("auth.test", {}) in fake.calls)
        while await fake.post(url, said, secret="s3cret") == 503:  # as long as it does not know yet who it is
            pass
        await answered(fake, DIRECT)
        assert await fake.post(url, said, secret="wrong") == 401
        assert await fake.post(url, said, secret="s3cret", at=1_600_000_000) == 401
        for name, value in (("X-Slack-Request-Timestamp", "soon"), ("X-Slack-Signature", "v0=ü"), ("X-Slack-Signature", "")):
            assert await fake.post(url, said, secret="s3cret", **{name: value}) == 401
        assert await fake.post(url, {"type": "url_verification", "challenge": "x"}, secret="s3cret") == 200
        pressed = {"type": "block_actions", "team": {"id": "T1"}, "user": {"id": ANN}, "container": {"channel_id": DIRECT},
                   "actions": [{"value": "unknown", "action_ts": "1.1"}]}  # fmt: skip
        assert await fake.post(url, pressed, secret="s3cret", form=True) == 200
        await fake.until(lambda: any("expired" in json.dumps(message) for message in fake.shown(DIRECT)))


async def test_what_is_deleted_in_slack_is_found_no_more(fake: FakeSlack, tmp_path: Path) -> None:
    async with bot(tmp_path / "home", **fake.variables()):
        await fake.say(f"<@{BOT}> /index on", chat=GENERAL)
        await answered(fake, GENERAL)
        told = await fake.say("The spare key of the bicycle lies under the third flower pot.", chat=GENERAL, user=BEN)
        await fake.say(f"<@{BOT}> where does the spare key of the bicycle lie?", chat=GENERAL)
        await answered(fake, GENERAL, 2, words="flower pot")
        await fake.tell({"type": "message", "subtype": "message_deleted", "channel": GENERAL, "channel_type": "channel",
                         "deleted_ts": told["ts"], "previous_message": told, "ts": fake.ts()})  # fmt: skip
        await fake.say(f"<@{BOT}> where does the spare key of the bicycle lie?", chat=GENERAL)
        assert "flower pot" not in (await answered(fake, GENERAL, 3, words="nothing"))["text"]


async def test_a_bot_that_is_killed_after_it_posted_does_not_post_again(fake: FakeSlack, tmp_path: Path) -> None:
    async with bot(tmp_path / "home", **fake.variables()) as program:
        fake.faults.append(Fault("chat.postMessage", "hang"))
        await fake.say("/help")
        await fake.until(lambda: fake.shown(DIRECT))
        program.kill()
    async with bot(tmp_path / "home", **fake.variables()):
        await fake.say("/privacy")
        await fake.until(lambda: len(fake.shown(DIRECT)) >= 2)
    assert len(fake.shown(DIRECT)) == 2
    assert any(method == "conversations.history" for method, _said in fake.calls)


async def test_who_opens_the_bots_page_reads_in_their_language_what_it_can_do(fake: FakeSlack, tmp_path: Path) -> None:
    async with bot(tmp_path / "home", **fake.variables()):
        for user, words in ((ANN, "Ask me anything"), (BEN, "무엇이든 물어보세요")):
            await fake.tell({"type": "app_home_opened", "tab": "home", "user": user, "channel": DIRECT})
            said = await fake.until(
                lambda user=user: next(
                    (one for method, one in fake.calls if method == "views.publish" and one["user_id"] == user), None
                )
            )
            assert words in json.dumps(said["view"], ensure_ascii=False)


async def test_another_homes_answer_under_the_same_number_is_not_taken_for_this_one(fake: FakeSlack, tmp_path: Path) -> None:
    async with bot(tmp_path / "old", **fake.variables()):
        await fake.say("/help")
        await answered(fake, DIRECT)
    fake.faults.append(Fault("chat.postMessage", "lost"))
    async with bot(tmp_path / "new", **fake.variables()):
        await fake.say("/help")
        await answered(fake, DIRECT, 2)


async def test_a_workspace_that_is_not_known_yet_loses_no_answer(fake: FakeSlack, tmp_path: Path) -> None:
    async with bot(tmp_path / "home", **fake.variables()) as program:
        fake.faults.append(Fault("chat.postMessage", "lost", times=1000))
        await fake.say("/help")
        await fake.until(lambda: fake.faults[0].times < 1000)
        program.kill()
    fake.faults[:] = [Fault("auth.test", "ratelimited", times=3, token=TOKEN)]
    both = fake.variables(PARING_SLACK__BOT_TOKENS="xoxb-1-contract,xoxb-0-other")
    fake.teams["xoxb-0-other"] = "T0"
    async with bot(tmp_path / "home", **both):
        await answered(fake, DIRECT)


async def test_a_mention_in_a_thread_is_answered_from_the_thread(fake: FakeSlack, tmp_path: Path) -> None:
    root = fake.stands("We meet on Tuesday at nine in the blue room to talk about the roof.", chat=GENERAL, user=BEN)
    fake.stands("I bring the plans of the roof. The blue room is booked.", chat=GENERAL, thread_ts=root["ts"])
    async with bot(tmp_path / "home", **fake.variables()):
        await fake.connected()
        await fake.say(f"<@{BOT}> tl;dr", chat=GENERAL, thread_ts=root["ts"], parent_user_id=BEN)
        said = await answered(fake, GENERAL, words="blue room")
    assert said["thread_ts"] == root["ts"]
