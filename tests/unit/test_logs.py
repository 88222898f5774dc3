import logging
from collections.abc import Iterator

import pytest
import structlog
from pydantic import SecretStr

from bot.config import Settings, TelegramSettings
from bot.logs import TALKATIVE, configure_logs

CANARY = "4711:canary-token"


def configure() -> None:
    configure_logs(Settings(log_level="debug", telegram=TelegramSettings(token=SecretStr(CANARY))))


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    talkative = {name: logging.getLogger(name).level for name in TALKATIVE}
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in talkative.items():
        logging.getLogger(name).setLevel(before)


def test_a_secret_in_a_line_is_struck_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    structlog.get_logger("t").error("asked", url=f"https://host/bot{CANARY}/getMe")
    logging.getLogger("other").error("asked %s", f"https://host/bot{CANARY}/getMe")
    said = capsys.readouterr().err
    assert said.count("**********") == 2
    assert CANARY not in said


def test_a_secret_in_a_trace_is_struck_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    try:
        raise RuntimeError(f"cannot reach bot{CANARY}")
    except RuntimeError:
        structlog.get_logger("t").exception("broke")
        logging.getLogger("other").exception("broke")
    said = capsys.readouterr().err
    assert said.count("**********") >= 2
    assert CANARY not in said
