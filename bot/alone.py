"""A network of a process's own, in which every address is this machine and nothing leaves it, and every packet is seen.

Owns: the system calls (Linux: user, network and mount namespaces, routes, a packet socket) and what a packet says of where it goes.
Leaves to `bot.egress` what runs in there and what is made of it.

    enter(folder)                  # for good, for this process and all that it starts; one thread, before anything else
    with Packets() as packets:
        ...
    packets.seen                   # {Flight("tcp", "93.184.215.14", 443): 1}

Source: namespaces(7), netlink(7), rtnetlink(7), packet(7), linux/filter.h.
"""

from __future__ import annotations

import ctypes
import fcntl
import ipaddress
import os
import socket
import struct
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_NEW_USER, _NEW_MOUNTS, _NEW_NETWORK = 0x10000000, 0x00020000, 0x40000000
_BIND, _PRIVATE, _ALL_BELOW = 0x1000, 0x40000, 0x4000
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1
_NEW_ROUTE, _NEW_ADDRESS, _ERROR = 24, 20, 2
_ASK_ACK_MAKE: Final = 0x1 | 0x4 | 0x400
_LOCAL_TABLE, _BOOT, _ON_HOST, _LOCAL = 255, 3, 254, 2
_OUT_BY, _ADDRESS, _ITSELF = 4, 1, 2
_ALL_KINDS: Final = 0x0003
_OUTGOING: Final = 4
_ATTACH_FILTER, _PACKET_LEVEL, _STATISTICS = 26, 263, 6
_TCP, _UDP = 6, 17
HERE: Final = {socket.AF_INET: "198.19.0.1", socket.AF_INET6: "fd00::1"}
"""Addresses of its own: without one that is not 127.0.0.1, whoever asks for names with AI_ADDRCONFIG (aiohttp) is given none."""
NAMES: Final = {"resolv.conf": "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n", "nsswitch.conf": "hosts: files dns\n"}
"""How names are looked up in there: of the server on this machine alone, by no daemon of the system behind a file."""


@dataclass(frozen=True, slots=True, order=True)
class Flight:
    """Where something was sent for the first time: "tcp" (a connection was asked for), "udp", or another protocol's number."""

    protocol: str
    address: str
    port: int

    @property
    def is_here(self) -> bool:
        """Whether it stays on this machine by what it says itself."""
        return ipaddress.ip_address(self.address).is_loopback or self.address in HERE.values()


def enter(folder: Path) -> None:
    """Leave the machine's network for one in which every address is local; what says how names are looked up is written into `folder`.

    Raises:
        OSError: this system does not let a process have that.
    """
    user, group = os.getuid(), os.getgid()
    _called("unshare", _NEW_USER | _NEW_MOUNTS | _NEW_NETWORK)
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1", encoding="ascii")
    _called("mount", b"none", b"/", None, _ALL_BELOW | _PRIVATE, None)
    for name, text in NAMES.items():
        (folder / name).write_text(text, encoding="ascii")
        if Path("/etc", name).exists():
            _called("mount", bytes(folder / name), f"/etc/{name}".encode(), None, _BIND, None)
    _everything_is_here()


class Packets:
    """Counts what is sent in this network for as long as the context lasts."""

    def __init__(self) -> None:
        """Open the socket, which sees all from here on. Raises OSError where that is not allowed."""
        self.seen: Counter[Flight] = Counter()
        self.missed = 0
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ALL_KINDS))
        held = ctypes.create_string_buffer(_FILTER, len(_FILTER))
        self._socket.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", len(_FILTER) // 8, ctypes.addressof(held)))
        self._socket.settimeout(0.05)
        self._over = threading.Event()
        self._reader = threading.Thread(target=self._read, name="packets", daemon=True)

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._reader.join()
        self.missed = struct.unpack("II", self._socket.getsockopt(_PACKET_LEVEL, _STATISTICS, 8))[1]
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                head, where = self._socket.recvfrom(128)
            except TimeoutError:
                if self._over.is_set():
                    return
                continue
            if where[2] == _OUTGOING and (flight := _flight(head)) is not None:
                self.seen[flight] += 1


