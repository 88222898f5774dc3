"""A minute of real use in a network of its own, and where anything was sent meanwhile. Run as a process by `bot.egress`.

    python -m bot.egress_minute FOLDER              # one line of JSON; exit code 7 where this system gives nobody such a network
    python -m bot.egress_minute FOLDER --sampled    # in the machine's own network, its sockets looked at again and again

The bot is the whole program, over an empty home in FOLDER: served, asked on its page, given files and a picture, talked to in both
languages, its summaries' model swapped and taken back; then served by the other engine, while the embedding model is prepared once
more. Every name that is looked up has an address there, so that who wants to speak
to it shows where.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from bot.alone import Flight, Packets, enter
from bot.errors import ParingError
from bot.sandbox import Json

NO_NETWORK: Final = 7
STEP_S, READY_S, END_S, LOOK_S = 120, 90, 30, 0.02
NAMED_FROM: Final = int(ipaddress.IPv4Address("198.18.0.1"))
"""The first address of those that names have in there (RFC 2544: nobody's)."""
TOLD: Final = "The lease ends in April. The team then moves to the second floor. The lift is mended before. The old desks stay."
LINES: Final = (
    "When does the lease end?", "임대차 계약은 언제 끝나?", f"/summary {TOLD}", "/models", "/help", "/translate hello", "/why",
    "/index on", "bye",
)  # fmt: skip
NOTES: Final = {
    "lease.md": "# Lease\n\nThe lease of the office ends on 30 April. 임대차 계약은 4월 30일에 끝납니다.\n",
    "lift.html": "<html><body><h1>Lift</h1><p>The lift is mended in March.</p><img src='http://pixel.example/1.png'></body></html>",
    "desks.csv": "desk,floor\nold,2\nnew,3\n",
}
Steps = Sequence[tuple[tuple[str, ...], str]]
"""Words of the command line, and what is typed then."""
STEPS: Final[Steps] = (
    (("add", "notes"), ""),
    (("chat",), "\n".join(LINES) + "\n"),
    (("say", "What does it say?", "--file", "picture.png"), ""),
    (("swap", "summarise", "summarise.lexrank.v1", "--force", "tried by paring doctor --egress"), ""),
    (("rollback", "summarise"), ""),
    (("models",), ""),
    (("doctor",), ""),
)
OTHER_ENGINE: Final = {"PARING_MODELS__EMBED_ENGINE": "onnxruntime"}
"""What runs the embedder where the processor has no AVX-512 VNNI. Served for as long as preparing takes: it would report seconds later."""
PREPARE: Final = "import sys, pathlib, bot.models.prepare as made; made.prepare_minilm(pathlib.Path(sys.argv[1]))"
BRIEF: Final = ((("chat",), "When does the lease end?\n"),)
"""What is done of these where a test wants to know that it is seen at all."""


def main() -> None:
    """Spend the minute and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sampled", action="store_true")
    parser.add_argument("--brief", action="store_true")
    asked = parser.parse_args()
    if not asked.sampled:
        try:
            enter(asked.folder)
        except (OSError, AttributeError):
            sys.exit(NO_NETWORK)
    print(json.dumps(minute(asked.folder, BRIEF if asked.brief else STEPS, sampled=asked.sampled)), flush=True)  # noqa: T201 - read by the parent


def minute(folder: Path, steps: Steps = STEPS, *, sampled: bool) -> Mapping[str, Json]:
    """Use the bot, and return what was done and where anything went."""
    _files(folder)
    if sampled:
        with Samples() as samples:
            here = {name: value for name, value in os.environ.items() if not name.startswith("PARING_CHANNELS__")}
            did = list(_used(folder, steps, here | {"PARING_TELEGRAM__TOKEN": ""}))
        return _told(did, samples.seen, {}, 0, sampled=True)
    with Packets() as packets, Names() as names:
        did = list(_used(folder, steps, dict(os.environ)))
    return _told(did, packets.seen, names.given, packets.missed, sampled=False)


def _told(
    did: Sequence[tuple[str, int]], seen: Mapping[Flight, int], given: Mapping[str, str], missed: int, *, sampled: bool
) -> dict[str, Json]:
    flights: list[Json] = [[one.protocol, one.address, one.port, times] for one, times in sorted(seen.items()) if not one.is_here]
    return {"did": [list(one) for one in did], "flights": flights, "names": dict(given), "missed": missed, "sampled": sampled}


def _files(folder: Path) -> None:
    from PIL import Image, ImageDraw  # noqa: PLC0415 - only here

    (folder / "notes").mkdir()
    for name, text in NOTES.items():
        (folder / "notes" / name).write_text(text, encoding="utf-8")
    picture = Image.new("RGB", (320, 80), "white")
    ImageDraw.Draw(picture).text((20, 30), "THE LEASE ENDS IN APRIL", fill="black")
    picture.save(folder / "picture.png")


def _used(folder: Path, steps: Steps, environment: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Use the bot; yield what was done, and its exit code (-1: it did not end, or did not answer)."""
    with _running(folder, environment) as url:
        yield "run", 0 if url else -1
        if url:
            yield "page", _asked_on_the_page(url)
        for words, said in steps:
            yield words[0], _done(["-m", "bot", *words], folder, environment, said)
    if steps is BRIEF:
        return
    with _running(folder, {**environment, **OTHER_ENGINE}) as url:
        yield "run", 0 if url else -1
        if url:
            yield "page", _asked_on_the_page(url)
        yield "setup", _done(["-c", PREPARE, str(folder / "prepared")], folder, environment)


def _done(words: Sequence[str], folder: Path, environment: Mapping[str, str], said: str = "") -> int:
    """Run Python with `words`, `said` typed into it; return its exit code, -1 where it did not end."""
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, *words], cwd=folder, env=environment, input=said.encode(), timeout=STEP_S,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return -1
    return done.returncode


