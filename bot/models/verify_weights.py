"""What weights and vocabularies are before a library reads them: safetensors, sentencepiece, tiktoken.

Owns: that a header fits its file, and that every byte belongs to a tensor. Leaves ONNX to `bot.models.verify_onnx`, the walk over the
files to `bot.models.verify`.

    check_safetensors(Path("m/model.safetensors"), Path("m"))
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bot import lazy
from bot.locale import phrases
from bot.models.refusal import refused
from bot.models.verify_json import Json, is_too_much

_ = phrases(__file__)

LARGEST_HEADER_BYTES: Final = 16 << 20
"""safetensors itself takes 100 MB; the header of a model of 70 billion parameters has 100 KB."""
LARGEST_PIECES_BYTES: Final = 64 << 20


def check_safetensors(file: Path, _folder: Path) -> None:
    """Check the header against the file's size. Source: safetensors, README, "Format"."""
    size = file.stat().st_size
    with file.open("rb") as handle:
        length = int.from_bytes(handle.read(8), "little")
        if size < 8 or length > min(LARGEST_HEADER_BYTES, size - 8):  # noqa: PLR2004 - the length itself takes 8 bytes
            raise refused(file.name, _("its header does not fit the file: it is cut off, or not safetensors"))
        try:
            data = handle.read(length)
            header = None if is_too_much(data) else json.loads(data, object_pairs_hook=_once)
        except (ValueError, RecursionError) as error:
            raise refused(file.name, _("its header cannot be read")) from error
    if not isinstance(header, dict) or not _fills(header, size - 8 - length):
        raise refused(file.name, _("its header does not fit the file: it is cut off, or not safetensors"))


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Return the object. Raises ValueError where a name is told twice: two readers would take two tensors."""
    said = dict(pairs)
    if len(said) != len(pairs):
        raise ValueError
    return said


def _fills(header: Mapping[str, Json], size: int) -> bool:
    """Say whether the tensors follow each other from the first byte to the last: nothing else hides in the file."""
    spans: list[tuple[int, int]] = []
    for name, tensor in header.items():
        match tensor:
            case {"data_offsets": [int(begin), int(end)]}:
                spans.append((begin, end))
            case _ if name != "__metadata__":
                return False
    at = 0
    for begin, end in sorted(spans):
        if begin != at or end < begin:
            return False
        at = end
    return at == size


def check_pieces(file: Path, _folder: Path) -> None:
    """Refuse a vocabulary that is neither sentencepiece's nor tiktoken's.

    Source: google/sentencepiece, src/sentencepiece_model.proto; openai/tiktoken, load.py: base64 and a rank, one a line.
    """
    if file.stat().st_size > LARGEST_PIECES_BYTES:
        raise refused(file.name, _("it is larger than {size} MiB", size=LARGEST_PIECES_BYTES >> 20))
    data = file.read_bytes()
    if not _is_sentencepiece(data) and not _is_tiktoken(data):
        raise refused(file.name, _("it is not the vocabulary that its name says"))


def _is_sentencepiece(data: bytes) -> bool:
    """Say whether `data` is fields 1 to 5 of a ModelProto, each with its length, to the last byte, and pieces among them."""
    at, pieces = 0, 0
    while at < len(data):
        tag = data[at]
        length, at = _varint(data, at + 1)
        if tag & 7 != 2 or not 1 <= tag >> 3 <= 5 or length < 0 or at + length > len(data):  # noqa: PLR2004 - LEN, and the fields
            return False
        pieces += tag >> 3 == 1
        at += length
    return pieces > 0


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at `at` and where it ends; -1 for none. Source: Protocol Buffers, "Base 128 Varints"."""
    value = 0
    for shift in range(0, 35, 7):
        if at >= len(data):
            break
        value |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:  # noqa: PLR2004 - the last byte has no top bit
            return value, at
    return -1, at


def _is_tiktoken(data: bytes) -> bool:
    lines = data.split(b"\n")
    return len(lines) > 1 and all(_TIKTOKEN.fullmatch(line) for line in lines[:-1]) and not lines[-1].strip()


_TIKTOKEN: Final = lazy.compile(rb"[A-Za-z0-9+/]+=* \d+\r?")
