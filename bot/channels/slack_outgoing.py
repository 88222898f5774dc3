"""A reply as the messages that Slack is given: blocks, and the plain words beside them for notifications and screen readers.

Owns the look of an answer: rich text, its sources as a numbered list with their passages in quotes, pictures, buttons. Leaves
sending to `slack_sending`. Rich text blocks are sent, not mrkdwn: text that was found somewhere can then call nobody (`<!channel>`), and
bold ends before a Korean particle (`*회의*는` is none in mrkdwn).

    render(Reply("**Hi**", "en"))  # [Part(blocks=({"type": "rich_text", ...},), words="Hi")]

Sources: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block, https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, TypeAlias

from bot.channels.rich_sources import with_sources
from bot.channels.rich_split import shorten, split
from bot.channels.rich_text import Rich, Span, clean, parse
from bot.locale import phrases
from bot.message import DOWN, UP, Button, Picture, Reply

_ = phrases(__file__)

Block: TypeAlias = Mapping[str, object]

MOST_BLOCKS: Final = 50
TEXT_UNITS: Final = 3000
"""Of one message: what one block may hold is what is read at once."""
LABEL_UNITS: Final = 75
"""Source: https://docs.slack.dev/reference/block-kit/block-elements/button-element"""
ALT_UNITS: Final = 2000
MOST_BUTTONS: Final = 25
PRESSED: Final = "paring"
"""The action id under which presses come back, before the button's place."""
_CONTAINERS: Final = {
    "pre": "rich_text_preformatted",
    "quote": "rich_text_quote",
    "expandable": "rich_text_quote",
}
_ESCAPED: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True, slots=True)
class Part:
    """One message: blocks, the same in plain words (escaped as Slack asks), and a picture that is uploaded with it."""

    blocks: tuple[Block, ...]
    words: str
    picture: Picture | None = None


def render(reply: Reply) -> list[Part]:
    """Return the messages that show `reply`, in order; `[]` where there is nothing to show. Buttons stand on the last text."""
    whole = with_sources(parse(reply.text), reply.sources)
    texts = [piece.trimmed() for piece in split(whole, TEXT_UNITS) if not piece.blank]
    parts = [Part((rich_text(piece),), escaped(piece.text)) for piece in texts]
    last = len(parts) - 1
    parts += [Part((), escaped(shorten(clean(one.alt).strip(), ALT_UNITS)), one) for one in reply.images]
    if reply.buttons and parts:
        at = max(last, 0)
        parts[at] = replace(parts[at], blocks=(*parts[at].blocks, *actions(reply.buttons), *thumbs(reply)))
    return parts


def escaped(words: str) -> str:
    """Return `words` for a `text` field: no `<...>` in it calls anybody or becomes a link."""
    return words.translate(_ESCAPED)


def actions(buttons: Sequence[Button]) -> Iterator[Block]:
    """Yield the rows of buttons; each gives its token back as its value."""
    apart = {UP, DOWN} if any(button.command.name == UP for button in buttons) else ()  # both thumbs have a row of their own
    shown = [button for button in buttons if button.token and button.command.name not in apart]
    for start in range(0, len(shown), MOST_BUTTONS):
        row = [
            {
                "type": "button",
                "action_id": f"{PRESSED}:{start + place}",
                "text": {"type": "plain_text", "text": shorten(clean(button.label).strip() or "…", LABEL_UNITS), "emoji": False},
                "value": button.token,
            }
            for place, button in enumerate(shown[start : start + MOST_BUTTONS])
        ]
        yield {"type": "actions", "elements": row}


def thumbs(reply: Reply) -> Iterator[Block]:
    """Yield the row with which one says whether the answer was good, where there are both thumbs.

    Source: https://docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element
    """
    tokens = {button.command.name: button.token for button in reply.buttons if button.command.name in {UP, DOWN}}
    if tokens.get(UP) and tokens.get(DOWN):
        good = {**_plain("👍"), "value": tokens[UP], "accessibility_label": _("A good answer").to(reply.language)}
        bad = {**_plain("👎"), "value": tokens[DOWN], "accessibility_label": _("A bad answer").to(reply.language)}
        row = {"type": "feedback_buttons", "action_id": f"{PRESSED}:thumbs", "positive_button": good, "negative_button": bad}
        yield {"type": "context_actions", "elements": [row]}


def _plain(label: str) -> Block:
    return {"text": {"type": "plain_text", "text": label, "emoji": True}}


def rich_text(rich: Rich) -> Block:
    """Return the text as one rich text block: sections, fences and quotes in their order."""
    elements: list[Block] = []
    for piece, block in rich.stretches():
        kind = block.kind if block else ""
        element = _CONTAINERS.get(kind, "rich_text_section")
        elements.append({"type": element, "elements": list(_inline(_without(piece, kind), plain=kind == "pre"))})
    return {"type": "rich_text", "elements": [one for one in elements if one["elements"]]}


def _without(rich: Rich, kind: str) -> Rich:
    return replace(rich, spans=tuple(span for span in rich.spans if span.kind != kind))


def _inline(rich: Rich, *, plain: bool) -> Iterator[Block]:
    """Yield the runs of one style each."""
    borders = sorted({0, len(rich.text), *(place for span in rich.spans for place in (span.start, span.end))})
    for start, end in pairwise(borders):
        over = [] if plain else [span for span in rich.spans if span.start <= start and span.end >= end]
        yield _run(rich.text[start:end], over)


def _run(text: str, over: Sequence[Span]) -> Block:
    kinds = {span.kind for span in over}
    style = {name: True for name in ("bold", "italic", "code") if name in kinds}
    link = next((span.detail for span in over if span.kind == "link"), "")
    run: dict[str, object] = {"type": "link", "url": link, "text": text} if link else {"type": "text", "text": text}
    return {**run, "style": style} if style else run
