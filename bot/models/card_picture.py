"""The report card as a picture for a phone: the live model beside the tried one, in bars.

Owns: what stands where. Leaves drawing to `bot.models.card_sheet`, words and figures to `card` and `card_words`. Takes some 0.1 s: call it
off the event loop. Where no font on this machine has Hangul, the picture is in English (`bot.models.card_font`); the text never is.

    png = card_picture(card, "ko")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bot.locale import Language, Text, phrases
from bot.models.card import Quality, qualities
from bot.models.card_font import Fonts, fonts_here
from bot.models.card_sheet import (
    BAD,
    GOOD,
    INK,
    INNER,
    LARGE,
    LIVE,
    MARGIN,
    MUTED,
    PANEL,
    SMALL,
    TITLE,
    TRIED,
    WIDTH,
    Sheet,
)
from bot.models.card_words import LANGUAGE_NAMES, disk, duration, memory, room_sentence, signed
from bot.models.intervals import Estimate
from bot.models.trial import Card, Room

_ = phrases(__file__)

MOST_REASONS: Final = 4
_RIGHT: Final = WIDTH - MARGIN
_NAMES: Final = 190
"""Pixels for what a bar is of."""
_VALUES: Final = 150
"""Pixels for a bar's figure, right of it."""
_BARS: Final = INNER - _NAMES - _VALUES
_THICK: Final = 30
_LEGEND: Final = 140


def card_picture(card: Card, language: Language, *, fonts: Fonts | None = None) -> bytes:
    """Return the card as a PNG file's bytes, 1,080 pixels wide."""
    sheet, height = drawn(card, language, fonts=fonts)
    return sheet.png(height=height)


def drawn(card: Card, language: Language, *, fonts: Fonts | None = None) -> tuple[Sheet, float]:
    """Return the sheet with the card on it, and how far down it goes."""
    fonts = fonts or fonts_here()
    language = language if fonts.hangul else "en"
    sheet = Sheet(fonts)
    y = _head(sheet, card, language)
    if found := qualities(card):
        y = _quality(sheet, found, card.new.metric, y, language)
    if card.new.scored or card.new.p50_ms:
        y = _times(sheet, card, y, language)
    y = _memory(sheet, card.room, y, language)
    return sheet, _foot(sheet, card, y, language)


def _head(sheet: Sheet, card: Card, language: Language) -> float:
    verdict = (_("Passes") if card.passed else _("Does not pass")).to(language)
    sheet.text(_("Report card").to(language), MARGIN, 36, size=SMALL, colour=MUTED)
    sheet.text(card.slot, MARGIN, 66, size=TITLE, bold=True, width=INNER - sheet.length(verdict, size=LARGE, bold=True) - 90)
    sheet.pill(verdict, _RIGHT, 58, GOOD if card.passed else BAD)
    y = 158.0
    models = [
        (_("live now"), card.old.model if card.old else _("nothing").to(language), LIVE),
        (_("tried"), card.new.model, TRIED),
    ]
    for name, model, colour in models:
        sheet.bar(MARGIN, y + 7, 28, 28, colour)
        sheet.text(name.to(language), MARGIN + 44, y, colour=MUTED, width=_LEGEND - 8)
        y += sheet.text(model, MARGIN + 44 + _LEGEND, y, width=INNER - 44 - _LEGEND)
    return y + 14


def _title(sheet: Sheet, text: Text | str, y: float, language: Language, *, beside: str = "") -> float:
    said = text.to(language) if isinstance(text, Text) else text
    sheet.line(MARGIN, y, _RIGHT, y)
    height = sheet.text(said, MARGIN, y + 18, size=LARGE, bold=True, width=INNER / 2)
    if beside:
        sheet.text(beside, _RIGHT, y + 24, size=SMALL, colour=MUTED, align="right", width=INNER / 2 - 20)
    return y + 18 + height + 6


def _quality(sheet: Sheet, found: Sequence[Quality], metric: str, y: float, language: Language) -> float:
    y = _title(sheet, _("Quality"), y, language, beside=_("{metric}, 95 % intervals", metric=metric).to(language))
    for one in found:
        name = LANGUAGE_NAMES[one.language].to(language)
        sheet.text(name, MARGIN, y, bold=True, width=_NAMES - 10)
        shown, colour = _change(one, language)
        sheet.text(shown, _RIGHT, y, size=SMALL, colour=colour, align="right", width=INNER - _NAMES)
        y += 48
        for estimate, bar in ((one.old, LIVE), (one.new, TRIED)):
            if estimate is not None:
                _score(sheet, estimate, y, bar)
                y += _THICK + 10
        y += 18
    return y


