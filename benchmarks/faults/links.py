"""Links: a DNS, sites and spellings that want the fetcher, or the whole bot, to speak to what is not public.

What was contacted is told by the packets of the network in which it all happens (`benchmarks.faults.links_town`), not by the bot.
"""

from __future__ import annotations

import asyncio
import json
import sys

from benchmarks.faults import Fault, Plan, Row
from benchmarks.faults.links_town import NO_NETWORK

TAKEN = (
    "no network of one's own can be made here: the DNS was given to the fetcher, and its connections taken before they were made"
)


async def fetcher(plan: Plan) -> Row:
    """Every name, spelling, redirect and lying site, given to the fetcher."""
    return await _row(plan, "fetcher", plan.scale)


async def intranet(plan: Plan) -> Row:
    """A house of which an admin allowed one name and one address."""
    return await _row(plan, "intranet", plan.scale)


async def whole_bot(plan: Plan) -> Row:
    """The same links, given to `paring add` and said in messages."""
    return await _row(plan, "bot", plan.scale)


async def _row(plan: Plan, part: str, scale: float) -> Row:
    code, said = await _town(plan, part, scale)
    note = ""
    if code == NO_NETWORK and part == "bot":
        return Row(1, "links", note="not tried: no network of one's own can be made here")
    if code == NO_NETWORK:
        code, said = await _town(plan, part, scale, "--here")
        note = f"{TAKEN}; "
    if code:
        return Row(1, "runs", failed=1, note=f"it broke, exit code {code}")
    found = json.loads(said.splitlines()[-1])
    wrong = [*found["leaked"], *found["failed"]]
    note += (
        "; ".join(wrong[:3])
        or f"{found['connections']} connections, all to the public side; packets not looked at: {found['missed']}"
    )
    if part == "fetcher":
        note += f"; grown by {found['grown_mb']:.0f} MB"
    return Row(
        found["tried"], "links", leaked=len(found["leaked"]), failed=len(found["failed"]) + found["missed"],
        worst_wait_s=found["worst_s"], note=note,
    )  # fmt: skip


async def _town(plan: Plan, part: str, scale: float, *more: str) -> tuple[int | None, bytes]:
    folder = plan.scratch / "-".join((part, *more)).replace("--", "")
    await asyncio.to_thread(folder.mkdir)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.faults.links_town", part, str(folder), str(scale), "--seed", str(plan.seed), *more,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        said, _none = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return child.returncode, said


FAULTS: tuple[Fault, ...] = (
    Fault(
        "links-fetcher", "links",
        "names that resolve to every kind of private address, turn to one the second time, mix or chain; addresses in every spelling; "
        "redirects; robots; bombs, endless and lying sites",
        fetcher, most_s=90,
    ),
    Fault("links-intranet", "links", "an intranet host that an admin allowed, and its neighbours", intranet, most_s=60),
    Fault("links-bot", "links", "the same links by `paring add` and in messages", whole_bot, most_s=120),
)  # fmt: skip
