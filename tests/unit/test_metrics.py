import math
import timeit

import pytest
from fakes.prometheus import read

from bot.metrics import LATELY, MOST_SERIES, Gauge, Metrics

STRANGE = 'a "quoted" \\ one\nof two lines, 한글'


def test_what_is_counted_reads_as_prometheus_has_it() -> None:
    metrics = Metrics()
    sends = metrics.counter("sends_total", "Sends,\nall of them.", ("channel",))
    seconds = metrics.histogram("seconds", "How long.", ("skill",), bounds=(0.1, 1.0))
    metrics.counter("quiet_total", "Nothing yet.")
    sends.add("telegram")
    sends.add("telegram", by=2)
    sends.add(STRANGE)
    for value in (0.05, 0.1, 0.5, 7.0):
        seconds.observe(value, "search")
    families = read(metrics.text([Gauge("age_seconds", "Age.", {("inbox",): 1.5}, labels=("queue",)), Gauge("up", "Up.", 1.0)]))
    assert families["sends_total"].of(channel="telegram") == 3
    assert len(families["sends_total"].samples) == 2
    assert [families["seconds"].of("_bucket", skill="search", le=bound) for bound in ("0.1", "1", "+Inf")] == [2, 3, 4]
    assert families["seconds"].of("_sum", skill="search") == pytest.approx(7.65)
    assert families["quiet_total"].of() == 0
    assert (families["age_seconds"].of(queue="inbox"), families["up"].of()) == (1.5, 1.0)


def test_the_last_values_have_a_median_and_a_95th_percentile() -> None:
    metrics = Metrics()
    lately = metrics.lately("lately_seconds", "Lately.", ("skill",))
    for value in (*[1000.0] * 50, *range(1, LATELY + 1)):
        lately.observe(value, "search")
    family = read(metrics.text())["lately_seconds"]
    assert family.of(skill="search", quantile="0.5") == LATELY / 2
    assert family.of(skill="search", quantile="0.95") == LATELY * 0.95
    assert family.of("_count", skill="search") == LATELY + 50


def test_labels_without_end_are_counted_together() -> None:
    metrics = Metrics()
    sends, seconds = metrics.counter("sends_total", "Sends.", ("who",)), metrics.histogram("seconds", "Seconds.", ("who",))
    for number in range(10 * MOST_SERIES):
        sends.add(f"chat {number}")
        seconds.observe(1.0, f"chat {number}")
    families = read(metrics.text())
    assert families["sends_total"].of(who="other") == 9 * MOST_SERIES
    assert families["seconds"].of("_count", who="other") == 9 * MOST_SERIES
    assert len(families["sends_total"].samples) == MOST_SERIES + 1


def test_numbers_that_are_none_are_written_as_prometheus_writes_them() -> None:
    family = read(Metrics().text([Gauge("g", "G.", {("a",): math.inf, ("b",): math.nan, ("c",): 1e-9}, labels=("x",))]))["g"]
    assert family.of(x="a") == math.inf
    assert math.isnan(family.of(x="b"))
    assert family.of(x="c") == 1e-9


def test_counting_costs_a_few_microseconds() -> None:
    metrics = Metrics()
    sends, seconds = metrics.counter("sends_total", "Sends.", ("a", "b")), metrics.histogram("seconds", "Seconds.", ("a",))
    sends.add("telegram", "sent")
    best = min(timeit.repeat(lambda: (sends.add("telegram", "sent"), seconds.observe(0.2, "search")), number=1000, repeat=5))
    assert best < 1000 * 100e-6, "far more than it takes on the busiest machine"
