"""The `paring` command: every verb a few lines over `bot.app`. Heavy imports stand in the verbs that need them.

    paring run                     # serve the web page, and Telegram where a token is set
    paring say "where is the plan?" --json

Exit codes: 0 done, 1 it failed and a sentence on stderr says why, 2 the command line is wrong.
"""

# ruff: noqa: PLC0415 - a verb imports what it needs: `paring --help` answers at once

from __future__ import annotations

import asyncio
import gc
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.cli_errors import sentence_on
from bot.errors import InputError, ParingError
from bot.language import spoken
from bot.locale import Language, Text, phrases

if TYPE_CHECKING:
    from bot.app import App
    from bot.config import Settings
    from bot.skill import Slot

_ = phrases(__file__)

T = TypeVar("T")

cli = typer.Typer(
    name="paring", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="A self-hosted chat bot that gives each message to a small model that is good at just that.",
)  # fmt: skip
index = typer.Typer(no_args_is_help=True, help="The search index: what is in it, whether it is right, make it anew.")
evaluate = typer.Typer(no_args_is_help=True, help="Measure quality and speed on a data set of yours.")
cli.add_typer(index, name="index")
cli.add_typer(evaluate, name="eval")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for a machine.")]


def main() -> None:
    """Run the command line; an error is a sentence on stderr and exit code 1."""
    gc.disable()  # what is imported is kept: looking for garbage in it costs a tenth of the start
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that has no Hangul shows question marks, and the rest
    language = spoken(os.environ)
    try:
        cli()
    except Exception as error:
        if os.environ.get("PARING_LOG_LEVEL") == "debug" and not isinstance(error, ParingError):
            raise
        typer.echo(f"paring: {sentence_on(error).to(language)}", err=True)
        sys.exit(1)


@cli.command()
def run() -> None:
    """Serve the web page and Telegram until Ctrl-C.

    Telegram where PARING_TELEGRAM__TOKEN is set; web.enabled = false leaves the page out.
    """
    from bot.models.memory import share_arenas

    share_arenas()
    settings = _settings()
    _with_app(settings, _serve)


@cli.command()
def chat(
    chat: Annotated[str, typer.Option("--chat", help="The chat to go on with.")] = "terminal",
    user: Annotated[str, typer.Option("--user", help="Who you are.")] = "me",
) -> None:
    """Talk in this terminal, or answer the lines of a pipe."""
    from bot.channels.console import Console

    async def talk(app: App) -> None:
        terminal = Console(blobs=app.blobs, chat=chat, user=user, language=_language(app.settings), sizes=app.settings.limits)
        await app.serve([terminal], stop=asyncio.Event(), hopeless=_tell)

    _with_app(_settings(), talk)


@cli.command()
def say(
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", help="The message, as it would be typed: a question, or /sum and the like. - reads stdin."
        ),
    ],
    file: Annotated[
        list[Path],
        typer.Option("--file", metavar="PATH", exists=True, dir_okay=False, help="Send a file along; may be repeated."),
    ] = [],  # noqa: B006 - Typer copies it
    chat: Annotated[str, typer.Option("--chat", help="The chat in which it is said.")] = "terminal",
    user: Annotated[str, typer.Option("--user", help="Who says it.")] = "me",
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Say one message and print the reply.

    It goes through inbox, dispatch, skill and outbox as any other.
    """
    from bot.channels.console import message_from
    from bot.channels.console_render import as_json as to_json
    from bot.channels.console_render import render
    from bot.models.tasks import EMBED, ROUTE

    said = _stdin().read() if text == "-" else text

    async def ask(app: App) -> None:
        message = await message_from(said, files=file, chat=chat, user=user, intake=app.intake)
        for reply in await app.say(message):
            typer.echo(_dump(to_json(reply)) if as_json else render(reply))

    _with_app(_settings(), ask, ahead=(EMBED,) if said.startswith("/") else (EMBED, ROUTE))


@cli.command()
def add(
    path: Annotated[list[Path], typer.Argument(metavar="PATH", exists=True, help="Files and folders to be searched.")],
    scope: Annotated[
        str, typer.Option(help="Who may find them: public (all who may talk to the bot), or dm:… group:… of one chat.")
    ] = "public",
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Read files and folders into the search index.

    The same again changes nothing; Ctrl-C and again goes on. Exit code 1 where nothing could be read.
    """
    from bot.passage import Scope
    from bot.progress import bar

    audience = Scope.parse(scope)

    async def read(app: App) -> None:
        with bar("reading") as report:
            done = await app.library.add_many(path, audience, report=report)
        typer.echo(_dump(done.as_json()) if as_json else str(done))
        if not (done.added or done.replaced or done.unchanged):
            if not done.failed:
                nothing = _("There is nothing to read there. Hidden files, programs, archives and media are passed over.")
                typer.echo(f"paring: {nothing.to(_language(app.settings))}", err=True)
            raise typer.Exit(1)

    _with_app(_settings(), read)


