r"""Source code into blocks: each function, class or table under its first line. Runs in the sandbox's child.

No language is parsed: definitions are told by how they begin, in the languages that teams write most.

    read_code("import x\n\ndef fee(total):\n    return 1")   # "import x", then "def fee(total)" as a heading and its lines
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot import lazy
from bot.retrieval.document import Block, Document

LONGEST_SIGNATURE = 120
LONGEST_LINE = 300
"""Characters of a line above which it is no definition that a person wrote."""
_DEFINITION = lazy.compile(
    r"^(?!(?:if|else|elif|for|while|switch|return|catch|do|try|with|new|throw|await|yield|in|and|or|not)\b)"
    r"(?:(?:(?:export|default|public|private|protected|static|async|final|abstract|override)\s+)*"
    r"(?:def|class|function|func|fn|interface|enum|struct|trait|impl|object|module|namespace|type)\s+[\w<>*&:]+"
    r"|(?:create|alter)\s+(?:or\s+replace\s+)?(?:unique\s+)?(?:table|view|index|function|procedure|trigger)\b"
    r"|(?:export\s+)?(?:const|let|var)\s+\w+\s*=\s*(?:async\s*)?(?:\(|function\b|\w+\s*=>)"
    r"|(?:[\w<>\[\],*&]+\s+)+\**\w+\s*\([^;]*\)\s*(?:const\s*)?\{?\s*$"
    r"|\w[\w-]*\s*\(\)\s*\{)",
    re.IGNORECASE,
)
"""The first line of a function, a class, a table: at the beginning of its line."""
_METHOD = lazy.compile(r"^\s+(?:async\s+)?def\s+\w+")
_PREFACE = lazy.compile(r"^\s*(?:@|#|//|/\*|\*|--)")


def read_code(text: str) -> Document:
    """Return source code: what stands before the first definition, then each definition under its first line."""
    lines = text.split("\n")
    starts = [at for at, line in enumerate(lines) if _begins(line)]
    bounds = [*(_with_preface(lines, at) for at in starts), len(lines)]
    blocks = [Block("code", "\n".join(lines[: bounds[0]]).strip("\n"))]
    for at, begin, end in zip(starts, bounds, bounds[1:], strict=False):
        inner = lines[at][:1].isspace()
        blocks.append(Block("heading", lines[at].strip().rstrip("{(:; ")[:LONGEST_SIGNATURE], 2 if inner else 1))
        blocks.append(Block("code", "\n".join(lines[begin:end]).strip("\n")))
    return Document("code", "", tuple(block for block in blocks if block.text.strip()))


def _begins(line: str) -> bool:
    return len(line) <= LONGEST_LINE and bool(_DEFINITION.match(line) or _METHOD.match(line))


def _with_preface(lines: Sequence[str], at: int) -> int:
    """Return where the comments and decorators right above a definition begin."""
    while at and _PREFACE.match(lines[at - 1]):
        at -= 1
    return at
