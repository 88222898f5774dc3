"""Faults that a test orders: refusals, pages of a web framework, connections cut before or after the work, answers that never come."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal

from .answers import Json

FaultKind = Literal["refuse", "page", "cut_before", "cut_after", "hang_before", "hang_after", "garbage_after"]


@dataclass
class Fault:
    """One order. `method` "*" is any but getUpdates and getMe; `times` -1 is for ever; `share` a seeded chance of each call."""

    kind: FaultKind
    method: str = "*"
    chat: int | None = None
    skip: int = 0
    times: int = 1
    share: float = 1.0
    seed: int = 0
    code: int = 429
    description: str = "Too Many Requests: retry after 1"
    parameters: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def strikes(self, method: str, chat: str) -> bool:
        """Say whether this call is hit, and count it."""
        if self.times == 0 or (self.chat is not None and chat != str(self.chat)):
            return False
        if self.method.lower() != method if self.method != "*" else method in ("getupdates", "getme"):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.share < 1.0 and self._chance.random() >= self.share:
            return False
        if self.times > 0:
            self.times -= 1
        return True
