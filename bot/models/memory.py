"""How much memory and how many cores there are for models, what the process takes, and what each model was measured to take.

Owns: the numbers. Leaves to `bot.models.pool` and `bot.models.room` what follows from them.

    budget_mb(settings.models.ram_mb)          # 60 % of the machine, or of the container
    measured = MeasuredFile(settings.home / "measured.json")
    measured.ram_mb("embed.minilm.v1@53aa51172d14")
"""

from __future__ import annotations

import ctypes
import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

MEBIBYTE: Final = 1 << 20
SHARE_OF_MACHINE: Final = 0.6
ARENAS: Final = 2
_M_ARENA_MAX: Final = -8
_DONTNEED: Final = 4
"""MADV_DONTNEED, the same number on every processor but Alpha. Source: Linux, include/uapi/asm-generic/mman-common.h."""
_READ_ALONE: Final = ("r--p", "r--s")
"""Rights of a mapping into which nobody writes: what is given back of it stands in the file."""
_MAPPINGS: Final = Path("/proc/self/maps")
_CGROUPS: Final = Path("/sys/fs/cgroup")
NEWS: Final = 0.1
"""How much a load's time must differ from what is known, as a share of it, to be written down."""


class Measured(Protocol):
    """What models were measured to take, remembered from one start to the next."""

    def ram_mb(self, identity: str) -> int:
        """Return what `identity` was measured to take, 0 where it was never loaded."""
        ...

    def load_s(self, identity: str) -> float:
        """Return how long `identity` took to load the last time, 0.0 where it was never loaded."""
        ...

    def keep(self, identity: str, ram_mb: int, load_s: float = 0.0) -> None:
        """Remember them; 0 is no measurement.

        Of memory the largest counts: a later load may find freed memory to use again. Of a load's time the last one does: the
        next finds the files as it left them, in the system's cache.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Taken:
    ram_mb: int = 0
    load_s: float = 0.0


class MeasuredFile:
    """Measured, kept in one small file that the bot and a terminal share; where it cannot be written, each start measures anew."""

    def __init__(self, file: Path) -> None:
        """Read what is there."""
        self._file = file
        self._seen = (0, 0)
        self._known: dict[str, _Taken] = {}
        self._keeping = threading.Lock()
        self._take_in()

    def ram_mb(self, identity: str) -> int:
        """Return what `identity` was measured to take, 0 where it was never loaded."""
        return self._known.get(identity, _Taken()).ram_mb

    def load_s(self, identity: str) -> float:
        """Return how long `identity` took to load the last time, 0.0 where it was never loaded."""
        return self._known.get(identity, _Taken()).load_s

    def keep(self, identity: str, ram_mb: int, load_s: float = 0.0) -> None:
        """Remember what is more than was known, and a time to load that is another; take in what another process has kept by now."""
        with self._keeping:
            self._take_in()
            self._keep(identity, ram_mb, load_s)

    def _keep(self, identity: str, ram_mb: int, load_s: float) -> None:
        known = self._known.get(identity, _Taken())
        another = load_s > 0 and abs(load_s - known.load_s) > NEWS * known.load_s
        if ram_mb <= known.ram_mb and not another:
            return
        self._known[identity] = _Taken(max(ram_mb, known.ram_mb), load_s if another else known.load_s)
        aside = self._file.with_suffix(".new")
        rows = {key: {"ram_mb": taken.ram_mb, "load_s": taken.load_s} for key, taken in self._known.items()}
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(json.dumps(rows, indent=1, sort_keys=True), encoding="utf-8")
            aside.replace(self._file)
        except OSError:
            return

    def _take_in(self) -> None:
        """Read the file where it is another than was read: of memory the largest counts, of a load's time what was written last."""
        try:
            status = self._file.stat()
        except OSError:
            return
        if (status.st_ino, status.st_mtime_ns) == self._seen:
            return
        self._seen = (status.st_ino, status.st_mtime_ns)
        for identity, taken in self._read().items():
            known = self._known.get(identity, _Taken())
            self._known[identity] = _Taken(max(taken.ram_mb, known.ram_mb), taken.load_s or known.load_s)

    def _read(self) -> dict[str, _Taken]:
        try:
            said = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        rows = said.items() if isinstance(said, dict) else ()
        return {key: taken for key, value in rows if (taken := _taken(value)) is not None}


