# make demo    four hospitals, a provider and an analyst on this machine: a tour of queries, within a minute
# make test    formatting, lint, types and tests: the one check command
# make bench   seconds and bytes of primitives, queries and TPC-H (python -m benchmarks.tpch --help)
# All prepare .venv themselves; all they need is Python 3.11 or newer (another one: make PYTHON=/path/to/python3).

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
  "$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && command -v "$$p" && break; done)
BIN := .venv/bin
WORKERS ?= 2

.PHONY: help demo test test-long bench bench-peers clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' $(firstword $(MAKEFILE_LIST))

demo: .venv/.demo
	@$(BIN)/smpc-sql demo

test: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n $(WORKERS) -m "not long"

test-long: .venv/.dev
	$(BIN)/pytest -n $(WORKERS) --timeout 3600

bench: .venv/.dev .venv/.bench
	$(BIN)/python -m benchmarks.primitives
	$(BIN)/python -m benchmarks.queries
	$(BIN)/python -m benchmarks.tpch

bench-peers: .venv/.dev
	$(BIN)/python -m benchmarks.peers.install
	$(BIN)/python -m benchmarks.peers --out .peers/results

clean:
	rm -rf .venv .peers build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "smpc_sql needs Python 3.11 or newer with venv (on Debian: apt install python3-venv);" \
	  "none was found on PATH. With one elsewhere: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "preparing .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv

.venv/.%: pyproject.toml | $(BIN)/python
	@echo "installing smpc_sql and what it needs ($*); the first time takes a minute"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
