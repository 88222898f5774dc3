"""The names of the files that the reader's forms lie in: `bot.models.export_reader` writes them, `bot.models.runtimes.reader` reads."""

from __future__ import annotations

from typing import Final

GRAPH: Final = "reader.onnx"
EIGHT_BITS: Final = "reader-eight-bits.xml"
