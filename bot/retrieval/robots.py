r"""What a site's robots.txt allows. Pure; linear in the file and in the address.

    Robots.parse("User-agent: *\nDisallow: /private/*.pdf$\n").allows("Paring", "/private/a.pdf")   # False

Source: RFC 9309: groups (2.2.1), the longest rule wins and Allow where two are equally long (2.2.2), `*` and `$` (2.2.3). The
standard library's parser takes the first rule, any agent that contains ours, and knows no signs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote_to_bytes

MOST_RULES: Final = 2000
LONGEST_RULE: Final = 1024
_UNRESERVED: Final = "/*$?&=:@!'()+,;~-._%"


@dataclass(frozen=True, slots=True)
class Robots:
    """Rules by agent, in lower case: (allowed, pattern)."""

    groups: tuple[tuple[str, tuple[tuple[bool, str], ...]], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Robots:
        """Read the file; lines that are none of it are passed over."""
        groups: dict[str, list[tuple[bool, str]]] = {}
        agents: list[str] = []
        open_group = False
        for key, value in _lines(text):
            if key == "user-agent":
                agents = [*agents, value.lower()] if open_group else [value.lower()]
                open_group = True
                groups.setdefault(value.lower(), [])
            elif key in ("allow", "disallow"):
                open_group = False
                for agent in agents:
                    if value and len(groups[agent]) < MOST_RULES:
                        groups[agent].append((key == "allow", _normal(value[:LONGEST_RULE])))
        return cls(tuple((agent, tuple(rules)) for agent, rules in groups.items()))

    def allows(self, agent: str, target: str) -> bool:
        """Say whether `agent` may ask for `target`, the path and query of an address."""
        rules = dict(self.groups)
        mine = rules.get(agent.lower(), rules.get("*", ()))
        target = _normal(target)
        fitting = [(len(pattern), allowed) for allowed, pattern in mine if _fits(pattern, target)]
        return max(fitting)[1] if fitting else True


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.removeprefix("\ufeff").splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield key.strip().lower(), value.strip()


def _normal(part: str) -> str:
    """Return a path with one way to write each sign: `%7e` is `~`, a Hangul letter its percent-encoded bytes."""
    return quote(unquote_to_bytes(part.replace("%2F", "%252F").replace("%2f", "%252F")), safe=_UNRESERVED)


def _fits(pattern: str, target: str) -> bool:
    """Say whether `target` begins as `pattern` says; the parts between its stars are looked for from left to right, once each."""
    whole = pattern.endswith("$")
    head, *parts = pattern.removesuffix("$").split("*")
    if not target.startswith(head):
        return False
    at = len(head)
    for number, part in enumerate(parts, 1):
        if whole and number == len(parts):
            return target.endswith(part) and len(target) - len(part) >= at
        found = target.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return not whole or bool(parts) or at == len(target)
