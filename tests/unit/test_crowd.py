"""What is taken and what is not, and that who is not is told so, in words of their own."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot.crowd import MOST_UNSENT, Crowd
from bot.intake import Reception
from bot.locale import Language
from bot.message import Address, Message
from bot.store.blobs import BlobStore
from bot.store.chats import Chats
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.moving import Moves
from bot.store.outbox import Outbox, Parcel
from bot.testing import make_message


class Rooms:
    """How much waits where."""

    def __init__(self) -> None:
        self.here: defaultdict[str, int] = defaultdict(int)

    def __call__(self, at: Address) -> tuple[int, int]:
        return self.here[at.chat], sum(self.here.values())


class Fixture:
    def __init__(self, database: Database, folder: Path) -> None:
        self.unanswered, self.unsent = Rooms(), Rooms()
        self.inbox, self.outbox, chats = Inbox(database), Outbox(database), Chats(database)
        self.told: list[tuple[str, str]] = []
        self.reception = Reception(
            self.inbox, chats, BlobStore(folder), Moves(database, chats), arrived=lambda _waiting: None, stop=lambda _number: False,
            default="en", text_bytes=10_000, crowd=Crowd(self.unanswered, self.unsent, chat_queue=3, queue=5),
            not_taken=self.take,
        )  # fmt: skip

    def take(self, message: Message, parcels: Sequence[Parcel]) -> None:
        self.told += [(message.id, parcel.reply.text) for parcel in parcels] or [(message.id, "")]


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Fixture:
    return Fixture(database, tmp_path)


async def test_a_chat_with_room_is_let_in_and_a_full_one_is_told(house: Fixture) -> None:
    house.unanswered.here |= {"1": 3}
    assert (await house.reception.accept(make_message("hello", id="1", chat="2"))).fresh
    assert (await house.reception.accept(make_message("hello", id="1", chat="1"))).fresh
    assert house.told == [
        ("1", "3 messages of this chat wait for me already. I did not take this one; please send it again later.")
    ]
    assert await house.inbox.counts() == {"received": 1, "done": 1}
    assert await house.outbox.counts() == {"ready": 1}


@pytest.mark.parametrize(
    ("language", "said"), [("en", "I am too busy: 5 messages wait."), ("ko", "메시지 5개가 기다리고 있어요.")]
)
async def test_a_full_house_is_told_in_both_languages(house: Fixture, language: Language, said: str) -> None:
    house.unanswered.here |= {"1": 2, "2": 2, "3": 1}
    await house.reception.accept(replace(make_message("hello", chat="9"), language=language))
    ((_id, text),) = house.told
    assert said in text


async def test_the_same_message_again_is_refused_once_and_later_in_other_words_taken(house: Fixture) -> None:
    house.unanswered.here |= {"1": 3}
    message = make_message("x" * 5000, id="7")
    assert (await house.reception.accept(message)).fresh
    assert not (await house.reception.accept(message)).fresh
    assert len(house.told) == 2  # the second time nothing
    house.unanswered.here.clear()
    assert (await house.reception.accept(replace(message, text="shorter", version=1))).fresh
    assert await house.inbox.counts() == {"received": 1, "done": 1}
    assert await house.outbox.counts() == {"ready": 1}


@pytest.mark.parametrize(
    ("unsent_here", "unsent", "said"),
    [
        (0, 0, "5 messages of this chat wait"),
        (MOST_UNSENT - 1, MOST_UNSENT - 1, "nor what comes here until I am through"),
        (MOST_UNSENT, MOST_UNSENT, None),
        (0, 1000, "nor what comes here until I am through"),
        (1, 1000, None),
    ],
)
def test_refusals_that_cannot_be_sent_are_bounded_and_the_last_one_says_so(
    unsent_here: int, unsent: int, said: str | None
) -> None:
    crowd = Crowd(lambda _at: (5, 5), lambda _at: (unsent_here, unsent), chat_queue=5, queue=1000)
    refusal = crowd.refusal(make_message("hello"))
    assert refusal is not None
    assert (said or "") in str(refusal.said or "")
    assert (refusal.said is None) == (said is None)


def test_what_is_only_overheard_is_refused_in_silence() -> None:
    crowd = Crowd(lambda _at: (5, 5), lambda _at: (0, 0), chat_queue=5, queue=1000)
    refusal = crowd.refusal(replace(make_message("talk", kind="group"), addressed=False))
    assert refusal is not None
    assert refusal.said is None


def test_what_is_being_committed_counts() -> None:
    crowd = Crowd(lambda _at: (0, 4), lambda _at: (0, 0), chat_queue=5, queue=5)
    assert crowd.refusal(make_message("hello")) is None
    crowd.coming += 1
    assert crowd.refusal(make_message("hello")) is not None
