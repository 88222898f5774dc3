from types import SimpleNamespace

from fakes import sharing
from fakes.sharing import Scheduling


def items(*names: str) -> list[SimpleNamespace]:
    return [SimpleNamespace(nodeid=name) for name in names]


def test_short_tests_come_last_and_the_order_stays_else() -> None:
    shuffled = items(
        "tests/unit/test_b.py::x", "tests/e2e/test_z.py::x", "tests/unit/test_a.py::x", "tests/contract/test_a.py::x"
    )
    sharing.pytest_collection_modifyitems(shuffled)  # type: ignore[arg-type]
    assert [item.nodeid.split("::")[0] for item in shuffled] == [
        "tests/e2e/test_z.py", "tests/contract/test_a.py", "tests/unit/test_b.py", "tests/unit/test_a.py",
    ]  # fmt: skip


def test_a_file_goes_to_one_process_and_each_row_of_the_matrix_by_itself() -> None:
    scope = Scheduling._split_scope
    scheduling = object.__new__(Scheduling)
    assert scope(scheduling, "tests/unit/test_a.py::test_x[a::b]") == "tests/unit/test_a.py"
    assert scope(scheduling, "tests/e2e/test_faults.py::test_x[bombs]") == "tests/e2e/test_faults.py::test_x[bombs]"
