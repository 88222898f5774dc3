"""What the sandbox and its child say to each other: JSON in frames, each a length (4 bytes, big endian) and that many bytes.

write_frame(pipe, {"value": 3})
read_frame(pipe, limit_bytes=1024)
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

from bot.locale import Text, Value

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

_LENGTH = struct.Struct(">I")


class FrameTooLargeError(ValueError):
    """A frame is longer than its reader takes."""


def write_frame(pipe: BinaryIO, frame: bytes) -> None:
    """Write one frame and flush it. Raises OSError where nobody reads any more."""
    pipe.write(_LENGTH.pack(len(frame)) + frame)
    pipe.flush()


def read_frame(pipe: BinaryIO, *, limit_bytes: int) -> Mapping[str, Json]:
    """Return the mapping in the next frame.

    Raises:
        EOFError: the writer has gone.
        FrameTooLargeError: the frame is over the limit; nothing of it was read.
        ValueError: it is no JSON mapping.
    """
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    if length > limit_bytes:
        msg = f"expected a frame of at most {limit_bytes} bytes, received {length}"
        raise FrameTooLargeError(msg)
    value = json.loads(_exactly(pipe, length))
    if not isinstance(value, dict):
        msg = f"expected a JSON mapping, received {type(value).__name__}"
        raise ValueError(msg)  # noqa: TRY004 - a malformed frame, not a caller's wrong type
    return cast("Mapping[str, Json]", value)


def text_to_json(text: Text) -> Json:
    """Return a Text as JSON: msgid, values and the folder of its catalogue."""
    values = [[name, text_to_json(value) if isinstance(value, Text) else value] for name, value in text.values]
    return {"msgid": text.msgid, "values": values, "folder": str(text.folder)}


def text_from_json(value: Json) -> Text:
    """Return the Text that `text_to_json` made JSON of. Raises ValueError where it is not one, or does not fill its braces."""
    try:
        text = _text(value)
        text.to("en")
    except (KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        msg = "expected a sentence as JSON"
        raise ValueError(msg) from error
    return text


def _text(value: Json) -> Text:
    if not isinstance(value, Mapping) or not isinstance(value["msgid"], str) or not isinstance(value["values"], Sequence):
        msg = "no mapping of msgid, values and folder"
        raise TypeError(msg)
    values: list[tuple[str, Value | Text]] = []
    for pair in value["values"]:
        name, filled = cast("tuple[str, Json]", pair)
        values.append((str(name), filled if isinstance(filled, str | int | float) else _text(filled)))
    return Text(value["msgid"], tuple(values), Path(str(value["folder"])))


def _exactly(pipe: BinaryIO, count: int) -> bytes:
    parts: list[bytes] = []
    while count:
        part = pipe.read(count)
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
