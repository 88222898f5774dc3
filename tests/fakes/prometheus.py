"""A strict reader of Prometheus' text format: what it takes, Prometheus takes; what is odd is an AssertionError.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_SAMPLE = re.compile(rf"({NAME})(?:\{{(.*)\}})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')
Labels = frozenset[tuple[str, str]]
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


@dataclass
class Family:
    kind: str
    samples: dict[tuple[str, Labels], float] = field(default_factory=dict)

    def of(self, suffix: str = "", **labels: str) -> float:
        (found,) = [
            value for (name, known), value in self.samples.items() if name == suffix and known == frozenset(labels.items())
        ]
        return found


def read(text: str) -> dict[str, Family]:
    """Return the families by name."""
    assert text.endswith("\n"), "the last line has no end"
    families: dict[str, Family] = {}
    described = name = ""
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP "):
            described = line.split(" ")[2]
            assert described not in families, f"{described} stands there twice"
        elif line.startswith("# TYPE "):
            _hash, _type, name, kind = line.split(" ")
            assert name == described, f"{name} is not described"
            families[name] = Family(kind)
        else:
            _sample(line, name, families[name])
    for name, family in families.items():
        _check(name, family)
    return families


def _sample(line: str, name: str, family: Family) -> None:
    found = _SAMPLE.fullmatch(line)
    assert found, f"no sample: {line!r}"
    suffix = found[1].removeprefix(name)
    assert found[1].startswith(name), f"{found[1]} stands among {name}"
    assert suffix in SUFFIXES[family.kind], line
    labels = _LABEL.findall(found[2] or "")
    assert "".join(one[0] for one in _LABEL.finditer(found[2] or "")) == (found[2] or ""), f"bad labels: {line!r}"
    key = (suffix, frozenset(labels))
    assert len({one for one, _value in labels}) == len(labels), line
    assert key not in family.samples, f"twice: {line!r}"
    family.samples[key] = float(found[3])


def _check(name: str, family: Family) -> None:
    if family.kind == "counter":
        assert all(value >= 0 for value in family.samples.values()), name
    if family.kind != "histogram":
        return
    for (suffix, labels), count in list(family.samples.items()):
        if suffix == "_count":
            buckets = sorted(
                (float(dict(known)["le"]), value)
                for (kind, known), value in family.samples.items()
                if kind == "_bucket" and frozenset(one for one in known if one[0] != "le") == labels
            )
            assert buckets[-1] == (math.inf, count), name
            assert [value for _bound, value in buckets] == sorted(value for _bound, value in buckets), name
            assert ("_sum", labels) in family.samples, name
