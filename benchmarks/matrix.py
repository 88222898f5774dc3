"""How long a person in Matrix waits: a search asked to answered, over a Synapse on this machine, in clear and encrypted.

A document is added in a direct chat, then questions about it are asked one after the other, each from the moment in which the person's
app begins to send to the moment in which it has the answer, read. The homeserver, the bot and the person share the machine.

python -m benchmarks.matrix --questions 40 --write
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from fakes.homeserver import Homeserver, served  # noqa: E402 - tests is no package
from fakes.matrix_person import Person, person  # noqa: E402
from fakes.program import bot  # noqa: E402

WARM = 5
ANSWER_S = 30.0
GOAL_MS = 150
THINGS = ("lease", "boiler", "bicycle", "printer", "garden", "window", "piano", "ladder", "kettle", "carpet")
LEASE = "\n\n".join(f"The {thing} of the Mapo office is looked after by person number {n}." for n, thing in enumerate(THINGS))


async def main() -> None:
    """Measure, print, and with --write keep the figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=40, help="in each room, after five that only warm up")
    parser.add_argument("--write", action="store_true", help="draw docs/img/matrix.png")
    options = parser.parse_args()
    times: dict[str, list[float]] = {}
    async with served() as server:
        for name, encrypted in (("in clear", False), ("encrypted", True)):
            times[name] = await measured(server, options.questions, encrypted=encrypted)
            print(told(name, times[name]), flush=True)
    if options.write:
        draw(times, ROOT / "docs" / "img" / "matrix.png")


async def measured(server: Homeserver, questions: int, *, encrypted: bool) -> list[float]:
    """Return the milliseconds of each question."""
    account = await server.register("paring")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        async with person(server, "ann", encrypted=encrypted) as ann, bot(home, **account.variables(server.url)):
            room = await ann.direct(account.user, encrypted=encrypted)
            await ann.until(lambda: account.user in ann.members(room), within_s=ANSWER_S)
            await ann.upload(room, "office.txt", LEASE.encode(), "text/plain")
            await ann.until(lambda: ann.said(room, by=account.user, words="office.txt"), within_s=ANSWER_S)
            found = [await asked(ann, room, account.user, number) for number in range(WARM + questions)]
    return found[WARM:]


async def asked(ann: Person, room: str, by: str, number: int) -> float:
    """Return the milliseconds from a question to its answer."""
    before = len(ann.said(room, by=by))
    began = time.perf_counter()
    await ann.say(room, f"Who looks after the {THINGS[number % len(THINGS)]} of the Mapo office?")
    await ann.until(lambda: len(ann.said(room, by=by, words="Mapo office")) > before - 1, within_s=ANSWER_S)
    return (time.perf_counter() - began) * 1000


def told(name: str, times: Sequence[float]) -> str:
    """Return a row of a table."""
    p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    reached = "yes" if p50 < GOAL_MS else "**no**"
    return f"| Matrix {name}, asked to answered | p50 {p50:.0f} ms | p95 {p95:.0f} ms | p50 under {GOAL_MS} ms: {reached} |"


def draw(times: Mapping[str, Sequence[float]], picture: Path) -> None:
    """Draw how many of the answers had come by when."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(5, 3))
    for (name, taken), colour in zip(times.items(), ("#b9bdb7", "#2f6f4f"), strict=True):
        axis.step(
            sorted(taken), [100 * (place + 1) / len(taken) for place in range(len(taken))], where="post", label=name, color=colour
        )
    axis.axvline(GOAL_MS, color="#8a3b2e", linewidth=0.8, linestyle="--")
    axis.set(xlabel="milliseconds from asked to answered", ylabel="% of answers", xlim=(0, None), ylim=(0, 100))
    axis.legend(frameon=False, fontsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=150)


if __name__ == "__main__":
    asyncio.run(main())
