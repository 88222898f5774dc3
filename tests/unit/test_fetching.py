"""Files of a message: fetched once, and asked for again where the platform is away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fakes.channel import FakeChannel

from bot.errors import InputError, RetryLaterError
from bot.fetching import WAITS_S, Files
from bot.locale import Text
from bot.message import Attachment, Message
from bot.store.blobs import BlobStore
from bot.testing import make_message

PLAN = Attachment("document", "plan.txt", "text/plain", 4, ref="r1")


class Away(FakeChannel):
    """Gives a file after it was asked for so many times in vain."""

    def __init__(self, times: int, *, wait_s: float = 1.0) -> None:
        super().__init__()
        self.times, self.wait_s = times, wait_s

    async def fetch(self, attachment: Attachment, into: Path) -> None:
        if self.times:
            self.times -= 1
            raise RetryLaterError(Text("It did not come."), retry_after_s=self.wait_s)
        into.write_bytes(b"plan")


async def fetched(folder: Path, channel: FakeChannel) -> tuple[str, list[float]]:
    waits: list[float] = []

    async def pause(seconds: float) -> None:
        waits.append(seconds)

    files = Files(BlobStore(folder), {"test": channel}, most_bytes=100, pause=pause)
    message = await files.of(make_message("what is the plan?", attachments=[PLAN]))
    return message.attachments[0].blob, waits


async def test_a_platform_that_is_away_for_a_while_gives_the_file_all_the_same(tmp_path: Path) -> None:
    blob, waits = await fetched(tmp_path, Away(len(WAITS_S)))
    assert len(blob) == 64
    assert waits == list(WAITS_S)


async def test_it_is_waited_as_long_as_the_platform_asks_for(tmp_path: Path) -> None:
    assert (await fetched(tmp_path, Away(2, wait_s=3.0)))[1] == [3.0, 3.0]


async def test_a_file_that_does_not_come_is_told(tmp_path: Path) -> None:
    with pytest.raises(RetryLaterError):
        await fetched(tmp_path, Away(len(WAITS_S) + 1))


def about(name: str, **more: object) -> Message:
    """Return a message that replies to one whose file was refused, and which nobody gives again."""
    return make_message("and this?", reply_to=make_message("", attachments=[Attachment("document", name, "", 4)]), **more)


async def test_a_reply_to_a_file_that_was_refused_is_told_so(tmp_path: Path) -> None:
    files = Files(BlobStore(tmp_path), {}, most_bytes=100)
    with pytest.raises(InputError, match=r"plan\.pdf when it came, and did not keep it"):
        await files.of(about("plan.pdf"))


async def test_a_file_that_is_sent_in_reply_to_one_that_was_refused_stands_for_it(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    again = Attachment("document", "plan.txt", "text/plain", 4, blob=blobs.keep(b"plan"))
    assert (await Files(blobs, {}, most_bytes=100).of(about("plan.pdf", attachments=[again]))).attachments == (again,)


async def test_a_picture_of_the_bots_own_whose_size_nobody_tells_is_there(tmp_path: Path) -> None:
    blobs = BlobStore(tmp_path)
    drawn = make_message("", by_bot=True, attachments=[Attachment("image", "a", "image/png", 0, blob=blobs.keep(b"png"))])
    found = await Files(blobs, {}, most_bytes=100).of(make_message("/caption", reply_to=drawn))
    assert found.reply_to == drawn
    lost = replace(drawn, attachments=(Attachment("image", "a", "image/png", 0, blob="0" * 64),))
    with pytest.raises(InputError, match="gone on my disk"):
        await Files(blobs, {}, most_bytes=100).of(make_message("/caption", reply_to=lost))