@contextmanager
def _running(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """Serve for as long as the context lasts; give the page's address, "" where it never came."""
    served = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"], cwd=folder, env=dict(environment) | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    timer = threading.Timer(READY_S, served.kill)
    timer.start()
    url = ""
    try:
        assert served.stdout is not None  # noqa: S101 - it was asked for
        for line in served.stdout:
            url = next((word for word in line.decode(errors="replace").split() if word.startswith("http://127.0.0.1")), "")
            if url:
                break
        timer.cancel()
        yield url.rstrip(".,")
    finally:
        timer.cancel()
        served.terminate()
        try:
            served.communicate(timeout=END_S)
        except subprocess.TimeoutExpired:
            served.kill()
            served.communicate()


def _asked_on_the_page(url: str) -> int:
    """Open the page and ask it something; 0 where both were answered."""
    said = json.dumps({"id": "5a7e0c0ffee05a7e", "text": "When does the lease end?"}).encode()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        for path, body in (("/", None), ("/api/say", said), ("/api/history", None)):
            request = urllib.request.Request(f"{url}{path}", body, {"x-paring": "en", "content-type": "application/json"})  # noqa: S310 - the page's own address
            with opener.open(request, timeout=END_S) as answer:
                answer.read()
    except OSError:
        return -1
    return 0


class Names:
    """A DNS server to which no name is unknown: each has an IPv4 address of its own."""

    def __init__(self) -> None:
        """Listen on port 53 of this network's own loopback."""
        self.given: dict[str, str] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self._socket.settimeout(0.1)
        self._over = threading.Event()
        self._server = threading.Thread(target=self._serve, name="names", daemon=True)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._server.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError, IndexError, struct.error):
                query, asker = self._socket.recvfrom(4096)
                self._socket.sendto(self._answer(query), asker)

    def _answer(self, query: bytes) -> bytes:
        labels, at = [], 12
        while size := query[at]:
            labels.append(query[at + 1 : at + 1 + size].decode("ascii", "replace").lower())
            at += 1 + size
        (kind,) = struct.unpack("!H", query[at + 1 : at + 3])
        name, question = ".".join(labels), query[12 : at + 5]
        address = self.given.setdefault(name, str(ipaddress.IPv4Address(NAMED_FROM + len(self.given))))
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 0, 4) + ipaddress.IPv4Address(address).packed if kind == 1 else b""
        return query[:2] + struct.pack("!HHHHH", 0x8180, 1, bool(record), 0, 0) + question + record


class Samples:
    """Looks at the sockets of everything that this process has started, again and again."""

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.seen: Counter[Flight] = Counter()
        self._over = threading.Event()
        self._looker = threading.Thread(target=self._look, name="sockets", daemon=True)

    def __enter__(self) -> Self:
        self._looker.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._looker.join()

    def _look(self) -> None:
        import psutil  # noqa: PLC0415 - only where nothing better is to be had

        known: set[tuple[int, int, Flight]] = set()
        while not self._over.is_set():
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    for one in process.net_connections(kind="inet"):
                        if one.raddr:
                            protocol = "tcp" if one.type == socket.SOCK_STREAM else "udp"
                            flight = Flight(protocol, one.raddr.ip.partition("%")[0].removeprefix("::ffff:"), one.raddr.port)
                            known.add((process.pid, one.laddr.port, flight))
            time.sleep(LOOK_S)
        self.seen.update(flight for _process, _port, flight in known)


if __name__ == "__main__":
    try:
        main()
    except ParingError as error:
        sys.exit(str(error))
