"""What is done for a message, and what is said to it: the values between the rules and the skills.

Owns: how they are made and put together. Leaves to `bot.dispatch` the rules.

    plan = Plan(skill, message, message.text, Route("search", "router"))
    answer = joined([before, Answer((with_receipt(reply, plan, stopwatch),), plan.route)])
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.errors import TooLargeError
from bot.locale import phrases
from bot.message import Attachment, Button, Message, Receipt, Reply
from bot.passage import Scope
from bot.route import Route

if TYPE_CHECKING:
    from bot.going_on import Meant
    from bot.locale import Language, Text
    from bot.skill import Skill
    from bot.stopwatch import Stopwatch

_ = phrases(__file__)

MEBIBYTE = 1024 * 1024
PRESS = "press:"
"""What the ids of presses of buttons begin with."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The replies to a message, and how it was routed (None where nothing was)."""

    replies: tuple[Reply, ...]
    route: Route | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Which skill works on what, how that was decided, and what goes with its answer."""

    skill: Skill
    message: Message
    text: str
    route: Route
    files: tuple[Attachment, ...] = ()
    buttons: tuple[Button, ...] = field(default=())
    language: Language | None = None
    """The language to answer in, where it is not the asker's."""


def check_size(message: Message, most_bytes: int) -> None:
    """Refuse a text of more than `most_bytes`. Raises TooLargeError."""
    if len(message.text.encode()) > most_bytes:
        raise TooLargeError(
            _("This text is over {limit} MB, the most I read at once. Nothing was kept; please send it as a file, or in parts.",
              limit=round(most_bytes / MEBIBYTE, 1))
        )  # fmt: skip


def by_claimant(message: Message, skills: Iterable[Skill], *, last: Skill | None) -> list[Message]:
    """Return a bare batch of files (a folder) as one message for each of `skills` that claims some of them, else `message` alone.

    What is for `last` comes last: the documents, where "ask me about them" is read.
    """
    if message.text.strip() or message.command is not None:
        return [message]
    able = list(skills)
    batches: dict[str, list[Attachment]] = {}
    for file in message.attachments:
        bare = replace(message, attachments=(file,))
        claimant = next((skill.name for skill in able if skill.claims(bare)), "")
        batches.setdefault(claimant, []).append(file)
    ordered = sorted(batches, key=lambda claimant: claimant == (last.name if last else ""))
    return [replace(message, attachments=tuple(batches[claimant])) for claimant in ordered] or [message]


def as_meant(meant: Meant, message: Message) -> Plan:
    """Return what is done for a message that goes on from another: a command about that one, or that one again."""
    about, command = meant.about, meant.command
    files = files_of(about)
    route = Route(meant.skill.name, "follow")
    if command is None:
        text = about.command.args if about.command is not None else about.text
        return Plan(meant.skill, about, text, route, files, language=meant.language)
    return Plan(meant.skill, replace(message, command=command, reply_to=about), command.args, route, files)


def files_of(message: Message) -> tuple[Attachment, ...]:
    """Return the files that came with it, else with what it answers; a button's, those of the message that it stands under."""
    about = message.reply_to
    if message.attachments or about is None:
        return message.attachments
    if Scope.of(about.address) != Scope.of(message.address):
        return ()  # asked anew in one's own chat: what was sent in the group is kept there alone
    return files_of(about) if message.id.startswith(PRESS) else about.attachments


def joined(answers: Sequence[Answer], *, route: Route | None = None) -> Answer:
    """Return the replies of all, and `route`, else the last one's."""
    replies = tuple(reply for answer in answers for reply in answer.replies)
    return Answer(replies, route or next((answer.route for answer in reversed(answers) if answer.route), None))


def left_over(plan: Plan, message: Message) -> Message | None:
    """Return the files that came with words and are of a kind that the chosen skill leaves, as a message of their own."""
    takes = plan.skill.takes
    left = tuple(file for file in message.attachments if file.kind not in takes)
    if plan.route.how not in {"router", "attachment"} or len(left) in {0, len(message.attachments)}:
        return None
    return replace(message, text="", attachments=left)


def title_of(skill: Skill, message: Message) -> str:
    """Return the skill's title in the message's language."""
    return skill.title.to(message.language)


def replies_of(said: str, message: Message) -> tuple[Reply, ...]:
    """Return the reply that says `said`, none for ""."""
    return (Reply(said, message.language),) if said else ()


def say(text: Text, message: Message, *, route: Route | None = None, buttons: tuple[Button, ...] = ()) -> Answer:
    """Return the sentence as an answer."""
    reply = Reply(
        text.markdown(message.language), message.language, buttons=buttons, receipt=Receipt(route.skill if route else "")
    )
    return Answer((reply,), route)


def with_receipt(reply: Reply, plan: Plan, stopwatch: Stopwatch) -> Reply:
    """Return the reply with what is told of how it was made, and the buttons that go with it."""
    route = plan.route
    receipt = replace(
        reply.receipt or Receipt(plan.skill.name),
        skill=plan.skill.name, route_score=route.score, runner_up=route.runner_up, runner_up_score=route.runner_up_score,
        stages_ms=stopwatch.stages(),
    )  # fmt: skip
    return replace(reply, receipt=receipt, buttons=(*reply.buttons, *plan.buttons))
