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
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LONGEST_S = 30.0
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
    def __init__(self, process: int, master: int) -> None:
        self.process, self.master = process, master
        self.screen, self.raw = Screen(), ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.code: int | None = None

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def wait_for(self, pattern: str, *, count: int = 1) -> str:
        """Return the screen once `pattern` is on it `count` times; no longer than LONGEST_S."""
        end = time.monotonic() + LONGEST_S
        while len(re.findall(pattern, self.screen.text)) < count:
            assert time.monotonic() < end, f"{pattern!r} is not on the screen:\n{self.screen.text}"
            assert self._read(), f"the program ended without {pattern!r}:\n{self.screen.text}"
        return self.screen.text

    def ended(self) -> int:
        """Return the exit code; the program has to end within LONGEST_S."""
        end = time.monotonic() + LONGEST_S
        while self.code is None:
            assert time.monotonic() < end, f"the program did not end:\n{self.screen.text}"
            self._read()
            process, status = os.waitpid(self.process, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if process else None
        while self._read():
            pass
        return self.code

    def echoes(self) -> bool:
        """Say whether the terminal shows what is typed, as it did before the program began."""
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def _read(self) -> bool:
        ready, _write, _wrong = select.select([self.master], [], [], 0.1)
        if not ready:
            return self.code is None
        try:
            data = os.read(self.master, 65536)
        except OSError:  # Linux says so once nobody has the other side open
            return False
        text = self._decoder.decode(data)
        self.raw += text
        self.screen.write(text)
        return bool(data)


@contextmanager
def program_on_a_terminal(*words: str, columns: int = 90, **settings: str) -> Iterator[Terminal]:
    """Run `paring WORDS` on a terminal of its own; it is killed where it has not ended by itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARING_")}
    process, master = pty.fork()
    if process == 0:  # pragma: no cover - the child
        arguments = [sys.executable, "-m", "bot", *words]
        os.execve(sys.executable, arguments, environment | {"TERM": "xterm", "LANG": "C.UTF-8"} | settings)  # noqa: S606 - our own program
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    terminal = Terminal(process, master)
    try:
        yield terminal
    finally:
        if terminal.code is None:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
        os.close(master)
