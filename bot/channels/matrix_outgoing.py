"""A reply as the contents of Matrix events: plain words, the same as HTML, pictures, and its buttons as a list that is answered by reactions.

Owns the look of an answer. Leaves sending to `matrix_sending`. HTML is made of the parsed text alone, each piece escaped: nobody's
`<img>` passes through.

    render(Reply("**Hi**", "en"))   # [Part({"msgtype": "m.text", "body": "Hi", "format": …, "formatted_body": "<strong>Hi</strong>"})]

Sources: https://spec.matrix.org/v1.11/client-server-api/#mroommessage-msgtypes,
https://spec.matrix.org/v1.11/client-server-api/#size-limits (64 KiB)
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from bot.channels.matrix_incoming import MARK, THUMBS
from bot.channels.matrix_rooms import Json
from bot.channels.rich_sources import with_sources
from bot.channels.rich_split import shorten, split
from bot.channels.rich_text import BLOCKS, BULLET, Rich, Span, clean, joined, parse
from bot.message import DOWN, UP, Button, Picture, Reply

TEXT_UNITS: Final = 4000
"""Of one event: what is read at once, and far within the 64 KiB of an event in every script, encrypted too."""
MOST_BYTES: Final = 36 * 1024
"""Of a content with its HTML; what is longer goes as plain words."""
LABEL_UNITS: Final = 80
ALT_UNITS: Final = 1000
HTML: Final = "org.matrix.custom.html"
_TAGS: Final = {"bold": "strong", "italic": "em", "code": "code"}
_THUMBS: Final = dict(zip((UP, DOWN), THUMBS, strict=True))


@dataclass(frozen=True, slots=True)
class Key:
    """A button as it is pressed: by a reaction with `emoji`, or by writing `!` and its place; `token` is what it stands for."""

    name: str
    emoji: str
    token: str


@dataclass(frozen=True, slots=True)
class Part:
    """One event: its content, of a picture without its address; the keys of the buttons that it shows."""

    content: Json
    picture: Picture | None = None
    keys: tuple[Key, ...] = ()


def render(reply: Reply) -> list[Part]:
    """Return the events that show `reply`, in order; `[]` where there is nothing to show. Buttons stand below the last text."""
    whole = with_sources(parse(reply.text), reply.sources)
    texts = [piece.trimmed() for piece in split(whole, TEXT_UNITS) if not piece.blank]
    keys = keys_of(reply.buttons)
    last = len(texts) - 1
    parts = [_text(piece, keys if place == last else (), reply.buttons) for place, piece in enumerate(texts)]
    return parts + [_picture(one) for one in reply.images]


def keys_of(buttons: Sequence[Button]) -> tuple[Key, ...]:
    """Return how each button is pressed: a thumb by the reaction that everybody knows, the others by their place among them."""
    keys: list[Key] = []
    number = 0
    for button in buttons:
        if not button.token:
            continue
        thumb = _THUMBS.get(button.command.name, "")
        number += not thumb
        keys.append(Key(thumb or str(number), thumb or emoji(number), button.token))
    return tuple(keys)


def emoji(number: int) -> str:
    """Return a number as the one emoji that clients offer for it, "" above 10."""
    return f"{number}\ufe0f\u20e3" if 0 < number < 10 else "🔟" if number == 10 else ""  # noqa: PLR2004 - there are ten


def tokens_of(content: Json) -> dict[str, str]:
    """Return the tokens of the buttons that the bot's own event shows, by the names of their keys."""
    marked = content.get(MARK)
    kept = marked.get("buttons") if isinstance(marked, dict) else None
    return {name: token for name, token in kept.items() if isinstance(token, str)} if isinstance(kept, dict) else {}


def plain(text: str, kind: str = "m.notice") -> dict[str, object]:
    """Return the content of a few words that the bot says on its own."""
    return {"msgtype": kind, "body": text, "m.mentions": {}, MARK: {}}


