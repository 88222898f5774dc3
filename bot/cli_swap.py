"""The admin verbs in the command line: the same orders as in a chat, by the one whose machine it is.

`paring swap` changes the model of a bot that runs: it follows within seconds. Exit codes: 0 done, 1 it was refused or failed and a
sentence says why, 2 the command line is wrong.

    paring swap summarise lexrank                        # the report card, then [p]romote, [s]hadow, [d]iscard
    paring swap summarise lexrank --promote --json       # for a script: live where its card passes
"""

# ruff: noqa: PLC0415 - a verb imports what it needs: `paring --help` answers at once

from __future__ import annotations

import json
import shlex
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bot import lazy
from bot.cli_errors import FAILED, MISTYPED
from bot.cli_verb import AsJson, dump, language_of, settings, with_app
from bot.errors import ParingError
from bot.locale import Language, Text, phrases

if TYPE_CHECKING:
    from bot.admin import Done
    from bot.app import App
    from bot.models.trial import Swap, Tell
    from bot.sandbox import Json
    from bot.skill import Request

_ = phrases(__file__)

ANSWERS = {"p": "promote", "s": "shadow", "d": "discard", "사": "promote", "그": "shadow", "버": "discard"}
SHADOWED = 50
_OFFERED = {"promote": _("[p]romote"), "shadow": _("[s]hadow {count}", count=SHADOWED), "discard": _("[d]iscard")}
_COMMAND = lazy.compile(
    r"(?<![\w/])/(?!admit here\b)(models|swap|rollback|shadow|ram|card|audit|admins|admit|guests|dead|quotas|bench)\b"
)
_KOREAN = {"들이기": "admit", "손님": "guests", "사용량": "quotas"}
_KOREAN_COMMAND = lazy.compile(rf"(?<![\w/])/(?!들이기 여기)({'|'.join(_KOREAN)})\b")
Slot = Annotated[str, typer.Argument(metavar="SLOT", help="What the model is for: summarise, embed, ocr, ...")]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="A name, hub:owner/name@revision, or a folder in HOME/models.")]


class Typed(Text):
    """A sentence of a chat as it is said in a terminal."""

    __slots__ = ()

    def to(self, language: Language) -> str:
        """Return it with `paring swap` for `/swap`."""
        return _plain(Text.to(self, language))


