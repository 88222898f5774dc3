"""Hostile text: how long it takes, whether it is kept and shown as it stands, and whether it does anything."""

from __future__ import annotations

import asyncio
import random

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.text_functions import FUNCTIONS, SHORT, scanned
from benchmarks.faults.text_growth import STEEP, Function, slope
from benchmarks.faults.text_patterns import ANYWHERE, attacks, patterns

PATTERN_SIGNS, FUNCTION_SIGNS = 2_048, 8_192
PATTERN_SECOND, FUNCTION_SECOND = 1_000_000.0, 100_000.0
"""Signs a second: what is slower is measured at several lengths."""
ENDS = "\x07"
"""What no pattern takes: it looks back for all ways there were to go on."""


async def slopes(plan: Plan) -> Row:
    """Time every pattern and every function of a text on pieces that are repeated, at lengths that double."""
    return await asyncio.to_thread(_measured, plan)


def _measured(plan: Plan) -> Row:
    chance = random.Random(plan.seed)  # noqa: S311 - seeded cases
    found, unread = patterns()
    functions = [*FUNCTIONS.items(), *scanned()]
    cases: list[tuple[str, Function, str, int]] = [
        (one.where, one.run, piece, PATTERN_SIGNS) for one in found for piece in attacks(one.pattern)
    ]
    cases += [(name, function, piece, FUNCTION_SIGNS) for name, function in functions for piece in ANYWHERE]
    steep: dict[str, str] = {}
    for name, function, piece, most in chance.sample(cases, plan.times(len(cases))):
        if name.startswith(tuple(SHORT)):
            continue
        a_second = PATTERN_SECOND if most == PATTERN_SIGNS else FUNCTION_SECOND
        power = slope(function, piece, most=most, suffix=ENDS, a_second=a_second)
        if power is not None and power > STEEP:  # twice, or the machine was at something else
            power = min(power, slope(function, piece, most=most, suffix=ENDS, a_second=a_second) or 0.0)
        if power is not None and power > STEEP:
            steep.setdefault(name, f"{name} on {piece!a}: length to the power of {power:.1f}")
    told = [*steep.values(), *(f"{where}: a pattern that no scan could read" for where in unread)]
    return Row(
        len(cases) if plan.scale >= 1 else plan.times(len(cases)), "texts", failed=len(told),
        note="; ".join(told[:3]) or f"{len(found)} patterns and {len(functions)} functions, found in the source",
    )  # fmt: skip


FAULTS: tuple[Fault, ...] = (
    Fault(
        "slopes",
        "text",
        "every regular expression, and every function of a text, on its own pieces repeated, at lengths that double",
        slopes,
        most_s=300,
    ),
)
