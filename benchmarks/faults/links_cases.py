"""What is tried on the fetcher: names and what a hostile DNS says of them, links in every spelling, and sites that lie.

Each case is a link and what may come of it: "no" (a sentence, and nothing private was spoken to), "page" (a file of it).
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from fakes.site import MISSING, Said, page

PUBLIC: Final = "93.184.215.14"
PUBLIC6: Final = "2606:2800:220:1::14"
INTRANET: Final = "10.0.0.5"
PAGE: Final = page(b"<title>Plan</title><p>The team moves in March.</p>")
PRIVATE: Final = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0",  # noqa: S104 - an address to be refused
    "10.1.2.3", "172.16.0.1", "172.31.255.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "192.0.0.192", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1",
)  # fmt: skip
PRIVATE6: Final = (
    "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1", "2002:7f00:1::1", "2002:a00:1::", "2001:0:5db8:d70e::f5ff:fffe", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254",
    "ff02::1", "2001:db8::1", "100::1",
)  # fmt: skip
SPELLINGS: Final = (
    "127.0.0.1", "2130706433", "017700000001", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "00.0.0.0", "0", "0.0.0.0",  # noqa: S104 - as above
    "127.0.0.1.", "127.0.0.1..", "3232235777", "0xa9fea9fe", "169.254.169.254", "0251.0376.0251.0376", "2852039166", "100.64.0.1",
    "10.0.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:a9fe:a9fe]", "[::127.0.0.1]", "[fe80::1%25lo]",
    "[fe80::1%lo]", "[fd00:ec2::254]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "localhost", "LOCALHOST", "localhost.", "a.localhost",
    "localhost.localdomain", "ip6-localhost", "wiki", "wiki.", "db.internal", "printer.local", "metadata.google.internal",
    "host.docker.internal", "router.lan",
    "１２７.０.０.１", "127。0。0。1", "１２７．１", "①②⑦.⓪.⓪.①", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "loc%61lhost", "127.0.0.1%00.fine.example",
    "127.0.0.1\\@fine.example", "fine.example\\@127.0.0.1", "fine.example@127.0.0.1", "127.0.0.1#@fine.example", "127.0.0.1:80@fine.example",
    "127.0.0.1:80", "fine.example:22", "fine.example:6379", "fine.example:0", "fine.example:65536", "fine.example:443x",
    "xn--", "xn--a.example", "a" * 64 + ".example", "a." * 200 + "example", "fi\u00adne.local\u00adhost", "[::1", "::1", "[v1.a:b]",
)  # fmt: skip
SCHEMES: Final = (
    "file:///etc/passwd", "ftp://fine.example/", "gopher://127.0.0.1:6379/_x", "dict://127.0.0.1:11211/", "data:text/html,x",
    "javascript:alert(1)", "unix:/run/docker.sock", "//127.0.0.1/", "http:127.0.0.1", "http:///127.0.0.1", "http:\\\\127.0.0.1\\",
    "view-source:http://127.0.0.1/", "jar:http://127.0.0.1!/", "http://fine.example:80:80/", "https://127.0.0.1/", "http://\t127.0.0.1/",
)  # fmt: skip
WHEREVER: Final = (
    "http://127.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://2130706433/", "http://[::ffff:127.0.0.1]/", "http://localhost/",
    "//127.0.0.1/", "http://a-127-0-0-1.example/", "file:///etc/passwd", "http://fine.example:22/", "http://ann:x@fine.example/",
    "http://turns-to-127.example/", "https://127.0.0.1/", "\\\\127.0.0.1\\x", "http://127.0.0.1\r\nHost: x",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One link; `slow` ones wait for somebody who does not answer."""

    link: str
    may: str = "no"
    slow: bool = False


