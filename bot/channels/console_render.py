"""A reply as lines of a terminal, and as JSON for scripts.

Owns how it looks. Leaves to `bot.channels.console` when it is printed, to `bot.channels.markdown` the subset.

    print(render(reply))                        # plain text: for a pipe
    print(render(reply, colour=True, width=100))
    print(json.dumps(as_json(reply)))
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING, TypedDict

from bot.channels.incoming import clean_text
from bot.channels.markdown import LONGEST_PARSED, parser
from bot.message import Receipt, Reply, Source
from bot.passage import MESSAGE

if TYPE_CHECKING:
    from rich.console import Console as Terminal
    from rich.markdown import Markdown

PLAIN_WIDTH = 10_000
"""Characters of a line without colour: a script that reads it wants no line broken."""
_MARK = "bold black on yellow"


class SourceJson(TypedDict):
    """A source; `marked` is the half-open range of `text` that answers, null where none does."""

    title: str
    text: str
    link: str
    score: float
    marked: tuple[int, int] | None


class ButtonJson(TypedDict):
    """A button and the command that it sends."""

    label: str
    command: str


class ReceiptJson(TypedDict):
    """What the answer cost; `stages_ms` in the order in which they ran."""

    skill: str
    model: str
    route_score: float | None
    runner_up: str
    runner_up_score: float | None
    stages_ms: dict[str, float]
    tokens: int
    bytes_sent_out: int


class ReplyJson(TypedDict):
    """A reply for a script."""

    text: str
    language: str
    skill: str
    model: str
    sources: list[SourceJson]
    buttons: list[ButtonJson]
    receipt: ReceiptJson


def as_json(reply: Reply) -> ReplyJson:
    """Return `reply` with keys text, language, skill, model, sources, buttons, receipt: what `json.dumps` takes."""
    receipt = reply.receipt or Receipt("")
    return {
        "text": clean_text(reply.text),
        "language": reply.language,
        "skill": receipt.skill,
        "model": receipt.model,
        "sources": [_source_json(source) for source in reply.sources],
        "buttons": [
            {"label": button.label, "command": f"/{button.command.name} {button.command.args}".strip()}
            for button in reply.buttons
        ],
        "receipt": {
            "skill": receipt.skill,
            "model": receipt.model,
            "route_score": receipt.route_score,
            "runner_up": receipt.runner_up,
            "runner_up_score": receipt.runner_up_score,
            "stages_ms": dict(receipt.stages_ms),
            "tokens": receipt.tokens,
            "bytes_sent_out": receipt.bytes_sent_out,
        },
    }


def render(reply: Reply, *, colour: bool = False, width: int = PLAIN_WIDTH, no_color: bool = False) -> str:
    """Return `reply` as lines without a newline at the end: its text, sources, pictures, buttons, and what it cost.

    Without `colour` there is no escape sequence in it, and the sentence that answers stands in « »; `no_color` keeps bold and
    underline (https://no-color.org).
    """
    from rich.console import Console as Terminal  # noqa: PLC0415 - 40 ms that only a terminal pays

    page = io.StringIO()
    out = Terminal(
        file=page, force_terminal=colour, width=width, no_color=no_color, highlight=False, emoji=False, legacy_windows=False
    )
    text = _narrowed(harmless(reply.text))
    if len(text) > LONGEST_PARSED:
        page.write(f"{text}\n")
    elif text:
        out.print(_markdown(text))
    for number, source in enumerate(reply.sources, 1):
        _source(out, number, source, plain=not colour)
    for picture in reply.images:
        out.print(f"[{harmless(picture.alt)}]", style="dim", markup=False)
    if reply.buttons:
        out.print()
        labels = (f"#{number} {harmless(button.label)}" for number, button in enumerate(reply.buttons, 1))
        out.print("   ".join(labels), style="bold", markup=False)
    if reply.receipt and reply.receipt.skill not in {"", "none"}:
        out.print(" · ".join(_costs(reply.receipt)), style="dim", markup=False)
    lines = "\n".join(line.rstrip() for line in page.getvalue().strip("\n").split("\n"))
    return _narrowed(lines).rstrip()


def harmless(text: str) -> str:
    """Return `text` without what a terminal would act on: control characters but newline and tab, and turned writing direction."""
    return "".join(letter for letter in clean_text(text) if letter in "\n\t" or not _acts(letter))


def _narrowed(text: str) -> str:
    """Return `text` with no more than one empty line in a row: of 60,000 each would be laid out."""
    return re.sub(r"\n{3,}", "\n\n", text)


def _acts(letter: str) -> bool:
    return unicodedata.category(letter) == "Cc" or "\u202a" <= letter <= "\u202e" or "\u2066" <= letter <= "\u2069"


def _markdown(text: str) -> Markdown:
    """Return the subset as rich shows it: a newline stays a newline, and a link shows where it leads."""
    from rich.markdown import Markdown  # noqa: PLC0415 - as above

    shown = Markdown("", hyperlinks=False, code_theme="ansi_dark")
    shown.parsed = parser().parse(text)
    for token in shown.parsed:
        for child in token.children or ():
            if child.type == "softbreak":
                child.type = "hardbreak"
    return shown


def _source(out: Terminal, number: int, source: Source, *, plain: bool) -> None:
    from rich.padding import Padding  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415

    out.print()
    head = Text(f"{number}  ", style="bold green").append(harmless(source.title), style="bold")
    out.print(head.append(f"  {source.score:.0%}", style="dim"))
    passage = Text()
    start, end = source.marked if source.marked and source.marked[1] <= len(source.text) else (0, 0)
    passage.append(harmless(source.text[:start]))
    if start < end:
        answer = harmless(source.text[start:end])
        passage.append(f"«{answer}»" if plain else answer, style=_MARK)
    passage.append(harmless(source.text[end:]))
    out.print(Padding(passage, (0, 0, 0, 3)))
    if source.link and not source.link.startswith(MESSAGE):  # what was said in a chat has no address in a terminal
        out.print(Padding(Text(harmless(source.link), style="dim underline"), (0, 0, 0, 3)))


def _costs(receipt: Receipt) -> Iterator[str]:
    yield harmless(receipt.skill)
    if receipt.model:
        yield harmless(receipt.model)
    if receipt.stages_ms:
        yield f"{sum(spent for _stage, spent in receipt.stages_ms):.1f} ms"


def _source_json(source: Source) -> SourceJson:
    return {
        "title": clean_text(source.title),
        "text": clean_text(source.text),
        "link": source.link,
        "score": source.score,
        "marked": source.marked,
    }
