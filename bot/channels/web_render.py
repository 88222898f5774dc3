"""Entries and the page around them as HTML: templates that escape everything, and the pieces that need computing.

Owns what an entry says in HTML. Leaves to `assets/` the markup and the looks, to `bot.channels.markdown` the text.

    shown = Renderer().entry(entry)
    shown.html        # <article class="entry bot" data-id="17" ...>
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bot import lazy
from bot.channels.incoming import clean_text
from bot.channels.markdown import to_html
from bot.channels.web_admin_view import SECTIONS, card_view, moment
from bot.channels.web_admin_words import words as admin_words
from bot.channels.web_documents import source_link
from bot.channels.web_transcript import Entry
from bot.channels.web_words import words
from bot.locale import Language
from bot.message import Attachment, Message, Receipt, Reply, Source
from bot.models.trial import Swap
from bot.store.documents import Opened

ASSETS = Path(__file__).parent / "assets"
FILES_SHOWN = 4
"""Files of a message that are listed; of more, one less and how many are left."""
QUOTE_CHARACTERS = 160
LONGEST_SHOWN = 6000
"""Characters of a person's own text that stand in the conversation; of a longer one CLIPPED do, and a link to the whole."""
CLIPPED = 1500
BLOB = lazy.compile(r"[0-9a-f]{64}")
_VERSION_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry as HTML; `digest` changes when it looks different."""

    id: str
    html: str
    digest: str
    place: str


class Renderer:
    """The templates, loaded once."""

    def __init__(self, assets: Path = ASSETS) -> None:
        """Load the templates of the folder `assets`."""
        self._templates = Environment(
            loader=FileSystemLoader(assets), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._templates.filters.update(markdown=_markdown, opens=source_link, marked=_marked, snippet=_snippet, blob=blob_link)
        self._templates.filters.update(filled=_filled, moment=moment)
        self.version = _version(assets)
        """Digits that change with any asset: a browser may keep what it has under it for ever."""

    def entry(self, entry: Entry, *, whole: bool = False) -> Shown:
        """Return `entry` as HTML; a long text of a person's is cut short unless it is wanted `whole`."""
        said = entry.said
        named = words(said.language)
        if isinstance(said, Reply):
            inner = self._render("reply.html", reply=said, words=named, receipt=_receipt(said.receipt, named))
        else:
            clipped = said.text[:CLIPPED] if len(said.text) > LONGEST_SHOWN and not whole else ""
            inner = self._render(
                "message.html", message=said, words=named, quoted=_quoted(said.reply_to), clipped=clipped, **_files(said)
            )  # fmt: skip
        digest = hashlib.sha256(inner.encode()).hexdigest()[:_VERSION_DIGITS]
        side = "bot" if isinstance(said, Reply) or said.by_bot else "own"
        frame = self._render("entry.html", entry=entry, side=side, inner=Markup(inner), digest=digest, words=named)  # noqa: S704
        return Shown(entry.id, frame, digest, entry.place)

    def page(self, entries: list[Entry], language: Language, *, facts: dict[str, object], signed_in: bool) -> str:
        """Return the chat page's body: the conversation so far, the composer, and `facts` for the script."""
        log = Markup("").join(Markup(self.entry(entry).html) for entry in entries)  # noqa: S704 - came out of the templates
        examples = [words(language)[f"example_{number}"] for number in range(1, 5)]
        return self._render(
            "page.html", log=log, words=words(language), language=language, facts=facts, version=self.version,
            examples=examples, signed_in=signed_in,
        )  # fmt: skip

    def head(self, nonce: str) -> str:
        """Return what goes into the page's head."""
        return self._render("head.html", version=self.version, nonce=nonce)

    def document(
        self, opened: Opened, language: Language, *, original: str, marked: tuple[int, int] | None, lost: bool, window: int
    ) -> str:
        """Return the page of a document, with links to the `window` of passages before and after."""
        folder, _slash, name = opened.title.rpartition("/")
        after = opened.first + len(opened.parts)
        return self._render(
            "document.html", name=name or opened.title, folder=folder, kind=opened.kind, size=_size(opened.size_bytes),
            at=opened.updated_at, original=original, lost=lost, parts=list(_parts(opened, marked)), code=opened.kind == "code",
            earlier=max(0, opened.first - window) if opened.first else None, later=after if after < opened.total else None,
            language=language, words=words(language), version=self.version,
        )  # fmt: skip

    def message_page(self, entry: Entry, language: Language) -> str:
        """Return the page of one entry, whole."""
        shown = Markup(self.entry(entry, whole=True).html)  # noqa: S704 - came out of the templates
        return self._render("message_page.html", entry=shown, language=language, words=words(language), version=self.version)

    def note(self, text: str, language: Language) -> str:
        """Return a page that says `text`."""
        return self._render("note.html", text=text, language=language, words=words(language), version=self.version)

    def sign_in(self, language: Language, *, trouble: str = "") -> str:
        """Return the whole page that asks for the password, with `trouble` told."""
        return self._render("sign_in.html", language=language, trouble=trouble, version=self.version, labels=_sign_in(language))

    def admin(self, sections: Mapping[str, str], language: Language, *, busy: bool) -> str:
        """Return the admin page around its `sections`, which `admin_section` made."""
        shown = {name: Markup(html) for name, html in sections.items()}  # noqa: S704 - came out of the templates
        return self._render(
            "admin.html", sections=shown, order=SECTIONS, busy=busy, language=language, words=admin_words(language), version=self.version
        )  # fmt: skip

    def admin_section(self, name: str, view: Mapping[str, object], language: Language) -> str:
        """Return one of SECTIONS of the admin page."""
        return self._render(f"admin_{name}.html", words=admin_words(language), language=language, **view)

    def admin_card(self, swap: Swap, language: Language) -> str:
        """Return the page of one swap, with its report card."""
        return self._render(
            "admin_card.html", swap=card_view(swap, language), language=language, words=admin_words(language), version=self.version
        )  # fmt: skip

    def _render(self, template: str, **values: object) -> str:
        return clean_text(self._templates.get_template(template).render(**values))