@cli.command()
def route(
    jsonl: Annotated[str, typer.Option("--jsonl", help='JSON lines with "text" (and "language" if known); - reads stdin.')],
) -> None:
    """Say which skill each text would go to.

    One JSON line each: text, skill, score, runner_up, runner_up_score, action (answer, ask or none).
    """
    from bot.evaluate.route_lines import lines_of, route_lines

    lines = _stdin() if jsonl == "-" else lines_of(Path(jsonl))

    async def weigh(app: App) -> None:
        async for row in route_lines(lines, app.router.decide_many):
            typer.echo(_dump(row, indent=None))

    _with_app(_settings(), weigh)


@cli.command()
def models(as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """List the live model of each slot.

    With its size, measured memory, licence and health.
    """
    from bot.status import model_rows, model_table

    async def show(app: App) -> None:
        rows = await asyncio.to_thread(model_rows, app.pool)
        typer.echo(_dump(rows) if as_json else model_table(rows))

    _with_app(_settings(), show)


@cli.command()
def setup() -> None:
    """Prepare the models that come with the install, once."""
    from bot.progress import bar

    async def prepare(app: App) -> None:
        with bar("preparing the models") as report:
            await app.prepare(report)
        typer.echo("The models are ready. `paring run` serves the page.", err=True)

    _with_app(_settings(), prepare)


@cli.command()
def doctor(
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
    settings_too: Annotated[bool, typer.Option("--settings", help="List every setting, its value and its variable.")] = False,  # noqa: FBT002 - a flag
    markdown: Annotated[bool, typer.Option("--markdown", help="With --settings: the page of the documentation.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Say what is set up, what is missing, and what to type next. Exit code 1 where the bot cannot run."""
    from bot.doctor import examine, settings_page, settings_table

    settings = _settings()
    if settings_too:
        typer.echo(settings_page() if markdown else settings_table(settings), nl=not markdown)
        return
    report = examine(settings)
    typer.echo(_dump(report.as_json()) if as_json else report.to(_language(settings)))
    if not report.can_run:
        sys.exit(1)


@index.command("status")
def index_status(as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Say what the index holds and of which model its vectors are."""

    async def show(app: App) -> None:
        status = await app.library.status()
        typer.echo(_dump(status.as_json()) if as_json else str(status))

    _with_app(_settings(), show)


@index.command("verify")
def index_verify(as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Compare the index with the database. Exit code 1 where they differ."""
    wrong = False

    async def compare(app: App) -> None:
        nonlocal wrong
        found = await app.library.verify()
        typer.echo(_dump(found.as_json()) if as_json else str(found))
        wrong = not found.sound

    _with_app(_settings(), compare)
    if wrong:
        sys.exit(1)


@index.command("rebuild")
def index_rebuild(as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Make the index anew from the database's text."""
    from bot.progress import bar

    async def rebuild(app: App) -> None:
        with bar("rebuilding") as report:
            status = await app.library.rebuild(report=report)
        typer.echo(_dump(status.as_json()) if as_json else str(status))

    _with_app(_settings(), rebuild)


@evaluate.command("search")
def evaluate_search(
    folder: Annotated[
        Path, typer.Argument(exists=True, file_okay=False, help="BEIR layout: corpus.jsonl, queries.jsonl, qrels.tsv.")
    ],
    leg: Annotated[str, typer.Option(help="fused, vectors or words.")] = "fused",
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Measure ranking: nDCG@10, recall@10 and @100, MRR@10, milliseconds a query."""
    from bot.evaluate.search import evaluate_search as measure
    from bot.progress import bar

    async def go(app: App) -> None:
        with bar("evaluating") as report:
            result = await measure(folder, leg=leg, models=app.pool, settings=app.settings, report=report)
        _show(result.as_json(), as_json=as_json)

    _with_app(_settings(), go)


@evaluate.command("route")
def evaluate_route(
    file: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False, help="JSON lines with text and label.")] = None,
    train: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Train the same head on these labels …")] = None,
    test: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="… and measure it on these.")] = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Measure the router: accuracy, macro F1, by label."""
    from bot.evaluate import route as measure

    async def go(app: App) -> None:
        if file is not None and train is None and test is None:
            result = await measure.evaluate_route(file, app.router.decide_many)
        elif file is None and train is not None and test is not None:
            result = await measure.evaluate_route_trained(train, test, app.pool)
        else:
            raise typer.BadParameter("give either FILE, or --train A --test B")
        _show(result.as_json(), as_json=as_json)

    _with_app(_settings(), go)


@evaluate.command("summarise")
def evaluate_summarise(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON lines with id, text and summaries.")],
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Measure summaries: ROUGE-1, -2 and -L in percent, with lead and LexRank beside."""
    from bot.evaluate.summarise import evaluate_summaries
    from bot.progress import bar

    async def go(app: App) -> None:
        with bar("evaluating") as report:
            result = await evaluate_summaries(file, app.pool, report=report)
        _show(result.as_json(), as_json=as_json)

    _with_app(_settings(), go)


async def _serve(app: App) -> None:
    from bot.app import channels_of
    from bot.leaving import Leaving

    stop = asyncio.Event()
    leaving = Leaving(stop)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, leaving.ask)
    channels = channels_of(app)
    greetings = [asyncio.create_task(_greet(channel)) for channel in channels]

    await app.serve(channels, stop=stop, hopeless=_tell)
    for greeting in greetings:
        greeting.cancel()
    if not stop.is_set():
        raise typer.Exit(1)  # no channel runs any more, and nobody asked for that


def _tell(name: str, why: Text) -> None:
    told = _("{name} is off: {why}", name=name, why=why)
    typer.echo(f"paring: {told.to(spoken(os.environ))}", err=True)


async def _greet(channel: object) -> None:
    ready, url = getattr(channel, "ready", None), ""
    if ready is not None:
        await ready.wait()
        url = getattr(channel, "url", "")
    name = getattr(channel, "name", "")
    typer.echo(f"Paring is at {url} (Ctrl-C stops it)." if url else f"Paring is on {name}.")


def _with_app(settings: Settings, work: Callable[[App], Coroutine[Any, Any, T]], *, ahead: Sequence[Slot[Any, Any]] = ()) -> T:
    """Open the app, its models of the slots `ahead` loading meanwhile; run `work` with it, close it."""
    from bot.app import opened
    from bot.logs import configure_logs

    configure_logs(settings)

    async def go() -> T:
        async with opened(settings, ahead=ahead) as app:
            gc.freeze()
            gc.enable()
            return await work(app)

    try:
        return asyncio.run(go())
    except KeyboardInterrupt:
        typer.echo("paring: stopped; what was done is kept.", err=True)
        raise typer.Exit(130) from None


def _stdin() -> IO[str]:
    if sys.stdin is None:
        raise InputError(_("There is no input: stdin was closed. Pipe something in, or write the text on the command line."))
    return sys.stdin


def _language(settings: Settings) -> Language:
    """Return the language of the terminal: the setting where it was made, else the locale's."""
    return settings.language if "language" in settings.model_fields_set else spoken(os.environ)


def _settings() -> Settings:
    from bot.config import load_settings

    return load_settings()


def _dump(value: object, *, indent: int | None = 2) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _show(result: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        typer.echo(_dump(result))
        return
    from bot.status import plain_table

    typer.echo(plain_table(result))
