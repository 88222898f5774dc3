"""What SQLite's errors mean, as sentences: what failed, what was kept, what to do next.

    raise StoreError(told(error)) from error

Source: https://www.sqlite.org/rescode.html
"""

from __future__ import annotations

import sqlite3

from bot.locale import Text, phrases

_ = phrases(__file__)

PRIMARY = 0xFF
"""The part of an extended code that says of which kind it is."""
LOCKED = _("The database is locked by another program. Nothing was changed; please try again in a moment.")
FULL = _("The disk is full. Nothing was changed; free some space and try again.")
READ_ONLY = _("The database is read-only. Nothing was changed; give the bot's user the right to write.")
DAMAGED = _("The database is damaged. Nothing was changed; please tell the admin: `paring doctor` says what to do.")
BROKEN_DISK = _(
    "The disk did not do what the database asked of it. Nothing was changed; please tell the admin to look after the disk."
)
FAILED = _("The database failed. Nothing was changed; `paring doctor` tells more.")
_BY_CODE = {
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_PROTOCOL: LOCKED,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_IOERR: BROKEN_DISK,
    sqlite3.SQLITE_CANTOPEN: BROKEN_DISK,
}


def told(error: BaseException | None) -> Text:
    """Return the sentence on what SQLite, or the driver over it, raised."""
    return _BY_CODE.get(code_of(error), FAILED)


def code_of(error: BaseException | None) -> int:
    """Return SQLite's own code of the error, without its extension; 0 where it has none."""
    return getattr(error, "sqlite_errorcode", 0) & PRIMARY
