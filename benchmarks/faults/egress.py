"""Nothing goes out: the whole program in a network of its own, with a traitor planted in it that has to be seen."""

from __future__ import annotations

import asyncio
import os

from pydantic import SecretStr

from benchmarks.faults import Fault, Plan, Row
from bot.config import ModelSettings, Settings, TelegramSettings
from bot.egress import look

TRAITOR = """
import ctypes, socket, struct
try:
    socket.create_connection(("traitor.example", 443), 2)
except OSError:
    pass
libc = ctypes.CDLL(None)
where = struct.pack("=HHI8x", socket.AF_INET, socket.htons(4443), int.from_bytes(socket.inet_aton("203.0.113.9"), "little"))
libc.connect(libc.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK, 0), where, 16)
"""
PLANTED = {"traitor.example", "203.0.113.9"}
"""By a name, in Python; by an address, past Python."""
TALKED = {"PARING_TELEGRAM__TOKEN": "7:AA-nobody", "PARING_MODELS__CHAT_URL": "http://chat.example:8000/v1"}


async def egress(plan: Plan) -> Row:
    """Use the bot for a minute; all that it contacts is counted but what the settings name, and the traitor has to be among it."""
    planted = plan.scratch / "planted"
    await asyncio.to_thread(planted.mkdir)
    await asyncio.to_thread((planted / "sitecustomize.py").write_text, TRAITOR)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PARING_")}
    environment = inherited | TALKED | {"PARING_HOME": str(plan.scratch / "home")}
    settings = Settings(
        home=plan.scratch / "home",
        telegram=TelegramSettings(token=SecretStr(TALKED["PARING_TELEGRAM__TOKEN"])),
        models=ModelSettings(chat_url=TALKED["PARING_MODELS__CHAT_URL"]),
    )
    seen = await asyncio.to_thread(look, settings, environment | {"PYTHONPATH": str(planted)}, brief=plan.scale < 1)
    if seen.sampled:
        return Row(
            len(seen.did), "verbs", failed=len(seen.undone), note="no network of one's own can be made here, so nothing is proven"
        )
    foreign = {one.host for one in seen.destinations if not one.configured}
    named = sorted({f"{one.host}:{one.port}" for one in seen.destinations if one.configured})
    wrong = [*sorted(foreign - PLANTED), *(f"{verb} did not work" for verb in seen.undone), *sorted(PLANTED - foreign)]
    note = "; ".join(wrong) or f"contacted: {', '.join(named)}, and the planted traitor, by a name and past Python"
    return Row(
        len(seen.did), "verbs", leaked=len(foreign - PLANTED), failed=len(seen.undone) + len(PLANTED - foreign) + seen.missed, note=note
    )  # fmt: skip


FAULTS: tuple[Fault, ...] = (
    Fault(
        "egress", "secrets", "a minute of real use of the whole program, in a network in which every packet is seen", egress, most_s=240
    ),
)  # fmt: skip
