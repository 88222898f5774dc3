import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog

from bot import logs
from bot.logs import TALKATIVE
from bot.store.database import Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "paring.db")
    yield opened
    await opened.close()


@pytest.fixture
def logs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have nothing chosen of the process's logs, whatever bot an earlier test ran; leave them as they were."""
    monkeypatch.setattr(logs, "_CHOSEN", [])
    configured, before_all = structlog.is_configured(), structlog.get_config()
    structlog.reset_defaults()
    root = logging.getLogger()
    raised = logging.raiseExceptions
    handlers, level = list(root.handlers), root.level
    talkative = {name: logging.getLogger(name).level for name in TALKATIVE}
    yield
    structlog.reset_defaults()
    if configured:
        structlog.configure(**before_all)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raised
    for name, before in talkative.items():
        logging.getLogger(name).setLevel(before)
