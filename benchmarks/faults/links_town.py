"""A town in a network of its own: a public side, a private side, a DNS that says what it is told to, and the fetcher in its middle.

    python -m benchmarks.faults.links_town fetcher FOLDER 0.5     # one line of JSON; exit code 7 where no such network can be made

Every packet of that network is looked at, so that it is counted from outside to what a connection was asked for. Where a machine lets
nobody have a network (`--here`), the answers of the DNS are given to the fetcher and its connections are taken before they are made.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import os
import random
import resource
import shutil
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpcore

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from fakes.site import MISSING

from benchmarks.faults.links_cases import INTRANET, PAGE, Case, cases, intranet_cases, sites, zone
from benchmarks.faults.names import addresses, answer, names, query
from bot.alone import Flight, Packets, enter
from bot.config import LinkSettings
from bot.errors import ParingError
from bot.retrieval import link_backend
from bot.retrieval.links import Fetcher

NO_NETWORK = 7
SECONDS, SLOW_S = 30.0, 3.0
"""How long one fetch may take: of a site that answers, on busy cores; of one that does not."""
SLACK_S = 10.0
AT_ONCE = 8
PAGE_MB = 10
LEAST = 12
"""Cases that are tried at any scale."""
SHARE = {"bot": 0.15}
"""Of the cases: one chat fetches one link after another."""
WHOLE = 0.1
"""From this scale on the program is started twice."""
PUBLIC_SIDE = tuple(ipaddress.ip_network(one) for one in ("93.184.215.0/24", "2606:2800:220:1::/64"))
SECRET = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\nprivate-7e1c4"


@dataclass
class Found:
    """What came of it."""

    tried: int = 0
    leaked: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    worst_s: float = 0.0
    grown_mb: float = 0.0
    connections: int = 0
    missed: int = 0

    def wrong_with(self, verb: str, done: subprocess.CompletedProcess[str], links: Sequence[str]) -> None:
        """Note what a program said that it must not say, or did not."""
        told = done.stdout + done.stderr
        if "private-7e1c4" in told:
            self.leaked.append(f"paring {verb} shows the private side")
        if "Traceback" in told or done.returncode < 0:
            self.failed.append(f"paring {verb}: exit code {done.returncode}, {told[-200:]}")
        added = int(told.partition(" added")[0].rpartition("\n")[2] or 0) if verb == "add" else 0
        lines = len([line for line in told.splitlines() if line.strip() and " added" not in line])
        if added + lines < len(links):
            self.failed.append(f"paring {verb}: {lines} lines for {len(links)} links, {told[:200]}")


def main() -> None:
    """Do one part and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=("fetcher", "intranet", "bot"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("scale", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--here", action="store_true")
    asked = parser.parse_args()
    if not asked.here:
        try:
            enter(asked.folder)
        except OSError:
            sys.exit(NO_NETWORK)
    trust(asked.folder)
    print(json.dumps(asdict(asyncio.run(part(asked)))), flush=True)


async def part(asked: argparse.Namespace) -> Found:
    """Open the town, try the part's cases, and look at where connections went."""
    found = Found()
    chosen = _some(intranet_cases() if asked.part == "intranet" else cases(), asked.scale * SHARE.get(asked.part, 1), asked.seed)
    allowed = ("wiki.intra", INTRANET) if asked.part == "intranet" else ()
    flights: Counter[Flight] = Counter()
    async with town(asked.folder, flights, here=asked.here) as resolve:
        if asked.part == "bot":
            await asyncio.to_thread(_by_the_bot, chosen, asked.folder, found, asked.scale)
        else:
            await _by_the_fetcher(chosen, allowed, resolve, asked.folder, found)
    if not any(flight.protocol == "tcp" and _may(flight, intranet=bool(allowed)) for flight in flights):
        found.failed.append("nothing was fetched at all")
    for flight, times in sorted(flights.items()):
        if not _may(flight, intranet=bool(allowed)):
            found.leaked.append(f"{flight.protocol} {flight.address} port {flight.port}, {times} times")
        found.connections += times if flight.protocol == "tcp" else 0
    return found


def _may(flight: Flight, *, intranet: bool) -> bool:
    """Say whether this is the public side, the DNS, or what an admin allowed."""
    if (
        flight == Flight("udp", "127.0.0.1", 53)
        or flight == Flight("tcp", "127.0.0.1", 53)
        or (intranet and flight.address == INTRANET)
    ):
        return True
    return _public(flight)


def _public(flight: Flight) -> bool:
    return flight.port in (80, 443) and any(ipaddress.ip_address(flight.address) in network for network in PUBLIC_SIDE)


def _some(all_of_them: Sequence[Case], scale: float, seed: int) -> list[Case]:
    """Return all cases, or a seeded choice of those that are quick."""
    if scale >= 1:
        return list(all_of_them)
    first, *quick = [one for one in all_of_them if not one.slow]
    return [first, *random.Random(seed).sample(quick, min(len(quick), max(LEAST, round(len(quick) * scale))))]  # noqa: S311 - which cases


async def _by_the_fetcher(chosen: Sequence[Case], allowed: tuple[str, ...], resolve: Any, folder: Path, found: Found) -> None:
    places, kept = asyncio.Semaphore(AT_ONCE), folder / "kept"
    kept.mkdir()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    async def take(case: Case) -> None:
        async with places:
            begun, limit_s = time.monotonic(), SLOW_S if case.slow else SECONDS
            settings = LinkSettings(seconds=limit_s, page_mb=PAGE_MB, allowed_hosts=allowed)
            outcome = await _outcome(Fetcher(settings, resolve=resolve, folder=kept), case.link)
            took = time.monotonic() - begun
        found.tried += 1
        found.worst_s = max(found.worst_s, took)
        if outcome not in ({"no", "page"} if case.may == "any" else {case.may}):
            found.failed.append(f"{case.link[:60]!r}: {outcome}")
        if took > limit_s + SLACK_S:
            found.failed.append(f"{case.link[:60]!r}: {took:.0f} s")

    await asyncio.gather(*(take(case) for case in chosen))
    found.grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    found.failed += [f"left behind: {one.name}" for one in kept.iterdir()]


async def _outcome(fetcher: Fetcher, link: str) -> str:
    """Return "no", "page", or what is wrong with what came."""
    try:
        path, _title = await fetcher.fetch(link)
    except ParingError as error:
        return "no" if str(error).strip() and "Traceback" not in str(error) else "no sentence"
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return f"{type(error).__name__}: {error}"[:80]
    body = path.read_bytes()
    path.unlink()
    if b"private-7e1c4" in body:
        return "a page of the private side"
    return "page" if len(body) <= PAGE_MB << 20 else f"{len(body)} bytes"


def _by_the_bot(chosen: Sequence[Case], folder: Path, found: Found, scale: float) -> None:
    """Give the links to the whole program: as `paring add` has them, and in messages, one a line."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARING_")}
    environment |= {
        "PARING_HOME": str(folder / "home"),
        "PARING_LINKS__SECONDS": str(SLOW_S),
        "PARING_LANGUAGE": "en",
        "TMPDIR": str(folder),
    }
    links = [one.link for one in chosen if one.link.isprintable() and one.link.startswith(("http://", "https://"))]
    said = "".join(f"/summary {link}\n" for link in links)
    starts: list[tuple[list[str], str]] = [(["chat"], said), (["add", *links], "")]
    for words, given in starts if scale >= WHOLE else starts[:1]:
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "bot", *words],
            env=environment,
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        found.tried += len(links)
        found.worst_s = max(found.worst_s, (time.monotonic() - begun) / len(links))
        found.wrong_with(words[0], done, links)


@asynccontextmanager
async def town(folder: Path, flights: Counter[Flight], *, here: bool) -> AsyncIterator[Any]:
    """Serve both sides and the DNS; give how names are looked up, None for the system's own way. All flights are put into `flights`."""
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secure.load_cert_chain(folder / "site.pem")
    served = sites()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ValueError, asyncio.LimitOverrunError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _serve(reader, writer, served)
        with suppress(OSError):
            writer.close()

    hosts = ["127.0.0.1"] if here else ["0.0.0.0", "::"]  # noqa: S104 - all addresses of a network that nobody else is in
    plain = await asyncio.start_server(serve, hosts, 0 if here else 80)
    tls = await asyncio.start_server(serve, hosts, 0 if here else 443, ssl=secure)
    try:
        if here:
            at = {80: plain.sockets[0].getsockname()[1], 443: tls.sockets[0].getsockname()[1]}
            yield _taken_before(flights, at)
            return
        with Packets() as packets:
            async with names(zone()):
                yield None
        flights.update(packets.seen)
    finally:
        plain.close()
        tls.close()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, served: Any) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    path = head.split(" ")[1]
    host = head.lower().partition("\nhost:")[2].partition("\r")[0].strip()
    label = host.partition(".")[0]
    address = ipaddress.ip_address(writer.get_extra_info("sockname")[0].partition("%")[0])
    public = address.is_loopback or any(address in network for network in PUBLIC_SIDE)
    if not public and str(address) != INTRANET:
        writer.write(SECRET)
    elif label in ("drip", "mute"):
        await _slowly(writer, drops=label == "drip")
    else:
        said = served.get(label, {"/": PAGE}).get(path, MISSING)
        for piece in [said] if isinstance(said, bytes) else said():
            writer.write(piece)
            await writer.drain()
    await writer.drain()


async def _slowly(writer: asyncio.StreamWriter, *, drops: bool) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" if drops else b"")
    while True:
        await asyncio.sleep(0.2)
        writer.write(b"x" if drops else b"")
        await writer.drain()


def _taken_before(flights: Counter[Flight], at: dict[int, int]) -> Any:
    """Take the fetcher's connections before they are made, and give what looks names up."""
    asked: Counter[tuple[str, str]] = Counter()

    class Street(httpcore.AnyIOBackend):
        async def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> httpcore.AsyncNetworkStream:
            flights[flight := Flight("tcp", host, port)] += 1
            if not _may(flight, intranet=True):
                raise httpcore.ConnectError
            return await super().connect_tcp("127.0.0.1", at[port], *rest, **more)

    link_backend.httpcore.AnyIOBackend = Street  # type: ignore[misc]

    async def resolve(host: str, _port: int) -> list[str]:
        if zone_of.get(host, [{}])[0].get("odd"):
            return []
        return [one for kind in ("AAAA", "A") for one in addresses(answer(query(host, kind), zone_of, asked, udp=False))]

    zone_of = zone()
    return resolve


def trust(folder: Path) -> None:
    """Make a certificate of fine.example, which is all that this process and its children trust."""
    made = folder / "site.pem"
    subprocess.run(
        [shutil.which("openssl") or "openssl", "req",
         "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=fine.example", "-addext", "subjectAltName=DNS:fine.example", "-keyout", made, "-out", folder / "certificate.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    certificate = (folder / "certificate.pem").read_bytes()
    made.write_bytes(made.read_bytes() + certificate)
    os.environ["SSL_CERT_FILE"] = str(folder / "certificate.pem")


if __name__ == "__main__":
    main()
