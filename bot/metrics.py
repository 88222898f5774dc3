"""Numbers about the running bot, in Prometheus' text format. Labels are parts, models and kinds: never a chat, a person or a text.

    metrics = Metrics()
    messages = metrics.counter("paring_messages_total", "Messages, by what became of them.", ("channel", "outcome"))
    messages.add("telegram", "answered")            # about 0.3 µs
    metrics.text()

Owns counting and the format. Leaves to `bot.health` what is counted where, and what is only asked when somebody looks.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, Protocol

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
MOST_SERIES: Final = 200
"""Of one metric. What comes beyond is counted together, as OTHER: a stranger's skill must not fill the memory with labels."""
OTHER: Final = "other"
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
LATELY: Final = 200
"""Of how many values at most the quantiles are."""
QUANTILES: Final = (0.5, 0.95)

Labels = tuple[str, ...]


class Metric(Protocol):
    """Something that has lines."""

    def lines(self) -> Iterator[str]:
        """Yield its lines, the two that describe it first."""
        ...


class Metrics:
    """All numbers of one bot."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._metrics: list[Metric] = []

    def counter(self, name: str, about: str, labels: Labels = ()) -> Counter:
        """Return a new counter."""
        counter = Counter(name, about, labels)
        self._metrics.append(counter)
        return counter

    def histogram(self, name: str, about: str, labels: Labels = (), *, bounds: Sequence[float] = SECONDS) -> Histogram:
        """Return a new histogram whose buckets end at `bounds`."""
        histogram = Histogram(name, about, labels, bounds)
        self._metrics.append(histogram)
        return histogram

    def lately(self, name: str, about: str, labels: Labels = ()) -> Lately:
        """Return a new summary of the last values."""
        lately = Lately(name, about, labels)
        self._metrics.append(lately)
        return lately

    def text(self, gauges: Sequence[Gauge] = ()) -> str:
        """Return all of it, and `gauges`, as Prometheus reads it."""
        return "".join(f"{line}\n" for metric in (*self._metrics, *gauges) for line in metric.lines())


class Counter:
    """Goes up."""

    def __init__(self, name: str, about: str, labels: Labels) -> None:
        """Begin with nothing; a series is there from its first count on."""
        self._head, self._name, self._labels = _head(name, about, "counter"), name, labels
        self._values: dict[Labels, float] = {} if labels else {(): 0.0}

    def add(self, *labels: str, by: float = 1.0) -> None:
        """Count."""
        if labels not in self._values:
            labels = _bounded(labels, self._values)
        self._values[labels] = self._values.get(labels, 0.0) + by

    def of(self, *labels: str) -> float:
        """Return what was counted."""
        return self._values.get(labels, 0.0)

    def lines(self) -> Iterator[str]:
        """Yield its lines."""
        yield from self._head
        for values, number in list(self._values.items()):
            yield _line(self._name, self._labels, values, number)


class Histogram:
    """How often a value was no more than each bound."""

    def __init__(self, name: str, about: str, labels: Labels, bounds: Sequence[float]) -> None:
        """Begin with nothing."""
        self._head, self._name, self._labels = _head(name, about, "histogram"), name, labels
        self._bounds = tuple(bounds)
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def observe(self, value: float, *labels: str) -> None:
        """Count `value`."""
        counts = self._counts.get(labels)
        if counts is None:
            labels = _bounded(labels, self._counts)
            counts = self._counts.setdefault(labels, [0] * (len(self._bounds) + 1))
        counts[bisect_left(self._bounds, value)] += 1
        self._sums[labels] = self._sums.get(labels, 0.0) + value

    def lines(self) -> Iterator[str]:
        """Yield its lines: buckets hold all that is no more than their bound."""
        yield from self._head
        for values, counts in list(self._counts.items()):
            below = 0
            for bound, count in zip((*self._bounds, math.inf), list(counts), strict=True):
                below += count
                yield _line(f"{self._name}_bucket", (*self._labels, "le"), (*values, _number(bound)), below)
            yield _line(f"{self._name}_sum", self._labels, values, self._sums.get(values, 0.0))
            yield _line(f"{self._name}_count", self._labels, values, below)


class Lately:
    """The quantiles of the last values, for whoever has no Prometheus to compute them of a histogram."""

    def __init__(self, name: str, about: str, labels: Labels) -> None:
        """Begin with nothing."""
        self._head, self._name, self._labels = _head(name, about, "summary"), name, labels
        self._last: dict[Labels, deque[float]] = {}
        self._sums: dict[Labels, tuple[int, float]] = {}

    def observe(self, value: float, *labels: str) -> None:
        """Take a value in."""
        last = self._last.get(labels)
        if last is None:
            labels = _bounded(labels, self._last)
            last = self._last.setdefault(labels, deque(maxlen=LATELY))
        last.append(value)
        count, total = self._sums.get(labels, (0, 0.0))
        self._sums[labels] = count + 1, total + value

    def quantiles(self) -> Mapping[Labels, Mapping[float, float]]:
        """Return the quantiles of the last values, by labels."""
        return {labels: {share: _nearest(sorted(last), share) for share in QUANTILES} for labels, last in self._last.items()}

    def lines(self) -> Iterator[str]:
        """Yield its lines."""
        yield from self._head
        for values, found in list(self.quantiles().items()):
            for share, value in found.items():
                yield _line(self._name, (*self._labels, "quantile"), (*values, _number(share)), value)
            count, total = self._sums[values]
            yield _line(f"{self._name}_sum", self._labels, values, total)
            yield _line(f"{self._name}_count", self._labels, values, count)


class Gauge:
    """What is so just now, made when it is asked for."""

    def __init__(
        self, name: str, about: str, values: float | Mapping[Labels, float], *, labels: Labels = (),
        kind: Literal["gauge", "counter"] = "gauge",
    ) -> None:  # fmt: skip
        """Take the value, or those by their labels. `kind` is "counter" for what somebody else has counted."""
        self._head, self._name, self._labels = _head(name, about, kind), name, labels
        self._values = values if isinstance(values, Mapping) else {(): values}

    def lines(self) -> Iterator[str]:
        """Yield its lines."""
        yield from self._head
        for values, number in list(self._values.items())[:MOST_SERIES]:
            yield _line(self._name, self._labels, values, number)


def _head(name: str, about: str, kind: str) -> tuple[str, str]:
    about = about.replace("\\", "\\\\").replace("\n", "\\n")
    return f"# HELP {name} {about}", f"# TYPE {name} {kind}"


def _bounded(labels: Labels, known: Mapping[Labels, object]) -> Labels:
    return labels if len(known) < MOST_SERIES or labels in known else (OTHER,) * len(labels)


def _line(name: str, labels: Labels, values: Labels, number: float) -> str:
    told = ",".join(f'{label}="{_escaped(value)}"' for label, value in zip(labels, values, strict=True))
    return f"{name}{{{told}}} {_number(number)}" if told else f"{name} {_number(number)}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _nearest(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan
