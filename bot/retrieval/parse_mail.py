"""A mail (RFC 5322) into blocks: who wrote when to whom, the body, the names of what is attached. Runs in the sandbox's child."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from bot.retrieval.decode import clean, decode
from bot.retrieval.document import Block, Document

SHOWN = ("From", "To", "Cc", "Date", "Subject")


def read_mail(data: bytes) -> Document:
    """Return the mail; its subject is the title."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    said = "\n".join(f"{name}: {value}" for name in SHOWN if (value := _header(message, name)))
    blocks = [Block("table", said)] if said else []
    blocks += _body(message)
    if attached := [clean(part.get_filename() or part.get_content_type()) for part in message.iter_attachments()]:
        blocks.append(Block("table", "Attachments: " + ", ".join(attached)))
    return Document("mail", _header(message, "Subject"), tuple(blocks))


def _header(message: EmailMessage, name: str) -> str:
    try:
        return clean(" ".join(str(message.get(name, "")).split()))
    except (ValueError, IndexError, AttributeError, TypeError):  # the standard library's parser trips over some broken headers
        return ""


def _body(message: EmailMessage) -> list[Block]:
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return []
    data = part.get_payload(decode=True)
    data = data if isinstance(data, bytes) else b""
    try:
        text = clean(data.decode(part.get_content_charset() or "ascii"))
    except (LookupError, UnicodeDecodeError):
        text = decode(data)
    if part.get_content_type() == "text/html":
        from bot.retrieval.parse_web import read_html  # noqa: PLC0415 - loaded for what needs it alone

        return list(read_html(text).blocks)
    return [Block("text", text)] if text.strip() else []
