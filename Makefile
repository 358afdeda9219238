# Two commands are enough: `make run` serves, `make test` proves. `make help` lists the rest.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
SERVERS := $(VENV)/supabase-gateway/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help setup run demo test soak check format compliance bench clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# A virtual environment knows its path: in a folder that was copied or renamed it is made anew.
ifneq ($(shell cat $(READY) 2>/dev/null),$(shell pwd -P))
FRESH := --clear
.PHONY: $(READY)
endif

setup: $(READY) $(SERVERS)  ## make .venv with everything in it (does nothing when nothing changed)

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or say where it is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Say where a newer one is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV) (once, about a minute) ..."
	@$(PYTHON) -m venv $(FRESH) $(VENV) || { echo "Python cannot make virtual environments here: install its venv module."; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@pwd -P > $@

# What only tests need, so that serving does not wait for it (npm writes this file last).
$(SERVERS): $(READY) tests/servers/package-lock.json
	@echo "Fetching the Supabase API of the tests (once, some seconds) ..."
	@$(BIN)/python tests/servers/supabase_gateway.py

run: $(READY)  ## serve on 127.0.0.1:8000 with an embedded database
	@exec $(BIN)/symphainy serve --dev

demo: $(READY)  ## the journeys of sign-in and chat as a story, on a temporary store
	@$(BIN)/symphainy demo

test: setup  ## every test
	@$(BIN)/python -m pytest -q --numprocesses auto --dist worksteal

soak: setup  ## the proofs that take long: kills again and again, ten times as many random sequences (many minutes)
	@SYMPHAINY_TEST_SOAK=1 $(BIN)/python -m pytest -q -s tests/processes/test_killed_processes.py tests/differential

check: setup  ## format, lint, types, layers, contracts, generated files, documents
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted: run make format."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/symphainy contracts lint
	@$(BIN)/symphainy contracts render --check
	@$(BIN)/python -m pytest -q tests/docs

format: setup  ## format the code and mend what can be mended
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

compliance: setup  ## attack every intent with its contract; prints the report
	@$(BIN)/python -m pytest --contracts

bench: setup  ## the figures of the performance targets, as ratios (minutes)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@$(BIN)/python -m benchmarks

clean:  ## remove what was made, but no data
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
