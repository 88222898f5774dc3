"""`paring eval`: quality and speed on a data set of one's own.

paring eval search scifact/ --json
"""

# ruff: noqa: PLC0415 - a verb imports what it needs: `paring --help` answers at once

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_errors import UsageError
from bot.cli_help import Verb, Verbs
from bot.cli_verb import AsJson, a_file, a_folder, dump, language_of, settings, with_app
from bot.locale import Language, phrases

if TYPE_CHECKING:
    from bot.app import App

_ = phrases(__file__)

evaluate = typer.Typer(cls=Verbs, help="Measure quality and speed on a data set of yours.")


@evaluate.command("search", cls=Verb)
def evaluate_search(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", parser=a_folder, help="BEIR layout: corpus.jsonl, queries.jsonl, qrels.tsv.")
    ],
    leg: Annotated[str, typer.Option(help="fused, vectors or words.")] = "fused",
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Measure ranking: nDCG@10, recall@10 and @100, MRR@10, milliseconds a query."""
    from bot.evaluate.search import evaluate_search as measure
    from bot.progress import bar

    async def go(app: App) -> None:
        language = language_of(app.settings)
        with bar(_("evaluating"), language) as report:
            result = await measure(folder, leg=leg, models=app.pool, settings=app.settings, report=report)
        _show(result.as_json(), language, as_json=as_json)

    with_app(settings(), go)


@evaluate.command("talk", cls=Verb)
def evaluate_talk(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", parser=a_folder, help="A talk and its questions: chat.txt, questions.txt.")
    ],
    half: Annotated[str, typer.Option(help="Count only the questions of this half.")] = "",
    alone: Annotated[bool, typer.Option("--alone", help="Each message as if nothing was said around it, to compare.")] = False,  # noqa: FBT002 - a flag of the command line
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Measure who said what, and when: the right exchange, message and person first, and told nothing where nobody said it."""
    from bot.evaluate.talk import evaluate_talk as measure

    async def go(app: App) -> None:
        scores = await measure(folder, models=app.pool, settings=app.settings, alone=alone)
        _show(scores.as_json(half=half), language_of(app.settings), as_json=as_json)

    with_app(settings(), go)


@evaluate.command("route", cls=Verb)
def evaluate_route(
    file: Annotated[Path | None, typer.Argument(parser=a_file, help="JSON lines with text and label.")] = None,
    train: Annotated[
        Path | None, typer.Option(metavar="FILE", parser=a_file, help="Train the same head on these labels …")
    ] = None,
    test: Annotated[Path | None, typer.Option(metavar="FILE", parser=a_file, help="… and measure it on these.")] = None,
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
            raise UsageError(_("Write either paring eval route FILE or paring eval route --train FILE --test FILE."))
        _show(result.as_json(), language_of(app.settings), as_json=as_json)

    with_app(settings(), go)


@evaluate.command("summarise", cls=Verb)
def evaluate_summarise(
    file: Annotated[Path, typer.Argument(parser=a_file, help="JSON lines with id, text and summaries.")],
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Measure summaries: ROUGE-1, -2 and -L in percent, with lead and LexRank beside."""
    from bot.evaluate.summarise import evaluate_summaries
    from bot.progress import bar

    async def go(app: App) -> None:
        language = language_of(app.settings)
        with bar(_("evaluating"), language) as report:
            result = await evaluate_summaries(file, app.pool, report=report)
        _show(result.as_json(), language, as_json=as_json)

    with_app(settings(), go)


def _show(result: Mapping[str, object], language: Language, *, as_json: bool) -> None:
    from bot.status import plain_table

    typer.echo(dump(result) if as_json else plain_table(result, language))
