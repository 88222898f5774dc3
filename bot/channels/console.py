"""The terminal: a chat in it (`paring chat`), and one message and its reply for scripts (`paring say`).

Owns: a line typed -> Message or Press, and a Reply -> lines. Leaves to `bot.cli` the commands and to the worker the answer.
What a reply or a found passage contains can do nothing to the terminal: control characters are left out.

    message = await message_from("/sum 50", files=[], chat="terminal", user="me", intake=intake)
    print(render(reply))
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sys
import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bot.channels.channel import ChannelError, Intake, Limits
from bot.channels.console_input import read_line, terminal_kept
from bot.channels.console_render import PLAIN_WIDTH, harmless, render
from bot.channels.incoming import clean_name, clean_text, kind_of, media_type_of, parse_command
from bot.config import MEBIBYTE, LimitSettings
from bot.errors import GoneError, InputError, ParingError, TooLargeError, UnreadableError, refusal
from bot.locale import Language, Text, phrases
from bot.message import Address, Attachment, Button, Message, Press, Reply
from bot.passage import Scope
from bot.skill import Blobs, CommandSpec

if TYPE_CHECKING:
    from rich.console import Console as Terminal
    from rich.status import Status

_ = phrases(__file__)

NAME = "console"
ACCOUNT = "local"
CHAT = "terminal"
ME = "me"
PROMPT = "› "
FILE_BYTES = 50 * MEBIBYTE

Read = Callable[[str], str]
"""Shows a prompt and returns the next line; raises EOFError after the last."""


class Console:
    """A chat in the terminal, one line a message.

    `/file PATH` takes a file along with the next line, `#1` presses the first button of the last reply, `/` lists the
    commands, `/quit` ends. `run` returns at the end of the input, once everything asked has been answered, so that
    `echo question | paring chat` works. What is printed cannot be changed: an edit is printed anew. A key is printed once in
    a process; after a crash a reply may be printed again, which does no harm.
    """

    name = NAME
    account = ACCOUNT
    groups = False

    def __init__(
        self,
        *,
        blobs: Blobs,
        chat: str = CHAT,
        user: str = ME,
        language: Language = "en",
        sizes: LimitSettings | None = None,
        read: Read | None = None,
        terminal: Terminal | None = None,
    ) -> None:
        """Read lines by `read` (the process's stdin) and print on `terminal` (its stdout); own sentences are in `language`."""
        limits = sizes or LimitSettings()
        self.limits = Limits(
            limits.text_bytes, limits.file_mb * MEBIBYTE, limits.file_mb * MEBIBYTE, edits=False, repeatable_sends=True
        )  # fmt: skip
        self._blobs = blobs
        self._chat = chat
        self._user = user
        self._language: Language = language
        self._read = read or read_line
        self._given_terminal = terminal
        self._printed: set[str] = set()
        self._buttons: tuple[Button, ...] = ()
        self._files: list[Path] = []
        self._commands: Sequence[CommandSpec] = ()
        self._unanswered = 0
        self._answered = asyncio.Event()
        self._status: Status | None = None
        self._closed = False

    @property
    def only_chat(self) -> str:
        """The one chat that is shown here: what waits in others is left to the terminals that show them."""
        return self._chat

    async def run(self, intake: Intake) -> None:
        """Take lines in until the input ends or `/quit`; see the class."""
        with terminal_kept():
            if self._out.is_terminal:
                self._say(_("Ask anything. / lists the commands, /file PATH takes a file along, /quit or Ctrl-D ends."))
            while not self._closed and (line := await self._next_line()) is not None:
                if line.strip().lower() in {"/quit", "/exit"}:
                    break
                await self._do(line, intake)

    async def _do(self, line: str, intake: Intake) -> None:
        """Do what a line says and wait for what it is answered; nothing more can be said where nobody listens."""
        try:
            await self._take(line, intake)
        except ParingError as error:
            self._say(error.text)
        except BrokenPipeError:
            self._close()
        await self._wait_for_answers()

    async def send(self, reply: Reply, to: Address, *, key: str) -> str:
        """Print `reply`, the first time its `key` comes. Raises GoneError where what prints it was closed."""
        if key not in self._printed:
            self._print(reply, to)
            self._printed.add(key)
        return key

    async def edit(self, sent: str, reply: Reply, to: Address) -> str:
        """Print `reply`: what stands on a terminal cannot be changed."""
        self._print(reply, to)
        return sent

    async def typing(self, to: Address) -> None:
        """Do nothing: a mark is shown while an answer is awaited."""

    def state(self, said: str, to: Address) -> None:
        """Show beside the mark what is being done."""
        from rich.text import Text as Plain  # noqa: PLC0415 - as everything of rich here

        if self._status is not None and to.chat == self._chat:
            self._status.update(Plain(harmless(said.replace("**", ""))))

    async def member(self, person: str, scope: Scope) -> bool:
        """Say no: every chat here has one reader."""
        del person, scope
        return False

    async def workspace(self, chat: str) -> None:
        """Name none: there are no groups here."""

    async def fetch(self, attachment: Attachment, into: Path) -> None:
        """Copy a file that came with a message from the blob store into `into`."""
        try:
            await asyncio.to_thread(shutil.copyfile, self._blobs.path(attachment.blob), into)
        except (OSError, ValueError) as error:
            raise ChannelError(_("{name} is no longer here. Please attach it again.", name=attachment.name)) from error

    async def publish_commands(self, commands: Sequence[CommandSpec], admin_commands: Sequence[CommandSpec]) -> None:
        """Remember what `/` lists."""
        self._commands = [command for command in (*commands, *admin_commands) if command.listed]

    # ------------------------------------------------------------------ a line

    async def _take(self, line: str, intake: Intake) -> None:
        """Do what a line says: attach, press, list, or send."""
        text = clean_text(line).strip()
        command = parse_command(text)
        if text == "/":
            self._list_commands()
        elif command and command.name == "file":
            self._attach(command.args)
        elif text.startswith("#") and text[1:].isdecimal():
            await self._press(int(text[1:]), intake)
        elif text or self._files:
            files, self._files = self._files, []  # also where one of them is refused: the next line goes without it
            message = await message_from(
                text, files=files, chat=self._chat, user=self._user, intake=intake,
                platform_language=self._language, file_bytes=self.limits.download_bytes,
            )  # fmt: skip
            await self._hand_in(message, intake)

    async def _press(self, number: int, intake: Intake) -> None:
        if not 1 <= number <= len(self._buttons):
            raise InputError(_("There is no button #{number} under the last answer.", number=number))
        token = self._buttons[number - 1].token
        address = Address(NAME, ACCOUNT, self._chat)
        await self._hand_in(Press(address, self._user, uuid.uuid4().hex, token, self._language, datetime.now(UTC)), intake)

    async def _hand_in(self, item: Message | Press, intake: Intake) -> None:
        """Commit `item`. It counts as unanswered from before: the answer may come before `accept` returns."""
        self._unanswered += 1
        fresh = False
        try:
            taken = await intake.accept(item)
            fresh = taken.fresh
        finally:
            if not fresh:
                self._settle_one()
        if taken.note:
            self._out.print(harmless(taken.note), markup=False, highlight=False)

    def _attach(self, paths: str) -> None:
        try:
            named = [Path(path).expanduser() for path in shlex.split(paths)]
        except ValueError:
            named = [Path(paths).expanduser()]
        for path in named:
            if not path.is_file():
                raise InputError(_("{path} is not a file. Write /file and the path of one.", path=str(path)))
        self._files += named
        names = ", ".join(path.name for path in self._files) or "–"
        self._say(_("Goes with your next line: {names}. An empty line sends it alone.", names=names))

    def _list_commands(self) -> None:
        from rich.table import Table  # noqa: PLC0415 - only who asks for the list pays

        listed = Table.grid(padding=(0, 2))
        for command in self._commands:
            listed.add_row(f"/{command.name}", command.summary.to(self._language))
        self._out.print(listed, markup=False, highlight=False)

    # ------------------------------------------------------------------ the terminal

    async def _next_line(self) -> str | None:
        """Return the next line, None after the last. It is read on a thread that does not keep the process alive."""
        loop = asyncio.get_running_loop()
        line: asyncio.Future[str | None] = loop.create_future()

        def settle(read: str | None) -> None:
            if not line.done():
                line.set_result(read)

        def wait() -> None:
            try:
                read: str | None = self._read(PROMPT)
            except (EOFError, OSError, ValueError):  # ended, or closed
                read = None
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, read)

        threading.Thread(target=wait, name="console input", daemon=True).start()
        return await line

    async def _wait_for_answers(self) -> None:
        if not self._unanswered or self._closed:
            return
        self._answered.clear()
        if not self._out.is_terminal:
            await self._answered.wait()
            return
        self._status = self._out.status(_("Working on it").to(self._language), spinner="dots")
        try:
            self._status.start()
            await self._answered.wait()
        finally:
            self._status.stop()
            self._status = None

    def _print(self, reply: Reply, to: Address) -> None:
        if to.chat != self._chat:
            return
        self._language = reply.language
        self._buttons = reply.buttons
        out = self._out
        width = out.width if out.is_terminal else PLAIN_WIDTH
        printed = render(reply, colour=out.is_terminal, width=width, no_color=out.no_color)
        if self._status is not None:
            self._status.stop()  # else its line would stay above the answer
        try:
            out.file.write(f"\n{printed}\n")
            out.file.flush()
        except BrokenPipeError as error:
            self._close()
            raise GoneError(_("Nobody reads what is printed here any more.")) from error
        self._settle_one()

    def _close(self) -> None:
        """Stop: what prints was closed (`paring chat | head`), and Python must not complain of it at its end."""
        self._closed = True
        self._answered.set()
        if self._out.file is sys.stdout:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _settle_one(self) -> None:
        self._unanswered = max(0, self._unanswered - 1)
        if not self._unanswered:
            self._answered.set()

    def _say(self, text: Text) -> None:
        self._out.print(harmless(text.to(self._language)), markup=False, highlight=False)

    @property
    def _out(self) -> Terminal:
        if self._given_terminal is None:
            from rich.console import Console as Terminal  # noqa: PLC0415 - 40 ms that only a terminal pays

            self._given_terminal = Terminal(highlight=False)
        return self._given_terminal


