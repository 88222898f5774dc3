"""The `paring` command: every verb a few lines over `bot.app`. Heavy imports stand in the verbs that need them.

    paring run                     # serve the web page, and Telegram, Slack and Matrix where an account is set
    paring say "where is the plan?" --json

Exit codes: 0 done, 1 it failed and a sentence on stderr says why, 2 the command line is wrong.
"""

# ruff: noqa: PLC0415 - a verb imports what it needs: `paring --help` answers at once

from __future__ import annotations

import gc
import io
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_age import age
from bot.cli_backup import backup, restore
from bot.cli_bench import bench
from bot.cli_dead import dead
from bot.cli_errors import UsageError, exit_code, sentence_on
from bot.cli_eval import evaluate
from bot.cli_guests import admit, guests, quotas
from bot.cli_help import Verb, Verbs
from bot.cli_index import index
from bot.cli_models import models
from bot.cli_remove import remove
from bot.cli_swap import admins, audit, card, ram, rollback, shadow, swap
from bot.cli_verb import AsJson, a_file, a_name, anything_or_link, complain, dump, language_of, program, settings, stdin, with_app
from bot.cli_watch import watch
from bot.errors import InputError, ParingError
from bot.language import spoken
from bot.locale import Text, phrases

if TYPE_CHECKING:
    from bot.app import App
    from bot.channels.channel import Channel
    from bot.locale import Language

_ = phrases(__file__)

