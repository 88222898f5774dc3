"""Asks the advisory database (pip-audit, PyPI's) about every version in constraints.txt: what is known against one fails.

    python -m benchmarks.audit        # exit code 1 where something is known; 0 where nothing is, and where nobody can be asked

pip-audit has its own versions (benchmarks/audit.txt) in an environment of its own, so that what Paring needs is not bent to fit it.
A registry that knows no advisories says of every package that it has not heard of it: that is told as not asked, never as nothing known.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
PINS = Path(__file__).with_suffix(".txt")
INSTALL_S, ASK_S, ANSWER_S = 180, 300, 15
ACCEPTED: Mapping[str, str] = {}
"""Advisories that are known and taken, by their number, with why: nothing of the kind is used here, no version without it is out yet."""


def main() -> None:
    """Ask, and say in a line what came of it."""
    with tempfile.TemporaryDirectory(prefix="paring-audit-") as folder:
        told, known = verdict(asked(Path(folder)))
    print(told)
    sys.exit(known)


def asked(folder: Path) -> str:
    """Return what pip-audit writes about the constraints, as JSON; "" where it cannot be installed or has not answered."""
    python, report = folder / "bin" / "python", folder / "report.json"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", PINS, "pip-audit")
    audit = (
        python, "-m", "pip_audit", "--requirement", CONSTRAINTS, "--no-deps", "--disable-pip", "--progress-spinner", "off",
        "--timeout", str(ANSWER_S), "--format", "json", "--output", report,
    )  # fmt: skip
    try:
        venv.create(folder, with_pip=True)
        subprocess.run(pip, timeout=INSTALL_S, check=True, capture_output=True)
        subprocess.run(audit, timeout=ASK_S, check=False, capture_output=True)
        return report.read_text(encoding="utf-8")
    except (OSError, subprocess.SubprocessError):
        return ""


def verdict(report: str) -> tuple[str, bool]:
    """Return what to say of pip-audit's report, and whether anything is known against a version that is not accepted."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return "pip-audit: the advisory database cannot be reached from here, so nothing was asked.", False
    answered = [one for one in packages if "skip_reason" not in one]
    if not answered:
        return f"pip-audit: the registry here knows no advisories: none of {len(packages)} packages was looked at.", False
    known = [
        f"{one['name']} {one['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'no version yet'}"
        for one in answered
        for found in one["vulns"]
        if not ACCEPTED.keys() & {found["id"], *found.get("aliases", ())}
    ]
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    unasked = f"; not known there: {', '.join(skipped)}" if skipped else ""
    if known:
        return "\n".join(["pip-audit: known against what constraints.txt holds:", *known]), True
    return f"pip-audit: nothing is known against {len(answered)} packages{unasked}.", False


if __name__ == "__main__":
    main()
