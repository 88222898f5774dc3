"""The report card as a message: short enough for one of any platform, in the Markdown subset of docs/design.md.

Owns: which lines there are, and which go first where there is no room. Leaves the verdict to `bot.models.card`.

    card_text(card, "ko")        # at most 3,800 UTF-16 units of Markdown
    headline(card).to("en")      # one line, for those who do not see the picture
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from bot import lazy
from bot.locale import Language, Text, phrases
from bot.models.card import Difference, Quality, differences, qualities
from bot.models.card_words import LANGUAGE_NAMES, disk, duration, room_sentence, signed
from bot.models.trial import Card, Figures, Shadowed, Told

_ = phrases(__file__)

LONGEST: Final = 3800
"""UTF-16 units: a message of Telegram's takes 4,096, and who sends the card says a sentence more."""
LONGEST_LINE: Final = 420
MOST_LINES: Final = 6
"""Reasons, and so many notes."""
LONGEST_EXAMPLE: Final = 160
"""Characters of what was asked, and of each answer."""
_SIGNS: Final = lazy.compile(r"([\\*_`\[\]~<>&])")


def card_text(card: Card, language: Language) -> str:
    """Return the card as Markdown. Where it grows too long, its last lines are left out, examples first."""
    sections = [
        [_heading(card, language)],
        _listed(_("**Why not**"), card.reasons, language),
        list(_quality(card, language)),
        list(_costs(card, language)),
        _listed(_("**To know**"), card.notes, language),
        _examples(differences(card), language),
    ]
    kept: list[str] = []
    left = LONGEST
    for lines in sections:
        took = list(_within(lines, left))
        left -= sum(_units(line) + 1 for line in took) + 1
        kept.append("\n".join(took))
        if len(took) < len(lines):
            break
    return "\n\n".join(section for section in kept if section)


def headline(card: Card) -> Text:
    """Return the verdict in one line: "summarise: lead.v1@1 does not pass"."""
    if card.passed:
        return _("{slot}: {model} passes", slot=card.slot, model=card.new.model)
    return _("{slot}: {model} does not pass", slot=card.slot, model=card.new.model)


def _heading(card: Card, language: Language) -> str:
    verdict = _("✓ passes") if card.passed else _("✗ does not pass")
    lines = [f"**{_plain(card.slot, 60)}: {verdict.to(language)}**"]
    if card.old is not None:
        lines.append(_("live: `{model}`", model=_name(card.old)).to(language))
    lines.append(_("tried: `{model}`", model=_name(card.new)).to(language))
    return "\n".join(lines)


def _listed(title: Text, told: Sequence[Told], language: Language) -> list[str]:
    lines = [f"- {_plain(one.get(language, ''), LONGEST_LINE)}" for one in told[:MOST_LINES]]
    if len(told) > MOST_LINES:
        lines.append("- " + _("… and {count} more", count=len(told) - MOST_LINES).to(language))
    return [title.to(language), *lines] if lines else []


def _quality(card: Card, language: Language) -> Iterator[str]:
    found = qualities(card)
    if found:
        yield _("**Quality** ({metric}, 95 % intervals)", metric=_plain(card.new.metric, 40)).to(language)
        yield from (f"- {LANGUAGE_NAMES[one.language].to(language)}: {_scores(one).to(language)}" for one in found)


def _scores(one: Quality) -> Text:
    old, new, change = one.old, one.new, one.change
    if new is None:
        return _("{before} → no answers", before=f"{old.mean:.3f}" if old else "")
    if old is None or change is None:
        return _(
            "{now} ({low} to {high}), {count} cases",
            now=f"{new.mean:.3f}", low=f"{new.low:.3f}", high=f"{new.high:.3f}", count=new.count,
        )  # fmt: skip
    return _(
        "{before} → {now}: {change} ({low} to {high}), {count} cases", before=f"{old.mean:.3f}", now=f"{new.mean:.3f}",
        change=signed(change.mean), low=signed(change.low), high=signed(change.high), count=change.count,
    )  # fmt: skip


def _costs(card: Card, language: Language) -> Iterator[str]:
    old, new = card.old, card.new
    if new.scored or new.p50_ms:
        times = [
            (Text("p50"), old.p50_ms if old else None, new.p50_ms),
            (Text("p95"), old.p95_ms if old else None, new.p95_ms),
            (_("load"), old.load_s * 1000 if old else None, new.load_s * 1000),
        ]
        said = " · ".join(f"{name.to(language)} {_from_to(before, now, language)}" for name, before, now in times)
        yield f"{_('**Time**').to(language)} {said}"
    yield f"{_('**Memory**').to(language)} {room_sentence(card.room).to(language)}"
    licence = _plain(new.licence, 60) or _("unknown").to(language)
    yield _("**Disk** {size} · **licence** {licence}", size=disk(new.disk_bytes), licence=licence).to(language)
    if card.shadow is not None:
        yield _shadowed(card.shadow).to(language)


def _from_to(before: float | None, now: float, language: Language) -> str:
    return f"{f'{duration(before).to(language)} → ' if before is not None else ''}{duration(now).to(language)}"


def _shadowed(shadow: Shadowed) -> Text:
    return _(
        "**Shadow** {done} of {wanted} live requests: {agreed} % alike · p50 {before} → {now} · {failed} failed",
        done=shadow.done, wanted=shadow.wanted, agreed=round(100 * shadow.agreed), before=duration(shadow.old_p50_ms),
        now=duration(shadow.new_p50_ms), failed=shadow.failed,
    )  # fmt: skip


def _examples(found: Sequence[Difference], language: Language) -> list[str]:
    lines = [_("**Where they differ most**").to(language)] if found else []
    for one in found:
        asked = _plain(one.new.asked, LONGEST_EXAMPLE)
        before, now = (_plain(scored.answered, LONGEST_EXAMPLE) or "–" for scored in (one.old, one.new))
        told = [
            f"> {asked}",
            _("- live ({score}): {answer}", score=f"{one.old.score:.2f}", answer=before).to(language),
            _("- tried ({score}): {answer}", score=f"{one.new.score:.2f}", answer=now).to(language),
        ]
        lines.append("\n".join(told))
    return lines


def _within(lines: Sequence[str], units: int) -> Iterator[str]:
    for line in lines:
        units -= _units(line) + 1
        if units < 0:
            return
        yield line


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def _name(figures: Figures) -> str:
    """Return the model's name for between backticks."""
    return _short(figures.model.replace("`", "'"), 120)


def _plain(text: str, most: int) -> str:
    """Return foreign text on one line, cut to `most` characters, with nothing in it that Markdown would act on."""
    return _SIGNS.sub(r"\\\1", _short(" ".join(text.split()), most))


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
