"""Logs: structured lines on stderr, the settings' secrets struck out.

Owns: the format and the striking out. Leaves what is logged to the parts; texts of people are never logged.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import BaseModel, SecretStr

if TYPE_CHECKING:
    from bot.config import Settings

STRUCK_OUT = "**********"
TALKATIVE = ("httpx", "httpcore", "telegram", "apscheduler", "nicegui", "uvicorn", "watchfiles", "alembic", "openvino")


def configure_logs(settings: Settings) -> None:
    """Set up structlog and the standard logging for the process."""
    level = getattr(logging, settings.log_level.upper())
    secrets = tuple(secrets_of(settings))
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", force=True)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_Striker(secrets))
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
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
