"""The bot's page in Slack (App Home): what it can do, what it keeps, and how to ask; and what is offered in the assistant's pane.

Sources: https://docs.slack.dev/surfaces/app-home, https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts
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
        _("**After `/paring`**, which only you see, or after `!` in a message:").to(language) + "\n" + listed,
        _(
            "**What I keep** lies on your own machine, and nothing leaves it but my answers to Slack. `/paring privacy` says what and how "
            "long, `/paring forget` deletes what you said."
        ).to(language),
    ]
    return {"type": "home", "blocks": [rich_text(parse(paragraph)) for paragraph in said]}


def prompts(language: Language) -> Sequence[Mapping[str, str]]:
    """Return what is offered at the beginning of a conversation: a title, and what is said by a press on it."""
    offered = (
        (_("What can you do?"), _("!help")),
        (_("What do you keep of what I say?"), _("!privacy")),
        (_("Find something in our documents"), _("What do our documents say about holidays?")),
        (_("Translate"), _("!translate en 내일 오후에 만나요.")),
    )
    return [{"title": title.to(language), "message": said.to(language)} for title, said in offered]
