"""The bot's page in Slack (App Home): what it can do, what it keeps, and how to ask.

Source: https://docs.slack.dev/surfaces/app-home
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.channels.rich_text import parse
from bot.channels.slack_outgoing import rich_text
from bot.locale import Language, phrases
from bot.skill import CommandSpec

_ = phrases(__file__)


def home(commands: Sequence[CommandSpec], language: Language) -> Mapping[str, object]:
    """Return the view, in a person's language."""
    listed = "\n".join(f"- `{spec.name}`  {spec.summary.to(language)}" for spec in commands if spec.listed)
    said = [
        _(
            "**Ask me anything that stands in your documents**, here under “Messages”, or by a mention in a channel: I answer in the "
            "thread."
        ).to(language),
        _(
            "Send me a file, and it can be searched from then on, in this chat alone. In a channel I read only what is said to me, unless "
            "somebody writes `@Paring /index on` there."
        ).to(language),
        _("**After `/paring`**, which only you see, or after a slash in a message:").to(language) + "\n" + listed,
        _(
            "**What I keep** lies on your own machine, and nothing leaves it but my answers to Slack. `/paring privacy` says what and how "
            "long, `/paring forget` deletes what you said."
        ).to(language),
    ]
    return {"type": "home", "blocks": [rich_text(parse(paragraph)) for paragraph in said]}
