"""A DNS server of one's own that says what it is told to: answers that change, chains, cut ones, garbage, silence.

    zone = {"turns.example": [{"A": ["93.184.215.14"]}, {"A": ["127.0.0.1"]}]}    # the second time another
    async with names(zone) as asked:
        ...
    asked       # Counter({("turns.example", "A"): 2, ...})

Source: RFC 1035, 4.1 (messages), 4.2 (over UDP and TCP).
"""

from __future__ import annotations

import asyncio
import ipaddress
import struct
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

Said = Mapping[str, Sequence[str]]
"""What is answered once, by kind: A, AAAA, CNAME (one name); under "odd" one of silence, garbage, cut, stranger, servfail."""
Zone = Mapping[str, Sequence[Said]]
"""What each name answers, the first time, the second, ...; the last again and again."""
KINDS: Final = {1: "A", 28: "AAAA"}
LONGEST_CHAIN: Final = 12
MOST_UDP: Final = 512


@asynccontextmanager
async def names(zone: Zone, port: int = 53) -> AsyncIterator[Counter[tuple[str, str]]]:
    """Serve `zone` on this machine's loopback, over UDP and TCP."""
    asked: Counter[tuple[str, str]] = Counter()

    class Datagrams(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
            self.transport = transport

        def datagram_received(self, data: bytes, addr: object) -> None:
            if said := answer(data, zone, asked, udp=True):
                self.transport.sendto(said, addr)  # type: ignore[arg-type]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:  # one connection asks for both kinds
                (size,) = struct.unpack("!H", await reader.readexactly(2))
                if said := answer(await reader.readexactly(size), zone, asked, udp=False):
                    writer.write(struct.pack("!H", len(said)) + said)
                    await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # who asked is gone
        finally:
            writer.close()

    loop = asyncio.get_running_loop()
    datagrams, _protocol = await loop.create_datagram_endpoint(Datagrams, ("127.0.0.1", port))
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield asked
    finally:
        datagrams.close()
        server.close()


def answer(asking: bytes, zone: Zone, asked: Counter[tuple[str, str]], *, udp: bool) -> bytes:
    """Return the answer to what is asked, b"" for silence."""
    name, end = _name(asking)
    (number,) = struct.unpack("!H", asking[end : end + 2])
    kind, question = KINDS.get(number, str(number)), asking[12 : end + 4]
    says = zone.get(name)
    turn = says[min(asked[name, kind], len(says) - 1)] if says else {}
    asked[name, kind] += 1
    odd = turn.get("odd", [""])[0]
    if odd == "silence" or (odd == "cut" and not udp):
        return b""
    if odd == "garbage":
        return asking[:2] + b"\x84\x00" + b"\xc0\x0c" * 200
    if odd == "servfail":
        return _message(asking, question, 0x8182, [])
    if says is None:
        return _message(asking, question, 0x8183, [])
    records = _records(name, turn, kind, zone)
    if odd == "stranger":  # of another name than the one that was asked for
        records = [(_spelt("other.example"), data[1], data[2]) for data in records]
    whole = _message(asking, question, 0x8180, records)
    return whole if odd != "cut" and (not udp or len(whole) <= MOST_UDP) else _message(asking, question, 0x8380, [])


def query(host: str, kind: str) -> bytes:
    """Return what is sent to ask for `host`."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in host.split("."))
    return b"\0\1\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0" + bytes([1 if kind == "A" else 28]) + b"\0\1"


def addresses(message: bytes) -> Iterable[str]:
    """Return the addresses of an answer whose names are written out, as ours are."""
    at = 12
    while message[at]:
        at += 1 + message[at]
    at += 5
    for _record in range(message[7]):
        while message[at]:
            at += 1 + message[at]
        kind, size = int.from_bytes(message[at + 1 : at + 3]), int.from_bytes(message[at + 9 : at + 11])
        if kind in (1, 28):
            yield str(ipaddress.ip_address(message[at + 11 : at + 11 + size]))
        at += 11 + size


def _records(name: str, turn: Said, kind: str, zone: Zone) -> list[tuple[bytes, int, bytes]]:
    records = []
    for _step in range(LONGEST_CHAIN):
        if not (alias := turn.get("CNAME")):
            break
        records.append((_spelt(name), 5, _spelt(alias[0])))
        name, turn = alias[0], zone.get(alias[0], [{}])[0]
    number = 1 if kind == "A" else 28
    return [*records, *((_spelt(name), number, ipaddress.ip_address(one).packed) for one in turn.get(kind, ()))]


def _message(query: bytes, question: bytes, flags: int, records: Sequence[tuple[bytes, int, bytes]]) -> bytes:
    """Return an answer whose records live for no time at all."""
    lines = [name + struct.pack("!HHIH", kind, 1, 0, len(data)) + data for name, kind, data in records]
    return query[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0) + question + b"".join(lines)


def _name(query: bytes) -> tuple[str, int]:
    labels, at = [], 12
    while size := query[at]:
        labels.append(query[at + 1 : at + 1 + size].decode("latin-1").lower())
        at += 1 + size
    return ".".join(labels), at + 1


def _spelt(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
