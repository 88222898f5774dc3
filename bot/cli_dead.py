"""What was set aside, in the command line: the same orders as in a chat, by the one whose machine it is.

paring dead                   # who, where, when, how long, why; never what was said
paring dead replay a91f3c     # a running bot takes it up within seconds, else the next that starts
paring dead drop a91f3c
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli_swap import end, ordered
from bot.cli_verb import AsJson, dump, language_of, settings, with_app
from bot.locale import phrases

if TYPE_CHECKING:
    from bot.app import App
    from bot.sandbox import Json
    from bot.store.dead import DeadLetter

_ = phrases(__file__)

MOST = 200


def dead(
    doing: Annotated[str, typer.Argument(metavar="[replay|drop]", help="Nothing: list them.")] = "",
    reference: Annotated[str, typer.Argument(metavar="REF", help="What the list shows, and the person was told.")] = "",
    as_json: AsJson = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """List what was set aside because it broke; have one done again, or drop it.

    A message is answered in its own chat, a reply sent again. A running bot takes it up within seconds.
    """

    async def go(app: App) -> None:
        words = [word for word in (doing, reference) if word]
        done = await ordered(app, "dead", words)
        if words:
            end(app, done, as_json=as_json)
            return
        letters = await app.dead.last(MOST)
        if as_json:
            typer.echo(dump([_row(letter) for letter in letters]))
            return
        from bot.admin_dead import told  # noqa: PLC0415 - as all that the list alone needs
        from bot.channels.console_render import render  # noqa: PLC0415
        from bot.message import Reply  # noqa: PLC0415

        language = language_of(app.settings)
        lines = "\n".join(told(letter, language, app.settings.zone) for letter in letters)
        typer.echo(render(Reply(lines or _("Nothing is set aside.").to(language), language)))

    with_app(settings(), go)


def _row(letter: DeadLetter) -> Json:
    address = letter.address
    return {
        "reference": letter.reference, "kind": letter.kind, "at": letter.at.isoformat(), "who": letter.who, "name": letter.name,
        "channel": address.channel, "chat": address.chat, "thread": address.thread, "skill": letter.skill,
        "characters": letter.characters, "files": letter.files, "why": letter.why,
    }  # fmt: skip