def _change(one: Quality, language: Language) -> tuple[str, str]:
    """Return what became of a language in one line, and its colour: that of a loss or a gain only where the interval says so."""
    if one.new is None:
        return _("no answers").to(language), BAD
    if one.change is None:
        return _("{count} cases", count=one.new.count).to(language), MUTED
    change = one.change
    said = _(
        "{change} ({low} to {high}), {count} cases",
        change=signed(change.mean), low=signed(change.low), high=signed(change.high), count=change.count,
    )  # fmt: skip
    return said.to(language), BAD if change.high < 0 else GOOD if change.low > 0 else MUTED


def _score(sheet: Sheet, estimate: Estimate, y: float, colour: str) -> None:
    left, length = MARGIN, INNER - _VALUES
    sheet.bar(left, y, length, _THICK, PANEL)
    sheet.bar(left, y, estimate.mean * length, _THICK, colour)
    if estimate.high > estimate.low:
        sheet.whisker(left + estimate.low * length, left + estimate.high * length, y + _THICK / 2, height=18)
    sheet.text(f"{estimate.mean:.3f}", _RIGHT, y - 6, align="right", width=_VALUES - 10)


def _times(sheet: Sheet, card: Card, y: float, language: Language) -> float:
    y = _title(sheet, _("Time"), y, language, beside=_("shorter is better").to(language))
    old, new = card.old, card.new
    rows = [
        (_("p50"), old.p50_ms if old else None, new.p50_ms),
        (_("p95"), old.p95_ms if old else None, new.p95_ms),
        (_("load"), old.load_s * 1000 if old else None, new.load_s * 1000),
    ]
    for name, before, now in rows:
        sheet.text(name.to(language), MARGIN, y + (12 if before is not None else -6), width=_NAMES - 10)
        most = max(now, before or 0.0) or 1.0
        for value, colour in ((before, LIVE), (now, TRIED)):
            if value is None:
                continue
            sheet.bar(MARGIN + _NAMES, y, _BARS * value / most, _THICK, colour)
            sheet.text(duration(value).to(language), _RIGHT, y - 6, align="right", width=_VALUES - 10)
            y += _THICK + 6
        y += 18
    return y


def _memory(sheet: Sheet, room: Room, y: float, language: Language) -> float:
    """Draw what is taken now and at the most while the model becomes live, on a scale that holds the budget and both."""
    y = _title(sheet, _("Memory"), y, language, beside=_("budget {budget}", budget=memory(room.budget_mb)).to(language)) + 8
    stays_mb = room.taken_mb - sum(one.ram_mb for one in room.evicts) - (0 if room.beside else room.live_mb)
    rows = [(_("now"), room.taken_mb, 0), (_("with it"), stays_mb, room.need_mb)]
    scale = _BARS / max(room.budget_mb, *(stays + comes for _name, stays, comes in rows), 1)
    begun = y
    for name, stays, comes in rows:
        sheet.text(name.to(language), MARGIN, y - 6, width=_NAMES - 10)
        if stays:
            sheet.bar(MARGIN + _NAMES, y, stays * scale, _THICK, LIVE)
        if comes:
            sheet.bar(MARGIN + _NAMES + stays * scale, y, comes * scale, _THICK, TRIED if room.fits else BAD)
        sheet.text(memory(stays + comes), _RIGHT, y - 6, align="right", width=_VALUES - 10)
        y += _THICK + 12
    limit = MARGIN + _NAMES + room.budget_mb * scale
    sheet.line(limit, begun - 8, limit, y - 4, INK, 4)
    y += sheet.paragraph(room_sentence(room).to(language), MARGIN, y + 2, width=INNER, lines=3)
    return y + 20


def _foot(sheet: Sheet, card: Card, y: float, language: Language) -> float:
    sheet.line(MARGIN, y, _RIGHT, y)
    y += 18
    licence = card.new.licence or _("unknown").to(language)
    said = _("Disk {size} · licence {licence}", size=disk(card.new.disk_bytes), licence=licence)
    y += sheet.text(said.to(language), MARGIN, y, colour=MUTED) + 6
    if card.reasons:
        y = _title(sheet, _("Why not"), y + 8, language)
    for reason in card.reasons[:MOST_REASONS]:
        sheet.bar(MARGIN, y + 16, 12, 12, BAD)
        y += sheet.paragraph(reason.get(language, ""), MARGIN + 30, y, width=INNER - 30, lines=4) + 10
    if (more := len(card.reasons) - MOST_REASONS) > 0:
        y += sheet.text(_("… and {count} more", count=more).to(language), MARGIN + 30, y, size=SMALL, colour=MUTED)
    return y + 30
