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
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize(("page", "language"), [("configuration.md", "en"), ("configuration.ko.md", "ko")])
def test_the_configuration_page_is_the_settings_own(page: str, language: Language) -> None:
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == settings_page(language)


def test_the_readme_names_every_verb_of_the_command_line() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for verb in get_command(cli).commands:  # type: ignore[attr-defined]
        assert f"paring {verb}" in readme, f"README.md does not name `paring {verb}`"


def written_commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
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


def anchors(page: Path) -> set[str]:
    """Return the names under which a page's headings are linked."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_that_is_linked_is_there_and_every_heading_in_it() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text(encoding="utf-8")):
            path, _sign, heading = target.partition("#")
            there = page.parent / path if path else page
            assert there.exists(), f"{page.name} links {target}"
            assert not heading or heading in anchors(there), f"{page.name} links {target}"


def test_every_program_target_and_file_that_a_page_names_is_there() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for module in re.findall(r"python -m (benchmarks[\w.]*|bot[\w.]*)", text):
            path = ROOT / module.replace(".", "/")
            assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), f"{page.name} names {module}"
        for target in re.findall(r"(?:`|^|; )make ([a-z-]+)", text, re.MULTILINE):
            assert target in targets, f"{page.name} names make {target}"
        for pattern in re.findall(r"`((?:bot|skills|tests|benchmarks|deploy|examples|docs)/[\w./*-]+)`", text):
            assert any(ROOT.glob(pattern.rstrip("/"))), f"{page.name} names {pattern}"


def test_every_file_on_the_map_is_there() -> None:
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    for name in re.findall(r"[\w*/]+\.py", page):
        assert any((ROOT / "bot").glob(name)) or any(ROOT.glob(name)) or any(ROOT.glob(f"bot/*/{name}")), (
            f"design.md names {name}"
        )
