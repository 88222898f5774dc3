"""Which behaviours hold in which channel: the contract's suites run over every channel, and the table of docs/channels.md written from it.

    python -m benchmarks.contract           # run, and print the table
    python -m benchmarks.contract --write   # and write it into docs/channels.md

A cell is a tick where every test of the behaviour passed in that channel just now, "no" with the platform's own page where
`tests/contract/impossible.py` names it as impossible, and "failed" for all else; then nothing is written.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

from bot.contract import BotContract, ChannelContract, Suite, behaviours_of

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "channels.md"
EXAMPLE = ROOT / "examples" / "paring-irc"
FILES = (
    "tests/contract/test_channels.py", "tests/contract/test_whole_bot.py", f"{EXAMPLE}/tests/test_contract.py",
    f"{EXAMPLE}/tests/test_whole_bot.py", "benchmarks/contract_encrypted.py",
)  # fmt: skip
BEGIN, END = "<!-- the table: python -m benchmarks.contract --write -->", "<!-- end of the table -->"
SUITES: tuple[tuple[str, type[Suite]], ...] = (("The channel by itself", ChannelContract), ("A whole bot", BotContract))
ENCRYPTED = "matrix, encrypted"
_ADDRESS = re.compile(r"(?:https://|docs/)\S+$")


def ran() -> Mapping[tuple[str, str], str]:
    """Run the suites; return what came of each behaviour and channel: "passed", or "failed" where any of its tests was not."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.xml"
        subprocess.run(
            [sys.executable, "-m", "pytest", *FILES, "-p", "no:cacheprovider", f"--junitxml={told}"],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(EXAMPLE)}, check=False,
        )  # fmt: skip
        cases = list(ET.parse(told).iter("testcase"))  # noqa: S314 - written just now by our own tests
    outcomes: dict[tuple[str, str], str] = {}
    for case in cases:
        channel = _named(case.get("classname", "").rpartition(".Test")[2])
        behaviour = case.get("name", "").partition("[")[0].removeprefix("test_")
        if len(case.findall("failure")) + len(case.findall("error")) + len(case.findall("skipped")):
            outcomes[behaviour, channel] = "failed"
        else:
            outcomes.setdefault((behaviour, channel), "passed")
    return outcomes


def table(outcomes: Mapping[tuple[str, str], str], impossible: Mapping[tuple[str, str], str], channels: tuple[str, ...]) -> str:
    """Return the tables of all suites, with what is impossible told below."""
    notes: dict[str, int] = {}
    lines: list[str] = []
    for title, suite in SUITES:
        lines += [f"### {title}", "", f"| behaviour | {' | '.join(channels)} |", f"|---|{'---|' * len(channels)}"]
        for behaviour, described in behaviours_of(suite).items():
            cells = [_cell(outcomes.get((behaviour, one)), impossible.get((behaviour, one)), notes) for one in channels]
            lines.append(f"| {described.rstrip('.')} | {' | '.join(cells)} |")
        lines.append("")
    lines += [f"{number}. {_linked(why)}" for why, number in notes.items()]
    return "\n".join(lines)


def _cell(outcome: str | None, why: str | None, notes: dict[str, int]) -> str:
    if why is not None:
        return f"no ({notes.setdefault(why, len(notes) + 1)})"
    return "✓" if outcome == "passed" else outcome or "not run"


def _linked(why: str) -> str:
    found = _ADDRESS.search(why)
    if found is None:
        return why
    address = found[0].removeprefix("docs/")
    return f"{why[: found.start()].rstrip(': ')} ([its page]({address}))."


def known() -> tuple[Mapping[tuple[str, str], str], tuple[str, ...]]:
    """Return what is impossible where, and the channels that are tested, in their order."""
    sys.path[:0] = [str(ROOT / "tests"), str(EXAMPLE / "tests")]
    from contract.impossible import IMPOSSIBLE
    from irc_impossible import IMPOSSIBLE as IN_IRC

    classes = re.findall(r"^class Test(\w+)\(", (ROOT / FILES[0]).read_text(encoding="utf-8"), re.MULTILINE)
    channels = [_named(name) for name in classes]
    channels.insert(channels.index("matrix") + 1, ENCRYPTED)
    sealed = {(behaviour, ENCRYPTED): why for (behaviour, where), why in IMPOSSIBLE.items() if where == "matrix"}
    in_irc = {(behaviour, "irc"): why for behaviour, why in IN_IRC.items()}
    return {**IMPOSSIBLE, **sealed, **in_irc}, (*channels, "irc")


def _named(suite: str) -> str:
    """Return the channel that a class is named after: `MatrixEncryptedWhole` is of "matrix, encrypted"."""
    return re.sub("(?<=[a-z])(?=[A-Z])", ", ", suite.removesuffix("Whole")).lower()


def main() -> int:
    """Run, print, and write where that is asked for; return 1 where a cell is neither passed nor named as impossible."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the table into docs/channels.md")
    write = parser.parse_args().write
    impossible, channels = known()
    made = table(ran(), impossible, channels)
    print(made)
    bad = re.findall(r"\| (failed|skipped|not run)\b", made)
    if write and not bad:
        page = PAGE.read_text(encoding="utf-8")
        before, after = page[: page.index(BEGIN) + len(BEGIN)], page[page.index(END) :]
        PAGE.write_text(f"{before}\n\n{made}\n\n{after}", encoding="utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
