"""The page docs/a-skill-in-40-lines.md, done as it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

from fakes.waiting import LONGEST_S

PAGE = (Path(__file__).parents[2] / "docs" / "a-skill-in-40-lines.md").read_text(encoding="utf-8")


def files() -> dict[str, str]:
    return {
        name: body
        for name, body in re.findall(r"`([\w./]+)`[^\n]*\n(?:[^\n`]+\n)*\n```\w*\n(.*?)\n```", PAGE, re.DOTALL)
        if "/" in name or name == "pyproject.toml"
    }


def test_the_skill_is_as_short_as_promised() -> None:
    code = [line for line in files()["paring_dice/__init__.py"].splitlines() if line.strip()]
    assert len(code) <= 40


def test_a_strangers_skill_is_installed_and_answers(tmp_path: Path) -> None:
    package, site = tmp_path / "paring-dice", tmp_path / "site"
    for name, body in files().items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(body + "\n", encoding="utf-8")
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        str(site),
        str(package),
    ]
    subprocess.run(install, check=True, capture_output=True, timeout=LONGEST_S)

    said = speak(site, tmp_path / "home", "/dice 3d1")
    assert "You rolled 3: 1, 1, 1." in said
    assert "3이 나왔어요" in speak(site, tmp_path / "home", "/dice 3d1 굴려 줘")


def speak(site: Path, home: Path, text: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(site), "PARING_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "say", text],
        capture_output=True,
        text=True,
        env=environment,
        timeout=LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
