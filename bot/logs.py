"""Logs: structured lines on stderr, the settings' secrets struck out.

Owns: the format and the striking out. Leaves what is logged to the parts; texts of people are never logged. structlog takes
0.15 s to import, so it is imported at the first line: a command that goes well logs nothing.

    log = Logger(__name__)
    log.warning("the first answer will be slower", why="...")
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, SecretStr

if TYPE_CHECKING:
    import structlog

    from bot.config import Settings

STRUCK_OUT = "**********"
TALKATIVE = (
    "aiosqlite", "httpx", "httpcore", "telegram", "apscheduler", "nicegui", "uvicorn", "watchfiles", "alembic", "openvino",
)  # fmt: skip


def configure_logs(settings: Settings) -> None:
    """Set up structlog and the standard logging for the process."""
    level = getattr(logging, settings.log_level.upper())
    secrets = tuple(secrets_of(settings))
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", force=True)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_Striker(secrets))
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    _CHOSEN[:] = [(level, secrets)]
    if "structlog" in sys.modules:
        _structured(level, secrets)


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
        self._to().exception(event, **values)

    def _to(self) -> structlog.typing.FilteringBoundLogger:
        import structlog  # noqa: PLC0415 - see above

        if _CHOSEN and not structlog.is_configured():
            _structured(*_CHOSEN[0])
        logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(self._name)
        return logger


_CHOSEN: Final[list[tuple[int, tuple[str, ...]]]] = []
"""The level and the secrets, until structlog is there to be told: logs are one a process, as structlog's own settings are."""


def _structured(level: int, secrets: tuple[str, ...]) -> None:
    import structlog  # noqa: PLC0415 - see above

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_to_stderr,
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            lambda _logger, _name, event: _strike_event(event, secrets),
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
    )


def _to_stderr(*_arguments: object) -> structlog.PrintLogger:
    """Make a logger that writes to what stderr is now."""
    import structlog  # noqa: PLC0415 - see above

    return structlog.PrintLogger(sys.stderr)


def secrets_of(section: BaseModel) -> list[str]:
    """Return the values of every secret that is set."""
    found: list[str] = []
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, SecretStr) and value.get_secret_value():
            found.append(value.get_secret_value())
        elif isinstance(value, BaseModel):
            found += secrets_of(value)
    return found


def strike(text: str, secrets: tuple[str, ...]) -> str:
    """Return `text` with every secret struck out."""
    for secret in secrets:
        text = text.replace(secret, STRUCK_OUT)
    return text


def _strike_event(event: MutableMapping[str, Any], secrets: tuple[str, ...]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = strike(value, secrets)
        elif isinstance(value, BaseException):
            event[key] = strike(str(value), secrets)
    return event


class _Striker(logging.Filter):
    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        if self._secrets:
            record.msg, record.args = strike(record.getMessage(), self._secrets), ()
            if record.exc_info and not record.exc_text:
                record.exc_text = strike(logging.Formatter().formatException(record.exc_info), self._secrets)
        return True