@cache
def zone() -> dict[str, list[Mapping[str, list[str]]]]:
    """Return what the names answer."""
    said: dict[str, list[Mapping[str, list[str]]]] = {
        "fine.example": [{"A": [PUBLIC], "AAAA": [PUBLIC6]}],
        "wiki.intra": [{"A": [INTRANET]}],
    }
    for one in PRIVATE:
        label = one.replace(".", "-")
        said[f"a-{label}.example"] = [{"A": [one]}]
        said[f"mixed-{label}.example"] = [{"A": [PUBLIC, one]}]
        said[f"mixed6-{label}.example"] = [{"AAAA": [PUBLIC6], "A": [one]}]
    for number, one in enumerate(PRIVATE6):
        said[f"six-{number}.example"] = [{"AAAA": [one]}]
        said[f"both-{number}.example"] = [{"A": [PUBLIC], "AAAA": [one]}]
    for inside in ("127.0.0.1", "169.254.169.254", "10.0.0.5"):
        said[f"turns-to-{inside.partition('.')[0]}.example"] = [{"A": [PUBLIC]}, {"A": [inside]}]
        said[f"turns-late-{inside.partition('.')[0]}.example"] = [{"A": [PUBLIC]}, {"A": [PUBLIC]}, {"A": [inside]}]
        said[f"turns-and-back-{inside.partition('.')[0]}.example"] = [{"A": [inside]}, {"A": [PUBLIC]}]
    said["chain0.example"] = [{"CNAME": ["chain1.example"]}]
    said["chain1.example"] = [{"CNAME": ["chain2.example"]}]
    said["chain2.example"] = [{"A": ["127.0.0.1"]}]
    said["chain-fine.example"] = [{"CNAME": ["fine.example"]}]
    said["loop0.example"], said["loop1.example"] = [{"CNAME": ["loop1.example"]}], [{"CNAME": ["loop0.example"]}]
    said["to-localhost.example"] = [{"CNAME": ["localhost"]}]
    said["localhost"] = [{"A": ["127.0.0.1"]}]
    said["hundred.example"] = [{"A": [f"93.184.215.{number}" for number in range(1, 101)]}]
    said["hundred-and-one.example"] = [{"A": ["10.0.0.9", *(f"93.184.215.{number}" for number in range(1, 101))]}]
    for odd in ("silence", "garbage", "cut", "stranger", "servfail"):
        said[f"{odd}.example"] = [{"odd": [odd], "A": [PUBLIC if odd != "stranger" else "127.0.0.1"]}]
    said |= {f"{name}.example": [{"A": [PUBLIC]}] for name in (*sites(), "wrong-name", "drip", "mute")}
    return said


@cache
def sites() -> dict[str, Mapping[str, Said]]:
    """Return the sites of the public side: by the first label of their names, by path."""
    told: dict[str, Mapping[str, Said]] = {}
    for number, where in enumerate(WHEREVER):
        moved = f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode()
        told[f"moved-{number}"] = {"/": moved}
        told[f"rules-moved-{number}"] = {"/robots.txt": moved, "/": PAGE}
        told[f"refresh-{number}"] = {
            "/": page(f'<meta http-equiv="refresh" content="0;url={where}"><p>Text.</p>'.encode(), f"Refresh: 0;url={where}")
        }
    told["wiki"] = {"/": PAGE} | {f"/moved-{number}": told[f"moved-{number}"]["/"] for number in range(len(WHEREVER))}
    told["circle"] = {"/": b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"}
    told["farther"] = {
        f"/{'x' * n}": f"HTTP/1.1 307 T\r\nLocation: /{'x' * (n + 1)}\r\nContent-Length: 0\r\n\r\n".encode() for n in range(9)
    }
    told["forbidden"] = {"/robots.txt": page(b"User-agent: *\nDisallow: /\n"), "/": PAGE}
    told["forbidden-us"] = {"/robots.txt": page(b"User-agent: paring\nDisallow: /\n\nUser-agent: *\nAllow: /\n"), "/": PAGE}
    told["unsure"] = {"/robots.txt": b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "/": PAGE}
    told["rules-endless"] = {
        "/robots.txt": lambda: _endless(b"HTTP/1.1 200 OK\r\n\r\n", b"User-agent: *\nDisallow: /\n" * 4000),
        "/": PAGE,
    }
    told |= {name: {"/": said} for name, said in _lies().items()}
    return told


def _lies() -> dict[str, Said]:
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
    bomb, zeros = gzip.compress(bytes(60 << 20)), bytes(60 << 20)
    squeezed = zlib.compress(zeros)
    return {
        "bomb": page(bomb, "Content-Encoding: gzip"),
        "bomb-bomb": page(gzip.compress(bomb), "Content-Encoding: gzip, gzip"),
        "bomb-members": page(gzip.compress(bytes(1 << 20)) * 200, "Content-Encoding: gzip"),
        "deflate": page(squeezed, "Content-Encoding: deflate"),
        "br": page(squeezed, "Content-Encoding: br"),
        "zstd": page(squeezed, "Content-Encoding: zstd"),
        "cut-gzip": page(gzip.compress(b"x" * 9000)[:-30], "Content-Encoding: gzip"),
        "endless": lambda: _endless(head.encode() + b"\r\n", b"<p>more</p>" * 8000),
        "endless-chunks": lambda: _endless(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 4000),
        "endless-head": lambda: _endless(head.encode(), b"X-More: " + b"y" * 4000 + b"\r\n"),
        "endless-line": lambda: _endless(b"HTTP/1.1 200 ", b"O" * 60_000),
        "endless-hints": lambda: _endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 500),
        "too-short": f"{head}Content-Length: 9000\r\n\r\nshort".encode(),
        "huge-length": f"{head}Content-Length: {10**30}\r\n\r\nx".encode(),
        "minus-length": f"{head}Content-Length: -5\r\n\r\nx".encode(),
        "two-lengths": f"{head}Content-Length: 5\r\nContent-Length: 50\r\n\r\nhello".encode(),
        "bad-chunk": f"{head}Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n".encode(),
        "huge-chunk": f"{head}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello\r\n".encode(),
        "old": b"<html>HTTP/0.9</html>",
        "other": b"SSH-2.0-OpenSSH_9.9\r\n",
        "nul": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi",
        "upgrade": b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        "program": page(b"\x7fELF", kind="application/x-executable"),
        "gone": MISSING,
        "closed": lambda: iter(()),
    }


