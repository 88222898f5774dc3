"""What is wrong with a setting, in a sentence: what was expected, and where to set it. The value itself is not told: it may be a secret.

raise SettingsError(first_problem(error, variable=variable))
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bot.locale import Text, Value, phrases

if TYPE_CHECKING:
    from pydantic import ValidationError

_ = phrases(__file__)


def first_problem(error: ValidationError, *, variable: Callable[[str], str], within: str = "") -> Text:
    """Return the sentence on the first setting (of the section `within`) that is not right; `variable` names a key's in the environment."""
    problem = error.errors(include_input=False, include_url=False)[0]
    key = within + ".".join(part for part in problem["loc"] if isinstance(part, str) and part not in {"tuple", "int", "str"})
    facts: dict[str, Value] = {
        name: value for name, value in problem.get("ctx", {}).items() if isinstance(value, int | float | str)
    }
    kind = (
        problem["type"].rpartition("_")[0] if problem["type"].endswith(("_parsing", "_type", "_from_float")) else problem["type"]
    )
    expected = _EXPECTED.get(kind)
    return _(
        "The setting “{key}” is not right: {problem}. Set it in paring.toml or as {variable}.",
        key=key, variable=variable(_settable(key)), problem=expected(facts) if expected else problem["msg"],
    )  # fmt: skip


def _settable(key: str) -> str:
    """Return the setting that can be set by a variable: of a mapping that is the whole of it."""
    return CHOSEN if key.startswith(f"{CHOSEN}.") else key


CHOSEN = "models.choose"
_EXPECTED: dict[str, Callable[[dict[str, Value]], Text]] = {
    "missing": lambda _facts: _("it is not set"),
    "int": lambda _facts: _("expected a whole number"),
    "int_from": lambda _facts: _("expected a whole number"),
    "float": lambda _facts: _("expected a number"),
    "bool": lambda _facts: _("expected true or false"),
    "string": lambda _facts: _("expected a text in quotes"),
    "greater_than_equal": lambda facts: _("expected {ge} or more", ge=facts["ge"]),
    "less_than_equal": lambda facts: _("expected {le} or less", le=facts["le"]),
    "greater_than": lambda facts: _("expected more than {gt}", gt=facts["gt"]),
    "literal_error": lambda facts: _("expected one of {expected}", expected=str(facts["expected"]).replace(" or ", ", ")),
    "tuple": lambda _facts: _("expected a list of texts in brackets"),
    "dict": lambda _facts: _("expected a section with a line for each name"),
    "path": lambda _facts: _("expected a path in quotes"),
    "scope": lambda facts: _(
        "“{given}” is no scope. Write public, dm:CHANNEL/ACCOUNT/CHAT or group:CHANNEL/ACCOUNT/CHAT", given=facts["given"]
    ),
    "timezone": lambda facts: _("“{given}” is no time zone. Write one such as Asia/Seoul or Europe/Berlin", given=facts["given"]),
    "person": lambda facts: _(
        "“{given}” is nobody. Write CHANNEL:USER, such as telegram:4711; who is refused is told their own", given=facts["given"]
    ),
    "address": lambda _facts: _("expected a URL such as http://127.0.0.1:11434/v1"),
    "telegram_number": lambda facts: _(
        "“{given}” is no number of Telegram's; the bot tells people their number, or a group's, when it refuses them",
        given=facts["given"],
    ),
}
"""What was expected, by pydantic's name of what was found wrong. Source: https://docs.pydantic.dev/latest/errors/validation_errors/"""
