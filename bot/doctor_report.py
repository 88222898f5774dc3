"""What `paring doctor` found, for a person in their language and for a machine.

Report((Finding(Text("Slack"), "ok", _("a token is set; it is tried at the start")),)).to("ko")
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.locale import Language, Text
from bot.sandbox import Json

State = Literal["ok", "optional", "missing"]
SIGNS: dict[State, str] = {"ok": "✓", "optional": "○", "missing": "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `next` is what to type, None where there is nothing to do."""

    what: Text
    state: State
    detail: Text
    next: Text | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All findings. The bot can run while none is missing."""

    findings: tuple[Finding, ...]

    @property
    def can_run(self) -> bool:
        """Whether nothing that the bot needs is missing."""
        return all(finding.state != "missing" for finding in self.findings)

    def as_json(self) -> Mapping[str, Json]:
        """Return the report for a machine, in English."""
        rows: list[Json] = [
            {"what": str(one.what), "state": one.state, "detail": str(one.detail), "next": str(one.next or "")}
            for one in self.findings
        ]
        return {"can_run": self.can_run, "findings": rows}

    def to(self, language: Language) -> str:
        """Return the report for a person, a line a finding."""
        lines = []
        for one in self.findings:
            lines.append(f"{SIGNS[one.state]} {one.what.to(language)}: {one.detail.to(language)}")
            if one.next is not None:
                lines.append(f"    → {one.next.to(language)}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.to("en")


def plain(said: str) -> Text:
    """Return what is the same in every language: a path, a model's name."""
    return Text("{said}", (("said", said),))
