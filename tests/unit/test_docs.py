"""What the documentation says is what the code does."""

from pathlib import Path

from typer.main import get_command

from bot.cli import cli
from bot.doctor import settings_page

ROOT = Path(__file__).parents[2]


def test_the_configuration_page_is_the_settings_own() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == settings_page()


def test_the_readme_names_every_verb_of_the_command_line() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for verb in get_command(cli).commands:  # type: ignore[attr-defined]
        assert f"paring {verb}" in readme, f"README.md does not name `paring {verb}`"


def test_every_page_that_is_linked_is_there() -> None:
    import re

    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links {target}"
