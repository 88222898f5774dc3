"""What `paring doctor` says of folders and skills that the settings name: silent where all of them are there.

findings = [finding for look in NAMED for finding in look(settings)]
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bot.doctor_report import Finding
from bot.errors import refusal
from bot.locale import phrases
from bot.plugins import installed

if TYPE_CHECKING:
    from bot.config import Settings

_ = phrases(__file__)

SKILLS: Final = "paring.skills"


def _watched(settings: Settings) -> list[Finding]:
    findings = []
    for folder in settings.watch.folders:
        try:
            with os.scandir(folder):
                continue
        except OSError as error:
            told = _("{folder} cannot be looked into: {why}", folder=str(folder), why=refusal(error))
        advice = _("make the folder, or take it out of watch.folders; a bot that runs goes on when it is there")
        findings.append(Finding(_("folder to watch"), "optional", told, advice))
    return findings


def _backups(settings: Settings) -> list[Finding]:
    """Say where no backup can be written, while the bot is to make them by itself."""
    folder = settings.backup.folder
    if not settings.backup.every_h or folder is None:
        return []
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            return []
    except OSError as error:
        told = _("{folder} cannot be written: {why}", folder=str(folder), why=refusal(error))
    return [Finding(_("folder for backups"), "optional", told, _("set backup.folder to a folder that the bot may write"))]


def _costly(settings: Settings) -> list[Finding]:
    known = installed(SKILLS)
    strange = [name for name in settings.quotas.costly if name not in known]
    if not strange:
        return []
    told = _("quotas.costly names {names}: there is no such skill", names=", ".join(strange))
    return [Finding(_("settings"), "optional", told, _("write some of these: {skills}", skills=", ".join(sorted(known))))]


NAMED: Final[tuple[Callable[[Settings], list[Finding]], ...]] = (_watched, _backups, _costly)
"""In the order in which they are told."""