def blob_link(blob: str, name: str = "") -> str:
    """Return the path of a blob on this server, "" for what is no blob's name."""
    if not BLOB.fullmatch(blob):
        return ""
    return f"/blobs/{blob}?name={quote(clean_text(name), safe='')}" if name else f"/blobs/{blob}"


def _filled(text: str, **values: object) -> str:
    return text.format(**values)


def _markdown(text: str) -> Markup:
    return Markup(to_html(text))  # noqa: S704 - to_html escapes


def _marked(source: Source) -> Markup:
    """Return the passage with its marked range in <mark>; a range that does not fit is left unmarked."""
    start, end = source.marked or (0, 0)
    if not 0 <= start < end <= len(source.text):
        return escape(clean_text(source.text))
    before, answer, after = source.text[:start], source.text[start:end], source.text[end:]
    return escape(clean_text(before)) + Markup("<mark>{}</mark>").format(clean_text(answer)) + escape(clean_text(after))


def _parts(opened: Opened, marked: tuple[int, int] | None) -> Iterator[dict[str, object]]:
    """Yield the passages as the template wants them: page and heading where they change."""
    page: int | None = None
    heading = ""
    for part in opened.parts:
        text = _marked(Source("", part.text, "", 0.0, marked if part.found else None))
        yield {
            "text": text, "found": part.found, "page": part.page if part.page != page else None,
            "heading": part.heading if part.heading != heading else "",
        }  # fmt: skip
        page, heading = part.page, part.heading


def _snippet(source: Source) -> str:
    """Return one line of the passage: the marked sentence, else its beginning."""
    start, end = source.marked or (0, len(source.text))
    return " ".join((source.text[start:end] or source.text).split())[:QUOTE_CHARACTERS]


def _quoted(message: Message | None) -> str:
    if message is None:
        return ""
    text = " ".join(message.text.split())[:QUOTE_CHARACTERS]
    return text or ", ".join(file.name for file in message.attachments[:3])


def _files(message: Message) -> dict[str, object]:
    """Return a message's attachments as the template wants them: pictures, the first files, and the rest."""
    pictures = [file for file in message.attachments if file.kind == "image" and BLOB.fullmatch(file.blob)]
    others = [_file(file) for file in message.attachments if file not in pictures]
    shown = FILES_SHOWN if len(others) <= FILES_SHOWN else FILES_SHOWN - 1
    return {"pictures": pictures, "files": others[:shown], "more_files": others[shown:]}


def _file(file: Attachment) -> dict[str, str]:
    folder, _slash, name = file.name.rpartition("/")
    return {
        "name": name,
        "folder": folder,
        "kind": name.rpartition(".")[2][:4].upper() if "." in name else "",
        "size": _size(file.size_bytes),
        "link": blob_link(file.blob, name),
    }


def _size(size_bytes: float) -> str:
    for unit in ("B", "KB", "MB"):
        if size_bytes < 1000:  # noqa: PLR2004 - the next unit begins here
            return f"{size_bytes:.0f} {unit}" if unit == "B" or size_bytes >= 10 else f"{size_bytes:.1f} {unit}"  # noqa: PLR2004
        size_bytes /= 1024
    return f"{size_bytes:.1f} GB"


def _receipt(receipt: Receipt | None, named: dict[str, str]) -> dict[str, object] | None:
    if receipt is None or not receipt.skill:
        return None
    total_ms = sum(spent for _stage, spent in receipt.stages_ms)
    rows = [(named["skill"], receipt.skill)]
    if receipt.model:
        rows.append((named["model"], receipt.model))
    if receipt.stages_ms:
        rows.append((named["time"], " · ".join(f"{stage} {_milliseconds(spent)}" for stage, spent in receipt.stages_ms)))
    if receipt.route_score is not None:
        second = f" · {receipt.runner_up} {receipt.runner_up_score or 0:.2f}" if receipt.runner_up else ""
        rows.append((named["route"], f"{receipt.skill} {receipt.route_score:.2f}{second}"))
    rows.append((named["sent_out"], _size(receipt.bytes_sent_out) if receipt.bytes_sent_out else named["nothing"]))
    return {"total": _milliseconds(total_ms) if receipt.stages_ms else "", "rows": rows}


def _milliseconds(spent: float) -> str:
    if spent >= 1000:  # noqa: PLR2004 - a second
        return f"{spent / 1000:.1f} s"
    return f"{spent:.0f} ms" if spent >= 10 else f"{spent:.1f} ms"  # noqa: PLR2004 - a decimal helps below ten


def _sign_in(language: Language) -> dict[str, str]:
    from bot.channels.web_door import LABELS  # noqa: PLC0415 - the door alone knows its words

    return {name: text.to(language) for name, text in LABELS.items()}


def _version(assets: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(assets.iterdir()):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:_VERSION_DIGITS]
