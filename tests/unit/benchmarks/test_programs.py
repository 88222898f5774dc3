"""Every benchmark that is a program runs when it is called: one that only defines `main` ends at once, and nobody is told."""

import ast
from pathlib import Path

import pytest

PROGRAMS = [file for file in Path(__file__).parents[3].glob("benchmarks/*.py") if "def main(" in file.read_text(encoding="utf-8")]


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.stem)
def test_a_program_calls_its_main_where_it_is_run(file: Path) -> None:
    last = ast.parse(file.read_text(encoding="utf-8")).body[-1]
    assert isinstance(last, ast.If)
    assert ast.unparse(last.test) == "__name__ == '__main__'"
    assert "main()" in ast.unparse(last)