def swap(
    slot: Slot = "",
    model: Model = "",
    force: Annotated[
        str, typer.Option("--force", metavar="REASON", help="Make it live though its card does not pass; why is kept.")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Fetch what has hashes or a licence that nobody knows here yet.")] = False,  # noqa: FBT002 - a flag
    promote: Annotated[bool, typer.Option("--promote", help="Make it live where its card passes, without asking.")] = False,  # noqa: FBT002 - a flag
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Try another model for a slot: its report card first, then what you decide.

    Nothing changes before you say so. A running bot follows within seconds, and takes the model back by itself where it does badly;
    `paring rollback` takes it back in one word. Exit code 1 where the card does not pass.
    """
    words = [word for word in (slot, model) if word]

    async def go(app: App) -> None:
        done = await ordered(app, "swap", words, reason=force, yes=yes)
        tried = done.swap
        if tried is not None and tried.state == "reported":
            passed = tried.card is not None and tried.card.passed
            if promote and passed:
                done = await ordered(app, "promote", [str(tried.id)])
            elif _asks() and not as_json:
                done = await _decided(app, done, tried)
            elif not force:
                typer.echo(_waits(tried).to(language_of(app.settings)), err=True)
        end(app, done, as_json=as_json)

    with_app(settings(), go)


def rollback(slot: Slot = "", as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Go back to the model that was live before the slot's last swap."""
    run("rollback", [slot] if slot else [], as_json=as_json)


def shadow(
    slot: Slot = "",
    model: Model = "",
    count: Annotated[int, typer.Argument(metavar="N", min=1, help="How many live requests.")] = SHADOWED,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Have the next N live requests computed by a model on trial too, shown to nobody.

    The running bot does it; models.shadow in the settings says whose requests. Its card then tells how often both agreed.
    """
    run("shadow", [slot, model, str(count)] if slot and model else [word for word in (slot, model) if word], as_json=as_json)


def card(
    number: Annotated[str, typer.Argument(metavar="N", help="The number of a swap; none: the last one.")] = "",
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Show the last report card, or one by its number, and ask what is done with it, where it waits for that."""

    async def go(app: App) -> None:
        done = await ordered(app, "card", [number] if number else [])
        if done.swap is not None and done.swap.state in {"reported", "shadowing"} and _asks() and not as_json:
            done = await _decided(app, done, done.swap)
        end(app, done, as_json=as_json, judged=False)

    with_app(settings(), go)


def ram(as_json: AsJson = False) -> None:  # noqa: FBT002 - a flag of the command line
    """Say what memory the models take, what of it stays loaded, and the budget."""

    async def show(app: App) -> None:
        done = await ordered(app, "ram", [])
        if as_json:
            typer.echo(dump(await _memory(app)))
        else:
            _print(done)

    with_app(settings(), show)


def audit(
    count: Annotated[int, typer.Argument(metavar="N", min=1, help="How many of the last orders.")] = 20,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Show what admins ordered, when, and what came of it, the newest first."""
    from bot.admin_people import told
    from bot.channels.console_render import render
    from bot.message import Reply

    async def show(app: App) -> None:
        entries = await app.audit.last(count)
        language = language_of(app.settings)
        if as_json:
            rows = [{"at": one.at.isoformat(), "who": one.who, "command": one.command, "outcome": one.outcome} for one in entries]
            typer.echo(dump(rows))
        else:
            lines = "\n".join(told(entry, language, app.settings.zone) for entry in entries)
            typer.echo(render(Reply(lines or _("Nothing was ordered yet.").to(language), language)))
        await app.audit.begin("terminal", f"paring audit {count}", "done")

    with_app(settings(), show)


def admins(
    doing: Annotated[str, typer.Argument(metavar="[add|remove]", help="Nothing: list them.")] = "",
    person: Annotated[str, typer.Argument(metavar="CHANNEL:USER", help="Such as telegram:4711.")] = "",
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """List the admins; add or remove one."""

    async def go(app: App) -> None:
        done = await ordered(app, "admins", [word for word in (doing, person) if word])
        if as_json:
            added = [{"person": one.person, "by": one.by, "at": one.at.isoformat()} for one in await app.roles.added()]
            typer.echo(dump({"settings": list(app.roles.named), "added": added}))
        else:
            _print(done)

    with_app(settings(), go)


def run(name: str, words: Sequence[str], *, as_json: bool, judged: bool = True) -> None:
    """Give one order and print what came of it."""

    async def go(app: App) -> None:
        end(app, await ordered(app, name, words), as_json=as_json, judged=judged)

    with_app(settings(), go)


async def ordered(app: App, name: str, words: Sequence[str], *, reason: str = "", yes: bool = False) -> Done:
    """Give the order as the owner of the machine; its steps are shown on stderr."""
    from bot.admin_words import Order
    from bot.roles import TERMINAL

    language = language_of(app.settings)
    line = [*words, *(["--yes"] if yes else []), *(["--force", reason] if reason else [])]
    with _steps(language) as tell:
        request = _request(shlex.join(line), name, language, tell)
        try:
            return await app.admin.order(name, Order(request, TERMINAL, tuple(words), reason, forced=bool(reason), yes=yes))
        except ParingError as error:
            error.text = Typed(error.text.msgid, error.text.values, error.text.folder)
            raise


def _request(text: str, name: str, language: Language, tell: Tell) -> Request:
    """Return what the verb is given: a line that the terminal's own user typed."""
    from bot.message import Address, Command, Message
    from bot.passage import Scope, Scopes
    from bot.skill import Request

    here = Address("console", "local", "terminal")
    message = Message(here, "me", "", text, language, datetime.now(UTC), command=Command(name, text))
    home = Scope.of(here)
    return Request(message, language, text, Scopes([home]), home, progress=tell)


@contextmanager
def _steps(language: Language) -> Iterator[Tell]:
    """Give what shows the steps of a swap on stderr: a bar of those that are done, and what is done now; nothing on a pipe."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from bot.models.trial import STEPS

    err = Console(stderr=True)
    columns = (SpinnerColumn(), BarColumn(bar_width=16), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    progress = Progress(*columns, console=err, transient=True, disable=not err.is_terminal)
    task = progress.add_task("", total=len(STEPS))

    async def tell(text: Text) -> None:
        progress.start()
        told = text.to(language).replace("**", "")
        progress.update(task, description=told, completed=told.count("✓"))

    try:
        yield tell
    finally:
        progress.stop()


async def _decided(app: App, done: Done, tried: Swap) -> Done:
    """Ask on the terminal what is done with a card."""
    from bot.admin import Done
    from bot.channels.console_input import read_line
    from bot.message import Reply

    language = language_of(app.settings)
    _print(done)
    choice, open_to = _choice(tried)
    typed = (await _typed(lambda: read_line(choice.to(language)))).strip().lower()
    name = ANSWERS.get(typed[:1], "")
    if name not in open_to:
        return Done(Reply(_waits(tried).to(language), language), done.outcome, tried)
    return await ordered(app, name, [str(tried.id), *([str(SHADOWED)] if name == "shadow" else [])])


def _choice(tried: Swap) -> tuple[Text, Sequence[str]]:
    """Return the question what is done with a card, and what may be."""
    from bot.models.telling import joined

    open_to = [name for name in _OFFERED if name in tried.choices]
    ends = _("or Enter to let it go on: ") if tried.state == "shadowing" else _("or Enter to leave it waiting: ")
    return joined([*(_OFFERED[name] for name in open_to), ends], by=", "), open_to


async def _typed(read: Callable[[], str]) -> str:
    """Return a line of the terminal, "" at its end; read on a thread that does not keep the process alive after Ctrl-C."""
    import asyncio

    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def settle(typed: str) -> None:
        if not line.done():
            line.set_result(typed)

    def wait() -> None:
        try:
            typed = read()
        except (EOFError, OSError, ValueError):
            typed = ""
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, typed)

    threading.Thread(target=wait, name="answer", daemon=True).start()
    return await line


def end(app: App, done: Done, *, as_json: bool, judged: bool = True) -> None:
    """Print what came of it; exit code 1 where that is a no, 2 where it was not clear what was meant."""
    language = language_of(app.settings)
    if as_json:
        typer.echo(dump(_as_json(done, language)))
    else:
        _print(done)
    if judged and done.outcome == "refused":
        raise typer.Exit(FAILED if done.swap is not None else MISTYPED)


def _print(done: Done) -> None:
    from bot.channels.console_render import render

    typer.echo(render(replace(done.reply, text=_plain(done.reply.text), buttons=(), receipt=None, images=())))


def _plain(text: str) -> str:
    """Return a sentence as it is said in a terminal: what is `/swap` in a chat is `paring swap` there; a group has `/admit here` alone."""
    return _COMMAND.sub(r"paring \1", _KOREAN_COMMAND.sub(lambda found: f"paring {_KOREAN[found[1]]}", text))


def _waits(swap: Swap) -> Text:
    return _("Nothing was changed. Swap {number} waits; in a chat, `/card {number}` shows it with its buttons.", number=swap.id)


def _asks() -> bool:
    """Say whether somebody is there to be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def _as_json(done: Done, language: Language) -> dict[str, Json]:
    from bot.models.trial import pack_card

    swap = done.swap
    said: dict[str, Json] = {"outcome": done.outcome, "text": _plain(done.reply.text)}
    if swap is None:
        return said
    facts: dict[str, Json] = {
        "id": swap.id, "slot": swap.slot, "word": swap.word, "model": swap.model, "before": swap.before, "by": swap.by,
        "state": swap.state, "step": swap.step, "reason": swap.reason, "said": swap.said.get(language, ""),
        "asked_at": swap.asked_at.isoformat(),
    }  # fmt: skip
    card: Json = json.loads(pack_card(swap.card)) if swap.card is not None else None
    passed = swap.card.passed if swap.card is not None else None
    return {**said, "swap": facts, "card": card, "passed": passed}


async def _memory(app: App) -> dict[str, Json]:
    """Return the memory for a machine, in MiB."""
    import asyncio

    from bot.models.memory import machine_mb, resident_mb
    from bot.status import model_rows

    found = await asyncio.to_thread(app.pool.status)
    taken_mb, budget_mb = app.pool.memory
    slots: list[Json] = [
        {**row, "loaded": status.loaded, "stays": status.pinned} for row, status in zip(model_rows(found), found, strict=True)
    ]
    return {"taken_mb": taken_mb, "budget_mb": budget_mb, "process_mb": resident_mb(), "machine_mb": machine_mb(), "slots": slots}