cli = typer.Typer(
    name="paring", cls=Verbs, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip


def main() -> None:
    """Run the command line; an error is a sentence on stderr and an exit code."""
    gc.disable()  # what is imported is kept: looking for garbage in it costs a tenth of the start
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # to look for some reads what every package says of itself
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no Hangul shows question marks, and the rest
    try:
        sys.exit(cli(prog_name=program(), standalone_mode=False))
    except Exception as error:
        if os.environ.get("PARING_LOG_LEVEL") == "debug" and not isinstance(error, ParingError):
            raise
        complain(sentence_on(error), spoken(os.environ))
        sys.exit(exit_code(error))


def _version(asked: bool) -> None:  # noqa: FBT001 - as Typer calls it
    from importlib.metadata import version

    if asked:
        typer.echo(version("paring"))
        raise typer.Exit


@cli.callback()
def options(
    version: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """A self-hosted chat bot that gives each message to a small model that is good at just that."""


@cli.command(cls=Verb)
def run() -> None:
    """Serve the web page, Telegram, Slack and Matrix until Ctrl-C.

    Telegram where PARING_TELEGRAM__TOKEN is set, Slack where PARING_SLACK__BOT_TOKENS is, Matrix where PARING_MATRIX__USER is;
    web.enabled = false leaves the page out.

    Another port: PARING_WEB__PORT=8081 before the command. `paring doctor --settings` lists all settings.
    """
    from bot.models.memory import share_arenas

    share_arenas()
    with_app(settings(), _serve)


@cli.command(cls=Verb)
def chat(
    chat: Annotated[str, typer.Option("--chat", parser=a_name, metavar="CHAT", help="The chat to go on with.")] = "terminal",
    user: Annotated[str, typer.Option("--user", parser=a_name, metavar="USER", help="Who you are.")] = "me",
) -> None:
    """Talk in this terminal, or answer the lines of a pipe."""
    import asyncio

    from bot.channels.console import Console

    async def talk(app: App) -> None:
        terminal = Console(blobs=app.blobs, chat=chat, user=user, language=language_of(app.settings), sizes=app.settings.limits)
        await app.serve([terminal], stop=asyncio.Event(), hopeless=_tell)

    with_app(settings(), talk)


@cli.command(cls=Verb)
def say(
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", help="The message, as it would be typed: a question, or /sum and the like. - reads stdin."
        ),
    ],
    file: Annotated[
        list[Path],
        typer.Option("--file", metavar="PATH", parser=a_file, help="Send a file along; may be repeated."),
    ] = [],  # noqa: B006 - Typer copies it
    chat: Annotated[
        str, typer.Option("--chat", parser=a_name, metavar="CHAT", help="The chat in which it is said.")
    ] = "terminal",
    user: Annotated[str, typer.Option("--user", parser=a_name, metavar="USER", help="Who says it.")] = "me",
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Say one message and print the reply.

    It goes through inbox, dispatch, skill and outbox as any other. With --json a line for each reply.
    """
    from bot.channels.console import message_from
    from bot.channels.console_render import as_json as to_json
    from bot.channels.console_render import render
    from bot.models.tasks import EMBED, ROUTE

    said = stdin().read() if text == "-" else text

    async def ask(app: App) -> None:
        message = await message_from(
            said, files=file, chat=chat, user=user, intake=app.intake, platform_language=language_of(app.settings)
        )
        for reply in await app.say(message):
            typer.echo(dump(to_json(reply), indent=None) if as_json else render(reply))
            if reply.buttons and not as_json and sys.stderr.isatty():
                typer.echo(_("Buttons are pressed in `paring chat`: ask there, then write #1.").to(reply.language), err=True)

    with_app(settings(), ask, ahead=(EMBED,) if said.startswith("/") else (EMBED, ROUTE))


@cli.command(cls=Verb)
def add(
    path: Annotated[
        list[object], typer.Argument(metavar="PATH", parser=anything_or_link, help="Files, folders and links to be searched.")
    ],
    scope: Annotated[
        str, typer.Option(help="Who may find them: public (all who may talk to the bot), or dm:… group:… of one chat.")
    ] = "public",
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Read files, folders and web pages into the search index.

    The same again: only what changed, and what is gone from a folder is removed; Ctrl-C and again goes on. Exit code 1 where
    nothing could be read.
    """
    from bot.passage import Scope
    from bot.progress import bar

    try:
        audience = Scope.parse(scope)
    except InputError as error:
        raise UsageError(error.text) from error

    async def read(app: App) -> None:
        language = language_of(app.settings)
        with bar(_("reading"), language) as report:
            paths = [one for one in path if isinstance(one, Path)]
            done = await app.folders.add(paths, audience, report, links=[one for one in path if isinstance(one, str)])
        typer.echo(dump(done.as_json()) if as_json else done.to(language))
        if not (done.added or done.replaced or done.unchanged):
            if not done.failed:
                nothing = _("There is nothing to read there. Hidden files, programs, archives and media are passed over.")
                complain(nothing, language)
            raise typer.Exit(1)

    with_app(settings(), read)


@cli.command(cls=Verb)
def route(
    jsonl: Annotated[
        str, typer.Option("--jsonl", metavar="FILE", help='JSON lines with "text" (and "language" if known); - reads stdin.')
    ],
) -> None:
    """Say which skill each text would go to.

    One JSON line each: text, skill, score, runner_up, runner_up_score, action (answer, ask or none).
    """
    from bot.evaluate.route_lines import lines_of, route_lines

    lines = stdin() if jsonl == "-" else lines_of(a_file(jsonl))

    async def weigh(app: App) -> None:
        async for row in route_lines(lines, app.router.decide_many):
            typer.echo(dump(row, indent=None))

    with_app(settings(), weigh)


@cli.command(cls=Verb)
def setup() -> None:
    """Prepare the models that come with the install, once."""
    from bot.progress import bar

    async def prepare(app: App) -> None:
        language = language_of(app.settings)
        with bar(_("preparing the models"), language) as report:
            await app.prepare(report)
        typer.echo(_("The models are ready. `paring run` serves the page.").to(language), err=True)

    with_app(settings(), prepare)


@cli.command(cls=Verb)
def doctor(
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
    settings_too: Annotated[bool, typer.Option("--settings", help="List every setting, its value and its variable.")] = False,  # noqa: FBT002 - a flag
    markdown: Annotated[bool, typer.Option("--markdown", help="The settings as the page of the documentation.")] = False,  # noqa: FBT002 - a flag
    health: Annotated[
        str, typer.Option("--health", metavar="URL", help="Only ask the bot that runs at this address whether it is ready.")
    ] = "",
    egress: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--egress", help="Use the bot for a minute, apart from yours, and say what it contacted.")
    ] = False,
) -> None:
    """Say what is set up, what is missing, and what to type next.

    Exit code 1 where the bot cannot run, where the running one is not ready, or where it contacted what no setting names.
    """
    if health:
        _ask_health(health, as_json=as_json)
        return
    if egress:
        _show_egress(as_json=as_json)
        return
    from bot.doctor import examine
    from bot.settings_list import settings_page, settings_rows, settings_table

    chosen = settings()
    language = language_of(chosen)
    if markdown:
        typer.echo(settings_page(language), nl=False)
        return
    if settings_too:
        typer.echo(dump(settings_rows(chosen)) if as_json else settings_table(chosen, language))
        return
    report = examine(chosen, program=program())
    typer.echo(dump(report.as_json()) if as_json else report.to(language))
    if not report.can_run:
        raise typer.Exit(1)


