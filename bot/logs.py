"""Logs: one line of JSON an event on stderr, the same from structlog and from the standard logging, the settings' secrets struck out.

Owns: the format, the level, what a line is about. Leaves what is logged to the parts, to `bot.logs_words` what of errors and of
libraries' lines may be told (texts of people never are), to `bot.logs_secrets` the striking out, to `bot.logs_repeats` which of many
lines that are alike are written. structlog takes 0.15 s to import, so it is
imported at the first line: a command that goes well logs nothing.

    log = Logger(__name__)
    with about(inbox=12):
        log.warning("the first answer will be slower", why="...")     # {"event": …, "level": …, "inbox": 12, …}
"""

from __future__ import annotations

import atexit
import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TextIO

from bot.logs_repeats import Repeats
from bot.logs_secrets import environments, secrets_of, striker
from bot.logs_words import line, plain, trace

if TYPE_CHECKING:
    import structlog

    from bot.config import Settings

TALKATIVE = (
    "aiosqlite", "httpx", "httpcore", "telegram", "apscheduler", "nicegui", "uvicorn", "watchfiles", "alembic", "openvino",
    "aiohttp.access", "huggingface_hub", "urllib3", "PIL",
)  # fmt: skip
FIRST: Final = ("event", "level", "logger", "timestamp")

_about: ContextVar[dict[str, str | int]] = ContextVar("about", default={})  # noqa: B039 - it is replaced, never changed


@dataclass(frozen=True, slots=True)
class _Chosen:
    level: int
    strike: Callable[[str], str]
    readable: bool
    repeats: Repeats


_CHOSEN: Final[list[_Chosen]] = []
"""What was chosen, until structlog is there to be told: logs are one a process, as structlog's own settings are."""


def configure_logs(settings: Settings) -> None:
    """Set up structlog and the standard logging for the process."""
    level = getattr(logging, settings.log_level.upper())
    strike, readable = striker([*secrets_of(settings), *environments()]), settings.log_format == "console"
    repeats = Repeats(lambda told: _STDERR.msg(_line(told, strike, readable=readable)))
    chosen = _Chosen(level, strike, readable, repeats)
    logging.basicConfig(level=level, handlers=[_Handler(chosen)], force=True)
    logging.raiseExceptions = False  # a stderr that nobody reads any more must not stop the bot, nor print what it was given
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    _CHOSEN[:] = [chosen]
    if "structlog" in sys.modules:
        _structured(chosen)


