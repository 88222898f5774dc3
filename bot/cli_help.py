"""The verbs' help pages and what is said of a command line that is wrong, in the language of the terminal.

Owns: how a page looks, and that Typer's own words are never shown. Leaves to `bot.cli` the verbs and their help in English (a
docstring, `help=`), to `ko.po` its Korean by paragraphs, to `bot.cli_errors` the sentences of refusal.

    cli = typer.Typer(cls=Verbs)
    @cli.command(cls=Verb)
"""

from __future__ import annotations

import os
import shutil
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.exceptions import TyperException

from bot.cli_errors import MISTYPED, not_understood, too_much, unknown_verb
from bot.language import spoken
from bot.locale import Language, phrases

if TYPE_CHECKING:
    from typer._click.core import Command, Context

_ = phrases(__file__)

WIDEST, NARROWEST = 80, 50
"""Columns of a page, whatever the terminal has."""
NAMES = 22
"""Columns of the names at most; what is longer has its meaning below it."""
WIDE = frozenset("WF")
"""East Asian widths that take two columns. Source: https://www.unicode.org/reports/tr11/"""


class Verb(TyperCommand):
    """A verb."""

    allow_extra_args = True  # `parse_args` says what is too much

    def get_help(self, ctx: Context) -> str:
        """Return its page."""
        return page(self, ctx, spoken(os.environ))

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Take the arguments in. Raises UsageError where they are wrong."""
        with _understood(self, ctx):
            extra = super().parse_args(ctx, args)
        if extra:
            taken = [ctx.params[param.name] for param in self.params if isinstance(param, TyperArgument)]
            values = [str(value) for value in taken if value is not None] + extra
            raise too_much(extra[0], command=ctx.command_path, values=values)
        return extra


class Verbs(TyperGroup):
    """Verbs under one name."""

    def get_help(self, ctx: Context) -> str:
        """Return its page."""
        return page(self, ctx, spoken(os.environ))

    alone = False
    """Whether the group's own name, without a verb, is a command."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Take the arguments in; show the page where there are none. Raises UsageError where they are wrong."""
        if not args and not self.alone:
            typer.echo(self.get_help(ctx), err=True)
            ctx.exit(MISTYPED)
        with _understood(self, ctx):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Find the verb. Raises UsageError where there is none of that name, with the nearest one."""
        if self.get_command(ctx, args[0]) is None:
            raise unknown_verb(args[0], program=str(ctx.find_root().info_name), command=ctx.command_path, known=self.commands)
        return super().resolve_command(ctx, args)


class ListingVerbs(Verbs):
    """Verbs under a name that is a command itself."""

    alone = True


def page(command: Command, ctx: Context, language: Language) -> str:
    """Return the help page of `command`."""
    width = max(min(shutil.get_terminal_size().columns, WIDEST) - 2, NARROWEST)
    params = [param for param in command.get_params(ctx) if isinstance(param, TyperArgument | TyperOption)]
    arguments = [(_shown(param), _meaning(param, language)) for param in params if isinstance(param, TyperArgument)]
    options = [(_shown(param), _meaning(param, language)) for param in params if isinstance(param, TyperOption)]
    verbs = (
        [(name, told(verb.help, language)[0]) for name, verb in command.commands.items()] if isinstance(command, Verbs) else []
    )
    parts = [f"{_('Usage').to(language)}: {usage(command, ctx)}"]
    parts += ["\n".join(wrapped(paragraph, width, indent="  ")) for paragraph in told(command.help, language)]
    for heading, rows in ((_("Arguments"), arguments), (_("Options"), options), (_("Commands"), verbs)):
        if rows:
            parts.append(f"{heading.to(language)}:\n" + "\n".join(_listed(rows, width)))
    return "\n\n".join(parts)


def usage(command: Command, ctx: Context) -> str:
    """Return how `command` is written: `paring add [OPTIONS] PATH...`."""
    names = [ctx.command_path, "[OPTIONS]"]
    for param in command.params:
        if isinstance(param, TyperArgument):
            names.append(_shown(param) if param.required else f"[{_shown(param)}]")
        elif isinstance(param, TyperOption) and param.required:
            names.append(_shown(param))
    if isinstance(command, Verbs):
        names.append("[COMMAND ...]" if command.alone else "COMMAND ...")
    return " ".join(names)


def told(english: str | None, language: Language) -> list[str]:
    """Return the paragraphs of a help text in `language`."""
    return [_(" ".join(paragraph.split())).to(language) for paragraph in (english or "").split("\n\n")]


def wrapped(text: str, width: int, *, indent: str = "") -> list[str]:
    """Return `text` in lines of at most `width` columns where its words allow it; Hangul takes two columns a syllable."""
    lines: list[str] = []
    for word in text.split():
        if lines and columns(lines[-1]) + 1 + columns(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(indent + word)
    return lines


def columns(text: str) -> int:
    """Return how many columns of a terminal `text` takes."""
    return sum(2 if unicodedata.east_asian_width(letter) in WIDE else 1 for letter in text)


def _listed(rows: Sequence[tuple[str, str]], width: int) -> Iterator[str]:
    """Yield the lines of names and meanings in two columns."""
    names = min(max(columns(name) for name, _meaning in rows), NAMES)
    for name, meaning in rows:
        lines = wrapped(meaning, width - names - 4)
        if columns(name) > names:
            yield f"  {name}"
        else:
            yield f"  {name}{' ' * (names - columns(name))}  {lines.pop(0) if lines else ''}".rstrip()
        yield from (f"  {' ' * names}  {line}" for line in lines)


def _shown(param: TyperArgument | TyperOption) -> str:
    """Return how a parameter is written: `PATH...`, `--scope SCOPE`, `--json`."""
    name = param.metavar or param.name.upper()
    if isinstance(param, TyperArgument):
        return f"{name}..." if param.nargs != 1 else name
    written = ", ".join(sorted(param.opts, key=len))
    return written if param.is_flag else f"{written} {name}"


def _meaning(param: TyperArgument | TyperOption, language: Language) -> str:
    meaning = " ".join(told(param.help, language))
    if param.default and isinstance(param.default, str):
        meaning += f" [{_('default: {value}', value=param.default).to(language)}]"
    return meaning


@contextmanager
def _understood(command: Command, ctx: Context) -> Iterator[None]:
    """Raise what Typer finds wrong as a UsageError."""
    try:
        yield
    except TyperException as error:
        option = getattr(error, "option_name", "")
        wrong = getattr(error, "param", None) or next((param for param in command.params if option in param.opts), None)
        named = _shown(wrong) if isinstance(wrong, TyperArgument | TyperOption) else ""
        raise not_understood(
            error, command=ctx.command_path, usage=usage(command, ctx), named=named, least=getattr(wrong, "min", None)
        ) from error
