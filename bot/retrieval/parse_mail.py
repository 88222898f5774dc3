"""A mail (RFC 5322) into blocks: who wrote when to whom, the body, what is quoted, what is attached. Runs in the sandbox's child.

What is quoted stands after what the writer says, below the line that says whose it is. What is attached is named here and read in its turn.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage, MIMEPart

from bot import lazy
from bot.retrieval.decode import clean, decode
from bot.retrieval.document import Block, Document
from bot.retrieval.held import attached, is_words
from bot.retrieval.parsers import broken

SHOWN = ("From", "To", "Cc", "Date")
LONGEST_HEADING = 200
BROKEN = (ValueError, IndexError, AttributeError, TypeError, KeyError, OverflowError, RecursionError)
"""What the standard library's parser raises over some broken headers, and over parts within parts without end."""
_QUOTED = lazy.compile(r"^\s*>+ ?")
_ATTRIBUTION = lazy.compile(
    r"^(?:On .{6,200} wrote:|Am .{6,200} schrieb .*:|.{4,200}(?:님이|님께서) 작성:?|\d{4}년 .{4,200} 작성:?"
    r"|-{2,}\s*(?:Original Message|Forwarded message|원본 메[시세]지|전달된 메[시세]지)\s*-{2,}|_{10,})\s*$",
    re.IGNORECASE,
)


def read_mail(data: bytes, name: str) -> Document:
    """Return the mail under its subject, which is its title, and what is attached as files that are yet to be read.

    Raises:
        UnreadableError: it is damaged.
    """
    try:
        return _mail(data)
    except BROKEN as error:
        raise broken(name) from error


def _mail(data: bytes) -> Document:
    message = email.message_from_bytes(data, policy=email.policy.default)
    subject = _header(message, "Subject")
    parts = attached(message)
    lines = [f"{name}: {value}" for name in SHOWN if (value := _header(message, name))]
    named = [_name(part) for part in parts if part.get_filename() or part.get_content_maintype() != "image"]
    lines += [f"Attachments: {', '.join(named)}"] if named else []
    blocks = [Block("heading", subject[:LONGEST_HEADING], 1)] if subject else []
    blocks += [Block("text", "\n".join(lines))] if lines else []
    blocks += _body(message)
    blocks += [Block("file", _name(part)[:LONGEST_HEADING], 2, place=at) for at, part in enumerate(parts)]
    return Document("mail", subject, tuple(blocks))


def attached_bytes(data: bytes, place: int) -> bytes:
    """Return what is attached to the mail at `place`."""
    part = attached(email.message_from_bytes(data, policy=email.policy.default))[place]
    if part.get_content_type() != "message/rfc822":
        return _bytes(part)
    inner = part.get_payload(0)
    return inner.as_bytes() if isinstance(inner, EmailMessage) else b""


def _header(message: EmailMessage, name: str) -> str:
    try:
        return clean(" ".join(str(message.get(name, "")).split()))
    except BROKEN:  # one header costs itself alone
        return ""


def _body(message: EmailMessage) -> list[Block]:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return []
    if not _text(part).strip():  # an empty text beside a page
        part = message.get_body(preferencelist=("html",)) or part
    beside = (
        message.iter_parts() if message.get_content_type() == "multipart/mixed" else ()
    )  # what was written below an attachment
    words = [one for one in beside if one is not part and one.get_content_maintype() == "text" and is_words(one)]
    return [block for one in (part, *words) for block in _said(one)]


def _said(part: MIMEPart) -> list[Block]:
    text = _text(part)
    if part.get_content_type() == "text/html":
        from bot.retrieval.parse_web import read_html  # noqa: PLC0415 - loaded for what needs it alone

        return [replace(block, level=block.level + 1) for block in read_html(text).blocks]
    return list(_parts(text))


def _text(part: MIMEPart) -> str:
    data = _bytes(part)
    try:
        return clean(data.decode(part.get_content_charset() or "ascii"))
    except (LookupError, ValueError):  # no such encoding, or none by its name, or not in it
        return decode(data)


def _bytes(part: MIMEPart) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _parts(text: str) -> Iterator[Block]:
    """Yield what the writer says, then what is quoted, each under the line that says whose it is."""
    own: list[str] = []
    quoted: list[tuple[str, list[str]]] = []
    for line in text.split("\n"):
        if _ATTRIBUTION.match(line.strip()):
            quoted.append((" ".join(line.split()).strip("-_ :"), []))
        elif _QUOTED.match(line):
            if not quoted:
                quoted.append((">", []))
            quoted[-1][1].append(_QUOTED.sub("", line))
        elif quoted and (quoted[-1][0] != ">" and _is_forwarded(quoted[-1], line)):
            quoted[-1][1].append(line)
        else:
            own.append(line)
    if said := "\n".join(own).strip("\n"):
        yield Block("text", said)
    for whose, lines in quoted:
        if words := "\n".join(lines).strip("\n"):
            yield Block("text", words if whose == ">" else f"{whose}:\n{words}")


def _is_forwarded(quoted: tuple[str, list[str]], line: str) -> bool:
    """Say whether `line` goes on with a quotation that has no marks: what a program put below "Original Message"."""
    return (
        not any(_QUOTED.match(said) for said in quoted[1])
        and not quoted[0].endswith(("wrote", "작성"))
        and (bool(quoted[1]) or bool(line.strip()))
    )


def _name(part: MIMEPart) -> str:
    """Return what a part is called; an attached mail by its subject."""
    name = clean(part.get_filename() or "").replace("\n", " ").strip()
    if not name and part.get_content_type() == "message/rfc822":
        inner = part.get_payload(0)
        return (_header(inner, "Subject") if isinstance(inner, EmailMessage) else "") or "message"
    return name or part.get_content_type()
