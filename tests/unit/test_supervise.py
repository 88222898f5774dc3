import errno
import os

import pytest
from structlog.testing import capture_logs

from bot.errors import ChannelError, StoreError
from bot.locale import Text
from bot.supervise import supervise


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("bot.supervise.asyncio.sleep", sleep)
    return waited


async def test_what_breaks_is_started_again_ever_more_slowly(waits: list[float]) -> None:
    left = [RuntimeError("1"), OSError("2"), RuntimeError("3")]

    async def work() -> None:
        if left:
            raise left.pop()

    await supervise("part", work)
    assert waits == [0.5, 1.0, 2.0]


async def test_what_cannot_be_healed_is_told_and_left(waits: list[float]) -> None:
    told: list[Text] = []

    async def work() -> None:
        raise ChannelError("The token is wrong.")

    await supervise("telegram", work, hopeless=told.append)
    assert [text.to("en") for text in told] == ["The token is wrong."]
    assert waits == []


async def test_a_store_that_fails_is_one_line_and_is_tried_again(logs_as_they_were: None, waits: list[float]) -> None:
    left = [StoreError("The disk is full.")]

    async def work() -> None:
        if left:
            raise left.pop()

    with capture_logs() as told:
        await supervise("upkeep", work)
    assert [(line["why"], "exc_info" in line) for line in told] == [("The disk is full.", False)]
    assert waits == [0.5]


async def test_a_disk_that_refuses_is_one_line_and_is_tried_again(logs_as_they_were: None, waits: list[float]) -> None:
    left = [OSError(errno.EROFS, os.strerror(errno.EROFS)), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))]

    async def work() -> None:
        if left:
            raise left.pop(0)

    with capture_logs() as told:
        await supervise("generations", work)
    assert [(line["why"], "exc_info" in line) for line in told] == [("the disk is read-only", False), ("the disk is full", False)]
    assert waits == [0.5, 1.0]
