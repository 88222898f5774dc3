"""What the documentation says is what the code does."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from bot.cli import cli
from bot.locale import Language
from bot.settings_list import settings_page

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("page", "language"), [("configuration.md", "en"), ("configuration.ko.md", "ko")])
def test_the_configuration_page_is_the_settings_own(page: str, language: Language) -> None:
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == settings_page(language)


def test_the_readme_names_every_verb_of_the_command_line() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for verb in get_command(cli).commands:  # type: ignore[attr-defined]
        assert f"paring {verb}" in readme, f"README.md does not name `paring {verb}`"


def written_commands() -> Iterator[tuple[str, str]]:
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.splitlines():
                if re.match(r"(\w+=\S+ )*paring ", line):
                    yield page.name, line


@pytest.mark.parametrize(("page", "line"), list(written_commands()))
def test_every_command_that_is_written_is_understood(page: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its verb, its options and the paths it names are there; running them is what the end-to-end tests do."""
    monkeypatch.chdir(ROOT)
    words = [word for word in shlex.split(line, comments=True) if "=" not in word]
    command: TyperCommand | TyperGroup = get_command(cli)  # type: ignore[assignment]
    above = None
    while isinstance(command, TyperGroup) and (above is None or (words[1:2] and words[1] in command.commands)):
        name = words.pop(0)
        above = command.make_context(name, words[:1], parent=above)
        command = command.commands[words[0]]  # type: ignore[assignment]
    command.make_context(words[0], words[1:], parent=above)


def test_every_page_that_is_linked_is_there() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links {target}"