def budget_mb(setting_mb: int) -> int:
    """Return the budget for loaded models in MiB: the setting, or for 0 its share of the machine's memory."""
    return setting_mb or int(machine_mb() * SHARE_OF_MACHINE)


def machine_mb() -> int:
    """Return the memory in MiB that this process may take: the machine's, or what its control group allows of it."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([physical, *_group_limits()]) // MEBIBYTE


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_mb() -> int:
    """Return the memory in MiB that programs could still take without the machine's swapping."""
    import psutil  # noqa: PLC0415 - 10 ms that only who asks for this pays

    return min(int(psutil.virtual_memory().available) // MEBIBYTE, machine_mb())


def resident_mb(process: int = 0) -> int:
    """Return the resident memory in MiB of the process of that number, 0 for this one's; 0 where it has ended."""
    if Path("/proc/self/statm").exists():
        try:
            pages = int(Path(f"/proc/{process or 'self'}/statm").read_text(encoding="ascii").split()[1])
        except (OSError, IndexError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE") // MEBIBYTE
    import psutil  # noqa: PLC0415 - only where there is no /proc

    try:
        return int(psutil.Process(process or None).memory_info().rss) // MEBIBYTE
    except psutil.NoSuchProcess:
        return 0


def share_arenas() -> None:
    """Have all threads allocate from two heaps, not from one each: what one frees another can use. Before threads are started.

    Measured on the running bot with 10,000 passages: 29 MB of 407. Source: mallopt(3); where there is no glibc, nothing is done.
    """
    try:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)
    except (OSError, AttributeError, TypeError):
        return


def _taken(said: object) -> _Taken | None:
    """Return what one entry of the file says; a number alone is its memory, as it was written before loads were timed."""
    match said:
        case bool():
            return None
        case int():
            return _Taken(said)
        case {"ram_mb": int(ram_mb), "load_s": int() | float() as load_s}:
            return _Taken(ram_mb, float(load_s))
    return None


def _group_limits() -> list[int]:
    """Return the limits of the process's control groups, up to the root. Source: Linux, cgroup-v2.rst, memory.max."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    limits: list[int] = []
    for line in lines:
        _number, controllers, path = line.split(":", 2)
        if not controllers:
            limits += _limits_above(_CGROUPS / path.lstrip("/"), "memory.max")
        elif "memory" in controllers.split(","):
            limits += _limits_above(_CGROUPS / "memory" / path.lstrip("/"), "memory.limit_in_bytes")
    return limits


def _limits_above(folder: Path, name: str) -> list[int]:
    limits = []
    for place in (folder, *folder.parents):
        if not place.is_relative_to(_CGROUPS):
            break
        try:
            said = (place / name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if said.isdigit():
            limits.append(int(said))
    return limits


def let_go_of(folder: Path, suffixes: Sequence[str]) -> int:
    """Give back the memory in which files of `folder` with these `suffixes` are mapped, read alone; return how many mappings.

    Who reads them again finds them in the system's cache, or on the disk. An engine that keeps the weights in an order of its own reads
    the file once: of four forms of a MiniLM 55 MB were resident for nothing. Elsewhere than on Linux nothing is done.
    """
    advise, count = getattr(ctypes.CDLL(None), "madvise", None), 0
    if advise is None or not _MAPPINGS.exists():
        return 0
    for line in _MAPPINGS.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        place, rights, _offset, _device, _inode, *name = line.split(maxsplit=5)
        if rights in _READ_ALONE and name and name[0].endswith(tuple(suffixes)) and Path(name[0]).is_relative_to(folder):
            begin, end = (int(one, 16) for one in place.split("-"))
            count += advise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _DONTNEED) == 0
    return count
