r"""The Markdown subset of replies: parsed in one way for the page and the terminal, and as HTML that cannot do anything.

Owns the subset (no raw HTML, no images, no headings) and which links are let through. Leaves looks to the channels.

    to_html("**so**, [see](https://example.org)")
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.channels.incoming import clean_text

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererProtocol
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

LONGEST_PARSED = 60_000
"""Characters of Markdown that are parsed; a longer text is shown as it is, so that no text can keep the server busy."""
DEEPEST = 12

_SCHEMES = frozenset({"http", "https", "mailto"})
_RULES = ("newline", "escape", "backticks", "emphasis", "link", "autolink", "entity", "fence", "list", "blockquote")


def to_html(text: str) -> str:
    """Return `text` as HTML: paragraphs, **bold**, *italic*, code, fences, safe links, lists and quotes; all else escaped."""
    cleaned = clean_text(text)
    if len(cleaned) > LONGEST_PARSED:
        return f'<p class="plain">{html.escape(cleaned)}</p>'
    rendered: str = parser().render(cleaned)
    return rendered


def safe_link(link: str) -> str:
    r"""Return `link` if a page may lead there: http, https, mailto, or a path on this server; "" for anything else.

    Control characters and backslashes are refused, because browsers drop or turn them: `java\tscript:` and `/\host` would
    become what they were not when they were checked. Source: https://url.spec.whatwg.org/#concept-basic-url-parser
    """
    if not link or any(ord(letter) <= ord(" ") or letter in '\\"<>`\x7f' for letter in link):
        return ""
    if link.startswith("/"):
        return "" if link.startswith("//") else link
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    if parts.scheme not in _SCHEMES:
        return ""
    return link if parts.scheme == "mailto" or parts.netloc else ""


@cache
def parser() -> MarkdownIt:
    """Return the parser of the subset. A link that is not safe stays text."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - 30 ms that only a process with a page or a terminal pays

    made = MarkdownIt("zero", {"html": False, "linkify": False, "typographer": False, "breaks": True, "maxNesting": DEEPEST})
    made.enable(list(_RULES))
    made.validateLink = _leads_somewhere_safe  # type: ignore[method-assign]  # the library's own hook
    made.add_render_rule("link_open", _open_link)
    return made


def _leads_somewhere_safe(url: str) -> bool:
    return bool(safe_link(url))


def _open_link(_renderer: RendererProtocol, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType) -> str:
    href = html.escape(str(tokens[index].attrs.get("href", "")), quote=True)
    elsewhere = "" if href.startswith("/") else ' rel="noopener noreferrer nofollow"'
    return f'<a href="{href}" target="_blank"{elsewhere}>'
