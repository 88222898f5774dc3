"""A web page into blocks: its article where there is one, without navigation, else all its text. Runs in the sandbox's child."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from bot import lazy
from bot.retrieval.decode import clean
from bot.retrieval.document import Block, Document
from bot.retrieval.parse_text import read_markdown

if TYPE_CHECKING:
    from lxml.html import HtmlElement

SHORT = 200
"""Characters of an article below which all of the page's text is taken where that is much more."""
MUCH_MORE = 3
_TARGET = r"\([^()]*(?:\([^()]*\)[^()]*)*\)"
_IMAGE = lazy.compile(rf"!\[[^\[\]]*\]{_TARGET}")
_LINK = lazy.compile(rf"\[([^\[\]]*)\]{_TARGET}")
_EMPHASIS = lazy.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_TITLE = lazy.compile(r"<title[^<>]*>", re.IGNORECASE)
_TITLE_END = lazy.compile("</title", re.IGNORECASE)
_SPACE = lazy.compile(r"[ \t]+")
_DECLARATION = lazy.compile(r"^\s*<\?xml[^>]*\?>")
_TAGS_APART = (
    "address article aside blockquote br dd div dl dt figcaption footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre "
    "section table td th tr ul"
)
_HEADING = lazy.compile(r"^#{1,6} ", re.MULTILINE)
_HEADS = ("h1", "h2", "h3", "h4", "h5", "h6")
_APART = frozenset(_TAGS_APART.split())
_UNREAD = frozenset({"script", "style", "noscript", "template", "svg", "head", "nav", "footer", "form", "button"})


def read_html(text: str) -> Document:
    """Return the page's title and its text by headings."""
    import trafilatura  # noqa: PLC0415 - loaded for what needs it alone

    text = _DECLARATION.sub("", text)
    title = _title(text)
    extract = partial(
        trafilatura.extract, output_format="markdown", include_tables=True, include_comments=False, favor_recall=True, with_metadata=False
    )  # fmt: skip
    article = clean(extract(text) or "")
    if not _HEADING.search(article) and (whole := _as_one(text)) is not None:
        again = clean(extract(whole) or "")
        article = again if len(again) > len(article) and _HEADING.search(again) else article
    body = body_text(text)
    if len(article) < SHORT and len(body) > MUCH_MORE * len(article):
        return Document("html", title, (Block("text", body),))
    read = read_markdown(_EMPHASIS.sub(r"\2", _LINK.sub(r"\1", _IMAGE.sub("", article))))
    blocks = tuple(block for block in read.blocks if block.kind != "heading" or block.text != title)
    return Document("html", title or read.title, blocks if any(block.kind != "heading" for block in blocks) else read.blocks)


def _as_one(html: str) -> HtmlElement | None:
    """Return the page as if all of its body were the article, None where it has no headings.

    Where a page does not say which part that is, trafilatura 2.3 gathers its paragraphs and tables and drops the headings between.
    """
    root = _tree(html)
    body = root.find("body") if root is not None else None
    if body is None or next(body.iter(*_HEADS), None) is None:
        return None
    main = body.makeelement("main")
    main.text, body.text = body.text, None
    main.extend(list(body))
    body.append(main)
    return root


def body_text(html: str) -> str:
    """Return all text of a page that a reader sees, a block a line."""
    root = _tree(html)
    if root is None:
        return ""
    lines = "".join(_pieces(root)).split("\n")
    return clean("\n".join(line for line in (_SPACE.sub(" ", line).strip() for line in lines) if line))


def _tree(html: str) -> HtmlElement | None:
    """Return the page's elements, None where there is nothing but comments, or nothing at all."""
    from lxml import etree  # noqa: PLC0415 - loaded for what needs it alone
    from lxml import html as parser  # noqa: PLC0415 - as above

    try:
        deep = parser.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True)  # else nothing is read below 256 elements
        return parser.fromstring(html.encode("utf-8", "replace"), parser=deep)
    except (ValueError, SyntaxError, etree.LxmlError):
        return None


def _title(html: str) -> str:
    begin = _TITLE.search(html)
    end = _TITLE_END.search(html, begin.end()) if begin else None
    if begin is None or end is None:
        return ""
    from html import unescape  # noqa: PLC0415 - loaded for what needs it alone

    return clean(" ".join(unescape(re.sub(r"<[^<>]+>", "", html[begin.end() : end.start()])).split()))[:300]


def _pieces(root: object) -> Iterator[str]:
    """Yield the text of an element and what is in it; an explicit stack, for pages nest as deep as they like."""
    stack: list[tuple[object, bool]] = [(root, False)]
    while stack:
        element, seen = stack.pop()
        tag = getattr(element, "tag", None)
        unread = not isinstance(tag, str) or tag in _UNREAD
        if seen:
            yield "\n" if tag in _APART else ""
        elif not unread:
            yield ("\n" if tag in _APART else "") + (getattr(element, "text", None) or "").replace("\n", " ")
            stack.append((element, True))
            stack.extend((child, False) for child in reversed(list(element)))  # type: ignore[call-overload]
            continue
        if element is not root:
            yield (getattr(element, "tail", None) or "").replace("\n", " ")
