# SafeRoom. `make demo` and `make test` work from a clean clone with Python 3.11+, make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test test-slow check fmt bench docs proto clean

help:
	@echo "make demo | test | test-slow | check | fmt | bench | docs | proto | clean"

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "SafeRoom needs Python 3.11 or newer; set PYTHON=..."; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $(STAMP)

demo: $(STAMP)
	$(BIN)/saferoom demo

# Side by side, a file at a time: files share rooms. The many short ones of tests/unit come last and fill the end.
test: $(STAMP)
	$(BIN)/python -m pytest -m 'not slow' -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# One after the other: some of them measure time.
test-slow: $(STAMP)
	$(BIN)/python -m pytest -m slow

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/docs -m 'not slow'

fmt: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)
	$(BIN)/python scripts/bench.py --write docs/performance.md

docs: $(STAMP)
	$(BIN)/python scripts/make_docs.py

proto: $(STAMP)
	PYTHON=$(BIN)/python scripts/make_proto.sh

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
