"""`paring age`: let go, here and now, what is older than so many days; with retention.days the running bot does it every day.

paring age 90
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_errors import UsageError
from bot.cli_verb import AsJson, dump, language_of, settings, with_app
from bot.locale import phrases

if TYPE_CHECKING:
    from bot.app import App

_ = phrases(__file__)


def age(
    days: Annotated[int | None, typer.Argument(metavar="[DAYS]", min=1, help="How old; by default retention.days.")] = None,
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Delete what people said and sent, and what came of it, where it is older.

    Messages, answers, files, passages of chats, to the bytes, as /forget does; not what was added for all. The audit by
    retention.audit_days alone.
    """
    chosen = settings()
    kept, orders = days or chosen.retention.days, chosen.retention.audit_days
    if not kept and not orders:
        raise UsageError(_("How many days? Write {example}, or set retention.days.", example="paring age 90"))

    async def go(app: App) -> None:
        now = datetime.now(UTC)
        gone = await app.ageing.round(
            now - timedelta(days=kept) if kept else None, orders=now - timedelta(days=orders) if orders else None
        )
        said = {"messages": gone.messages, "passages": gone.passages, "audit": gone.orders}
        typer.echo(dump(said) if as_json else gone.text().to(language_of(app.settings)))

    with_app(chosen, go)
