# run · test · check · bench · bench-access · faults · setup: each one line that a person could type.
PYTHON ?= python3
PIP = .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
PYTEST ?=

.PHONY: run test check bench bench-access faults setup clean

run: .venv/.prepared
	@exec .venv/bin/paring run

setup: .venv/.prepared

test: .venv/.test
	.venv/bin/python -m pytest --numprocesses 2 --dist loadfile $(PYTEST)

check: .venv/.test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: .venv/.bench
	.venv/bin/python -m benchmarks

bench-access: .venv/.test
	.venv/bin/python -m benchmarks.access --searches 100000 --minutes 60 --write

faults: .venv/.test
	.venv/bin/python -m benchmarks.faults --write

.venv/.run: pyproject.toml constraints.txt
	@echo "Setting up .venv: a few minutes the first time."
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	$(PIP) torch==2.13.0
	$(PIP) -e .
	@touch $@

.venv/.prepared: .venv/.run
	.venv/bin/paring setup
	@touch $@

.venv/.test: .venv/.run
	$(PIP) -e '.[test]'
	@touch $@

.venv/.bench: .venv/.run
	$(PIP) -e '.[bench]'
	@touch $@

clean:
	rm -rf .venv
