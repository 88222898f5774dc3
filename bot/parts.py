"""Messages that are one thing said: an album's pictures, the pieces of a cut text.

Owns how they become one message. Leaves to a channel which of them belong together, and to `bot.store.inbox` those that were
committed one by one.

    together([first, second])     # one Message with all files and all text
    after(head, late)             # a picture that came when its album had been answered
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from bot.message import Attachment, Message


def together(messages: Sequence[Message]) -> Message:
    """Return the messages as one: all files, all text, meant for the bot where any of them is. Its id is that of what has words."""
    worded = spokesman(messages)
    more = [message.text for message in messages if message.text and message is not worded]
    command = worded.command
    if command is not None:
        command = replace(command, args="\n".join(words for words in (command.args, *more) if words))
    return replace(
        worded,
        text="\n".join(message.text for message in messages if message.text),
        command=command,
        attachments=_told_apart([file for message in messages for file in message.attachments]),
        reply_to=next((message.reply_to for message in messages if message.reply_to), None),
        addressed=any(message.addressed for message in messages),
    )


def spokesman(messages: Sequence[Message]) -> Message:
    """Return the first message that has words, else the first."""
    return next((message for message in messages if message.text or message.command), messages[0])


def after(head: Message, late: Message) -> Message:
    """Return what came after its album was answered, with what was asked of the album."""
    if late.text or late.command:
        return late
    return replace(
        late,
        text=head.text,
        language=head.language,
        command=head.command,
        reply_to=late.reply_to or head.reply_to,
        addressed=late.addressed or head.addressed,
    )


def with_the_others(edit: Message, former: Message) -> Message:
    """Return the edit of an album with all the files that it had: a platform tells of the one picture whose words were changed."""
    told, had = ({file.ref for file in message.attachments} for message in (edit, former))
    return replace(edit, attachments=former.attachments) if told and told < had else edit


def _told_apart(files: Sequence[Attachment]) -> tuple[Attachment, ...]:
    """Return the files, the second one of a name called so: `photo (2).jpg`."""
    taken: set[str] = set()
    named = []
    for file in files:
        name, path, place = file.name, PurePosixPath(file.name), 2
        while name in taken:
            name, place = f"{path.stem} ({place}){path.suffix}", place + 1
        taken.add(name)
        named.append(file if name == file.name else replace(file, name=name))
    return tuple(named)
