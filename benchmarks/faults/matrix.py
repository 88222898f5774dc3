"""All lines of the matrix, in the order of its page: each module of a section lists its own."""

from __future__ import annotations

from benchmarks.faults import (
    Fault,
    access,
    ageing,
    delivery,
    disk,
    egress,
    files,
    forgetting,
    health,
    kills_within,
    links,
    lives,
    load,
    matrix_kills,
    repeats,
    secrets,
    shut,
    slack_kills,
    storage,
    storm,
    text,
    text_kept,
    text_page,
    text_poison,
    waiting,
)

FAULTS: tuple[Fault, ...] = (
    *delivery.FAULTS,
    *slack_kills.FAULTS,
    *matrix_kills.FAULTS,
    *lives.FAULTS,
    *repeats.FAULTS,
    *shut.FAULTS,
    *load.FAULTS,
    *waiting.FAULTS,
    *access.FAULTS,
    *egress.FAULTS,
    *storage.FAULTS,
    *disk.FAULTS,
    *kills_within.FAULTS,
    *files.FAULTS,
    *links.FAULTS,
    *secrets.FAULTS,
    *health.FAULTS,
    *storm.FAULTS,
    *forgetting.FAULTS,
    *ageing.FAULTS,
    *text.FAULTS,
    *text_kept.FAULTS,
    *text_page.FAULTS,
    *text_poison.FAULTS,
)


def named(names: tuple[str, ...]) -> list[Fault]:
    """Return the faults of these names or sections, all where none is given. Raises KeyError for a name that nobody has."""
    for name in names:
        if not any(name in (fault.name, fault.section) for fault in FAULTS):
            raise KeyError(name)
    return [fault for fault in FAULTS if not names or fault.name in names or fault.section in names]
