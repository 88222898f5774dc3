import base64
import io
import json
import logging
import subprocess
import sys
from datetime import datetime
from urllib.parse import quote

import pytest
import structlog
from pydantic import SecretStr

from bot.config import ModelSettings, Settings, SlackSettings, TelegramSettings
from bot.logs import Logger, about, configure_logs
from bot.logs_secrets import environments, secrets_of

CANARY = "4711:canary-token"


def configure() -> None:
    configure_logs(Settings(log_level="debug", telegram=TelegramSettings(token=SecretStr(CANARY))))


@pytest.fixture(autouse=True)
def anew(logs_as_they_were: None) -> None:
    """Leave the process's logs as they were."""


def test_a_secret_in_a_line_is_struck_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    structlog.get_logger("t").error("asked", url=f"https://host/bot{CANARY}/getMe")
    logging.getLogger("bot.other").error("asked %s", f"https://host/bot{CANARY}/getMe")
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
    assert said.count("RuntimeError: …") == 2
    assert CANARY not in said


def test_a_secret_is_struck_out_however_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    secret = 'key with "quotes" / and 한글'
    coded = [base64.b64encode(bytes(at) + secret.encode() + b"tail").decode() for at in range(3)]
    spelt = [secret, quote(secret), quote(secret, safe=""), json.dumps(secret), repr(secret), *coded]
    configure_logs(Settings(telegram=TelegramSettings(token=SecretStr("1:" + secret)), log_level="info"))
    for one in spelt:
        Logger("t").info("asked", of={"where": [one]})
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == len(spelt)
    assert [one for one in lines if "**********" not in one] == []
    assert [one for one in lines if "한글" in json.loads(one)["of"]["where"][0]] == []


def test_a_password_within_an_address_is_a_secret() -> None:
    settings = Settings(models=ModelSettings(chat_url="http://ann:hunter22@localhost:1234/v1"))
    assert secrets_of(settings) == ["hunter22"]


def test_each_of_several_secrets_in_one_setting_is_one() -> None:
    settings = Settings(slack=SlackSettings(bot_tokens=SecretStr("xoxb-1-first, xoxb-2-second,")))
    assert {"xoxb-1-first", "xoxb-2-second"} <= set(secrets_of(settings))


def test_a_password_of_a_proxy_is_a_secret_as_it_is_written_and_as_it_is_meant() -> None:
    found = environments(
        {"https_proxy": "http://ann:hun%20ter22@localhost:1", "HF_TOKEN": "hf_abc", "ALL_PROXY": "http://localhost:1"}
    )
    assert found == ["hf_abc", "hun%20ter22", "hun ter22"]


def test_both_ways_of_logging_write_lines_of_one_format(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    with about(inbox=12):
        Logger("bot.one").warning("slow", wait_s=1.5)
        logging.getLogger("bot.two").warning("slow by %d", 3)
    one, two = map(json.loads, capsys.readouterr().err.splitlines())
    assert (one["event"], one["level"], one["logger"], one["inbox"], one["wait_s"]) == ("slow", "warning", "bot.one", 12, 1.5)
    assert (two["event"], two["level"], two["logger"], two["inbox"]) == ("slow by 3", "warning", "bot.two", 12)
    assert datetime.fromisoformat(one["timestamp"]).tzinfo is not None


def test_for_people_a_line_reads_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format="console"))
    Logger("bot.one").warning("slow", wait_s=1.5)
    logging.getLogger("bot.two").error("broke")
    one, two = capsys.readouterr().err.splitlines()
    assert one.endswith(" warning bot.one: slow wait_s=1.5")
    assert two.endswith(" error bot.two: broke")


def test_a_log_that_nobody_reads_any_more_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(sys, "stderr", Gone())
    configure()
    Logger("t").warning("slow")
    logging.getLogger("bot.t").warning("slow")


def test_a_lone_surrogate_costs_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure()
    Logger("t").warning("named", file="a\udcffb")
    assert json.loads(capsys.readouterr().err)["file"] == "a?b"


def test_what_python_itself_would_print_holds_no_words_of_people() -> None:
    program = """
import asyncio, sys, threading, warnings
from bot.config import Settings
from bot.logs import catch_the_rest, configure_logs
configure_logs(Settings())
catch_the_rest()
said = "what Ann " + "wrote"
def broke(*_): raise ValueError(said)
warnings.warn(said)
thread = threading.Thread(target=broke, name=said); thread.start(); thread.join()
class Left:
    def __del__(self): broke()
Left()
async def go():
    task = asyncio.create_task(asyncio.to_thread(broke), name=said)
    await asyncio.wait([task])
    del task
    asyncio.get_running_loop().call_soon(broke)
    await asyncio.sleep(0)
asyncio.run(go())
broke()
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    events = [json.loads(line)["event"] for line in said.stderr.splitlines()]
    assert "Ann" not in said.stderr.replace('said = "what Ann " + "wrote"', "")
    assert {
        "a library warns", "an error that nobody caught ended a thread", "an error where none can be raised",
        "Task exception was never retrieved", "an error that nobody caught ends the program",
    } <= set(events)  # fmt: skip


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
