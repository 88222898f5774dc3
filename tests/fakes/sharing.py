"""How the tests are shared out to the processes of `--numprocesses`. A plugin of pytest: see `tests/conftest.py`.

A file's tests go to one process, since what they need is made once for them all; but each row of the fault matrix, which makes its own,
goes by itself. Short tests come last, so that all processes end at about the same time: one that comes to its last file while another
has five minutes before it would leave a core idle.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadFileScheduling

EACH_BY_ITSELF = "tests/e2e/test_faults.py"
SHORT = "tests/unit/"


class Scheduling(LoadFileScheduling):
    """Shares out file after file, in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(EACH_BY_ITSELF) else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    config.option.loadscopereorder = False  # it would put the files of the fewest tests last, which take the longest
    return Scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the short ones last; within both, the order stays random."""
    items.sort(key=lambda item: item.nodeid.startswith(SHORT))
