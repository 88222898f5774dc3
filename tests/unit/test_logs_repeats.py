import json
import logging
import subprocess
import sys

import pytest

from bot.config import Settings
from bot.logs import Logger, configure_logs, tell_the_rest
from bot.logs_repeats import BURST, EVERY_S, MOST_KINDS, MOST_REFERENCES, Repeats, Told


class Log:
    """What is written: at once, and later."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.written: list[Told] = []
        self.repeats = Repeats(self.written.append, clock=lambda: self.now)

    def say(self, event: str = "broke", **told: object) -> None:
        line = {"event": event, "level": "error", "timestamp": f"at {self.now:g}", **told}
        if self.repeats.take(line):
            self.written.append(line)


@pytest.fixture
def log() -> Log:
    return Log()


def test_of_a_thousand_lines_that_are_alike_a_few_are_written_and_the_others_counted(log: Log) -> None:
    for number in range(1000):
        log.say(inbox=number)
    log.repeats.rest()
    assert [line.get("inbox") for line in log.written] == [*range(BURST), 999]
    assert (log.written[-1]["repeated"], log.written[-1]["since"]) == (1000 - BURST, "at 1000")


def test_a_storm_that_goes_on_for_a_day_is_a_line_or_two_a_minute(log: Log) -> None:
    for _minute in range(24 * 60):
        log.now += EVERY_S
        for _line in range(100):
            log.say()
        log.repeats.rest()
    whole = [line for line in log.written if "repeated" not in line]
    assert len(whole) <= 24 * 60 + BURST
    assert len(log.written) - len(whole) == 24 * 60
    assert sum(line.get("repeated", 1) for line in log.written) == 24 * 60 * 100  # type: ignore[misc]  # numbers


def test_what_comes_again_after_a_while_is_written_again(log: Log) -> None:
    for _line in range(BURST + 5):
        log.say()
    log.repeats.rest()
    log.now += BURST * EVERY_S
    log.written.clear()
    for _line in range(BURST):
        log.say()
    assert len(log.written) == BURST


def test_one_part_s_storm_hides_nothing_of_another(log: Log) -> None:
    for _line in range(1000):
        log.say(channel="telegram", exception='Traceback\n  File "a.py", line 1, in f\n    f()\nValueError: …')
    log.written.clear()
    log.say(channel="slack", exception='Traceback\n  File "a.py", line 1, in f\n    f()\nValueError: …')
    log.say(channel="telegram", exception='Traceback\n  File "a.py", line 2, in f\n    g()\nValueError: …')
    log.say("stopped", channel="telegram")
    assert len(log.written) == 3


def test_every_reference_that_a_person_was_told_stands_in_the_log(log: Log) -> None:
    for number in range(300):
        log.say(reference=f"{number:06x}")
    log.repeats.rest()
    assert {f"{number:06x}" for number in range(300)} <= {
        *(line["reference"] for line in log.written), *log.written[-1]["references"],  # type: ignore[misc]  # a list
    }  # fmt: skip


def test_neither_references_nor_kinds_grow_without_end(log: Log) -> None:
    for number in range(MOST_REFERENCES * 2):
        log.say(reference=str(number))
    for number in range(MOST_KINDS * 20):
        log.say(f"made up {number}")
    log.repeats.rest()
    assert max(len(line.get("references", ())) for line in log.written) == MOST_REFERENCES  # type: ignore[arg-type]  # a list
    assert len(log.written) <= MOST_KINDS + 3 * BURST


def test_lines_of_a_library_are_alike_where_the_same_place_says_them(
    logs_as_they_were: None, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs(Settings())
    for number in range(100):
        logging.getLogger("bot.channels.telegram").warning("Update %s is left out.", number)
    tell_the_rest()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert len(lines) == BURST + 1
    assert (lines[-1]["event"], lines[-1]["repeated"]) == ("Update 99 is left out.", 100 - BURST)


def test_at_level_debug_its_own_lines_are_written_each(logs_as_they_were: None, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_level="debug"))
    for _line in range(100):
        Logger("bot.t").debug("asked")
    assert len(capsys.readouterr().err.splitlines()) == 100


def test_a_program_that_ends_tells_what_it_counted() -> None:
    program = """
from bot.config import Settings
from bot.logs import Logger, catch_the_rest, configure_logs
configure_logs(Settings())
catch_the_rest()
for number in range(1000):
    Logger("t").error("broke", inbox=number)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert (len(lines), lines[-1]["repeated"], lines[-1]["inbox"]) == (BURST + 1, 1000 - BURST, 999)
