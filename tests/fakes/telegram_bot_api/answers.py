"""What a method answers with: a result, or a refusal with the real server's code and description."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class Refusal(Exception):  # noqa: N818 - the Bot API's word for it is "error", and it is an ordinary answer
    """`{"ok": false, "error_code": ..., "description": ..., "parameters": ...}`."""

    def __init__(self, code: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters or {}

    def body(self) -> Json:
        body: Json = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad(description: str, parameters: Json | None = None) -> Refusal:
    return Refusal(400, f"Bad Request: {description}", parameters)


UNAUTHORIZED = (401, "Unauthorized")
NOT_FOUND = (404, "Not Found")
WEBHOOK_ACTIVE = (
    409,
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
)
OTHER_POLL = (409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
