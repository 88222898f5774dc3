"""Help pages and refusals of the command line: both languages, within the terminal, and with what to type next."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.main import get_command

from bot.cli import cli
from bot.cli_errors import UsageError, exit_code
from bot.cli_help import columns, page, told, wrapped
from bot.locale import LANGUAGES, Language

HANGUL = re.compile("[가-힣]")


def contexts(command: object = None, above: typer.Context | None = None, name: str = "paring") -> Iterator[typer.Context]:
    context = typer.Context(command or get_command(cli), info_name=name, parent=above)  # type: ignore[arg-type]
    yield context
    for below, verb in getattr(context.command, "commands", {}).items():
        yield from contexts(verb, context, below)


ALL = {context.command_path: context for context in contexts()}


def refused(*words: str) -> str:
    with pytest.raises(UsageError) as refusal:
        cli(list(words), prog_name="paring", standalone_mode=False)
    assert exit_code(refusal.value) == 2
    assert HANGUL.search(refusal.value.sentence("ko"))
    return refusal.value.sentence("en")


@pytest.mark.parametrize("path", ALL)
def test_every_help_text_has_its_korean(path: str) -> None:
    command = ALL[path].command
    texts = [command.help, *(param.help for param in command.get_params(ALL[path]))]  # type: ignore[attr-defined]
    for text in texts:
        assert text, f"{path}: a parameter without a help text"
        for english, korean in zip(told(text, "en"), told(text, "ko"), strict=True):
            assert HANGUL.search(korean), f"{path}: no Korean for {english!r}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ALL)
def test_a_page_stays_within_its_columns_and_names_every_option(path: str, language: Language) -> None:
    context = ALL[path]
    shown = page(context.command, context, language)
    assert all(columns(line) <= 80 for line in shown.splitlines()), shown
    for param in context.command.get_params(context):
        assert f"  {param.opts[0] if param.opts[0].startswith('-') else param.metavar or param.name.upper()}" in shown
    assert ("Usage: " in shown) == (language == "en")
    assert ": ]" not in shown  # a default that says nothing


def test_a_group_lists_its_verbs_with_their_first_paragraph() -> None:
    root = ALL["paring"]
    assert isinstance(root.command, TyperGroup)
    assert "\n  say       Say one message and print the reply.\n  add       " in page(root.command, root, "en")
    assert "\n  say       메시지 하나를 보내고 답을 출력해요.\n" in page(root.command, root, "ko")


def test_hangul_takes_two_columns() -> None:
    assert columns("한 a") == 4
    assert wrapped("가나다 라마 바", 8, indent="  ") == ["  가나다", "  라마", "  바"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("say",), "TEXT is missing. Write: paring say [OPTIONS] TEXT"),
        (("route",), "--jsonl FILE is missing. Write: paring route [OPTIONS] --jsonl FILE"),
        (("say", "where", "is it"), "“is it” is one word too many. What has spaces goes in quotes: paring say 'where is it'"),
        (("models", "x"), "There is no `paring models x`. `paring models --help` lists what there is."),
        (("say", "x", "--fiel", "y"), "There is no option --fiel. Did you mean --file?"),
        (("add", "x", "--scop", "y"), "There is no option --scop. Did you mean --scope?"),
        (("models", "--quite-another"), "There is no option --quite-another. `paring models --help` lists them."),
        (("say", "x", "--chat"), "--chat is not written right. Write: --chat CHAT"),
        (("say", "x", "--json=1"), "--json is not written right. Write: --json"),
        (("audit", "many"), "N is to be a whole number, 1 or more. `paring audit --help` shows how it is written."),
        (("audit", "0"), "N is to be a whole number, 1 or more. `paring audit --help` shows how it is written."),
        (("age", "x"), "DAYS is to be a whole number, 1 or more. `paring age --help` shows how it is written."),
        (
            ("say", "x", "--chat", ""),
            "A name is empty, perhaps by a variable that is not set. Write one, or leave the option away.",
        ),
        (("chat", "--user", " "), "A name is empty, perhaps by a variable that is not set. Write one, or leave the option away."),
        (
            ("add", "www.example.org"),
            "www.example.org is no file, and no link that is fetched: those begin with http:// or https://.",
        ),
        (
            ("add", "ftp://example.org/x"),
            "ftp://example.org/x is no file, and no link that is fetched: those begin with http:// or https://.",
        ),
        (("sya", "x"), "There is no `paring sya`. Did you mean `paring say`?"),
        (("index", "stauts"), "There is no `paring index stauts`. Did you mean `paring index status`?"),
        (("frobnicate",), "There is no `paring frobnicate`. `paring --help` lists what there is."),
        (("where is it?",), "A text alone is no command. To ask it, write: paring say 'where is it?'"),
        (("계약은?",), "A text alone is no command. To ask it, write: paring say '계약은?'"),
    ],
)
def test_what_is_mistyped_is_told_with_what_to_type(words: tuple[str, ...], told: str) -> None:
    assert refused(*words) == told


def test_paths_that_are_not_there_are_told_before_anything_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plan.md").write_text("x", encoding="utf-8")
    Path("papers").mkdir()
    assert refused("add", "plna.md") == "There is no plna.md. Did you mean plan.md?"
    Path("old.md").symlink_to("gone.md")
    assert refused("add", "old.md") == "old.md is a link to something that is not there."
    assert refused("add", "plan.md", "xyz") == f"There is no {tmp_path / 'xyz'}. Check the path and try again."
    assert refused("add", "") == "A path is empty, perhaps by a variable that is not set. Write . for this folder."
    assert refused("say", "x", "--file", "papers") == "papers is a folder. Write the path of a file."
    assert refused("add", "plan.md", "--scope", "everybody").startswith("“everybody” is no scope. Write public, ")
    assert refused("route", "--jsonl", "paln.md") == "There is no paln.md. Did you mean plan.md?"
    assert refused("eval", "search", "plan.md") == "plan.md is a file. Write the path of its folder: ."
    assert (
        refused("eval", "route", "--train", "none/none")
        == f"There is no {tmp_path / 'none' / 'none'}. Check the path and try again."
    )


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert not cli(["--version"], prog_name="paring", standalone_mode=False)
    assert capsys.readouterr().out.strip() == version("paring")


def test_nothing_heavy_is_imported_for_a_help_page() -> None:
    """A tenth of a second is the promise; what it hangs on is what is imported."""
    code = (
        "import sys; from bot.cli import cli; cli(['--help'], standalone_mode=False); "
        "print(sorted(set(sys.modules) & {'asyncio', 'pydantic', 'rich', 'babel', 'numpy', 'sqlalchemy', 'structlog', 'unicodedata'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout.splitlines()[-1] == "['unicodedata']"