def _show_egress(*, as_json: bool) -> None:
    from bot.egress import look

    chosen = settings()
    seen = look(chosen)
    typer.echo(dump(seen.as_json()) if as_json else seen.to(language_of(chosen)))
    if not seen.clean:
        raise typer.Exit(1)


def _ask_health(url: str, *, as_json: bool) -> None:
    from bot.health_check import check

    checked = check(url)
    if as_json:
        typer.echo(dump({"ready": checked.ready, "said": checked.said.to("en")}))
        if not checked.ready:
            raise typer.Exit(1)
        return
    language = spoken(os.environ)
    if not checked.ready:
        complain(checked.said, language)
        raise typer.Exit(1)
    typer.echo(checked.said.to(language))


cli.command(cls=Verb)(watch)
cli.command(cls=Verb)(remove)
cli.add_typer(models, name="models")
for verb in (swap, rollback, shadow, card, ram, audit, admins, admit, guests, dead, quotas, bench, backup, restore, age):
    cli.command(cls=Verb)(verb)
cli.add_typer(index, name="index")
cli.add_typer(evaluate, name="eval")


async def _serve(app: App) -> None:
    import asyncio

    from bot.app import channels_of
    from bot.leaving import Leaving

    stop = asyncio.Event()
    leaving = Leaving(stop)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, leaving.ask)
    channels = channels_of(app, hopeless=_tell)
    language = language_of(app.settings)
    greetings = [asyncio.create_task(_greet(app, channel, language)) for channel in channels]

    await app.serve(channels, stop=stop, hopeless=_tell, stands_by=_tell_standing_by)
    for greeting in greetings:
        greeting.cancel()
    if not stop.is_set():
        raise typer.Exit(1)  # no channel runs any more, and nobody asked for that


def _tell(name: str, why: Text) -> None:
    complain(_("{name} is off: {why}", name=name, why=why), spoken(os.environ))


def _tell_standing_by(name: str) -> None:
    stands_by = _(
        "Another Paring of this home is on {name} already: this one stands by, and takes over when that one ends.", name=name
    )
    complain(stands_by, spoken(os.environ))


async def _greet(app: App, channel: Channel, language: Language) -> None:
    await app.duty.begun(channel)
    ready, url = getattr(channel, "ready", None), ""
    if ready is not None:
        await ready.wait()
        url = getattr(channel, "url", "")
    there = _("Paring is at {url} (Ctrl-C stops it).", url=url) if url else _("Paring is on {name}.", name=channel.name)
    door = _("Whom I do not know is shown a code there; `paring admit CODE`, in another terminal, lets them in.")
    said = [there, door] if app.door.policy(channel.name) == "paired" else [there]
    typer.echo(" ".join(one.to(language) for one in said))
