"""What is so just now, for `/metrics`: queues, models and their memory, the index beside the database, the process, the disk."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from bot.config import MEBIBYTE
from bot.metrics import Gauge, Labels
from bot.models.memory import resident_mb

if TYPE_CHECKING:
    from bot.loop_watch import LoopWatch
    from bot.models.pool import Pool
    from bot.retrieval.health import Status
    from bot.store.gauges import Queue


def queue_gauges(queues: Mapping[str, Queue]) -> list[Gauge]:
    """Return how long the queues are, and how old."""
    lengths: dict[Labels, float] = {(name, "waiting"): float(queue.waiting) for name, queue in queues.items()}
    lengths |= {(name, "dead"): float(queue.dead) for name, queue in queues.items()}
    ages: dict[Labels, float] = {(name,): queue.oldest_s for name, queue in queues.items()}
    return [
        Gauge("paring_queue_length", "Rows that wait, and those set aside for good.", lengths, labels=("queue", "state")),
        Gauge("paring_queue_age_seconds", "Since the oldest that waits came; 0 where none does.", ages, labels=("queue",)),
    ]


def swap_gauges(swaps: Mapping[str, int]) -> Gauge:
    """Return how the swaps of models ended."""
    return Gauge(
        "paring_swaps", "Swaps of models, by state.", {(state,): float(n) for state, n in swaps.items()}, labels=("state",)
    )


def pool_gauges(pool: Pool) -> list[Gauge]:
    """Return what is loaded, and what is live."""
    taken, budget_mb = pool.memory
    loaded: dict[Labels, float] = {(row.slot, row.model): float(row.ram_mb * MEBIBYTE) for row in pool.memory_rows()}
    live: dict[Labels, float] = dict.fromkeys(pool.live_models().items(), 1.0)
    return [
        Gauge("paring_model_memory_bytes", "Memory of loaded models.", loaded, labels=("slot", "model")),
        Gauge("paring_models_memory_bytes", "Of all loaded models together.", float(taken * MEBIBYTE)),
        Gauge("paring_models_memory_budget_bytes", "What they may take.", float(budget_mb * MEBIBYTE)),
        Gauge("paring_model_live", "1 for the model that is live in its slot.", live, labels=("slot", "model")),
    ]


def index_gauges(status: Status) -> list[Gauge]:
    """Return the index beside the database: passages, vectors, what is in memory, and by how much that differs."""
    held: dict[Labels, float] = {("database",): status.passages, ("vectors",): status.vectors, ("memory",): status.in_memory}
    drift = abs(status.vectors - status.in_memory) + status.without_vector
    return [
        Gauge("paring_index_passages", "Passages, and vectors of them.", held, labels=("where",)),
        Gauge("paring_index_drift", "Passages that the index in memory lacks or has too many.", float(drift)),
        Gauge("paring_documents", "Documents that may be searched.", float(status.documents)),
    ]


def process_gauges(home: Path, *, begun: float, watch: LoopWatch) -> list[Gauge]:
    """Return what the process takes, under the names that every Prometheus client uses, and what its disk has left."""
    used = time.process_time()
    found = [
        Gauge("paring_info", "1; which Paring this is.", {(_version(),): 1.0}, labels=("version",)),
        Gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", begun),
        Gauge("process_resident_memory_bytes", "Resident memory size in bytes.", float(resident_mb() * MEBIBYTE)),
        Gauge("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.", used, kind="counter"),
        Gauge("paring_loop_lag_seconds", "How late the event loop was when it was asked for a sign of life.", watch.lag_s),
        Gauge("paring_loop_blocked_total", "How often the event loop was blocked.", float(watch.blocked), kind="counter"),
    ]
    with suppress(OSError):
        found.append(Gauge("process_open_fds", "Number of open file descriptors.", float(len(os.listdir("/proc/self/fd")))))  # noqa: PTH208
    with suppress(OSError):
        free = float(shutil.disk_usage(home).free)
        found.append(Gauge("paring_disk_free_bytes", "Left on the disk of the home.", free))
    return found


@cache
def _version() -> str:
    try:
        return version("paring")
    except PackageNotFoundError:
        return "unknown"