def _flight(head: bytes) -> Flight | None:
    """Return where a packet goes, None for what is an answer of a server on this machine."""
    if head[0] >> 4 == 4:  # noqa: PLR2004 - IPv4
        kind, address, at = head[9], str(ipaddress.IPv4Address(head[16:20])), 4 * (head[0] & 0xF)
    else:
        kind, address, at = head[6], str(ipaddress.IPv6Address(head[24:40])), 40
    if kind not in (_TCP, _UDP):
        return Flight(str(kind), address, 0)
    port_from, port = struct.unpack("!HH", head[at : at + 4])
    if kind == _UDP and port_from == 53:  # noqa: PLR2004 - what the names' own server answers
        return None
    return Flight("tcp" if kind == _TCP else "udp", address, port)


def _step(code: int, yes: int, no: int, value: int) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)


_LOAD, _AND, _EQUAL, _TAKE = 0x30, 0x54, 0x15, 0x06
_FILTER: Final = b"".join(
    (
        _step(_LOAD, 0, 0, 0), _step(_AND, 0, 0, 0xF0), _step(_EQUAL, 0, 8, 0x40),
        # IPv4: no ICMP (the kernel's own); of TCP what asks for a connection
        _step(_LOAD, 0, 0, 9), _step(_EQUAL, 13, 0, 1), _step(_EQUAL, 0, 11, _TCP),
        _step(0xB1, 0, 0, 0), _step(0x50, 0, 0, 13), _step(_AND, 0, 0, 0x12), _step(_EQUAL, 7, 8, 0x02), _step(_TAKE, 0, 0, 0),
        # IPv6: the same
        _step(_EQUAL, 0, 6, 0x60), _step(_LOAD, 0, 0, 6), _step(_EQUAL, 4, 0, 58), _step(_EQUAL, 0, 2, _TCP),
        _step(_LOAD, 0, 0, 53), _step(0x05, 0, 0, 3), _step(_TAKE, 0, 0, 0xFFFF), _step(_TAKE, 0, 0, 0), _step(_TAKE, 0, 0, 0),
        _step(_AND, 0, 0, 0x12), _step(_EQUAL, 0, 1, 0x02), _step(_TAKE, 0, 0, 0xFFFF), _step(_TAKE, 0, 0, 0),
    )
)  # fmt: skip


def _everything_is_here() -> None:
    """Switch the loopback device on, and let every address be on it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        _name, flags = struct.unpack("16sh", fcntl.ioctl(plain, _GET_FLAGS, struct.pack("16sh", b"lo", 0)))
        fcntl.ioctl(plain, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _UP))
    loopback = socket.if_nametoindex("lo")
    by_loopback = struct.pack("HHI", 8, _OUT_BY, loopback)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.bind((0, 0))
        for family, address in HERE.items():
            if family == socket.AF_INET6 and not Path("/proc/sys/net/ipv6").exists():
                continue
            here = socket.inet_pton(family, address)
            own = struct.pack("BBBBI", family, len(here) * 8, 0, 0, loopback)
            twice = b"".join(struct.pack("HH", 4 + len(here), kind) + here for kind in (_ADDRESS, _ITSELF))
            _asked(kernel, _NEW_ADDRESS, own + twice)
            scope = _ON_HOST if family == socket.AF_INET else 0
            route = struct.pack("BBBBBBBBI", family, 0, 0, 0, _LOCAL_TABLE, _BOOT, scope, _LOCAL, 0)
            _asked(kernel, _NEW_ROUTE, route + by_loopback)


def _asked(kernel: socket.socket, kind: int, said: bytes) -> None:
    kernel.send(struct.pack("IHHII", 16 + len(said), kind, _ASK_ACK_MAKE, 1, 0) + said)
    answer = kernel.recv(4096)
    (answered,) = struct.unpack("H", answer[4:6])
    (error,) = struct.unpack("i", answer[16:20])
    if answered == _ERROR and error:
        raise OSError(-error, os.strerror(-error))


def _called(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments):
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
