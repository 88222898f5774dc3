import json
import logging
import sys
from pathlib import Path

import pytest

from bot.errors import InputError, UnreadableError
from bot.locale import Text, phrases
from bot.logs_words import line, plain, trace, words

SAID = "canary: what Ann wrote"


def raised(work):
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - it is what the test is about
        return error
    raise AssertionError("nothing was raised")


def quoting(kind: type[Exception]):
    def work() -> None:
        raise kind(f"cannot read {SAID}")

    return work


@pytest.mark.parametrize("kind", [ValueError, RuntimeError, KeyError, TypeError, InputError, ExceptionGroup, OSError])
def test_what_an_error_quotes_is_told_by_none_of_its_words(kind: type[Exception]) -> None:
    work = quoting(kind) if kind is not ExceptionGroup else raised_group
    told = trace(raised(work))
    assert SAID not in told
    assert kind.__name__ in told


def raised_group() -> None:
    raise ExceptionGroup(SAID, [raised(quoting(ValueError)), raised(quoting(OSError))])


@pytest.mark.parametrize(
    "work",
    [
        lambda: json.loads("{" + SAID),
        lambda: SAID.encode() + b"\xff" and (SAID.encode() + b"\xff").decode(),
        lambda: int(SAID),
        lambda: {}[SAID],
        lambda: getattr(object(), SAID),
        lambda: Path(SAID).read_text(encoding="utf-8"),
        lambda: compile(SAID, "x", "eval"),
        lambda: f"é{SAID}".encode("ascii"),
    ],
)
def test_what_python_itself_quotes_is_not_told(work) -> None:
    told = trace(raised(work))
    assert "Ann wrote" not in told
    assert "test_logs_words.py" in told


def test_the_programs_own_words_are_told() -> None:
    def work() -> None:
        raise RuntimeError("call run first")

    assert trace(raised(work)).endswith("RuntimeError: call run first")
    assert words(raised(lambda: {}["embed"])) == "embed"
    assert words(raised(lambda: object().nothing)) == "'nothing'"  # type: ignore[attr-defined]
    assert words(OSError(28, "whatever", SAID)) == "[Errno 28] No space left on device"


def test_a_sentence_is_told_without_what_fills_it() -> None:
    _ = phrases(__file__)
    error = UnreadableError(_("{name} has {pages} pages ({why}).", name=SAID, pages=7, why=_("it is locked")))
    assert words(error) == "… has 7 pages (it is locked)."
    assert words(UnreadableError(Text("{said}", (("said", SAID),)))) == "…"


def test_what_led_to_an_error_is_told_as_well() -> None:
    def work() -> None:
        try:
            quoting(ValueError)()
        except ValueError as error:
            error.add_note(SAID)
            raise RuntimeError("later") from error

    told = trace(raised(work))
    assert told.index("ValueError: …") < told.index("direct cause") < told.index("RuntimeError: later")
    assert SAID not in told


def test_an_error_that_goes_round_in_a_circle_ends() -> None:
    one, other = raised(quoting(ValueError)), raised(quoting(OSError))
    one.__context__, other.__context__ = other, one
    assert trace(one).count("Traceback") == 2


def record(name: str, message: str, *arguments: object) -> str:
    """Return how a line of the library `name` is told."""
    seen: list[str] = []

    class Seeing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(line(record))

    logger, handler = logging.getLogger(name), Seeing()
    logger.addHandler(handler)
    try:
        if message == "literal":
            logger.error("read %s in %d ms", *arguments)
        else:
            logger.error(message, *arguments)
    finally:
        logger.removeHandler(handler)
    return seen[0]


def test_of_a_librarys_line_only_its_own_words_and_numbers_are_told() -> None:
    assert record("elsewhere", "literal", SAID, 12) == "read … in 12 ms"
    assert record("elsewhere", f"cannot read {SAID}") == "…"
    assert record("asyncio", f"Task exception was never retrieved\nfuture: <Task exception=ValueError({SAID!r})>") == (
        "Task exception was never retrieved"
    )


def test_a_line_of_our_own_is_told_whole_but_for_the_words_of_errors() -> None:
    assert record("bot.part", "literal", "lease.db", 12) == "read lease.db in 12 ms"
    assert record("bot.part", "literal", raised(quoting(ValueError)), 12) == "read ValueError in 12 ms"


def test_of_a_value_that_is_none_of_a_line_its_kind_is_told() -> None:
    class Message:
        def __repr__(self) -> str:
            return SAID

    assert plain({"one": [Message(), 1, "a"]}) == {"one": ["Message", 1, "a"]}
    assert plain(raised(quoting(ValueError))) == "ValueError: …"


def test_no_locals_are_told() -> None:
    def work() -> None:
        kept = SAID
        raise RuntimeError(len(kept))

    assert SAID not in trace(raised(work))
    assert sys.exc_info() == (None, None, None)