async def message_from(
    text: str,
    *,
    files: Sequence[Path],
    chat: str,
    user: str,
    intake: Intake,
    platform_language: str = "",
    file_bytes: int = FILE_BYTES,
) -> Message:
    """Return the message that a typed `text` with `files` is; `/name args` is a command.

    Raises:
        UnreadableError: a file is not there or cannot be read.
        TooLargeError: a file is over `file_bytes`.
    """
    said = clean_text(text).strip()
    address = Address(NAME, ACCOUNT, chat)
    kept = tuple([await asyncio.to_thread(_keep, file, intake, file_bytes) for file in files])
    language = await intake.language(address, said, platform_language)
    return Message(
        address, user, uuid.uuid4().hex, said, language, datetime.now(UTC), attachments=kept, command=parse_command(said)
    )  # fmt: skip


def _keep(file: Path, intake: Intake, most: int) -> Attachment:
    try:
        size_bytes = file.stat().st_size
        if size_bytes > most:
            raise TooLargeError(_("{name} is larger than {limit} MB. Nothing was sent.", name=file.name, limit=most // MEBIBYTE))
        data = file.read_bytes()
    except OSError as error:
        why = refusal(error)
        raise UnreadableError(_("{name} cannot be read: {why}. Nothing was sent.", name=file.name, why=why)) from error
    media_type = media_type_of(file.name)
    name = clean_name(file.name)
    return Attachment(kind_of(media_type, name=name), name, media_type, len(data), blob=intake.keep(data))
