"""What is known against a version that we hold fails; that nobody could be asked does not, and is not told as good news."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from benchmarks import audit
from benchmarks.audit import asked, verdict

FOUND = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1"], "fix_versions": ["2.0"]}
CLEAN = {"name": "good", "version": "1.0", "vulns": []}
BAD = {"name": "bad", "version": "1.0", "vulns": [FOUND]}
UNKNOWN = {"name": "own", "skip_reason": "Dependency not found on PyPI"}


def report(*packages: object) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


@pytest.mark.parametrize(
    ("said", "told", "fails"),
    [
        (report(CLEAN), "pip-audit: nothing is known against 1 packages.", False),
        (report(CLEAN, UNKNOWN), "pip-audit: nothing is known against 1 packages; not known there: own.", False),
        (report(UNKNOWN), "pip-audit: the registry here knows no advisories: none of 1 packages was looked at.", False),
        ("", "pip-audit: the advisory database cannot be reached from here, so nothing was asked.", False),
        ("<html>a proxy</html>", "pip-audit: the advisory database cannot be reached from here, so nothing was asked.", False),
        (
            report(CLEAN, BAD),
            "pip-audit: known against what constraints.txt holds:\nbad 1.0: PYSEC-2026-1, mended in 2.0",
            True,
        ),
    ],
)
def test_a_report_is_told_as_what_it_is(said: str, told: str, fails: bool) -> None:
    assert verdict(said) == (told, fails)


@pytest.mark.parametrize("number", ["PYSEC-2026-1", "CVE-2026-1"])
def test_what_is_accepted_by_any_of_its_numbers_does_not_fail(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "ACCEPTED", {number: "not used here"})
    assert verdict(report(BAD))[1] is False


def test_an_auditor_that_cannot_be_installed_fails_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_said: object, **_options: object) -> None:
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(audit.venv, "create", lambda *_said, **_options: None)
    monkeypatch.setattr(subprocess, "run", refused)
    assert verdict(asked(tmp_path))[1] is False


def test_ci_asks_before_it_goes_offline() -> None:
    lines = [line.strip() for line in (Path(__file__).parents[3] / ".ci" / "run").read_text(encoding="utf-8").splitlines()]
    assert "together prepared checks" in lines
    assert lines.index("prepared() {") < lines.index(".venv/bin/python -m benchmarks.audit") < lines.index("checks() {")
    assert lines.index("together prepared checks") < lines.index('alone=""')
