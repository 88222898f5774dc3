r"""What of an error or of a library's line may stand in a log: the program's own words, never what people wrote.

An error's message often quotes what it failed on: a text, a file's name, an address with a key in it. Who reads a log has no business
with it. So of a message only that is told which stands in the program itself: a constant of the very function that raised or logged
it. The rest is known by its place: each frame with its line of code, no locals.

    trace(error)    # "Traceback …\n  File …, line 12, in parse\n    raise ValueError(text)\nValueError: …"

Owns that choice. Leaves to `bot.logs` the lines, to `bot.logs_secrets` the secrets.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from types import CodeType, FrameType, TracebackType
from typing import Final

from bot.errors import ParingError
from bot.locale import Text

LEFT_OUT: Final = "…"
"""Stands for words that are not the program's own."""
DEEPEST: Final = 8
"""Errors of a chain or a group that are told."""
MOST_FRAMES: Final = 40
OWN: Final = ("bot", "skills", "migrations", "__main__")
ASYNCIO: Final = "asyncio"


def words(error: BaseException) -> str:
    """Return what may be told of `error` in a line, "" for nothing: its sentence without what fills it, the system's reason, a constant."""
    if isinstance(error, ParingError):
        return sentence(error.text, _names(_raised_in(error)))
    if isinstance(error, OSError) and error.errno:
        return f"[Errno {error.errno}] {os.strerror(error.errno)}"
    known = _names(_raised_in(error))
    if isinstance(error, AttributeError | NameError) and error.name in known:
        return f"{error.name!r}"
    said = [one for one in error.args if isinstance(one, str)][:1]
    return said[0] if said and said[0] in known else ""


def sentence(text: Text, known: frozenset[str] = frozenset()) -> str:
    """Return the English of `text`, its numbers filled in and every other value left out; one of no catalogue only if it is `known`."""
    filled: dict[str, str | int | float] = {}
    for name, value in text.values:
        filled[name] = sentence(value, known) if isinstance(value, Text) else LEFT_OUT if isinstance(value, str) else value
    if not text.folder.parts and _unbraced(text.msgid) not in known:
        return LEFT_OUT
    return text.msgid.format(**filled) if filled else text.msgid


def trace(error: BaseException) -> str:
    """Return the traceback of `error` and of what led to it, the newest last, as Python prints it, but in the program's words alone."""
    return "\n".join(_told(error, set()))


def line(record: logging.LogRecord) -> str:
    """Return what may be told of a line of the standard logging: ours whole, of a library's the words that stand in its code."""
    if record.name.partition(".")[0] in OWN:
        record.args = _safe(record.args)
        return record.getMessage()
    message = str(record.msg)
    if record.name == ASYNCIO and not record.args:
        return message.partition("\n")[0]  # below it stand the tasks and what they raised
    if message not in _names(_logged_in(record)):
        return LEFT_OUT
    return _filled(message, record.args)


def plain(value: object) -> object:
    """Return a value for a line: numbers, texts and lists of them as they are, an error in its own words, of all else its kind."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case BaseException():
            return f"{type(value).__name__}: {words(value) or LEFT_OUT}"
        case Text():
            return str(value)
        case os.PathLike():
            return os.fspath(value)
        case dict():
            return {str(key): plain(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(one) for one in value]
    return type(value).__name__


def _told(error: BaseException, seen: set[int]) -> list[str]:
    seen.add(id(error))
    lines: list[str] = []
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen and len(seen) < DEEPEST:
        why = "The above was the direct cause of:" if error.__cause__ else "While that was handled, there was:"
        lines += [*_told(before, seen), "", why, ""]
    lines += ["Traceback (most recent call last):", *_frames(error.__traceback__)]
    lines.append(f"{type(error).__qualname__}: {words(error) or LEFT_OUT}")
    if isinstance(error, BaseExceptionGroup):
        for number, one in enumerate(error.exceptions, start=1):
            if id(one) not in seen and len(seen) < DEEPEST:
                lines += [f"  of which {number}:", *(f"  {told}" for told in _told(one, seen))]
    return lines


def _frames(trace: TracebackType | None) -> list[str]:
    found = traceback.StackSummary.extract(traceback.walk_tb(trace), lookup_lines=True, capture_locals=False)
    frames = traceback.StackSummary.from_list(found[-MOST_FRAMES:])
    return "".join(frames.format()).rstrip("\n").split("\n") if frames else []


def _raised_in(error: BaseException) -> CodeType | None:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_code if trace else None


def _logged_in(record: logging.LogRecord) -> CodeType | None:
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - the handler runs in the stack of the one who logs
    while frame is not None:
        if frame.f_code.co_filename == record.pathname and frame.f_code.co_name == record.funcName:
            return frame.f_code
        frame = frame.f_back
    return None


def _names(code: CodeType | None) -> frozenset[str]:
    """Return the texts that stand in `code`: its constants, and the names that it uses."""
    if code is None:
        return frozenset()
    constants = [one for constant in code.co_consts for one in (constant if isinstance(constant, tuple) else (constant,))]
    return frozenset([*(one for one in constants if isinstance(one, str)), *code.co_names])


def _filled(message: str, arguments: object) -> str:
    if not arguments:
        return message
    given = arguments if isinstance(arguments, tuple) else (arguments,)
    numbers = tuple(one if isinstance(one, int | float) else LEFT_OUT for one in given)
    try:
        return message % numbers
    except (TypeError, ValueError, KeyError):
        return message


def _safe(arguments: object) -> tuple[object, ...]:
    given = arguments if isinstance(arguments, tuple) else () if arguments is None else (arguments,)
    return tuple(words(one) or type(one).__name__ if isinstance(one, BaseException) else one for one in given)


def _unbraced(msgid: str) -> str:
    return msgid.replace("{{", "{").replace("}}", "}")