def catch_the_rest() -> None:
    """Log what Python itself would print on stderr, in our words: errors that nobody caught, warnings. For a program, at its start."""
    log = Logger(__name__)

    def uncaught(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        if not isinstance(error, KeyboardInterrupt):
            log.error("an error that nobody caught ends the program", exception=trace(error))

    def in_thread(told: threading.ExceptHookArgs) -> None:
        if told.exc_value is not None and not isinstance(told.exc_value, SystemExit):
            # Not the thread's name: who starts one calls it what they like, after a file that is read in it, for one.
            log.error("an error that nobody caught ended a thread", exception=trace(told.exc_value))

    def unraisable(told: Any) -> None:
        log.error("an error where none can be raised", exception=trace(told.exc_value) if told.exc_value else "")

    def warned(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        del message, file, line
        log.warning("a library warns", kind=category.__name__, where=f"{filename}:{lineno}")

    sys.excepthook, threading.excepthook, sys.unraisablehook = uncaught, in_thread, unraisable
    warnings.showwarning = warned
    atexit.register(tell_the_rest)


def struck(text: str) -> str:
    """Return a text that goes to stderr beside the log without the secrets of the settings: what a platform says may quote them."""
    return _CHOSEN[0].strike(text) if _CHOSEN else text


def tell_the_rest() -> None:
    """Log what was counted instead of written, before the process ends."""
    for chosen in _CHOSEN:
        chosen.repeats.rest()


@contextmanager
def about(**facts: str | int) -> Iterator[None]:
    """Have every line that is logged meanwhile, in this task and those that it starts, tell these facts: `inbox=12`."""
    token = _about.set(_about.get() | facts)
    try:
        yield
    finally:
        _about.reset(token)


class Logger:
    """Logs in the name of one module."""

    def __init__(self, name: str) -> None:
        """Name the module; nothing is imported yet."""
        self._name = name

    def debug(self, event: str, **values: object) -> None:
        """Tell what only a developer asks for."""
        self._to().debug(event, **values)

    def info(self, event: str, **values: object) -> None:
        """Tell what went well."""
        self._to().info(event, **values)

    def warning(self, event: str, **values: object) -> None:
        """Tell what an admin may want to mend."""
        self._to().warning(event, **values)

    def error(self, event: str, **values: object) -> None:
        """Tell what failed."""
        self._to().error(event, **values)

    def exception(self, event: str, **values: object) -> None:
        """Tell what failed, with the trace of the exception that is being handled."""
        error = sys.exception() if sys.version_info >= (3, 12) else sys.exc_info()[1]
        self._to().error(event, **values, **({"exception": trace(error)} if error is not None else {}))

    def _to(self) -> structlog.typing.FilteringBoundLogger:
        import structlog  # noqa: PLC0415 - see above

        if _CHOSEN and not structlog.is_configured():
            _structured(_CHOSEN[0])
        logger: structlog.typing.FilteringBoundLogger = structlog.get_logger().bind(logger=self._name)
        return logger


def _structured(chosen: _Chosen) -> None:
    import structlog  # noqa: PLC0415 - see above

    def told(_logger: object, name: str, event: MutableMapping[str, Any]) -> str:
        error = event.pop("exc_info", None)  # of who uses structlog itself
        error = sys.exc_info()[1] if error is True else error[1] if isinstance(error, tuple) else error
        if isinstance(error, BaseException):
            event["exception"] = trace(error)
        text = _written({**event, "level": "error" if name == "exception" else name}, chosen)
        if text is None:
            raise structlog.DropEvent
        return text

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(chosen.level), logger_factory=_Stderr, processors=[told]
    )


class _Stderr:
    """Writes to what stderr is now; where nobody reads it any more, the line is lost and nothing else."""

    def __init__(self, *_arguments: object) -> None:
        self._lock = threading.Lock()

    def msg(self, message: str) -> None:
        with suppress(OSError, ValueError, AttributeError), self._lock:
            sys.stderr.write(message + "\n")
            sys.stderr.flush()

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


_STDERR: Final = _Stderr()


class _Handler(logging.Handler):
    """Writes a record of the standard logging as structlog's lines are written."""

    def __init__(self, chosen: _Chosen) -> None:
        super().__init__()
        self._chosen = chosen

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self._of(record)
        except Exception:  # noqa: BLE001 - a line that cannot be made must not stop who logs
            self.handleError(record)
        else:
            if text is not None:
                _STDERR.msg(text)

    def _of(self, record: logging.LogRecord) -> str | None:
        event: dict[str, object] = {"event": line(record), "level": record.levelname.lower(), "logger": record.name}
        if record.name.partition(".")[0] not in ("bot", "skills"):
            event["where"] = f"{record.filename}:{record.lineno}"
        if record.exc_info and record.exc_info[1] is not None:
            event["exception"] = trace(record.exc_info[1])
        return _written(event, self._chosen, place=f"{record.pathname}:{record.lineno}")


def _written(event: Mapping[str, Any], chosen: _Chosen, *, place: str = "") -> str | None:
    """Return one line, None where there are many like it; nobody counts those of level debug."""
    told = {**_about.get(), **event, "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds")}
    told = {name: plain(value) for name, value in told.items()}
    if told["level"] != "debug" and not chosen.repeats.take(told, place=place):
        return None
    return _line(told, chosen.strike, readable=chosen.readable)


def _line(told: Mapping[str, object], strike: Callable[[str], str], *, readable: bool) -> str:
    """Return one line: what happened, how grave it is, who says so and when, then the rest."""
    names = [*(name for name in FIRST if name in told), *(name for name in told if name not in FIRST)]
    ordered = {name: _struck(told[name], strike) for name in names}
    if not readable:
        return strike(_encodable(json.dumps(ordered, ensure_ascii=False)))
    head = f"{ordered.pop('timestamp')} {ordered.pop('level')} {ordered.pop('logger', '')}: {ordered.pop('event')}"
    tail = ordered.pop("exception", "")
    rest = "".join(f" {name}={json.dumps(one, ensure_ascii=False)}" for name, one in ordered.items())
    return strike(_encodable(f"{head}{rest}" + (f"\n{tail}" if tail else "")))


def _struck(value: object, strike: Callable[[str], str]) -> object:
    """Return `value` with every secret struck out of its texts: what is quoted in them already is quoted once more by the line."""
    match value:
        case str():
            return strike(value)
        case list():
            return [_struck(one, strike) for one in value]
        case dict():
            return {name: _struck(one, strike) for name, one in value.items()}
    return value


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()  # a lone surrogate would cost the line
