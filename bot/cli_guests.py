"""Who may talk to the bot, and how much, in the command line: the same orders as in a chat, by the one whose machine it is.

    paring admit 7KQ2-M9XD            # the code that the bot showed to somebody who wrote to it
    paring admit 7KQ2-M9XD --admin    # and make them an admin: your own first code
    paring guests remove telegram:42
    paring quotas more telegram:42 100

A running bot follows at once: who may talk is asked anew at every message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_swap import end, ordered
from bot.cli_verb import AsJson, dump, settings, with_app

if TYPE_CHECKING:
    from bot.app import App


def admit(
    code: Annotated[
        str, typer.Argument(metavar="CODE", help="The code that the person was shown; or who it is, such as telegram:4711.")
    ],
    admin: Annotated[bool, typer.Option("--admin", help="Make them an admin, too.")] = False,  # noqa: FBT002 - a flag
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Let somebody talk to the bot, by the code that it showed them.

    A code stands for an hour and is good once. A running bot follows at once.
    """

    async def go(app: App) -> None:
        end(app, await ordered(app, "admit", [code, *(["--admin"] if admin else [])]), as_json=as_json)

    with_app(settings(), go)


def guests(
    doing: Annotated[str, typer.Argument(metavar="[remove]", help="Nothing: list them.")] = "",
    person: Annotated[str, typer.Argument(metavar="CHANNEL:USER", help="Such as telegram:4711.")] = "",
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """List who was let in by a code, and who waits with one; remove one."""

    async def go(app: App) -> None:
        done = await ordered(app, "guests", [word for word in (doing, person) if word])
        if not as_json:
            end(app, done, as_json=False)
            return
        let_in = [{"person": one.person, "by": one.by, "at": one.at.isoformat()} for one in await app.door.guests()]
        asking = [{"person": one.person, "at": one.at.isoformat()} for one in await app.door.asking()]
        typer.echo(dump({"guests": let_in, "asking": asking}))

    with_app(settings(), go)


def quotas(
    doing: Annotated[str, typer.Argument(metavar="[more]", help="Nothing: list them.")] = "",
    who: Annotated[str, typer.Argument(metavar="CHANNEL:USER", help="Such as telegram:4711; a group, too.")] = "",
    count: Annotated[int, typer.Argument(metavar="N", min=0, help="So many more today; as many again as the quota.")] = 0,
    costly: Annotated[bool, typer.Option("--costly", help="Of costly answers, not of messages.")] = False,  # noqa: FBT002 - a flag
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """List who asked for how much today; let one ask for more."""

    async def go(app: App) -> None:
        words = [doing, who, str(count or ""), "costly" if costly else ""]
        done = await ordered(app, "quotas", [word for word in words if word])
        if not as_json:
            end(app, done, as_json=False)
            return
        today = [(used, app.quotas.of(used)) for used in await app.quotas.today()]
        rows = [{"who": used.who, "kind": used.kind, "used": now.used, "most": now.most} for used, now in today]
        typer.echo(dump({"today": rows}))

    with_app(settings(), go)