def as_html(rich: Rich) -> str:
    """Return the text as HTML of Matrix's own subset."""
    pieces: list[str] = []
    for piece, block in rich.stretches():
        match block.kind if block else "":
            case "pre":
                language = html.escape(block.detail) if block else ""
                named = f' class="language-{language}"' if language else ""
                pieces.append(f"<pre><code{named}>{html.escape(piece.text)}\n</code></pre>")
            case "quote" | "expandable":
                pieces.append(f"<blockquote>{_inline(replace(piece, spans=_within(piece)))}</blockquote>")
            case _:
                pieces.append(_paragraphs(piece))
    return "".join(pieces)


def _text(rich: Rich, keys: Sequence[Key], buttons: Sequence[Button]) -> Part:
    shown = _with_keys(rich, keys, buttons)
    content: dict[str, object] = {"msgtype": "m.text", "body": shown.text, "m.mentions": {}, MARK: {}}
    if keys:
        content[MARK] = {"buttons": {key.name: key.token for key in keys}}
    if shown.spans or BULLET in shown.text:
        formatted = {**content, "format": HTML, "formatted_body": as_html(shown)}
        if len(json.dumps(formatted, ensure_ascii=False).encode("utf-8", "replace")) <= MOST_BYTES:
            content = formatted
    return Part(content, keys=tuple(keys))


def _picture(picture: Picture) -> Part:
    words = shorten(" ".join(clean(picture.alt).split()), ALT_UNITS)
    name = f"picture.{picture.media_type.rpartition('/')[2] or 'png'}"
    content = {
        "msgtype": "m.image", "body": words or name, "filename": name, "info": {"mimetype": picture.media_type},
        "m.mentions": {}, MARK: {},
    }  # fmt: skip
    return Part(content, picture)


def _with_keys(rich: Rich, keys: Sequence[Key], buttons: Sequence[Button]) -> Rich:
    labels = {button.token: " ".join(clean(button.label).split()) or "…" for button in buttons}
    lines = [f"{key.emoji or f'!{key.name}'} {shorten(labels[key.token], LABEL_UNITS)}" for key in keys if key.name not in THUMBS]
    return joined([rich, Rich("\n\n" + "\n".join(lines))]) if lines else rich


def _paragraphs(rich: Rich) -> str:
    """Return lines, and runs of lines that begin with a bullet as a list."""
    made: list[str] = []
    items: list[str] = []
    at = 0
    for line in rich.text.split("\n"):
        piece = rich.cut(at, at + len(line))
        at += len(line) + 1
        if line.startswith(BULLET):
            items.append(f"<li>{_inline(piece.cut(len(BULLET), len(line)))}</li>")
            continue
        made += _listed(items)
        items.clear()
        if made and not made[-1].endswith("</ul>"):
            made.append("<br>")
        made.append(_inline(piece))
    return "".join([*made, *_listed(items)])


def _listed(items: Sequence[str]) -> Iterable[str]:
    return [f"<ul>{''.join(items)}</ul>"] if items else []


def _within(rich: Rich) -> tuple[Span, ...]:
    return tuple(span for span in rich.spans if span.kind not in BLOCKS)


def _inline(rich: Rich) -> str:
    borders = sorted({0, len(rich.text), *(place for span in rich.spans for place in (span.start, span.end))})
    return "".join(
        _run(rich.text[start:end], [s for s in rich.spans if s.start <= start and s.end >= end])
        for start, end in pairwise(borders)
    )


def _run(text: str, over: Sequence[Span]) -> str:
    made = html.escape(text, quote=False).replace("\n", "<br>")
    kinds = {span.kind for span in over}
    for kind, tag in _TAGS.items():
        if kind in kinds:
            made = f"<{tag}>{made}</{tag}>"
    link = next((span.detail for span in over if span.kind == "link"), "")
    return f'<a href="{html.escape(link)}">{made}</a>' if link else made
