# Two commands, from a fresh clone with nothing but Python 3.11 and make:
#   make demo      the whole bot on this machine: no server, no account, no configuration
#   make test      the test suite that needs no other program
# Options go through ARGS: `make demo ARGS=--tour`, `make test ARGS="-k links"`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell uv --version >/dev/null 2>&1 && echo uv)
OTHER_STAGES := synapse or browser or packaging or node

# The locks name a hash for every file, the project itself has none: hence two steps.
ifeq ($(UV),uv)
  NEW_VENV = uv venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" $(VENV)
  INSTALL = VIRTUAL_ENV=$(VENV) uv pip install --quiet
else
  NEW_VENV = $(PYTHON) -m venv $(VENV)
  INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml

.PHONY: demo test lint lint-format lint-code lint-types lint-imports lint-security lock bench prove npm ci

demo: $(VENV)/.stamp
	@$(BIN)/bbb-bot demo $(ARGS)

test: $(VENV)/.stamp-dev
	@$(BIN)/pytest -m "not ($(OTHER_STAGES))" $(ARGS)

# `make --keep-going lint` shows all findings, not the first kind only.
lint: lint-format lint-code lint-types lint-imports lint-security

lint-format: $(VENV)/.stamp-dev
	@$(BIN)/ruff format --check

lint-code: $(VENV)/.stamp-dev
	@$(BIN)/ruff check

lint-types: $(VENV)/.stamp-dev
	@$(BIN)/mypy

lint-imports: $(VENV)/.stamp-dev
	@$(BIN)/lint-imports

lint-security: $(VENV)/.stamp-dev
	@$(BIN)/bandit --quiet --severity-level medium --configfile pyproject.toml -r bot commands storage

# Keeps the pins that still fit; `make lock ARGS=--upgrade` takes the newest.
lock: $(VENV)/.stamp-dev
	@$(LOCK) $(ARGS) -o requirements.lock
	@$(LOCK) $(ARGS) --extra dev --extra demo-matrix -c requirements.lock -o requirements-dev.lock

bench: $(VENV)/.stamp-dev
	@$(BIN)/python bench/chat.py $(ARGS)
	@$(BIN)/python bench/chat.py --chat rocketchat $(ARGS)
	@$(BIN)/python bench/join.py $(ARGS)

# The promises at length, up to an hour; stopped, it goes on where it was. Writes docs/promises.md.
prove: $(VENV)/.stamp-dev
	@$(BIN)/python -m tests.prove $(ARGS)

# Element's crypto engine, Rocket.Chat's message parser and realtime client: all pinned by hash.
npm:
	@npm ci --silent --prefix tests/matrix/element
	@npm ci --silent --prefix tests/rocketchat/node

# Everything that must hold before a merge; up to half an hour.
ci:
	@.ci/run

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "bbb-bot needs Python 3.11 or newer, and $(PYTHON) is not." \
		"Name one that is: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Installing into $(VENV), once; this takes a minute or less."
	@$(NEW_VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.stamp: pyproject.toml requirements.lock | $(BIN)/python
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) --no-deps -e .
	@touch $@

$(VENV)/.stamp-dev: $(VENV)/.stamp requirements-dev.lock
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
