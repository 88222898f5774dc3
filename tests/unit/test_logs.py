import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog
from pydantic import SecretStr

from bot import logs
from bot.config import Settings, TelegramSettings
from bot.logs import TALKATIVE, Logger, configure_logs

CANARY = "4711:canary-token"


def configure() -> None:
    configure_logs(Settings(log_level="debug", telegram=TelegramSettings(token=SecretStr(CANARY))))


@pytest.fixture(autouse=True)
def logs_as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logs, "_CHOSEN", [])
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


def test_a_logger_writes_its_line_without_the_secret(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    structlog.reset_defaults()  # as it is where nothing was logged before
    Logger("t").warning("asked", url=f"https://host/bot{CANARY}/getMe")
    said = json.loads(capsys.readouterr().err)
    assert (said["event"], said["level"], said["url"]) == ("asked", "warning", "https://host/bot**********/getMe")


def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_level="error"))
    structlog.reset_defaults()
    Logger("t").warning("slow")
    Logger("t").error("broke")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["broke"]


def test_a_process_that_logs_nothing_imports_no_structlog() -> None:
    program = """
import sys, tempfile
from pathlib import Path
import bot.app, bot.cli
from bot.config import Settings
from bot.logs import configure_logs
configure_logs(Settings(home=Path(tempfile.gettempdir())))
print([name for name in ("structlog", "rich", "openvino", "alembic", "nicegui", "telegram") if name in sys.modules])
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout.strip() == "[]"
