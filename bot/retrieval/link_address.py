"""What a link says, read strictly, and which addresses are on the public internet.

Owns: one reading of a link, used for what is checked, what is looked up and what is sent alike, so that no two parts can understand
it differently. Leaves to `bot.retrieval.links` what is fetched.

    parse("https://Example.org/a b?q=1")     # Link("https", "example.org", 443, "/a%20b?q=1")
    is_public("::ffff:10.0.0.1")             # False

Source: RFC 3986; UTS 46 (names in other scripts); the IANA registries of special-purpose addresses (RFC 6890); RFC 6052, 4.2.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from bot import lazy
from bot.errors import RefusedLinkError
from bot.locale import phrases

_ = phrases(__file__)

PORTS: Final = {"http": 80, "https": 443}
LONGEST_LINK: Final = 8192
LONGEST_NAME: Final = 253
"""RFC 1035 2.3.4, as it is written with dots."""
INSIDE: Final = frozenset(
    {
        "localhost",
        "local",
        "internal",
        "intranet",
        "private",
        "corp",
        "home",
        "lan",
        "localdomain",
        "onion",
        "arpa",
        "ip6-localhost",
    }
)
"""Last labels that are no part of the public DNS: they are not even asked for, for the question itself stays within a house."""
NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    )
)  # fmt: skip
UNICAST: Final = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is given to anybody. What lies outside is local, or stands for an IPv4 address."""
NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
NOWHERE: Final = tuple(
    ipaddress.ip_network(network)
    for network in ("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/128", "fe80::/10", "fec0::/10", "ff00::/8")
)
"""Where no site of a house is either: this machine by another name, a cloud's metadata, many machines at once."""
_KEPT: Final = "/%:@!$&'()*+,;=~-._?"
_NAME: Final = lazy.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER: Final = lazy.compile(r"[0-9]+|0x[0-9a-f]*")
_CONTROL: Final = lazy.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Link:
    """A link in ASCII: `host` in lower case and punycode, without brackets or a last dot; `target` is what is asked there."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def site(self) -> str:
        """The host as a Host header says it, with the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.site}"

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def usual_port(self) -> bool:
        """Whether the port is the scheme's own."""
        return self.port == PORTS[self.scheme]

    @property
    def is_literal(self) -> bool:
        """Whether the host is an address."""
        return ":" in self.host or self.host.rpartition(".")[2].isdecimal()

    @property
    def is_inside(self) -> bool:
        """Whether the host is a name that the public internet cannot have."""
        return not self.is_literal and ("." not in self.host or self.host.rpartition(".")[2] in INSIDE)

    def beside(self, target: str) -> Link:
        """Return the link to `target` of the same site."""
        return replace(self, target=target)

    def follow(self, location: str) -> Link:
        """Return where a redirect leads. Raises RefusedLinkError as `parse`."""
        return parse(urljoin(f"{self.origin}{self.target}", location))

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"


def parse(url: str) -> Link:
    """Return what `url` says.

    Raises:
        RefusedLinkError: another scheme, a password in it, or no link at all.
    """
    url = url.strip()
    try:
        parts = urlsplit("" if len(url) > LONGEST_LINK or _CONTROL.search(url) else url)
        port, name = parts.port, parts.hostname
        carries, bracketed = "@" in parts.netloc, "[" in parts.netloc
        host = (
            host_of(f"[{name}" if bracketed and ":" not in name else name)
            if name and not carries and parts.scheme in PORTS
            else ""
        )
    except ValueError:
        raise RefusedLinkError(_("This is no link that I can read. It begins with https:// and a name.")) from None
    if parts.scheme not in PORTS or not name:
        raise RefusedLinkError(_("I only fetch links that begin with http:// or https://."))
    if carries:
        raise RefusedLinkError(_("This link carries a password, so I do not fetch it. Please paste the text."))
    query = f"?{_quoted(parts.query)}" if parts.query else ""
    return Link(parts.scheme, host, PORTS[parts.scheme] if port is None else port, f"{_quoted(parts.path or '/')}{query}")


def host_of(name: str) -> str:
    """Return the host in one spelling. Raises ValueError for what is none, also for an address in another spelling than four numbers."""
    if ":" in name:
        address = ipaddress.IPv6Address(name)
        if address.scope_id is not None:
            raise ValueError(name)
        return str(address)
    if not name.isascii():
        import idna  # noqa: PLC0415 - its tables are large, and few names need them

        name = idna.encode(name[:LONGEST_NAME], uts46=True).decode("ascii")
    name = name.lower().removesuffix(".")
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise ValueError(name)
    return str(ipaddress.IPv4Address(name)) if _NUMBER.fullmatch(name.rpartition(".")[2]) else name


def is_public(address: str) -> bool:
    """Say whether `address` (an IP literal) is one that anybody on the internet may reach, also by what it carries within."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in NAT64 else None)
        if inner is not None:
            return is_public(str(inner))
        if ip not in UNICAST:
            return False
    return not any(ip in network for network in NOT_PUBLIC)


def may_be_inside(address: str) -> bool:
    """Say whether a site that an admin allowed by its name may be at `address`: in the house, but not where no site is."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return not any(ip in network for network in NOWHERE)


def _quoted(part: str) -> str:
    return quote(part, safe=_KEPT, errors="replace")