def _endless(first: bytes, more: bytes) -> Iterator[bytes]:
    yield first
    while True:
        yield more


def cases() -> list[Case]:
    """Return all that is tried."""
    fine = [
        Case("http://fine.example/", "page"),
        Case("http://chain-fine.example/", "page"),
        Case("http://hundred.example/", "page"),
    ]
    named = [
        Case(f"http://{name}/")
        for name in zone()
        if name.startswith(("a-", "mixed", "six-", "both-", "turns-to", "turns-and", "chain0", "loop"))
    ]
    named += [
        Case(f"http://{name}.example/")
        for name in ("to-localhost", "hundred-and-one", "garbage", "cut", "stranger", "servfail", "nowhere")
    ]
    named += [Case("http://silence.example/", slow=True)]
    literal = [Case(f"http://{one}/") for one in (*SPELLINGS, *PRIVATE)] + [Case(link) for link in SCHEMES]
    taken = ("refresh-", "circle", "nul", "turns-late")
    told = [
        Case(f"http://{name}.example/", slow=name == "farther")
        for name in sites()
        if not name.startswith(taken) and "rules-moved" not in name and name != "wiki"
    ]
    told += [Case("http://drip.example/", slow=True), Case("http://mute.example/", slow=True)]
    told += [Case(f"http://{name}.example/", "page") for name in sites() if name.startswith("refresh-")]
    told += [Case(f"http://rules-moved-{number}.example/", "any") for number in range(len(WHEREVER))]
    told += [Case("http://circle.example/"), Case("http://nul.example/", "any")]
    told += [Case(f"http://turns-late-{where}.example/", "any") for where in ("127", "169", "10")]
    return [*fine, *named, *literal, *told, Case("https://wrong-name.example/"), Case("https://fine.example/", "page")]


def intranet_cases() -> list[Case]:
    """Return what is tried where an admin allowed wiki.intra and its address: these two, and nothing else of the house."""
    others = (
        "http://10.0.0.6/",
        "http://a-10-1-2-3.example/",
        "http://wiki.intra.example/",
        "http://mail.intra/",
        "http://wiki.intra@10.0.0.6/",
    )
    moved = [Case(f"http://wiki.intra/moved-{number}") for number in range(len(WHEREVER))]
    return [Case("http://wiki.intra/", "page"), Case(f"http://{INTRANET}/", "page"), *map(Case, others), *moved]
