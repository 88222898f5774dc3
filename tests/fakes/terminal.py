"""A program on a terminal of its own: typed at, and read as a person sees it.

with program_on_a_terminal("chat", PARING_HOME=home) as terminal:
    terminal.wait_for("›")
    terminal.type("/help\r")
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

from fakes import leaks
from fakes.waiting import LONGEST_S

_SIGN = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b[=>]|[\r\n\b\x07]|[^\x1b]", re.DOTALL)


class Screen:
    """What is seen: enough of a terminal for lines that are written, erased and written anew. No line is wrapped."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = [[]]
        self.row = self.column = 0
        self._rest = ""

    def write(self, text: str) -> None:
        text = self._rest + text
        cut = text.rfind("\x1b")
        whole = cut < 0 or _SIGN.match(text, cut) is not None
        self._rest, text = ("", text) if whole else (text[cut:], text[:cut])
        for sign in _SIGN.finditer(text):
            self._act(sign)

    @property
    def text(self) -> str:
        return "\n".join("".join(line).rstrip() for line in self.lines)

    def _act(self, sign: re.Match[str]) -> None:
        said, count = sign[0], int(sign[1]) if sign[1] and sign[1].isdigit() else 1
        if said == "\r":
            self.column = 0
        elif said == "\n":
            self.row += 1
            self.lines += [[] for _line in range(self.row + 1 - len(self.lines))]
        elif said == "\b":
            self.column = max(0, self.column - 1)
        elif sign[2] == "A":
            self.row = max(0, self.row - count)
        elif sign[2] == "K":
            line = self.lines[self.row]
            line[0 if sign[1] == "2" else self.column :] = []
        elif len(said) == 1 and said != "\x07":
            line = self.lines[self.row]
            line += " " * (self.column + 1 - len(line))
            line[self.column] = said
            self.column += 1


class Terminal:
    def __init__(self, program: subprocess.Popen[bytes], master: int) -> None:
        self.program, self.master = program, master
        self.screen, self.raw = Screen(), ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C. What a terminal does then is the kernel's part: the program gets a SIGINT."""
        self.program.send_signal(signal.SIGINT)

    def wait_for(self, pattern: str, *, count: int = 1) -> str:
        """Return the screen once `pattern` is on it `count` times; no longer than LONGEST_S."""
        end = time.monotonic() + LONGEST_S
        while len(re.findall(pattern, self.screen.text)) < count:
            assert time.monotonic() < end, f"{pattern!r} is not on the screen:\n{self._places()}"
            code = self.program.poll()
            assert self._read() or code is None, f"the program ended with {code} and without {pattern!r}:\n{self.screen.text}"
        return self.screen.text

    def ended(self) -> int:
        """Return the exit code; the program has to end within LONGEST_S."""
        end = time.monotonic() + LONGEST_S
        while (code := self.program.poll()) is None:
            assert time.monotonic() < end, f"the program did not end:\n{self._places()}"
            self._read()
        while self._read():
            pass
        return code

    def _places(self) -> str:
        """Abort the program; return what is on the screen then: where each of its threads was."""
        self.program.send_signal(signal.SIGABRT)
        end = time.monotonic() + LONGEST_S
        while (self._read() or self.program.poll() is None) and time.monotonic() < end:
            pass
        return self.screen.text

    def echoes(self) -> bool:
        """Say whether the terminal shows what is typed, as it did before the program began."""
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def _read(self) -> bool:
        """Take in what was written since; False where nothing was, for a tenth of a second."""
        poll = select.poll()
        poll.register(self.master, select.POLLIN)
        if not poll.poll(100):
            return False
        text = self._decoder.decode(os.read(self.master, 65536))
        self.raw += text
        self.screen.write(text)
        return True


@contextmanager
def program_on_a_terminal(*words: str, columns: int = 90, **settings: str) -> Iterator[Terminal]:
    """Run `paring WORDS` on a terminal of its own; it is killed where it has not ended by itself.

    Both sides stay open here until the end, so that what the program wrote last is read after it. It is not the program's
    controlling terminal: for that a process with threads would have to be forked, and run Python in the fork.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARING_")}
    master, slave = pty.openpty()
    try:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        program = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "bot", *words],
            env=environment | leaks.OTHERS | {"TERM": "xterm", "LANG": "C.UTF-8"} | settings,
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        )  # fmt: skip
        with program:
            terminal = Terminal(program, master)
            try:
                yield terminal
            finally:
                program.kill()
                leaks.heard(terminal.raw, f"what paring {words[0]} shows")
    finally:
        os.close(master)
        os.close(slave)
